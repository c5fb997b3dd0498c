"""Each rule of the family `intermediary`: evidence that triggers it, and a healthy near-miss that does not."""

from __future__ import annotations

import pytest

from why401.checks import intermediary, intermediary_layers
from why401.evidence import (
    Change,
    Demand,
    Evidence,
    Exchange,
    Fields,
    Record,
    Request,
    Response,
    Source,
    Text,
)

AT = Source("case")
BEARER = ("Authorization", "Bearer made-up")
BASIC = ("Authorization", "Basic YTpi")
NOBODY = '{"detail":"Authentication credentials were not provided."}'


def exchange(
    status: int,
    sent: list[tuple[str, str]],
    got: list[tuple[str, str]],
    body: str = "",
    url: str = "https://api.example.com/v1/a",
) -> Exchange:
    request = Request("GET", url, Fields.of(sent))
    return Exchange(1, request, Response(status, "", Fields.of(got), body), AT)


def ids(found: object) -> list[str]:
    return [finding.id for finding in found]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("sent", "got", "body", "cause"),
    [
        ([BEARER], [("Via", "1.1 x.cloudfront.net")], NOBODY, "proxy-stripped-credentials"),
        (
            [BEARER],
            [("X-Powered-By", "PHP/8.1")],
            '{"code":"rest_cannot_create"}',
            "gateway-stripped-credentials",
        ),
        ([BASIC], [("Server", "Apache/2.4")], NOBODY, "gateway-stripped-credentials"),
        ([], [("Via", "1.1 x")], NOBODY, None),
        ([BEARER], [("Via", "1.1 x")], '{"error":"token expired"}', None),
        ([BEARER], [], NOBODY, None),
    ],
)
def test_taken_for_nobody(
    sent: list[tuple[str, str]], got: list[tuple[str, str]], body: str, cause: str | None
) -> None:
    found = list(intermediary.taken_for_nobody(Evidence((exchange(401, sent, got, body),))))
    assert [f for f in found if f.weights.get(cause or "", 0) > 0] if cause else not found


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (Change("drops", "Authorization", AT, "nginx"), "proxy-stripped-credentials"),
        (Change("overwrites", "Cookie", AT, "Varnish"), "proxy-stripped-credentials"),
        (Change("renames", "Authorization", AT, "PHP-FPM"), "gateway-stripped-credentials"),
        (Change("adds", "X-Forwarded-Proto", AT, "nginx"), None),
        (Change("drops", "Server", AT, "nginx"), None),
        (Change("drops", "Set-Cookie", AT, "nginx"), None),
    ],
)
def test_field_changed(change: Change, cause: str | None) -> None:
    found = list(intermediary.field_changed(Evidence(changes=(change,))))
    assert [f.weights[cause] > 0 for f in found] == [True] if cause else not found


def test_lost_on_one_way() -> None:
    inside = exchange(200, [BEARER], [], url="http://10.0.0.4:8080/v1/a")
    outside = exchange(401, [BEARER], [("Via", "1.1 varnish")], NOBODY)
    assert ids(intermediary.lost_on_one_way(Evidence((inside, outside)))) == ["lost-on-one-way"]
    other = exchange(200, [("Authorization", "Bearer another")], [], url="http://10.0.0.4:8080/v1/a")
    assert not ids(intermediary.lost_on_one_way(Evidence((other, outside))))
    elsewhere = exchange(200, [BEARER], [], url="http://10.0.0.4:8080/v1/b")
    assert not ids(intermediary.lost_on_one_way(Evidence((elsewhere, outside))))


def test_arrived_before() -> None:
    good, bad = exchange(200, [BEARER], []), exchange(401, [BEARER], [])
    (found,) = intermediary.arrived_before(Evidence((good, bad)))
    assert found.weights["gateway-stripped-credentials"] < 0
    assert not ids(intermediary.arrived_before(Evidence((exchange(200, [], []), bad))))


@pytest.mark.parametrize(
    ("sent", "challenge", "fires"),
    [
        (BEARER, 'Basic realm="Staging"', True),
        (BEARER, "Bearer", False),
        (BEARER, 'Bearer, Basic realm="x"', False),
        (BASIC, 'Basic realm="x"', False),
    ],
)
def test_basic_asked_of_token(sent: tuple[str, str], challenge: str, fires: bool) -> None:
    asked = exchange(401, [sent], [("Server", "nginx"), ("WWW-Authenticate", challenge)])
    assert bool(ids(intermediary.basic_asked_of_token(Evidence((asked,))))) is fires


def test_basic_taken_by_application() -> None:
    front = Demand("scheme", "Basic", AT, hop="nginx")
    own = exchange(401, [BASIC], [], '{"message":"Invalid username or password"}')
    page = exchange(401, [BASIC], [], "<title>401 Authorization Required</title>")
    assert ids(intermediary.basic_taken_by_application(Evidence((own,), demands=(front,))))
    assert not ids(intermediary.basic_taken_by_application(Evidence((page,), demands=(front,))))
    assert not ids(intermediary.basic_taken_by_application(Evidence((own,))))


def test_proxy_asks() -> None:
    asked = exchange(407, [], [("Proxy-Authenticate", 'Basic realm="p"')])
    assert ids(intermediary.proxy_asks(Evidence((asked,)))) == ["proxy-asks"]
    assert ids(intermediary.proxy_asks(Evidence(records=(Record("x", AT, status=407),)))) == ["proxy-asks"]
    assert not ids(intermediary.proxy_asks(Evidence((exchange(401, [], [("WWW-Authenticate", "Basic")]),))))


@pytest.mark.parametrize(
    ("to", "cause"),
    [
        ("https://team.cloudflareaccess.com/cdn-cgi/access/login", "edge-protection"),
        ("https://vercel.com/sso-api?url=x", "edge-protection"),
        ("/oauth2/start?rd=%2F", "auth-subrequest-rejected"),
        ("/login", None),
    ],
)
def test_gate_in_front(to: str, cause: str | None) -> None:
    found = list(intermediary.gate_in_front(Evidence((exchange(302, [], [("Location", to)]),))))
    assert [cause in f.weights for f in found] == [True] if cause else not found


@pytest.mark.parametrize(
    ("second", "fires"),
    [("http-request auth realm x", True), ("http-request deny if bad", False)],
)
def test_two_layers_ask(second: str, fires: bool) -> None:
    texts = (Text('location / { \n auth_basic "x";\n}', AT, "settings"), Text(second, AT, "settings"))
    assert bool(ids(intermediary_layers.two_layers_ask(Evidence(texts=texts)))) is fires


@pytest.mark.parametrize(("realm", "fires"), [("Reports", True), ("Staging", False)])
def test_another_realm_asks(realm: str, fires: bool) -> None:
    bare = exchange(401, [], [("WWW-Authenticate", 'Basic realm="Staging"')])
    tried = exchange(401, [BASIC], [("WWW-Authenticate", f'Basic realm="{realm}"')])
    assert bool(ids(intermediary_layers.another_realm_asks(Evidence((bare, tried))))) is fires


@pytest.mark.parametrize(("sent", "fires"), [(BEARER, True), (BASIC, False)])
def test_basic_opens_token_refused(sent: tuple[str, str], fires: bool) -> None:
    good, bad = exchange(200, [BASIC], []), exchange(401, [sent], [])
    assert bool(ids(intermediary_layers.basic_opens_token_refused(Evidence((good, bad))))) is fires
