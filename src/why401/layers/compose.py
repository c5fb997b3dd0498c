"""Docker Compose files: the services with their labels, environment and command, as the containers get them.

Compose replaces `$NAME` and `${NAME…}` in every value and makes one `$` of two (Compose specification,
"Interpolation"); keys are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from why401.layers import yaml_tree
from why401.layers.model import Damaged
from why401.layers.nodes import Node
from why401.layers.tree import Document, Tree
from why401.prefilter import lazy

_SERVICES = lazy(r"(?m)^services\s*:")
_VARIABLE = lazy(
    r"\$(?:(?P<doubled>\$)|(?P<name>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)(?P<rest>[^{}]*)\}|(?P<bad>))"
)


@dataclass(frozen=True)
class Service:
    """One service: what it is called, and its own part of the file."""

    name: str
    node: Node = field(repr=False)

    def pairs(self, *path: str) -> Iterator[tuple[str, str, Node]]:
        """(name, value as written, place) of a list of `NAME=value` or of a mapping (labels, environment)."""
        found = self.node.at(*path)
        for name, inner in found.pairs.items():
            yield name, inner.value, inner
        for item in found.items:
            name, _, value = item.value.partition("=")
            yield name.strip(), value, item

    def labels(self) -> Iterator[tuple[str, str, Node]]:
        """The labels of the container, and those of the service in a swarm."""
        yield from self.pairs("labels")
        yield from self.pairs("deploy", "labels")

    def ports(self) -> Iterator[tuple[str, str]]:
        """(port of the host, port of the container) that are published or exposed; the first may be ""."""
        for item in self.node.each("ports"):
            if item.pairs:
                yield item.text("published"), item.text("target")
                continue
            parts = (item.value or "").partition("/")[0].split(":")
            yield (parts[-2] if len(parts) > 1 else ""), parts[-1]
        for item in self.node.each("expose"):
            yield "", item.value

    def names(self) -> list[str]:
        """The names by which other containers reach it."""
        held = [self.name, self.node.text("container_name"), self.node.text("hostname")]
        for network in self.node.at("networks").pairs.values():
            held += network.strings("aliases")
        return [name for name in dict.fromkeys(held) if name]


def services(tree: Tree) -> list[Service]:
    """The services of every Compose file at hand, in order; a file that cannot be read has none here."""
    return [service for document in files(tree.given.values()) for service in of(document)]


def files(documents: Iterable[Document]) -> Iterator[Document]:
    for document in documents:
        if document.name.lower().endswith((".yml", ".yaml")) and _SERVICES.search(document.text):
            yield document


def of(document: Document) -> list[Service]:
    """The services of one Compose file."""
    try:
        roots = yaml_tree.documents(document)
    except Damaged:
        return []
    return [Service(name, node) for root in roots for name, node in root.at("services").pairs.items()]


def interpolated(value: str) -> str | None:
    """What Compose makes of a value where no variable is set; None where that depends on the environment."""
    if "$" not in value:
        return value
    unknown = False

    def replaced(match: re.Match[str]) -> str:
        nonlocal unknown
        if match["doubled"]:
            return "$"
        unknown |= match["braced"] is not None or match["bad"] is not None
        return ""

    found = _VARIABLE.sub(replaced, value)
    return None if unknown else found


def doubled(text: str) -> str:
    """The text with each single `$` doubled, as Compose wants one that is meant."""
    return re.sub(r"(?<!\$)\$(?!\$)", "$$", text)
