"""Checks of credentials that the owner's layers drop, replace or keep on the way.

A field that is dropped is a fault only where something behind demands it: a proxy that asks for a password
itself and does not pass it on is sound.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.checks import check, rule
from why401.evidence import Change, Evidence, Fields
from why401.findings import AGAINST, CLEAR, HINT, NAMED, STRONG, Finding, Where
from why401.layers.model import Edit, Route
from why401.layers.tree import Document
from why401.path import walks

#: Fields that a proxy sets by its nature.
NO_CARRIERS = ("host", "connection", "accept-encoding", "upgrade")


@check
def carrier_dropped(evidence: Evidence) -> Iterator[Finding]:
    """A field that the request carries as its credential is dropped or replaced before the layer behind sees it."""
    for one in walks(evidence):
        for at, route in enumerate(one.routes):
            if not route.upstream or route.demand("scheme"):
                continue
            for change in route.changes:
                if _carried(change, one.request.fields):
                    inner = [r for r in one.routes[at + 1 :] if r.hop != route.hop and r.demands]
                    yield _dropped(route, change, known=bool(inner))
                    return


#: How upstreams of programs begin that are handed variables, not fields.
_GATEWAYS = ("fastcgi:", "fcgi:", "scgi:", "uwsgi:", "wsgi:", "cgi:")


@check
def gateway_may_drop(evidence: Evidence) -> Iterator[Finding]:
    """What the request carried is not known (a log tells no fields), and the gateway leaves Authorization out."""
    for one in walks(evidence):
        if one.request.complete or one.status != 401:
            continue
        for route in one.routes:
            lost = [c for c in route.changes if c.what == "drops" and c.name.lower() == "authorization"]
            if lost and route.upstream.startswith(_GATEWAYS):
                yield Finding(
                    "gateway-may-drop",
                    f"{route.hop} leaves Authorization out of what it hands to the program, which answered 401.",
                    {"gateway-stripped-credentials": STRONG, "wrong-password": AGAINST},
                    Where.of(lost[0].source, field="Authorization"),
                    group="dropped-on-the-way",
                    stack=route.hop,
                )
                return


def _carried(change: Change, fields: Fields) -> bool:
    """Whether the change takes a field that the request has; what an outer block would add is none of them."""
    if change.what not in ("drops", "overwrites") or change.value.startswith("set at"):
        return False
    return change.name.lower() not in NO_CARRIERS and change.name in fields


def _dropped(route: Route, change: Change, *, known: bool) -> Finding:
    verb = "removes" if change.what == "drops" else f"replaces (by {change.value})"
    behind = "what stands behind asks for it" if known else "what stands behind never sees it"
    return Finding(
        "carrier-dropped",
        f"{route.hop} {verb} {change.name} before it passes the request on, and {behind}.",
        {
            "proxy-stripped-credentials": NAMED if known else STRONG,
            "no-credentials": AGAINST,
            "wrong-password": AGAINST,
        },
        Where.of(change.source, field=change.name),
        group="dropped-on-the-way",
        stack=route.hop,
        fix=f"Let {route.hop} pass {change.name} on as it came: remove the line.",
        edits=without_line(route, change),
    )


def document_of(route: Route, name: str) -> Document | None:
    """The document of a route's layer by its name."""
    if route.layer is None:
        return None
    found = route.layer.open(name)
    return found if isinstance(found, Document) else None


def without_line(route: Route, change: Change) -> tuple[Edit, ...]:
    """The edit that takes out the line of a change, where the line holds nothing else."""
    document = document_of(route, change.source.name)
    if document is None or not change.source.line or change.source.line > len(document.lines):
        return ()
    words = document.lines[change.source.line - 1].strip()
    if words.count(";") > 1 or "{" in words or "}" in words:
        return ()
    return (Edit(document, change.source.line, change.source.line, ()),)


@check
def underscore_field_ignored(evidence: Evidence) -> Iterator[Finding]:
    """A field with an underscore in its name is left out by a server that takes such names as invalid."""
    for one in walks(evidence):
        for route in one.routes:
            change = next((c for c in route.changes if c.name == "*_*"), None)
            named = [f.name for f in one.request.fields if "_" in f.name]
            if change and named:
                yield Finding(
                    "underscore-field-ignored",
                    f"{route.hop} leaves out fields with an underscore in the name, such as {named[0]}, unless "
                    "underscores_in_headers is on.",
                    {"proxy-stripped-credentials": NAMED, "wrong-header": HINT, "no-credentials": AGAINST},
                    Where.of(change.source, field=named[0]),
                    group="dropped-on-the-way",
                    stack=route.hop,
                    edits=_underscores_on(route, change),
                    fix=f"Send {named[0].replace('_', '-')}, or set `underscores_in_headers on;` in the server block.",
                )
                return


def _underscores_on(route: Route, change: Change) -> tuple[Edit, ...]:
    """`underscores_in_headers on;` as the first line of the server block, or in place of `off`."""
    document, line = document_of(route, change.source.name), change.source.line or 0
    if document is None or not 0 < line <= len(document.lines):
        return ()
    words = document.lines[line - 1].rstrip("\r\n")
    if words.rstrip().endswith("{"):
        indent = words[: len(words) - len(words.lstrip())]
        return (Edit(document, line + 1, line, (f"{indent}    underscores_in_headers on;",)),)
    return (Edit(document, line, line, (words.replace("off", "on"),)),) if "underscores_in" in words else ()


@check
def cached_on_the_way(evidence: Evidence) -> Iterator[Finding]:
    """A cache on the way keeps refusals, and the answer says that it came from a store."""
    for one in walks(evidence):
        response = one.exchange.response if one.exchange else None
        held = response is not None and any(
            re.search(r"(?i)\bhit\b", f.text) for f in response.fields if "cache" in f.name.lower()
        )
        for route in one.routes if held or (response and "age" in response.fields) else ():
            for change in route.changes:
                if change.what == "caches":
                    yield Finding(
                        "cached-on-the-way",
                        f"{route.hop} keeps answers with status {change.name}, and this one came from its store.",
                        {"cached-response": STRONG, "wrong-password": AGAINST, "no-credentials": AGAINST},
                        Where.of(change.source),
                        group="caches-refusals",
                        stack=route.hop,
                        fix="Do not cache 401 and 403.",
                    )
                    return


@rule
def refusals_cached(evidence: Evidence) -> Iterator[Finding]:
    """A cache is told to keep refusals: who is refused once stays refused, and others with him."""
    from why401.path import routes

    for route in routes(evidence):
        for change in route.changes:
            if change.what == "caches" and {"401", "403"} & set(change.name.split()):
                yield Finding(
                    "refusals-cached",
                    f"{route.hop} keeps answers with status {change.name} and hands them to others.",
                    {"cached-response": CLEAR},
                    Where.of(change.source),
                    group="caches-refusals",
                    stack=route.hop,
                    fix="Do not cache 401 and 403.",
                )
                return
