"""The ASGI application that clients report to: which protocol, who, and what; then one answer."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import msgspec

from why401.monitor.ids import client_id
from why401.monitor.intake import Intake
from why401.monitor.projects import Project
from why401.monitor.receive import airbrake, envelope, otlp, sentry
from why401.monitor.receive.answers import CORS, PREFLIGHT, Answer, Protocol, Refused, refusal
from why401.monitor.receive.body import read
from why401.monitor.received import Received
from why401.monitor.take import text

Scope = dict[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]
_SENTRY_KEY = re.compile(r"sentry_key\s*=\s*\"?([^\s,\"]+)")
_JSON = b"application/json"


class Call:
    """One request of a client."""

    def __init__(self, scope: Scope, receive: Any, match: re.Match[str]) -> None:
        self.scope, self._receive, self.match = scope, receive, match
        self.fields = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        self.query: dict[str, list[str]] = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        self.now = time.time()

    @property
    def project(self) -> int | None:
        number = self.match.groupdict().get("project")
        return int(number) if number and len(number) < 10 else -1 if number else None

    async def body(self) -> bytes:
        return await read(self._receive, self.fields.get("content-encoding", ""))

    def asked(self, name: str) -> str:
        return self.query.get(name, [""])[0]

    @property
    def bearer(self) -> str:
        scheme, _, value = self.fields.get("authorization", "").partition(" ")
        return value.strip() if scheme.lower() == "bearer" else ""


Handler = Callable[["Receiver", Call], Awaitable[Answer]]


class Receiver:
    """Answers what `takes` says is a client's path; see `_ROUTES`."""

    def __init__(self, intake: Intake, base: str = "") -> None:
        self.intake, self.base = intake, base

    @staticmethod
    def takes(path: str) -> bool:
        """Whether the path belongs to one of the protocols."""
        return any(pattern.fullmatch(path) for _, pattern, _, _ in _ROUTES)

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        protocol, call, handler = self._route(scope, receive)
        if scope["method"] == "OPTIONS":
            await _send(send, Answer(200), PREFLIGHT)
            return
        protobuf = call.fields.get("content-type", "").startswith("application/x-protobuf")
        try:
            if handler is None:
                raise Refused(405, "method", f"{scope['method']} is not taken at {scope['path']}.")
            answer = await handler(self, call)
        except Refused as refused:
            self.intake.refused(refused, scope["path"], call.fields.get("user-agent", ""))
            answer = refusal(refused, protocol, protobuf)
        await _send(send, answer, CORS)

    def _route(self, scope: Scope, receive: Any) -> tuple[Protocol, Call, Handler | None]:
        for protocol, pattern, methods, handler in _ROUTES:
            match = pattern.fullmatch(scope["path"])
            if match is not None:
                return protocol, Call(scope, receive, match), handler if scope["method"] in methods else None
        raise LookupError(scope["path"])

    # Sentry

    async def envelope(self, call: Call) -> Answer:
        key = _sentry_key(call)
        project = await self.intake.project(key, call.project) if key else None
        found = envelope.parse(await call.body())
        if project is None:
            key = text(found.header, "dsn").partition("://")[2].partition("@")[0].partition(":")[0]
            project = await self._need(key, call, _NO_SENTRY_KEY)
        self.intake.check_quota(
            project, sum(item.type in ("event", "transaction", "log") for item in found.items)
        )
        received = Received(dropped=["damaged-item"] if found.damaged else [])
        for item in found.items:
            received.add(sentry.read(item, call.now))
        named = text(found.header, "event_id")
        if named and len(received.events) == 1:
            received.events[0]["id"] = client_id(named)
        await self.intake.take(project, received, call.now)
        return _json({"id": named or (received.events[0]["id"] if received.events else "")})

    async def stored(self, call: Call) -> Answer:
        project = await self._need(_sentry_key(call), call, _NO_SENTRY_KEY)
        payload = envelope.json(await call.body())
        if not isinstance(payload, dict):
            raise Refused(400, "damaged-body", "The body is no JSON object.")
        self.intake.check_quota(project)
        event = sentry.event(payload, call.now)
        await self.intake.take(project, Received(events=[event]), call.now)
        return _json({"id": event["id"]})

    # Airbrake

    async def notice(self, call: Call) -> Answer:
        project = await self._need(_airbrake_key(call), call, _NO_AIRBRAKE_KEY)
        body = _object(await call.body())
        self.intake.check_quota(project)
        event = airbrake.notice(body, call.now)
        await self.intake.take(project, Received(events=[event]), call.now)
        url = f"{self.base}/events/{event['id']}"
        return _json({"id": event["id"], "url": url}, 201)

    async def deploy(self, call: Call) -> Answer:
        project = await self._need(_airbrake_key(call), call, _NO_AIRBRAKE_KEY)
        received = airbrake.deploy(_object(await call.body()), call.now)
        await self.intake.take(project, received, call.now)
        return _json({"id": client_id("")}, 201)

    async def stats(self, call: Call) -> Answer:
        project = await self._need(_airbrake_key(call), call, _NO_AIRBRAKE_KEY)
        received = airbrake.stats(call.match["kind"], _object(await call.body()), call.now)
        await self.intake.take(project, received, call.now)
        return Answer(204)

    async def config(self, call: Call) -> Answer:
        return _json(airbrake.config(call.project or 0, self.base))

    # OpenTelemetry

    async def otlp(self, call: Call) -> Answer:
        key = call.bearer or call.fields.get("x-why401-key", "") or _sentry_key(call)
        project = await self._need(key, call, _NO_OTLP_KEY)
        protobuf = not call.fields.get("content-type", "").startswith("application/json")
        signal = call.match["signal"]
        body = otlp.decode(signal, await call.body(), protobuf)
        received = {"traces": otlp.traces, "logs": otlp.logs}.get(signal, _metrics)(body, call.now)
        self.intake.check_quota(project, len(received.events))
        await self.intake.take(project, received, call.now)
        return Answer(200, b"" if protobuf else b"{}", (), b"application/x-protobuf" if protobuf else _JSON)

    async def _need(self, key: str, call: Call, says: str) -> Project:
        if not key:
            raise Refused(401, "no-key", says)
        return await self.intake.project(key, call.project)


