"""What is no longer kept: events by age and by number; of each group its newest ones stay while the group does."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Connection, delete, func, select

from why401.monitor import ids, schema
from why401.monitor.store import Store

e, g, p = schema.events, schema.groups, schema.projects
SPARED = (
    5  #: newest events of each group that age and number do not touch, so that rare failures stay explained
)
TOGETHER = 2_000  #: events that one transaction removes: others write in between
MINUTES = 32 * 86400  #: seconds for which counts by the minute are kept


def sweep(store: Store, now: float | None = None) -> int:
    """Remove what is too old or too much; the number of events removed."""
    now = time.time() if now is None else now
    with store.read() as connection:
        projects = connection.execute(select(p.c.id, p.c.keep_days, p.c.keep_count)).all()
    removed = 0
    for project in projects:
        while (number := _events(store, project, now)) > 0:
            removed += number
            time.sleep(0.01)
    with store.write() as connection:
        for table in (schema.minutes, schema.requests, schema.dropped):
            connection.execute(delete(table).where(table.c.minute < int((now - MINUTES) // 60)))
        hours = schema.hours
        connection.execute(delete(hours).where(hours.c.hour < int((now - MINUTES) // 3600)))
        connection.execute(delete(schema.credentials).where(schema.credentials.c.expires < now - MINUTES))
        connection.execute(delete(schema.facts).where(schema.facts.c.time < now - MINUTES))
    return removed


def _events(store: Store, project: Any, now: float) -> int:
    with store.write() as connection:
        gone = _too_old(connection, project.id, ids.at(now - 86400 * project.keep_days))
        gone = gone or _too_many(connection, project.id, project.keep_count)
        if gone:
            connection.execute(delete(e).where(e.c.id.in_(gone)))
    return len(gone)


def _too_old(connection: Connection, project: int, before: int) -> list[int]:
    query = select(e.c.id).where(e.c.project_id == project, e.c.id < before, _unspared(e))
    return list(connection.scalars(query.order_by(e.c.id).limit(TOGETHER)))


def _unspared(table: Any) -> Any:
    """Whether its group has enough newer events."""
    newer = e.alias("newer")
    few = (
        select(newer.c.id).where(newer.c.group_id == table.c.group_id, newer.c.id > table.c.id).limit(SPARED)
    )
    return select(func.count()).select_from(few.correlate(table).subquery()).scalar_subquery() >= SPARED


def _too_many(connection: Connection, project: int, most: int) -> list[int]:
    query = select(e.c.id).where(e.c.project_id == project).order_by(e.c.id.desc()).offset(most).limit(1)
    last = connection.scalar(query)
    if last is None:
        return []
    return _too_old(connection, project, last + 1)
