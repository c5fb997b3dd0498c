"""Sentry: envelopes and the older `store`; what an item says as events, counted requests, and other facts.

Sources: Sentry's developer documentation ("Envelopes", "Event Payloads", "Transaction Payloads", "Check-Ins",
"Sessions", "Logs"), and what sentry-sdk, @sentry/node and @sentry/browser send.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from why401.evidence import REFUSALS
from why401.monitor import told
from why401.monitor.event import Event, Exchange, Frame, Raised
from why401.monitor.ids import client_id
from why401.monitor.receive.envelope import Item, json
from why401.monitor.received import Counted, Received, Told
from why401.monitor.take import items, mapping, seconds, text, whole

MOST_FRAMES, MOST_CHAIN, MOST_CRUMBS = 250, 20, 100
#: Items of which only the number is kept.
COUNTED = frozenset({"profile", "profile_chunk", "replay_event", "replay_recording", "replay_video", "statsd",
                     "metric_buckets", "trace_metric", "attachment"})  # fmt: skip
_LOUD = frozenset({"warn", "warning", "error", "fatal"})


def read(item: Item, now: float) -> Received:
    """What one item of an envelope holds. An item that is no JSON where it has to be is counted as damaged."""
    reader = _READERS.get(item.type)
    if reader is None:
        return Received(dropped=[f"sentry-{item.type[:40]}" if item.type in COUNTED else "unknown-item"])
    payload = json(item.payload)
    if not isinstance(payload, dict):
        return Received(dropped=["damaged-item"])
    return reader(payload, now)


def _error(payload: dict[str, Any], now: float) -> Received:
    return Received(events=[event(payload, now)])


def event(payload: dict[str, Any], now: float) -> Event:
    """An event of an error or a message."""
    raised = [_raised(one) for one in _values(payload, "exception")]
    raised.reverse()  # Sentry: the outermost last
    made: Event = {
        "id": client_id(text(payload, "event_id")),
        "time": seconds(payload.get("timestamp")) or now,
        "kind": "exception" if raised else "message",
        "level": text(payload, "level") or "error",
    }
    message = mapping(payload, "logentry") or {"formatted": text(payload, "message")}
    if said := text(message, "formatted", "message"):
        made["message"] = said
    if raised:
        made["raised"] = raised[:MOST_CHAIN]
    if exchange := _request(payload):
        made["exchange"] = exchange
    _common(made, payload)
    crumbs = _values(payload, "breadcrumbs")
    if crumbs:
        made["breadcrumbs"] = [mapping(crumb) for crumb in crumbs[-MOST_CRUMBS:]]
    fingerprint = [part for part in items(payload, "fingerprint") if isinstance(part, str)]
    if fingerprint and fingerprint != ["{{ default }}"]:
        made["fingerprint"] = fingerprint[:10]
    told.add(made, mapping(payload, "contexts").get("why401"))
    return made


def _common(made: Event, payload: dict[str, Any]) -> None:
    """What every kind of Sentry's payloads may say."""
    for ours, theirs in (("environment", "environment"), ("release", "release"), ("server", "server_name"),
                         ("transaction", "transaction"), ("language", "platform")):  # fmt: skip
        if said := text(payload, theirs):
            made[ours] = said[:400]  # type: ignore[literal-required]
    sdk = mapping(payload, "sdk")
    if sdk:
        made["sdk"] = f"{text(sdk, 'name')} {text(sdk, 'version')}".strip()
    if user := mapping(payload, "user"):
        made["user"] = user
    if tags := _tags(payload.get("tags")):
        made["tags"] = tags
    if extra := mapping(payload, "extra"):
        made["params"] = extra
    contexts = mapping(payload, "contexts")
    trace = mapping(contexts, "trace")
    made["trace"], made["span"] = text(trace, "trace_id")[:32], text(trace, "span_id")[:16]
    if rest := {name: value for name, value in contexts.items() if name != "trace"}:
        made["context"] = rest
    if modules := mapping(payload, "modules"):
        made.setdefault("context", {})["modules"] = modules


