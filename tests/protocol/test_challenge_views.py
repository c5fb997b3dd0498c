"""What clients read of a challenge, held against what they are known to read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from why401.protocol.challenge_views import READERS, mcp_field, misread_by, understood_by, usable_by

_DIGEST = 'Digest realm="a", nonce="n", qop="auth"'


@pytest.mark.parametrize("client", sorted(READERS))
def test_a_plain_challenge_is_misread_by_nobody(client: str) -> None:
    assert misread_by(client, [_DIGEST]) == ()
    assert misread_by(client, ['Basic realm="a"']) == ()


@pytest.mark.parametrize(
    ("client", "values", "misread"),
    [
        (
            "requests",
            ['Digest realm="a", nonce="n", algorithm=SHA-256, Digest realm="a", nonce="m"'],
            "nonce",
        ),
        ("requests", ['Digest Realm="a", nonce="n"'], "realm"),
        ("httpx", ['Basic realm="b", ' + _DIGEST], "Digest"),
        ("httpx", ['Digest Realm="a", nonce="n"'], "realm"),
        ("aiohttp", ['Basic realm="b"', _DIGEST], "Digest"),
        ("urllib", ['Basic charset="UTF-8", realm="b"'], "Basic"),
        ("chromium", ['Basic realm="b", ' + _DIGEST], "Digest"),
        ("mcp", ['Bearer nottherealm="x", realm="y"'], "realm"),
        ("mcp", ['Basic scope="x", Bearer scope="y"'], "scope"),
        ("mcp", ['Bearer scope = "y"'], "Bearer"),
    ],
)
def test_quirks(client: str, values: list[str], misread: str) -> None:
    says = misread_by(client, values)
    assert says
    assert misread in says[0]


@pytest.mark.parametrize("client", ["curl", "firefox", "java"])
def test_clients_that_read_a_list_well(client: str) -> None:
    values = ['Basic realm="b", ' + _DIGEST]
    assert misread_by(client, values) == ()
    assert {seen.scheme for seen in usable_by(client, values)} == {"Basic", "Digest"}


def test_clients_that_answer_nothing() -> None:
    assert usable_by("fetch", ['Basic realm="b"']) == ()
    assert usable_by("go", [_DIGEST]) == ()


def test_mcp_field_is_the_sdk_expression() -> None:
    assert (
        mcp_field('Bearer resource_metadata="https://a.example/x"', "resource_metadata")
        == "https://a.example/x"
    )
    assert mcp_field('Bearer scope=""', "scope") == '""'
    assert mcp_field("Bearer", "scope") is None


@given(st.sampled_from([*READERS, "unknown"]), st.lists(st.text(max_size=40), max_size=3))
def test_never_raises(client: str, values: list[str]) -> None:
    understood_by(client, values)
    misread_by(client, values)
