"""Preflights: asked or not, permitted or not."""

from __future__ import annotations

import pytest

from why401.protocol.cors import preflight_problems, preflight_reasons, response_problems, unsafe_headers

ORIGIN = "https://app.example"
GOOD = {
    "Access-Control-Allow-Origin": ORIGIN,
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Allow-Methods": "GET, PUT",
}


@pytest.mark.parametrize(
    ("method", "headers", "asked"),
    [
        ("GET", {}, False),
        ("POST", {"Content-Type": "text/plain; charset=utf-8"}, False),
        ("POST", {"Content-Type": "application/json"}, True),
        ("GET", {"Authorization": "Bearer x"}, True),
        ("GET", {"Accept": "*/*", "User-Agent": "x", "Cookie": "a=b", "Sec-Fetch-Mode": "cors"}, False),
        ("GET", {"X-Api-Key": "x"}, True),
        ("PUT", {}, True),
        ("GET", {"Accept": "x" * 200}, True),
    ],
)
def test_is_it_asked(method: str, headers: dict[str, str], asked: bool) -> None:
    assert bool(preflight_reasons(method, headers)) == asked


@pytest.mark.parametrize(
    ("change", "status", "kinds"),
    [
        ({}, 204, []),
        ({}, 401, ["preflight-refused"]),
        ({}, 302, ["preflight-status"]),
        ({"Access-Control-Allow-Origin": None}, 204, ["no-allow-origin"]),
        ({"Access-Control-Allow-Origin": "*"}, 204, ["star-with-credentials"]),
        ({"Access-Control-Allow-Origin": ORIGIN + "/"}, 204, ["other-origin"]),
        ({"Access-Control-Allow-Origin": f"{ORIGIN}, https://b.example"}, 204, ["several-origins"]),
        ({"Access-Control-Allow-Credentials": None}, 204, ["no-allow-credentials"]),
        ({"Access-Control-Allow-Credentials": "True"}, 204, ["no-allow-credentials"]),
        ({"Access-Control-Allow-Headers": "content-type"}, 204, ["header-not-allowed"]),
        ({"Access-Control-Allow-Headers": "*"}, 204, ["header-not-allowed"]),
        ({"Access-Control-Allow-Methods": "GET"}, 204, ["method-not-allowed"]),
        ({"Access-Control-Allow-Methods": "*"}, 204, ["method-not-allowed"]),
    ],
)
def test_is_it_permitted(change: dict[str, str | None], status: int, kinds: list[str]) -> None:
    response = {k: v for k, v in {**GOOD, **change}.items() if v is not None}
    wanted = unsafe_headers({"Authorization": "x"})
    found = preflight_problems(
        origin=ORIGIN, method="PUT", headers=wanted, credentials=True, status=status, response=response
    )
    assert [problem.kind for problem in found] == kinds


def test_a_star_is_enough_without_credentials_but_for_authorization() -> None:
    star = {f"Access-Control-Allow-{name}": "*" for name in ("Origin", "Headers", "Methods")}

    def kinds(*names: str) -> list[str]:
        found = preflight_problems(
            origin=ORIGIN, method="PUT", headers=names, credentials=False, status=200, response=star
        )
        return [problem.kind for problem in found]

    assert kinds("x-api-key") == []
    assert kinds("authorization") == ["star-without-authorization"]


def test_the_answer_itself() -> None:
    assert not response_problems(
        origin=ORIGIN, credentials=False, response={"access-control-allow-origin": "*"}
    )
    assert response_problems(origin=ORIGIN, credentials=False, response={})[0].kind == "no-allow-origin"
