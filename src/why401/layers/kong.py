"""Kong's declarative configuration: which route takes a request, and which plugins ask for what.

Of several plugins of one name the one with the narrowest scope counts: route and service, route, service, global
(docs: "Plugin precedence"). Every authentication plugin must let the request in, unless it has `anonymous`
(docs: "Multiple authentication"). Defaults are those of kong/plugins/*/schema.lua.
Respects beside the common ones: `key-name` (where a key is looked for), `key-claim` (the claim that names the
credential of the jwt plugin), `group`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from why401.evidence import Change, Demand, Request
from why401.layers import yaml_tree
from why401.layers.accounts import Account, KeepsAccounts
from why401.layers.model import Route
from why401.layers.nodes import Node
from why401.layers.traefik_match import host_of, path_of
from why401.layers.tree import Document, Tree
from why401.prefilter import lazy
from why401.secret import Secret

HOP = "Kong"
_OWN = lazy(r"(?m)^\s*\"?_format_version\"?\s*:")

#: Plugins that ask for a login: the scheme that they read from Authorization ("" for keys of their own).
LOGINS = {
    "key-auth": "",
    "basic-auth": "Basic",
    "jwt": "Bearer",
    "oauth2": "Bearer",
    "hmac-auth": "hmac",
    "ldap-auth": "ldap",
}
#: Where consumers keep the credentials of each.
CREDENTIALS = {
    "key-auth": "keyauth_credentials",
    "basic-auth": "basicauth_credentials",
    "jwt": "jwt_secrets",
    "hmac-auth": "hmacauth_credentials",
    "oauth2": "oauth2_credentials",
}


def roots(tree: Tree) -> Iterable[Document]:
    """Every declarative configuration."""
    for document in tree.given.values():
        if document.name.lower().endswith(yaml_tree.SUFFIXES) and _OWN.search(document.text):
            yield document


def read(tree: Tree, root: Document) -> Kong:
    """The configuration in one file. Raises Damaged."""
    tops = yaml_tree.documents(root)
    return Kong(HOP, tree, root, top=tops[0] if tops else Node(root, 1))


@dataclass(frozen=True, eq=False)
class Entry:
    """One route and the service that it leads to."""

    route: Node
    service: Node | None


@dataclass(frozen=True, eq=False)
class Credential:
    """One credential of a consumer."""

    consumer: str
    node: Node


@dataclass(eq=False)
class Kong(KeepsAccounts):
    """One declarative configuration; `top` is its outermost mapping."""

    top: Node = field(default=None, repr=False)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        self.listens = frozenset({"127.0.0.1:8000", "kong:8000"})
        self.entries = list(self._entries())
        self._known: dict[int, Route] = {}
        kept = (node.value for name in ("key", "password", "secret") for kind in CREDENTIALS
                for c in self.credentials(kind) if (node := c.node.at(name)))  # fmt: skip
        self.secrets = frozenset(Secret(value) for value in kept if len(value) > 3)

    def _entries(self) -> Iterator[Entry]:
        services = self.top.each("services")
        for service in services:
            for route in service.each("routes"):
                yield Entry(route, service)
        for route in self.top.each("routes"):
            named = _named(route.at("service"))
            yield Entry(route, next((s for s in services if named and s.text("name") == named), None))

    def routes(self) -> Sequence[Route]:
        return [self._route(entry) for entry in self.entries]

    def meets(self, request: Request) -> tuple[Route, ...]:
        """The route with most that fits: hosts, methods, then the longest path (docs: "Matching priorities")."""
        best: tuple[int, int, Entry] | None = None
        for entry in self.entries:
            rank = _rank(entry.route, request)
            if rank is not None and (best is None or rank > best[:2]):
                best = rank[0], rank[1], entry
        return (self._route(best[2]),) if best else ()

    def plugins(self, entry: Entry) -> dict[str, Node]:
        """The plugins in force for a route, by name."""
        found: dict[str, tuple[int, Node]] = {}
        own, service = entry.route, entry.service
        nested = [(2, p) for p in own.each("plugins")]
        nested += [(1, p) for p in service.each("plugins")] if service else []
        for plugin in self.top.each("plugins"):
            route, of = _named(plugin.at("route")), _named(plugin.at("service"))
            if plugin.at("consumer") or (route and route != own.text("name")):
                continue
            if of and (service is None or of != service.text("name")):
                continue
            nested.append(((2 if route else 0) + (1 if of else 0), plugin))
        for rank, plugin in nested:
            name = plugin.text("name")
            if plugin.true("enabled", default=True) and (name not in found or rank >= found[name][0]):
                found[name] = rank, plugin
        return {name: plugin for name, (_, plugin) in found.items()}

    def credentials(self, kind: str) -> list[Credential]:
        """The credentials of a plugin: below consumers, or in a list of their own."""
        key = CREDENTIALS.get(kind, "")
        found = [
            Credential(consumer.text("username") or consumer.text("custom_id"), node)
            for consumer in self.top.each("consumers")
            for node in consumer.each(key)
        ]
        return found + [Credential(_named(node.at("consumer")), node) for node in self.top.each(key)]

    def groups(self, consumer: str) -> set[str]:
        """The groups of a consumer."""
        own = [c for c in self.top.each("consumers") if consumer in (c.text("username"), c.text("custom_id"))]
        held = {node.text("group") for c in own for node in c.each("acls")}
        return held | {n.text("group") for n in self.top.each("acls") if _named(n.at("consumer")) == consumer}

    def accounts(self, route: Route) -> Sequence[Account] | None:
        scheme = route.demand("scheme")
        if scheme is None or scheme.value != "Basic":
            return None
        return [
            Account(
                c.node.text("username"),
                Secret(c.node.text("password")),
                "haproxy-insecure",  # the password itself
                (c.node.at("password") or c.node).source,
                frozenset(self.groups(c.consumer)),
            )
            for c in self.credentials("basic-auth")
        ]

    def entry(self, route: Route) -> Entry | None:
        """The entry that became a route."""
        return next((e for e in self.entries if self._known.get(id(e)) is route), None)

    def _route(self, entry: Entry) -> Route:
        if id(entry) not in self._known:
            demands: list[Demand] = []
            changes: list[Change] = []
            for name, plugin in self.plugins(entry).items():
                demands += _demands(name, plugin)
                changes += _changes(name, plugin)
            title = entry.route.text("name") or ", ".join(entry.route.strings("paths")) or "without a name"
            upstream = _upstream(entry.service)
            self._known[id(entry)] = Route(
                HOP, entry.route.source, f"route {title}", tuple(demands), tuple(changes), (), upstream, self
            )
        return self._known[id(entry)]


def _named(node: Node) -> str:
    """A reference by name, or a mapping with it."""
    return node.value or node.text("name") or node.text("username") or node.text("id")


def _upstream(service: Node | None) -> str:
    if service is None:
        return ""
    host, port = service.text("host"), service.text("port", default="80")
    return service.text("url") or (
        f"{service.text('protocol', default='http')}://{host}:{port}" if host else ""
    )


def key_names(plugin: Node) -> list[str]:
    return plugin.strings("config", "key_names") or ["apikey"]


def _demands(name: str, plugin: Node) -> Iterator[Demand]:
    config = plugin.at("config")
    if name in LOGINS and not config.text("anonymous"):
        if LOGINS[name]:
            yield Demand("scheme", LOGINS[name], plugin.source, hop=HOP)
        for key in key_names(plugin) if name == "key-auth" else ():
            yield Demand("key-name", key, (config.at("key_names") or plugin).source, hop=HOP)
        if name == "jwt":
            claim = config.at("key_claim_name")
            yield Demand("key-claim", claim.value or "iss", (claim or plugin).source, hop=HOP)
    elif name == "acl":
        for verb in ("allow", "whitelist"):
            for item in config.each(verb):
                yield Demand("group", item.value, item.source, hop=HOP)
    elif name == "ip-restriction":
        rules = [f"deny {one}" for one in config.strings("deny")]
        allowed = config.strings("allow")
        rules += [*(f"allow {one}" for one in allowed), "deny all"] if allowed else []
        if rules:
            yield Demand("address", ", ".join(rules), plugin.source, hop=HOP)
    elif name == "rate-limiting":
        yield Demand("rate", "429", plugin.source, hop=HOP)


def _changes(name: str, plugin: Node) -> Iterator[Change]:
    config = plugin.at("config")
    hidden = config.at("hide_credentials")
    if name in LOGINS and hidden.true():
        for field_name in key_names(plugin) if name == "key-auth" else ["Authorization"]:
            yield Change("drops", field_name, hidden.source, HOP)
    if name == "request-transformer":
        for item in config.at("remove").each("headers"):
            yield Change("drops", item.value, item.source, HOP)
        for item in config.at("replace").each("headers"):
            yield Change("overwrites", item.value.partition(":")[0], item.source, HOP, value="a fixed value")


def _rank(route: Node, request: Request) -> tuple[int, int] | None:
    """How many kinds of conditions fit, and how long the path is; None where one does not fit."""
    count, length = 0, 0
    host, path, method = host_of(request), path_of(request), (request.method or "GET").upper()
    hosts, methods, paths = route.strings("hosts"), route.strings("methods"), route.strings("paths")
    if hosts:
        if host and not any(_host(one.lower(), host) for one in hosts):
            return None
        count += 1
    if methods:
        if method not in methods:
            return None
        count += 1
    if paths:
        fits = [one for one in paths if _path(one, path)]
        if not fits:
            return None
        count, length = count + 1, max(map(len, fits))
    return (count, length) if count or not route.at("snis") else None


def _host(written: str, host: str) -> bool:
    if written.startswith("*."):
        return host.endswith(written[1:])
    return host.startswith(written[:-1]) if written.endswith(".*") else written == host


def _path(written: str, path: str) -> bool:
    """A prefix, or a regular expression after `~` (Kong 3)."""
    if not written.startswith("~"):
        return path.startswith(written)
    try:
        return re.match(written[1:], path) is not None
    except re.error:
        return False
