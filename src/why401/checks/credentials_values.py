"""Checks for a credential that is not one: a placeholder, an empty value, a variable nobody expanded.

People also blank a credential before they post it, so a masked value is weak; what no person would type to
hide a secret (`undefined`, `[object Object]`, `${TOKEN}` on the wire, `%7B%7Btoken%7D%7D`) is strong.
"""

# A table of patterns is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from why401.checks import check
from why401.checks.credentials_offers import LOOKED_AT, Sent, anywhere, every, sent, troubled, where
from why401.evidence import Evidence
from why401.findings import CLEAR, FAINT, HINT, STRONG, Finding, Where
from why401.prefilter import lazy
from why401.protocol import basic
from why401.protocol.placeholders import MEANINGS, placeholder

# Kind of placeholder → weight for a value seen on the wire. The low ones are how people blank a secret.
_ON_WIRE: dict[str, float] = {
    "empty-value": 24.0,
    "object": 23.0,
    "expression": 20.0,
    "unexpanded-variable": 21.0,
    "template": 9.0,
    "repr": 15.0,
    "json": 15.0,
    "documented-example": 18.0,
    "example-text": 8.0,
    "variable-name": 9.0,
    "file-path": 14.0,
    "masked": 3.0,
    "truncated": 2.0,
}
# `{{token}}` and `{token}` are templates that no person types to hide a value; `<token>` is.
_BRACES = lazy(r"\{\{.*\}\}|\{[A-Za-z_]\w*\}|<%.*%>|%s|%\(\w+\)s|\{\}")


@check
def on_the_wire(evidence: Evidence) -> Iterator[Finding]:
    """The credential that was sent is a placeholder."""
    for one in sent(evidence):
        if not one.refused or one.seen in ("code", "double"):
            continue
        read = one.parsed
        if read.has("scheme-only") or read.has("empty"):
            if one.exchange is not None or one.value.strip():
                says = "The Authorization field names a scheme and carries no credential."
                yield _finding("credential-empty", says, 19.0, one.where)
            continue
        token = read.rest if read.scheme else one.value
        yield from _placeholder(token.strip(), one)


_YOURS = lazy(
    r"(?i:your)[ _-]?(?i:access|api|auth|bearer|jwt|secret)?[ _-]?(?i:token|key|secret|jwt)[A-Z0-9_-].{6,}"
)


def _placeholder(token: str, one: Sent) -> Iterator[Finding]:
    kind = placeholder(token)
    if kind is None and _YOURS.fullmatch(token):
        yield _finding(
            "credential-of-manual",
            "The credential is a manual's example: it begins with 'Your'.",
            16.0,
            one.where,
        )
        return
    if kind is None:
        yield from _in_basic(token, one)
        return
    weight = _ON_WIRE.get(kind, FAINT)
    if kind == "template" and _BRACES.fullmatch(token):
        weight = 20.0
    if one.seen == "single" and kind == "unexpanded-variable":
        says = "The header stands in single quotes, in which a shell expands no variable: its name was sent."
    else:
        says = f"The credential that was sent is {MEANINGS[kind]}."
    yield _finding(f"credential-is-{kind}", says, weight, one.where)


def _in_basic(token: str, one: Sent) -> Iterator[Finding]:
    """A placeholder as the user or the password of a Basic pair; `Og==` is a pair of nothing."""
    if one.parsed.name != "basic":
        return
    pair = basic.decode(token)
    if pair.has("user-empty") and pair.has("password-empty"):
        yield _finding("basic-both-empty", "User and password are both empty.", 20.0, one.where)
        return
    for which, value in (("user", pair.user), ("password", pair.password)):
        kind = placeholder(value) if value else None
        if kind in ("empty-value", "object", "unexpanded-variable", "template", "example-text", "file-path"):
            says = f"The {which} in the Basic credentials is {MEANINGS[kind]}."
            yield _finding(f"basic-{which}-placeholder", says, _ON_WIRE[kind] - 2, one.where)


def _finding(slug: str, says: str, weight: float, at: Where) -> Finding:
    weights = {"placeholder-credential": weight}
    if weight >= CLEAR:
        weights |= {"wrong-password": -6.0, "token-expired": -6.0}
    return Finding(slug, says, weights, at, group="placeholder")


