"""Where Traefik's routers, middlewares and services come from: files, labels of Compose services, Kubernetes.

A name belongs to its provider; `name@provider` is one of another ("Configuration discovery", "Provider
namespace").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from why401.layers import compose, toml_tree, traefik_kubernetes, yaml_tree
from why401.layers.model import Damaged
from why401.layers.nodes import Node
from why401.layers.tree import Document, Tree
from why401.prefilter import lazy

_OWN = lazy(
    r"(?mi)traefik\.http\.|traefik\.io/v1alpha1|traefik\.containo\.us|^\[+http\.(?:routers|middlewares)|"
    r"^http:\s*(?:#.*)?\n(?:\s*(?:#.*)?\n)*[ \t]+(?:routers|middlewares|services):|^entryPoints:|"
    r"^\[entryPoints|router\.middlewares"
)
_SUFFIXES = (".yml", ".yaml", ".toml")


@dataclass(frozen=True, eq=False)
class Part:
    """One router, middleware or service as its provider has it."""

    name: str
    provider: str
    node: Node = field(repr=False)
    service: compose.Service | None = None  # whose labels made it

    @property
    def full(self) -> str:
        return f"{self.name}@{self.provider}"


@dataclass(eq=False)
class Providers:
    """Everything that was found, by `name@provider` in lower case."""

    routers: dict[str, Part] = field(default_factory=dict)
    middlewares: dict[str, Part] = field(default_factory=dict)
    services: dict[str, Part] = field(default_factory=dict)
    options: dict[str, Part] = field(default_factory=dict)  # of TLS
    static: list[Node] = field(default_factory=list)
    labels: list[tuple[compose.Service, str, str, Node]] = field(default_factory=list)  # as written

    def add(self, provider: str, http: Node, service: compose.Service | None = None) -> None:
        for kind in ("routers", "middlewares", "services"):
            held: dict[str, Part] = getattr(self, kind)
            for name, node in http.at(kind).pairs.items():
                held[f"{name}@{provider}".lower()] = Part(name, provider, node, service)

    def resolve(self, kind: str, name: str, provider: str) -> Part | None:
        """What a reference of a part of `provider` names."""
        held: dict[str, Part] = getattr(self, kind)
        return held.get((name if "@" in name else f"{name}@{provider}").lower())


def looks(document: Document) -> bool:
    """Whether a file is Traefik's, by its name and its words."""
    return document.name.lower().endswith(_SUFFIXES) and bool(_OWN.search(document.text))


def read(tree: Tree) -> Providers:
    """All that the documents at hand say; those that cannot be read are left out."""
    found = Providers()
    for document in tree.given.values():
        if not looks(document):
            continue
        for root in trees(document):
            if root.at("http"):
                found.add("file", root.at("http"))
            for name, node in root.at("tls", "options").pairs.items():
                found.options[f"{name}@file".lower()] = Part(name, "file", node)
            if root.at("entryPoints"):
                found.static.append(root)
        for service in compose.of(document) if document.name.lower().endswith((".yml", ".yaml")) else ():
            _labelled(found, service)
    _kubernetes(found, tree)
    return found


def trees(document: Document) -> tuple[Node, ...]:
    """The documents of a file; () where it cannot be read."""
    try:
        if document.name.lower().endswith(".toml"):
            return (toml_tree.document(document),)
        return yaml_tree.documents(document)
    except Damaged:
        return ()


def _labelled(found: Providers, service: compose.Service) -> None:
    """The labels `traefik.http.…` of a container, and the options of Traefik's own command."""
    http, static = _Grown(service.node.document), _Grown(service.node.document)
    for name, value, node in service.labels():
        if name.lower().startswith("traefik."):
            found.labels.append((service, name, value, node))
        if name.lower().startswith("traefik.http."):
            http.put(name.split(".")[2:], _as_got(name, value), node)
    if http.below:
        found.add("docker", http.node(), service)
    for item in service.node.each("command"):
        option = item.value.removeprefix("--")
        if option.lower().startswith("entrypoints.") and "=" in option:
            name, _, value = option.partition("=")
            static.put(name.split("."), value, item)
    if static.below:
        found.static.append(static.node())


def _as_got(name: str, value: str) -> str:
    """A label's value as Traefik gets it; nothing of a hash that Compose takes for variables."""
    known = compose.interpolated(value)
    if name.lower().endswith("auth.users") and known != value.replace("$$", "$"):
        return ""
    return value if known is None else known


class _Grown:
    """A tree that grows from dotted names."""

    def __init__(self, document: Document, line: int = 0) -> None:
        self._document, self._line, self._value = document, line, ""
        self.below: dict[str, _Grown] = {}

    def put(self, path: list[str], value: str, node: Node) -> None:
        at = self
        for part in path:
            key = next((k for k in at.below if k.lower() == part.lower()), part)
            at = at.below.setdefault(key, _Grown(self._document, node.line))
        at._value = value

    def node(self) -> Node:
        pairs = {key: inner.node() for key, inner in self.below.items()}
        return Node(self._document, self._line, self._value, pairs, last=self._line)


def _kubernetes(found: Providers, tree: Tree) -> None:
    """IngressRoutes, Middlewares, TLSOptions and Ingresses: a name is `namespace-name@kubernetescrd` (or
    `@kubernetes` for an Ingress)."""
    for kind, provider, name, node in traefik_kubernetes.parts(tree):
        held: dict[str, Part] = getattr(found, kind)
        held[f"{name}@{provider}".lower()] = Part(name, provider, node)


def broken(tree: Tree) -> Iterator[Document]:
    """Files of Traefik's that cannot be read."""
    for document in tree.given.values():
        if looks(document) and not trees(document):
            yield document
