"""A login service decides (Traefik's forwardAuth, auth-url of an Ingress, ext_authz of Envoy): whether it is asked
at a place where it can be, and whether it is handed what it needs to know."""

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.checks import check
from why401.checks.layers_changes import document_of
from why401.evidence import Demand, Evidence
from why401.findings import AGAINST, CLEAR, HINT, STRONG, Finding, Where
from why401.layers.model import CARRIERS, Edit, Route
from why401.path import Walk, walks
from why401.prefilter import lazy

#: How each product calls it, and the setting with the fields that are handed on.
_CALLED = {
    "Traefik": ("forwardAuth", "authRequestHeaders"),
    "ingress-nginx": ("auth-url", "auth-proxy-set-headers"),
    "Envoy": ("ext_authz", "allowed_headers"),
}
_ITSELF = lazy(r"https?://(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?=[:/]|$)")


@check
def login_service_decides(evidence: Evidence) -> Iterator[Finding]:
    """The first layer on the way that asks a login service whether the request may pass."""
    for one in walks(evidence):
        for route in one.routes:
            asked = route.demand("subrequest") if route.hop in _CALLED else None
            if asked is None or one.status not in (401, 403, 500, None):
                continue
            called = _CALLED[route.hop][0]
            yield (
                _kept_back(one, route)
                or _on_itself(route, asked)
                or Finding(
                    "login-service-decides",
                    f"{route.hop} asks {asked.value} whether the request may pass ({called}) and hands its no on.",
                    {"auth-subrequest-rejected": CLEAR, "no-credentials": HINT},
                    Where.of(asked.source),
                    "subrequest",
                    route.hop,
                )
            )
            return


def _on_itself(route: Route, asked: Demand) -> Finding | None:
    """In a container or pod `localhost` is the proxy itself."""
    if route.hop != "ingress-nginx" or not _ITSELF.match(asked.value):
        return None
    return Finding(
        "login-service-on-itself",
        f"{_CALLED[route.hop][0]} names {asked.value}: to the controller that is itself, not the login service.",
        {
            "auth-subrequest-rejected": STRONG + 3,
            "auth-backend-unreachable": CLEAR,
            "wrong-password": AGAINST,
        },
        Where.of(asked.source),
        "subrequest",
        route.hop,
        fix="Name the Service: http://NAME.NAMESPACE.svc.cluster.local:PORT/PATH.",
    )


def _kept_back(one: Walk, route: Route) -> Finding | None:
    listed = route.all("subrequest-field")
    names = {demand.value.lower() for demand in listed}
    lacking = [name for name in CARRIERS if name in one.request.fields and name.lower() not in names]
    if not listed or not lacking or any(n.lower() in names and n in one.request.fields for n in CARRIERS):
        return None
    setting = _CALLED[route.hop][1]
    return Finding(
        "login-service-without-field",
        f"{route.hop} hands the login service only some of the request's fields; {lacking[0]} is not among them, so "
        "the service cannot know who asks.",
        {
            "proxy-stripped-credentials": STRONG + 4,
            "auth-subrequest-rejected": STRONG,
            "wrong-password": AGAINST,
            "no-credentials": AGAINST,
        },
        Where.of(listed[0].source, field=lacking[0]),
        "subrequest",
        route.hop,
        fix=f"Add {lacking[0]} to {setting}.",
        edits=_listed(route, lacking[0]) if route.hop == "Traefik" else (),
    )


def _listed(route: Route, name: str) -> tuple[Edit, ...]:
    """The list with one more name, where it is written as items below one another."""
    first = route.all("subrequest-field")[0]
    document, line = document_of(route, first.source.name), first.source.line or 0
    if document is None or line >= len(document.lines) or not document.lines[line - 1].rstrip().endswith(":"):
        return ()
    item = re.match(r"(\s*-\s+)(['\"]?)", document.lines[line])
    return (Edit(document, line + 1, line, (f"{item[1]}{item[2]}{name}{item[2]}",)),) if item else ()
