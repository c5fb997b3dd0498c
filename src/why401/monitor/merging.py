"""Merging groups that people know to be one failure, and taking them apart again.

A merged group stays, empty, and points to the one that has its events; what is reported later goes there too. A node
may know of a merge a second late, so what still came to the empty group is moved again and again (`settle`).
"""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Connection, func, select, update

from why401.monitor import schema
from why401.monitor.projects import Unknown
from why401.monitor.store import Store

g, e = schema.groups, schema.events
VERSION = "groups-version"  #: a setting that changes when groups were merged or taken apart


def merge(store: Store, project: int, group: int, into: int) -> None:
    """Both are of the project. Raises Unknown."""
    with store.write() as connection:
        held = {row.id: row for row in connection.execute(
            select(g.c.id, g.c.kind, g.c.status, g.c.host).where(
                g.c.project_id == project, g.c.id.in_((group, into)), g.c.merged_into.is_(None))
        )}  # fmt: skip
        if len(held) != 2:
            raise Unknown("Both groups have to be of this project, not merged, and not the same.")
        if (held[group].status, held[group].host) != (held[into].status, held[into].host):
            raise Unknown("Refusals of another status or host are another failure; they are not merged.")
        connection.execute(
            update(g).where((g.c.id == group) | (g.c.merged_into == group)).values(merged_into=into)
        )
        _move(store, connection, group, into)
        _changed(store, connection)


def split(store: Store, project: int, group: int) -> None:
    """A merged group stands alone again; what was reported meanwhile stays where it is. Raises Unknown."""
    with store.write() as connection:
        here = (g.c.id == group) & (g.c.project_id == project) & g.c.merged_into.is_not(None)
        if not connection.execute(update(g).where(here).values(merged_into=None)).rowcount:
            raise Unknown("This group is not merged into another.")
        _changed(store, connection)


def parts(connection: Connection, group: int) -> list[dict[str, Any]]:
    """The groups that were merged into one."""
    rows = connection.execute(select(g.c.id, g.c.title).where(g.c.merged_into == group).order_by(g.c.id))
    return [{"id": str(row.id), "title": row.title} for row in rows]


def settle(store: Store) -> int:
    """Move what came to merged groups; how many had something."""
    with store.read() as connection:
        late = connection.execute(
            select(g.c.id, g.c.merged_into).where(g.c.merged_into.is_not(None), g.c.events > 0)
        ).all()
    for row in late:
        with store.write() as connection:
            _move(store, connection, row.id, row.merged_into)
    return len(late)


def version(connection: Connection) -> str:
    s = schema.settings
    return connection.scalar(select(s.c.value).where(s.c.name == VERSION)) or ""


def _changed(store: Store, connection: Connection) -> None:
    row = {"name": VERSION, "value": str(time.time_ns())}
    insert = store.insert(schema.settings).values(row)
    connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_={"value": row["value"]}))


def _move(store: Store, connection: Connection, group: int, into: int) -> None:
    connection.execute(update(e).where(e.c.group_id == group).values(group_id=into))
    for table, key, replaced in (
        (schema.minutes, ("minute",), ()),
        (schema.tags, ("key", "value"), ("last_seen",)),
    ):
        columns = [c for c in table.c if c.name != "group_id"]
        rows = connection.execute(select(*columns).where(table.c.group_id == group)).mappings().all()
        for row in rows:
            insert = store.insert(table).values({**row, "group_id": into})
            more: dict[str, Any] = {"events": table.c.events + insert.excluded.events}
            more |= {name: insert.excluded[name] for name in replaced}
            connection.execute(insert.on_conflict_do_update(index_elements=["group_id", *key], set_=more))
        connection.execute(table.delete().where(table.c.group_id == group))
    seen = connection.execute(select(g.c.events, g.c.first_seen, g.c.last_seen).where(g.c.id == group)).one()
    lite = store.lite
    least, greatest = (func.min, func.max) if lite else (func.least, func.greatest)
    connection.execute(update(g).where(g.c.id == into).values(
        events=g.c.events + seen.events, first_seen=least(g.c.first_seen, seen.first_seen),
        last_seen=greatest(g.c.last_seen, seen.last_seen)))  # fmt: skip
    connection.execute(update(g).where(g.c.id == group).values(events=0))
