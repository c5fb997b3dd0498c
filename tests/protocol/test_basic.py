"""Basic credentials and the ways they are made wrongly."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from why401.protocol.basic import decode, encode, token_shape


def b64(text: str, charset: str = "utf-8") -> str:
    return base64.b64encode(text.encode(charset)).decode()


def test_the_examples_of_the_standard() -> None:
    found = decode("QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
    assert (found.user, found.password, found.problems) == ("Aladdin", "open sesame", ())
    assert decode("dGVzdDoxMjPCow==").password == "123\u00a3"
    assert encode("test", "123\u00a3") == "dGVzdDoxMjPCow=="


@pytest.mark.parametrize(
    ("token68", "kind"),
    [
        ("alice:secret", "not-encoded"),
        ("!!!", "not-base64"),
        ("QWxh=ZGRpbg==", "not-base64"),
        (b64("alice:secret-" + "x" * 60)[:76] + "\n" + b64("alice:secret-" + "x" * 60)[76:], "wrapped"),
        (b64("a:\u00ff\u00fe\u00ff~~~", "latin-1").replace("/", "_").replace("+", "-"), "urlsafe-alphabet"),
        (b64("alice:secret1").rstrip("="), "no-padding"),
        (b64("alice"), "no-colon"),
        (b64(b64("alice:secret")), "encoded-twice"),
        (base64.b64encode(bytes(range(128, 160))).decode(), "not-text"),
        (b64("alice:secret\n"), "password-newline"),
        (b64("alice\n:secret"), "user-newline"),
        (b64("alice: secret"), "password-whitespace"),
        (b64("alice:'secret'"), "password-quoted"),
        (b64('"alice:secret"'), "quoted"),
        (b64("alice:se%40cret"), "password-percent-encoded"),
        (b64("alice@example.com:secret"), "user-is-email"),
        (b64(":token"), "user-empty"),
        (b64("alice:"), "password-empty"),
        (b64("alice:caf\u00e9"), "non-ascii"),
        (b64("alice:ghp_16C7e42F292c6912E7710c838347Ae178B4a"), "password-is-token"),
        (b64("glpat-XyZ123abcDEF456ghi78:"), "user-is-token"),
        (b64("alice:se\x01cret"), "password-control-character"),
    ],
)
def test_each_way_to_go_wrong(token68: str, kind: str) -> None:
    assert decode(token68).has(kind)


def test_a_plain_pair_has_no_problem() -> None:
    assert decode(b64("alice:p:a:s:s w0rd%")).problems == ()
    assert decode(b64("alice:p:a:s:s")).password == "p:a:s:s"


def test_latin_1_is_recognised() -> None:
    found = decode(b64("alice:caf\u00e9", "iso-8859-1"))
    assert (found.password, found.charset) == ("caf\u00e9", "iso-8859-1")


def test_what_was_encoded_twice_is_read() -> None:
    assert decode(b64(b64("alice:secret"))).password == "secret"


def test_token_shapes() -> None:
    assert token_shape("pypi-AgEIcHlwaS5vcmcCJGQ") == "a PyPI token"
    assert token_shape("pypi") is None


@given(st.text().filter(lambda t: ":" not in t), st.text())
def test_round_trip(user: str, password: str) -> None:
    found = decode(encode(user, password))
    assert (found.user, found.password, found.charset) == (user, password, "utf-8")


@given(st.text(max_size=80) | st.binary(max_size=60).map(lambda b: base64.b64encode(b).decode()))
def test_never_raises(text: str) -> None:
    for problem in decode(text).problems:
        assert 0 <= problem.span[0] <= problem.span[1] <= len(text)
