"""The container registry (distribution): config.yml says who may come in.

`auth.htpasswd` (realm, path) asks for Basic and reads bcrypt hashes alone; `auth.token` (realm, service, issuer,
rootcertbundle) asks for a Bearer token of the realm's own making. One `auth` holds for every path below /v2/
(distribution.github.io/distribution/about/configuration).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from why401.evidence import Demand, Request, Source
from why401.layers.model import Damaged, Layer, Route
from why401.layers.nodes import Node
from why401.layers.tree import Absence, Document, Tree
from why401.layers.yaml_tree import documents
from why401.prefilter import lazy

HOP = "registry"
USUAL = "/etc/docker/registry"

_OWN = lazy(r"(?m)^version:\s*[\"']?0\.1")
_PART = lazy(r"(?m)^(?:storage|http|auth|proxy):")


def roots(tree: Tree) -> Iterable[Document]:
    """YAML files of version 0.1 with a registry's sections."""
    named = tree.named("*.yml", "*.yaml")
    return [d for d in named if _OWN.search(d.text) and _PART.search(d.text)]


def read(tree: Tree, root: Document) -> Registry:
    """The configuration in `root`. Raises Damaged where it is no YAML."""
    found = documents(root)
    if not found:
        raise Damaged(f"{root.name}: this is no YAML that can be read.")
    return Registry(HOP, tree, root, top=found[0])


@dataclass(eq=False)
class Registry(Layer):
    """A registry's configuration; `top` is its mapping."""

    top: Node = field(default=None, repr=False)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        self.whole = frozenset({self.root.name})
        address = self.top.text("http", "addr")
        self.listens = frozenset({address} if ":" in address else ())

    def routes(self) -> Sequence[Route]:
        return [Route(HOP, self.root_source, "/v2/", tuple(self._demands()), layer=self)]

    @property
    def root_source(self) -> Source:
        return (self.top.at("auth") or self.top).source

    def meets(self, request: Request) -> tuple[Route, ...]:
        return tuple(self.routes()) if request.path.startswith("/v2") else ()

    def open(self, name: str) -> Document | Absence:
        """A file that the configuration names; in an image it lies elsewhere, so a copy beside it is taken."""
        found = self.tree.open(name, self.root, usual=USUAL)
        if isinstance(found, Document) or found.kind != "unseen":
            return found
        beside = self.tree.open(name.rsplit("/", 1)[-1], self.root)
        return beside if isinstance(beside, Document) else found

    def _demands(self) -> Iterator[Demand]:
        basic, token = self.top.at("auth", "htpasswd"), self.top.at("auth", "token")
        if basic:
            yield Demand("scheme", "Basic", basic.source, hop=HOP)
            yield from self._settings(basic, ("realm", "realm"), ("path", "password-file"))
        if token:
            yield Demand("scheme", "Bearer", token.source, hop=HOP)
            pairs = (
                ("realm", "realm"),
                ("service", "audience"),
                ("issuer", "issuer"),
                ("rootcertbundle", "keys"),
            )
            yield from self._settings(token, *pairs)

    def _settings(self, node: Node, *pairs: tuple[str, str]) -> Iterator[Demand]:
        for key, respect in pairs:
            held = node.at(key)
            if held and held.value:
                yield Demand(respect, held.value, held.source, hop=HOP)
