"""What was offered, gathered from wherever it stands: exchanges, header lines, commands, settings and code.

A helper of the checks of the families `credentials` and `clients`; it yields no findings itself. The same
value may stand in a transcript, a log and a command; what matters is *how it was seen*, for `$TOKEN` on the
wire is a fault, and in double quotes in a shell it is how one does it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from why401.evidence import Evidence, Exchange, Source, Text
from why401.findings import Where
from why401.prefilter import lazy
from why401.protocol import challenges, credentials

Seen = Literal["wire", "single", "double", "code"]

AUTHORIZATION = ("authorization", "proxy-authorization")

# A header line as a transcript, `curl -v`, a proxy or a log writes it.
_LINE = lazy(r"^[ \t]*(?:[<>*|][ \t])?[ \t]*((?:proxy-)?authorization)[ \t]*:[ \t]?(.*)$", re.I | re.M)
# The same in a JSON dump of headers.
_JSON = lazy(r'"((?:proxy-)?authorization)"\s*:\s*\[?\s*"((?:[^"\\\n]|\\.)*)"', re.I)
# Headers that only a request that was sent has: a dump, not a setting.
_DUMP = lazy(r'"(?:user-agent|content-length|host|connection)"\s*:', re.I)
_OPTION = lazy(
    r"""(?:-H|--header|-Headers?)[ =]?(["'])[ \t]*((?:proxy-)?authorization)[ \t]*:[ \t]*(.*?)\1""", re.I
)
_CHALLENGE_LINE = lazy(
    r"^[ \t]*(?:[<>*|][ \t])?[ \t]*(?:www|proxy)-authenticate[ \t]*:[ \t]*(.+)$", re.I | re.M
)
_REFUSED = lazy(
    r"\b(?:401|403|407)\b|unauthori[sz]ed|not authori[sz]ed|forbidden|authenticat|log ?in|api[ _-]?key|denied"
    r"|credential|(?:invalid|expired|bad|missing|wrong|incorrect|refused|rejected|unknown)\b[^.\n]{0,25}"
    r"\b(?:token|key|user|password|signature|session)|no token",
    re.I,
)

# How people blank a credential before they post it. Such a value says nothing of what was sent.
REDACTED = lazy(
    r"\*{2,}|[\u2022\u25cf\u2588]|\u2026|\.{3}|\bx{3,}|\bX{3,}|x{4,}|X{4,}|redacted|masked|hidden|removed|omitted"
    r"|[<\[(](?:the |my |same |a |valid |access |id |jwt |bearer |api |long )*"
    r"(?:token|key|secret|password|pass|jwt|base64|b64|credential|value|string|snip)[^>\])]*[>\])]"
    r"|[<\[(][^>\])]*\b(?:my|your|same|here|snip)\b[^>\])]*[>\])]",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Sent:
    """One Authorization value: where and how it was seen, how the server answered it."""

    name: str
    value: str
    where: Where
    seen: Seen
    exchange: Exchange | None = None

    @property
    def parsed(self) -> credentials.Credentials:
        return credentials.parse(self.value)

    @property
    def refused(self) -> bool:
        return self.exchange is None or self.exchange.status is None or self.exchange.refused

    @property
    def redacted(self) -> bool:
        return bool(REDACTED.search(self.value))

    @property
    def asked(self) -> tuple[challenges.Challenge, ...]:
        """The challenges in the answer to it."""
        return asked(self.exchange) if self.exchange else ()


def asked(exchange: Exchange) -> tuple[challenges.Challenge, ...]:
    """The challenges of a response: those of the origin, or for a 407 those of the proxy."""
    if exchange.response is None:
        return ()
    name = "proxy-authenticate" if exchange.status == 407 else "www-authenticate"
    return challenges.parse(exchange.response.fields.all(name)).challenges


def asked_anywhere(evidence: Evidence) -> tuple[challenges.Challenge, ...]:
    """Every challenge of a refused exchange, or where no exchange was read, of any header line."""
    found = [challenge for exchange in evidence.refused for challenge in asked(exchange)]
    if not found:
        lines = [
            m.group(1)
            for text in evidence.texts
            for m in _CHALLENGE_LINE.finditer(text.content, 0, LOOKED_AT)
        ]
        found = list(challenges.parse(lines).challenges)
    return tuple(found)


def troubled(evidence: Evidence) -> bool:
    """Is there any sign of a refusal at all? Settings that nobody complains about are not examined."""
    return bool(evidence.refused) or any(
        _REFUSED.search(text.content, 0, LOOKED_AT) for text in evidence.texts
    )


def sent(evidence: Evidence) -> tuple[Sent, ...]:
    """Every Authorization value that is offered, each value once; those of a success are left out."""
    good = {
        value for x in evidence.succeeded for name in AUTHORIZATION for value in x.request.fields.all(name)
    }
    held: dict[tuple[str, str], Sent] = {}
    # The same value may stand in a setting and on the wire: what was sent says more.
    found = sorted((*_of_exchanges(evidence), *_of_texts(evidence)), key=lambda one: one.seen == "code")
    for one in found:
        key = (one.name, one.value.strip())
        if one.value not in good and key not in held:
            held[key] = one
    return tuple(held.values())


def _of_exchanges(evidence: Evidence) -> Iterator[Sent]:
    for exchange in evidence.exchanges:
        for name in AUTHORIZATION:
            for value in exchange.request.fields.all(name):
                yield Sent(name, value, Where.at(exchange, name.title()), _how(evidence, value), exchange)


def _of_texts(evidence: Evidence) -> Iterator[Sent]:
    for text in evidence.texts:
        for match in _OPTION.finditer(text.content, 0, LOOKED_AT):
            how: Seen = "single" if match.group(1) == "'" else "double"
            yield Sent(match.group(2).lower(), match.group(3), _at(text, match), how)
        dump = bool(_DUMP.search(text.content))
        plain = text.kind not in ("code", "settings")
        for match in _LINE.finditer(text.content, 0, LOOKED_AT) if plain else ():
            yield Sent(match.group(1).lower(), match.group(2), _at(text, match), "wire")
        for match in _JSON.finditer(text.content, 0, LOOKED_AT) if text.kind != "code" else ():
            yield Sent(
                match.group(1).lower(), match.group(2), _at(text, match), "wire" if plain or dump else "code"
            )


def _at(text: Text, match: re.Match[str]) -> Where:
    return Where.of(text.source.at(text.line_at(match.start())), field="Authorization")


def _how(evidence: Evidence, value: str) -> Seen:
    """How an exchange's value stands in the text it was read from."""
    for text in evidence.texts:
        at = text.content.find(value) if value.strip() else -1
        if at < 0:
            continue
        before = text.content[text.content.rfind("\n", 0, at) + 1 : at]
        if re.search(r"curl|-H\b|--header|-u\b|--user", before):
            quote = max(before.rfind("'"), before.rfind('"'))
            return "single" if quote >= 0 and before[quote] == "'" else "double"
        return "code" if text.kind in ("code", "settings") else "wire"
    return "wire"


#: How much of one text the patterns of these families look at. What a client offers stands in a few lines;
#: the patterns are many, and some look far ahead, so a log of megabytes must not be run through all of them.
LOOKED_AT = 120_000


def anywhere(evidence: Evidence, pattern: str) -> tuple[re.Match[str], Source] | None:
    """The first match in any text, of what was given or of a response, with its source."""
    for text in evidence.searchable:
        match = text.find(pattern, stop=LOOKED_AT)
        if match:
            return match, text.source.at(text.line_at(match.start()))
    return None


def where(evidence: Evidence, pattern: str, flags: int = re.IGNORECASE) -> tuple[re.Match[str], Where] | None:
    """The first match in what was given (not in responses), with its place."""
    for text in evidence.texts:
        match = text.find(pattern, flags, LOOKED_AT)
        if match:
            return match, Where.of(text.source.at(text.line_at(match.start())))
    return None


def every(
    evidence: Evidence, pattern: str, flags: int = re.IGNORECASE | re.M
) -> Iterator[tuple[re.Match[str], Where]]:
    """Every match in what was given, with its place."""
    for text in evidence.texts:
        for match in text.find_all(pattern, flags, LOOKED_AT):
            yield match, Where.of(text.source.at(text.line_at(match.start())))


def place(source: Source) -> Where:
    """The place of a setting, offer or demand."""
    return Where.of(source)
