"""The filters of a project as they are kept: ordered, versioned, counted; and tried before they are saved."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select, update

from why401.monitor import refusal, rules, schema
from why401.monitor.kept import body
from why401.monitor.projects import Unknown
from why401.monitor.rules import Decider, Rule

f, e, g, d = schema.filters, schema.events, schema.groups, schema.dropped
DAY = 86400.0
MOST_TRIED = 50_000  #: newest events of the last day on which a filter is tried
_current = f.c.replaced.is_(None)


def reason(identity: int) -> str:
    """By which it is counted what a filter dropped."""
    return f"filter-{identity}"


def active(connection: Connection, project: int | None = None) -> dict[int, list[tuple[int, Rule]]]:
    """Of each project: (id, rule) in their order."""
    query = (
        select(f.c.id, f.c.project_id, f.c.rule).where(_current, f.c.enabled).order_by(f.c.position, f.c.id)
    )
    if project is not None:
        query = query.where(f.c.project_id == project)
    found: dict[int, list[tuple[int, Rule]]] = {}
    for row in connection.execute(query):
        found.setdefault(row.project_id, []).append((row.id, msgspec.json.decode(row.rule, type=Rule)))
    return found


def listed(connection: Connection, project: int) -> list[dict[str, Any]]:
    """The filters of a project in their order, with what each dropped; counts are of this version alone."""
    rows = connection.execute(
        select(f).where(f.c.project_id == project, _current).order_by(f.c.position, f.c.id)
    ).all()
    counted = select(d.c.reason, func.sum(d.c.count)).where(d.c.project_id == project).group_by(d.c.reason)
    dropped = {row[0]: int(row[1]) for row in connection.execute(counted)}
    return [
        {"id": row.id, "position": row.position, "version": row.version, "enabled": row.enabled,
         "rule": msgspec.to_builtins(msgspec.json.decode(row.rule, type=Rule)),
         "dropped": dropped.get(reason(row.id), 0), "created": row.created}
        for row in rows
    ]  # fmt: skip


def add(connection: Connection, project: int, rule: Rule) -> int:
    """A new filter, after the others; its id."""
    last = connection.scalar(select(func.max(f.c.position)).where(f.c.project_id == project, _current)) or 0
    return _insert(connection, project, rule, position=last + 1, version=1, enabled=True)


def change(
    connection: Connection, project: int, identity: int, rule: Rule | None = None, position: int | None = None,
    enabled: bool | None = None,
) -> int:  # fmt: skip
    """A new version of a filter; its id. The former stays to be looked up. Raises Unknown."""
    old = connection.execute(
        select(f).where(f.c.id == identity, f.c.project_id == project, _current)
    ).one_or_none()
    if old is None:
        raise Unknown(f"There is no filter {identity} in this project.")
    remove(connection, project, identity)
    return _insert(
        connection, project, rule or msgspec.json.decode(old.rule, type=Rule),
        position=old.position if position is None else position, version=old.version + 1,
        enabled=old.enabled if enabled is None else enabled,
    )  # fmt: skip


def remove(connection: Connection, project: int, identity: int) -> None:
    """It counts no more. Raises Unknown."""
    here = (f.c.id == identity) & (f.c.project_id == project) & _current
    if not connection.execute(update(f).where(here).values(replaced=time.time())).rowcount:
        raise Unknown(f"There is no filter {identity} in this project.")


def _insert(connection: Connection, project: int, rule: Rule, **columns: Any) -> int:
    row = {
        "project_id": project,
        "rule": msgspec.json.encode(rule).decode(),
        "created": time.time(),
        **columns,
    }
    identity: int = connection.execute(f.insert().values(row).returning(f.c.id)).scalar_one()
    return identity


def causes(connection: Connection, projects: list[int]) -> dict[tuple[int, str], str]:
    """The cause of each group that has one, by project and fingerprint: for rules that ask for it."""
    query = select(g.c.project_id, g.c.fingerprint, g.c.cause).where(
        g.c.project_id.in_(projects), g.c.cause != ""
    )
    return {(row.project_id, row.fingerprint): row.cause for row in connection.execute(query)}


def tried(connection: Connection, project: int, rule: Rule, now: float | None = None) -> dict[str, Any]:
    """What the rule would have done to the last day's events: {"events", "matched", "dropped", "groups", "complete"};
    `groups`: titles of those that would have lost most."""
    now = time.time() if now is None else now
    whole = rules.needs_body([rule])
    columns = [c for c in e.c if c.name != "body" or whole]
    query = (
        select(*columns, g.c.cause, g.c.title).join_from(e, g, e.c.group_id == g.c.id)
        .where(e.c.project_id == project, e.c.received >= now - DAY).order_by(e.c.id.desc()).limit(MOST_TRIED + 1)
    )  # fmt: skip
    decider, seen, matched, lost = Decider(), 0, 0, Counter[str]()
    for row in map(dict, connection.execute(query).mappings()):
        seen += 1
        event = body(row["body"]) if whole else {}
        value = rules.values(row, event, refusal.of(event) if whole else None, row["cause"])
        if rules.applies(rule, value, now):
            matched += 1
            if (
                decider.dropped_by([(0, rule)], value, rules.chance(row["client_id"]), row["received"])
                is not None
            ):
                lost[row["title"]] += 1
    complete = seen <= MOST_TRIED
    return {"events": min(seen, MOST_TRIED), "matched": matched, "dropped": lost.total(), "complete": complete,
            "groups": [{"title": title, "dropped": number} for title, number in lost.most_common(5)]}  # fmt: skip


def reorder(connection: Connection, project: int, positions: dict[int, int]) -> None:
    """Other places in the order, by id. What the rules say stays, so it is no new version."""
    for identity, position in positions.items():
        here = (f.c.id == identity) & (f.c.project_id == project) & _current
        connection.execute(update(f).where(here).values(position=position))
