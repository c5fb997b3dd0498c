"""Pages that are of no single project: all projects, people, what was turned away, the audit log."""

from __future__ import annotations

from typing import Any

from litestar import get, post
from litestar.response import Redirect, Template
from sqlalchemy import select

from why401.monitor import groups, projects, schema, settings, teams, traffic, users
from why401.monitor.projects import Unknown
from why401.monitor.store import Store
from why401.monitor.web.sign_in import Form
from why401.monitor.web.viewer import Viewer


@get("/", include_in_schema=False, sync_to_thread=True)
def overview(viewer: Viewer, store: Store) -> Template:
    return Template("overview.html", context={"viewer": viewer, "projects": _projects(viewer, store)})


@get("/parts/projects", include_in_schema=False, sync_to_thread=True)
def overview_part(viewer: Viewer, store: Store) -> Template:
    """The list alone, fetched again when something happened."""
    return Template("parts/projects.html", context={"viewer": viewer, "projects": _projects(viewer, store)})


def _projects(viewer: Viewer, store: Store) -> list[dict[str, Any]]:
    p = schema.projects
    with store.read() as connection:
        rows = connection.execute(
            select(p.c.id, p.c.name).where(p.c.id.in_(viewer.projects)).order_by(p.c.name)
        ).all()
        seen = [row.id for row in rows]
        bars = traffic.events_over_time(connection, seen, "day")
        states = traffic.states(connection, seen)
        asked = traffic.requests_by_project(connection, seen, traffic.DAY)
    return [{"id": row.id, "name": row.name, "bars": bars[row.id], "states": states[row.id],
             "events": sum(bars[row.id][1]), "asked": asked[row.id]} for row in rows]  # fmt: skip


@post("/projects", include_in_schema=False, sync_to_thread=True)
def add_project(viewer: Viewer, store: Store, data: Form) -> Redirect | Template:
    viewer.govern()
    try:
        made = projects.add(
            store, data.get("name", "").strip()[:200] or "project", settings.get(store, "base")
        )
    except Unknown as problem:
        return Template("overview.html", context={"viewer": viewer, "projects": _projects(viewer, store),
                                                  "problem": str(problem)}, status_code=400)  # fmt: skip
    return Redirect(f"/projects/{made['id']}/settings", status_code=303)


@get("/people", include_in_schema=False, sync_to_thread=True)
def people(viewer: Viewer, store: Store) -> Template:
    viewer.govern()
    return _people(viewer, store, "")


def _people(viewer: Viewer, store: Store, problem: str) -> Template:
    u = schema.users
    with store.read() as connection:
        rows = connection.execute(
            select(u.c.id, u.c.name, u.c.email, u.c.role, u.c.created, u.c.disabled).order_by(u.c.name)
        ).all()
        held = teams.listed(connection)
    context = {"viewer": viewer, "people": rows, "roles": users.ROLES, "problem": problem, "teams": held}
    return Template("people.html", context=context, status_code=400 if problem else 200)


@post("/people", include_in_schema=False, sync_to_thread=True)
def add_person(viewer: Viewer, store: Store, data: Form) -> Redirect | Template:
    viewer.govern()
    role = data.get("role", "member")
    if role == "owner":
        viewer.govern("owner")
    try:
        password, email = data.get("password") or None, data.get("email", "").strip()[:320]
        users.add(store, data.get("name", "").strip()[:200], role, password, email)
    except Unknown as problem:
        return _people(viewer, store, str(problem))
    return Redirect("/people", status_code=303)


@post("/people/{user:int}/disable", include_in_schema=False, sync_to_thread=True)
def disable_person(viewer: Viewer, store: Store, user: int) -> Redirect:
    viewer.govern("owner")
    users.disable(store, user, viewer.name)
    return Redirect("/people", status_code=303)


@post("/teams", include_in_schema=False, sync_to_thread=True)
def change_teams(viewer: Viewer, store: Store, data: Form) -> Redirect | Template:
    """One of the page's forms, told by its button."""
    viewer.govern()
    act, team, user = data.get("act", ""), _id(data.get("team", "")), _id(data.get("user", ""))
    try:
        with store.write() as connection:
            if act == "add":
                teams.add(connection, data.get("name", ""))
            elif act == "remove":
                teams.remove(connection, team)
            elif act in ("join", "leave"):
                (teams.join if act == "join" else teams.leave)(connection, team, user)
            groups.note(connection, viewer.name, f"team: {act}", None, {"team": team, "user": user})
    except Unknown as problem:
        return _people(viewer, store, str(problem))
    return Redirect("/people", status_code=303)


def _id(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0


@get("/turned-away", include_in_schema=False, sync_to_thread=True)
def turned_away(viewer: Viewer, store: Store) -> Template:
    """Clients that this monitor did not let in, and why: whose SDK is set up wrongly."""
    viewer.govern()
    r = schema.refused
    with store.read() as connection:
        rows = connection.execute(select(r).order_by(r.c.last_seen.desc()).limit(200)).all()
    return Template("turned_away.html", context={"viewer": viewer, "rows": rows})


@get("/audit", include_in_schema=False, sync_to_thread=True)
def audit(viewer: Viewer, store: Store) -> Template:
    viewer.govern()
    a = schema.audit
    with store.read() as connection:
        rows = connection.execute(select(a).order_by(a.c.time.desc()).limit(300)).all()
    return Template("audit.html", context={"viewer": viewer, "rows": rows})


HANDLERS = (
    overview,
    overview_part,
    add_project,
    people,
    add_person,
    disable_person,
    change_teams,
    turned_away,
    audit,
)
