"""The literals of a regular expression: never a match without one of them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from why401.prefilter import lazy, may_match, required


@pytest.mark.parametrize(
    ("pattern", "literals"),
    [
        ("password mismatch", ("password mismatch",)),
        (r"AH\d{5}: user", (": user",)),
        ("works|fails", ("works", "fails")),
        (r"(?:works|fails) with", (" with",)),
        (r"\b(?:works|fails)\b", ("works", "fails")),
        ("abc?def", ("def",)),
        ("(?:abc)?", None),
        (r"(?i)Token\s+expired", ("expired",)),
        (r"(?<!not )enabled", ("enabled",)),
        ("a|bcd", None),
        (r"(?x) abc # def", None),
        (r"foo\.bar", ("foo.bar",)),
        ("[abc]+xyz{2}", ("xyz",)),
        (r"(?P<name>[a-z]+) was not found", (" was not found",)),
        (r"(?!foobar)", None),
    ],
)
def test_required(pattern: str, literals: tuple[str, ...] | None) -> None:
    assert required(pattern) == literals


PIECES = st.sampled_from(
    [
        "abc",
        "de",
        "x",
        r"\.",
        r"\d",
        "[a-c]",
        "(?:foo|barbar)",
        "(?:foo)?",
        "foo?",
        "a{0,2}",
        "b{2}",
        "|",
        ".*",
        "(?=abc)",
        "(abc)+",
        " ",
        "Z",
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=8).map("".join), st.text("abcdefoxrZ.1 ", max_size=30))
def test_a_match_always_holds_a_literal(pattern: str, text: str) -> None:
    if re.search(pattern, text, re.I):
        assert may_match(pattern, text.lower())


@given(st.text(max_size=40))
def test_any_text_is_read_without_a_crash(pattern: str) -> None:
    required(pattern)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=6).map("".join), st.text("abcdefoxrZ.1 ", max_size=30))
def test_a_lazy_expression_answers_as_a_compiled_one(pattern: str, text: str) -> None:
    compiled = re.compile(pattern)
    expected = [match.span() for match in compiled.finditer(text)]
    assert [match.span() for match in lazy(pattern).finditer(text)] == expected
    assert bool(lazy(pattern).search(text)) == bool(compiled.search(text))
    assert bool(lazy(pattern).fullmatch(text)) == bool(compiled.fullmatch(text))
    assert lazy(pattern).sub("_", text) == compiled.sub("_", text)
    assert lazy(pattern).findall(text) == compiled.findall(text)
    assert lazy(pattern).split(text) == compiled.split(text)
