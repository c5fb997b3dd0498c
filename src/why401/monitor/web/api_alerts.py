"""The REST API: alerts, where they go, uptime checks, and what was told."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import delete, get, post

from why401.monitor import alerts, groups, notices, uptime
from why401.monitor.alerts import Alert
from why401.monitor.store import Store
from why401.monitor.web.api import Id, Small
from why401.monitor.web.viewer import Viewer


class NewChannel(msgspec.Struct, forbid_unknown_fields=True):
    """`url`: as Apprise writes it (https://appriseit.com/services/)."""

    url: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class NewCheck(msgspec.Struct, forbid_unknown_fields=True):
    """`every`: seconds."""

    url: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    every: Annotated[int, msgspec.Meta(ge=30, le=86_400)] = 60


@get("/projects/{project:int}/alerts", sync_to_thread=True, summary="When people are told")
def list_alerts(viewer: Viewer, store: Store, project: Id) -> list[dict[str, Any]]:
    with store.read() as connection:
        return alerts.listed(connection, viewer.see(project))


@post("/projects/{project:int}/alerts", sync_to_thread=True, summary="Add an alert")
def add_alert(viewer: Viewer, store: Store, project: Id, data: Alert) -> list[dict[str, Any]]:
    viewer.need("admin")
    with store.write() as connection:
        identity = alerts.add(connection, viewer.see(project), data)
        groups.note(connection, viewer.name, "alerts: alert", project, {"id": identity})
        return alerts.listed(connection, project)


@delete("/projects/{project:int}/alerts/{identity:int}", sync_to_thread=True, summary="Remove an alert")
def remove_alert(viewer: Viewer, store: Store, project: Id, identity: Small) -> None:
    viewer.need("admin")
    with store.write() as connection:
        alerts.remove(connection, viewer.see(project), identity)
        groups.note(connection, viewer.name, "alerts: remove alert", project, {"id": identity})


@get("/projects/{project:int}/channels", sync_to_thread=True, summary="Where notices go, without secrets")
def list_channels(viewer: Viewer, store: Store, project: Id) -> list[dict[str, Any]]:
    viewer.need("member")
    with store.read() as connection:
        return notices.channels(connection, viewer.see(project))


@post("/projects/{project:int}/channels", sync_to_thread=True, summary="Add a channel")
def add_channel(viewer: Viewer, store: Store, project: Id, data: NewChannel) -> list[dict[str, Any]]:
    viewer.need("admin")
    with store.write() as connection:
        notices.add_channel(connection, viewer.see(project), data.url)
        groups.note(connection, viewer.name, "alerts: channel", project, {})
        return notices.channels(connection, project)


@delete("/projects/{project:int}/channels/{identity:int}", sync_to_thread=True, summary="Remove a channel")
def remove_channel(viewer: Viewer, store: Store, project: Id, identity: Small) -> None:
    viewer.need("admin")
    with store.write() as connection:
        notices.remove_channel(connection, viewer.see(project), identity)
        groups.note(connection, viewer.name, "alerts: remove channel", project, {"id": identity})


@get(
    "/projects/{project:int}/checks", sync_to_thread=True, summary="Addresses that are asked again and again"
)
def list_checks(viewer: Viewer, store: Store, project: Id) -> list[dict[str, Any]]:
    with store.read() as connection:
        return uptime.listed(connection, viewer.see(project))


@post("/projects/{project:int}/checks", sync_to_thread=True, summary="Add an address")
def add_check(viewer: Viewer, store: Store, project: Id, data: NewCheck) -> list[dict[str, Any]]:
    viewer.need("admin")
    with store.write() as connection:
        identity = uptime.add(connection, viewer.see(project), data.url, data.every)
        groups.note(connection, viewer.name, "alerts: check", project, {"id": identity})
        return uptime.listed(connection, project)


@delete("/projects/{project:int}/checks/{identity:int}", sync_to_thread=True, summary="Remove an address")
def remove_check(viewer: Viewer, store: Store, project: Id, identity: Small) -> None:
    viewer.need("admin")
    with store.write() as connection:
        uptime.remove(connection, viewer.see(project), identity)
        groups.note(connection, viewer.name, "alerts: remove check", project, {"id": identity})


@get("/projects/{project:int}/told", sync_to_thread=True, summary="What was noticed lately")
def list_notices(viewer: Viewer, store: Store, project: Id) -> list[dict[str, Any]]:
    with store.read() as connection:
        return notices.recent(connection, viewer.see(project))


HANDLERS = (
    list_alerts, add_alert, remove_alert, list_channels, add_channel, remove_channel, list_checks, add_check,
    remove_check, list_notices,
)  # fmt: skip
