"""Raw messages, summaries and panels."""

# A table of patterns or samples is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import pytest
from hypothesis import given

from tests.readers.reading import ANYTHING, told
from why401.evidence import Evidence, Source
from why401.readers import http_messages
from why401.readers.http_pairing import pair, settle
from why401.secret import Secret

PAIR = """GET /orders HTTP/1.1
Host: shop.example.com
authorization: Bearer made-up-token-1

HTTP/1.1 401 Unauthorized
WWW-Authenticate: Bearer realm="shop", error="invalid_token"
Content-Type: application/json

{"error": "no"}

Then we tried once more and saw the same.
"""


def read(text: str, name: str = "message.txt") -> Evidence:
    return told(http_messages, text, name)


def test_request_and_response_in_one_text() -> None:
    evidence = read(PAIR)
    (exchange,) = evidence.exchanges
    assert exchange.request.method == "GET"
    assert exchange.request.host == "shop.example.com"
    assert exchange.request.complete
    assert exchange.response is not None
    assert exchange.response.body == '{"error": "no"}'
    (offer,) = evidence.offers
    assert (offer.scheme, offer.value, offer.exchange) == ("Bearer", Secret("made-up-token-1"), 1)
    assert offer.source.line == 3
    assert [(d.respect, d.value) for d in evidence.demands][:2] == [("scheme", "Bearer"), ("realm", "shop")]


def test_scheme_of_a_raw_request_is_not_guessed() -> None:
    assert read(PAIR).exchanges[0].request.url == "/orders"
    same = PAIR.replace("\n\nHTTP", "\nOrigin: https://shop.example.com\n\nHTTP")
    assert read(same).exchanges[0].request.url == "https://shop.example.com/orders"


def test_several_in_sequence() -> None:
    evidence = read(PAIR.partition("\n\nThen")[0] + "\n\n" + PAIR.replace("401", "200"))
    assert [x.status for x in evidence.exchanges] == [401, 200]


@pytest.mark.parametrize(
    ("text", "status", "reason"),
    [
        ("HTTP/2 401\nserver: nginx\n", 401, ""),
        ("HTTP 401 Unauthorized\n", 401, "Unauthorized"),
        ("  HTTP/1.1 403 Forbidden\n  Server: Apache\n", 403, "Forbidden"),
        ('HTTP/1.1 401 Unauthorized\n{"code":"x"}\n', 401, "Unauthorized"),
        ('HTTP/1.1 407 Proxy Authentication Required\nProxy-Authenticate: Basic realm="p"\n', 407, "Proxy Authentication Required"),
    ],
)  # fmt: skip
def test_lone_response(text: str, status: int, reason: str) -> None:
    (exchange,) = read(text).exchanges
    assert exchange.response is not None
    assert (exchange.status, exchange.response.reason) == (status, reason)
    assert not exchange.request.complete  # nothing is known of it


@pytest.mark.parametrize(
    ("line", "method", "url", "status"),
    [
        ('POST /wp-json/x -> 200 {"a":1}', "POST", "/wp-json/x", 200),
        ("GET  http://h.example.com/p      302 Found", "GET", "http://h.example.com/p", 302),
        ("OPTIONS http://localhost:9004/api 401 ()", "OPTIONS", "http://localhost:9004/api", 401),
        ("Octokit::Unauthorized: GET https://api.example.com/a?b=1: 401 - Bad credentials", "GET", "https://api.example.com/a?b=1", 401),
        ("Client error: `POST https://h.example.com/t` resulted in a `401 Unauthorized` response:", "POST", "https://h.example.com/t", 401),
        ("npm http fetch GET 401 https://npm.example.com/@a%2fb 12ms", "GET", "https://npm.example.com/@a%2fb", 401),
        ('https://api.example.com:443 "GET /v1/me HTTP/1.1" 401 12', "GET", "https://api.example.com:443/v1/me", 401),
        ("- GET /api/users returns 401", "GET", "/api/users", 401),
    ],
)  # fmt: skip
def test_summary(line: str, method: str, url: str, status: int) -> None:
    (exchange,) = read(line + "\n").exchanges
    assert (exchange.request.method, exchange.request.url, exchange.status) == (method, url, status)
    assert not exchange.request.complete


def test_summary_with_fields_below() -> None:
    text = "GET http://h/p  302 Found\n  Location: http://h/q\nGET http://h/q  403 Forbidden\n  Cookie: sid=made-up-1\n"
    first, second = read(text).exchanges
    assert first.response is not None
    assert first.response.fields.get("location") == "http://h/q"
    assert second.request.fields.get("cookie") == "sid=made-up-1"


@pytest.mark.parametrize(
    "text",
    [
        '192.0.2.1 - ann [02/Jan/2024:10:00:00 +0000] "GET /x HTTP/1.1" 401 381 "-" "curl/8"\n',
        "GET /api/x 401 3.211 ms - 23\n",
        "The manual says that 401 Unauthorized means that credentials are missing.\nNote: nothing else\n",
        "We GET /lost in the docs.\n",
    ],
)
def test_no_exchange_in_server_logs_and_prose(text: str) -> None:
    assert not read(text).exchanges


OLD_PANEL = """General
Request URL: https://api.example.com/me
Request Method: GET
Status Code: 401 Unauthorized
Response Headers
view source
WWW-Authenticate: Bearer
Request Headers
view source
Accept: */*
Authorization: Bearer made-up-token-1
"""
NEW_PANEL = """Request URL
https://api.example.com/me
Request Method
GET
Status Code
401 Unauthorized
Referrer Policy
no-referrer
www-authenticate
Bearer
:authority
api.example.com
authorization
Bearer made-up-token-1
"""


