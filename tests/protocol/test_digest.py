"""Digest responses against the vectors of the standards, and the readings that explain a wrong one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from why401.protocol import credentials
from why401.protocol.digest import mismatches, parse, response, supported, user_hash, verify

# RFC 7616, section 3.9.1
_RFC7616: dict[str, Any] = {
    "user": "Mufasa",
    "password": "Circle of Life",
    "realm": "http-auth@example.org",
    "nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
    "uri": "/dir/index.html",
    "method": "GET",
    "qop": "auth",
    "nc": "00000001",
    "cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
}
_RFC2617: dict[str, Any] = {
    "user": "Mufasa",
    "password": "Circle Of Life",
    "realm": "testrealm@host.com",
    "nonce": "dcd98b7102dd2f0e8b11d0f600bfb0c093",
    "uri": "/dir/index.html",
    "method": "GET",
}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({**_RFC7616, "algorithm": "MD5"}, "8ca523f5e9506fed4657c9700eebdbec"),
        (
            {**_RFC7616, "algorithm": "SHA-256"},
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        ),
        (
            {**_RFC2617, "qop": "auth", "nc": "00000001", "cnonce": "0a4f113b"},
            "6629fae49393a05397450978507c4ef1",
        ),
        (_RFC2617, "670fd8c2df070c60b045671b8b24ff02"),  # the same without qop, as RFC 2069 has it
    ],
)
def test_vectors(values: dict[str, Any], expected: str) -> None:
    assert response(**values) == expected


@pytest.mark.skipif(not supported("SHA-512-256"), reason="this OpenSSL has no SHA-512/256")
def test_sha_512_256_and_userhash() -> None:
    # RFC 7616, section 3.9.2, with the erratum: the algorithm is the true SHA-512/256.
    made = response(
        user="J\u00e4s\u00f8n Doe",
        password="Secret, or not?",
        realm="api@example.org",
        nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
        uri="/doe.json",
        method="GET",
        algorithm="SHA-512-256",
        qop="auth",
        nc="00000001",
        cnonce="NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
    )
    assert made == "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"
    hashed = user_hash("J\u00e4s\u00f8n Doe", "api@example.org", "SHA-512-256")
    assert hashed == "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"


def test_an_unknown_algorithm_gives_nothing() -> None:
    assert response(**{**_RFC2617, "algorithm": "ROT13"}) is None


def _sent(**change: Any) -> str:
    values = {**_RFC7616, "algorithm": "MD5", **change}
    shown = {k: values[k] for k in ("realm", "nonce", "uri", "qop", "nc", "cnonce", "algorithm")}
    fields = ", ".join(f'{k}="{v}"' for k, v in shown.items())
    return f'Digest username="{values["user"]}", {fields}, response="{response(**values)}"'


_CHALLENGE = {k: _RFC7616[k] for k in ("realm", "nonce")} | {"qop": "auth", "algorithm": "MD5"}


def _verified(value: str, **change: Any) -> tuple[bool, tuple[str, ...]]:
    known = {"method": "GET", "user": _RFC7616["user"], "password": _RFC7616["password"], **change}
    found = verify(_CHALLENGE, parse(credentials.parse(value).params), **known)
    assert found.says
    return found.matches, found.variant


def test_a_right_response_is_proved() -> None:
    assert _verified(_sent()) == (True, ())
    assert _verified(_sent(algorithm="MD5-sess")) == (True, ())
    assert _verified(_sent(qop="auth-int", body=b"x"), body=b"x") == (True, ())


def test_a_wrong_password_is_not_explained_away() -> None:
    assert _verified(_sent(password="circle of life")) == (False, ())


@pytest.mark.parametrize(
    ("change", "known", "variant"),
    [
        (
            {"uri": "/inner/index.html"},
            {"candidate_uris": ["/inner/index.html"]},
            "the URI /inner/index.html",
        ),
        (
            {"password": "caf\u00e9".encode("latin-1")},
            {"password": "caf\u00e9"},
            "the password as ISO-8859-1",
        ),
        ({"password": "Circle of Life\n"}, {}, "a line break after the password"),
        ({"algorithm": "SHA-256"}, {}, "the algorithm SHA-256"),
        ({"method": "POST"}, {}, "the method POST"),
        ({"password": ""}, {}, "an empty password"),
        ({"qop": ""}, {}, "qop left out of it"),
    ],
)
def test_variants(change: dict[str, Any], known: dict[str, Any], variant: str) -> None:
    made = response(**{**_RFC7616, "algorithm": "MD5", **change})
    shown = _sent().rpartition('response="')[0] + f'response="{made}"'
    assert _verified(shown, **known) == (True, (variant,))


def test_two_things_wrong_at_once() -> None:
    made = response(**{**_RFC7616, "algorithm": "SHA-256", "password": "Circle of Life\n"})
    matches, variant = _verified(_sent().rpartition('response="')[0] + f'response="{made}"')
    assert matches
    assert len(variant) == 2


@pytest.mark.parametrize(
    ("challenge", "target", "kinds"),
    [
        ({}, "/dir/index.html", []),
        ({"nonce": "other"}, "/dir/index.html", ["nonce"]),
        ({"realm": "other"}, "/dir/index.html", ["realm"]),
        ({"opaque": "x"}, "/dir/index.html", ["opaque"]),
        ({"algorithm": "SHA-256"}, "/dir/index.html", ["algorithm"]),
        ({"qop": ""}, "/dir/index.html", ["qop-not-offered"]),
        ({"qop": "auth-int"}, "/dir/index.html", ["qop"]),
        ({}, "/app/dir/index.html", ["uri"]),
        ({}, "/dir/index.html?x=1", ["uri"]),
    ],
)
def test_mismatches(challenge: dict[str, str], target: str, kinds: list[str]) -> None:
    sent = parse(credentials.parse(_sent()).params)
    assert [p.kind for p in mismatches({**_CHALLENGE, **challenge}, sent, target)] == kinds


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ('Digest username="a"', "missing-parameter"),
        (_sent().replace(_RFC7616["cnonce"], "undefined"), "undefined-value"),
        (_sent().replace("00000001", "1"), "bad-nc"),
        (_sent().replace('nc="00000001", ', ""), "missing-with-qop"),
        (_sent(algorithm="MD5").replace('"MD5"', '"MD6"'), "unknown-algorithm"),
    ],
)
def test_problems(value: str, kind: str) -> None:
    assert kind in {p.kind for p in parse(credentials.parse(value).params).problems}
    assert not parse(credentials.parse(_sent()).params).problems


@given(
    st.dictionaries(
        st.sampled_from(["username", "realm", "nonce", "uri", "qop", "algorithm", "nc"]), st.text()
    )
)
def test_never_raises(params: dict[str, str]) -> None:
    sent = parse(params)
    mismatches(params, sent, "/")
    verify(params, sent, method="GET", user="a", password="b")
