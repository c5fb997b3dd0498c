"""Airbrake's notifier API: notices (v3), deploys (v4), counted requests (v5), remote configuration.

A backtrace has the innermost call first, `errors[0]` is the outermost exception.
Sources: airbrake.io/docs/api, the code
of pybrake, airbrake-js and airbrake-ruby.
"""

from __future__ import annotations

import base64
import binascii
import struct
from typing import Any

from why401.monitor import told
from why401.monitor.event import Event, Exchange, Frame, Raised
from why401.monitor.ids import client_id
from why401.monitor.received import Counted, Deployed, Received, Told
from why401.monitor.take import items, mapping, seconds, text, whole

MOST_ERRORS, MOST_FRAMES, MOST_ROUTES = 20, 250, 5_000
_CONTEXT = {"environment": "environment", "version": "release", "hostname": "server", "language": "language"}
_PERSON = {"id": "userId", "name": "userName", "email": "userEmail", "username": "userUsername"}


def notice(body: dict[str, Any], now: float, identity: str = "") -> Event:
    """The event of one notice."""
    context = mapping(body, "context")
    raised = [_raised(error) for error in items(body, "errors")[:MOST_ERRORS] if isinstance(error, dict)]
    made: Event = {
        "id": client_id(identity),
        "time": now,
        "kind": "exception" if raised else "message",
        "level": text(context, "severity") or "error",
    }
    if raised:
        made["raised"] = raised
    if said := text(context, "error_message"):
        made["message"] = said
    for theirs, ours in _CONTEXT.items():
        if said := text(context, theirs):
            made[ours] = said[:400]  # type: ignore[literal-required]
    action = [part for part in (text(context, "component"), text(context, "action")) if part]
    made["transaction"] = "/".join(action) or text(context, "route")
    if exchange := _exchange(context, mapping(body, "params"), mapping(body, "environment")):
        made["exchange"] = exchange
    user = mapping(context, "user") or {ours: context[old] for ours, old in _PERSON.items() if old in context}
    if address := text(context, "userAddr"):
        user = {**user, "ip_address": address}
    if user:
        made["user"] = user
    notifier = mapping(context, "notifier")
    made["sdk"] = f"{text(notifier, 'name')} {text(notifier, 'version')}".strip()
    for part in ("params", "session"):
        if held := mapping(body, part):
            made[part] = held
    crumbs = items(mapping(context, "history"), "") or items(context, "history")
    if crumbs:
        made["breadcrumbs"] = [_crumb(mapping(crumb)) for crumb in crumbs[-100:]]
    rest = {k: v for k, v in context.items() if k not in ("history", "user", "notifier")}
    if environment := mapping(body, "environment"):
        rest["env"] = environment
    made["context"] = rest
    told.add(made, made.get("params", {}).pop("why401", None))
    return made


def _raised(error: dict[str, Any]) -> Raised:
    frames = [_frame(frame) for frame in items(error, "backtrace")[:MOST_FRAMES] if isinstance(frame, dict)]
    return {"type": text(error, "type")[:200], "message": text(error, "message"), "frames": frames}


def _frame(value: dict[str, Any]) -> Frame:
    frame: Frame = {"file": text(value, "file"), "function": text(value, "function")}
    line, column = whole(value, "line"), whole(value, "column")
    if line is not None:
        frame["line"] = line
    if column is not None:
        frame["column"] = column
    code = {str(n): source for n, source in mapping(value, "code").items() if isinstance(source, str)}
    if code:
        frame["source"] = code
    return frame


def _exchange(
    context: dict[str, Any], params: dict[str, Any], environment: dict[str, Any]
) -> Exchange | None:
    """The request that was being answered, with the fields that frameworks' integrations add."""
    url = text(context, "url")
    request = mapping(params, "request")
    if not url and not request:
        return None
    found: Exchange = {"role": "server", "complete": False, "url": url, "fields": []}
    if method := text(context, "httpMethod", "method"):
        found["method"] = method
    if route := text(context, "route"):
        found["route"] = route
    headers = mapping(request, "headers") or mapping(environment, "headers")
    found["fields"] = [[name, value] for name, value in headers.items() if isinstance(value, str)]
    if agent := text(context, "userAgent"):
        found["fields"].append(["User-Agent", agent])
    status = whole(mapping(params, "response"), "status_code", "statusCode", "status")
    if status is not None:
        found["status"] = status
        answered = mapping(mapping(params, "response"), "headers")
        found["answered"] = [[name, value] for name, value in answered.items() if isinstance(value, str)]
    return found


