"""Values that must never be shown, and the removal of such values from any text.

Everything that leaves the program (report, log, traceback) passes a `Redactor`. It works twice over:
*by value* (whatever was read as a `Secret` is blanked wherever it stands, also percent-encoded, in base64
or escaped for JSON) and *by place* (a token, key or password is recognised by what stands around it, even
where no reader took notice of it). Two nets, since a report may be pasted into a public issue as it is.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from typing import Final, NoReturn
from urllib.parse import quote, quote_plus, unquote

MASK: Final = "•••"
SHORTEST: Final = 6  # a shorter value is blanked only where a credential stands: "test" is also a word


class Secret:
    """A value that prints as `•••(length)`; `reveal()` is the only way to it, and it does not pickle."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value itself; for comparison and for sending, never for showing."""
        return self._value

    def __repr__(self) -> str:
        return f"{MASK}({len(self._value)})"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __len__(self) -> int:
        return len(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not serialised")


#: Names of fields, parameters, settings and variables whose value is a credential.
SENSITIVE_NAME: Final = re.compile(
    r"""(?ix)
    (?:^|[^a-z])(?: (?:proxy-)?authorization | cookie2? | set-cookie2? )$
    | passw(?:or)?d | passwd | passphrase | (?:^|[_.\-\s"'])pass$ | (?:^|[_.\-])pwd | (?:^|[_.\-])psk$
    | secret | credential | (?:^|[_.\-])creds?$
    | (?:api|access|auth|private|account|subscription|master|license|consumer|app|client|service|signing
        |encryption|secret|shared)[_.\- ]?key
    | (?:^|[_.\-])key$
    | token(?!_?(?:type|url|uri|endpoint|expir|class|use|name|ttl|life))
    | (?:^|[_.\-])jwt$ | (?:^|[_.\-])sid$ | session[_.\-]?id | sessid | (?:^|[_.\-])sig(?:nature)?$
    | _auth(?:token)?$ | (?:^|[_.\-])auth$ | (?:^|[_.\-])bearer$ | nonce$ | salt$ | assertion$ | (?:^|[_.\-])otp$
    | (?:^|[_.\-])code$ | dpop$ | verifier$
    """
)

#: Sensitive only as a field of an HTTP message: the whole value is the credential.
_SENSITIVE_FIELDS: Final = frozenset(
    {
        *("authorization", "proxy-authorization", "authentication", "auth", "dpop", "x-auth"),
        *("cookie", "cookie2", "set-cookie", "set-cookie2", "x-amz-security-token"),
        *("x-csrf-token", "x-xsrf-token", "x-wp-nonce", "jenkins-crumb"),
    }
)


def is_sensitive_field(name: str) -> bool:
    """Whether an HTTP field of this name carries a credential as its value."""
    lower = name.lower()
    return lower in _SENSITIVE_FIELDS or bool(SENSITIVE_NAME.search(lower))


# By place. Each pattern has one group `s`: the part to blank.
_PLACES: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"\b(?P<s>eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{2,}(?:\.[A-Za-z0-9_-]*){0,3})",
        r"\b(?i:basic|bearer|token|negotiate|ntlm|dpop|apikey|api-key|hawk|sharedkey|oauth|aws4-hmac-sha256)"
        r"[ \t]*[:=]?[ \t]+[\"']?(?P<s>(?=[A-Za-z0-9_\-.~+/%]*[0-9A-Z_\-.~+/])[A-Za-z0-9_\-.~+/%]{8,}=*)",
        r"\b(?i:basic)[ \t]+(?P<s>(?=[A-Za-z0-9+/_-]*[0-9A-Z+/])[A-Za-z0-9+/_-]{4,}={0,2})(?![A-Za-z0-9 \"'=])",
        r"(?i)\b(?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?"
        r"(?P<s>(?!basic\b|bearer\b|digest\b|token\b|negotiate\b|ntlm\b|dpop\b)[^\s\"',;]{6,})",
        r"(?i)(?:^|\n|[\"'\s<>])(?:set-)?cookie2?[\"']?\s*:\s*[\"']?(?P<s>[^\r\n\"']+)",
        r"://[^\s/:@\"'<>]*:(?P<s>[^\s/@\"'<>]+)@",
        r"(?i)(?:--user|--proxy-user|-u|-U|--digest\s+-u)[ =]+[\"']?[^\s:\"']+:(?P<s>[^\s\"']+)",
        r"(?i)[?&#;](?:[a-z0-9_\-]*(?:token|key|secret|passw(?:or)?d|passwd|pwd|sig|signature|auth|jwt|code|nonce|sid|password)"
        r"|sig|x-amz-(?:signature|credential|security-token))=(?P<s>[^&\s\"'<>#]+)",
        r"(?i)[\"']?(?<![a-z0-9_.\-])[a-z0-9_.\-]*(?:passw(?:or)?d|passwd|passphrase|secret|api[_\-]?key|access[_\-]?key|"
        r"private[_\-]?key|(?<!csrf)token|_auth|credential|_pass|authtoken)[a-z0-9_\-]*[\"']?\s*(?:=>|:=|[:=])\s*"
        r"(?:[bru]{0,2}[\"'](?P<s>[^\"'\r\n]{4,})[\"'])",
        r"(?i)(?:^|\n|\s)[a-z0-9_.\-]*(?:passw(?:or)?d|passwd|passphrase|secret|api[_\-]?key|access[_\-]?key|"
        r"_token|authtoken|_password)[a-z0-9_\-]*[ \t]*[=:][ \t]*(?P<s>[^\s\"',;&]{6,})",
        r"(?i)\bpassword[ \t]+(?P<s>(?=\S*[0-9!@#$%^&*])\S{6,})",
        r"\b(?P<s>(?:gh[pousr]_|github_pat_|glpat-|npm_|pypi-|xox[abprs]-|sk-|sk_live_|sk_test_|rk_live_|pk_live_|"
        r"AKIA|ASIA|AIza|ya29\.|dop_v1_|shpat_|hvs\.|hf_|SG\.|dckr_pat_|ATATT|EAA|ck_|cs_)[A-Za-z0-9_\-.=]{8,})",
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?P<s>[\s\S]+?)(?:-----END|$)",
        r"(?i)\b(?:username|user)=\"[^\"]*\"[^\n]*?\bresponse=\"?(?P<s>[0-9a-f]{32,})",
        r"(?i)\b(?:response|cnonce|oauth_signature|oauth_token|Signature)=\"?(?P<s>[A-Za-z0-9+/=%]{12,})",
    )
)

