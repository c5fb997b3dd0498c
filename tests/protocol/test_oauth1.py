"""OAuth 1.0: the base string of RFC 5849 (section 3.4.1.1) and its signature (section 1.2)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from why401.protocol.oauth1 import base_string, check, encode, signature, verify

# RFC 5849, section 1.2: the request for the photograph
PARAMS = {
    "realm": "Photos",
    "oauth_consumer_key": "dpf43f3p2l4k3l03",
    "oauth_token": "nnch734d00sl2jdk",
    "oauth_signature_method": "HMAC-SHA1",
    "oauth_timestamp": "137131202",
    "oauth_nonce": "chapoH",
    "oauth_signature": "MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D",
}
URL = "http://photos.example.net/photos?file=vacation.jpg&size=original"
CONSUMER, TOKEN = "kd94hf93k423kf44", "pfkkdhi9sl3r4s00"


def test_the_base_string_of_the_standard() -> None:
    oauth = {
        "oauth_consumer_key": "9djdj82h48djs9d2",
        "oauth_token": "kkk9d7dh3k39sjv7",
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": "137131201",
        "oauth_nonce": "7d8f3e4a",
    }
    made = base_string(
        "POST",
        "http://example.com/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b",
        [*oauth.items(), ("c2", ""), ("a3", "2 q")],
    )
    assert made == (
        "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D"
        "%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a"
        "%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
    )


def test_the_signature_of_the_standard() -> None:
    assert verify("GET", URL, PARAMS, CONSUMER, TOKEN) == "as sent"
    assert verify("GET", URL, PARAMS, CONSUMER, "other") is None


@pytest.mark.parametrize(
    ("method", "url", "token", "variant"),
    [
        ("GET", URL.replace("http:", "https:"), TOKEN, "the other scheme in the URL"),
        ("PUT", URL, TOKEN, "the method GET"),
    ],
)
def test_variants(method: str, url: str, token: str, variant: str) -> None:
    assert verify(method, url, PARAMS, CONSUMER, token) == variant


def test_plaintext_is_the_key() -> None:
    assert signature("", "a b", "c", "PLAINTEXT") == "a%20b&c"
    assert signature("", "a", "b", "RSA-SHA1") is None
    assert encode("a~b/\u00e9") == "a~b%2F%C3%A9"


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"oauth_nonce": None}, "missing-parameter"),
        ({"oauth_timestamp": "137131202000"}, "timestamp-skew"),
        ({"oauth_timestamp": "1371312020000"}, "timestamp-in-milliseconds"),
        ({"oauth_timestamp": "now"}, "timestamp"),
    ],
)
def test_checks(change: dict[str, str | None], kind: str) -> None:
    now = datetime.fromtimestamp(137131202, UTC)
    params = {k: v for k, v in {**PARAMS, **change}.items() if v is not None}
    assert [p.kind for p in check(params, now)] == [kind]
    assert not check(PARAMS, now)


@given(st.text(), st.text(), st.dictionaries(st.text(max_size=5), st.text(max_size=5)))
def test_never_raises(method: str, url: str, params: dict[str, str]) -> None:
    verify(method, url, params, "a")
    check(params, datetime(2026, 1, 1, tzinfo=UTC))
