"""Small real applications and clients, whose refusals reach a real monitor: once, with the line, no secret."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx
import pytest
import zstandard

from tests.monitor.hooks import hook
from tests.monitor.running import Running, free_port, until
from why401.integrations.exchange import shortened
from why401.integrations.reporter import Reporter, Target, reporter

SECRET = "Zq9planted-secret-0123456789"


@cache
def token() -> str:
    parts: list[Any] = [
        {"alg": "HS256", "kid": "k1"},
        {"iss": "https://id.example", "aud": "shop", "exp": int(time.time()) - 900},
    ]
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*coded, base64.urlsafe_b64encode(b"s" * 32).rstrip(b"=").decode()])


@contextmanager
def wsgi(app: Any) -> Iterator[str]:
    class Quiet(WSGIRequestHandler):
        def log_message(self, *words: object) -> None:
            pass

    server = make_server("127.0.0.1", 0, app, handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@contextmanager
def asgi(app: Any) -> Iterator[str]:
    uvicorn = pytest.importorskip("uvicorn")
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


def bare_wsgi(to: str) -> Any:
    from why401.integrations.wsgi import Refusals

    def app(environ: Any, start: Any) -> Any:
        refused = environ["PATH_INFO"].startswith("/orders")
        fields = [("WWW-Authenticate", 'Bearer error="invalid_token"')] if refused else []
        start("401 Unauthorized" if refused else "200 OK", fields)
        return [b"x"]

    return Refusals(app, to)


def bare_asgi(to: str) -> Any:
    from why401.integrations.asgi import Refusals

    async def app(scope: Any, _: Any, send: Any) -> None:
        refused = scope["path"].startswith("/orders")
        fields = [(b"www-authenticate", b'Bearer error="invalid_token"')] if refused else []
        await send({"type": "http.response.start", "status": 401 if refused else 200, "headers": fields})
        await send({"type": "http.response.body", "body": b"x"})

    return Refusals(app, to)


def flask_app(to: str) -> Any:
    flask = pytest.importorskip("flask")
    from why401.integrations import flask as integration

    app = flask.Flask("shop")

    @app.get("/orders/<int:number>")  # type: ignore[untyped-decorator, unused-ignore]
    def order(number: int) -> None:
        flask.abort(401, f"order {number}")

    @app.get("/")  # type: ignore[untyped-decorator, unused-ignore]
    def index() -> str:
        return "x"

    integration.report(app, to)
    return app


def fastapi_app(to: str) -> Any:
    fastapi = pytest.importorskip("fastapi")
    from why401.integrations import fastapi as integration

    app = fastapi.FastAPI()

    def order(number: int) -> None:
        raise fastapi.HTTPException(
            401, f"order {number}", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}
        )

    def index() -> str:
        return "x"

    order.__annotations__ = {"number": int}
    app.get("/orders/{number}")(order)
    app.get("/")(index)
    integration.report(app, to)
    return app


def django_app(to: str) -> Any:
    django = pytest.importorskip("django")
    from django.conf import settings
    from django.core.exceptions import PermissionDenied
    from django.core.handlers.wsgi import WSGIHandler
    from django.http import HttpResponse
    from django.urls import path

    if not settings.configured:
        settings.configure(
            ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="x" * 50, LOGGING_CONFIG=None,
            MIDDLEWARE=["why401.integrations.django.RefusalsMiddleware"], WHY401_TO=to,
        )  # fmt: skip
        django.setup()
    settings.WHY401_TO = to
    logging.getLogger("django.request").disabled = True

    def order(_: Any, number: int) -> None:
        raise PermissionDenied(f"order {number}")

    def index(_: Any) -> Any:
        return HttpResponse("x")

    sys.modules[__name__].urlpatterns = [path("orders/<int:number>", order), path("", index)]  # type: ignore[attr-defined]
    return WSGIHandler()


APPS: dict[str, tuple[Any, Callable[[str], Any], int, str, str]] = {
    # serve, make, status, route, function that refused
    "wsgi": (wsgi, bare_wsgi, 401, "/orders/{}", ""),
    "asgi": (asgi, bare_asgi, 401, "/orders/{}", ""),
    "flask": (wsgi, flask_app, 401, "/orders/<int:number>", "order"),
    "fastapi": (asgi, fastapi_app, 401, "/orders/{number}", "order"),
    "django": (wsgi, django_app, 403, "/orders/<int:number>", "order"),
}


def whole(monitor: Running, project: dict[str, Any]) -> dict[str, Any]:
    (found,) = until(lambda: monitor.api(project, "/events"))
    event: dict[str, Any] = monitor.api(project, f"/events/{found['id']}")
    return event


def no_secret_is_kept(monitor: Running) -> None:
    with sqlite3.connect(monitor.data / "why401.sqlite3") as database:
        for (body,) in database.execute("SELECT body FROM events"):
            text = zstandard.ZstdDecompressor().decompress(body).decode()
            assert SECRET not in text
            assert token().rpartition(".")[0] not in text


@pytest.mark.parametrize("protocol", ["", "airbrake+", "otlp+"])
@pytest.mark.parametrize("name", APPS)
def test_an_application_reports_what_it_refuses(monitor: Running, name: str, protocol: str) -> None:
    serve, make, status, route, function = APPS[name]
    project = monitor.project(f"{name}-{protocol}")
    to = protocol + project["sentry_dsn"]
    with serve(make(to)) as base:
        fields = {"Authorization": f"Bearer {token()}", "Cookie": f"sid={SECRET}"}
        assert httpx.get(f"{base}/orders/17?access_token={SECRET}", headers=fields).status_code == status
        assert httpx.get(f"{base}/", headers=fields).status_code == 200
        assert reporter(to).flush(10)
    found = whole(monitor, project)
    exchange, context = found["event"]["exchange"], found["event"]["context"]
    assert (found["status"], exchange["role"], exchange["method"]) == (status, "server", "GET")
    (group,) = monitor.api(project, "/groups")
    assert group["route"] == route
    assert (context["credential"]["scheme"], context["credential"]["state"]) == ("bearer", "expired")
    assert context["credential"]["claims"]["aud"] == "shop"
    if function:
        assert function in context["where"]
        assert "test_reports.py:" in context["where"]
    no_secret_is_kept(monitor)


def test_the_monitor_names_the_cause_from_what_it_was_told(monitor: Running) -> None:
    project = monitor.project("cause")
    with asgi(bare_asgi(project["sentry_dsn"])) as base:
        httpx.get(f"{base}/orders/17", headers={"Authorization": f"Bearer {token()}"})
        assert reporter(project["sentry_dsn"]).flush(10)
    assert until(lambda: monitor.api(project, "/groups")[0]["cause"], 30) == "token-expired"


def ask_requests(to: str, url: str, fields: dict[str, str]) -> None:
    requests = pytest.importorskip("requests")
    from why401.integrations import requests as integration

    session = requests.Session()
    integration.report(session, to)
    session.get(url, headers=fields)


def ask_httpx(to: str, url: str, fields: dict[str, str]) -> None:
    from why401.integrations import httpx as integration

    with httpx.Client() as client:
        integration.report(client, to)
        client.get(url, headers=fields)


def ask_httpx_later(to: str, url: str, fields: dict[str, str]) -> None:
    from why401.integrations import httpx as integration

    async def ask() -> None:
        async with httpx.AsyncClient() as client:
            integration.report(client, to)
            await client.get(url, headers=fields)

    asyncio.run(ask())


@pytest.mark.parametrize("ask", [ask_requests, ask_httpx, ask_httpx_later])
def test_a_client_reports_what_it_is_refused(monitor: Running, ask: Callable[..., None]) -> None:
    project = monitor.project(ask.__name__)
    with hook() as server:
        ask(project["sentry_dsn"], f"http://{server.place}/healthy", {})
        server.status = 401
        ask(project["sentry_dsn"], f"http://{server.place}/orders/17", {"Authorization": f"Bearer {SECRET}"})
        assert reporter(project["sentry_dsn"]).flush(10)
    found = whole(monitor, project)
    exchange = found["event"]["exchange"]
    assert (exchange["role"], exchange["status"], found["status"]) == ("client", 401, 401)
    assert "test_reports.py:" in found["event"]["context"]["where"]
    assert ["expired" in str(exchange["answered"])] == [True]
    no_secret_is_kept(monitor)


@pytest.mark.parametrize("name", ["wsgi", "asgi", "flask", "fastapi"])
def test_an_application_does_not_notice_that_the_monitor_is_down(name: str) -> None:
    serve, make, status, _, _ = APPS[name]
    to = f"http://{'a' * 32}@127.0.0.1:{free_port()}/1"
    with serve(make(to)) as base:
        start = time.monotonic()
        assert [httpx.get(f"{base}/orders/{n}").status_code for n in range(20)] == [status] * 20
        assert time.monotonic() - start < 5
    assert until(lambda: reporter(to).dropped)


def test_it_waits_where_it_is_told_to() -> None:
    with hook() as server:
        server.status = 429
        one = Reporter(f"http://{'b' * 32}@{server.place}/1")
        for _ in range(5):
            one.report(lambda: __import__("why401.integrations.exchange", fromlist=["refused"]).refused(
                "client", "GET", "http://a.example/", 401, [], []))  # fmt: skip
            one.flush(5)
        assert len(server.bodies) == 1


@pytest.mark.parametrize(
    "to", ["", "http://host/1", "ftp://k@host/1", "smtp+http://k@host/1", "http://s3cret@host/"]
)
def test_an_address_that_is_none_is_said_without_its_key(to: str) -> None:
    with pytest.raises(ValueError, match="KEY@HOST") as refused:
        Target.of(to)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "kept"), [("192.0.2.17", "192.0.2.0"), ("2001:db8:1:2::3", "2001:db8:1::"), ("", "")]
)
def test_addresses_are_shortened(address: str, kept: str) -> None:
    assert shortened(address) == kept
