"""Tokens read, dated and described; near-misses of identifiers."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from why401.protocol.jwt import decode, find, harmless_claims, near, state_at, token_type


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def token(claims: object, **header: Any) -> str:
    return f"{part({'alg': 'RS256', **header})}.{part(claims)}.c2lnbmF0dXJl"


# RFC 7515, appendix A.1
RFC7515 = (
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
)


def test_the_example_of_the_standard() -> None:
    jwt = decode(RFC7515)
    assert jwt.header == {"typ": "JWT", "alg": "HS256"}
    assert jwt.claims["iss"] == "joe"
    assert (jwt.parts, jwt.signature_length, jwt.problems) == (3, 32, ())


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("abc", "parts"),
        (f"{part({'alg': 'RS256'})}.{part({})}", "parts"),
        (RFC7515[:60] + "...", "truncated"),
        (RFC7515[:60] + "\u2026", "truncated"),
        (RFC7515.replace(".", "\n.", 1), "whitespace"),
        (f'"{RFC7515}"', "quoted"),
        (RFC7515 + "=", "padded"),
        ("a$b." + RFC7515.partition(".")[2], "not-base64url"),
        ("YWJj." + RFC7515.partition(".")[2], "not-json"),
        ("WzFd." + RFC7515.partition(".")[2], "not-object"),
        (f"{part({'alg': 'none'})}.{part({})}.", "alg-none"),
        (f"{part({'alg': 'RS256'})}.{part({})}.", "no-signature"),
        (token({}, alg=None), "no-alg"),
        (f"{part({'alg': 'dir', 'enc': 'A256GCM'})}..aaaa.bbbb.cccc", "encrypted"),
        (token({"exp": 1_700_000_000_000}), "time-in-milliseconds"),
        (token({"exp": "1700000000"}), "time-not-number"),
        (token({"sub": 1}), "sub-not-string"),
        (token({"aud": ["a", "b"]}), "aud-list"),
        (token({"aud": 1}), "aud-not-string"),
        (token({}, crit=["exp"]), "critical"),
    ],
)
def test_problems(text: str, kind: str) -> None:
    assert decode(text).has(kind)


def test_a_sound_token_has_none() -> None:
    assert not decode(
        token({"iss": "https://a.example", "aud": "b", "sub": "c", "exp": 1_700_000_000})
    ).problems


@pytest.mark.parametrize(
    ("claims", "at", "kinds"),
    [
        ({"exp": 1000}, 999.0, ["expires-soon"]),
        ({"exp": 1000}, 100.0, []),
        ({"exp": 1000}, 1000.0, ["expired"]),
        ({"exp": 1000}, 1029.0, ["expires-soon"]),
        ({"exp": 2000, "nbf": 1500}, 1000.0, ["not-yet"]),
        ({"exp": 2000, "nbf": 1020}, 1000.0, []),
        ({"exp": 2000, "iat": 1100}, 1000.0, ["issued-in-future"]),
        ({"iat": 1}, 1000.0, ["never-expires"]),
        ({"exp": 1_700_000_000_000}, 1_700_000_100.0, ["expired"]),
        ({"exp": float("inf")}, 1000.0, ["never-expires"]),
    ],
)
def test_states(claims: dict[str, Any], at: float, kinds: list[str]) -> None:
    leeway = 30 if at != 1000.0 or "exp" not in claims or claims["exp"] != 1000 else 0
    states = state_at(decode(token(claims)), datetime.fromtimestamp(at, UTC), leeway)
    assert [state.kind for state in states] == kinds
    assert all(state.seconds >= 0 for state in states)


def test_how_long_ago() -> None:
    (state,) = state_at(decode(token({"exp": 1000})), datetime.fromtimestamp(1000 + 3 * 86400, UTC))
    assert (state.seconds, state.says) == (3 * 86400, "The token expired 3 days ago.")


def test_find() -> None:
    text = f"curl -H 'Authorization: Bearer {RFC7515}' https://a.example/?eyJ=1&t={RFC7515}, done."
    assert [found for _, found in find(text)] == [RFC7515, RFC7515]
    assert all(text[start:end] == found for (start, end), found in find(text))
    assert find(f"see {RFC7515}.")[0][1] == RFC7515
    assert find("eyJhbGciOiJIUzI1NiJ9 is a header") == []


@pytest.mark.parametrize(
    ("claims", "header", "kind"),
    [
        ({"scope": "read"}, {}, "access-token"),
        ({"scp": ["read"]}, {}, "access-token"),
        ({"sub": "a"}, {"typ": "at+jwt"}, "access-token"),
        ({"token_use": "id"}, {}, "id-token"),
        ({"nonce": "x", "email": "a@b.example"}, {}, "id-token"),
        ({"typ": "Refresh"}, {}, "refresh-token"),
        ({"token_type": "refresh"}, {}, "refresh-token"),
        ({"htm": "GET"}, {"typ": "dpop+jwt"}, "dpop-proof"),
        ({"sub": "a"}, {}, "jwt"),
    ],
)
def test_token_type(claims: dict[str, Any], header: dict[str, Any], kind: str) -> None:
    assert token_type(token(claims, **header)) == kind
    assert token_type("ghp_abc") == "opaque"


def test_harmless_claims_never_name_the_person() -> None:
    private = {"sub": "a", "email": "b", "name": "c", "jti": "d", "preferred_username": "e"}
    shown = harmless_claims(decode(token({**private, "iss": "i", "aud": ["x"], "scope": "s"}, kid="k")))
    assert shown == {"alg": "RS256", "kid": "k", "iss": "i", "aud": ["x"], "scope": "s"}


@pytest.mark.parametrize(
    ("a", "b", "kind"),
    [
        ("https://a.example/", "https://a.example", "trailing-slash"),
        ("http://a.example", "https://a.example", "scheme"),
        ("https://A.example", "https://a.example", "case"),
        ("https://a.example:8443", "https://a.example", "port"),
        ("https://a.example/auth/realms/x", "https://a.example/realms/x", "path"),
        ("https://a.example/realms/x", "https://a.example/realms/y", "path"),
        ("https://l.example/t/v2.0", "https://l.example/t", "version"),
        ("https://l.example/v1/t", "https://l.example/v2/t", "version"),
        ("api://1b2c", "1b2c", "api-prefix"),
        ("a.example", "https://a.example", "no-scheme"),
        ("https://dev.a.example", "https://prod.a.example", "host"),
        ("audience ", "audience", "whitespace"),
        ("a%2Fb", "a/b", "percent-encoding"),
        ("https://a.example", "https://a.example", None),
        ("https://one.test/x", "https://two.other/y", None),
        ("orders", "payments", None),
        ("", "x", None),
    ],
)
def test_near(a: str, b: str, kind: str | None) -> None:
    assert near(a, b) == kind
    assert near(b, a) == kind


_junk = st.text(alphabet=st.sampled_from(list("eyJab._-=+/ \n'\"\u2026")), max_size=60) | st.text(max_size=60)


@given(_junk)
def test_never_raises(text: str) -> None:
    for problem in decode(text).problems:
        assert 0 <= problem.span[0] <= problem.span[1] <= len(text)
    for (start, end), found in find(text):
        assert text[start:end] == found
    token_type(text)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(
    st.dictionaries(st.sampled_from(["exp", "nbf", "iat", "aud", "iss", "sub", "scope", "scp", "typ"]), _json)
)
def test_any_claims_are_read(claims: dict[str, Any]) -> None:
    jwt = decode(token(claims))
    state_at(jwt, datetime(2026, 1, 1, tzinfo=UTC))
    token_type(jwt)
    json.dumps(harmless_claims(jwt))


@given(st.text(max_size=40), st.text(max_size=40))
def test_near_never_raises(a: str, b: str) -> None:
    assert near(a, b) == near(b, a)
