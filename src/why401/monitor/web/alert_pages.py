"""The page of a project's alerts: rules, where notices go, and addresses that are asked."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from litestar import get, post
from litestar.response import Redirect, Template

from why401.monitor import alerts, groups, notices, projects, summaries, uptime
from why401.monitor.alerts import Alert
from why401.monitor.projects import Unknown
from why401.monitor.store import Store
from why401.monitor.web.project_pages import named
from why401.monitor.web.sign_in import Form
from why401.monitor.web.viewer import Viewer


@get("/projects/{project:int}/alerts", include_in_schema=False, sync_to_thread=True)
def alerts_page(viewer: Viewer, store: Store, project: int) -> Template:
    viewer.need("member")
    return _page(viewer, store, project)


def _page(viewer: Viewer, store: Store, project: int, problem: str = "") -> Template:
    row = named(store, viewer, project)
    with store.read() as connection:
        context = {
            "viewer": viewer, "project": row, "alerts": alerts.listed(connection, project), "kinds": alerts.KINDS,
            "channels": notices.channels(connection, project), "checks": uptime.listed(connection, project),
            "notices": notices.recent(connection, project), "options": json.loads(row.options),
            "problem": problem,
        }  # fmt: skip
    return Template("alerts.html", context=context, status_code=400 if problem else 200)


def _alert(data: dict[str, str]) -> Alert:
    """Raises msgspec.ValidationError, ValueError."""
    said: dict[str, Any] = {"kind": data.get("kind", ""), "refusals": "refusals" in data}
    said |= {name: int(data[name]) for name in ("minutes", "least", "days") if data.get(name, "").strip()}
    said |= {"times": float(data["times"])} if data.get("times", "").strip() else {}
    said |= {"ratio": float(data["ratio"]) / 100} if data.get("ratio", "").strip() else {}
    return msgspec.convert(said, Alert)


@post("/projects/{project:int}/alerts", include_in_schema=False, sync_to_thread=True)
def change_alerts(viewer: Viewer, store: Store, project: int, data: Form) -> Redirect | Template:
    """One of the page's forms, told by its button."""
    viewer.need("admin")
    viewer.see(project)
    act, identity = data.get("act", ""), int(data["id"]) if data.get("id", "").isdecimal() else 0
    if act == "quiet":
        _rhythm(store, named(store, viewer, project), data)
        return Redirect(f"/projects/{project}/alerts", status_code=303)
    try:
        with store.write() as connection:
            if act == "alert":
                alerts.add(connection, project, _alert(data))
            elif act == "channel":
                notices.add_channel(connection, project, data.get("url", "").strip())
            elif act == "check":
                every = data.get("every", "")
                uptime.add(
                    connection, project, data.get("url", "").strip(), int(every) if every.isdecimal() else 60
                )
            elif act in _REMOVES:
                _REMOVES[act](connection, project, identity)
            groups.note(connection, viewer.name, f"alerts: {act}", project, {"id": identity})
    except (Unknown, msgspec.ValidationError, ValueError) as problem:
        return _page(viewer, store, project, str(problem))
    return Redirect(f"/projects/{project}/alerts", status_code=303)


_REMOVES: dict[str, Any] = {
    "remove alert": alerts.remove, "remove channel": notices.remove_channel, "remove check": uptime.remove,
}  # fmt: skip


def _rhythm(store: Store, row: Any, data: dict[str, str]) -> None:
    """Quiet hours, and how often a summary is told."""
    kind = data.get("summary", "")
    options = {
        **json.loads(row.options), "quiet": data.get("quiet", "").strip()[:20],
        "summary": kind if kind in summaries.SPANS else "",
    }  # fmt: skip
    projects.change(store, row.id, options=json.dumps(options))


HANDLERS = (alerts_page, change_alerts)
