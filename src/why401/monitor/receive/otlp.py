"""OTLP over HTTP: traces and logs, protobuf and JSON.

A refused request is known by `http.response.status_code` alone: a server's span leaves its status unset on 4xx
(semantic conventions, "HTTP spans"). Exceptions come as span events named `exception` and as log records with
`exception.*`; one that comes both ways is one event.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec

from why401.evidence import REFUSALS
from why401.monitor import told
from why401.monitor.event import Event, Exchange
from why401.monitor.ids import client_id
from why401.monitor.receive.answers import Refused
from why401.monitor.receive.envelope import json
from why401.monitor.received import Counted, Received
from why401.monitor.stacks import frames
from why401.monitor.take import items, mapping, text, whole

MOST = 10_000  #: spans or records of one request
SERVER, CLIENT = 2, 3
_KINDS = {"SPAN_KIND_SERVER": SERVER, "SPAN_KIND_CLIENT": CLIENT}
WARN, ERROR, FATAL = 13, 17, 21  #: least severity numbers


def decode(signal: str, body: bytes, protobuf: bool) -> dict[str, Any]:
    """The request in the shape of OTLP's JSON, ids in hexadecimal. Raises Refused 400 where it cannot be read."""
    if not protobuf:
        try:
            found = msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            found = None
        if not isinstance(found, dict):
            raise Refused(400, "damaged-body", "The body is no JSON object.")
        return found
    from google.protobuf.json_format import MessageToDict
    from google.protobuf.message import DecodeError

    try:
        message = _message(signal).FromString(body)
    except DecodeError:
        raise Refused(400, "damaged-body", f"The body is no protobuf message of OTLP {signal}.") from None
    found = MessageToDict(message, use_integers_for_enums=True)
    _ids(found)
    return dict(found)


def _message(signal: str) -> Any:
    if signal == "traces":
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        return ExportTraceServiceRequest
    if signal == "logs":
        from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

        return ExportLogsServiceRequest
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    return ExportMetricsServiceRequest


def _ids(value: Any) -> None:
    """protobuf's JSON has octets in base64, that of OTLP in hexadecimal."""
    if isinstance(value, list):
        for inner in value:
            _ids(inner)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name in ("traceId", "spanId", "parentSpanId") and isinstance(inner, str):
                value[name] = base64.b64decode(inner).hex()
            else:
                _ids(inner)


def traces(body: dict[str, Any], now: float) -> Received:
    """Refused requests, exceptions and counted requests of the spans."""
    found = Received()
    for resource, span in _each(body, "resourceSpans", "scopeSpans", "spans"):
        found.add(_span(resource, span, now))
    return found


def logs(body: dict[str, Any], now: float) -> Received:
    """Exceptions, and records from WARN up, of the log records."""
    found = Received()
    for resource, record in _each(body, "resourceLogs", "scopeLogs", "logRecords"):
        found.add(_record(resource, record, now))
    return found


