"""What happened in a day or a week, told once it is over."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from why401.monitor import schema, traffic
from why401.monitor.alerts import Noticed

g, m, p, d = schema.groups, schema.minutes, schema.projects, schema.dropped
HOUR = 6  #: of the day (UTC) at which the day or week before is told
SPANS = {"daily": 1, "weekly": 7}  #: days
LISTED = 5


def look(connection: Connection, now: float | None = None) -> list[tuple[int, int, Noticed]]:
    """Summaries that are due: (project, 0, what). A week begins on Monday."""
    at = datetime.fromtimestamp(time.time() if now is None else now, UTC)
    due = []
    if at.hour >= HOUR:
        for row in connection.execute(select(p.c.id, p.c.options)):
            kind = json.loads(row.options).get("summary", "")
            if kind == "daily" or (kind == "weekly" and at.weekday() == 0):
                due.append((row.id, 0, _summary(connection, row.id, kind, at)))
    return due


def _summary(connection: Connection, project: int, kind: str, at: datetime) -> Noticed:
    end = at.replace(hour=0, minute=0, second=0, microsecond=0)
    start = end - timedelta(days=SPANS[kind])
    named = f"{start:%Y-%m-%d}" + (f" to {end - timedelta(days=1):%Y-%m-%d}" if kind == "weekly" else "")
    said = "\n".join(text(connection, project, start.timestamp(), end.timestamp()))
    return Noticed(f"{project}/{kind}/{start:%Y-%m-%d}", f"Summary of {named}", said, f"/projects/{project}")


def text(connection: Connection, project: int, start: float, end: float) -> Iterator[str]:
    """The summary's lines."""
    within = (
        m.c.project_id == project,
        m.c.group_id > 0,
        m.c.minute >= int(start // 60),
        m.c.minute < int(end // 60),
    )
    counted = (
        select(m.c.group_id, func.sum(m.c.events).label("events"))
        .where(*within)
        .group_by(m.c.group_id)
        .subquery()
    )
    rows = connection.execute(
        select(g.c.title, g.c.cause, g.c.status, g.c.first_seen, g.c.state, counted.c.events)
        .join(counted, counted.c.group_id == g.c.id).order_by(counted.c.events.desc())
    ).all()  # fmt: skip
    refused = [row for row in rows if row.status is not None]
    yield f"{_number(sum(row.events for row in rows), 'event')} in {_number(len(rows), 'group')}."
    if refused:
        yield f"{_number(sum(row.events for row in refused), 'refused request')} in {_number(len(refused), 'group')}."
    fresh = [row for row in rows if row.first_seen >= start]
    yield from _listed("New", fresh)
    yield from _listed("Happening again", [row for row in rows if row.state == "regressed"])
    yield from _listed("Most frequent", [row for row in rows if row not in fresh])
    yield from _routes(connection, project, start, end)
    left = int(connection.scalar(select(func.sum(d.c.count)).where(
        d.c.project_id == project, d.c.minute >= int(start // 60), d.c.minute < int(end // 60))) or 0)  # fmt: skip
    if left:
        yield f"{_number(left, 'event')} not kept, by filters and quotas."


def _listed(title: str, rows: list[Any]) -> Iterator[str]:
    if rows:
        yield f"{title}:"
        for row in rows[:LISTED]:
            yield f"  {row.events} × {row.title[:150]}" + (f" [{row.cause}]" if row.cause else "")
        if len(rows) > LISTED:
            yield f"  and {len(rows) - LISTED} more"


def _routes(connection: Connection, project: int, start: float, end: float) -> Iterator[str]:
    asked = traffic.requests_by_project(connection, [project], end - start, end)[project]
    if asked.count:
        yield (
            f"{_number(asked.count, 'request')} counted: {asked.unauthorized} answered 401, {asked.failed} failed"
            f"{'' if asked.apdex is None else f', Apdex {asked.apdex:.2f}'}."
        )


def _number(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
