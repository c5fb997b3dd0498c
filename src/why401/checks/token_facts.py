"""What the evidence says about tokens: those that stand in it, what is demanded of them, and when.

A token may stand as it was sent, as a decoded object that somebody pasted, or with its head alone
(`eyJhbGciOi...`). Demands come from the readers and, by the names of the settings, from the text itself.
"""

# Patterns and sentences are read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property

from why401.evidence import Evidence, Text
from why401.findings import Where
from why401.prefilter import lazy
from why401.protocol.jwt import Jwt, decode, find

_PARTIAL = lazy(r"(?<![\w.-])(eyJ[\w-]{12,})(?=\.|\u2026|\s|\"|'|$)")
_OBJECT = lazy(r"\{[^{}]{8,4000}\}")
_LINES = lazy(
    r"^[ \t>*-]*[\"'`]?(iss|aud|alg|kid|token_use)[\"'`]?[ \t]*[:=][ \t]*[\"'`]?([^\s\"'`,]+)", re.M
)
_SENT = lazy(r"(?:Bearer|JWT|Token|DPoP)[\s\"':+]*$|Authorization[\"']?\s*[:=]\s*[\"']?$", re.I)
_HTTP_DATE = lazy(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")
_ISO = lazy(r"^\W{0,2}(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)", re.M)
_ALG = r"(?:HS|RS|ES|PS)(?:256|384|512)|EdDSA"
_END = r"[\"']?\s*(?:[:=,(]|=>)+\s*\[?\s*[\"']?"
_VALUE = r"(?P<value>[^\s\"'`,;()<>\[\]{}]{3,200})"

#: Settings and options by which a receiver says what it wants of a token; the value stands after the name.
_DEMANDS: tuple[tuple[str, str], ...] = (
    ("issuer", rf"\b(?:valid|required|expected|allowed|trusted|token|jwt|oidc)?[-_.]?(?:verify[-_.])?issuers?(?:[-_.]?(?:ur[il]))?{_END}{_VALUE}"),
    ("authority", rf"\b(?:authority|auth[-_]server[-_]url|issuerBaseURL|issuer_base_url|oidc[-_]discovery[-_]url|realm[-_]?url){_END}{_VALUE}"),
    ("audience", rf"\b(?:valid|required|expected|allowed|token|jwt|oidc|api)?[-_.]?audiences?{_END}{_VALUE}"),
    ("algorithm", rf"\b(?:jwt[-_]?|jws[-_]?|sign(?:ing|ature)?[-_]?)?alg(?:orithm)?s?{_END}(?P<value>{_ALG})"),
    ("algorithm", rf"(?:SignatureAlgorithm|JWSAlgorithm|SecurityAlgorithms|Algorithm|SigningMethod)[.:]+(?P<value>{_ALG})"),
)  # fmt: skip
_COMPILED = tuple((respect, lazy(pattern, re.I)) for respect, pattern in _DEMANDS)
_RESPECTS = {"issuer": "issuer", "iss": "issuer", "audience": "audience", "aud": "audience", "algorithm": "algorithm", "alg": "algorithm"}  # fmt: skip


@dataclass(frozen=True)
class Token:
    """A token of the evidence. `raw` is empty where only its decoded content stands there."""

    jwt: Jwt
    where: Where
    raw: str = field(default="", repr=False)
    sent: bool = False

    @property
    def issuer(self) -> str | None:
        iss = self.jwt.claims.get("iss")
        return iss if isinstance(iss, str) else None

    @property
    def kid(self) -> str | None:
        kid = self.jwt.header.get("kid")
        return kid if isinstance(kid, str) else None


@dataclass(frozen=True)
class Wanted:
    """One demand: `respect` is issuer, authority (the issuer's base URL), audience or algorithm."""

    respect: str
    value: str
    where: Where


class Facts:
    """The facts of one Evidence, each worked out once and only when asked for."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        seen: dict[object, Token] = {}
        for text in self.evidence.searchable:
            for token in _tokens_of(text):
                key = token.raw or json.dumps(
                    [token.jwt.header, token.jwt.claims], sort_keys=True, default=str
                )
                if key not in seen or (token.sent and not seen[key].sent):
                    seen[key] = token
        return tuple(seen.values())

    @cached_property
    def offered(self) -> tuple[Token, ...]:
        """The tokens that were sent where the evidence shows which, else all of them."""
        usable = tuple(t for t in self.tokens if t.jwt.header.get("typ") != "dpop+jwt")
        return tuple(t for t in usable if t.sent) or usable

    @cached_property
    def wanted(self) -> tuple[Wanted, ...]:
        found: dict[tuple[str, str], Wanted] = {}
        for demand in self.evidence.demands:
            respect = _RESPECTS.get(demand.respect)
            if respect and demand.value and not re.search(r"\$\{|\{\{|process\.env", demand.value):
                found.setdefault(
                    (respect, demand.value), Wanted(respect, demand.value, Where.of(demand.source))
                )
        for text in self.evidence.texts:
            for one in _wanted_in(text):
                found.setdefault((one.respect, one.value), one)
        pasted = {
            (token.where.source, value)
            for token in self.tokens
            if not token.raw
            for value in (token.issuer or "", token.jwt.algorithm or "", *token.jwt.audiences)
        }  # a decoded token is an offer, not a demand
        return tuple(one for one in found.values() if (one.where.source, one.value) not in pasted)

    def wants(self, *respects: str) -> list[Wanted]:
        return [one for one in self.wanted if one.respect in respects]

    @cached_property
    def moments(self) -> tuple[datetime, ...]:
        """When the refusals happened, by the evidence's own dates: the Date of answers before log stamps."""
        found = [
            d for x in self.evidence.refused if x.response and (d := _date(x.response.fields.get("date")))
        ]
        for text in self.evidence.texts:
            if text.kind != "code":
                found += [d for m in _HTTP_DATE.findall(text.content[:200000])[:50] if (d := _date(m))]
        if not found:
            found = [x.time for x in self.evidence.refused if x.time]
        if not found:
            found = [r.time for r in self.evidence.records if r.time and r.status in (None, 401, 403)][-50:]
        if not found:
            found = [
                d for t in self.evidence.texts if t.kind in ("log", "message", "terminal") for d in _isos(t)
            ]
        return tuple(sorted(d if d.tzinfo else d.replace(tzinfo=UTC) for d in found))

    def says(self, pattern: str) -> Where | None:
        """Where a pattern stands in any text, or None."""
        hit = self.evidence.search(pattern)
        return Where.of(hit[1]) if hit else None


def _date(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text) if text else None
    except ValueError:
        return None


def _isos(text: Text) -> Iterator[datetime]:
    for stamp in _ISO.findall(text.content[:100000])[:50]:
        try:
            yield datetime.fromisoformat(stamp.replace(",", "."))
        except ValueError:
            continue


def _tokens_of(text: Text) -> Iterator[Token]:
    """Whole tokens, then heads of cut ones, then decoded objects."""
    content = text.content[:1_000_000]
    covered: list[tuple[int, int]] = []
    if "eyJ" in content:
        for (start, stop), raw in find(content):
            covered.append((start, stop))
            sent = bool(_SENT.search(content[max(0, start - 40) : start]))
            yield Token(decode(raw), _where(text, start), raw, sent)
        for match in _PARTIAL.finditer(content):
            if not any(start <= match.start() < stop for start, stop in covered):
                jwt = _head(match.group(1))
                if jwt is not None:
                    yield Token(jwt, _where(text, match.start()))
    if text.kind != "code":
        yield from _pasted(text, content)


def _head(part: str) -> Jwt | None:
    """The header of a cut token, as far as its members can be read."""
    for cut in range(len(part), max(len(part) - 4, 8), -1):
        jwt = decode(part[:cut] + ".e30.x")
        if jwt.header:
            return Jwt(jwt.header, {}, 3, 0)
    return None


def _pasted(text: Text, content: str) -> Iterator[Token]:
    """Decoded tokens: flat JSON objects with registered claims or a header, or `iss: ...` lines."""
    found = False
    for match in _OBJECT.finditer(content):
        block = match.group()
        if not re.search(r"\"(?:iss|aud|exp|iat|alg|token_use)\"", block) or '"kty"' in block:
            continue
        try:
            obj = json.loads(re.sub(r"//[^\n\"]*\n", "\n", block))
        except ValueError:
            continue
        if "alg" in obj and ("typ" in obj or "kid" in obj) and "iss" not in obj:
            yield Token(Jwt(obj, {}, 3, 0), _where(text, match.start()))
        elif {"iss", "aud", "exp"} & obj.keys() and len({"iss", "aud", "exp", "iat", "sub"} & obj.keys()) > 1:
            yield Token(Jwt({}, obj, 3, 0), _where(text, match.start()))
            found = True
    if not found and text.kind in ("message", "terminal", "log", "body"):
        lines = {name.lower(): (value, at) for name, value, at in _claim_lines(content)}
        claims = {k: v for k, (v, _) in lines.items() if k in ("iss", "aud", "token_use")}
        header = {k: v for k, (v, _) in lines.items() if k in ("alg", "kid")}
        if claims:
            yield Token(Jwt(header, dict(claims), 3, 0), _where(text, min(at for _, at in lines.values())))


def _claim_lines(content: str) -> Iterator[tuple[str, str, int]]:
    for match in _LINES.finditer(content):
        yield match.group(1), match.group(2), match.start()


def _wanted_in(text: Text) -> Iterator[Wanted]:
    if not re.search(r"issuer|audience|authority|auth.server.url|alg", text.content, re.I):
        return
    for respect, pattern in _COMPILED:
        for match in pattern.finditer(text.content[:300000]):
            value = match.group("value").strip("\\")
            if _plausible(respect, value, text):
                yield Wanted(respect, value, _where(text, match.start()))


def _plausible(respect: str, value: str, text: Text) -> bool:
    if respect in ("issuer", "authority"):
        return bool(re.match(r"https?://[^${%]+$", value)) or (
            text.kind in ("settings", "code")
            and bool(re.fullmatch(r"[a-z][\w-]*(?:\.[\w-]+)*", value))
            and "." in value
            and not re.search(r"config|settings|options|env|process|this|self|issuer", value, re.I)
        )
    if respect == "audience":
        return bool(
            re.match(
                r"(?:https?|api|urn)[:/]|[0-9a-f]{8}-[0-9a-f]{4}-|[\w.-]+\.[a-z]{2,}$|[a-z][\w-]*-[\w-]+$",
                value,
            )
        ) and not re.search(
            r"\$\{|process\.env|config\.|settings\.|options\.|^self\.|^this\.|^builder|^env", value
        )
    return True


def _where(text: Text, offset: int) -> Where:
    return Where.of(text.source.at(text.line_at(offset)))
