"""HAR files, whole and broken, with and without what is sensitive."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given

from tests.readers.reading import ANYTHING, told
from why401.evidence import Evidence, Source
from why401.readers import har


def entry(url: str = "https://h.example.com/x", status: int = 401, **changes: Any) -> dict[str, Any]:
    return {
        "startedDateTime": "2024-05-06T07:08:09.123Z",
        "request": {
            "method": "GET",
            "url": url,
            "httpVersion": "h2",
            "headers": [{"name": n, "value": v} for n, v in changes.pop("asked", {"accept": "*/*"}).items()],
        },
        "response": {
            "status": status,
            "statusText": "",
            "headers": [
                {"name": n, "value": v} for n, v in changes.pop("answered", {"server": "nginx"}).items()
            ],
            "content": changes.pop("content", {"mimeType": "text/plain", "text": "no"}),
            "redirectURL": changes.pop("redirect", ""),
        },
    } | changes


def text_of(*entries: dict[str, Any], creator: str = "WebInspector", indent: int | None = None) -> str:
    log = {"version": "1.2", "creator": {"name": creator, "version": "1"}, "entries": list(entries)}
    return json.dumps({"log": log}, indent=indent)


def read(text: str) -> Evidence:
    return told(har, text, "session.har")


def test_entry() -> None:
    asked = {"authorization": "Bearer made-up-token", "cookie": "sid=made-up"}
    evidence = read(text_of(entry(asked=asked, answered={"www-authenticate": "Bearer"}), indent=2))
    (exchange,) = evidence.exchanges
    assert (exchange.status, exchange.client) == (401, "browser")
    assert exchange.time is not None
    assert exchange.source.line is not None
    assert exchange.source.line > 1
    assert exchange.request.complete
    assert exchange.response is not None
    assert exchange.response.body == "no"
    assert {(o.place, o.name) for o in evidence.offers} == {("field", "authorization"), ("cookie", "sid")}
    assert evidence.demands[0].value == "Bearer"


def test_sanitised_by_chrome_is_unknown_not_absent() -> None:
    assert not read(text_of(entry())).exchanges[0].request.complete
    assert read(text_of(entry(), creator="mitmproxy har_dump")).exchanges[0].request.complete
    with_cookie = text_of(entry(), entry(asked={"cookie": "a=b"}))
    assert read(with_cookie).exchanges[0].request.complete


def test_broken_off() -> None:
    whole = text_of(
        entry("https://h.example.com/1"), entry("https://h.example.com/2"), entry("https://h.example.com/3")
    )
    evidence = read(whole[: whole.index("/3") - 5])
    assert len(evidence.exchanges) == 2
    assert "after 2 whole entries" in evidence.unreadable[0].says


def test_no_entries_and_odd_entries() -> None:
    assert "no list of entries" in read('{"log": {"version": "1.2"}}').unreadable[0].says
    evidence = read('{"log":{"entries":[1,{"request":{}}]}}')
    assert len(evidence.unreadable) == 1
    assert len(evidence.exchanges) == 1


def test_bodies() -> None:
    coded = {
        "text": base64.b64encode(b'{"error":"x"}').decode(),
        "encoding": "base64",
        "mimeType": "application/json",
    }
    big = {"text": "x" * 100_000, "mimeType": "text/html"}
    refused, fine = read(text_of(entry(content=coded), entry(status=200, content=big))).exchanges
    assert refused.response is not None
    assert refused.response.body == '{"error":"x"}'
    assert fine.response is not None
    assert fine.response.body is None


def test_blocked_and_redirected() -> None:
    blocked = entry(status=0, _error="net::ERR_BLOCKED_BY_RESPONSE")
    moved = entry(status=302, redirect="https://i.example.com/")
    cookie = entry(
        _blockedResponseCookies=[
            {"cookie": {"name": "sid", "value": "made-up"}, "blockedReasons": ["SameSiteLax"]}
        ]
    )
    evidence = read(text_of(blocked, moved, cookie))
    assert evidence.exchanges[0].response is None
    assert evidence.exchanges[1].response is not None
    assert evidence.exchanges[1].response.fields.get("location") == "https://i.example.com/"
    words = " ".join(t.content for t in evidence.texts)
    assert "ERR_BLOCKED" in words
    assert "SameSiteLax" in words
    assert "made-up" not in words


@pytest.mark.parametrize("text", ["{}", '{"name": "x"}', "a log with entries", '[{"log": 1}]'])
def test_other_files_are_no_har(text: str) -> None:
    assert not har.sniff("x.json", text)


def test_secrets_are_in_no_repr() -> None:
    asked = {"authorization": "Bearer made-up-token", "cookie": "sid=made-up"}
    assert "made-up" not in repr(read(text_of(entry("https://h/?token=made-up", asked=asked))))


@given(ANYTHING)
def test_never_raises(text: str) -> None:
    har.sniff("x.har", text)
    har.read(text, Source("x.har"))
    har.read('{"log":{"entries":[' + text, Source("x.har"))


@pytest.mark.parametrize("piece", ["[", '{"request":', '{"request":{}},', '"creator":{'])
def test_long_repeated_input_does_not_hang(piece: str) -> None:
    har.read('{"log":{"entries":[' + piece * (200_000 // len(piece)), Source("x.har"))
