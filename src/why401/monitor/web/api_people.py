"""The REST API: what is of the whole monitor. A project's token may do nothing of it."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import msgspec
from litestar import delete, get, post, put
from sqlalchemy import select

from why401.monitor import groups, listing, schema, teams, users
from why401.monitor.store import Store
from why401.monitor.web.api import Small
from why401.monitor.web.viewer import Viewer

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class NewUser(msgspec.Struct, forbid_unknown_fields=True):
    """Without a password, the user signs in by OpenID Connect and is known by the e-mail address."""

    name: Name
    role: Literal["owner", "admin", "member", "viewer"] = "member"
    password: Annotated[str, msgspec.Meta(max_length=1000)] | None = None
    email: Annotated[str, msgspec.Meta(max_length=320)] = ""


class NewTeam(msgspec.Struct, forbid_unknown_fields=True):
    name: Name


@get("/users", sync_to_thread=True, summary="People")
def list_users(viewer: Viewer, store: Store) -> list[dict[str, Any]]:
    viewer.govern()
    u = schema.users
    with store.read() as connection:
        rows = connection.execute(select(u).order_by(u.c.name)).mappings()
        return [{name: row[name] for name in ("id", "name", "email", "role", "disabled")} for row in rows]


@post("/users", sync_to_thread=True, summary="Add somebody")
def add_user(viewer: Viewer, store: Store, data: NewUser) -> dict[str, Any]:
    viewer.govern("owner" if data.role == "owner" else "admin")
    identity = users.add(store, data.name, data.role, data.password, data.email)
    with store.write() as connection:
        groups.note(connection, viewer.name, "new user", None, {"user": identity, "role": data.role})
    return {"id": identity, "name": data.name, "role": data.role}


@delete("/users/{user:int}", sync_to_thread=True, summary="Somebody may sign in no more")
def disable_user(viewer: Viewer, store: Store, user: Small) -> None:
    viewer.govern("owner")
    users.disable(store, user, viewer.name)


@get("/teams", sync_to_thread=True, summary="Teams, with their people and projects")
def list_teams(viewer: Viewer, store: Store) -> list[dict[str, Any]]:
    viewer.govern()
    with store.read() as connection:
        return teams.listed(connection)


@post("/teams", sync_to_thread=True, summary="Make a team")
def add_team(viewer: Viewer, store: Store, data: NewTeam) -> list[dict[str, Any]]:
    viewer.govern()
    with store.write() as connection:
        team = teams.add(connection, data.name)
        groups.note(connection, viewer.name, "team: add", None, {"team": team})
        return teams.listed(connection)


@delete("/teams/{team:int}", sync_to_thread=True, summary="Remove a team that has no projects")
def remove_team(viewer: Viewer, store: Store, team: Small) -> None:
    viewer.govern()
    with store.write() as connection:
        teams.remove(connection, team)
        groups.note(connection, viewer.name, "team: remove", None, {"team": team})


@put("/teams/{team:int}/people/{user:int}", sync_to_thread=True, summary="Somebody joins a team")
def join_team(viewer: Viewer, store: Store, team: Small, user: Small) -> list[dict[str, Any]]:
    viewer.govern()
    with store.write() as connection:
        teams.join(connection, team, user)
        groups.note(connection, viewer.name, "team: join", None, {"team": team, "user": user})
        return teams.listed(connection)


@delete("/teams/{team:int}/people/{user:int}", sync_to_thread=True, summary="Somebody leaves a team")
def leave_team(viewer: Viewer, store: Store, team: Small, user: Small) -> None:
    viewer.govern()
    with store.write() as connection:
        teams.leave(connection, team, user)
        groups.note(connection, viewer.name, "team: leave", None, {"team": team, "user": user})


@get("/turned-away", sync_to_thread=True, summary="Clients that were not let in, and why")
def turned_away(viewer: Viewer, store: Store) -> list[dict[str, Any]]:
    viewer.govern()
    r = schema.refused
    with store.read() as connection:
        return [
            dict(row)
            for row in connection.execute(select(r).order_by(r.c.last_seen.desc()).limit(200)).mappings()
        ]


@get("/audit", sync_to_thread=True, summary="Who did what, newest first")
def audit(viewer: Viewer, store: Store) -> list[dict[str, Any]]:
    viewer.govern()
    a = schema.audit
    with store.read() as connection:
        rows = connection.execute(select(a).order_by(a.c.time.desc()).limit(300)).all()
    return [
        {"time": listing.when(row.time), "actor": row.actor, "action": row.action, "project": row.project_id,
         "detail": json.loads(row.detail)}
        for row in rows
    ]  # fmt: skip


HANDLERS = (
    list_users, add_user, disable_user, list_teams, add_team, remove_team, join_team, leave_team, turned_away, audit,
)  # fmt: skip
