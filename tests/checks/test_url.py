"""Each rule of the families `url` and `cache`: one evidence that sets it off, and one healthy near-miss."""

from __future__ import annotations

import pytest

from tests.checks.test_session import evidence, exchange, ids
from why401.checks.url import near, relation
from why401.evidence import Evidence, Record, Source

A = "https://a.example.com"
AUTH = {"Authorization": "Basic eDp5"}


def logged(method: str, path: str, status: int) -> Evidence:
    return Evidence(records=(Record("", Source("log"), method=method, path=path, status=status),))


REDIRECT = exchange(f"GET {A}/x", 302, AUTH, {"Location": "https://b.example.com/x"})
HIT = {"X-Cache": "Hit from cloudfront"}

RULES = [
    ("odd-path", evidence(exchange(f"GET {A}/v1/v1/me", 401)), evidence(exchange(f"GET {A}/v1/me", 401))),
    (
        "odd-path",
        evidence(exchange(f"GET {A}/u/undefined/x", 401)),
        evidence(exchange(f"GET {A}/u/7/x", 401)),
    ),
    ("odd-path", evidence(exchange(f"GET {A}/api//me", 401)), evidence(exchange(f"GET {A}/api//me", 200))),
    (
        "like-path-works",
        evidence(exchange(f"GET {A}/api/orders", 200), exchange(f"GET {A}/orders", 401)),
        evidence(exchange(f"GET {A}/api/me", 200), exchange(f"GET {A}/admin", 401)),
    ),
    (
        "like-path-works",
        evidence(exchange(f"GET {A}/api/v2/orders", 200), exchange(f"GET {A}/api/v1/orders", 401)),
        evidence(exchange(f"GET {A}/api/v2/orders", 200, AUTH), exchange(f"GET {A}/api/v1/orders", 401)),
    ),
    (
        "near-route",
        evidence(exchange(f"GET {A}/api/user", 401), code='app.get("/api/users", f)'),
        evidence(exchange(f"GET {A}/api/users", 401), code='app.get("/api/users", f)'),
    ),
    (
        "other-server",
        evidence(
            exchange(f"GET {A}/a", 200, given={"Server": "Caddy"}),
            exchange(f"GET {A}/b", 401, given={"Server": "nginx"}),
        ),
        evidence(
            exchange(f"GET {A}/a", 200, given={"Server": "nginx/1.2"}),
            exchange(f"GET {A}/b", 401, given={"Server": "nginx"}),
        ),
    ),
    (
        "two-loopback-servers",
        evidence(exchange("GET http://localhost:80/a", 401), exchange("GET http://127.0.0.1:80/a", 200)),
        evidence(exchange("GET http://localhost:80/a", 401), exchange("GET http://127.0.0.1:81/a", 200)),
    ),
    (
        "two-addresses",
        evidence("nslookup api.example.com gives 10.0.0.5 here and 203.0.113.5 at home"),
        evidence("nslookup api.example.com gives 203.0.113.5 here and 203.0.113.6 at home"),
    ),
    (
        "image-without-registry",
        evidence(
            "$ docker login r.example.com\nLogin Succeeded\n$ docker push team/app:1\ndenied: requested access"
        ),
        evidence(
            "$ docker login r.example.com\n$ docker push r.example.com/team/app:1\ndenied: requested access"
        ),
    ),
    (
        "like-path-works",
        evidence("http://a.example/x/api/list - 401\nhttp://a.example/api/list - OK"),
        evidence("http://a.example/x/api/list - 401\nhttp://b.example/api/list - OK"),
    ),
    (
        "redirect-seen",
        evidence(REDIRECT, "then the program says 401"),
        evidence(exchange(f"GET {A}/x", 302, AUTH, {"Location": "/login"}), "then the program says 401"),
    ),
    (
        "host-field",
        evidence(exchange("GET http://192.0.2.1/a", 401, {"Host": "other.example"})),
        evidence(exchange("GET http://a.example:80/a", 401, {"Host": "a.example"})),
    ),
    (
        "not-a-registry",
        evidence(exchange(f"GET {A}/v2/", 200, given={"Content-Type": "text/html"}, body="<html>")),
        evidence(exchange(f"GET {A}/v2/", 200, given={"Content-Type": "application/json"}, body="{}")),
    ),
    (
        "not-a-registry",
        evidence("$ curl -u a:b https://r.example/v2/\nwelcome\n"),
        evidence("$ curl -u a:b https://r.example/v2/\n{}\n"),
    ),
    (
        "page-for-api",
        evidence(
            exchange(f"GET {A}/api/me", 200, given={"Content-Type": "text/html"}, body="<!doctype html>")
        ),
        evidence(exchange(f"GET {A}/home", 200, given={"Content-Type": "text/html"}, body="<!doctype html>")),
    ),
    (
        "works-over-tls",
        evidence(exchange("GET http://a.example/x", 401), exchange("GET https://a.example/x", 200)),
        evidence(exchange("GET http://a.example/x", 401), exchange("GET https://a.example/y", 200)),
    ),
    ("over-tls", evidence(exchange(f"GET {A}/x", 401)), evidence(exchange("GET http://a.example/x", 401))),
    (
        "over-plain-http",
        evidence(exchange("GET http://a.example/x", 401)),
        evidence(exchange("GET http://localhost/x", 401)),
    ),
    (
        "lost-on-redirect",
        evidence(REDIRECT, exchange("GET https://b.example.com/x", 401)),
        evidence(REDIRECT, exchange("GET https://b.example.com/x", 200)),
    ),
    (
        "lost-on-redirect",
        evidence(exchange(f"GET {A}/x?nonce=1", 302, given={"Location": "/y"}), exchange(f"GET {A}/y", 403)),
        evidence(exchange(f"GET {A}/x", 302, given={"Location": "/login"}), exchange(f"GET {A}/login", 401)),
    ),
    (
        "slash-redirect",
        evidence('"POST /items HTTP/1.1" 307 -\n"POST /items/ HTTP/1.1" 401 -'),
        evidence('"POST /items HTTP/1.1" 307 -\n"POST /items/ HTTP/1.1" 201 -\n"GET /me HTTP/1.1" 401 -'),
    ),
    (
        "redirect-in-notes",
        evidence("got 302 Found\nLocation: https://cdn.example/x\nthen 401 Unauthorized"),
        evidence("got 302 Found\nLocation: https://a.example/login\nthen 401 Unauthorized"),
    ),
    (
        "preflight-refused",
        evidence(exchange(f"OPTIONS {A}/x", 401, {"Access-Control-Request-Method": "GET"})),
        evidence(exchange(f"OPTIONS {A}/x", 204, {"Access-Control-Request-Method": "GET"})),
    ),
    (
        "preflight-passes",
        evidence(exchange(f"OPTIONS {A}/x", 204), exchange(f"GET {A}/x", 401)),
        evidence(exchange(f"OPTIONS {A}/x", 204), exchange(f"GET {A}/x", 200)),
    ),
    ("preflight-logged", logged("OPTIONS", "/x", 401), logged("GET", "/x", 401)),
    (
        "no-rule-for-options",
        evidence("the preflight fails", code=".anyRequest().authenticated()"),
        evidence(
            "the preflight fails",
            code=".requestMatchers(HttpMethod.OPTIONS).permitAll().anyRequest().authenticated()",
        ),
    ),
    (
        "cache-told",
        evidence(exchange(f"GET {A}/x", 401, given=HIT)),
        evidence(exchange(f"GET {A}/x", 200, given=HIT)),
    ),
    (
        "cache-storable",
        evidence(exchange(f"GET {A}/x", 401, given={"Cache-Control": "public, max-age=60"})),
        evidence(exchange(f"GET {A}/x", 401, given={"Cache-Control": "no-store"})),
    ),
    (
        "cache-query",
        evidence(exchange(f"GET {A}/x", 401), exchange(f"GET {A}/x?1=1", 200)),
        evidence(exchange(f"GET {A}/x", 401), exchange(f"GET {A}/x?api_key=1", 200)),
    ),
    ("cache-told", evidence("HTTP/2 401 \nage: 12\n"), evidence("HTTP/2 401 \nage: 0\n")),
    (
        "cache-passed",
        evidence(exchange(f"GET {A}/x", 401)) + logged("GET", "/x", 401),
        logged("GET", "/x", 401),
    ),
    (
        "nginx-cache-any",
        evidence("proxy_cache_valid any 1m;"),
        evidence("proxy_cache_valid 200 1m;"),
    ),
    (
        "airtunes",
        evidence("HTTP/1.1 403 Forbidden\nServer: AirTunes/675.4.1"),
        evidence("HTTP/1.1 403 Forbidden\nServer: Werkzeug/3.0"),
    ),
]


