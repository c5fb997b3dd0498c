"""Groups: lists, one whole, and what people do with them. Every query is bound to a project."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, or_, select, update

from why401.monitor import ids, schema
from why401.monitor.listing import when

g, t, e = schema.groups, schema.tags, schema.events
STATES = ("unresolved", "regressed", "resolved", "ignored", "muted")
_OPEN = ("unresolved", "regressed")


@dataclass(frozen=True)
class Search:
    """What of a project's groups is asked for. `text` may hold `key:value` pairs, which are tags."""

    text: str = ""
    state: str = "open"  # open, all, or one of STATES
    environment: str = ""
    order: str = "last_seen"  # last_seen, first_seen, events
    limit: int = 50
    before: float | None = None


def find(connection: Connection, project: int, search: Search) -> list[dict[str, Any]]:
    """Groups of a project, in the order asked for."""
    query = select(g).where(g.c.project_id == project, g.c.merged_into.is_(None))
    if search.state == "open":
        query = query.where(g.c.state.in_(_OPEN))
    elif search.state in STATES:
        query = query.where(g.c.state == search.state)
    if search.environment:
        query = query.where(g.c.environment == search.environment)
    query = _worded(query, project, search.text)
    order = {"first_seen": g.c.first_seen, "events": g.c.events}.get(search.order, g.c.last_seen)
    if search.before is not None:
        query = query.where(order < search.before)
    rows = connection.execute(query.order_by(order.desc()).limit(min(search.limit, 200))).mappings()
    return [summary(dict(row)) for row in rows]


def _worded(query: Select[Any], project: int, text: str) -> Select[Any]:
    for word in text.split()[:10]:
        key, colon, value = word.partition(":")
        if colon and value and not value.startswith("//"):
            query = query.where(_bears(project, key, value))
        else:
            like = "%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
            columns = (g.c.title, g.c.culprit, g.c.cause)
            query = query.where(or_(*(column.ilike(like, escape="\\") for column in columns)))
    return query


def _bears(project: int, key: str, value: str) -> Any:
    if key == "cause":
        return g.c.cause == value
    if key == "credential":  # the fingerprint
        return g.c.id.in_(select(e.c.group_id).where(e.c.project_id == project, e.c.credential == value))
    return g.c.id.in_(
        select(t.c.group_id).where(t.c.project_id == project, t.c.key == key, t.c.value == value)
    )


def summary(row: dict[str, Any]) -> dict[str, Any]:
    """What is said of a group in a list."""
    return {
        "id": str(row["id"]),
        "title": row["title"],
        "culprit": row["culprit"],
        "kind": row["kind"],
        "status": row["status"],
        "host": row["host"] or None,
        "route": row["route"] or None,
        "level": row["level"],
        "state": row["state"],
        "cause": row["cause"] or None,
        "events": row["events"],
        "first_seen": when(row["first_seen"]),
        "last_seen": when(row["last_seen"]),
        "first_release": row["first_release"] or None,
        "last_release": row["last_release"] or None,
        "environment": row["environment"] or None,
        "assignee": row["assignee_id"],
    }


def one(connection: Connection, project: int, group: int) -> dict[str, Any] | None:
    """A group whole: its summary, diagnosis, tags and comments."""
    row = (
        connection.execute(select(g).where(g.c.id == group, g.c.project_id == project))
        .mappings()
        .one_or_none()
    )
    if row is None:
        return None
    report = json.loads(row["report"]) if row["report"] else None
    return {
        **summary(dict(row)),
        "resolved_in": row["resolved_in"] or None,
        "muted_until": when(row["muted_until"]) if row["muted_until"] else None,
        "report": report,
        "tags": tags(connection, group),
        "comments": comments(connection, group),
    }


def tags(connection: Connection, group: int) -> dict[str, list[dict[str, Any]]]:
    """The most frequent values of each tag."""
    rows = connection.execute(
        select(t.c.key, t.c.value, t.c.events)
        .where(t.c.group_id == group)
        .order_by(t.c.events.desc())
        .limit(300)
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        held = found.setdefault(row.key, [])
        if len(held) < 10:
            held.append({"value": row.value, "events": row.events})
    return found


def comments(connection: Connection, group: int) -> list[dict[str, Any]]:
    c, u = schema.comments, schema.users
    rows = connection.execute(
        select(c.c.time, c.c.text, u.c.name).join_from(c, u, c.c.user_id == u.c.id).where(c.c.group_id == group)
        .order_by(c.c.time)
    )  # fmt: skip
    return [{"time": when(row.time), "by": row.name, "text": row.text} for row in rows]


def change(connection: Connection, project: int, group: int, actor: str, **values: Any) -> bool:
    """Change columns of a group, and say so in the audit log; False where there is no such group."""
    if "state" in values:
        values["state_changed"] = time.time()
    done = connection.execute(update(g).where(g.c.id == group, g.c.project_id == project).values(**values))
    if done.rowcount:
        note(
            connection,
            actor,
            "group",
            project,
            {"group": str(group), **{k: v for k, v in values.items() if k != "state_changed"}},
        )
    return bool(done.rowcount)


def comment(connection: Connection, group: int, user: int, text: str) -> None:
    row = {"id": ids.new(), "group_id": group, "user_id": user, "time": time.time(), "text": text[:10_000]}
    connection.execute(schema.comments.insert().values(row))


def note(
    connection: Connection, actor: str, action: str, project: int | None, detail: dict[str, Any]
) -> None:
    """An entry of the audit log."""
    row = {"id": ids.new(), "time": time.time(), "actor": actor, "action": action, "project_id": project,
           "detail": json.dumps(detail)}  # fmt: skip
    connection.execute(schema.audit.insert().values(row))
