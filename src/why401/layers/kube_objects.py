"""Kubernetes manifests at hand: the objects by kind, namespace and name, and what Secrets hold."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field

from why401.layers import yaml_tree
from why401.layers.model import Damaged
from why401.layers.nodes import Node
from why401.layers.tree import Document, Tree
from why401.prefilter import lazy

_OBJECT = lazy(r"(?m)^\s*\"?apiVersion\"?\s*:\s*\S")


@dataclass(frozen=True, eq=False)
class Object:
    """One object of a manifest."""

    node: Node = field(repr=False)
    kind: str
    name: str
    namespace: str

    @property
    def spec(self) -> Node:
        return self.node.at("spec")

    @property
    def title(self) -> str:
        return f"{self.kind} {self.name}"

    def annotation(self, name: str) -> Node:
        return self.node.at("metadata", "annotations", name)

    def labels(self) -> dict[str, str]:
        """The labels of the pods that a workload makes, else its own."""
        inner = self.node.at("spec", "template", "metadata", "labels") or self.node.at("metadata", "labels")
        return {key: value.value for key, value in inner.pairs.items()}


def looks(document: Document) -> bool:
    """Whether a document is a manifest, by its name and its words."""
    return document.name.lower().endswith(yaml_tree.SUFFIXES) and bool(_OBJECT.search(document.text))


def objects(tree: Tree, *kinds: str) -> list[Object]:
    """The objects of these kinds (of all without any) in the manifests that can be read, in order."""
    found = [one for document in tree.given.values() if looks(document) for one in of(document)]
    return [one for one in found if not kinds or one.kind in kinds]


def of(document: Document) -> Iterator[Object]:
    """The objects of one manifest, lists taken apart."""
    try:
        roots = yaml_tree.documents(document)
    except Damaged:
        return
    for root in roots:
        for node in (root, *root.each("items")) if root.text("kind").endswith("List") else (root,):
            if node.text("apiVersion") and node.text("kind"):
                namespace = node.text("metadata", "namespace", default="default")
                yield Object(node, node.text("kind"), node.text("metadata", "name"), namespace)


def held(secret: Object, key: str) -> tuple[str, Node] | None:
    """What a Secret (or ConfigMap) holds under a key, decoded, and its place; None where it is not there."""
    plain = secret.node.at("stringData", key)
    if plain:
        return plain.value, plain
    node = secret.node.at("data", key)
    if not node:
        return None
    if secret.kind != "Secret":
        return node.value, node
    try:
        return base64.b64decode("".join(node.value.split()), validate=True).decode("utf-8", "replace"), node
    except (binascii.Error, ValueError):
        return node.value, node
