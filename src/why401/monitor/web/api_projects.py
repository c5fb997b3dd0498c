"""The REST API: projects, their keys and tokens, and what they are doing."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import msgspec
from litestar import delete, get, patch, post
from litestar.exceptions import NotFoundException
from sqlalchemy import select

from why401.monitor import groups, listing, projects, schema, settings, teams, tokens, traffic
from why401.monitor.store import Store
from why401.monitor.web.api import Id, Small
from why401.monitor.web.viewer import Viewer

p = schema.projects
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Words = Annotated[
    list[Annotated[str, msgspec.Meta(min_length=1, max_length=200)]], msgspec.Meta(max_length=1000)
]
Span = Literal["hour", "day", "week", "month"]


class NewProject(msgspec.Struct, forbid_unknown_fields=True):
    name: Name


class ProjectChange(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be changed; what is left out stays. `quota`, events a minute: 0 for no limit. `team`: 0 for none, so
    that everybody sees the project; only for a user's token. `quiet`: hours such as 22:00-07:00, UTC."""

    name: Name | None = None
    quota: Annotated[int, msgspec.Meta(ge=0, le=10**9)] | None = None
    keep_days: Annotated[int, msgspec.Meta(ge=1, le=36_500)] | None = None
    keep_count: Annotated[int, msgspec.Meta(ge=1, le=10**12)] | None = None
    blocklist: Words | None = None
    allowlist: Words | None = None
    apdex: Annotated[int, msgspec.Meta(ge=1, le=600_000)] | None = None
    quiet: Annotated[str, msgspec.Meta(pattern="^([0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9])?$")] | None = (
        None
    )
    summary: Literal["", "daily", "weekly"] | None = None
    team: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] | None = None


class NewToken(msgspec.Struct, forbid_unknown_fields=True):
    label: Name
    role: Literal["viewer", "member", "admin"] = "viewer"


#: What of a change is kept among the options of a project.
_OPTIONS = ("blocklist", "allowlist", "apdex", "quiet", "summary")


@get("/projects", sync_to_thread=True, summary="Projects that the token may see")
def list_projects(viewer: Viewer, store: Store) -> list[dict[str, Any]]:
    with store.read() as connection:
        rows = connection.execute(p.select().where(p.c.id.in_(viewer.projects)).order_by(p.c.id)).mappings()
        return [_described(dict(row)) for row in rows]


def _described(row: dict[str, Any]) -> dict[str, Any]:
    options = json.loads(row["options"])
    return {
        "id": row["id"], "name": row["name"], "team": row["team_id"], "quota": row["quota"],
        "created": listing.when(row["created"]), "keep_days": row["keep_days"], "keep_count": row["keep_count"],
        **{name: options.get(name) for name in _OPTIONS},
    }  # fmt: skip


@post("/projects", sync_to_thread=True, summary="Make a project; its key and token are in the answer, once")
def add_project(viewer: Viewer, store: Store, data: NewProject) -> dict[str, Any]:
    viewer.govern()
    made = projects.add(store, data.name, settings.get(store, "base", settings.BASE))
    with store.write() as connection:
        groups.note(connection, viewer.name, "new project", made["id"], {"name": data.name})
    return made


@get("/projects/{project:int}", sync_to_thread=True, summary="A project, and how it does")
def one_project(viewer: Viewer, store: Store, project: Id) -> dict[str, Any]:
    viewer.see(project)
    with store.read() as connection:
        row = connection.execute(select(p).where(p.c.id == project)).mappings().one()
        counts = traffic.states(connection, [project])[project]
        asked = traffic.requests_by_project(connection, [project], traffic.DAY)[project]
    day = {
        "requests": asked.count,
        "unauthorized": asked.unauthorized,
        "failed": asked.failed,
        "apdex": asked.apdex,
    }
    return {**_described(dict(row)), "groups": counts, "day": day}