@pytest.mark.parametrize(("rule", "sick", "healthy"), RULES, ids=[f"{n}-{r[0]}" for n, r in enumerate(RULES)])
def test_rule(rule: str, sick: Evidence, healthy: Evidence) -> None:
    assert rule in ids(sick)
    assert rule not in ids(healthy)


@pytest.mark.parametrize(
    ("good", "bad", "how"),
    [
        ("/a/b/", "/a/b", "a slash at the end"),
        ("/Api/x", "/api/x", "upper and lower case"),
        ("/api/x", "/api//x", "a doubled slash"),
        ("/api/users", "/users", "a prefix"),
        ("/v1/users", "/v2/users", "the version"),
        ("/api/users", "/api/user", "one or two letters"),
        ("/api/public", "/api/secret", None),
        ("/items/12", "/items/13", None),
        ("/a", "/a", None),
    ],
)
def test_relation(good: str, bad: str, how: str | None) -> None:
    assert relation(good, bad) == how


@pytest.mark.parametrize(
    ("one", "two", "alike"),
    [
        ("orders", "order", True),
        ("orders", "odrers", True),
        ("order", "older", True),
        ("alpha", "omega", False),
    ],
)
def test_near(one: str, two: str, alike: bool) -> None:
    assert near(one, two) is alike