_NAMES = r"(?:access[_-]?token|auth[_-]?token|api[_-]?key|apikey|key|token|jwt|sig|password|client[_-]?(?:id|secret))"
_EMPTY = r"(?:undefined|null|none|nil|NaN|%5Bobject(?:%20|\+)Object%5D)"
# What stands in a URL, a cookie or another header → says, weight.
_ELSEWHERE: tuple[tuple[str, str, float], ...] = (
    (rf"[?&]{_NAMES}={_EMPTY}(?![\w.-])", "A credential in the query is {0}.", 22.0),
    (rf"[?&]{_NAMES}=(?=&|\s|$|\")", "A credential in the query is empty.", 14.0),
    (
        r"https?://[^\s\"'<>]*(?:%7B%7B|%7B[A-Za-z\[_$]|\$%7B|%24%7B|/undefined(?=[/?\s]))",
        "The URL holds a template that nothing has filled in.",
        15.0,
    ),
    (
        rf"\b(?:bearer|token|apikey|api-key|basic)[ ]+{_EMPTY}(?![\w./-])",
        "A credential that is what a program prints for a missing value.",
        20.0,
    ),
    (r"\bbearer[ ]+\[object \w+\]", "A credential that is an object printed as text.", 22.0),
    (
        rf"^\s*[<>*|]?\s*(?:x-[\w-]*(?:key|token)|api-?key|private-token|token)\s*:\s*{_EMPTY}\s*$",
        "A header for the key carries what a program prints for a missing value.",
        21.0,
    ),
    (
        rf"\b(?:[\w-]*(?:token|key|secret|password|pat|jwt))\b[\"']?(?:\s+(?:is|was|=|:|->|returns?|logs?|prints?|shows?))+\s*{_EMPTY}(?![\w./-])",
        "The credential is reported to be a missing value.",
        9.0,
    ),
    (
        r"\"(?:access_?token|token|api_?key|password|client_secret|secret)\"\s*:\s*(?:\"\"|null)\s*[,}]",
        "A credential in a JSON body or setting is empty.",
        8.0,
    ),
)


@check
def elsewhere(evidence: Evidence) -> Iterator[Finding]:
    """The same in the query, the path or another field, and where it is told in words."""
    if not troubled(evidence):
        return
    for pattern, says, weight in _ELSEWHERE:
        found = where(evidence, pattern, re.I | re.M)
        if found:
            words = says.replace("{0}", "what a program prints for a missing value")
            yield _finding("placeholder-elsewhere", words, weight, found[1])


_HEADER_SETTING = (
    r"[\"']?(?:authorization|(?:x-)?[\w-]*(?:api-?key|token|secret|password))[\"']?\s*[:=]\s*[\"'](?:bearer |basic |token )?"
    r"(?:\$\{[A-Za-z_]\w*\}|\$[A-Z_]{4,}|\{\{\s*\w+\s*\}\}|\{env:\w+\}|%[A-Z_]{4,}%|\$\{env:\w+\}|\$\{input:[\w-]+\})[\"']"
)


@check
def variable_in_setting(evidence: Evidence) -> Iterator[Finding]:
    """A variable within a client's JSON or TOML: many clients send it as it stands."""
    settings = [
        t for t in evidence.texts if t.kind in ("settings", "body") or t.source.name.endswith(".json")
    ]
    for text in settings:
        match = re.search(_HEADER_SETTING, text.content, re.I)
        if match and text.language not in ("nginx", "apache", "dockerfile", "yaml") and troubled(evidence):
            at = Where.of(text.source.at(text.line_at(match.start())))
            says = (
                "The credential's setting is a variable, which many clients send as it stands or leave empty."
            )
            mcp = bool(re.search(r"\bmcp", text.content + text.source.name, re.I))
            weights = {"placeholder-credential": 17.0 if mcp else 11.0, "client-config-not-loaded": 6.0}
            yield Finding("variable-in-setting", says, weights, at, group="placeholder-setting")
            return


_KEYS = (
    r"[\w.\-]*(?:api[_.-]?key|apikey|access[_.-]?key|token|secret|password|passwd|client[_.-]?id|authorization|"
    r"consumer[_.-]?key|auth[_.-]?key|credential|subscription[_.-]?key|app[_.-]?id|\bpat)[\w\-]*"
)
_ASSIGNED = lazy(
    rf"^[ \t]*(?:export |set |SET |\$env:|const |let |var |- |<)?[\"']?({_KEYS})[\"']?[\]\)]?[ \t]*(?:=>|:=|[:=>])[ \t]*(.+?)[ \t,;]*$",
    re.I | re.M,
)
_QUOTES = "\"'`"
_EXAMPLE = lazy(
    r"""(?ix) your?[ _-].*(?:token|key|secret|password|id|pat)(?![a-z]).* | .*(?:goes|put|insert|enter|paste|add)[ _-]?(?:it[ _-])?(?:your|here)\b.*
    | <\s*your .* | change[_-]?(?:me|this|it).* | replace[_ -]?(?:me|this|with).* | (?:sk|pk|ghp|glpat|pypi|npm|xoxb)[-_](?:x{3,}|your).*
    | my[_-](?:api[_-]?)?(?:key|token|secret) | (?:api[_-]?key|token|secret)[_-]?here | x{6,} | 0{8,} | \*{4,}
    | (?:insert|enter|add)[ _-].* | todo | tbd | fixme | dummy.* | fake.* | example[_-].* | (?:abc|123|abcd|abc123|1234567890)"""
)


