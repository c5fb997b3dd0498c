"""The grammar of challenges, row by row; then properties that hold for any input."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from why401.protocol.challenges import Challenge, faults, parse, quote, unquote, write
from why401.protocol.problems import Problem

from .data.challenges import ROWS


@pytest.mark.parametrize(("values", "expected"), ROWS, ids=[repr(row[0])[:60] for row in ROWS])
def test_rows(values: list[str], expected: list[tuple[str, str | None, dict[str, str]]] | None) -> None:
    found = parse(values)
    if expected is None:
        assert found.problems
    else:
        assert [(c.scheme, c.token68, c.params) for c in found.challenges] == expected
        assert not found.problems


@pytest.mark.parametrize(
    ("value", "kind", "spanned"),
    [
        ('Basic realm="x" charset="UTF-8"', "missing-comma", " "),
        ("Bearer error_description=The token expired", "unquoted-spaces", "The token expired"),
        ('Basic realm="x, y', "unterminated-quote", '"x, y'),
        ("Basic realm=a, realm=b", "duplicate-parameter", "realm=b"),
        ('Basic, realm="x"', "orphan-parameter", "realm="),
        ("realm=x", "no-scheme", "realm="),
        ("Digest a=b, c=", "no-value", "c="),
        ("Basic \tx=y", "tab-after-scheme", " \t"),
    ],
)
def test_problems_point_at_their_place(value: str, kind: str, spanned: str) -> None:
    problem = parse([value]).problems[0]
    assert problem.kind == kind
    assert value[slice(*problem.span)] == spanned


@pytest.mark.parametrize(
    ("value", "params"),
    [
        ('Basic realm="x" charset="UTF-8"', {"realm": "x", "charset": "UTF-8"}),
        (
            "Bearer error_description=The token expired, error=e",
            {"error_description": "The token expired", "error": "e"},
        ),
        ('Basic, realm="x"', {"realm": "x"}),
        ("Basic realm=a, realm=b", {"realm": "a"}),
        ('Digest realm="x, nonce=y', {"realm": "x, nonce=y"}),
    ],
)
def test_what_can_be_recovered_is(value: str, params: dict[str, str]) -> None:
    assert parse([value]).challenges[0].params == params


def test_spans_are_those_of_the_text() -> None:
    value = 'Basic realm="x", Bearer scope="a b"'
    basic, bearer = parse(["NTLM", value]).challenges[1:]
    assert value[slice(*basic.span)] == 'Basic realm="x"'
    assert value[slice(*bearer.param_spans["scope"])] == 'scope="a b"'
    assert bearer.field == 1


def test_rules_of_a_scheme_are_not_the_grammar() -> None:
    assert [p.kind for p in faults(parse(["Basic"]).challenges[0])] == ["missing-parameter"]
    assert [p.kind for p in faults(parse(['Digest realm="x"']).challenges[0])] == ["missing-parameter"]
    assert [p.kind for p in faults(parse(['Basic realm="x", charset=latin1']).challenges[0])] == [
        "charset-not-utf-8"
    ]
    assert [p.kind for p in faults(parse(["Wibble"]).challenges[0])] == ["unknown-scheme"]
    assert not faults(parse(['Digest realm="x", nonce="y"']).challenges[0])


_text = st.text(alphabet=st.sampled_from(list('aB1= ,"\\\t\r\n;é\x00')), max_size=60) | st.text(max_size=60)


@given(st.lists(_text, max_size=3))
def test_never_raises_and_spans_lie_in_the_text(values: list[str]) -> None:
    found = parse(values)
    things: list[Challenge | Problem] = [*found.challenges, *found.problems]
    for thing in things:
        start, end = thing.span
        assert 0 <= start <= end <= len(values[thing.field])


_token = st.text(alphabet="abcXYZ019!#$%&'*+-.^_`|~", min_size=1, max_size=8)
_value = st.text(
    alphabet=st.characters(min_codepoint=32, max_codepoint=255).filter(lambda c: c != "\x7f"), max_size=20
)
_challenge = st.builds(
    lambda scheme, params: Challenge(scheme, None, params, (0, 0)),
    _token,
    st.dictionaries(
        _token.map(str.lower), _value.filter(lambda v: not any(0x7F <= ord(c) < 0xA0 for c in v))
    ),
)


@given(st.lists(_challenge, max_size=4))
def test_what_is_written_is_read(challenges: list[Challenge]) -> None:
    for values in ([write(c) for c in challenges], [", ".join(write(c) for c in challenges)]):
        found = parse(values)
        assert not found.problems
        assert [(c.scheme, c.params) for c in found.challenges] == [(c.scheme, c.params) for c in challenges]


@given(st.text())
def test_quoting_round_trip(text: str) -> None:
    assert unquote(quote(text)[1:-1]) == text


@pytest.mark.parametrize(
    "unit",
    [",", 'a="', "a=b ", '\\"', 'a="\\', "a b=c, ", '"', " ", "a", "=", "a b ", 'x="\\",', "\r\n ", "a=b c "],
)
def test_time_is_linear(unit: str) -> None:
    def took(count: int) -> float:
        text = "Basic " + unit * count
        start = time.thread_time()  # what others do on the machine does not count
        parse([text])
        return time.thread_time() - start

    took(100)
    assert min(took(40_000) for _ in range(2)) < 40 * max(min(took(4_000) for _ in range(3)), 0.001)
