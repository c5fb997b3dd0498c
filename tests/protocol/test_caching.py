"""Signs of a stored answer, and answers that only look so."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from why401.protocol.caching import directives, facts, from_cache

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "cached"),
    [
        ({}, None),
        ({"Age": "0"}, None),
        ({"Age": "17"}, True),
        ({"CF-Cache-Status": "HIT"}, True),
        ({"CF-Cache-Status": "DYNAMIC"}, False),
        ({"X-Cache": "Hit from cloudfront"}, True),
        ({"X-Cache": "Error from cloudfront"}, False),
        ({"X-Cache": "MISS, HIT"}, True),
        ({"X-Cache-Status": "MISS"}, False),
        ({"X-Varnish": "1 2"}, True),
        ({"X-Varnish": "1"}, None),
        ({"Cache-Status": "edge; hit; ttl=30"}, True),
        ({"Cache-Status": "edge; fwd=miss"}, False),
        ({"Via": "1.1 proxy"}, None),
    ],
)
def test_from_cache(headers: dict[str, str], cached: bool | None) -> None:
    assert from_cache(facts(headers)) is cached


def kinds(headers: dict[str, str], *, authorization: bool = True) -> set[str]:
    return {fact.kind for fact in facts(headers, now=NOW, request_authorization=authorization)}


def test_what_may_be_stored() -> None:
    assert kinds({"Cache-Control": "public, max-age=60"}) == {"storable", "vary"}
    assert kinds({"Cache-Control": "public, max-age=60", "Vary": "Authorization"}) == {"storable"}
    assert kinds({"Cache-Control": "max-age=60"}) == set()  # RFC 9111, section 3.5
    assert kinds({"Cache-Control": "max-age=60"}, authorization=False) == {"storable"}
    assert kinds({"Cache-Control": "private, max-age=60"}) == {"private"}
    assert kinds({"Cache-Control": "no-store"}) == {"no-store"}
    assert kinds({"Cache-Control": "max-age=0"}, authorization=False) == set()


def test_an_old_date() -> None:
    assert kinds({"Date": "Thu, 01 Jan 2026 11:00:00 GMT"}) == {"old-date"}
    assert kinds({"Date": "Thu, 01 Jan 2026 11:59:59 GMT"}) == set()
    assert kinds({"Date": "nonsense"}) == set()


def test_directives() -> None:
    assert directives('Max-Age=60, private="a, b", no-store') == {
        "max-age": "60",
        "private": "a, b",
        "no-store": None,
    }


@given(st.dictionaries(st.sampled_from(["Age", "Date", "Cache-Control", "X-Cache", "Via"]), st.text()))
def test_never_raises(headers: dict[str, str]) -> None:
    facts(headers, now=NOW)
