"""A refusal in each protocol's own form. What the protocols have no place for stands below `why401`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from why401.monitor.event import Event


def with_credential(scrubbed: Any) -> Event:
    """The event, with what may be told of its credential: its state is all that the monitor learns of it."""
    event: Event = scrubbed.event
    held = [(name.lower(), one) for name, one in scrubbed.told]
    named = [
        one
        for wanted in ("authorization", "proxy-authorization", "x-api-key", "cookie")
        for n, one in held
        if n == wanted
    ]
    state: dict[str, Any] = {"state": "absent"}
    if named:
        one = named[0]
        state = {
            "scheme": one.scheme,
            "state": one.state,
            "fingerprint": one.fingerprint,
            "claims": one.claims,
        }
    event["context"] = {**event.get("context", {}), "credential": state}
    return event


def encode(
    protocol: str, project: str, key: str, event: Event
) -> tuple[str, dict[str, str], str | dict[str, Any]]:
    """(path, fields, body): a text, or a mapping that becomes JSON."""
    return _ENCODERS[protocol](project, key, event)


def beside(event: Event) -> dict[str, Any]:
    """What stands below `why401` in each protocol."""
    exchange, context = event["exchange"], event.get("context", {})
    return {"role": exchange["role"], "route": exchange.get("route", ""), "complete": exchange.get("complete", False),
            "credential": context.get("credential"), "where": context.get("where")}  # fmt: skip


def _sentry(project: str, key: str, event: Event) -> tuple[str, dict[str, str], str]:
    exchange = event["exchange"]
    payload: dict[str, Any] = {
        "event_id": event["id"], "timestamp": event["time"], "level": "warning", "platform": "python",
        "request": {"method": exchange["method"], "url": exchange["url"], "headers": exchange["fields"]},
        "contexts": {"response": {"status_code": exchange["status"], "headers": exchange["answered"]},
                     "why401": beside(event)},
        "transaction": event.get("transaction", ""), "user": event.get("user", {}),
        "sdk": {"name": "why401.integrations", "version": "1"},
    }  # fmt: skip
    if raised := event.get("raised"):
        payload["exception"] = {"values": [_exception(one) for one in raised]}
    lines = [{"event_id": event["id"]}, {"type": "event"}, payload]
    fields = {"Content-Type": "application/x-sentry-envelope",
              "X-Sentry-Auth": f"Sentry sentry_version=7, sentry_client=why401/1, sentry_key={key}"}  # fmt: skip
    return f"/api/{project}/envelope/", fields, "\n".join(map(json.dumps, lines)) + "\n"


def _exception(raised: Any) -> dict[str, Any]:
    frames = [
        {"filename": frame["file"], "function": frame["function"], "lineno": frame["line"], "in_app": frame["in_app"],
         **_context(frame)}
        for frame in reversed(raised["frames"])
    ]  # fmt: skip
    return {"type": raised["type"], "value": raised["message"], "stacktrace": {"frames": frames},
            "mechanism": {"type": "why401", "handled": True}}  # fmt: skip


def _context(frame: Any) -> dict[str, Any]:
    held = {int(number): text for number, text in frame.get("source", {}).items()}
    line = frame["line"]
    return {"pre_context": [held[n] for n in sorted(held) if n < line], "context_line": held.get(line, ""),
            "post_context": [held[n] for n in sorted(held) if n > line]}  # fmt: skip


def _airbrake(project: str, key: str, event: Event) -> tuple[str, dict[str, str], dict[str, Any]]:
    exchange, raised = event["exchange"], event.get("raised", [])
    says = f"{exchange['status']} {exchange['method']} {exchange.get('route') or exchange['url']}"
    errors = [
        {"type": one["type"], "message": one["message"],
         "backtrace": [{"file": f["file"], "line": f["line"], "function": f["function"], "code": f.get("source", {})}
                       for f in one["frames"]]}
        for one in raised
    ] or [{"type": "Refused", "message": says, "backtrace": []}]  # fmt: skip
    body = {
        "id": event["id"], "errors": errors,
        "context": {"notifier": {"name": "why401.integrations", "version": "1"}, "url": exchange["url"],
                    "httpMethod": exchange["method"], "route": exchange.get("route", ""), "severity": "warning",
                    "language": "python", "user": event.get("user", {})},
        "params": {"response": {"status": exchange["status"], "headers": dict(exchange["answered"])},
                   "request": {"headers": dict(exchange["fields"])}, "why401": beside(event)},
    }  # fmt: skip
    return (
        f"/api/v3/projects/{project}/notices",
        {"Content-Type": "application/json", "Authorization": f"Bearer {key}"},
        body,
    )


def _otlp(project: str, key: str, event: Event) -> tuple[str, dict[str, str], dict[str, Any]]:
    del project
    exchange = event["exchange"]
    held: dict[str, Any] = {
        "http.request.method": exchange["method"], "url.full": exchange["url"], "why401": json.dumps(beside(event)),
        "http.response.status_code": exchange["status"], "http.route": exchange.get("route", ""),
    }  # fmt: skip
    several: dict[str, list[str]] = {}
    for part, fields in (("request", exchange["fields"]), ("response", exchange["answered"])):
        for name, value in fields:
            several.setdefault(f"http.{part}.header.{name.lower()}", []).append(value)
    attributes = [
        {"key": k, "value": {"intValue": str(v)} if isinstance(v, int) else {"stringValue": v}}
        for k, v in held.items()
    ]
    attributes += [
        {"key": k, "value": {"arrayValue": {"values": [{"stringValue": v} for v in vs]}}}
        for k, vs in several.items()
    ]
    nanoseconds = str(int(event["time"] * 1e9))
    span = {
        "traceId": event["id"], "spanId": event["id"][:16], "name": f"{exchange['method']} {exchange.get('route', '')}",
        "kind": 2 if exchange["role"] == "server" else 3, "startTimeUnixNano": nanoseconds,
        "endTimeUnixNano": nanoseconds, "attributes": attributes,
    }  # fmt: skip
    body = {
        "resourceSpans": [
            {"resource": {"attributes": []}, "scopeSpans": [{"scope": {"name": "why401"}, "spans": [span]}]}
        ]
    }
    return "/v1/traces", {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}, body


_ENCODERS: dict[str, Callable[[str, str, Event], tuple[str, dict[str, str], Any]]] = {
    "sentry": _sentry,
    "airbrake": _airbrake,
    "otlp": _otlp,
}
