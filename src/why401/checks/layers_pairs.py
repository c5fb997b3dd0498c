"""Checks of two layers of which one passes requests on to the other: they have to agree on the one field.

They need no request: what the outer layer drops or asks for, and what the inner one demands, both stand in files.
"""

from __future__ import annotations

from collections.abc import Iterator

from why401.checks import rule
from why401.checks.layers_changes import without_line
from why401.evidence import Change, Evidence
from why401.findings import AGAINST, STRONG, Finding, Where
from why401.layers.model import Layer, Route
from why401.path import behind, routes

FIELD = "authorization"


def _drop(route: Route) -> Change | None:
    """Where the route takes Authorization out, though it asks for no login itself."""
    if route.demand("scheme") or route.demand("subrequest"):
        return None
    for change in route.changes:
        if change.name.lower() == FIELD and change.what == "drops" and not change.value:
            return change
    return None


def _schemes(layer: Layer) -> set[str]:
    """The schemes of Authorization that the layer's routes ask for, in lower case; those beside another way to
    log in (a cookie, a field of its own) are left out."""
    others = ("cookie", "login", "field", "certificate")
    held = (route for route in layer.routes() if not any(route.demand(other) for other in others))
    return {demand.value.lower() for route in held for demand in route.all("scheme")}


@rule
def dropped_before_who_asks(evidence: Evidence) -> Iterator[Finding]:
    """A layer takes Authorization out, and the one behind it asks for a login in that field."""
    for route in routes(evidence):
        change = _drop(route)
        inner = behind(evidence.layers, route) if change else None
        if change is None or inner is None or not _schemes(inner):
            continue
        yield Finding(
            "dropped-before-who-asks",
            f"{route.hop} takes Authorization out, and {inner.hop} behind it asks for a login in that field.",
            {"proxy-stripped-credentials": STRONG, "no-credentials": AGAINST, "wrong-password": AGAINST},
            Where.of(change.source, field=change.name),
            group="dropped-on-the-way",
            stack=route.hop,
            fix=f"Let {route.hop} pass Authorization on as it came: remove the line.",
            edits=without_line(route, change),
        )


@rule
def two_ask_in_one_field(evidence: Evidence) -> Iterator[Finding]:
    """Two layers, one behind the other, ask for different schemes, and a request has one Authorization field."""
    seen: set[object] = set()
    for route in routes(evidence):
        asked = {demand.value.lower() for demand in route.all("scheme")}
        inner = behind(evidence.layers, route) if asked and not route.demand("satisfy") else None
        wanted = _schemes(inner) if inner else set()
        demand = route.demand("scheme")
        if inner is None or demand is None or not wanted or wanted & asked or demand.source in seen:
            continue
        seen.add(demand.source)
        yield Finding(
            "two-ask-in-one-field",
            f"{route.hop} asks for {demand.value}, and {inner.hop} behind it for {' or '.join(sorted(wanted))}: "
            "a request has one Authorization field, so it can satisfy only one of them.",
            {"auth-layers-collide": STRONG, "wrong-scheme": AGAINST, "wrong-password": AGAINST},
            Where.of(demand.source),
            group="demanded-scheme",
            stack=route.hop,
            fix="Keep one of the two logins for this path, or let one of them read another field or a cookie.",
        )
