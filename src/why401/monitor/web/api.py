"""The REST API, version 1. Its description is at /api/v1/openapi.json."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import delete, get, patch, post, put
from litestar.exceptions import NotFoundException, PermissionDeniedException
from litestar.params import Parameter

from why401.monitor import filters, groups, listing, merging, users
from why401.monitor.groups import Search
from why401.monitor.projects import Unknown
from why401.monitor.rules import Rule
from why401.monitor.store import Store
from why401.monitor.web.viewer import Viewer

Limit = Annotated[int, Parameter(ge=1, le=1000, query="limit")]
Before = Annotated[int | None, Parameter(ge=0, le=2**63 - 1, query="before")]
_States = Literal["open", "all", "unresolved", "regressed", "resolved", "ignored", "muted"]
Id = Annotated[int, Parameter(ge=0, le=2**63 - 1)]
Small = Annotated[int, Parameter(ge=0, le=2**31 - 1)]


class GroupChange(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be changed of a group; what is left out stays."""

    state: Literal["unresolved", "resolved", "ignored", "muted"] | None = None
    resolved_in: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    muted_until: Annotated[float, msgspec.Meta(ge=0, le=1e11)] | None = None


class FilterChange(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be changed of a filter; what is left out stays."""

    rule: Rule | None = None
    position: Annotated[int, msgspec.Meta(ge=0, le=10_000)] | None = None
    enabled: bool | None = None


@get("/projects/{project:int}/events", sync_to_thread=True, summary="Stored events, newest first")
def list_events(
    viewer: Viewer, store: Store, project: Id, limit: Limit = 100, before: Before = None
) -> list[dict[str, Any]]:
    with store.read() as connection:
        return list(listing.events(connection, viewer.see(project), limit, before))


@get("/projects/{project:int}/events/{event:int}", sync_to_thread=True, summary="A stored event whole")
def one_event(viewer: Viewer, store: Store, project: Id, event: Id) -> dict[str, Any]:
    with store.read() as connection:
        return found(listing.event(connection, viewer.see(project), event), "event")


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
        return found(groups.one(connection, viewer.see(project), group), "group")


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
        return found(groups.one(connection, viewer.see(project), group), "group")


@get(
    "/projects/{project:int}/filters",
    sync_to_thread=True,
    summary="Filters in their order, with their counts",
)
def list_filters(viewer: Viewer, store: Store, project: Id) -> list[dict[str, Any]]:
    with store.read() as connection:
        return filters.listed(connection, viewer.see(project))


@post("/projects/{project:int}/filters", sync_to_thread=True, summary="Add a filter after the others")
def add_filter(viewer: Viewer, store: Store, project: Id, data: Rule) -> list[dict[str, Any]]:
    viewer.need("member")
    with store.write() as connection:
        identity = filters.add(connection, viewer.see(project), data)
        groups.note(connection, viewer.name, "filter added", project, {"filter": identity, "name": data.name})
        return filters.listed(connection, project)


@put(
    "/projects/{project:int}/filters/{identity:int}", sync_to_thread=True, summary="A new version of a filter"
)
def change_filter(
    viewer: Viewer, store: Store, project: Id, identity: Small, data: FilterChange
) -> list[dict[str, Any]]:
    viewer.need("member")
    with store.write() as connection:
        new = filters.change(
            connection, viewer.see(project), identity, data.rule, data.position, data.enabled
        )
        groups.note(connection, viewer.name, "filter changed", project, {"filter": new, "was": identity})
        return filters.listed(connection, project)


@delete("/projects/{project:int}/filters/{identity:int}", sync_to_thread=True, summary="Remove a filter")
def remove_filter(viewer: Viewer, store: Store, project: Id, identity: Small) -> None:
    viewer.need("member")
    with store.write() as connection:
        filters.remove(connection, viewer.see(project), identity)
        groups.note(connection, viewer.name, "filter removed", project, {"filter": identity})


@post("/projects/{project:int}/filters/try", sync_to_thread=True, status_code=200,
      summary="What a filter would have done to the last day's events")  # fmt: skip
def try_filter(viewer: Viewer, store: Store, project: Id, data: Rule) -> dict[str, Any]:
    with store.read() as connection:
        return filters.tried(connection, viewer.see(project), data)


class Merge(msgspec.Struct, forbid_unknown_fields=True):
    """`into`: the group that takes the events."""

    into: str


@post("/projects/{project:int}/groups/{group:int}/merge", sync_to_thread=True, status_code=200,
      summary="Merge a group into another of the same project")  # fmt: skip
def merge_group(viewer: Viewer, store: Store, project: Id, group: Id, data: Merge) -> dict[str, Any]:
    viewer.need("member")
    into = int(data.into) if data.into.isdecimal() and len(data.into) < 19 else 0
    merging.merge(store, viewer.see(project), group, into)
    with store.write() as connection:
        groups.note(connection, viewer.name, "merged", project, {"group": str(group), "into": data.into})
        return found(groups.one(connection, project, into), "group")


@post("/projects/{project:int}/groups/{group:int}/split", sync_to_thread=True, status_code=200,
      summary="Take a merged group out again")  # fmt: skip
def split_group(viewer: Viewer, store: Store, project: Id, group: Id) -> dict[str, Any]:
    viewer.need("member")
    merging.split(store, viewer.see(project), group)
    with store.write() as connection:
        groups.note(connection, viewer.name, "split", project, {"group": str(group)})
        return found(groups.one(connection, project, group), "group")


class Assignment(msgspec.Struct, forbid_unknown_fields=True):
    """`to`: the user's number; null for nobody."""

    to: Small | None


@put(
    "/projects/{project:int}/groups/{group:int}/assignee",
    sync_to_thread=True,
    summary="Who looks after a group",
)
def assign_group(viewer: Viewer, store: Store, project: Id, group: Id, data: Assignment) -> dict[str, Any]:
    viewer.need("member")
    with store.write() as connection:
        if data.to is not None and users.find(connection, data.to) is None:
            raise Unknown("There is no such user.")
        groups.change(connection, viewer.see(project), group, viewer.name, assignee_id=data.to)
        return found(groups.one(connection, project, group), "group")


class Comment(msgspec.Struct, forbid_unknown_fields=True):
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]


@post(
    "/projects/{project:int}/groups/{group:int}/comments",
    sync_to_thread=True,
    summary="Say something of a group",
)
def add_comment(viewer: Viewer, store: Store, project: Id, group: Id, data: Comment) -> dict[str, Any]:
    viewer.need("member")
    if viewer.user is None:
        raise PermissionDeniedException("A comment is somebody's; send the token of a user.")
    with store.write() as connection:
        found(groups.one(connection, viewer.see(project), group), "group")
        groups.comment(connection, group, viewer.user, data.text)
        return found(groups.one(connection, project, group), "group")


def found(value: dict[str, Any] | None, what: str) -> dict[str, Any]:
    if value is None:
        raise NotFoundException(f"There is no such {what} in this project.")
    return value


HANDLERS = (
    list_events,
    one_event,
    list_groups,
    one_group,
    events_of_group,
    change_group,
    merge_group,
    split_group,
    list_filters,
    add_filter,
    change_filter,
    remove_filter,
    try_filter,
    assign_group,
    add_comment,
)
