"""WCAG 2.1 AA, as far as a program can tell: axe-core in Chromium, on every page, light and dark, wide and narrow."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.monitor.running import Running, envelope, why401
from tests.monitor.test_pages import browser, page  # noqa: F401  (fixtures)

AXE = Path(__file__).parent / "clients" / "node_modules" / "axe-core" / "axe.min.js"
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}}
PATHS = ("/", "/projects/{id}", "/projects/{id}/groups/{group}", "/projects/{id}/groups/{refusals}",
         "/projects/{id}/routes", "/projects/{id}/filters", "/projects/{id}/alerts", "/projects/{id}/settings",
         "/people", "/turned-away", "/audit")  # fmt: skip


def filled(monitor: Running) -> dict[str, str]:
    """A project in which every kind of thing is to be seen; the ids of its groups."""
    project = monitor.project("to be read by everybody")
    frames = [{"function": "pay", "filename": "shop/pay.py", "lineno": n, "in_app": n != 2, "context_line": "x = 1",
               "pre_context": ["a", "b"], "vars": {"order": 7}} for n in (1, 2, 3)]  # fmt: skip
    thrown = {
        "release": "2.1", "environment": "production", "tags": {"shop": "7"}, "user": {"id": "ada"},
        "exception": {"values": [{"type": "ValueError", "value": "no such order", "stacktrace": {"frames": frames}}]},
        "breadcrumbs": {"values": [{"category": "http", "message": "GET /orders", "level": "info"}]},
    }  # fmt: skip
    for event in (thrown, {"message": "401 Unauthorized for url: https://api.example.com/orders"}):
        assert envelope(project, {"event_id": uuid.uuid4().hex, **event}, monitor.base).status_code == 200
    counted = {
        "method": "GET",
        "route": "/orders",
        "count": 10,
        "sum": 50,
        "sumsq": 300,
        "time": "2026-11-24T10:00:00Z",
    }
    routes = {
        "routes": [{**counted, "statusCode": 200}, {**counted, "statusCode": 401}],
        "environment": "production",
    }
    key = {"Authorization": f"Bearer {project['key']}"}
    httpx.put(f"{monitor.base}/api/v5/projects/{project['id']}/routes-stats", json=routes, headers=key)
    for where, body in (
        ("alerts", {"kind": "new"}), ("checks", {"url": "https://example.com/"}), ("channels", {"url": "json://h.example"}),
        ("filters", {"name": "noise", "do": "drop", "when": [{"field": "class", "value": "Noise"}]}),
    ):  # fmt: skip
        monitor.api(project, f"/{where}", method="POST", json=body)
    httpx.post(
        f"{monitor.base}/api/{project['id']}/envelope/",
        content="{}",
        headers={"X-Sentry-Auth": "Sentry sentry_key=no"},
    )
    why401(
        "user",
        "add",
        f"other-{uuid.uuid4().hex[:6]}",
        *monitor.options,
        "--no-password",
        "--email",
        "o@example.com",
    )
    groups = monitor.api(project, "/groups")
    of = {one["status"]: one["id"] for one in groups}
    return {"id": str(project["id"]), "group": of[None], "refusals": of[401]}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page(page: Any, monitor: Running, scheme: str) -> None:  # noqa: F811
    if not AXE.exists():
        pytest.skip("axe-core is not installed; run npm ci in tests/monitor/clients")
    held = filled(monitor)
    page.emulate_media(color_scheme=scheme)
    found = []
    for path in PATHS:
        for width in (1280, 380):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.goto(path.format(**held)).status == 200
            page.wait_for_selector(".live.on")
            found += [(path, width, *problem) for problem in problems(page)]
    assert not found, "\n".join(str(one) for one in found)


def problems(page: Any) -> list[tuple[str, ...]]:  # noqa: F811
    page.evaluate(AXE.read_text())
    violations = page.evaluate(f"axe.run({json.dumps(RULES)}).then(found => found.violations)")
    return [
        (one["id"], node["html"][:160], node["failureSummary"][-200:])
        for one in violations
        for node in one["nodes"]
    ]


def test_the_page_to_sign_in(browser: Any, monitor: Running) -> None:  # noqa: F811
    if not AXE.exists():
        pytest.skip("axe-core is not installed; run npm ci in tests/monitor/clients")
    context = browser.new_context(base_url=monitor.base)
    one = context.new_page()
    one.goto("/sign-in")
    assert problems(one) == []
    context.close()