@pytest.mark.parametrize("text", [OLD_PANEL, NEW_PANEL])
def test_network_panel(text: str) -> None:
    evidence = read(text)
    (exchange,) = evidence.exchanges
    assert (exchange.request.url, exchange.status) == ("https://api.example.com/me", 401)
    assert exchange.response is not None
    assert exchange.response.fields.get("www-authenticate") == "Bearer"
    assert evidence.offers[0].value == Secret("made-up-token-1")


@pytest.mark.parametrize(
    "text",
    [
        '{"method":"POST","path":"/api/x","headers":{"host":"h","authorization":"Basic YTpi"}}',
        "{'method': 'POST', 'url': '/api/x', 'headers': {'Authorization': 'Basic YTpi'}}",
        "{\n  method: 'POST',\n  url: '/api/x',\n  headers: {\n    Authorization: 'Basic YTpi',\n  },\n}",
        'fetch("/api/x", {"headers": {"authorization": "Basic YTpi"}, "method": "POST"});',
    ],
)
def test_request_as_an_object(text: str) -> None:
    evidence = read(text)
    (exchange,) = evidence.exchanges
    assert (exchange.request.method, exchange.request.url) == ("POST", "/api/x")
    assert evidence.offers[0].user == "a"


def test_lone_body_by_its_name() -> None:
    body = '{"code":"rest_forbidden","data":{"status":401}}'
    assert read(body, "response.json").exchanges[0].status == 401
    assert not read(body, "settings.json").exchanges


def test_pairing_a_request_with_two_responses() -> None:
    request = read("GET /x HTTP/1.1\nHost: h\nAuthorization: Basic YTpi\n", "request.http")
    first = read("HTTP/1.1 401 Unauthorized\n\nno\n", "response-http.txt")
    second = read("HTTP/1.1 200 OK\n\nyes\n", "response-https.txt")
    evidence = pair(request + first + second)
    assert [(x.number, x.request.method, x.status) for x in evidence.exchanges] == [
        (1, "GET", 401),
        (2, "GET", 200),
    ]
    assert [o.exchange for o in evidence.offers] == [1, 2]


def test_pairing_leaves_whole_exchanges_alone() -> None:
    evidence = read(PAIR, "a.http") + read(PAIR, "b.http")
    assert pair(evidence) is evidence
    assert settle(evidence).exchanges == evidence.exchanges


def test_secrets_are_in_no_repr() -> None:
    text = (
        PAIR.replace("/orders", "/orders?access_token=made-up-query-1")
        + "GET http://ann:made-up-pw@h/x HTTP/1.1\n"
    )
    assert "made-up" not in repr(read(text))


@given(ANYTHING)
def test_never_raises(text: str) -> None:
    http_messages.sniff("response.json", text)
    settle(http_messages.read(text, Source("response.json")))


@pytest.mark.parametrize(
    "piece",
    ["GET /", "{", '{"headers": {', "GET /x -> ", "a: b\n", "401 ", "HTTP/1.1 401\n\n", "(" * 9, "x" * 50],
)
def test_long_repeated_input_does_not_hang(piece: str) -> None:
    read(piece * (300_000 // len(piece)))


def test_a_fence_ends_what_stands_in_it() -> None:
    text = "```\nHTTP/1.1 401 Unauthorized\nServer: nginx\n\nno\n```\nHost: is prose here\nmore prose\n"
    (exchange,) = read(text).exchanges
    assert exchange.response is not None
    assert (exchange.response.body, len(exchange.response.fields)) == ("no", 1)


def test_requests_in_program_text_are_only_meant() -> None:
    text = "axios({method: 'get', url: '/x', headers: {'Authorization': 'Bearer made-up-1'}})"
    assert not read(text, "app.js").exchanges
    assert read(text, "console.txt").exchanges


def test_postman_collection() -> None:
    text = '{"item":[{"name":"x","request":{"method":"GET","header":[{"key":"X-Api-Key","value":"made-up"}],"url":{"raw":"https://h/x"}}}]}'
    evidence = read(text, "collection.json")
    assert evidence.exchanges[0].request.url == "https://h/x"
    assert evidence.offers[0].name == "X-Api-Key"


def test_fields_after_a_blank_line_are_fields() -> None:
    text = "GET /x HTTP/1.1\n\nHost: h.example.com\nAuthorization: Bearer aa11\n\nHTTP/1.1 401 Unauthorized\n"
    (exchange,) = told(http_messages, text).exchanges
    assert exchange.request.fields.get("authorization") == "Bearer aa11"
    assert exchange.status == 401


def test_a_body_after_a_blank_line_is_a_body() -> None:
    text = "POST /x HTTP/1.1\n\nuser=a&password=b1\n\nHTTP/1.1 401 Unauthorized\n"
    (exchange,) = told(http_messages, text).exchanges
    assert "user=a" in (exchange.request.body or "")


def test_a_basic_value_that_an_encoder_wrapped_is_kept_whole() -> None:
    text = f"GET /x HTTP/1.1\nAuthorization: Basic {'QUJD' * 15}\nREVG\nHost: h\n\nHTTP/1.1 401 No\n"
    (exchange,) = told(http_messages, text).exchanges
    assert (exchange.request.fields.get("authorization") or "").endswith("\nREVG")
    assert exchange.request.fields.get("host") == "h"
