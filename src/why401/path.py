"""The path of a request through the owner's layers: which routes it meets, from the outermost inwards.

The outermost layer is the one that listens where the URL points; it passes the request on to an address, where
the next one listens; an application, whose code names no address, stands behind the last server. Without a URL
the servers that no other one passes to are taken as outermost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from why401.evidence import Evidence, Exchange, Record, Request, Source
from why401.layers.model import Layer, Route

DEEPEST = 6
MOST_RECORDS = 50


@dataclass(frozen=True)
class Walk:
    """One refused request (seen on the wire, or only in a log) and the routes it meets; outermost first."""

    request: Request
    routes: tuple[Route, ...]
    exchange: Exchange | None = None
    record: Record | None = None

    @property
    def status(self) -> int | None:
        if self.exchange is not None:
            return self.exchange.status
        return self.record.status if self.record else None

    @property
    def source(self) -> Source:
        """Where the request itself stands."""
        if self.exchange is not None:
            return self.exchange.source
        return self.record.source if self.record else Source("")


def walks(evidence: Evidence) -> list[Walk]:
    """The walk of each refused exchange; without any, of each unlike request that a log shows as refused."""
    if not evidence.layers:
        return []
    found = [
        Walk(x.request, walk(evidence.layers, x.request), x)
        for x in evidence.exchanges
        if x.refused or x.status is None
    ]
    if not evidence.exchanges:
        found += [Walk(r, walk(evidence.layers, r), None, record) for r, record in _recorded(evidence)]
    return [one for one in found if one.routes]


def routes(evidence: Evidence) -> list[Route]:
    """The routes that matter: those that refused requests meet, or all where no request is at hand (an answer
    alone, without what was asked, is none)."""
    asked = any(exchange.request.url for exchange in evidence.exchanges)
    if asked or any(record.status and record.path for record in evidence.records):
        return list(dict.fromkeys(route for one in walks(evidence) for route in one.routes))
    return [route for layer in evidence.layers for route in layer.routes()]


def behind(layers: Sequence[Layer], route: Route) -> Layer | None:
    """The layer that a route passes requests on to: the one that listens there, else the only application where
    there is only one server; None where that is not known."""
    if not route.upstream:
        return None
    address = _address(route.upstream)
    heard = next((x for x in layers if address and x is not route.layer and _hears(x, address)), None)
    applications = [layer for layer in layers if layer.kind == "application"]
    only = len(applications) == 1 and len(layers) == 2
    return heard or (applications[0] if only else None)


def walk(layers: Sequence[Layer], request: Request) -> tuple[Route, ...]:
    """The routes that a request meets in these layers."""
    found: list[Route] = []
    left = list(layers)
    while left and len(found) < DEEPEST * 5:
        layer = _next(left, layers, request, found)
        if layer is None:
            break
        left.remove(layer)
        met = layer.meets(request)
        found += met
        if met and layer.kind == "server" and not any(route.upstream for route in met):
            if not any(other.kind == "application" for other in left):
                break
            left = [other for other in left if other.kind == "application"]
    return tuple(found)


def _next(
    left: Sequence[Layer], layers: Sequence[Layer], request: Request, found: Sequence[Route]
) -> Layer | None:
    """The layer that the request comes to next."""
    upstream = next((route.upstream for route in reversed(found) if route.upstream), "")
    if found:
        address = _address(upstream)
        there = [layer for layer in left if address and _hears(layer, address)]
        applications = [layer for layer in left if layer.kind == "application" and layer.meets(request)]
        return next(iter(there or applications), None)
    servers = [layer for layer in left if layer.kind == "server"]
    asked = _asked(request)
    if asked:
        there = [layer for layer in servers if _hears(layer, asked) and layer.meets(request)]
        if there:
            return there[0]
    behind = {_address(route.upstream) for layer in layers for route in layer.routes() if route.upstream}
    outer = [s for s in servers if not any(_hears(s, address) for address in behind if address)]
    return next((layer for layer in [*outer, *servers, *left] if layer.meets(request)), None)


def _asked(request: Request) -> str:
    parts = request.split
    try:
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        port = None
    return f"{parts.hostname}:{port}" if parts.hostname and port else ""


def _address(upstream: str) -> str:
    """`host:port` or `unix:/path` of an upstream as a configuration writes it."""
    bare = re.sub(r"^(?:fastcgi|uwsgi|scgi|grpc|ajp|balancer|wss?):(?!//)", "", upstream)
    unix = re.search(r"unix:(?://)?(/[^:|;\s]+)", bare)
    if unix:
        return f"unix:{unix[1]}"
    match = re.match(r"(?:(\w+)://)?([^/:]+)(?::(\d+))?", bare)
    if not match:
        return ""
    return f"{match[2]}:{match[3] or {'https': 443}.get(match[1] or '', 80)}"


def _hears(layer: Layer, address: str) -> bool:
    """Whether a layer listens on an address; a listener without host hears all of its port."""
    host, _, port = address.rpartition(":")
    if address.startswith("unix:"):
        return address in layer.listens
    local = {"127.0.0.1", "localhost", "::1", "[::1]", "0.0.0.0", ""}
    for heard in layer.listens:
        own_host, _, own_port = heard.rpartition(":")
        same = own_host in ("", "0.0.0.0", "*", "[::]", host) or {own_host, host} <= local
        if own_port == port and same:
            return True
    return False


def _recorded(evidence: Evidence) -> Iterator[tuple[Request, Record]]:
    """Refused requests as a log shows them, each method and path once."""
    seen: set[tuple[str | None, str | None]] = set()
    for record in evidence.records:
        key = record.method, record.path
        if record.status in (401, 403, 407) and record.path and key not in seen and len(seen) < MOST_RECORDS:
            seen.add(key)
            yield Request(record.method, record.path, complete=False), record
