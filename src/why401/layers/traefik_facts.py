"""What one middleware of Traefik demands and changes.

Source: the pages of the middlewares in Traefik's documentation, and pkg/middlewares/auth, headers, ipallowlist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from why401.evidence import Change, Demand
from why401.layers.accounts import Account
from why401.layers.nodes import Node
from why401.secret import Secret

HOP = "Traefik"
Fact = Demand | Change


def facts(kind: str, node: Node) -> Iterator[Fact]:
    """The demands and changes of a middleware of this kind (its name in lower case)."""
    return _KINDS[kind](node) if kind in _KINDS else iter(())


def accounts(node: Node) -> list[Account] | None:
    """The users of a basicAuth middleware that stand in the configuration; None where there may be others."""
    users = node.at("users")
    items = users.items or tuple(
        Node(users.document, users.line, part.strip(), last=users.line)
        for part in users.value.split(",")
        if part
    )
    if not items or node.at("usersFile") or (node.at("secret") and not users):
        return None
    found = []
    for item in items:
        name, colon, stored = item.value.partition(":")
        if not colon or "${" in item.value:
            return None
        found.append(Account(name, Secret(stored), "traefik", item.source))
    return found


def _login(scheme: str, respect: str) -> Callable[[Node], Iterator[Fact]]:
    def read(node: Node) -> Iterator[Fact]:
        yield Demand("scheme", scheme, node.source, hop=HOP)
        realm = node.at("realm")
        yield Demand("realm", realm.value or "traefik", (realm or node).source, hop=HOP)
        file = node.at("usersFile")
        if file.value:
            yield Demand(respect, file.value, file.source, hop=HOP)
        user = node.at("headerField")
        if user.value:
            yield Change("overwrites", user.value, user.source, HOP, value="the user's name")
        if node.true("removeHeader"):
            yield Change("drops", "Authorization", node.at("removeHeader").source, HOP)

    return read


def _forward(node: Node) -> Iterator[Fact]:
    address = node.at("address")
    if address.value:
        yield Demand("subrequest", address.value, address.source, hop=HOP)
    for name in node.strings("authRequestHeaders", split=","):
        yield Demand("subrequest-field", name, node.at("authRequestHeaders").source, hop=HOP)
    listed = node.at("authResponseHeaders")
    for name in node.strings("authResponseHeaders", split=","):
        yield Change("adds", name, _place(listed, name).source, HOP, value="as the login service answers")


def _place(node: Node, value: str) -> Node:
    return next((item for item in node.items if item.value == value), node)


def _headers(node: Node) -> Iterator[Fact]:
    for name, inner in node.at("customRequestHeaders").pairs.items():
        if inner.value:
            yield Change("overwrites", name, inner.source, HOP, value="a fixed value")
        else:
            yield Change("drops", name, inner.source, HOP)


def _addresses(node: Node) -> Iterator[Fact]:
    ranges = node.strings("sourceRange", split=",")
    if ranges and not node.at("ipStrategy"):
        rules = ", ".join([*(f"allow {one}" for one in ranges), "deny all"])
        yield Demand("address", rules, node.at("sourceRange").source, hop=HOP)


def _rate(node: Node) -> Iterator[Fact]:
    yield Demand("rate", "429", node.source, hop=HOP)


_KINDS: dict[str, Callable[[Node], Iterator[Fact]]] = {
    "basicauth": _login("Basic", "password-file"),
    "digestauth": _login("Digest", "digest-file"),
    "forwardauth": _forward,
    "headers": _headers,
    "ipallowlist": _addresses,
    "ipwhitelist": _addresses,
    "ratelimit": _rate,
    "inflightreq": _rate,
}
