"""OAuth errors, in challenges and in JSON."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from why401.protocol.bearer import CODES, parse_error
from why401.protocol.challenges import parse


def test_a_challenge() -> None:
    value = (
        'Bearer realm="r", error="insufficient_user_authentication", error_description="too old", '
        'acr_values="a b", max_age="5", scope="x y", resource_metadata="https://a.example/m"'
    )
    found = parse_error(parse([value]).challenges[0])
    assert found is not None
    assert found.known is not None
    assert (found.known.status, found.max_age, found.scope, found.acr_values) == (
        401,
        5,
        ("x", "y"),
        ("a", "b"),
    )
    assert found.resource_metadata == "https://a.example/m"


def test_a_challenge_without_an_error() -> None:
    found = parse_error(parse(['Bearer realm="r"']).challenges[0])
    assert found is not None
    assert (found.code, found.known) == (None, None)


@pytest.mark.parametrize(
    "source", ['{"error":"invalid_grant"}', b'{"error":"invalid_grant"}', {"error": "invalid_grant"}]
)
def test_json(source: str | bytes | dict[str, object]) -> None:
    found = parse_error(source)
    assert found is not None
    assert found.known is CODES["invalid_grant"]


@pytest.mark.parametrize(
    "source", ["", "{", "[]", "null", '{"message":"no"}', '{"error":{"code":1}}', b"\xff", "[" * 99999]
)
def test_what_is_no_oauth_error(source: str | bytes) -> None:
    assert parse_error(source) is None


def test_every_code_says_what_it_means() -> None:
    assert all(code.means and code.rfc for code in CODES.values())


@given(st.text())
def test_never_raises(text: str) -> None:
    parse_error(text)
