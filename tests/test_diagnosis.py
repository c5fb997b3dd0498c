"""The weighing: what counts once, what adds up, and what the next step is worth."""

from __future__ import annotations

import pytest

from why401.diagnosis import contributions, rank
from why401.findings import Finding
from why401.next_step import gain, ruled_out


def finding(name: str, weight: float, cause: str = "wrong-audience", group: str = "") -> Finding:
    return Finding(f"test-{name}", f"{name} is seen.", {cause: weight}, group=group)


def test_probabilities_add_up_to_one() -> None:
    assert sum(item.probability for item in rank([finding("a", 12)])) == pytest.approx(1)


def test_a_finding_raises_its_cause() -> None:
    first = rank([finding("a", 30)])[0]
    assert first.cause is not None
    assert first.cause.id == "wrong-audience"
    assert first.probability > 0.9


def test_two_signs_of_one_fact_count_once() -> None:
    one = contributions([finding("a", 10, group="g")])
    two = contributions([finding("a", 10, group="g"), finding("b", 7, group="g")])
    assert one == {k: [pair for pair in v if pair[0].id == "test-a"] for k, v in two.items()}


def test_signs_of_two_facts_add_up() -> None:
    both = contributions([finding("a", 10), finding("b", 7)])
    assert sum(weight for _, weight in both["wrong-audience"]) == 17


def test_for_and_against_both_count_within_a_group() -> None:
    both = contributions([finding("a", 10, group="g"), finding("b", -8, group="g")])
    assert sum(weight for _, weight in both["wrong-audience"]) == 2


def test_the_gain_of_a_question_is_highest_where_it_divides() -> None:
    ranked = rank([finding("a", 25), finding("b", 25, "wrong-issuer")])
    dividing = gain({"wrong-audience": 0.95, "wrong-issuer": 0.05}, ranked, 0.5)
    useless = gain({"wrong-audience": 0.5, "wrong-issuer": 0.5}, ranked, 0.5)
    assert dividing > 0.5
    assert useless == pytest.approx(0, abs=0.01)


def test_what_speaks_against_a_cause_rules_it_out() -> None:
    out = ruled_out(rank([finding("a", -20)]))
    assert [(item.cause, item.says) for item in out] == [("wrong-audience", "a is seen.")]
