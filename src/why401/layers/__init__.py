"""The owner's side: what a request meets on its way through servers and applications.

A **layer** is one product's configuration or one application's code, read whole, with includes and inheritance
resolved as the product resolves them. It answers one question: *what does this request meet here?* The answer
is a chain of **routes**, each with what it demands, changes, answers and passes on, every item with its file
and line. Layers know no causes: `checks/` compare.

A module of this package reads one product. It has

    HOP: str                                           the product's name, as reports show it
    roots(tree: Tree) -> Iterable[Document]            the files at which a configuration of it begins
    read(tree: Tree, root: Document) -> Layer          raises Damaged with one sentence

and is listed in `MODULES`. Nothing else has to be touched to add a product.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import PurePath

from why401.evidence import Evidence, Source, Unreadable
from why401.layers.model import Damaged, Layer, Route
from why401.layers.tree import Absence, Document, Tree

MODULES: tuple[str, ...] = (
    "nginx",
    "apache",
    "haproxy",
    "caddy",
    "spring",
    "express",
    "aspnet",
    "lighttpd",
    "squid",
    "traefik",
    "django_app",
    "flask_app",
    "fastapi_app",
    "kubernetes",
    "tomcat",
    "registry",
    "envoy",
    "istio",
    "oauth2_proxy",
    "kong",
    "iis",
    "laravel",
    "symfony",
    "rails",
)


def read(documents: Iterable[Document], *, sure: bool = False) -> Evidence:
    """The layers that the documents hold; what could not be read is an `Unreadable` each. `sure` says that they are
    configuration or code, even where neither name nor kind tells (what comes through a pipe has no name)."""
    tree = Tree(documents)
    found: list[Layer] = []
    problems: list[Unreadable] = []
    for name in MODULES if sure or any(map(_may_hold, tree.given.values())) else ():
        module = import_module(f"why401.layers.{name}")
        for root in module.roots(tree):
            try:
                found.append(module.read(tree, root))
            except Damaged as problem:
                problems.append(Unreadable(str(problem), problem.source or Source(root.name)))
    for layer in found:
        if layer.whole:
            layer.whole |= frozenset(_unused(tree, layer))
    return Evidence(layers=tuple(found), unreadable=tuple(problems))


def _may_hold(document: Document) -> bool:
    """Whether a document may be a configuration or code, by its name and kind: what is pasted seldom is."""
    from why401.readers import kinds

    kind = kinds.kind_of(document.name, document.text[:5000])[0]
    return kind in ("settings", "code") or (document.path is not None and not document.path.suffix)


#: Endings of names of files that lie in a server's own folder and count only where they are included.
_PARTS = ("", ".conf", ".types", ".default", ".bak", ".orig", ".old", ".disabled", ".dpkg-dist", ".load")


def _unused(tree: Tree, layer: Layer) -> Iterator[str]:
    """The given files in a configuration's folder that it does not include: the server never reads them."""
    from why401.readers import kinds

    folder = PurePath(layer.root.name).parent
    for name, document in tree.given.items():
        path = PurePath(name)
        own = path.is_relative_to(folder) and path.suffix in _PARTS and not path.name.startswith(".")
        if own and kinds.kind_of(name, document.text[:5000])[0] not in ("log", "code"):
            yield name


__all__ = ["Absence", "Damaged", "Document", "Layer", "Route", "Tree", "read"]
