"""Tokens outside of requests."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.readers.reading import ANYTHING, told
from why401.evidence import Evidence, Source
from why401.readers import tokens
from why401.secret import Secret

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtYWRlLXVwIn0.bWFkZS11cA"


def read(text: str, name: str = "message.txt") -> Evidence:
    return told(tokens, text, name)


@pytest.mark.parametrize(
    ("text", "name", "scheme", "value"),
    [
        (f"here it is:\n{JWT}\n", "", None, JWT),
        (f"API_TOKEN={JWT}\n", "API_TOKEN", None, JWT),
        ('{"access_token": "made-up-token-0123"}', "access_token", None, "made-up-token-0123"),
        ("I sent Bearer made-up-token-0123 to it", "", "Bearer", "made-up-token-0123"),
        ("I sent Basic YW5uOm1hZGUtdXA= to it", "", "Basic", "YW5uOm1hZGUtdXA="),
    ],
)
def test_token(text: str, name: str, scheme: str | None, value: str) -> None:
    (offer,) = read(text).offers
    assert (offer.place, offer.name, offer.scheme, offer.value) == ("unknown", name, scheme, Secret(value))
    assert "made-up" not in repr(offer)


def test_basic_names_the_user_and_lines_are_counted() -> None:
    (offer,) = read("\n\nBasic YW5uOm1hZGUtdXA=").offers
    assert (offer.user, offer.source.line) == ("ann", 3)


def test_cut_short() -> None:
    (offer,) = read("Authorization: Bearer eyJhbGciOiJIUzI1NiJ9...").offers
    assert "cut short" in offer.provenance


def test_token_file() -> None:
    assert read("made-up-0123456789\n", "token.txt").offers[0].provenance == "file"
    assert not read("made-up-0123456789\n", "notes.txt").offers


@pytest.mark.parametrize(
    "text",
    [
        "the bearer of this message",
        "Basic authentication is on",
        "token_url: https://example.com/token",
        "jwt: enabled",
        "eyJ is how they begin",
    ],
)
def test_words_are_no_tokens(text: str) -> None:
    assert not read(text).offers


@given(ANYTHING)
def test_never_raises(text: str) -> None:
    tokens.sniff("token", text)
    tokens.read(text, Source("token"))


@pytest.mark.parametrize("piece", ["eyJ", "eyJhbGciOiJI.", "token=", "Bearer ", "a", "access_token"])
def test_long_repeated_input_does_not_hang(piece: str) -> None:
    read(piece * (100_000 // len(piece)))