@patch("/projects/{project:int}", sync_to_thread=True, summary="Change a project")
def change_project(viewer: Viewer, store: Store, project: Id, data: ProjectChange) -> dict[str, Any]:
    viewer.need("admin")
    viewer.see(project)
    said = {name: value for name, value in msgspec.structs.asdict(data).items() if value is not None}
    with store.write() as connection:
        if "team" in said:
            viewer.govern()
            teams.give(connection, project, said["team"] or None)
        options = json.loads(connection.scalar(select(p.c.options).where(p.c.id == project)) or "{}")
        options |= {name: said[name] for name in _OPTIONS if name in said}
        values: dict[str, Any] = {
            name: said[name] for name in ("name", "keep_days", "keep_count") if name in said
        }
        values |= {"quota": said["quota"] or None} if "quota" in said else {}
        projects.change_in(connection, project, options=json.dumps(options), **values)
        groups.note(connection, viewer.name, "settings", project, said)
        return _described(dict(connection.execute(select(p).where(p.c.id == project)).mappings().one()))


@get(
    "/projects/{project:int}/routes", sync_to_thread=True, summary="What each route answered, most 401s first"
)
def list_routes(viewer: Viewer, store: Store, project: Id, span: Span = "day") -> list[dict[str, Any]]:
    with store.read() as connection:
        target = traffic.target(connection, viewer.see(project))
        return traffic.routes(connection, project, traffic.SPANS[span][0], target)


@get("/projects/{project:int}/traffic", sync_to_thread=True, summary="Events over time, 401 ratio, deploys")
def over_time(viewer: Viewer, store: Store, project: Id, span: Span = "day") -> dict[str, Any]:
    with store.read() as connection:
        times, events = traffic.events_over_time(connection, [viewer.see(project)], span)[project]
        _, ratio = traffic.ratio_over_time(connection, project, span)
        deploys = traffic.deploys(connection, project, traffic.SPANS[span][0])
    return {"times": times, "events": events, "ratio": ratio, "deploys": deploys}


@get("/projects/{project:int}/keys", sync_to_thread=True, summary="Keys by which clients write")
def list_keys(viewer: Viewer, store: Store, project: Id) -> list[dict[str, Any]]:
    viewer.need("member")
    with store.read() as connection:
        return projects.keys(connection, viewer.see(project))


@post("/projects/{project:int}/keys", sync_to_thread=True, summary="A new key")
def add_key(viewer: Viewer, store: Store, project: Id) -> dict[str, Any]:
    viewer.need("admin")
    with store.write() as connection:
        key = projects.add_key(connection, viewer.see(project))
        groups.note(connection, viewer.name, "new key", project, {})
    return projects.described(project, key, None, settings.get(store, "base", settings.BASE))


@delete("/projects/{project:int}/keys/{key:str}", sync_to_thread=True, summary="Revoke a key")
def revoke_key(viewer: Viewer, store: Store, project: Id, key: str) -> None:
    viewer.need("admin")
    with store.write() as connection:
        projects.revoke_key(connection, viewer.see(project), key)
        groups.note(connection, viewer.name, "key revoked", project, {"key": key[:6] + "…"})


@get(
    "/projects/{project:int}/tokens",
    sync_to_thread=True,
    summary="Tokens of the API, without what opens anything",
)
def list_tokens(viewer: Viewer, store: Store, project: Id) -> list[dict[str, Any]]:
    viewer.need("admin")
    with store.read() as connection:
        return tokens.listed(connection, viewer.see(project))


@post("/projects/{project:int}/tokens", sync_to_thread=True, summary="A new token; it is in the answer, once")
def add_token(viewer: Viewer, store: Store, project: Id, data: NewToken) -> dict[str, Any]:
    viewer.need("admin")
    with store.write() as connection:
        token = tokens.issue(connection, data.label, data.role, project=viewer.see(project))
        groups.note(connection, viewer.name, "new token", project, {"label": data.label, "role": data.role})
    return {"token": token, "label": data.label, "role": data.role}


@delete("/projects/{project:int}/tokens/{token:int}", sync_to_thread=True, summary="Revoke a token")
def revoke_token(viewer: Viewer, store: Store, project: Id, token: Small) -> None:
    viewer.need("admin")
    with store.write() as connection:
        if not tokens.revoke(connection, viewer.see(project), token):
            raise NotFoundException("There is no such token in this project.")
        groups.note(connection, viewer.name, "token revoked", project, {"token": token})


HANDLERS = (
    list_projects, add_project, one_project, change_project, list_routes, over_time, list_keys, add_key, revoke_key,
    list_tokens, add_token, revoke_token,
)  # fmt: skip
