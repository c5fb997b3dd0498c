"""Filters: what of a project's events is kept. The first rule whose conditions all hold decides; else it is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network
from typing import Annotated, Any, Literal

import msgspec

from why401.monitor.event import Event
from why401.monitor.refusal import Refusal
from why401.monitor.take import text

#: What a condition can ask of. `tag:NAME` and `param:NAME` beside these.
FIELDS = ("kind", "class", "message", "status", "host", "route", "method", "cause", "release", "environment", "user",
          "level", "agent", "network", "server", "transaction")  # fmt: skip
#: Those that the columns of a stored event hold, so that its body need not be read.
COLUMNS = frozenset(
    ("kind", "class", "message", "status", "release", "environment", "user", "level", "cause")
)


def _within(value: str, wanted: str) -> bool:
    try:
        return any(ip_address(value.strip()) in ip_network(one, strict=False) for one in wanted.split(","))
    except ValueError:
        return False


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return float("nan")


#: How a value is compared. All but `within`, `above` and `below` go by the text, without regard to case; `like` knows
#: the wildcards * and ?, whose match takes no more than a moment on any text.
COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    "is": lambda value, wanted: value.lower() == wanted.lower(),
    "is not": lambda value, wanted: value.lower() != wanted.lower(),
    "contains": lambda value, wanted: wanted.lower() in value.lower(),
    "like": lambda value, wanted: fnmatchcase(value.lower(), wanted.lower()),
    "one of": lambda value, wanted: value.lower() in {one.strip().lower() for one in wanted.split(",")},
    "within": lambda value, wanted: _within(value, wanted.replace(" ", "")),
    "above": lambda value, wanted: _number(value) > _number(wanted),
    "below": lambda value, wanted: _number(value) < _number(wanted),
}
Comparison = Literal["is", "is not", "contains", "like", "one of", "within", "above", "below"]


class Condition(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`within` takes networks, such as 10.0.0.0/8; `one of` and `within` take several, with commas."""

    field: Annotated[str, msgspec.Meta(pattern=rf"^({'|'.join(FIELDS)}|(tag|param):.{{1,64}})$")]
    value: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    compared: Comparison = "is"


class Rule(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`sample` keeps the part `keep` (0 to 1); `limit` keeps `each_minute`; `mute` drops until `until` (seconds since
    1970) and then counts no more. A rule without conditions is about every event."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    do: Literal["drop", "keep", "sample", "limit", "mute"]
    when: Annotated[tuple[Condition, ...], msgspec.Meta(max_length=10)] = ()
    keep: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    each_minute: Annotated[int, msgspec.Meta(ge=0, le=10**9)] = 0
    until: Annotated[float, msgspec.Meta(ge=0, le=1e11)] = 0.0


Values = Callable[[str], str]


def values(row: Mapping[str, Any], event: Event, found: Refusal | None, cause: str) -> Values:
    """What a rule can ask of an event; "" for what it does not say."""

    def value(name: str) -> str:
        if name == "cause":
            return cause
        if name in COLUMNS:
            return "" if row[name] is None else str(row[name])
        return _of_event(name, event, found)

    return value


def _of_event(name: str, event: Event, found: Refusal | None) -> str:
    if name.startswith("tag:"):
        return text(event.get("tags"), name[4:])
    if name.startswith("param:"):
        return text(event.get("params"), name[6:])
    if name in ("host", "route", "method"):
        return (getattr(found, name) if found else "") or text(event.get("exchange"), name)
    if name == "agent":
        fields = event.get("exchange", {}).get("fields", [])
        return next((field[1] for field in fields if field[0].lower() == "user-agent"), "")
    if name == "network":
        return text(event.get("user"), "ip_address") or text(
            event.get("context"), "userAddr", "client.address"
        )
    return text(event, name)


def applies(rule: Rule, value: Values, now: float) -> bool:
    """Whether the rule is about the event. What an event does not say is compared as an empty text."""
    if rule.do == "mute" and now >= rule.until:
        return False
    return all(COMPARISONS[one.compared](value(one.field), one.value) for one in rule.when)


class Decider:
    """Keeps count for the rules that limit."""

    def __init__(self) -> None:
        self._kept: Counter[tuple[int, int]] = Counter()  # (rule, minute)

    def dropped_by(
        self, rules: Iterable[tuple[int, Rule]], value: Values, chance: float, now: float
    ) -> int | None:
        """The id of the rule that drops the event; None where it is kept. `chance`: from 0 to 1, the event's own."""
        for identity, rule in rules:
            if applies(rule, value, now):
                return None if self._keeps(identity, rule, chance, now) else identity
        return None

    def _keeps(self, identity: int, rule: Rule, chance: float, now: float) -> bool:
        if rule.do == "limit":
            place = identity, int(now // 60)
            if len(self._kept) > 1000:
                self._kept = Counter({one: n for one, n in self._kept.items() if one[1] >= place[1]})
            self._kept[place] += 1
            return self._kept[place] <= rule.each_minute
        return rule.do == "keep" or (rule.do == "sample" and chance < rule.keep)


def chance(client_id: str) -> float:
    """From 0 to 1, alike for events of one id, so that all nodes keep the same sample."""
    return int(client_id.replace("-", "")[-8:] or "0", 16) / 0x1_0000_0000


def needs_body(rules: Sequence[Rule]) -> bool:
    return any(one.field not in COLUMNS for rule in rules for one in rule.when)
