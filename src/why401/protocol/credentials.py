"""Credentials: the value of Authorization or Proxy-Authorization (RFC 9110, section 11.4).

    credentials = auth-scheme [ 1*SP ( token68 / #auth-param ) ]

People and programs write this value by hand, so most of this module is about the ways it goes wrong.
`parse` reads what is there; each departure is a `Problem` whose `kind` is a key of `KINDS`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from why401.prefilter import Lazy, lazy

from .challenges import KNOWN_SCHEMES, unquote
from .placeholders import MEANINGS, placeholder
from .problems import Problem, Span

__all__ = ["CANONICAL", "KINDS", "Credentials", "parse", "placeholder"]

KINDS: dict[str, str] = {
    "empty": "The value is empty.",
    "no-scheme": "No scheme stands before the token.",
    "bare-jwt": "A JWT stands alone: the scheme (usually Bearer) is missing.",
    "scheme-only": "The scheme is there, but nothing follows it.",
    "doubled-scheme": "Two schemes stand one after the other.",
    "missing-space": "No space parts the scheme from what follows.",
    "separator-after-scheme": "A colon, comma or equals sign follows the scheme; only a space may.",
    "several-spaces": "More than one space follows the scheme; some servers split at the first.",
    "field-name-in-value": "The name of the field is part of its value.",
    "quoted": "Quotes stand round the value and are sent with it.",
    "smart-quotes": "Typographic quotes are part of the value.",
    "leading-whitespace": "White space stands before the value.",
    "trailing-whitespace": "White space stands after the value.",
    "inner-whitespace": "White space stands within the token.",
    "line-break": "A line break is part of the value.",
    "control-character": "A control character is part of the value.",
    "invisible-character": "A character that cannot be seen is part of the value.",
    "non-ascii": "The value has characters outside ASCII.",
    "percent-encoded": "The value is percent-encoded; header fields are not decoded.",
    "token-parameter": "The token is written token=...: Rails reads that, most other servers do not.",
    "two-credentials": "Two credentials are joined by a comma; a request may carry only one.",
    "placeholder": "The credential is a placeholder.",
}

# How the scheme is usually written: it ignores case, but not every server knows that.
CANONICAL: dict[str, str] = {
    "basic": "Basic",
    "bearer": "Bearer",
    "digest": "Digest",
    "negotiate": "Negotiate",
    "ntlm": "NTLM",
    "dpop": "DPoP",
    "token": "Token",
    "oauth": "OAuth",
    "hawk": "Hawk",
    "apikey": "ApiKey",
    "aws4-hmac-sha256": "AWS4-HMAC-SHA256",
}
# Schemes whose credentials are parameters; after every other scheme stands one token.
_WITH_PARAMS = frozenset(
    {"digest", "oauth", "hawk", "aws4-hmac-sha256", "signature", "mutual", "vapid", "hoba"}
)
_ONE_TOKEN = ("basic", "bearer", "token", "dpop", "jwt", "negotiate", "ntlm", "apikey")

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
_SCHEME = lazy(rf"({_TOKEN}+)([ \t]+|\Z)")
_TOKEN68 = lazy(r"[A-Za-z0-9\-._~+/]++=*+")
_PARAM = lazy(rf'[ \t,]*+({_TOKEN}++)[ \t]*+=[ \t]*+("(?:[^"\\]|\\.)*+"|[^,]*+)', re.S)
_JWT = lazy(r"eyJ[A-Za-z0-9_-]{4,}+\.[A-Za-z0-9_-]*+\.[A-Za-z0-9_-]*+")
_FIELD = lazy(r"(?i:(?:proxy-)?authorization)[ \t]*[:=][ \t]*")
_SEPARATED = lazy(r"(?i:(" + "|".join(_ONE_TOKEN) + r"))[ \t]*([:=,])[ \t]*(?=\S)")
_GLUED = lazy(r"(?i:(bearer|basic|token))(?=eyJ|%20|\+ey)|(?i:(bearer|basic))(?=[A-Za-z0-9+/_-]{12,}+=*\Z)")
_SECOND = lazy(rf",[ \t]*+((?i:basic|bearer|digest|token|negotiate|ntlm|dpop))[ \t]++(?={_TOKEN})")
_PERCENT = lazy(r"%(?:20|22|25|2[0BFbf]|3[ADad]|0[AaDd]|40)")
_QUOTES = "\"'"

# The same character may arrive as itself or as UTF-8 octets read as Latin-1.
_STRAY: tuple[tuple[str, Lazy], ...] = (
    ("line-break", lazy(r"\r\n|\r|\n|\\r\\n|\\n(?=\Z)")),
    ("control-character", lazy(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")),
    (
        "invisible-character",
        lazy(
            "\u00ef\u00bb\u00bf|\u00c2\u00a0|\u00e2\u0080[\u008b-\u008f\u00a8\u00a9\u00aa-\u00ae\u00af]"
            "|[\u00a0\u00ad\u061c\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]"
        ),
    ),
    ("smart-quotes", lazy("\u00e2\u0080[\u0098-\u009f]|[\u2018-\u201f\u00ab\u00bb\u2039\u203a]")),
)
_NON_ASCII = lazy(r"[^\x00-\x7f]+")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What one Authorization value holds. `rest` is all that follows the scheme, as sent."""

    scheme: str | None
    token68: str | None
    params: dict[str, str]
    rest: str
    problems: tuple[Problem, ...] = ()
    rest_span: Span = (0, 0)
    param_spans: dict[str, Span] = field(default_factory=dict)

    @property
    def name(self) -> str | None:
        return self.scheme.lower() if self.scheme is not None else None

    @property
    def canonical_case(self) -> bool:
        """Is the scheme written as in its RFC? Legal either way, but some servers compare exactly."""
        return self.scheme is None or CANONICAL.get(self.scheme.lower(), self.scheme) == self.scheme

    def has(self, kind: str) -> bool:
        return any(problem.kind == kind for problem in self.problems)