@check
def in_settings(evidence: Evidence) -> Iterator[Finding]:
    """A setting or constant for the credential still holds the example's text."""
    if not troubled(evidence):
        return
    seen = 0
    for text in evidence.texts:
        if text.kind not in ("settings", "code"):
            continue
        for match in _ASSIGNED.finditer(text.content, 0, LOOKED_AT):
            value = match.group(2).strip().strip(_QUOTES)
            weight = _assigned(value)
            if weight and not re.search(
                r"url|uri|path|file|name$|type|expir|header|prefix|length", match.group(1), re.I
            ):
                seen += 1
                at = Where.of(text.source.at(text.line_at(match.start())), field=match.group(1)[-60:])
                more = (
                    5.0 if seen > 2 else 3.0 if seen > 1 else 0.0
                )  # several at once are an untouched example
                says = f"{match.group(1)[-60:]} still holds example text, not a credential."
                yield _finding("example-in-settings", says, weight + more, at)


def _assigned(value: str) -> float:
    """How strongly a configured value looks like an example; 0 for what may be a secret."""
    core = re.sub(r"^(?:Bearer|Basic|Token) ", "", value).strip(_QUOTES)
    if not core or "(" in core or len(core) > 120:
        return 0.0
    if re.fullmatch(r"[xX]{6,}(?:[-_][xX]+)*|[xX]+(?:[-_][xX]+)+", core):
        return 9.0
    if re.fullmatch(r"[*\u2022.]+", core):
        return 0.0
    return 13.0 if _EXAMPLE.fullmatch(core) and not core.isdigit() else 0.0


_ECHO = lazy(
    r"(?:incorrect|invalid) api[- ]?key(?: provided)?: *(?P<key>[^\s,}]+)|Permission denied for key (?P<other>\S+)",
    re.I,
)


@check
def echoed(evidence: Evidence) -> Iterator[Finding]:
    """The service quotes the key (with its middle masked): is it a key at all, and the one that is configured?"""
    found = anywhere(evidence, _ECHO.pattern)
    if not found:
        return
    key, at = (found[0].group("key") or found[0].group("other") or ""), Where.of(found[1])
    core = key.strip("'`.")
    if core[:1] == '"':
        says = "The service quotes the key back with quotes round it: they are part of what was sent."
        weights = {"malformed-authorization": 19.0, "mangled-in-config": 10.0, "wrong-password": -5.0}
        yield Finding("echo-quoted", says, weights, at, group="echo")
    elif re.match(
        r"(?:\$|\{|<|%|your|my[_-]|undefined|null|none|xxx|sk-x|insert|bearer|api|token)", core, re.I
    ) or re.fullmatch(r"[A-Z][A-Z]+_[A-Z_*]+", core):
        says = "The service quotes the key back: it is a name or an example, not a key."
        yield _finding("echo-placeholder", says, 24.0, at)
    else:
        yield from _echoed_other(evidence, core, at)


_NAMED = lazy(
    r"^[ \t]*(?:export |set |- )?[\"']?([A-Za-z_][\w.]*(?:key|token|secret)\w*)[\"']?[ \t]*[:=][ \t]*[\"']?([^\s\"']{4,})",
    re.I | re.M,
)


def _echoed_other(evidence: Evidence, key: str, at: Where) -> Iterator[Finding]:
    """The key that was sent stands under another name than the one that the program is given."""
    head = re.split(r"[*\u2022.]", key)[0]
    pairs = {name: value for t in evidence.texts for name, value in _NAMED.findall(t.content)}
    sent_as = [name for name, value in pairs.items() if len(head) > 3 and value.startswith(head)]
    others = [name for name in pairs if name not in sent_as]
    if (
        len(head) > 3
        and others
        and (sent_as or any(not v.startswith(("$", "*", "<")) for v in pairs.values()))
    ):
        says = "The key that the service quotes back is not the one that is configured for it."
        yield Finding(
            "echo-other-key", says, {"credentials-overridden": 18.0, "wrong-password": -4.0}, at, group="echo"
        )


