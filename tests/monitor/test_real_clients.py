"""Unmodified clients, each in a small program of its own, pointed here by nothing but their settings."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.monitor.hooks import hook
from tests.monitor.running import Running, until


def run(program: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), *arguments], capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


SENTRY = """
    import sys, sentry_sdk
    sentry_sdk.init(sys.argv[1], release="shop@2", environment="test", send_default_pii=True)
    def charge(token, amount):
        raise PermissionError("401 Unauthorized for url: https://api.example.com/v1/charges")
    try:
        charge("Bearer s3cr3t-value-0123456789", 5)
    except PermissionError:
        sentry_sdk.capture_exception()
    sentry_sdk.flush(10)
"""
PYBRAKE = """
    import sys, pybrake
    notifier = pybrake.Notifier(host=sys.argv[1], project_id=int(sys.argv[2]), project_key=sys.argv[3],
                                environment="test", app_version="2", remote_config=False)
    try:
        raise ValueError("403 Client Error: Forbidden for url: https://api.example.com/v1/charges")
    except ValueError as error:
        notifier.notify_sync(error)
    notifier.close()
"""
OTEL = """
    import sys
    from opentelemetry import trace
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span("GET /v1/charges", kind=trace.SpanKind.SERVER) as span:
        span.set_attributes({"http.request.method": "GET", "http.response.status_code": 401,
                             "http.route": "/v1/charges", "server.address": "api.example.com", "url.scheme": "https"})
    provider.shutdown()
"""


def first(monitor: Running, project: dict[str, Any]) -> dict[str, Any]:
    events = until(lambda: monitor.api(project, "/events"))
    assert len(events) == 1
    found: dict[str, Any] = events[0]
    return found


def test_sentry_sdk(monitor: Running) -> None:
    pytest.importorskip("sentry_sdk")
    project = monitor.project("sentry-sdk")
    run(SENTRY, project["sentry_dsn"])
    found = first(monitor, project)
    assert (found["class"], found["status"], found["release"]) == ("PermissionError", 401, "shop@2")
    whole = monitor.api(project, f"/events/{found['id']}")
    assert whole["event"]["raised"][0]["frames"][0]["function"] == "charge", "innermost first"
    assert "s3cr3t-value" not in str(whole)


def test_pybrake(monitor: Running) -> None:
    pytest.importorskip("pybrake")
    project = monitor.project("pybrake")
    run(PYBRAKE, monitor.base, str(project["id"]), project["key"])
    found = first(monitor, project)
    assert (found["class"], found["status"], found["environment"]) == ("ValueError", 403, "test")


def test_opentelemetry(monitor: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    project = monitor.project("opentelemetry")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", monitor.base)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"Authorization=Bearer%20{project['key']}")
    run(OTEL)
    found = first(monitor, project)
    assert (found["kind"], found["status"]) == ("refusal", 401)
    (group,) = monitor.api(project, "/groups")
    assert (group["host"], group["route"]) == ("api.example.com", "/v1/charges")


CLIENTS = Path(__file__).parent / "clients"


def node(program: str, *arguments: str) -> None:
    if shutil.which("node") is None or not (CLIENTS / "node_modules").exists():
        pytest.skip("Node.js or its clients are not installed (tools/install-servers)")
    done = subprocess.run(
        ["node", program, *arguments], cwd=CLIENTS, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout


def test_sentry_node(monitor: Running) -> None:
    project = monitor.project("sentry-node")
    node("sentry.cjs", project["sentry_dsn"])
    found = first(monitor, project)
    assert (found["class"], found["status"], found["release"]) == ("Error", 401, "shop@2")
    whole = monitor.api(project, f"/events/{found['id']}")
    assert whole["event"]["raised"][0]["frames"][0]["function"] == "charge"
    assert "s3cr3t-value" not in str(whole)


def test_airbrake_node(monitor: Running) -> None:
    project = monitor.project("airbrake-node")
    node("airbrake.cjs", monitor.base, str(project["id"]), project["key"])
    found = first(monitor, project)
    assert (found["class"], found["status"], found["environment"]) == ("Error", 403, "test")


@pytest.mark.parametrize("form", ["http", "proto"])
def test_opentelemetry_node(monitor: Running, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    project = monitor.project(f"opentelemetry-node-{form}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", monitor.base)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"Authorization=Bearer%20{project['key']}")
    node("opentelemetry.cjs", form)
    found = first(monitor, project)
    assert (found["kind"], found["status"]) == ("refusal", 401)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    made = tmp_path_factory.mktemp("bundle") / "browser.js"
    esbuild = CLIENTS / "node_modules/.bin/esbuild"
    if not esbuild.exists():
        pytest.skip("the browsers' clients are not installed (tools/install-servers)")
    subprocess.run(
        [esbuild, "browser.js", "--bundle", f"--outfile={made}", "--log-level=error"], cwd=CLIENTS, check=True
    )
    return made.read_text()


@pytest.fixture
def elsewhere(bundle: str) -> Iterator[Any]:
    """A page of another origin, in which the browsers' clients are loaded."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    with hook() as server, playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"http://localhost:{server.server_port}/")
        page.add_script_tag(content=bundle)
        yield page
        browser.close()