#: Half characters, which JSON can escape and no report can be written with.
_SURROGATES: Final = re.compile("[\ud800-\udfff]")


def find(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of what stands in a credential's place in `text`, in no particular order."""
    for pattern in _PLACES:
        for match in pattern.finditer(text):
            yield match.span("s")


def forms(value: str) -> Iterator[str]:
    """The shapes in which one value may turn up in a text."""
    yield value
    yield quote(value, safe="", errors="replace")
    yield quote_plus(value, errors="replace")
    yield unquote(value)
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield repr(value)[1:-1]
    raw = value.encode("utf-8", "surrogatepass")
    for lead in range(3):  # in base64 a value looks different at each of three alignments
        coded = base64.b64encode(b"\0" * lead + raw).decode()
        start = -(-lead * 8 // 6)
        stop = (lead + len(raw)) * 8 // 6
        if stop - start >= SHORTEST:
            yield coded[start:stop]
            yield coded[start:stop].replace("+", "-").replace("/", "_")


class Redactor:
    """Blanks secrets in any text; made once from all secrets that were read."""

    def __init__(self, secrets: Iterable[Secret] = (), *, show: bool = False) -> None:
        self._show = show
        found: set[str] = set()
        for secret in secrets:
            value = secret.reveal()
            for candidate in {value, value.strip(), *value.split()}:
                if len(candidate) >= 8 or (len(candidate) >= SHORTEST and not candidate.isalpha()):
                    found.update(form for form in forms(candidate) if len(form) >= SHORTEST)
        longest_first = sorted(found, key=len, reverse=True)
        self._by_value = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    @property
    def shows(self) -> bool:
        """Whether the user asked to see secrets (`--show-secrets`)."""
        return self._show

    def clean(self, text: str) -> str:
        """Return `text` with every known secret, and whatever stands in a secret's place, as `•••`."""
        text = _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", text)
        if self._show:
            return text
        if self._by_value is not None:
            text = self._by_value.sub(MASK, text)
        for pattern in _PLACES:
            text = pattern.sub(_blank, text)
        return text


def _blank(match: re.Match[str]) -> str:
    whole, (start, stop) = match.group(), match.span("s")
    offset = match.start()
    if MASK in whole[start - offset : stop - offset]:
        return whole
    return whole[: start - offset] + MASK + whole[stop - offset :]
