"""Which of the owner's layers answered, by the challenge: its scheme and realm stand in one directive."""

from __future__ import annotations

from collections.abc import Iterator

from why401.checks import check
from why401.checks.layers_demands import carried
from why401.evidence import Demand, Evidence
from why401.findings import FAINT, Finding, Where
from why401.layers.model import Route
from why401.path import Walk, walks
from why401.protocol import challenges

LOST = ("proxy-stripped-credentials", "gateway-stripped-credentials")


@check
def answered_by(evidence: Evidence) -> Iterator[Finding]:
    """The challenge has the scheme and the realm of one directive on the way: that layer refused."""
    for one in walks(evidence):
        found = _answering(one)
        if found is None:
            continue
        at, route, demand = found
        scheme = carried(one.request)
        fits = scheme == demand.value.lower()
        cause = "no-credentials" if scheme == "" else "wrong-password" if fits else "wrong-scheme"
        weights = {cause: FAINT}
        first = all(earlier.layer is route.layer for earlier in one.routes[:at])
        if first:
            weights |= dict.fromkeys(LOST, -12.0)
        place = "outermost layer" if first else "layer behind"
        says = f"The challenge's realm is that of {route.name}, so {route.hop}, the {place}, refused."
        yield Finding("answered-by", says, weights, Where.of(demand.source), "who-answered", route.hop)
        return


def _answering(one: Walk) -> tuple[int, Route, Demand] | None:
    response = one.exchange.response if one.exchange else None
    asked = challenges.parse(response.fields.all("www-authenticate")).challenges if response else []
    said = {(c.scheme.lower(), c.params.get("realm")) for c in asked if c.params.get("realm")}
    found = [
        (at, route, scheme)
        for at, route in enumerate(one.routes)
        for scheme in route.all("scheme")
        for realm in route.all("realm")[:1]
        if (scheme.value.lower(), realm.value) in said
    ]
    layers = {id(route.layer) for _, route, _ in found}
    return found[0] if len(layers) == 1 else None
