"""Signing in by OpenID Connect, at a real provider."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.live.servers import openid_provider
from tests.monitor.running import PASSWORD, Running, free_port, until, why401

SECRET = "monitor-made-up-secret"


@pytest.fixture(scope="module")
def monitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    base = f"http://127.0.0.1:{free_port()}"
    with openid_provider(f"{base}/sign-in/openid/back") as issuer, pytest.MonkeyPatch.context() as patch:
        patch.setenv("WHY401_OPENID_SECRET", SECRET)
        data = tmp_path_factory.mktemp("openid")
        one = Running(data, base, more=("--openid", issuer, "--openid-client", "monitor"))
        one.start()
        for name in ("ada", "unverified"):
            more = ("--no-password", "--email", f"{name}@Example.com")
            why401("user", "add", name, *one.options, "--role", "admin", *more)
        why401("user", "add", "bob", *one.options, "--password-stdin", given=PASSWORD + "\n")
        yield one
        one.stop()


def at_provider(browser: httpx.Client, there: str, name: str) -> str:
    """Sign in at the provider and consent; the address to which it sends the browser back."""
    for _ in range(12):
        page = browser.get(there)
        while page.is_redirect:
            there = str(page.next_request.url) if page.next_request else ""
            if "/sign-in/openid/back" in there:
                return there
            page = browser.get(there)
        action = re.search(r'action="([^"]+)"', page.text)
        prompt = re.search(r'name="prompt" value="(\w+)"', page.text)
        assert action, page.text[:300]
        assert prompt
        said = {"prompt": prompt[1], "login": name, "password": "any"}
        page = browser.post(httpx.URL(there).join(action[1]), data=said)
        there = str(httpx.URL(there).join(page.headers["location"]))
    raise AssertionError("the provider asks again and again")


def signed_in(monitor: Running, name: str, there: str = "/people") -> tuple[httpx.Client, httpx.Response]:
    browser = httpx.Client(headers={"Accept": "text/html"})
    page = browser.get(f"{monitor.base}/sign-in", params={"next": there})
    assert "Sign in with 127.0.0.1" in page.text
    asked = browser.get(f"{monitor.base}/sign-in/openid", params={"next": there})
    assert asked.status_code == 303
    sent = parse_qs(urlsplit(asked.headers["location"]).query)
    assert sent["code_challenge_method"] == ["S256"]
    assert {"state", "nonce", "code_challenge"} <= set(sent)
    back = at_provider(browser, asked.headers["location"], name)
    return browser, browser.get(back)


def test_somebody_who_was_added_is_let_in(monitor: Running) -> None:
    for _ in range(2):  # known by the address, then by the subject
        browser, page = signed_in(monitor, "ada")
        assert (page.status_code, page.headers["location"]) == (303, "/people")
        assert "ada@example.com" in browser.get(f"{monitor.base}/people").text
        browser.close()


@pytest.mark.parametrize("name", ["stranger", "unverified", "bob"])
def test_whoever_was_not_added_is_told_so(monitor: Running, name: str) -> None:
    """`bob` is here, but without an address; the address of `unverified` is that of a user, but nobody verified it."""
    browser, page = signed_in(monitor, name)
    assert page.status_code == 401
    assert "Nobody here is known by" in page.text
    assert browser.get(f"{monitor.base}/people").status_code == 303
    browser.close()


def test_a_sign_in_that_was_not_begun_here_is_refused(monitor: Running) -> None:
    other = httpx.Client(headers={"Accept": "text/html"})
    asked = other.get(f"{monitor.base}/sign-in/openid")
    back = at_provider(other, asked.headers["location"], "ada")
    with httpx.Client(headers={"Accept": "text/html"}) as browser:
        page = browser.get(back)
        assert page.status_code == 401
        assert "not begun here" in page.text
        browser.get(f"{monitor.base}/sign-in/openid")  # begun, but with another state
        assert browser.get(back).status_code == 401
    other.close()


def test_a_code_counts_once_and_next_stays_inside(monitor: Running) -> None:
    browser, page = signed_in(monitor, "ada", "//evil.example/")
    assert page.headers["location"] == "/"
    assert browser.get(str(page.request.url)).status_code == 401
    browser.close()


def test_a_provider_that_is_away_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHY401_OPENID_SECRET", SECRET)
    away = f"http://127.0.0.1:{free_port()}"
    one = Running(
        tmp_path, f"http://127.0.0.1:{free_port()}", more=("--openid", away, "--openid-client", "monitor")
    )
    one.start()
    try:
        page = until(lambda: httpx.get(f"{one.base}/sign-in/openid", headers={"Accept": "text/html"}))
        assert page.status_code == 401
        assert "cannot be reached" in page.text
    finally:
        one.stop()


def test_half_a_setting_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WHY401_OPENID_SECRET", raising=False)
    said = why401("serve", "--data", str(tmp_path), "--openid", "https://id.example", check=False)
    assert said.returncode == 2
    assert "WHY401_OPENID_SECRET" in said.stderr
