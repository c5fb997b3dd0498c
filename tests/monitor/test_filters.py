"""Filters: what they drop, in which order, and what they say before they are saved."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.monitor.running import Running, envelope, until
from why401.monitor import rules
from why401.monitor.rules import COMPARISONS, FIELDS, Condition, Decider, Rule


def event(message: str, **more: Any) -> dict[str, Any]:
    return {"event_id": uuid.uuid4().hex, "message": message, **more}


def values(**said: str) -> rules.Values:
    return lambda name: said.get(name, "")


def decide(held: list[Rule], value: rules.Values, chance: float = 0.5, now: float = 0.0) -> int | None:
    return Decider().dropped_by(list(enumerate(held)), value, chance, now)


DROP_TEST = Rule("no tests", "drop", (Condition("environment", "test"),))
KEEP_401 = Rule("keep 401", "keep", (Condition("status", "401"),))


@pytest.mark.parametrize(
    ("held", "said", "dropped"),
    [
        ([DROP_TEST], {"environment": "test"}, 0),
        ([DROP_TEST], {"environment": "production"}, None),
        ([KEEP_401, DROP_TEST], {"environment": "test", "status": "401"}, None),
        ([DROP_TEST, KEEP_401], {"environment": "test", "status": "401"}, 0),
        ([Rule("all", "drop")], {}, 0),
        ([], {"environment": "test"}, None),
    ],
)
def test_the_first_that_applies_decides(held: list[Rule], said: dict[str, str], dropped: int | None) -> None:
    assert decide(held, values(**said)) == dropped


@pytest.mark.parametrize(
    ("compared", "wanted", "hit", "miss"),
    [
        ("is", "KeyError", "keyerror", "KeyErrors"),
        ("is not", "KeyError", "ValueError", "KeyError"),
        ("contains", "timed out", "it Timed Out", "timeout"),
        ("like", "/v1/*/items", "/v1/7/items", "/v1/7/item"),
        ("one of", "401, 403", "403", "407"),
        ("within", "10.0.0.0/8, 2001:db8::/32", "10.1.2.3", "11.1.2.3"),
        ("above", "499", "500", "499"),
        ("below", "400", "399", "none"),
    ],
)
def test_comparisons(compared: Any, wanted: str, hit: str, miss: str) -> None:
    rule = Rule("x", "drop", (Condition("class", wanted, compared),))
    assert decide([rule], values(**{"class": hit})) == 0
    assert decide([rule], values(**{"class": miss})) is None


def test_a_sample_keeps_its_part_and_the_same_on_every_node() -> None:
    rule = Rule("sample", "sample", keep=0.25)
    ids = [uuid.uuid4().hex for _ in range(4000)]
    kept = [one for one in ids if decide([rule], values(), rules.chance(one)) is None]
    assert 850 < len(kept) < 1150
    assert kept == [one for one in ids if decide([rule], values(), rules.chance(one)) is None]


def test_a_limit_starts_anew_each_minute() -> None:
    decider, rule = Decider(), [(7, Rule("limit", "limit", each_minute=2))]
    found = [decider.dropped_by(rule, values(), 0, now) for now in (0, 1, 2, 3, 60, 61, 62)]
    assert found == [None, None, 7, 7, None, None, 7]


def test_a_mute_ends() -> None:
    rule = Rule("mute", "mute", until=100.0)
    assert (decide([rule], values(), now=99.0), decide([rule], values(), now=100.0)) == (0, None)


@given(
    st.sampled_from(FIELDS),
    st.sampled_from(list(COMPARISONS)),
    st.text(max_size=50),
    st.text(min_size=1, max_size=50),
)
def test_no_value_breaks_a_comparison(field: str, compared: Any, value: str, wanted: str) -> None:
    decide([Rule("x", "drop", (Condition(field, wanted, compared),))], values(**{field: value}))


@pytest.mark.parametrize("said", [
    {"name": "x", "do": "explode"}, {"name": "", "do": "drop"}, {"name": "x", "do": "sample", "keep": 2},
    {"name": "x", "do": "drop", "when": [{"field": "nonsense", "value": "1"}]},
    {"name": "x", "do": "drop", "wenn": []},
])  # fmt: skip
def test_what_is_no_rule_is_refused(monitor: Running, said: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(said, Rule)
    project = monitor.project("bad-filters")
    with pytest.raises(httpx.HTTPStatusError) as refused:
        monitor.api(project, "/filters", method="POST", json=said)
    assert refused.value.response.status_code == 400


def test_tried_saved_counted_and_versioned(monitor: Running) -> None:
    project = monitor.project("filters")
    for number in range(6):
        envelope(project, event(f"noise {number}" if number % 2 else "signal", environment="test",
                                request={"headers": {"User-Agent": "probe/1"}}), monitor.base)  # fmt: skip
    rule = {
        "name": "noise",
        "do": "drop",
        "when": [{"field": "message", "compared": "contains", "value": "noise"}],
    }
    tried = monitor.api(project, "/filters/try", method="POST", json=rule)
    assert (tried["events"], tried["matched"], tried["dropped"], tried["complete"]) == (6, 3, 3, True)
    by_agent = {
        "name": "probe",
        "do": "drop",
        "when": [{"field": "agent", "compared": "like", "value": "probe/*"}],
    }
    assert monitor.api(project, "/filters/try", method="POST", json=by_agent)["dropped"] == 6
    assert monitor.api(project, "/filters") == [], "trying saves nothing"

    (saved,) = monitor.api(project, "/filters", method="POST", json=rule)
    until(lambda: envelope(project, event("noise again"), monitor.base).status_code == 200
          and monitor.api(project, "/filters")[0]["dropped"])  # fmt: skip
    changed = monitor.api(project, f"/filters/{saved['id']}", method="PUT", json={"enabled": False})
    assert [(one["version"], one["enabled"], one["dropped"]) for one in changed] == [(2, False, 0)]

    def kept_again() -> bool:
        one = event("noise, kept")
        envelope(project, one, monitor.base)
        return one["event_id"] in {found["client_event_id"] for found in monitor.api(project, "/events")}

    until(kept_again)


def test_a_filter_may_ask_for_the_cause(monitor: Running) -> None:
    project = monitor.project("by-cause")

    def expired() -> dict[str, Any]:
        fields = {"www-authenticate": 'Bearer error="invalid_token", error_description="The token expired"'}
        return event("", contexts={"response": {"status_code": 401, "headers": fields}},
                     request={"url": "https://api.example.com/v1", "method": "GET",
                              "headers": {"Authorization": "Bearer abcdefghijklmnop"}},
                     exception={"values": [{"type": "E", "value": "401 Unauthorized"}]})  # fmt: skip

    envelope(project, expired(), monitor.base)
    until(lambda: monitor.api(project, "/groups")[0]["cause"] == "token-expired", 30)
    rule = {"name": "expired", "do": "drop", "when": [{"field": "cause", "value": "token-expired"}]}
    monitor.api(project, "/filters", method="POST", json=rule)
    until(lambda: envelope(project, expired(), monitor.base).status_code == 200
          and monitor.api(project, "/filters")[0]["dropped"])  # fmt: skip


def test_a_filter_of_another_project_is_not_found(monitor: Running) -> None:
    mine, theirs = monitor.project("filters-mine"), monitor.project("filters-theirs")
    (held,) = monitor.api(theirs, "/filters", method="POST", json={"name": "theirs", "do": "keep"})
    for options in ({"method": "PUT", "json": {"enabled": False}}, {"method": "DELETE"}):
        with pytest.raises(httpx.HTTPStatusError) as refused:
            monitor.api(mine, f"/filters/{held['id']}", **options)
        assert refused.value.response.status_code == 400
    assert monitor.api(theirs, "/filters")[0]["enabled"]
