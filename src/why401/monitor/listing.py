"""Lists of events and groups, as the API and the command line give them. Every query is bound to one project."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select

from why401.monitor import schema
from why401.monitor.kept import body

e, g = schema.events, schema.groups


def when(seconds: float) -> str:
    """A time as RFC 3339."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def events(
    connection: Connection,
    project: int,
    limit: int = 100,
    before: int | None = None,
    group: int | None = None,
) -> Iterator[dict[str, Any]]:
    """Events of a project, newest first; `before`: only those older than this id."""
    query = (
        select(*(c for c in e.c if c.name != "body"), g.c.cause)
        .join_from(e, g, e.c.group_id == g.c.id)
        .where(e.c.project_id == project)
        .order_by(e.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(e.c.id < before)
    if group is not None:
        query = query.where(e.c.group_id == group)
    for row in connection.execute(query).mappings():
        yield summary(dict(row))


def summary(row: dict[str, Any]) -> dict[str, Any]:
    """What is said of an event in a list."""
    return {
        "id": str(row["id"]),
        "client_event_id": row["client_id"],
        "received": when(row["received"]),
        "kind": row["kind"],
        "status": row["status"],
        "class": row["class"],
        "message": row["message"],
        "group": str(row["group_id"]),
        "cause": row["cause"] or None,
        "release": row["release"] or None,
        "environment": row["environment"] or None,
    }


def event(connection: Connection, project: int, identity: int) -> dict[str, Any] | None:
    """One event whole."""
    query = select(e, g.c.cause).join_from(e, g, e.c.group_id == g.c.id)
    row = (
        connection.execute(query.where(e.c.project_id == project, e.c.id == identity))
        .mappings()
        .one_or_none()
    )
    return {**summary(dict(row)), "event": body(row["body"])} if row is not None else None
