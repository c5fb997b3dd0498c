"""What clients leave out at a redirect."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from why401.protocol.redirects import CLIENTS, changes, dropped

A = "https://a.example/x"


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        (A, "https://a.example/y", {"same-origin"}),
        (A, "https://a.example:443/y", {"same-origin"}),
        (A, "/y", {"same-origin"}),
        (A, "https://b.example/", {"other-host"}),
        (A, "https://b.a.example/", {"subdomain"}),
        (A, "https://a.example:8443/", {"other-port"}),
        ("http://a.example/", A, {"upgrade"}),
        (A, "http://a.example/", {"downgrade"}),
        ("http://a.example:8080/", "https://a.example:8443/", {"upgrade", "other-port"}),
        (A, "http://[", {"other-host"}),
    ],
)
def test_changes(one: str, two: str, expected: set[str]) -> None:
    assert changes(one, two) == expected


@pytest.mark.parametrize(
    ("client", "to", "lost"),
    [
        ("curl", "https://b.example/", True),
        ("curl", "https://a.example:8443/", True),
        ("curl", "https://a.example/y", False),
        ("requests", "https://b.example/", True),
        ("requests", "https://a.example/y", False),
        ("httpx", "https://a.example:8443/", True),
        ("urllib", "https://b.example/", False),
        ("go", "https://b.a.example/", False),
        ("go", "https://b.example/", True),
        ("axios", "https://b.a.example/", False),
        ("browser", "https://b.a.example/", True),
        ("dotnet", "https://a.example/y", True),
        ("wget", "https://b.example/", False),
        ("nobody-knows", "https://b.example/", False),
    ],
)
def test_authorization(client: str, to: str, lost: bool) -> None:
    assert ("authorization" in dropped(client, A, to, 302)) == lost


def test_an_upgrade_keeps_it_at_some() -> None:
    lost = {name for name in CLIENTS if "authorization" in dropped(name, "http://a.example/", A, 301)}
    assert "requests" not in lost
    assert "httpx" not in lost
    assert {"curl", "aiohttp", "okhttp"} <= lost


def test_a_downgrade_is_not_followed_by_all() -> None:
    assert dropped("dotnet", A, "http://a.example/", 302) == ("redirect",)


@pytest.mark.parametrize(
    ("status", "method", "lost"),
    [
        (301, "POST", True),
        (302, "POST", True),
        (303, "PUT", True),
        (307, "POST", False),
        (308, "POST", False),
        (302, "HEAD", False),
    ],
)
def test_method(status: int, method: str, lost: bool) -> None:
    assert ("method" in dropped("curl", A, A, status, method)) == lost


@given(st.sampled_from([*CLIENTS, "?"]), st.text(), st.text(), st.integers(), st.text(max_size=5))
def test_never_raises(client: str, one: str, two: str, status: int, method: str) -> None:
    dropped(client, one, two, status, method)