def _crumb(crumb: dict[str, Any]) -> dict[str, Any]:
    """An entry of the browser's history in the shape of a breadcrumb."""
    kind = text(crumb, "type")
    if kind != "xhr":
        return {"category": kind, "timestamp": crumb.get("date"), "data": crumb}
    data = {
        "method": text(crumb, "method"),
        "url": text(crumb, "url"),
        "status_code": whole(crumb, "statusCode"),
    }
    return {"category": "xhr", "timestamp": crumb.get("date"), "data": data}


def deploy(body: dict[str, Any], now: float) -> Received:
    """A deploy, as `POST /api/v4/projects/ID/deploys` tells it."""
    held = mapping(body, "deploy") or body
    version = text(held, "version") or text(held, "revision")[:12]
    return Received(
        deployed=[
            Deployed(version[:200], text(held, "environment")[:64], text(held, "username")[:200],
                     text(held, "revision")[:200], text(held, "repository")[:400], now)
        ]
    )  # fmt: skip


def stats(kind: str, body: dict[str, Any], now: float) -> Received:
    """What a notifier counted: `routes-stats` as requests; the others as facts of their kind."""
    found = Received()
    environment = text(body, "environment")[:64]
    for entry in items(body, kind.partition("-")[0])[:MOST_ROUTES]:
        if not isinstance(entry, dict):
            continue
        when = seconds(entry.get("time")) or now
        count = whole(entry, "count") or 0
        total, squares = _number(entry, "sum"), _number(entry, "sumsq")
        status = whole(entry, "statusCode")
        if kind == "routes-stats" and status is not None and 0 < count < 10**9:
            found.counted.append(
                Counted(environment, text(entry, "method")[:16], text(entry, "route")[:400], status, when, count,
                        total, squares, centroids(entry))
            )  # fmt: skip
        elif kind != "routes-stats":
            name = text(entry, "route", "query", "queue")[:400]
            found.told.append(Told(kind, name, text(entry, "responseType"), when, entry))
    return found


def _number(entry: dict[str, Any], name: str) -> float:
    value = entry.get(name)
    return float(value) if isinstance(value, int | float) and abs(value) < 1e15 else 0.0


def centroids(entry: dict[str, Any]) -> tuple[tuple[float, int], ...]:
    """(mean in milliseconds, count) of each centroid of a t-digest; () where there is none that can be read."""
    given = mapping(entry, "tdigestCentroids")
    if given:
        pairs = zip(items(given, "mean"), items(given, "count"), strict=False)
        return tuple(
            (float(m), int(c)) for m, c in pairs if isinstance(m, int | float) and isinstance(c, int | float)
        )
    try:
        return _small(base64.b64decode(text(entry, "tdigest"), validate=True))
    except (binascii.Error, struct.error, ValueError, IndexError):
        return ()


def _small(octets: bytes) -> tuple[tuple[float, int], ...]:
    """The small encoding of a t-digest: int 2, double compression, int n, n float differences of means, n varints."""
    if not octets:
        return ()
    version, _, number = struct.unpack_from(">idi", octets)
    if version != 2 or not 0 <= number <= 10_000:
        return ()
    means, mean, at = [], 0.0, 16
    for difference in struct.unpack_from(f">{number}f", octets, at):
        mean += difference
        means.append(mean)
    at += 4 * number
    counts = []
    for _ in range(number):
        value, shift = 0, 0
        while True:
            octet = octets[at]
            at += 1
            value |= (octet & 127) << shift
            shift += 7
            if octet < 128 or shift > 63:
                break
        counts.append(value)
    return tuple(zip(means, counts, strict=True))


def config(project: int, base: str) -> dict[str, Any]:
    """The remote configuration that notifiers ask for: report errors, and what they count, to this host."""
    settings = [{"name": name, "enabled": True, "endpoint": base or None} for name in ("errors", "apm")]
    return {
        "project_id": project,
        "updated_at": 0,
        "poll_sec": 60,
        "config_route": f"2020-06-18/config/{project}/config.json",
        "settings": settings,
    }
