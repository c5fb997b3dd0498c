"""The REST API, version 1. Its description is at /api/v1/openapi.json."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import Router, get, patch
from litestar.exceptions import NotFoundException
from litestar.params import Parameter

from why401.monitor import groups, listing, schema
from why401.monitor.groups import Search
from why401.monitor.store import Store
from why401.monitor.web.viewer import Viewer

Limit = Annotated[int, Parameter(ge=1, le=1000, query="limit")]
Before = Annotated[int | None, Parameter(ge=0, le=2**63 - 1, query="before")]
_States = Literal["open", "all", "unresolved", "regressed", "resolved", "ignored", "muted"]
Id = Annotated[int, Parameter(ge=0, le=2**63 - 1)]


class GroupChange(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be changed of a group; what is left out stays."""

    state: Literal["unresolved", "resolved", "ignored", "muted"] | None = None
    resolved_in: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    muted_until: Annotated[float, msgspec.Meta(ge=0, le=1e11)] | None = None


@get("/projects", sync_to_thread=True, summary="Projects that the token may see")
def list_projects(viewer: Viewer, store: Store) -> list[dict[str, Any]]:
    p = schema.projects
    with store.read() as connection:
        rows = connection.execute(p.select().where(p.c.id.in_(viewer.projects)).order_by(p.c.id)).mappings()
        return [
            {"id": r["id"], "name": r["name"], "quota": r["quota"], "created": listing.when(r["created"])}
            for r in rows
        ]


@get("/projects/{project:int}/events", sync_to_thread=True, summary="Stored events, newest first")
def list_events(
    viewer: Viewer, store: Store, project: Id, limit: Limit = 100, before: Before = None
) -> list[dict[str, Any]]:
    with store.read() as connection:
        return list(listing.events(connection, viewer.see(project), limit, before))


@get("/projects/{project:int}/events/{event:int}", sync_to_thread=True, summary="A stored event whole")
def one_event(viewer: Viewer, store: Store, project: Id, event: Id) -> dict[str, Any]:
    with store.read() as connection:
        return _found(listing.event(connection, viewer.see(project), event), "event")


@get("/projects/{project:int}/groups", sync_to_thread=True, summary="Groups of like events")
def list_groups(
    viewer: Viewer,
    store: Store,
    project: Id,
    q: Annotated[str, Parameter(max_length=500)] = "",
    wanted: Annotated[_States, Parameter(query="state")] = "all",
    order: Literal["last_seen", "first_seen", "events"] = "last_seen",
    limit: Annotated[int, Parameter(ge=1, le=200)] = 50,
) -> list[dict[str, Any]]:
    with store.read() as connection:
        return groups.find(connection, viewer.see(project), Search(q, wanted, "", order, limit))


@get("/projects/{project:int}/groups/{group:int}", sync_to_thread=True, summary="A group with its diagnosis")
def one_group(viewer: Viewer, store: Store, project: Id, group: Id) -> dict[str, Any]:
    with store.read() as connection:
        return _found(groups.one(connection, viewer.see(project), group), "group")


@get("/projects/{project:int}/groups/{group:int}/events", sync_to_thread=True, summary="Events of a group")
def events_of_group(
    viewer: Viewer, store: Store, project: Id, group: Id, limit: Limit = 100, before: Before = None
) -> list[dict[str, Any]]:
    with store.read() as connection:
        return list(listing.events(connection, viewer.see(project), limit, before, group))


@patch(
    "/projects/{project:int}/groups/{group:int}", sync_to_thread=True, summary="Resolve, ignore, mute, reopen"
)
def change_group(viewer: Viewer, store: Store, project: Id, group: Id, data: GroupChange) -> dict[str, Any]:
    viewer.need("member")
    values = {name: value for name, value in msgspec.structs.asdict(data).items() if value is not None}
    with store.write() as connection:
        if values:
            groups.change(connection, viewer.see(project), group, viewer.name, **values)
        return _found(groups.one(connection, viewer.see(project), group), "group")


def _found(value: dict[str, Any] | None, what: str) -> dict[str, Any]:
    if value is None:
        raise NotFoundException(f"There is no such {what} in this project.")
    return value


router = Router(
    "/api/v1",
    route_handlers=[
        list_projects,
        list_events,
        one_event,
        list_groups,
        one_group,
        events_of_group,
        change_group,
    ],
    tags=["why401"],
)
