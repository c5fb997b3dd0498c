"""From a raw event to what is written of it: scrubbed, grouped, and the columns by which it is found again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import zstandard

from why401.monitor import grouping, refusal
from why401.monitor.credential import STATES, Told
from why401.monitor.event import Event
from why401.monitor.grouping import Grouped
from why401.monitor.projects import Project
from why401.monitor.refusal import Refusal
from why401.monitor.scrub import scrub
from why401.monitor.take import mapping, text
from why401.prefilter import lazy
from why401.protocol import jwt

MOST_TAGS = 30
DAYS = 2 * 86400  #: seconds for which a credential is made that people renew; others renew themselves
MOST = 1e11  #: seconds since 1970; what lies beyond is no time
_CLAIMS = frozenset((*jwt.HARMLESS, *jwt.HARMLESS_HEADER))
_SCHEME, _PRINT = lazy(r"[\w-]{1,40}"), lazy("[0-9a-f]{12}")
_compressor = zstandard.ZstdCompressor(level=3)
_decompressor = zstandard.ZstdDecompressor()


@dataclass
class Kept:
    """One event on its way to the disk. `raw` still has its secrets and is never written."""

    project: int
    grouped: Grouped
    refusal: Refusal | None
    row: dict[str, Any]
    tags: list[tuple[str, str]]
    lasting: list[dict[str, Any]]  # rows of credentials that last for days
    event: Event = field(repr=False)
    raw: Event = field(repr=False)


def keep(event: Event, project: Project, key: bytes, now: float) -> Kept:
    """Scrub and group an event."""
    rest, said = _said(event)
    scrubbed = scrub(rest, key, now, project.blocklist, project.allowlist)
    clean: Event = scrubbed.event
    credential = _credential(scrubbed.told)
    if credential is None or credential.state == "filtered":
        credential = said or credential
    found = refusal.of(clean)
    grouped = grouping.group(clean, found, credential.state if credential else "")
    if credential is not None and (credential.fingerprint or credential is said):
        clean["context"] = {**clean.get("context", {}), "credential": {
            "scheme": credential.scheme, "fingerprint": credential.fingerprint, "state": credential.state,
            "claims": credential.claims}}  # fmt: skip
    row = {
        "project_id": project.id,
        "client_id": clean["id"],
        "received": now,
        "kind": clean["kind"],
        "status": found.status if found else clean.get("exchange", {}).get("status"),
        "class": grouping.class_of(clean)[:200],
        "message": grouping.message_of(clean)[:1000],
        "level": clean.get("level", "error")[:16],
        "release": clean.get("release", "")[:200],
        "environment": clean.get("environment", "")[:64],
        "user": text(clean.get("user"), "id", "email", "username", "name", "ip_address")[:200],
        "trace": clean.get("trace", ""),
        "credential": credential.fingerprint if credential else "",
        "body": packed(clean),
    }
    shown = [one for _, one in scrubbed.told] + ([said] if said else [])
    lasting = [made for one in shown if (made := _lasting(one, project.id, str(row["user"]), now))]
    return Kept(project.id, grouped, found, row, list(_tags(clean, row, found)), lasting, clean, event)


def _lasting(told: Told, project: int, user: str, now: float) -> dict[str, Any] | None:
    """A credential that was made to last for days, and ends: it is to be renewed by somebody."""
    ends, made = told.claims.get("exp"), told.claims.get("iat", now)
    if not isinstance(ends, int | float) or not isinstance(made, int | float) or not told.fingerprint:
        return None
    if ends < now or ends - made < DAYS or ends > MOST:
        return None
    whose = next((str(told.claims[name]) for name in ("client_id", "azp") if name in told.claims), user)
    return {"project_id": project, "fingerprint": told.fingerprint, "whose": whose[:200], "expires": float(ends),
            "last_seen": now}  # fmt: skip


def packed(event: Event) -> bytes:
    """The event as it is stored."""
    return _compressor.compress(msgspec.json.encode(event))


def body(blob: bytes) -> Event:
    """The stored event."""
    found: Event = msgspec.json.decode(_decompressor.decompress(blob))
    return found


def _credential(told: list[tuple[str, Told]]) -> Told | None:
    """The credential of the request: that of Authorization, else a key or cookie that was not blanked by the client."""
    named = {name.lower(): one for name, one in reversed(told) if one.state not in ("empty",)}
    for name in ("authorization", "proxy-authorization", "x-api-key", "cookie"):
        if name in named:
            return named[name]
    return next((one for _, one in told if one.scheme and one.fingerprint), None)


def _said(event: Event) -> tuple[Event, Told | None]:
    """(the event without it, what the client told of a credential that it kept for itself). Only what has the form of
    such words is taken: it is written as it stands."""
    context = mapping(event, "context")
    held = mapping(context, "credential")
    if text(held, "state") not in STATES:
        return event, None
    rest: Event = {
        **event,
        "context": {name: value for name, value in context.items() if name != "credential"},
    }
    scheme, print_ = text(held, "scheme"), text(held, "fingerprint")
    claims = {
        name: value for name, value in mapping(held, "claims").items()
        if name in _CLAIMS and isinstance(value, str | int | float) and len(str(value)) < 300
    }  # fmt: skip
    return rest, Told("", (), scheme if _SCHEME.fullmatch(scheme) else "", text(held, "state"),
                      print_ if _PRINT.fullmatch(print_) else "", claims)  # fmt: skip


def _tags(event: Event, row: dict[str, Any], found: Refusal | None) -> Iterator[tuple[str, str]]:
    """What an event can be searched by."""
    pairs = [(name, row[name]) for name in ("environment", "release", "user", "level")]
    pairs += [("server", event.get("server", "")), ("transaction", event.get("transaction", ""))]
    if found is not None:
        pairs += [("host", found.host), ("route", found.route), ("status", str(found.status))]
    pairs += list(event.get("tags", {}).items())
    pairs += [(k, str(v)) for k, v in event.get("params", {}).items() if isinstance(v, str | int | float)]
    seen: set[str] = set()
    for name, value in pairs:
        value = str(value)
        if value and len(value) <= 200 and name not in seen and len(seen) < MOST_TAGS:
            seen.add(name)
            yield name[:64], value
