"""May this answer have come from a cache (RFC 9111)? A stored 401 answers for a server that saw no request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

# Fields in which caches say whether they answered themselves; the pattern tells a hit.
_TELLTALES: tuple[tuple[str, str, str], ...] = (
    ("cf-cache-status", "Cloudflare", r"(?i)hit|stale|updating|revalidated"),
    ("x-cache", "a cache", r"(?i).*\bhit\b.*|.*_hit\b.*|hit from .*"),
    ("x-cache-status", "nginx", r"(?i)hit|stale|updating"),
    ("x-proxy-cache", "nginx", r"(?i)hit|stale"),
    ("x-fastcgi-cache", "nginx", r"(?i)hit|stale"),
    ("x-varnish-cache", "Varnish", r"(?i).*hit.*"),
    ("x-drupal-cache", "Drupal", r"(?i)hit"),
    ("x-drupal-dynamic-cache", "Drupal", r"(?i)hit"),
    ("x-litespeed-cache", "LiteSpeed", r"(?i)hit.*"),
    ("x-vercel-cache", "Vercel", r"(?i)hit|stale"),
    ("x-nextjs-cache", "Next.js", r"(?i)hit|stale"),
    ("cdn-cache", "Bunny", r"(?i)hit"),
    ("x-wp-cf-super-cache-cache-status", "a WordPress cache", r"(?i)hit"),
    ("x-kinsta-cache", "Kinsta", r"(?i)hit"),
    ("x-sucuri-cache", "Sucuri", r"(?i)hit"),
    ("x-rocket-cache", "WP Rocket", r"(?i)hit"),
    ("x-cacheable", "a cache", r"(?i)yes:hit.*|short"),
)


@dataclass(frozen=True, slots=True)
class Fact:
    """One sign: does it speak for (`True`), against (`False`) or not clearly about a stored answer (`None`)?"""

    kind: str
    field: str
    from_cache: bool | None
    says: str


def facts(
    headers: Mapping[str, str],
    *,
    status: int = 401,
    now: datetime | None = None,
    request_authorization: bool = False,
) -> tuple[Fact, ...]:
    """Signs in a response that it was, or may be, served from a cache."""
    low = {name.lower(): value for name, value in headers.items()}
    return (*_served(low, now), *_may_be_stored(low, status, request_authorization))


def from_cache(found: Sequence[Fact]) -> bool | None:
    """The facts in one word: yes, no, or not known."""
    for answer in (True, False):
        if any(fact.from_cache is answer for fact in found):
            return answer
    return None


def directives(value: str) -> dict[str, str | None]:
    """Cache-Control (RFC 9111, section 5.2), names in lower case."""
    out: dict[str, str | None] = {}
    for match in re.finditer(r'([^\s,;="]++)(?:=("(?:[^"\\]|\\.)*+"|[^\s,;"]*+))?', value):
        text = match.group(2)
        out.setdefault(match.group(1).lower(), text.strip('"') if text is not None else None)
    return out


def _served(low: Mapping[str, str], now: datetime | None) -> Iterator[Fact]:
    age = low.get("age", "").strip()
    if age.isascii() and age.isdigit() and len(age) < 12:
        if int(age) > 0:
            yield Fact("age", "Age", True, f"Age says the answer was stored {int(age)} seconds ago.")
        else:
            yield Fact("age-zero", "Age", None, "Age is 0: a cache took part, the answer is fresh.")
    for name, who, hit in _TELLTALES:
        if name in low:
            yes = re.fullmatch(hit, low[name][:200].strip()) is not None
            verb = "answered from its store" if yes else "did not answer from its store"
            yield Fact("cache-status", name, yes, f"{name} says that {who} {verb}.")
    if "cache-status" in low:  # RFC 9211
        yes = re.search(r";\s*hit\b", low["cache-status"]) is not None
        verb = "answered from its store" if yes else "passed the request on"
        yield Fact("cache-status", "Cache-Status", yes, f"Cache-Status says that the cache {verb}.")
    if len(low.get("x-varnish", "").split()) == 2:
        yield Fact(
            "cache-status", "X-Varnish", True, "X-Varnish has two numbers: Varnish answered from its store."
        )
    if "via" in low:
        yield Fact("via", "Via", None, "Via shows that the answer went through a proxy.")
    yield from _date(low.get("date"), now)


def _date(text: str | None, now: datetime | None) -> Iterator[Fact]:
    if not text or now is None:
        return
    try:
        behind = (now - parsedate_to_datetime(text)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return
    if behind > 30:
        says = f"Date is {int(behind)} seconds behind the clock: the answer is stored, or a clock is wrong."
        yield Fact("old-date", "Date", None, says)


def _may_be_stored(low: Mapping[str, str], status: int, authorization: bool) -> Iterator[Fact]:
    """May a shared cache keep this for others? (RFC 9111, sections 3 and 3.5; 401 is not heuristically cacheable)"""
    control = directives(low.get("cache-control", ""))
    if "no-store" in control:
        yield Fact("no-store", "Cache-Control", None, "Cache-Control forbids any cache to keep the answer.")
        return
    if "private" in control:
        yield Fact("private", "Cache-Control", None, "Only the browser's own cache may keep the answer.")
        return
    lives = [control.get(name) for name in ("s-maxage", "max-age") if name in control]
    fresh = bool(lives and lives[0] and lives[0].isdigit() and int(lives[0][:9]) > 0) or "expires" in low
    if not fresh and "public" not in control:
        return
    allowed = not authorization or any(n in control for n in ("public", "s-maxage", "must-revalidate"))
    if allowed:
        says = f"A shared cache may keep this {status} and give it to others: its Cache-Control allows it."
        yield Fact("storable", "Cache-Control", None, says)
    if "authorization" not in low.get("vary", "").lower() and allowed and authorization:
        says = "The answer may be stored, and Vary does not name Authorization: others may get it."
        yield Fact("vary", "Vary", None, says)
