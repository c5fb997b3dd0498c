"""Cookies, row by row as a browser keeps them, and why it does not."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from why401.protocol.cookies import (
    CookieJar,
    limits,
    parse_cookie,
    parse_date,
    parse_set_cookie,
    same_site,
    why_not_sent,
)

from .data.cookies import DATES, ROWS

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("url", "values", "asked", "sent"), ROWS, ids=[f"{i}-{r[1]!r:.50}" for i, r in enumerate(ROWS)]
)
def test_rows(url: str, values: list[str], asked: str, sent: str) -> None:
    jar = CookieJar(NOW)
    jar.store(url, values)
    assert jar.header_for(asked) == sent


@pytest.mark.parametrize(("text", "expected"), DATES)
def test_dates(text: str, expected: str | None) -> None:
    found = parse_date(text)
    assert (found.isoformat() if found else None) == expected


@pytest.mark.parametrize(
    ("url", "value", "kind"),
    [
        ("https://a.example/", "s=1", "stored"),
        ("https://a.example/", "s", "no-name"),
        ("https://a.example/", "s=\x01", "control-character"),
        ("https://a.example/", "s=" + "x" * 5000, "too-large"),
        ("http://a.example/", "s=1; Secure", "secure-over-http"),
        ("https://a.example/", "s=1; Domain=b.example", "domain-mismatch"),
        ("http://192.0.2.7/", "s=1; Domain=example.com", "domain-is-address"),
        ("https://a.co.uk/", "s=1; Domain=co.uk", "public-suffix"),
        ("https://a.example/", "s=1; SameSite=None", "same-site-none-without-secure"),
        ("https://a.example/", "__Host-s=1; Secure", "host-prefix"),
        ("https://a.example/", "__Secure-s=1", "secure-prefix"),
        ("https://a.example/", "s=1; Max-Age=0", "expired"),
        ("not a url", "s=1; Domain=x.example", "domain-mismatch"),
    ],
)
def test_verdicts(url: str, value: str, kind: str) -> None:
    verdict = CookieJar(NOW).store(url, [value])[0]
    assert verdict.kind == kind
    assert verdict.stored == (kind == "stored")
    assert "xxxxx" not in verdict.says


def test_http_may_not_replace_a_secure_cookie() -> None:
    jar = CookieJar(NOW)
    verdicts = jar.store("https://a.example/", ["s=1; Secure"]) + jar.store("http://a.example/", ["s=2"])
    assert [v.kind for v in verdicts] == ["stored", "overwrites-secure"]


def test_a_cookie_is_deleted_only_under_its_own_path() -> None:
    jar = CookieJar(NOW)
    jar.store("https://a.example/x/y", ["s=1; Path=/", "s=; Max-Age=0"])
    assert jar.header_for("https://a.example/") == "s=1"


@pytest.mark.parametrize(
    ("attributes", "keywords", "why"),
    [
        ("", {}, None),
        ("SameSite=Strict", {"same_site": False}, "Strict"),
        ("SameSite=Lax", {"same_site": False}, None),
        ("SameSite=Lax", {"same_site": False, "top_level_navigation": False}, "Lax"),
        ("SameSite=Lax", {"same_site": False, "method": "POST"}, "POST"),
        ("", {"same_site": False, "top_level_navigation": False}, "counts as Lax"),
        ("SameSite=None; Secure", {"same_site": False, "top_level_navigation": False}, None),
        ("Max-Age=60", {"now": NOW + timedelta(minutes=2)}, "expired"),
    ],
)
def test_why_not_sent(attributes: str, keywords: dict[str, bool], why: str | None) -> None:
    cookie = CookieJar(NOW).store("https://a.example/", [f"s=1; {attributes}"])[0].cookie
    assert cookie is not None
    says = why_not_sent(cookie, "https://a.example/", **keywords)  # type: ignore[arg-type]
    assert says is None if why is None else says is not None and why in says


def test_cookie_fields() -> None:
    found = parse_cookie("a=1; b=2;a=3")
    assert found.pairs == (("a", "1"), ("b", "2"), ("a", "3"))
    assert (found.duplicates, found.size, found.problems) == (("a",), 12, ())
    assert parse_cookie("a=1; Path=/; HttpOnly").problems[-1].kind == "attributes-sent"
    assert parse_cookie("a=1, b=2").problems[0].kind == "comma-joined"
    assert parse_cookie("Cookie: a=1").problems[0].kind == "field-name-in-value"
    assert parse_cookie("session").problems[0].kind == "no-equals"
    assert not parse_cookie("a=1,2; b={}").problems


def test_sites() -> None:
    assert same_site("https://a.example.com/", "https://b.example.com/")
    assert not same_site("http://a.example.com/", "https://a.example.com/")
    assert not same_site("https://a.github.io/", "https://b.github.io/")
    assert not same_site("https://a.co.uk/", "https://b.co.uk/")


def test_limits() -> None:
    assert limits([("a", "x" * 9000)])
    assert limits([("a", "")] * 200)
    assert not limits([("a", "b")])


_text = st.text(alphabet=st.sampled_from(list("aZ09=;, .:-/\t\x00é")) | st.characters(), max_size=60)


@given(_text, st.lists(_text, max_size=3), _text)
def test_never_raises(url: str, values: list[str], asked: str) -> None:
    jar = CookieJar(NOW)
    for base in (url, "https://a.example/" + url):
        jar.store(base, values)
        jar.cookies_for(asked)
    for value in values:
        for problem in (*parse_set_cookie(value).problems, *parse_cookie(value).problems):
            assert 0 <= problem.span[0] <= problem.span[1] <= len(value)
        parse_date(value)


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2069, 12, 31)))
def test_dates_round_trip(moment: datetime) -> None:
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    assert parse_date(moment.strftime("%a, %d %b %Y %H:%M:%S GMT")) == moment


@pytest.mark.parametrize("unit", [";", "a=b;", " ", "=", "1:1:1 ", "1", "\x00", "expires="])
def test_long_values_take_little_time(unit: str) -> None:
    start = time.perf_counter()
    value = unit * (100_000 // len(unit))
    CookieJar(NOW).store("https://a.example/", [value])
    parse_date(value)
    parse_cookie(value)
    assert time.perf_counter() - start < 2
