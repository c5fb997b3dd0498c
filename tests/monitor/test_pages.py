"""The pages in a real browser."""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.monitor.running import PASSWORD, Running, envelope, why401

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with playwright.sync_playwright() as started:
        one = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield one
        one.close()


@pytest.fixture
def page(browser: Any, monitor: Running) -> Iterator[Any]:
    """Signed in; fails where the browser had to complain (a script that was held back complains too)."""
    name, problems = f"user-{uuid.uuid4().hex[:8]}", list[str]()
    why401(
        "user", "add", name, *monitor.options, "--role", "owner", "--password-stdin", given=PASSWORD + "\n"
    )
    context = browser.new_context(base_url=monitor.base)
    one = context.new_page()
    one.on("pageerror", lambda error: problems.append(str(error)))
    one.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    one.on("dialog", lambda dialog: problems.append("a script ran") or dialog.dismiss())
    one.goto("/")
    one.fill("[name=name]", name)
    one.fill("[name=password]", PASSWORD)
    one.click("button")
    one.wait_for_selector(".live.on")
    yield one
    context.close()
    assert problems == []


def test_an_event_is_in_the_open_page_within_a_second(page: Any, monitor: Running) -> None:
    project = monitor.project("live")
    page.goto(f"/projects/{project['id']}")
    page.wait_for_selector(".live.on")
    sent = time.monotonic()
    envelope(project, {"event_id": uuid.uuid4().hex, "message": "seen at once"}, monitor.base)
    page.wait_for_selector("text=seen at once", timeout=5000)
    assert time.monotonic() - sent < 1.0


HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


def test_what_an_event_holds_is_shown_and_never_runs(page: Any, monitor: Running) -> None:
    project = monitor.project("hostile")
    frame = {"function": HOSTILE, "filename": HOSTILE, "lineno": 3, "in_app": True, "context_line": HOSTILE,
             "vars": {HOSTILE: HOSTILE}}  # fmt: skip
    event = {
        "event_id": uuid.uuid4().hex, "release": HOSTILE, "environment": HOSTILE, "tags": {HOSTILE: HOSTILE},
        "extra": {HOSTILE: {HOSTILE: [HOSTILE]}}, "user": {"id": HOSTILE}, "server_name": HOSTILE,
        "breadcrumbs": {"values": [{"category": HOSTILE, "message": HOSTILE, "data": {HOSTILE: HOSTILE}}]},
        "request": {"url": "https://h.example/" + HOSTILE, "headers": {"X-A": HOSTILE}, "data": HOSTILE},
        "exception": {"values": [{"type": HOSTILE, "value": HOSTILE, "stacktrace": {"frames": [frame]}}]},
    }  # fmt: skip
    assert envelope(project, event, monitor.base).status_code == 200
    page.goto(f"/projects/{project['id']}")
    page.click("table.groups a")
    page.wait_for_selector("ol.frames")
    assert "<script>alert(1)</script>" in page.inner_text("main")
    assert page.locator("main script").count() == 0
    assert page.locator("img[src=x]").count() == 0


def test_resolve_comment_assign_and_the_audit_log(page: Any, monitor: Running) -> None:
    project = monitor.project("states")
    envelope(project, {"event_id": uuid.uuid4().hex, "message": "to be resolved"}, monitor.base)
    page.goto(f"/projects/{project['id']}")
    page.click("text=to be resolved")
    page.fill("textarea[name=text]", "I look at it")
    page.click("button:has-text('Add')")
    page.wait_for_selector("blockquote:has-text('I look at it')")
    page.click("button:has-text('Resolve')")
    page.wait_for_selector(".state.resolved")
    envelope(project, {"event_id": uuid.uuid4().hex, "message": "to be resolved"}, monitor.base)
    page.reload()
    page.wait_for_selector(".state.regressed")
    page.goto("/audit")
    assert "resolved" in page.inner_text("table")


def test_every_page_can_be_opened_and_used_by_keyboard(page: Any, monitor: Running) -> None:
    project = monitor.project("keyboard")
    for path in ("/", f"/projects/{project['id']}", f"/projects/{project['id']}/routes",
                 f"/projects/{project['id']}/settings", "/people", "/turned-away", "/audit"):  # fmt: skip
        assert page.goto(path).status == 200
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_it_fits_a_phone(page: Any, monitor: Running) -> None:
    project = monitor.project("phone")
    envelope(project, {"event_id": uuid.uuid4().hex, "message": "long " * 60}, monitor.base)
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"/projects/{project['id']}")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.click("table.groups a")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_a_filter_is_tried_and_saved_in_the_page(page: Any, monitor: Running) -> None:
    project = monitor.project("filter-page")
    for number in range(3):
        envelope(
            project,
            {"event_id": uuid.uuid4().hex, "message": f"m{number}", "environment": "test"},
            monitor.base,
        )
    page.goto(f"/projects/{project['id']}/filters")
    page.fill("[name=name]", "no tests")
    page.fill("[name=field1]", "environment")
    page.fill("[name=value1]", "test")
    page.click("button:has-text('Try')")
    page.wait_for_selector("text=3 of 3")
    page.click("button:has-text('Save')")
    page.wait_for_selector("td:has-text('no tests')")
    page.click("button:has-text('Off')")
    page.wait_for_selector("tr.off")
