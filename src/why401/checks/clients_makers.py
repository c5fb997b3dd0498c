"""Checks of how a credential was made: by `echo`, from a file, by an encoder, by code that spells the field.

Settings of Kubernetes are decoded and looked at; of commands and code the known slips are a table.
"""

# A table of patterns is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping

from why401.checks import check
from why401.checks.credentials_offers import every, sent, troubled, where
from why401.evidence import Evidence
from why401.findings import CLEAR, HINT, Finding, Where
from why401.prefilter import lazy

_SECRET_LINE = lazy(
    r"^[ \t]*[\w.\-\"]+[ \t]*:[ \t]*[\"']?([A-Za-z0-9+/]{4,}={0,2})[\"']?[ \t]*(?:#.*)?$", re.M
)


@check
def kubernetes_secret(evidence: Evidence) -> Iterator[Finding]:
    """The data of a Kubernetes Secret decodes to text with a line break at its end."""
    for text in evidence.texts:
        if not re.search(r"^\s*kind:\s*[\"']?Secret\b", text.content, re.M):
            continue
        for block in re.finditer(r"^data:[ \t]*\n((?:[ \t]+.*\n?|\s*#.*\n)+)", text.content, re.M):
            for match in _SECRET_LINE.finditer(block.group(1)):
                plain = _decoded(match.group(1))
                if plain is not None and plain.endswith((b"\n", b"\r")):
                    at = Where.of(text.source.at(text.line_at(block.start(1) + match.start())))
                    says = (
                        "A value of the Secret decodes to text that ends with a line break (echo without -n)."
                    )
                    yield Finding(
                        "secret-ends-with-newline",
                        says,
                        {"stray-whitespace": 25.0},
                        at,
                        group="newline",
                        proves="",
                    )
                elif (
                    plain is not None
                    and _decoded(plain.decode("latin-1").strip())
                    and re.fullmatch(rb"[A-Za-z0-9+/]{8,}=+\n?", plain)
                ):
                    at = Where.of(text.source.at(text.line_at(block.start(1) + match.start())))
                    yield Finding(
                        "secret-encoded-twice",
                        "A value of the Secret is base64 within base64.",
                        {"bad-base64": CLEAR},
                        at,
                    )


def _decoded(text: str) -> bytes | None:
    try:
        plain = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return plain if plain and all(byte in b"\r\n\t" or 32 <= byte < 127 for byte in plain) else None