def _each(body: dict[str, Any], *names: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """(attributes of the resource, span or record), at most MOST."""
    left = MOST
    for outer in items(body, names[0]):
        resource = attributes(mapping(outer, "resource"))
        for scope in items(outer, names[1]):
            for inner in items(scope, names[2]):
                if isinstance(inner, dict) and left:
                    left -= 1
                    yield resource, inner


def attributes(holder: dict[str, Any]) -> dict[str, Any]:
    """The attributes of a span, record or resource as plain values."""
    return {text(pair, "key"): _plain(mapping(pair, "value")) for pair in items(holder, "attributes")[:200]}


def _plain(value: dict[str, Any]) -> Any:
    for kind, inner in value.items():
        if kind == "intValue":
            return whole(value, "intValue")
        if kind == "arrayValue":
            return [_plain(mapping(one)) for one in items(inner, "values")[:100]]
        if kind == "kvlistValue":
            return {
                text(pair, "key"): _plain(mapping(pair, "value")) for pair in items(inner, "values")[:100]
            }
        return inner
    return None


def _nanoseconds(holder: dict[str, Any], *names: str) -> float | None:
    value = whole(holder, *names)
    return value / 1e9 if value else None


def _span(resource: dict[str, Any], span: dict[str, Any], now: float) -> Received:
    found = Received()
    held = attributes(span)
    start = _nanoseconds(span, "startTimeUnixNano") or now
    end = _nanoseconds(span, "endTimeUnixNano") or start
    kind = span.get("kind")
    role = _KINDS.get(kind, 0) if isinstance(kind, str) else kind
    status = whole(held, "http.response.status_code", "http.status_code")
    exchange = _exchange(held, role, status) if role in (SERVER, CLIENT) else None
    if exchange is not None and status is not None:
        milliseconds = max(0.0, (end - start) * 1000)
        exchange["milliseconds"] = milliseconds
        if role == SERVER:
            route = exchange.get("route") or text(span, "name")
            found.counted.append(
                Counted(_environment(resource), exchange.get("method", ""), route[:400], status, end, 1,
                        milliseconds, milliseconds**2)
            )  # fmt: skip
    raised = [e for e in items(span, "events") if text(e, "name") == "exception"]
    for one in raised[:20]:
        when = _nanoseconds(one, "timeUnixNano") or end
        found.events.append(_exception(resource, span, attributes(one), when, exchange))
    if status in REFUSALS and exchange is not None and not raised:
        made = _common(resource, span, end)
        made["kind"], made["level"] = "refusal", "warning"
        made["exchange"] = exchange
        made["params"] = held
        if said := held.pop("why401", ""):
            told.add(made, json(str(said).encode()))
        made["id"] = client_id(f"{text(span, 'traceId')}{text(span, 'spanId')}")
        found.events.append(made)
    if not found.events and not found.counted:
        found.dropped.append("span")
    return found


def _exchange(held: dict[str, Any], role: int, status: int | None) -> Exchange:
    """The request of a span, by the names of today's semantic conventions or those before 1.21."""
    url = text(held, "url.full", "http.url")
    if not url:
        host, scheme = (
            text(held, "server.address", "http.host", "net.host.name"),
            text(held, "url.scheme", "http.scheme"),
        )
        port = text(held, "server.port", "net.host.port")
        path = text(held, "url.path", "http.target")
        query = text(held, "url.query")
        if host and port and ":" not in host and (scheme, port) not in (("http", "80"), ("https", "443")):
            host = f"{host}:{port}"
        url = f"{scheme or 'http'}://{host}{path}{'?' + query if query else ''}" if host else path
    found: Exchange = {"role": "server" if role == SERVER else "client", "url": url, "complete": False}
    if method := text(held, "http.request.method", "http.method"):
        found["method"] = method
    if route := text(held, "http.route"):
        found["route"] = route
    if status is not None:
        found["status"] = status
    found["fields"] = list(_captured(held, "http.request.header."))
    if agent := text(held, "user_agent.original", "http.user_agent"):
        found["fields"].append(["User-Agent", agent])
    found["answered"] = list(_captured(held, "http.response.header."))
    return found


def _captured(held: dict[str, Any], prefix: str) -> Iterator[list[str]]:
    for name, value in held.items():
        if name.startswith(prefix):
            for one in value if isinstance(value, list) else [value]:
                yield [name[len(prefix) :].replace("_", "-"), str(one)]


def _environment(resource: dict[str, Any]) -> str:
    return text(resource, "deployment.environment.name", "deployment.environment")[:64]


def _common(resource: dict[str, Any], holder: dict[str, Any], when: float) -> Event:
    made: Event = {
        "time": when,
        "trace": text(holder, "traceId")[:32],
        "span": text(holder, "spanId")[:16],
        "environment": _environment(resource),
        "release": text(resource, "service.version")[:200],
        "server": text(resource, "host.name", "service.instance.id")[:200],
        "transaction": text(holder, "name")[:400],
        "sdk": f"{text(resource, 'telemetry.sdk.name')} {text(resource, 'telemetry.sdk.version')}".strip(),
        "language": text(resource, "telemetry.sdk.language"),
        "context": {"resource": resource},
    }
    if service := text(resource, "service.name"):
        made["tags"] = {"service": service[:200]}
    return made


def _exception(
    resource: dict[str, Any],
    holder: dict[str, Any],
    held: dict[str, Any],
    when: float,
    exchange: Exchange | None,
) -> Event:
    made = _common(resource, holder, when)
    kind, message = text(held, "exception.type"), text(held, "exception.message")
    made["kind"], made["level"] = "exception", "error"
    made["raised"] = [
        {"type": kind[:200], "message": message, "frames": frames(text(held, "exception.stacktrace"))}
    ]
    if exchange is not None:
        made["exchange"] = exchange
    rest = {name: value for name, value in held.items() if not name.startswith("exception.")}
    if rest:
        made["params"] = rest
    same = "\x1f".join((made["trace"], made["span"], kind, message))
    made["id"] = client_id(
        hashlib.sha256(same.encode("utf-8", "replace")).hexdigest()[:32] if made["trace"] else ""
    )
    return made


def _record(resource: dict[str, Any], record: dict[str, Any], now: float) -> Received:
    held = attributes(record)
    when = _nanoseconds(record, "timeUnixNano", "observedTimeUnixNano") or now
    if text(held, "exception.type", "exception.message"):
        return Received(events=[_exception(resource, record, held, when, None)])
    status = whole(held, "http.response.status_code", "http.status_code")
    severity = whole(record, "severityNumber") or 0
    if severity < WARN and status not in REFUSALS:
        return Received(dropped=["quiet-log"])
    made = _common(resource, record, when)
    made["transaction"] = ""
    made["message"] = str(_plain(mapping(record, "body")) or "")[:16_384]
    made["level"] = "fatal" if severity >= FATAL else "error" if severity >= ERROR else "warning"
    made["kind"] = "message"
    made["params"] = held
    made["id"] = client_id("")
    if status in REFUSALS:
        made["kind"] = "refusal"
        made["exchange"] = _exchange(held, SERVER, status)
    return Received(events=[made])
