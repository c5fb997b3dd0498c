"""Traefik: which router takes a request, through which middlewares, and to which service.

Files (YAML, TOML), labels of Compose services and the Kubernetes resources are read together, as Traefik joins
its providers. Respects beside the common ones: `subrequest-field` (a field that alone is handed to the login
service).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from why401.evidence import Change, Demand, Request, Source
from why401.layers import compose, toml_tree, traefik_facts, traefik_match, traefik_providers, yaml_tree
from why401.layers.accounts import Account, KeepsAccounts
from why401.layers.model import Route
from why401.layers.nodes import Node
from why401.layers.traefik_providers import Part, Providers
from why401.layers.tree import Document, Tree
from why401.secret import Secret

HOP = traefik_facts.HOP
DEEPEST = 8


def roots(tree: Tree) -> Iterable[Document]:
    """One for all files of Traefik's, and each that cannot be read."""
    broken = list(traefik_providers.broken(tree))
    good = [d for d in tree.given.values() if traefik_providers.looks(d) and d not in broken]
    return [*broken, *good[:1]]


def read(tree: Tree, root: Document) -> Traefik:
    """The joined configuration. Raises Damaged where `root` cannot be read."""
    if root.name.lower().endswith(".toml"):
        toml_tree.document(root)
    else:
        yaml_tree.documents(root)
    return Traefik(HOP, tree, root, providers=traefik_providers.read(tree))