#: How a command, file or program adds white space, or encodes wrongly → what it speaks for. (pattern, says, weights)
_MAKERS: tuple[tuple[str, str, Mapping[str, float]], ...] = (
    (
        r"\becho\s+(?!-\w*n)(?![^|\n]*\\c)[^|\n]*\|\s*(?:openssl\s+(?:enc\s+-)?base64|base64|kubeseal|kubectl create secret|gcloud secrets|vault kv|docker secret create|aws secretsmanager|oc create secret|op |htpasswd)",
        "echo without -n puts a line break at the end of the value.",
        {"stray-whitespace": 18.0, "bad-base64": 3.0},
    ),
    (
        r"\bprintf\s+[\"'][^\"'\n]*\\n[\"'][^\n]*>\s*\S*(?:secret|token|key|pass|cred)|\becho\s+(?!-\w*n)[^|>\n]+>\s*\S*(?:secret|token|key|pass|cred)\S*",
        "A line break is written to the end of the file that holds the credential.",
        {"stray-whitespace": 14.0},
    ),
    (
        r"--from-file=\S+",
        "kubectl create secret --from-file keeps the line break at the end of the file.",
        {"stray-whitespace": 6.0},
    ),
    (
        r"(?:ends? (?:with|in)|trailing|leading|extra|stray|hidden|invisible)\s+(?:a |an )?(?:new ?line|line (?:break|feed|ending)|white ?space|space|carriage return|blank|\\n|\\r|CRLF|BOM|zero[- ]width)",
        "The words speak of stray white space at the end of the value.",
        {"stray-whitespace": 14.0},
    ),
    (
        r"(?:copied|copy|pasted?|copy[- ]?past(?:e|ed))[^.\n]{0,60}\b(?:from|into|the|it|token|key|password)\b[^.\n]{0,60}(?:\bmail|pdf|slack|teams|word|browser|chat|website|console|doc)",
        "The credential was copied and pasted.",
        {"stray-whitespace": 5.0},
    ),
    (
        r"open\([^)\n]*(?:token|secret|key|pass|cred)[^)\n]*\)\.read\(\)(?!\.\w*strip)|readFileSync\([^)\n]*(?:token|secret|key|pass)[^)\n]*\)(?:\.toString\([^)]*\))?(?!\s*\.trim)|file_get_contents\([^)\n]*(?:token|secret|key|pass)[^)\n]*\)(?!\s*\))|File\.read\([^)\n]*(?:token|secret|key|pass)[^)\n]*\)(?!\.(?:strip|chomp))|os\.ReadFile\([^)\n]*(?:token|secret|key|pass)|File\.ReadAllText\([^)\n]*(?:token|secret|key|pass)[^)\n]*\)(?!\.Trim)|Files\.readString\([^)\n]*(?:token|secret|key|pass)[^;\n]*(?<!strip\(\))(?<!trim\(\));",
        "The credential is read from a file and the line break at its end is not cut off.",
        {"stray-whitespace": 13.0},
    ),
    (
        r"(?:secret|token|password|key|pass)[\w-]*=[^\s&\"']*%0[AaDd](?=[&\s\"']|$)",
        "A credential in the URL ends with an encoded line break.",
        {"stray-whitespace": 30.0, "oauth-client-rejected": -12.0},
    ),
    (
        r"urlsafe_b64encode|getUrlEncoder|URLEncoding\.Encode|RawURLEncoding|base64url",
        "The URL alphabet of base64 is used, which Basic does not take.",
        {"bad-base64": 5.0},
    ),
    (
        r"\b(\w+)\s*=\s*(?:base64\.)?b64encode\([^\n]*\)[ \t]*\n[\s\S]{0,400}?Basic (?:\{\1\}|%s[\"'] % \1|[\"']\s*\+\s*str\(\1\))",
        "The base64 is bytes and is printed as b'…' instead of being decoded to text.",
        {"bad-base64": 19.0, "malformed-authorization": 5.0},
    ),
    (
        r"[\"'`]Basic [\"'`]\s*[+.,]\s*str\(base64|str\(base64\.b64encode\([^\n]*\)\)(?!\[)|f[\"']Basic \{base64\.b64encode\([^}]*\)\}",
        "The bytes of the base64 are printed as b'…' instead of being decoded to text.",
        {"bad-base64": 19.0, "malformed-authorization": 5.0},
    ),
    (
        r"[\"'`]Basic [\"'`]\s*[+.]\s*(?:user(?:name)?|login|email|api_?key|key|token)\s*[+.]\s*[\"']:[\"']|Basic \$\{\w+\}:\$\{\w+\}|f[\"']Basic \{\w+\}:\{\w+\}[\"']|[\"']Basic [\"']\s*[+.]\s*(?:api_?key|key|token|password)\s*[,;)}\n]",
        "user:password is put after Basic without base64.",
        {"bad-base64": 19.0, "wrong-scheme": 3.0},
    ),
    (
        r"(?:btoa|b64encode|base64_encode|Base64\.(?:strict_)?encode64|encodeToString|toBase64|ToBase64String|EncodeToString)\(\s*(?:[\w.]*\()?\s*(?:user(?:name)?|email|login|client_?id)\s*[+.]\s*(?:pass(?:word)?|pw|client_?secret)\b",
        "User and password are joined without a colon before they are encoded.",
        {"bad-base64": 20.0},
    ),
    (
        r"Basic [\"'`]?\s*[+.,]?\s*(?:\$\{|\{)?\s*(?:btoa|base64\.b64encode|base64_encode|Buffer\.from)\(\s*[\"'`]?(?:api_?key|token|key|secret|access_?token)[\w]*(?:\.encode\([^)]*\))?[\"'`]?\s*\)",
        "A key is encoded alone; a Basic pair has a colon (key: or :key).",
        {"bad-base64": 16.0, "wrong-scheme": 5.0},
    ),
    (
        r"illegal base64 data at input byte|Incorrect padding|Invalid base64|not (?:correctly )?base64|InvalidCharacterError: [^\n]*not correctly encoded|base64: invalid input|bad base64",
        "A decoder says that the value is not base64.",
        {"bad-base64": 19.0},
    ),
    (
        r"contains characters outside of the Latin1 range|'(?:latin-1|ascii)' codec can't encode|UnicodeEncodeError",
        "The encoder cannot write a character of the credential in Latin-1.",
        {"charset-mismatch": 18.0},
    ),
    (
        r"getBytes\(\s*[\"']?(?:ISO[-_]8859[-_]1|StandardCharsets\.(?:ISO_8859_1|US_ASCII))|Encoding\.(?:ASCII|Default|GetEncoding\([\"']iso-8859-1)[^\n]*GetBytes|\.encode\([\"'](?:latin-?1|iso-8859-1|ascii)[\"']|Buffer\.from\([^)\n]*,\s*[\"'](?:latin1|binary|ascii)[\"']",
        "The credential is encoded in another charset than UTF-8.",
        {"charset-mismatch": 9.0},
    ),
    (
        r"new String\(\s*(?:Base64|decode|bytes|decoded)[^,\n]*\)\s*;|decode\([^)]*\)\.toString\([\"'](?:ascii|latin1|binary)",
        "The server decodes the credential in its platform's charset.",
        {"charset-mismatch": 6.0},
    ),
)
_LETTERS = r"(?:password|pass ?phrase|user(?: ?name)?|login|credential|secret|passwort|mot de passe|contraseña)\w*[^.\n]{0,80}(?:(?-i:[\u00a1-\u00ff\u0100-\u012f\u0132-\u017e\u0180-\u024f\u0370-\u04ff\u20ac])|umlaut|accent|diacritic|non-?ascii|unicode|cyrillic|utf-?8|iso-?8859|latin-?1|special letters?|\beuro\b|pound sign|paragraph sign|section sign)|(?:umlaut|accent|non-?ascii|diacritic|cyrillic)\w*[^.\n]{0,80}(?:password|user|login|credential|auth|passwort|benutzer|mot de passe|contrase|webdav)"