# What a job or a program says when a variable is not there → weights. Regular expressions, one line each.
_ABSENT: tuple[tuple[str, str, Mapping[str, float]], ...] = (
    (
        r"^\s*(?:(?-i:[A-Z][A-Z0-9_]*(?:TOKEN|KEY|SECRET|PASSWORD|PAT|AUTH))|(?:github-)?token|api-?key):[ \t]*$"
        r"(?=[\s\S]{0,2000}(?:401|unauthori|bad credentials|forbidden))",
        "A variable for the credential is printed empty in the job's log.",
        {"placeholder-credential": 12.0, "client-config-not-loaded": 12.0},
    ),
    (
        r"\b(?:pull requests?|PRs?|builds?|runs?|workflows?|jobs?|branches)\b[^.\n]{0,60}\b(?:from|in|of|on|by|opened by|that)\b"
        r"[^.\n]{0,30}\b(?:forks?|forked|dependabot|renovate|contributors?)\b|\b(?:dependabot|fork(?:ed)?)\b[^.\n]{0,40}"
        r"\b(?:PRs?|pull requests?)\b",
        "It concerns runs from forks or of Dependabot, which are given no secrets.",
        {"client-config-not-loaded": 22.0, "placeholder-credential": 17.0, "wrong-password": -8.0},
    ),
    (
        r"protected (?:variable|branch|environment|tag)|(?:variable|secret)s? (?:is|are) (?:marked |set (?:as|to) )?protected"
        r"|environment secrets?\b|secrets?: inherit|reusable workflow",
        "The secret is limited to protected branches, an environment or the calling workflow.",
        {"client-config-not-loaded": 11.0, "placeholder-credential": HINT},
    ),
    (
        r"docker[^\n]*--env-file|systemd|crontab|\bcron\b|\bsudo\b[^\n]*(?:env|variable)|env_reset",
        "The program runs where the shell's variables may not reach it.",
        {"client-config-not-loaded": FAINT, "placeholder-credential": 2.0},
    ),
)


@check
def not_given(evidence: Evidence) -> Iterator[Finding]:
    """The job or process is not given the secret."""
    if not troubled(evidence):
        return
    for pattern, says, weights in _ABSENT:
        found = next(every(evidence, pattern), None)
        if found:
            yield Finding("secret-not-given", says, weights, found[1])


_READS = lazy(
    r"process\.env\.([A-Z][A-Z0-9_]+)|process\.env\[['\"]([A-Z0-9_]+)|os\.environ(?:\.get\(|\[)['\"]([A-Z0-9_]+)"
    r"|os\.getenv\(['\"]([A-Z0-9_]+)|getenv\(['\"]([A-Z0-9_]+)|ENV\[['\"]([A-Z0-9_]+)|env\(['\"]([A-Z0-9_]+)"
    r"|Environment\.GetEnvironmentVariable\(\"([A-Z0-9_]+)|import\.meta\.env\.([A-Z][A-Z0-9_]+)"
)
_DEFINES = lazy(r"^[ \t]*(?:export |set |SET |\$env:|- )?([A-Z][A-Z0-9_]{3,})[ \t]*[=:]", re.M)
_SECRET_NAME = lazy(r"TOKEN|KEY|SECRET|PASS|PAT\b|AUTH|CRED|JWT|USER")


@check
def variable_names(evidence: Evidence) -> Iterator[Finding]:
    """The code reads one variable, and the environment given defines only others like it."""
    reads = {n for t in evidence.texts if t.kind == "code" for g in _READS.findall(t.content) for n in g if n}
    reads = {name for name in reads if _SECRET_NAME.search(name)}
    files = [t for t in evidence.texts if t.kind == "settings" or ".env" in t.source.name]
    defined = {name for text in files for name in _DEFINES.findall(text.content)}
    missing = {name for name in reads if name not in defined}
    alike = {d for d in defined if _SECRET_NAME.search(d)}
    if reads and missing == reads and alike and troubled(evidence):
        one, other = sorted(missing)[0], sorted(alike)[0]
        says = f"The code reads {one}, and the environment given defines {other} instead."
        weights = {
            "client-config-not-loaded": STRONG,
            "placeholder-credential": CLEAR,
            "no-credentials": HINT,
        }
        yield Finding("variable-name-differs", says, weights, Where.of(files[0].source))