def _values(payload: dict[str, Any], name: str) -> list[Any]:
    """A list that may stand below `values`."""
    return items(payload, name) or items(mapping(payload, name), "values")


def _tags(tags: Any) -> dict[str, str]:
    pairs = (
        tags.items()
        if isinstance(tags, dict)
        else [p for p in tags or () if isinstance(p, list) and len(p) == 2]
    )
    return {
        str(k)[:64]: str(v)[:200]
        for k, v in list(pairs)[:100]
        if v is not None and not isinstance(v, dict | list)
    }


def _raised(value: Any) -> Raised:
    found: Raised = {"type": text(value, "type")[:200], "message": text(value, "value")}
    handled = mapping(value, "mechanism").get("handled")
    if isinstance(handled, bool):
        found["handled"] = handled
    frames = items(mapping(value, "stacktrace"), "frames")
    found["frames"] = [_frame(frame) for frame in reversed(frames[-MOST_FRAMES:])]
    return found


def _frame(value: Any) -> Frame:
    frame: Frame = {"file": text(value, "filename", "abs_path"), "function": text(value, "function")}
    if module := text(value, "module"):
        frame["module"] = module
    line, column, in_app = whole(value, "lineno"), whole(value, "colno"), mapping(value).get("in_app")
    if line is not None:
        frame["line"] = line
        if code := _code(value, line):
            frame["source"] = code
    if column is not None:
        frame["column"] = column
    if isinstance(in_app, bool):
        frame["in_app"] = in_app
    if variables := mapping(value, "vars"):
        frame["vars"] = variables
    return frame


def _code(frame: Any, line: int) -> dict[str, str]:
    before, after = items(frame, "pre_context"), items(frame, "post_context")
    lines = [*before, frame.get("context_line"), *after]
    first = line - len(before)
    return {str(first + n): code for n, code in enumerate(lines) if isinstance(code, str)}


def _request(payload: dict[str, Any]) -> Exchange | None:
    """The request that was being answered, or of `httpClientIntegration` the one that was refused."""
    request = mapping(payload, "request")
    response = mapping(mapping(payload, "contexts"), "response")
    status = whole(response, "status_code")
    if not request and status is None:
        return None
    found: Exchange = {"role": "server", "complete": False}
    for name in ("method", "url"):
        if said := text(request, name):
            found[name] = said
    query = request.get("query_string")
    if isinstance(query, str) and query and "url" in found and "?" not in found["url"]:
        found["url"] += "?" + query.lstrip("?")
    found["fields"] = _fields(request.get("headers"))
    if cookies := request.get("cookies"):
        found["fields"].append(["Cookie", cookies if isinstance(cookies, str) else _joined(cookies)])
    if request.get("data") is not None:
        found["body"] = request["data"]
    if status is not None:
        found["status"] = status
        found["answered"] = _fields(response.get("headers"))
    return found


def _joined(cookies: Any) -> str:
    pairs = (
        cookies.items()
        if isinstance(cookies, dict)
        else [p for p in cookies if isinstance(p, list) and len(p) == 2]
    )
    return "; ".join(f"{name}={value}" for name, value in pairs)


def _fields(headers: Any) -> list[list[str]]:
    pairs = (
        headers.items()
        if isinstance(headers, dict)
        else [p for p in headers or () if isinstance(p, list) and len(p) == 2]
    )
    return [[str(name), str(value)] for name, value in list(pairs)[:200]]


def _transaction(payload: dict[str, Any], now: float) -> Received:
    """A transaction is counted for its route; each refused request in it is an event."""
    found = Received()
    start, end = seconds(payload.get("start_timestamp")), seconds(payload.get("timestamp"))
    data = mapping(mapping(mapping(payload, "contexts"), "trace"), "data")
    exchange = _request(payload) or {"role": "server", "complete": False}
    status = exchange.get("status") or _status(data)
    name = text(payload, "transaction")
    if status is not None:
        exchange["status"] = status
        exchange.setdefault("method", text(data, "http.request.method", "http.method"))
        exchange.setdefault("route", _route(name))
        milliseconds = max(0.0, ((end or now) - (start or end or now)) * 1000)
        found.counted.append(
            Counted(text(payload, "environment"), exchange["method"], exchange["route"], status, end or now, 1,
                    milliseconds, milliseconds**2)
        )  # fmt: skip
        if status in REFUSALS:
            found.events.append(_refused(payload, exchange, end or now))
    for span in items(payload, "spans")[:500]:
        found.events += _span(payload, mapping(span), now)
    if not found.counted and not found.events:
        found.dropped.append("transaction")
    return found