_NO_SENTRY_KEY = (
    "No key was sent: a DSN is http://KEY@HOST/PROJECT, and its key goes into X-Sentry-Auth or ?sentry_key=."
)
_NO_AIRBRAKE_KEY = (
    "No key was sent: set projectKey, which goes into ?key=, Authorization: Bearer or X-Airbrake-Token."
)
_NO_OTLP_KEY = "No key was sent: set OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20KEY."


def _metrics(body: dict[str, Any], now: float) -> Received:
    del body, now
    return Received(dropped=["metrics"])


def _sentry_key(call: Call) -> str:
    match = _SENTRY_KEY.search(call.fields.get("x-sentry-auth", "") or call.fields.get("authorization", ""))
    return call.asked("sentry_key") or (match[1] if match else "")


def _airbrake_key(call: Call) -> str:
    return call.bearer or call.fields.get("x-airbrake-token", "") or call.asked("key")


def _object(body: bytes) -> dict[str, Any]:
    found = envelope.json(body)
    if not isinstance(found, dict):
        raise Refused(400, "damaged-body", "The body is no JSON object.")
    return found


def _json(value: Any, status: int = 200) -> Answer:
    return Answer(status, msgspec.json.encode(value))


async def _send(send: Send, answer: Answer, more: tuple[tuple[bytes, bytes], ...]) -> None:
    fields = [(b"content-length", str(len(answer.body)).encode()), *more, *answer.fields]
    if answer.body:
        fields.append((b"content-type", answer.kind))
    await send({"type": "http.response.start", "status": answer.status, "headers": fields})
    await send({"type": "http.response.body", "body": answer.body})


_ID = r"/api/(?P<project>\d+)"
_V = r"/api/v[3-5]/projects/(?P<project>\d+)"
_ROUTES: tuple[tuple[Protocol, re.Pattern[str], tuple[str, ...], Handler], ...] = (
    ("sentry", re.compile(_ID + r"/envelope/?"), ("POST",), Receiver.envelope),
    ("sentry", re.compile(_ID + r"/store/?"), ("POST",), Receiver.stored),
    ("airbrake", re.compile(_V + r"/(?:create-)?notices?"), ("POST",), Receiver.notice),
    ("airbrake", re.compile(_V + r"/deploys"), ("POST",), Receiver.deploy),
    (
        "airbrake",
        re.compile(_V + r"/(?P<kind>(?:routes|queries|queues)-stats|routes-breakdowns)"),
        ("POST", "PUT"),
        Receiver.stats,
    ),
    ("airbrake", re.compile(r"/[\d-]+/config/(?P<project>\d+)/config\.json"), ("GET",), Receiver.config),
    (
        "otlp",
        re.compile(_ID + r"/integration/otlp/v1/(?P<signal>traces|logs|metrics)/?"),
        ("POST",),
        Receiver.otlp,
    ),
    ("otlp", re.compile(r"/v1/(?P<signal>traces|logs|metrics)/?"), ("POST",), Receiver.otlp),
)