@check
def makers(evidence: Evidence) -> Iterator[Finding]:
    """How the credential was made: echo, a file, an encoder."""
    if not troubled(evidence):
        return
    for pattern, says, weights in _MAKERS:
        found = next(every(evidence, pattern), None)
        if found:
            yield Finding("made-by", says, weights, found[1], group="made-" + next(iter(weights)))


@check
def letters(evidence: Evidence) -> Iterator[Finding]:
    """The reporter speaks of letters outside ASCII in the user or the password."""
    found = where(evidence, _LETTERS)
    if found and troubled(evidence):
        says = (
            "The user or password has letters outside ASCII, which client and server may encode differently."
        )
        yield Finding(
            "letters-outside-ascii",
            says,
            {"charset-mismatch": 20.0, "mangled-in-config": 3.0},
            found[1],
            group="charset",
        )


#: Ways in which code or a command spells the field wrongly → says, weight. For malformed-authorization.
_SPELT: tuple[tuple[str, str, float], ...] = (
    (
        r"[\"'`](?:Bearer|Basic|Token):\s*[\"'`]?\s*(?:[+.,$%{]|\w)",
        "The code puts a colon after the scheme.",
        19.0,
    ),
    (
        r"[\"'`](?:Bearer|Basic)[\"'`]\s*[+.]\s*(?![\"'`] )[\w$(]",
        "The code joins scheme and token without a space.",
        18.0,
    ),
    (r"[\"'`]Bearer(?:\$\{|\{(?!\{)|%s)", "The code joins scheme and token without a space.", 18.0),
    (r"[\"'`]?Bearer [\"'`]?\s*[+.]?\s*[\"'`]?Bearer ", "The scheme stands twice.", 20.0),
    (
        r"(?:-H|--header)[ =]?[\"']Authorization(?::?=| )\s*(?:Bearer|Basic|Token)",
        "The header of the command has no colon after its name, so curl sends none.",
        19.0,
    ),
    (
        r"(?:-H|--header)[ =]?Authorization:\s+(?:Bearer|Basic|Token)\s",
        "The header is not quoted, so the shell splits it at the blank.",
        19.0,
    ),
    (
        r"Authorization[\"'`]?\s*[:=]\s*[\"'`]Authorization:",
        "The name of the field is part of its value.",
        19.0,
    ),
    (
        r"Bearer [\"'`]\s*\+\s*JSON\.stringify\(|JSON\.stringify\(\s*(?:\w+\.)?(?:access_?)?token\)",
        "JSON.stringify puts quotes round the token.",
        16.0,
    ),
    (r"Bearer[ ]*[\"'`]\s*\+\s*localStorage\.getItem\([^\n]*(?!parse)", "", 0.0),
)
_STORED_WITH_SCHEME = r"^[ \t]*(?:export |- )?[\"']?(?!authorization)[\w.-]*(?:token|key|auth)[\w.-]*[\"']?\s*[:=]\s*[\"']?Bearer [^\s$%{<]"
_ADDS_SCHEME = r"[\"'`](?:Authorization[\"'`]?\s*[:=,]\s*f?[\"'`])?Bearer (?:\$\{|\{|[\"'`]\s*[+.]|%s|#\{)"


@check
def spelt(evidence: Evidence) -> Iterator[Finding]:
    """The code or the command writes the field in a wrong form."""
    if not troubled(evidence):
        return
    for pattern, says, weight in _SPELT:
        found = where(evidence, pattern) if weight else None
        if found:
            yield Finding(
                "field-misspelt",
                says,
                {"malformed-authorization": weight},
                found[1],
                group="authorization-form",
            )
    twice = where(evidence, _STORED_WITH_SCHEME, re.I | re.M)
    if twice and where(evidence, _ADDS_SCHEME):
        says = "The stored value begins with Bearer, and the code puts Bearer before it again."
        yield Finding(
            "scheme-added-twice",
            says,
            {"malformed-authorization": 19.0},
            twice[1],
            group="authorization-form",
        )


@check
def quoted_by_cmd(evidence: Evidence) -> Iterator[Finding]:
    """`set KEY="value"` in cmd.exe and `--env-file` of docker keep the quotes as part of the value."""
    found = where(
        evidence,
        r"^[^\n]*?\bset [A-Z_]*(?:KEY|TOKEN|SECRET|PASSWORD)=[\"']|(?:provided|key|token)[:=] [\"'](?:sk|pk|ghp)-",
        re.I | re.M,
    )
    if found and troubled(evidence) and not sent(evidence):
        says = "The value was set with quotes, which cmd.exe keeps as part of it."
        yield Finding(
            "quotes-kept", says, {"malformed-authorization": 14.0, "mangled-in-config": HINT}, found[1]
        )