@dataclass(eq=False)
class Traefik(KeepsAccounts):
    """Traefik's configuration of all providers."""

    providers: Providers = field(default_factory=Providers, repr=False)

    def __post_init__(self) -> None:
        self.listens = frozenset(self._heard())
        self.secrets = frozenset(
            account.stored
            for part in self.providers.middlewares.values()
            for account in traefik_facts.accounts(part.node.at("basicAuth")) or ()
            if len(account.stored.reveal()) > 5
        ) | frozenset(self._in_labels())
        self._known: dict[tuple[str, str], tuple[Route, list[Account] | None]] = {}

    def _in_labels(self) -> Iterator[Secret]:
        """Hashes as labels hold them, and as they ought to stand there."""
        for _, name, value, _ in self.providers.labels:
            for user in value.split(",") if name.lower().endswith("auth.users") else ():
                stored = user.partition(":")[2]
                yield from (Secret(text) for text in (stored, compose.doubled(stored)) if len(text) > 5)

    @cached_property
    def entry_points(self) -> dict[str, Node]:
        """The entry points by name in lower case."""
        held = (root.at("entryPoints").pairs.items() for root in self.providers.static)
        return {name.lower(): node for pairs in held for name, node in pairs}

    def _heard(self) -> Iterator[str]:
        """Its own name with the ports of the entry points, and this machine with those that are published.

        A bare port would be heard under every name, also that of a service behind.
        """
        ports = {_port(node.text("address")) for node in self.entry_points.values()} - {""}
        yield from (f"{name}:{port}" for port in ports for name in ("traefik", "127.0.0.1"))
        for root in self.providers.static:
            for service in compose.of(root.document):
                if "traefik" in service.node.text("image") or service.name == "traefik":
                    yield from (
                        f"127.0.0.1:{host}" for host, inner in service.ports() if host and inner in ports
                    )

    def routes(self) -> Sequence[Route]:
        return [self._route(router, entry)[0] for router in self._whole for entry in self._entries(router)]

    def accounts(self, route: Route) -> Sequence[Account] | None:
        return next((known for own, known in self._known.values() if own is route), None)

    def meets(self, request: Request) -> tuple[Route, ...]:
        entry = self._entry(request)
        best: tuple[int, int, Part] | None = None
        for router in self._whole:
            rule = router.node.text("rule")
            if entry and entry not in self._entries(router):
                continue
            found = traefik_match.fits(rule, request)
            if found is False:
                continue
            sure, rank = int(found is True), _priority(router.node, rule)
            if best is None or (sure, rank) > best[:2]:
                best = sure, rank, router
        if best is None:
            return ()
        return (self._route(best[2], entry or self._entries(best[2])[0])[0],)

    @cached_property
    def _whole(self) -> list[Part]:
        """The routers that Traefik loads: one that names a middleware that is not there is left out."""
        return [r for r in self.providers.routers.values() if not any(self.misnamed(r))]

    def misnamed(self, router: Part) -> Iterator[tuple[Node, Part]]:
        """References to a middleware that this provider does not have, but another one under the same name."""
        for item in references(router.node.at("middlewares")):
            if self.providers.resolve("middlewares", item.value, router.provider) is not None:
                continue
            bare = item.value.partition("@")[0].lower()
            other = next((m for m in self.providers.middlewares.values() if m.name.lower() == bare), None)
            if other is not None:
                yield item, other

    def _entry(self, request: Request) -> str:
        """The entry point that was asked, by the port; "" where that is not known."""
        try:
            port = str(request.split.port or {"http": 80, "https": 443}.get(request.split.scheme) or "")
        except ValueError:
            return ""
        return next((n for n, node in self.entry_points.items() if _port(node.text("address")) == port), "")

    def _entries(self, router: Part) -> list[str]:
        named = [name.lower() for name in router.node.strings("entryPoints", split=",")]
        return named or list(self.entry_points) or [""]

    def _route(self, router: Part, entry: str) -> tuple[Route, list[Account] | None]:
        key = router.full, entry
        if key not in self._known:
            demands: list[Demand] = []
            changes: list[Change] = []
            known: list[Account] | None = None
            for kind, node in self._chain(router, entry):
                for fact in traefik_facts.facts(kind, node):
                    if isinstance(fact, Demand):
                        demands.append(fact)
                    else:
                        changes.append(fact)
                if kind == "basicauth" and known is None:
                    known = traefik_facts.accounts(node)
            demands += self._certificate(router, entry)
            route = Route(
                HOP,
                _start(router),
                f"router {router.full}",
                tuple(demands),
                tuple(changes),
                (),
                self._upstream(router),
                self,
            )
            self._known[key] = route, known
        return self._known[key]

    def _chain(self, router: Part, entry: str) -> Iterator[tuple[str, Node]]:
        """(kind in lower case, settings) of each middleware that the request passes."""
        point = self.entry_points.get(entry)
        if point is not None:
            for item in references(point.at("http", "middlewares")):
                yield from self._middleware(item.value, "file", 0)
        for item in references(router.node.at("middlewares")):
            yield from self._middleware(item.value, router.provider, 0)

    def _middleware(self, name: str, provider: str, depth: int) -> Iterator[tuple[str, Node]]:
        part = self.providers.resolve("middlewares", name, provider)
        if part is None or depth > DEEPEST:
            return
        for kind, node in part.node.pairs.items():
            if kind.lower() == "chain":
                for item in references(node.at("middlewares")):
                    yield from self._middleware(item.value, part.provider, depth + 1)
            else:
                yield kind.lower(), node

    def _certificate(self, router: Part, entry: str) -> Iterator[Demand]:
        """The options that a router over TLS names, or those called `default` (https/tls, "TLS Options")."""
        point = self.entry_points.get(entry)
        if not router.node.at("tls") and not (point and point.at("http", "tls")):
            return
        named = router.node.at("tls", "options") or (point.at("http", "tls", "options") if point else None)
        options = self.providers.resolve("options", named.value, router.provider) if named else None
        if not named:
            options = self.providers.resolve("options", "default", "file")
        kind = options.node.at("clientAuth", "clientAuthType") if options else None
        if kind and kind.value.startswith("Require"):
            yield Demand("certificate", "on", kind.source, hop=HOP)

    def _upstream(self, router: Part) -> str:
        own = router.node.at("upstreams", 0)
        if own:
            return f"http://{own.text('name')}:{own.text('port', default='80')}"
        named = router.node.text("service")
        part = self.providers.resolve("services", named, router.provider) if named else None
        if part is None and router.service is not None:
            mine = [s for s in self.providers.services.values() if s.service is router.service]
            part = next((s for s in mine if s.service == router.service), None)
        url = part.node.text("loadBalancer", "servers", 0, "url") if part else ""
        if url or router.service is None:
            return url
        port = part.node.text("loadBalancer", "server", "port") if part else ""
        exposed = next((inner for _, inner in router.service.ports() if inner), "80")
        return f"http://{router.service.name}:{port or exposed}"


def references(node: Node) -> tuple[Node, ...]:
    """The names in a list, or in a value with commas as labels have them, each with its place."""
    if node.items:
        return node.items
    parts = [part.strip() for part in node.value.split(",") if part.strip()]
    return tuple(Node(node.document, node.line, part, last=node.line) for part in parts)


def _start(router: Part) -> Source:
    return (router.node.at("rule") or router.node).source


def _port(address: str) -> str:
    match = re.search(r":(\d+)(?:/tcp)?$", address)
    return match[1] if match else ""


def _priority(node: Node, rule: str) -> int:
    written = node.text("priority")
    return int(written) if re.fullmatch(r"-?\d{1,10}", written) and int(written) else len(rule)