def parse(value: str) -> Credentials:
    """Read one Authorization or Proxy-Authorization value."""
    problems = list(_strays(value))
    text, offset = _trimmed(value, problems)
    if not text:
        return Credentials(None, None, {}, "", (Problem("empty", (0, len(value)), KINDS["empty"]), *problems))
    text, offset = _unwrapped(text, offset, problems)
    scheme, start = _scheme(text, offset, problems)
    rest = text[start:]
    span = (offset + start, offset + len(text))
    params, spans = _params(rest, span[0]) if scheme and scheme.lower() in _WITH_PARAMS else ({}, {})
    token68 = rest if not params and _TOKEN68.fullmatch(rest) else None
    if not params:
        problems += _token_problems(scheme, rest, span)
    return Credentials(scheme, token68, params, rest, tuple(problems), span, spans)


def _problem(kind: str, start: int, end: int, says: str = "") -> Problem:
    return Problem(kind, (start, end), says or KINDS[kind])


def _strays(value: str) -> Iterator[Problem]:
    """Characters that no credential has; the longest explanation first, each place reported once."""
    seen: set[int] = set()
    for kind, pattern in _STRAY:
        for match in pattern.finditer(value):
            seen.update(range(*match.span()))
            yield _problem(kind, *match.span(), says=_names(kind, match.group()))
    for match in _NON_ASCII.finditer(value):
        if not seen.issuperset(range(*match.span())):
            yield _problem("non-ascii", *match.span())


def _names(kind: str, text: str) -> str:
    points = " ".join(f"U+{ord(c):04X}" for c in text)
    return f"{KINDS[kind][:-1]} ({points})."


def _trimmed(value: str, problems: list[Problem]) -> tuple[str, int]:
    text = value.strip(" \t\r\n")
    start = len(value) - len(value.lstrip(" \t\r\n")) if text else 0
    if text and start:
        problems.append(_problem("leading-whitespace", 0, start))
    if text and start + len(text) < len(value):
        problems.append(_problem("trailing-whitespace", start + len(text), len(value)))
    return text, start


