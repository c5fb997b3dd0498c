"""The page of a group: why it happens, one of its events whole, and what people do with it."""

from __future__ import annotations

import time
from typing import Any

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect, Template
from sqlalchemy import Connection, func, select

from why401.monitor import groups, listing, merging, related, schema, traffic
from why401.monitor.store import Store
from why401.monitor.web.project_pages import Span, named
from why401.monitor.web.sign_in import Form
from why401.monitor.web.viewer import Viewer

e = schema.events
#: What the buttons of a group do to it.
_ACTS: dict[str, dict[str, Any]] = {
    "resolve": {"state": "resolved", "resolved_in": "", "muted_until": None},
    "ignore": {"state": "ignored", "muted_until": None},
    "reopen": {"state": "unresolved", "resolved_in": "", "muted_until": None},
}
MUTES = {"1 hour": 3600, "1 day": 86400, "1 week": 7 * 86400}


@get("/projects/{project:int}/groups/{group:int}", include_in_schema=False, sync_to_thread=True)
def group_page(
    viewer: Viewer, store: Store, project: int, group: int, event: int | None = None, span: Span = "day",
    part: bool = False,
) -> Template:  # fmt: skip
    row = named(store, viewer, project)
    with store.read() as connection:
        found = groups.one(connection, project, group)
        if found is None:
            raise NotFoundException("There is no such group in this project.")
        times, bars = traffic.events_over_time(connection, [project], span, group)[project]
        shown = _event(connection, project, group, event)
        context = {
            "viewer": viewer, "project": row, "group": found, "times": times, "bars": bars, "span": span,
            "deploys": traffic.deploys(connection, project, traffic.SPANS[span][0]), "spans": traffic.SPANS,
            "event": shown, "around": _around(connection, group, int(shown["id"]) if shown else 0),
            "users": _different(connection, group), "mutes": MUTES, "people": _people(connection),
            "parts": merging.parts(connection, group), "alike": _alike(connection, project, found),
            "related": related.of_group(connection, viewer.projects, group),
        }  # fmt: skip
    return Template("parts/occurrences.html" if part else "group.html", context=context)


def _event(connection: Connection, project: int, group: int, wanted: int | None) -> dict[str, Any] | None:
    """The event asked for, else the newest of the group."""
    newest = select(func.max(e.c.id)).where(e.c.group_id == group)
    identity = wanted if wanted is not None else connection.scalar(newest)
    found = listing.event(connection, project, identity) if identity is not None else None
    if wanted is not None and (found is None or found["group"] != str(group)):
        raise NotFoundException("There is no such event in this group.")
    return found


def _around(connection: Connection, group: int, event: int) -> dict[str, int | None]:
    older = select(func.max(e.c.id)).where(e.c.group_id == group, e.c.id < event)
    newer = select(func.min(e.c.id)).where(e.c.group_id == group, e.c.id > event)
    return {"older": connection.scalar(older), "newer": connection.scalar(newer)}


def _different(connection: Connection, group: int) -> int:
    """How many users the group touched, as far as the tags tell."""
    t = schema.tags
    return connection.scalar(select(func.count()).where(t.c.group_id == group, t.c.key == "user")) or 0


def _alike(connection: Connection, project: int, group: dict[str, Any]) -> list[dict[str, Any]]:
    """Groups that it can be merged into."""
    found = groups.find(connection, project, groups.Search(state="all", limit=100))
    same = ("status", "host")
    return [
        one for one in found if one["id"] != group["id"] and all(one[name] == group[name] for name in same)
    ]


def _people(connection: Connection) -> list[Any]:
    u = schema.users
    return list(
        connection.execute(select(u.c.id, u.c.name).where(u.c.disabled.is_(False)).order_by(u.c.name))
    )


def _back(project: int, group: int) -> Redirect:
    return Redirect(f"/projects/{project}/groups/{group}", status_code=303)


@post("/projects/{project:int}/groups/{group:int}/state", include_in_schema=False, sync_to_thread=True)
def change_state(viewer: Viewer, store: Store, project: int, group: int, data: Form) -> Redirect:
    viewer.need("member")
    act, seconds = data.get("act", ""), MUTES.get(data.get("mute", ""))
    values = dict(_ACTS.get(act, {}))
    if act == "resolve":
        values["resolved_in"] = data.get("release", "").strip()[:200]
    elif seconds:
        values = {"state": "muted", "muted_until": time.time() + seconds}
    with store.write() as connection:
        if values and not groups.change(connection, viewer.see(project), group, viewer.name, **values):
            raise NotFoundException("There is no such group in this project.")
    return _back(project, group)


@post("/projects/{project:int}/groups/{group:int}/merge", include_in_schema=False, sync_to_thread=True)
def merge(viewer: Viewer, store: Store, project: int, group: int, data: Form) -> Redirect:
    """Into another, or, of one that was merged into this, out again."""
    viewer.need("member")
    into, out = data.get("into", ""), data.get("out", "")
    if out.isdecimal():
        merging.split(store, viewer.see(project), int(out))
    else:
        merging.merge(store, viewer.see(project), group, int(into) if into.isdecimal() else 0)
    with store.write() as connection:
        groups.note(
            connection, viewer.name, "merged", project, {"group": str(group), "into": into, "out": out}
        )
    return _back(project, group if out else int(into))


@post("/projects/{project:int}/groups/{group:int}/assign", include_in_schema=False, sync_to_thread=True)
def assign(viewer: Viewer, store: Store, project: int, group: int, data: Form) -> Redirect:
    viewer.need("member")
    to = data.get("to", "")
    with store.write() as connection:
        known = {str(person.id) for person in _people(connection)}
        groups.change(
            connection, viewer.see(project), group, viewer.name, assignee_id=int(to) if to in known else None
        )
    return _back(project, group)


@post("/projects/{project:int}/groups/{group:int}/comments", include_in_schema=False, sync_to_thread=True)
def comment(viewer: Viewer, store: Store, project: int, group: int, data: Form) -> Redirect:
    viewer.need("member")
    text = data.get("text", "").strip()
    with store.write() as connection:
        if groups.one(connection, viewer.see(project), group) is None:
            raise NotFoundException("There is no such group in this project.")
        if text and viewer.user is not None:
            groups.comment(connection, group, viewer.user, text)
    return _back(project, group)


HANDLERS = (group_page, change_state, merge, assign, comment)
