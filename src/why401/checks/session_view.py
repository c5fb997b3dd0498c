"""What the checks of sessions look at: the cookies that were set and sent, wherever they stand.

Readers make exchanges of what has the form of a message. A `Set-Cookie:` line in loose notes is taken too,
with the URL or Host that stands nearest before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from why401.evidence import Evidence, Exchange, Source
from why401.findings import Where
from why401.prefilter import lazy
from why401.protocol import cookies

#: Names that login sessions go by; other cookies (preferences, statistics) cause no 401.
SESSION_NAME = lazy(
    r"sess|sid\b|^sid|auth|token|jwt|login|logged|identity|connect\.|remember|user|access|credential|cookie$|ticket",
    re.I,
)
_ASIDE = lazy(r"csrf|xsrf|^_ga|^_gid|theme|locale|lang|consent|affinity|^AWSALB|^__cf|^GCLB|route$", re.I)

_SET_COOKIE = lazy(r"(?:^|[\s<>|\"'*])set-cookie\s*:\s*(?P<value>[^\s=;,]+=[^\n\r]*)", re.I)
_PLACE = lazy(r"(?P<url>https?://[^\s\"'<>)\\]+)|(?:^|\n)[\s<>*|]*host\s*:\s*(?P<host>[\w.:\[\]-]+)", re.I)
_NOW = datetime(2026, 1, 1, tzinfo=UTC)  # where no time is known; only lifetimes would differ


@dataclass(frozen=True, slots=True)
class Handed:
    """A Set-Cookie value, and the URL that gave it (None where the evidence does not tell)."""

    value: str
    url: str | None
    where: Where
    exchange: Exchange | None = None

    @property
    def parsed(self) -> cookies.SetCookie:
        return cookies.parse_set_cookie(self.value)


def is_session_name(name: str) -> bool:
    return bool(SESSION_NAME.search(name)) and not _ASIDE.search(name)


def handed_out(evidence: Evidence) -> Iterator[Handed]:
    """Every Set-Cookie of the evidence, each once, in order."""
    seen: set[str] = set()
    for exchange in evidence.exchanges:
        for value in exchange.response.fields.all("set-cookie") if exchange.response else ():
            seen.add(value.strip())
            yield Handed(value, url_of(exchange, evidence), Where.at(exchange, "Set-Cookie"), exchange)
    for text in evidence.texts:
        for match in _SET_COOKIE.finditer(text.content[:200_000]):
            value = match["value"].strip().rstrip("\"'\\")
            if not any(value in known or known in value for known in seen):
                seen.add(value)
                source = text.source.at(text.line_at(match.start()))
                url = _nearest_url(text.content, match.start())
                yield Handed(value, _with_scheme(url, evidence) if url else None, Where.of(source))


def _nearest_url(content: str, end: int) -> str | None:
    """The URL, or the host, that stands last before an offset. Another message's URL may not lie between."""
    found = None
    for match in _PLACE.finditer(content, max(0, end - 1200), end):
        before = content[max(0, match.start() - 30) : match.start()].lower()
        if not before.rstrip().endswith(("origin:", "referer:", "allow-origin:", "location:")):
            found = match
    if found is None:
        return None
    return found["url"] or f"?://{found['host']}/"


def url_of(exchange: Exchange, evidence: Evidence) -> str | None:
    """The URL of an exchange with its scheme, which is `?` where the evidence does not tell it."""
    url = exchange.request.url or "/"
    if re.match(r"https?://", url, re.I):
        return url
    host = exchange.request.host
    if not host:
        return None
    path = url if url.startswith("/") else "/"
    return f"{scheme_of(host, exchange, evidence)}://{host}{path}"


def scheme_of(host: str, exchange: Exchange, evidence: Evidence) -> str:
    """http or https for a host, from what the evidence says; `?` where it says nothing or both."""
    if exchange.request.split.scheme in ("http", "https"):
        return exchange.request.split.scheme
    for name in ("origin", "referer"):
        parts = urlsplit(exchange.request.fields.get(name) or "")
        if parts.netloc == host and parts.scheme in ("http", "https"):
            return parts.scheme
    said = _schemes_said(host, evidence)
    if said != "?":
        return said
    version = exchange.request.version or (exchange.response.version if exchange.response else "") or ""
    return "https" if re.search(r"[/ ](2|3)\b", version) else "?"


def lenient(url: str) -> str:
    """A URL to judge by when the scheme is unknown: https, under which nothing is refused for its scheme."""
    return "https" + url[1:] if url.startswith("?") else url


def _schemes_said(host: str, evidence: Evidence) -> str:
    """The scheme that the texts give to a host (with its port), where they agree; else `?`."""
    if host.endswith(":443"):
        return "https"
    said = {
        match[1].lower()
        for text in evidence.texts
        for match in re.finditer(rf"(https?)://{re.escape(host)}(?![\w.:-])", text.content, re.I)
    }
    return said.pop() if len(said) == 1 else "?"


def _with_scheme(url: str, evidence: Evidence) -> str:
    """A URL whose scheme is unknown, with that of the texts."""
    return _schemes_said(url[4:].rstrip("/"), evidence) + url[1:] if url.startswith("?") else url


def origin_of(exchange: Exchange) -> str | None:
    """The page that made the request, from Origin or Referer."""
    value = exchange.request.fields.get("origin") or exchange.request.fields.get("referer")
    return value if value and value.startswith(("http://", "https://")) else None


def clock(exchange: Exchange | None) -> datetime:
    """The time to judge lifetimes by."""
    time = exchange.time if exchange else None
    return time if time and time.tzinfo else _NOW


def sent(exchange: Exchange) -> cookies.CookieHeader:
    """The cookies that a request carried."""
    return cookies.parse_cookie("; ".join(exchange.request.fields.all("cookie")))


def place(source: Source) -> Where:
    return Where.of(source)
