"""The page of a project's filters."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from litestar import get, post
from litestar.response import Redirect, Template

from why401.monitor import filters, groups, rules
from why401.monitor.rules import Rule
from why401.monitor.store import Store
from why401.monitor.web.project_pages import named
from why401.monitor.web.sign_in import Form
from why401.monitor.web.viewer import Viewer

CONDITIONS = 3  #: that the form has room for; the API takes more
UNTIL = {"1 hour": 3600, "1 day": 86400, "1 week": 7 * 86400}


@get("/projects/{project:int}/filters", include_in_schema=False, sync_to_thread=True)
def filters_page(viewer: Viewer, store: Store, project: int) -> Template:
    viewer.need("member")
    return _page(viewer, store, project)


def _page(viewer: Viewer, store: Store, project: int, **more: Any) -> Template:
    row = named(store, viewer, project)
    with store.read() as connection:
        found = filters.listed(connection, project)
    context = {"viewer": viewer, "project": row, "filters": found, "fields": rules.FIELDS, "until": UNTIL,
               "comparisons": list(rules.COMPARISONS), "rooms": range(1, CONDITIONS + 1), "given": {},
               **more}  # fmt: skip
    return Template("filters.html", context=context, status_code=400 if more.get("problem") else 200)


def _rule(data: dict[str, str]) -> Rule:
    """The rule that the form says. Raises msgspec.ValidationError."""
    conditions = [
        {
            "field": data[f"field{n}"].strip(),
            "compared": data.get(f"compared{n}", "is"),
            "value": data[f"value{n}"].strip(),
        }
        for n in range(1, CONDITIONS + 1)
        if data.get(f"value{n}", "").strip()
    ]
    said: dict[str, Any] = {
        "name": data.get("name", "").strip() or "filter",
        "do": data.get("do", "drop"),
        "when": conditions,
    }
    amount = data.get("amount", "").strip()
    if said["do"] == "sample":
        said["keep"] = float(amount or "10") / 100
    elif said["do"] == "limit":
        said["each_minute"] = int(amount or "60")
    elif said["do"] == "mute":
        said["until"] = time.time() + UNTIL.get(data.get("until", ""), 3600)
    return msgspec.convert(said, Rule)


@post("/projects/{project:int}/filters", include_in_schema=False, sync_to_thread=True)
def add_or_try(viewer: Viewer, store: Store, project: int, data: Form) -> Template | Redirect:
    viewer.need("member")
    viewer.see(project)
    try:
        rule = _rule(data)
    except (msgspec.ValidationError, ValueError, KeyError) as problem:
        return _page(viewer, store, project, problem=f"This is no filter: {problem}", given=data)
    if data.get("act") == "try":
        with store.read() as connection:
            tried = filters.tried(connection, project, rule)
        return _page(viewer, store, project, tried=tried, given=data)
    with store.write() as connection:
        identity = filters.add(connection, project, rule)
        groups.note(connection, viewer.name, "filter added", project, {"filter": identity, "name": rule.name})
    return Redirect(f"/projects/{project}/filters", status_code=303)


@post("/projects/{project:int}/filters/{identity:int}", include_in_schema=False, sync_to_thread=True)
def change(viewer: Viewer, store: Store, project: int, identity: int, data: Form) -> Redirect:
    viewer.need("member")
    act, project = data.get("act", ""), viewer.see(project)
    with store.write() as connection:
        if act == "remove":
            filters.remove(connection, project, identity)
        elif act in ("on", "off"):
            filters.change(connection, project, identity, enabled=act == "on")
        elif act in ("up", "down"):
            _move(connection, project, identity, -1 if act == "up" else 1)
        groups.note(connection, viewer.name, "filter changed", project, {"filter": identity, "act": act})
    return Redirect(f"/projects/{project}/filters", status_code=303)


def _move(connection: Any, project: int, identity: int, by: int) -> None:
    """Change places with the neighbour."""
    held = filters.listed(connection, project)
    at = next((place for place, one in enumerate(held) if one["id"] == identity), None)
    if at is None or not 0 <= at + by < len(held):
        return
    filters.reorder(
        connection, project, {identity: held[at + by]["position"], held[at + by]["id"]: held[at]["position"]}
    )


HANDLERS = (filters_page, add_or_try, change)