def test_sentry_browser(monitor: Running, elsewhere: Any) -> None:
    project = monitor.project("sentry-browser")
    assert elsewhere.evaluate("dsn => reportToSentry(dsn)", project["sentry_dsn"])
    assert first(monitor, project)["status"] == 401


def test_airbrake_browser(monitor: Running, elsewhere: Any) -> None:
    project = monitor.project("airbrake-browser")
    said = [monitor.base, project["id"], project["key"]]
    identity = elsewhere.evaluate("([host, id, key]) => reportToAirbrake(host, id, key)", said)
    found = first(monitor, project)
    assert (found["status"], found["client_event_id"]) == (403, identity.replace("-", ""))


SENTRY_FASTAPI = """
    import sys, sentry_sdk
    from fastapi import FastAPI, HTTPException
    from fastapi.testclient import TestClient
    from sentry_sdk.integrations.fastapi import FastApiIntegration
    from sentry_sdk.integrations.starlette import StarletteIntegration
    refused = {401, 403, 407, *range(500, 600)}
    sentry_sdk.init(sys.argv[1], integrations=[StarletteIntegration(failed_request_status_codes=refused),
                                               FastApiIntegration(failed_request_status_codes=refused)])
    app = FastAPI()
    @app.get("/orders/{order}")
    def orders(order: int):
        raise HTTPException(401, "Not authenticated", {"WWW-Authenticate": "Bearer"})
    client = TestClient(app, base_url="http://shop.example")
    assert client.get("/orders/17", headers={"Authorization": "Bearer s3cr3t-value-0123456789"}).status_code == 401
    sentry_sdk.flush(10)
"""
PYBRAKE_ROUTES = """
    import sys, pybrake, flask
    import pybrake.middleware.flask as middleware
    app = flask.Flask("shop")
    app.config["PYBRAKE"] = dict(host=sys.argv[1], project_id=int(sys.argv[2]), project_key=sys.argv[3],
                                 environment="test", remote_config=False, apm_host=sys.argv[1])
    app = middleware.init_app(app)
    @app.get("/orders/<int:order>")
    def orders(order):
        flask.abort(401)
    for _ in range(3):
        assert app.test_client().get("/orders/17").status_code == 401
    notifier = app.extensions["pybrake"]
    notifier.routes.stats._flush()
    notifier.close()
"""


def test_sentry_sdk_reports_refusals_by_two_lines(monitor: Running, tmp_path: Path) -> None:
    """The settings that docs/reporting.md gives."""
    pytest.importorskip("sentry_sdk")
    project = monitor.project("sentry-sdk-fastapi")
    program = tmp_path / "shop.py"  # a file: the status stands in its source alone
    program.write_text(textwrap.dedent(SENTRY_FASTAPI))
    subprocess.run(
        [sys.executable, program, project["sentry_dsn"]], check=True, timeout=60, capture_output=True
    )
    found = first(monitor, project)
    assert found["status"] == 401
    (group,) = monitor.api(project, "/groups")
    assert (group["host"], group["route"]) == ("shop.example", "/orders/{order}")
    assert "s3cr3t-value" not in str(monitor.api(project, f"/events/{found['id']}"))


def test_pybrake_counts_what_each_route_answers(monitor: Running) -> None:
    pytest.importorskip("pybrake")
    project = monitor.project("pybrake-routes")
    run(PYBRAKE_ROUTES, monitor.base, str(project["id"]), project["key"])
    (route,) = until(lambda: monitor.api(project, "/routes"))
    assert (route["method"], route["count"], route["ratio"]) == ("GET", 3, 1.0)
    assert "/orders/" in route["route"]


def test_sentry_browser_reports_refusals_by_two_lines(monitor: Running, elsewhere: Any) -> None:
    project = monitor.project("sentry-browser-fetch")
    refusing = f"{monitor.base}/v1/traces"  # answers 401 without a key, and lets every origin read it
    assert elsewhere.evaluate("([dsn, url]) => refuse(dsn, url)", [project["sentry_dsn"], refusing])
    found = first(monitor, project)
    assert found["status"] == 401, monitor.api(project, f"/events/{found['id']}")