def _route(name: str) -> str:
    """The template in the name of a transaction, which may begin with the method."""
    words = name.split(" ", 1)
    return words[1] if len(words) == 2 and words[0].isupper() else name


def _status(data: dict[str, Any]) -> int | None:
    return whole(data, "http.response.status_code", "http.status_code", "status_code")


def _refused(payload: dict[str, Any], exchange: Exchange, when: float) -> Event:
    made: Event = {"id": client_id(text(payload, "event_id")), "time": when, "kind": "refusal", "level": "warning",
                   "exchange": exchange}  # fmt: skip
    _common(made, payload)
    return made


def _span(payload: dict[str, Any], span: dict[str, Any], now: float) -> Iterator[Event]:
    """A call of the application that was refused."""
    data = mapping(span, "data")
    status = _status(data)
    if status not in REFUSALS or not text(span, "op").startswith("http"):
        return
    method, _, url = text(span, "description").partition(" ")
    exchange: Exchange = {
        "role": "client",
        "method": text(data, "http.request.method", "http.method") or method,
        "url": text(data, "url", "url.full", "http.url") or url,
        "status": status,
        "complete": False,
    }
    made = _refused(payload, exchange, seconds(span.get("timestamp")) or now)
    made["id"] = client_id(text(payload, "event_id") + text(span, "span_id"))
    made["span"] = text(span, "span_id")[:16]
    yield made


def _logs(payload: dict[str, Any], now: float) -> Received:
    """Log records from `warn` up, as messages."""
    found = Received()
    for record in items(payload, "items"):
        level = text(record, "level").lower()
        if level not in _LOUD:
            found.dropped.append("quiet-log")
            continue
        attributes = {
            str(name): mapping(value).get("value", value)
            for name, value in mapping(record, "attributes").items()
        }
        made: Event = {
            "id": client_id(""),
            "time": seconds(record.get("timestamp")) or now,
            "kind": "message",
            "level": {"warn": "warning"}.get(level, level),
            "message": text(record, "body"),
            "trace": text(record, "trace_id")[:32],
            "params": attributes,
        }
        for ours, theirs in (("environment", "sentry.environment"), ("release", "sentry.release"),
                             ("server", "server.address")):  # fmt: skip
            if said := text(attributes, theirs):
                made[ours] = said  # type: ignore[literal-required]
        found.events.append(made)
    return found


def _check_in(payload: dict[str, Any], now: float) -> Received:
    return Received(
        told=[Told("check-in", text(payload, "monitor_slug"), text(payload, "status"), now, payload)]
    )


def _session(payload: dict[str, Any], now: float) -> Received:
    release = text(mapping(payload, "attrs"), "release")
    return Received(told=[Told("session", release, text(payload, "status"), now, payload)])


def _report(payload: dict[str, Any], now: float) -> Received:
    del now
    found = Received()
    for lost in items(payload, "discarded_events"):
        found.dropped += [f"client-{text(lost, 'reason')[:40]}"] * min(whole(lost, "quantity") or 0, 10_000)
    return found


def _feedback(payload: dict[str, Any], now: float) -> Received:
    return Received(
        told=[Told("feedback", text(payload, "event_id"), text(payload, "comments"), now, payload)]
    )


_READERS = {
    "event": _error,
    "error": _error,
    "transaction": _transaction,
    "log": _logs,
    "check_in": _check_in,
    "session": _session,
    "sessions": _session,
    "client_report": _report,
    "user_report": _feedback,
    "feedback": _feedback,
}