def _unwrapped(text: str, offset: int, problems: list[Problem]) -> tuple[str, int]:
    """Take off quotes round the whole value, and a field name before it."""
    for _ in range(2):
        if len(text) > 1 and text[0] in _QUOTES and text[-1] == text[0]:
            problems.append(_problem("quoted", offset, offset + len(text)))
            text, offset = text[1:-1], offset + 1
        if match := _FIELD.match(text):
            problems.append(_problem("field-name-in-value", offset, offset + match.end()))
            text, offset = text[match.end() :], offset + match.end()
    return text, offset


def _scheme(text: str, offset: int, problems: list[Problem]) -> tuple[str | None, int]:
    """The scheme, and where what follows it begins."""
    if match := _SEPARATED.match(text):
        problems.append(_problem("separator-after-scheme", offset + match.start(2), offset + match.end(2)))
        return match.group(1), match.end()
    match = _SCHEME.match(text)
    if match is None or not match.group(2):
        return _without_space(text, offset, problems)
    if len(match.group(2)) > 1 or "\t" in match.group(2):
        problems.append(_problem("several-spaces", offset + match.start(2), offset + match.end(2)))
    return _past_doubled(match.group(1), text, match.end(), offset, problems)


def _past_doubled(
    scheme: str, text: str, start: int, offset: int, problems: list[Problem]
) -> tuple[str | None, int]:
    """`Bearer Bearer x` and `Basic Bearer x`: the outer scheme is what a server reads."""
    while again := _SCHEME.match(text, start):
        if not again.group(2) or again.group(1).lower() not in KNOWN_SCHEMES:
            break
        says = f"{scheme} is followed by a second scheme, {again.group(1)}."
        problems.append(_problem("doubled-scheme", offset + start, offset + again.end(1), says))
        start = again.end()
    return scheme, start


def _without_space(text: str, offset: int, problems: list[Problem]) -> tuple[str | None, int]:
    end = offset + len(text)
    if text.lower() in KNOWN_SCHEMES:
        problems.append(_problem("scheme-only", offset, end))
        return text, len(text)
    if match := _GLUED.match(text):
        problems.append(_problem("missing-space", offset, offset + match.end()))
        return match.group(1) or match.group(2), match.end()
    problems.append(_problem("bare-jwt" if _JWT.fullmatch(text) else "no-scheme", offset, end))
    return None, 0


def _params(rest: str, offset: int) -> tuple[dict[str, str], dict[str, Span]]:
    """Parameters read leniently: AWS and others send values that are no tokens, unquoted."""
    params: dict[str, str] = {}
    spans: dict[str, Span] = {}
    at = 0
    while match := _PARAM.match(rest, at):
        name, value = match.group(1).lower(), match.group(2)
        quoted = value.startswith('"') and value.endswith('"') and len(value) > 1
        params.setdefault(name, unquote(value[1:-1]) if quoted else value.strip())
        spans.setdefault(name, (offset + match.start(1), offset + match.end()))
        at = match.end()
    return params, spans


def _token_problems(scheme: str | None, rest: str, span: Span) -> Iterator[Problem]:
    """What may be wrong with the one token after the scheme."""
    token, start, end = rest, *span
    if second := _SECOND.search(token):
        yield _problem("two-credentials", start + second.start(), start + second.end(1))
        token = token[: second.start()]
        end = start + len(token)
    if scheme is not None and (match := re.match(r"(?i:(?:access_)?token)\s*=\s*", token)):
        yield _problem("token-parameter", start, start + match.end())
        token, start = token[match.end() :], start + match.end()
    kind = placeholder(token)
    if kind is not None:
        yield _problem("placeholder", start, end, f"The credential is {MEANINGS[kind]}.")
        return
    if len(token) > 1 and token[0] in _QUOTES and token[-1] == token[0]:
        yield _problem("quoted", start, end)
    if match := re.search(r"(?<=\S)[ \t]+(?=\S)", token):
        yield _problem("inner-whitespace", start + match.start(), start + match.end())
    if match := _PERCENT.search(token):
        yield _problem("percent-encoded", start + match.start(), start + match.end())
