"""What only nginx gets wrong: lists that are not inherited, subrequests, answers without their challenge."""

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.checks import check, rule
from why401.checks.layers_changes import document_of
from why401.evidence import Change, Evidence
from why401.findings import AGAINST, CLEAR, HINT, PROVED, STRONG, Finding, Where
from why401.layers.model import Edit, Route
from why401.layers.nginx import HOP, Nginx
from why401.path import routes, walks
from why401.prefilter import lazy

#: Fields by which a proxy itself logs in to what stands behind it, or tells it who the user is.
_LOGS_IN = lazy(
    r"(?i)^(?:authorization|cookie|(?:x-)?api-?key|x-.*(?:token|key|secret|auth|user).*|remote-user)$"
)


def _lost(route: Route) -> Iterator[Change]:
    """Fields that an outer block adds, and the route's own list leaves out."""
    for change in route.changes:
        if change.value.startswith("set at") and _LOGS_IN.match(change.name):
            yield change


@rule
def list_not_inherited(evidence: Evidence) -> Iterator[Finding]:
    """An outer block sets a credential for what stands behind; a list of the inner block's own replaces it."""
    for route in routes(evidence):
        if route.hop != HOP or not route.upstream:
            continue
        for change in _lost(route):
            wanted = _demanded(evidence, change.name)
            yield Finding(
                "nginx-list-not-inherited",
                f"{route.name} has a proxy_set_header of its own, so {change.name} ({change.value}) is not sent: "
                "such lists are inherited only where the inner block has none.",
                {
                    "proxy-stripped-credentials": PROVED if wanted else STRONG,
                    "wrong-header": -STRONG,
                    "wrong-scheme": AGAINST,
                    "no-credentials": AGAINST,
                    "wrong-password": AGAINST,
                },
                Where.of(change.source, field=change.name),
                group="dropped-on-the-way",
                stack=HOP,
                fix=f"Repeat the line that sets {change.name} in {route.name}.",
                edits=_repeated(route, change),
            )


def _demanded(evidence: Evidence, name: str) -> bool:
    """Whether what stands behind is known to read the field: by its code, its settings or its answer."""
    routes_met = (route for one in walks(evidence) for route in one.routes)
    if any(d.value.lower() == name.lower() for route in routes_met for d in route.all("field")):
        return True
    return any(text.kind == "code" and name.lower() in text.lowered for text in evidence.texts)


def _repeated(route: Route, change: Change) -> tuple[Edit, ...]:
    """The outer line, once more, above the first of the inner list."""
    name, _, line = change.value.removeprefix("set at ").rpartition(":")
    outer, inner = document_of(route, name), document_of(route, change.source.name)
    if outer is None or inner is None or not change.source.line:
        return ()
    words = outer.lines[int(line) - 1].strip()
    own = inner.lines[change.source.line - 1]
    if not re.fullmatch(r"proxy_set_header\s[^;{}]*;", words):
        return ()
    indent = own[: len(own) - len(own.lstrip())]
    return (Edit(inner, change.source.line, change.source.line - 1, (indent + words,)),)


@check
def subrequest_without_credential(evidence: Evidence) -> Iterator[Finding]:
    """The location that asks the login service drops the very field that the request is to be judged by."""
    for one in walks(evidence):
        for route in one.routes:
            target = _subrequest(route)
            if target is None:
                continue
            for change in target.changes:
                dropped = change.what in ("drops", "overwrites") and not change.value.startswith("set at")
                if dropped and change.name in one.request.fields and change.name.lower() != "host":
                    yield Finding(
                        "nginx-subrequest-without-credential",
                        f"nginx asks {target.name} whether the request may pass, and does not hand {change.name} on.",
                        {
                            "auth-subrequest-rejected": STRONG,
                            "proxy-stripped-credentials": STRONG,
                            "wrong-password": AGAINST,
                        },
                        Where.of(change.source, field=change.name),
                        group="dropped-on-the-way",
                        stack=HOP,
                        fix=f"Hand {change.name} on to the login service: remove the line in {target.name}.",
                        edits=_without(target, change),
                    )
                    return


def _without(route: Route, change: Change) -> tuple[Edit, ...]:
    from why401.checks.layers_changes import without_line

    return without_line(route, change)


def _subrequest(route: Route) -> Route | None:
    """The route that an `auth_request` of this route asks."""
    demand = route.demand("subrequest")
    if demand is None or not isinstance(route.layer, Nginx):
        return None
    return route.layer.asked(route, demand.value)


@check
def subrequest_decides(evidence: Evidence) -> Iterator[Finding]:
    """A login service decides on this request; what it says is passed on as the server's own answer."""
    for one in walks(evidence):
        for route in one.routes:
            demand = route.demand("subrequest")
            if demand is None or one.status not in (401, 403, 500, None):
                continue
            yield Finding(
                "nginx-subrequest-decides",
                f"nginx lets {demand.value} decide on {route.name} (auth_request), and passes its refusal on.",
                {"auth-subrequest-rejected": CLEAR, "no-credentials": HINT},
                Where.of(demand.source),
                group="subrequest",
                stack=HOP,
            )
            return


@check
def challenge_hidden(evidence: Evidence) -> Iterator[Finding]:
    """The refusal carries no challenge, and a directive on the way hides that field."""
    for one in walks(evidence):
        response = one.exchange.response if one.exchange else None
        if response is None or response.status != 401 or "www-authenticate" in response.fields:
            continue
        for route in one.routes:
            for change in route.changes:
                if change.name.lower() == "www-authenticate":
                    yield Finding(
                        "nginx-challenge-hidden",
                        "nginx takes WWW-Authenticate out of the answer; clients that wait to be asked send nothing.",
                        {"missing-challenge": PROVED, "no-credentials": -PROVED},
                        Where.of(change.source),
                        group="challenge",
                        stack=HOP,
                        fix="Let the challenge through: remove the line.",
                        edits=_without(route, change),
                    )
                    return
