"""Which events are about a refused request, and how they are grouped."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from why401.monitor import grouping, refusal
from why401.monitor.event import Event

ORDERS = "https://api.example.com/orders/17"


@pytest.mark.parametrize(
    ("kind", "message", "status"),
    [
        ("HTTPError", f"401 Client Error: Unauthorized for url: {ORDERS}", 401),
        ("HTTPStatusError", f"Client error '403 Forbidden' for url '{ORDERS}'", 403),
        ("urllib.error.HTTPError", "HTTP Error 407: Proxy Authentication Required", 407),
        ("AxiosError", "Request failed with status code 401", 401),
        ("NotAuthenticated", "Authentication credentials were not provided.", 401),
        ("rest_framework.exceptions.PermissionDenied", "You do not have permission", 403),
        ("UnauthorizedException", "Unauthorized", 401),
        ("ExpiredSignatureError", "Signature has expired", 401),
    ],
)
def test_what_says_that_a_request_was_refused(kind: str, message: str, status: int) -> None:
    found = refusal.said(kind, message)
    assert found is not None
    assert found.status == status
    if ORDERS in message:
        assert (found.host, found.route) == ("api.example.com", "/orders/{}")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("ValueError", "order 401 was not found"),
        ("KeyError", "'credentials'"),
        ("TimeoutError", "GET https://api.example.com/401 took too long"),
        ("HTTPError", "404 Client Error: Not Found for url: https://api.example.com/x"),
        ("PermissionError", "[Errno 13] Permission denied: '/var/lib/shop'"),
        ("IntegrityError", "Key (id)=(403) already exists"),
        ("Error", "read 4011 bytes, authentication took 403 ms"),
    ],
)
def test_what_only_sounds_like_it(kind: str, message: str) -> None:
    assert refusal.said(kind, message) is None


def raised(*lines: str, kind: str = "HTTPException") -> Event:
    source = {str(10 + number): line for number, line in enumerate(lines)}
    frame: Any = {"function": "orders", "line": 10, "source": {"9": "    if user is None:", **source}}
    return {"id": "0" * 32, "kind": "exception", "raised": [{"type": kind, "message": "no", "frames": [frame]}],
            "exchange": {"role": "server", "method": "GET", "url": "https://shop.example/orders/7"}}  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (("raise HTTPException(401, 'no')",), 401),
        (("raise HTTPException(status_code=403)",), 403),
        (("raise HTTPException(", "    status_code=status.HTTP_401_UNAUTHORIZED,", "    detail='no')"), 401),
        (("raise starlette.exceptions.HTTPException(HTTP_407_PROXY_AUTHENTICATION_REQUIRED)",), 407),
        (("    raise self.make_not_authenticated_error()",), 401),
        (("raise HTTPException(404, 'no such 401')",), None),
        (("raise problem",), None),
    ],
)
def test_an_exception_whose_status_stands_in_the_source_alone(
    lines: tuple[str, ...], status: int | None
) -> None:
    found = refusal.of(raised(*lines))
    assert (found.status if found else None) == status
    if found:
        assert (found.host, found.route, found.method) == ("shop.example", "/orders/{}", "GET")
    assert refusal.of(raised(*lines, kind="ValueError")) is None


exchanges = st.fixed_dictionaries(
    {
        "status": st.sampled_from([401, 403, 407]),
        "method": st.sampled_from(["GET", "POST"]),
        "url": st.sampled_from(["https://a.example/x", "https://b.example/x", "https://a.example/y", ORDERS]),
        "answered": st.sampled_from([[], [["WWW-Authenticate", "Basic realm=x"]], [["WWW-Authenticate", "Bearer"]],
                                     [["WWW-Authenticate", 'Bearer error="invalid_token"']]]),
    }
)  # fmt: skip


def key(exchange: dict[str, Any], state: str, more: dict[str, Any]) -> str:
    event: Any = {"id": "0" * 32, "kind": "refusal", "exchange": exchange, **more}
    return grouping.group(event, refusal.of(event), state).key


@given(
    exchanges,
    exchanges,
    st.sampled_from(["", "absent", "expired"]),
    st.sampled_from(["", "absent", "expired"]),
)
def test_refusals_are_one_group_only_where_all_that_tells_them_apart_is_alike(
    one: dict[str, Any], other: dict[str, Any], state: str, other_state: str
) -> None:
    alike = one == other and state == other_state
    assert (key(one, state, {}) == key(other, other_state, {"user": {"id": "7"}, "release": "2"})) is alike


def test_ids_in_a_path_do_not_tell_refusals_apart() -> None:
    one, other = ({"status": 401, "method": "GET", "url": f"https://a.example/orders/{n}"} for n in (7, 8))
    assert key(one, "", {}) == key(other, "", {})


def thrown(*functions: str, kind: str = "ValueError", fingerprint: list[str] | None = None) -> Event:
    frames = [{"function": name, "module": "shop.orders", "line": 7, "in_app": True} for name in functions]
    event: Any = {
        "id": "0" * 32,
        "kind": "exception",
        "raised": [{"type": kind, "message": "x 7", "frames": frames}],
    }
    return {**event, **({"fingerprint": fingerprint} if fingerprint else {})}  # type: ignore[typeddict-item]


def of(event: Event) -> str:
    return grouping.group(event, refusal.of(event), "").key


def test_exceptions_are_grouped_by_type_and_own_frames() -> None:
    assert of(thrown("pay", "order")) == of(thrown("pay", "order"))
    assert of(thrown("pay", "order")) != of(thrown("pay", "refund"))
    assert of(thrown("pay")) != of(thrown("pay", kind="KeyError"))
    elsewhere = thrown("pay", "order")
    elsewhere["raised"][0]["frames"].append(
        {"function": "dispatch", "module": "django.core", "in_app": False}
    )
    assert of(elsewhere) == of(thrown("pay", "order"))


def test_a_fingerprint_of_the_clients_own_decides() -> None:
    assert of(thrown("pay", fingerprint=["checkout"])) == of(thrown("refund", fingerprint=["checkout"]))
    assert of(thrown("pay", fingerprint=["{{ default }}", "eu"])) != of(thrown("pay"))
