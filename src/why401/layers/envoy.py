"""Envoy: which route of a static configuration takes a request, and what the filters before it demand.

Filters run in the order in which they stand; a route can switch one off (`typed_per_filter_config`). Respects
beside the common ones: `inline-keys` (a JWK set), `subrequest-field` (see traefik.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from why401.evidence import Change, Demand, Request
from why401.layers import envoy_facts as facts
from why401.layers import yaml_tree
from why401.layers.accounts import Account, KeepsAccounts
from why401.layers.envoy_facts import HOP, proto
from why401.layers.model import Route
from why401.layers.nodes import Node
from why401.layers.traefik_match import host_of, path_of
from why401.layers.tree import Document, Tree
from why401.prefilter import lazy

_OWN = lazy(r"(?m)^[\s{]*\"?(?:static_resources|staticResources)\"?\s*:")


def roots(tree: Tree) -> Iterable[Document]:
    """Every bootstrap file."""
    for document in tree.given.values():
        if document.name.lower().endswith(yaml_tree.SUFFIXES) and _OWN.search(document.text):
            yield document


def read(tree: Tree, root: Document) -> Envoy:
    """The configuration in one bootstrap file. Raises Damaged."""
    return Envoy(HOP, tree, root, tops=yaml_tree.documents(root))


@dataclass(frozen=True, eq=False)
class Manager:
    """One HTTP connection manager: the port, its filters by the last part of their type, its virtual hosts."""

    port: str
    filters: tuple[tuple[str, str, Node], ...]  # (type, name, settings)
    hosts: tuple[Node, ...]
    config: Node


@dataclass(eq=False)
class Envoy(KeepsAccounts):
    """One bootstrap configuration."""

    tops: tuple[Node, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        self.managers = [manager for top in self.tops for manager in _managers(top)]
        self.listens = frozenset(f"127.0.0.1:{m.port}" for m in self.managers if m.port)
        self.clusters = {
            proto(node, "name").value: node
            for top in self.tops
            for node in proto(top, "static_resources", "clusters").items
        }
        self.dynamic = any(proto(top, "dynamic_resources", "cds_config") for top in self.tops)
        self._known: dict[tuple[int, str, str], tuple[Route, list[Account] | None]] = {}
        held = [a for m in self.managers for kind, _, s in m.filters if kind == "BasicAuth"
                for a in facts.users(s) or ()]  # fmt: skip
        self.secrets = frozenset(account.stored for account in held if len(account.stored.reveal()) > 5)

    def routes(self) -> Sequence[Route]:
        return [
            self._route(manager, host, route, _example(route), "")[0]
            for manager in self.managers
            for host in manager.hosts
            for route in proto(host, "routes").items
        ]

    def accounts(self, route: Route) -> Sequence[Account] | None:
        return next((known for own, known in self._known.values() if own is route), None)

    def meets(self, request: Request) -> tuple[Route, ...]:
        path, name = path_of(request), host_of(request)
        try:
            port = str(request.split.port or "")
        except ValueError:
            port = ""
        there = [m for m in self.managers if m.port == port] or self.managers
        for manager in there[:1]:
            for host in sorted(manager.hosts, key=lambda h: _rank(h, name, port)):
                if _rank(host, name, port) == (9, 0):
                    break
                for route in proto(host, "routes").items:
                    if facts.matches(proto(route, "match"), path):
                        return (self._route(manager, host, route, path, facts.issuer_of(request))[0],)
                break
        return ()

    def _route(
        self, manager: Manager, host: Node, route: Node, path: str, issuer: str
    ) -> tuple[Route, list[Account] | None]:
        key = id(route), path, issuer
        if key not in self._known:
            demands: list[Demand] = []
            changes = list(_removed(manager, host, route))
            known: list[Account] | None = None
            for kind, name, settings in manager.filters:
                own = _own(name, route, host, manager.config)
                if own.true("disabled"):
                    continue
                for fact in _facts(kind, settings, own, path, issuer):
                    if isinstance(fact, Demand):
                        demands.append(fact)
                    else:
                        changes.append(fact)
                known = facts.users(settings) if kind == "BasicAuth" else known
            cluster = proto(route, "route", "cluster").value
            match = proto(route, "match").pairs.values()
            written = next((node.value for node in match if node.value), "/")
            self._known[key] = (
                Route(HOP, route.source, f"route {written}", tuple(demands), tuple(changes), (),
                      self._upstream(cluster), self),
                known,
            )  # fmt: skip
        return self._known[key]

    def _upstream(self, cluster: str) -> str:
        node = self.clusters.get(cluster)
        if node is None:
            return f"http://{cluster}" if cluster else ""
        found = proto(node, "load_assignment", "endpoints", 0, "lb_endpoints", 0, "endpoint", "address")
        address = proto(found, "socket_address")
        return f"http://{address.text('address')}:{proto(address, 'port_value').value}" if address else ""


def _own(name: str, *nodes: Node) -> Node:
    """What the route, its virtual host or the route configuration says of a filter by its name; the first counts."""
    held = (proto(node, "typed_per_filter_config").at(name) for node in nodes)
    return next((found for found in held if found), Node(nodes[0].document, nodes[0].line, present=False))


def _facts(kind: str, settings: Node, own: Node, path: str, issuer: str) -> Iterator[facts.Fact]:
    if kind == "JwtAuthentication":
        named = proto(own, "requirement_name").value
        requires = facts.jwt_rule(settings, path)
        if named:
            requires = proto(settings, "requirement_map").at(named) or None
        if requires is not None and facts.names(requires):
            yield from facts.jwt(settings, requires, issuer)
    elif kind == "ExtAuthz":
        yield from facts.ext_authz(settings)
    elif kind == "BasicAuth":
        yield Demand("scheme", "Basic", settings.source, hop=HOP)


def _managers(top: Node) -> Iterator[Manager]:
    for listener in proto(top, "static_resources", "listeners").items:
        port = proto(listener, "address", "socket_address", "port_value").value
        for node in listener.walk():
            config = proto(node, "route_config") if "@type" in node.pairs else None
            if config:
                held = (item for item in proto(node, "http_filters").items if not item.true("disabled"))
                filters = tuple(_filter(item) for item in held)
                yield Manager(port, filters, proto(config, "virtual_hosts").items, config)


def _filter(item: Node) -> tuple[str, str, Node]:
    settings = proto(item, "typed_config")
    return settings.text("@type").rpartition(".")[2], proto(item, "name").value, settings


def _removed(manager: Manager, host: Node, route: Node) -> Iterator[Change]:
    for node in (route, host, manager.config):
        held = proto(node, "request_headers_to_remove")
        for item in held.items or ((held,) if held.value else ()):
            yield Change("drops", item.value, item.source, HOP)


def _example(route: Node) -> str:
    match = proto(route, "match")
    return (
        proto(match, "path") or proto(match, "prefix") or proto(match, "path_separated_prefix")
    ).value or "/"


def _rank(host: Node, name: str, port: str) -> tuple[int, int]:
    """Exact domains come first, then `*.suffix`, then `prefix.*`, the longest of each first, then `*`; (9, 0) for
    none (VirtualHost.domains)."""
    ranks = [(9, 0)]
    for item in host.strings("domains"):
        domain = item.lower()
        if domain in (name, f"{name}:{port}"):
            ranks.append((0, 0))
        elif domain == "*" or not name:
            ranks.append((3, 0))
        elif domain.startswith("*") and name.endswith(domain[1:]):
            ranks.append((1, -len(domain)))
        elif domain.endswith("*") and name.startswith(domain[:-1]):
            ranks.append((2, -len(domain)))
    return min(ranks)
