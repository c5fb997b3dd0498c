"""The pages of one project: its groups, its routes, its settings."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from litestar import get, post
from litestar.params import Parameter
from litestar.response import Redirect, Template
from sqlalchemy import select

from why401.monitor import groups, projects, schema, settings, setups, teams, tokens, traffic
from why401.monitor.groups import Search
from why401.monitor.store import Store
from why401.monitor.web.sign_in import Form
from why401.monitor.web.viewer import Viewer

Span = Literal["hour", "day", "week", "month"]
p = schema.projects


def named(store: Store, viewer: Viewer, project: int) -> Any:
    """The project's row. Raises 404."""
    with store.read() as connection:
        return connection.execute(select(p).where(p.c.id == viewer.see(project))).one()


@get("/projects/{project:int}", include_in_schema=False, sync_to_thread=True)
def project_page(
    viewer: Viewer, store: Store, project: int, q: str = "",
    wanted: Annotated[str, Parameter(query="state")] = "open", order: str = "last_seen",
    span: Span = "day", part: bool = False,
) -> Template:  # fmt: skip
    """Groups of like events; with `part`, the list alone."""
    row = named(store, viewer, project)
    with store.read() as connection:
        found = groups.find(connection, project, Search(q[:500], wanted, "", order, 100))
        times, bars = traffic.events_over_time(connection, [project], span)[project]
        deploys = traffic.deploys(connection, project, traffic.SPANS[span][0])
        counts = traffic.states(connection, [project])[project]
    context = {"viewer": viewer, "project": row, "groups": found, "q": q, "state": wanted, "order": order, "span": span,
               "times": times, "bars": bars, "deploys": deploys, "counts": counts, "states": groups.STATES,
               "spans": traffic.SPANS}  # fmt: skip
    return Template("parts/groups.html" if part else "project.html", context=context)


@get("/projects/{project:int}/routes", include_in_schema=False, sync_to_thread=True)
def routes_page(viewer: Viewer, store: Store, project: int, span: Span = "day") -> Template:
    row = named(store, viewer, project)
    with store.read() as connection:
        found = traffic.routes(
            connection, project, traffic.SPANS[span][0], traffic.target(connection, project)
        )
        times, ratio = traffic.ratio_over_time(connection, project, span)
    context = {"viewer": viewer, "project": row, "routes": found, "span": span, "times": times, "ratio": ratio,
               "spans": traffic.SPANS}  # fmt: skip
    return Template("routes.html", context=context)


@get("/projects/{project:int}/settings", include_in_schema=False, sync_to_thread=True)
def settings_page(viewer: Viewer, store: Store, project: int) -> Template:
    viewer.need("member")
    return _settings(viewer, store, project)


def _settings(viewer: Viewer, store: Store, project: int, token: str = "") -> Template:
    row = named(store, viewer, project)
    base = settings.get(store, "base", settings.BASE)
    with store.read() as connection:
        keys = projects.keys(connection, project)
        held = tokens.listed(connection, project)
        everybody = teams.listed(connection)
    usable = next((key["key"] for key in reversed(keys) if key["revoked"] is None), "")
    how = projects.described(project, usable, None, base)
    context = {"viewer": viewer, "project": row, "keys": keys, "tokens": held, "how": how, "token": token,
               "options": json.loads(row.options), "setups": setups.of(how) if usable else (),
               "teams": everybody}  # fmt: skip
    return Template("settings.html", context=context)


@post("/projects/{project:int}/settings", include_in_schema=False, sync_to_thread=True)
def change_settings(viewer: Viewer, store: Store, project: int, data: Form) -> Redirect:
    viewer.need("admin")
    row = named(store, viewer, project)
    options = json.loads(row.options)
    for name in ("blocklist", "allowlist"):
        options[name] = [
            word.strip() for word in data.get(name, "").replace(",", "\n").splitlines() if word.strip()
        ]
    options["apdex"] = _number(data.get("apdex", ""), None)
    values = {
        "name": data.get("name", "").strip()[:200] or row.name,
        "quota": _number(data.get("quota", ""), None),
        "keep_days": _number(data.get("keep_days", ""), row.keep_days),
        "keep_count": _number(data.get("keep_count", ""), row.keep_count),
        "options": json.dumps(options),
    }
    if viewer.user is not None and "team" in data:  # who may see the project
        with store.write() as connection:
            teams.give(connection, project, int(data["team"]) if data["team"].isdecimal() else None)
    projects.change(store, project, **values)
    with store.write() as connection:
        groups.note(connection, viewer.name, "settings", project, values)
    return Redirect(f"/projects/{project}/settings", status_code=303)


def _number(text: str, otherwise: int | None) -> int | None:
    return int(text) if text.strip().isdecimal() and 0 < int(text) < 10**12 else otherwise


@post("/projects/{project:int}/keys", include_in_schema=False, sync_to_thread=True)
def add_key(viewer: Viewer, store: Store, project: int) -> Redirect:
    viewer.need("admin")
    with store.write() as connection:
        projects.add_key(connection, viewer.see(project))
        groups.note(connection, viewer.name, "new key", project, {})
    return Redirect(f"/projects/{project}/settings#keys", status_code=303)


@post("/projects/{project:int}/keys/{key:str}/revoke", include_in_schema=False, sync_to_thread=True)
def revoke_key(viewer: Viewer, store: Store, project: int, key: str) -> Redirect:
    viewer.need("admin")
    with store.write() as connection:
        projects.revoke_key(connection, viewer.see(project), key)
        groups.note(connection, viewer.name, "key revoked", project, {"key": key[:6] + "…"})
    return Redirect(f"/projects/{project}/settings#keys", status_code=303)


@post("/projects/{project:int}/tokens", include_in_schema=False, sync_to_thread=True)
def add_token(viewer: Viewer, store: Store, project: int, data: Form) -> Template:
    """The token is shown once."""
    viewer.need("admin")
    role = data.get("role", "viewer") if data.get("role") in ("viewer", "member", "admin") else "viewer"
    with store.write() as connection:
        label = data.get("label", "").strip()[:200] or "token"
        token = tokens.issue(connection, label, role, project=viewer.see(project))
        groups.note(connection, viewer.name, "new token", project, {"label": label, "role": role})
    return _settings(viewer, store, project, token)


@post("/projects/{project:int}/tokens/{token:int}/revoke", include_in_schema=False, sync_to_thread=True)
def revoke_token(viewer: Viewer, store: Store, project: int, token: int) -> Redirect:
    viewer.need("admin")
    with store.write() as connection:
        tokens.revoke(connection, viewer.see(project), token)
        groups.note(connection, viewer.name, "token revoked", project, {"token": token})
    return Redirect(f"/projects/{project}/settings#tokens", status_code=303)


HANDLERS = (
    project_page,
    routes_page,
    settings_page,
    change_settings,
    add_key,
    revoke_key,
    add_token,
    revoke_token,
)
