"""Log lines made of named values: JSON objects and `key=value` pairs, by the names that servers give them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from why401.evidence import Record, Source
from why401.prefilter import lazy
from why401.readers import log_times

#: What a value is, by its dotted name in lower case: Caddy, Traefik, nginx JSON, Kubernetes audit, Serilog,
#: bunyan and pino (req/res), zap, ECS, CloudWatch and API Gateway, Google Cloud load balancers.
_NAMES: dict[str, tuple[str, ...]] = {
    "status": (
        "status", "status_code", "statuscode", "http_status", "httpstatus", "response.status", "downstreamstatus",
        "originstatus", "responsestatus.code", "http.status_code", "http.response.status_code", "res.statuscode",
        "response_code", "response.statuscode", "code", "httprequest.status", "resp_status", "resp.status",
        "sc-status", "http.response.code", "response_status", "res.status", "http.response.status", "resp",
    ),
    "method": (
        "method", "request_method", "requestmethod", "http_method", "httpmethod", "req.method", "verb",
        "request.method", "http.request.method", "http.method", "httprequest.requestmethod", "cs-method",
    ),
    "path": (
        "path", "uri", "request_uri", "requestpath", "requesturi", "req.url", "request.uri", "http.url", "url",
        "url.path", "http.target", "http.path", "request.path", "httprequest.requesturl", "route", "request_path",
        "target", "resourcepath", "http.request.path", "http.request.uri",
    ),
    "address": (
        "remote_ip", "remote_addr", "clienthost", "client_ip", "clientip", "remoteaddr", "sourceips.0", "client.ip",
        "request.remote_ip", "request.client_ip", "ip", "remote", "remote_address", "source.ip", "sourceip",
        "req.remoteaddress", "httprequest.remoteip", "request.remote_addr", "client", "identity.sourceip", "srcip",
        "http.request.remoteaddr", "downstream_remote_address",
    ),
    "user": (
        "user", "username", "user.username", "remote_user", "clientusername", "user_id", "auth.user", "user.name",
        "request.user",
    ),
    "agent": (
        "user_agent", "useragent", "http_user_agent", "request.headers.user-agent.0", "req.headers.user-agent",
        "httprequest.useragent", "user_agent.original", "agent", "request_user-agent", "http.request.useragent",
    ),
    "level": ("level", "severity", "lvl", "loglevel", "log.level", "@l"),
    "message": ("msg", "message", "error", "err", "@m", "@mt", "response_code_details"),
    "time": (
        "start_time", "time", "ts", "timestamp", "@timestamp", "requestreceivedtimestamp", "startutc", "t", "datetime",
        "date", "@t", "time_local", "time_iso8601", "msec", "asctime",
    ),
}  # fmt: skip
#: Levels of bunyan and pino.
_PINO = {"10": "trace", "20": "debug", "30": "info", "40": "warning", "50": "error", "60": "critical"}
_PORT = lazy(r"^(\d+\.\d+\.\d+\.\d+|\[[0-9a-fA-F:]+\]):\d+$")
_PAIR = lazy(r'(?<![\w.])([A-Za-z@][\w.@-]*)=(?:"((?:[^"\\]|\\.)*)"|(\S*))')
_JSON = lazy(r"\{.*\}\s*,?$")
_NUMBER = lazy(r"[1-5]\d\d$")


def record(line: str, source: Source) -> Record | None:
    """The record of a line of named values that tells a status, or a level and a message; else None."""
    values = _values(line)
    if not values:
        return None
    found = {what: _first(values, names) for what, names in _NAMES.items()}
    status = found["status"]
    method = found["method"]
    known = int(status) if status and _NUMBER.match(status) else None
    if known is None and not (found["level"] and found["message"]):
        return None
    if known is not None and not (method or found["path"]):
        return None
    return Record(
        line,
        source,
        _time(found["time"], line),
        _PINO.get(found["level"], found["level"].lower()) if found["level"] else None,
        known,
        method.upper() if method else None,
        found["path"],
        _PORT.sub(r"\1", found["address"]) if found["address"] else None,
        found["user"] if found["user"] not in ("-", "") else None,
        found["agent"],
        message=" ".join(dict.fromkeys(values[n] for n in _NAMES["message"] if values.get(n))),
    )


def _first(values: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((values[name] for name in names if values.get(name)), None)


def _values(line: str) -> dict[str, str]:
    """The named values of a line, lower-cased dotted names; empty where it is no such line."""
    match = _JSON.search(line) if "{" in line else None
    if match and '"' in line:
        try:
            held = json.loads(match.group().rstrip().rstrip(","))
        except (ValueError, RecursionError):
            held = None
        if isinstance(held, dict):
            return {name.lower(): text for name, text in _flat(held, "", 0)}
    pairs = {key.lower(): quoted or bare for key, quoted, bare in _PAIR.findall(line)}
    return pairs if len(pairs) >= 3 else {}


def _flat(value: Any, name: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > 5:
        return
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flat(item, f"{name}.{key}" if name else str(key), depth + 1)
    elif isinstance(value, list):
        for number, item in enumerate(value[:3]):
            yield from _flat(item, f"{name}.{number}", depth + 1)
    elif value is not None and not isinstance(value, bool):
        yield name, str(value)


def _time(text: str | None, line: str) -> datetime | None:
    if text is None:
        return log_times.find(line)
    try:
        seconds = float(text)
    except ValueError:
        return log_times.find(text)
    while seconds > 1e11:  # milli-, micro- or nanoseconds
        seconds /= 1000
    return datetime.fromtimestamp(seconds, UTC) if seconds > 1e8 else None
