"""YAML and JSON as nodes with their lines (by PyYAML's composer): anchors, merge keys, several documents.

Tags are not acted upon: nothing is constructed. A text is composed once however many products look at it.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from why401.evidence import Source
from why401.layers.model import Damaged
from why401.layers.nodes import Node
from why401.layers.tree import Document

SUFFIXES = (".yaml", ".yml", ".json")
LARGEST = 2_000_000  #: characters
DEEPEST = 60
MOST = 200_000  #: nodes, as aliases can make a short text endless
_composed: WeakKeyDictionary[Document, tuple[Node, ...] | Damaged] = WeakKeyDictionary()


def documents(document: Document) -> tuple[Node, ...]:
    """The documents of a YAML stream. Raises Damaged with the place where it is none."""
    if document not in _composed:
        _composed[document] = _compose(document)
    found = _composed[document]
    if isinstance(found, Damaged):
        raise found
    return found


def whole(document: Document) -> bool:
    """Whether the text can be composed; a template (`{{ … }}` of Helm or Ansible) often cannot."""
    try:
        documents(document)
    except Damaged:
        return False
    return True


def _compose(document: Document) -> tuple[Node, ...] | Damaged:
    import yaml

    if len(document.text) > LARGEST:
        return Damaged(f"{document.name}: too large to be read as configuration; give a part of it.")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        reader = _Reader(document)
        return tuple(
            reader.node(found, found.start_mark.line + 1, 0)
            for found in yaml.compose_all(document.text, Loader=loader)
            if found is not None
        )
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        if "{{" in document.text:
            says = (
                f"{document.name} is a template: render it first (`helm template`), and give what comes out."
            )
            return Damaged(says, Source(document.name, line))
        problem = " ".join(str(error.problem or "it is no YAML").split())
        return Damaged(
            f"{document.name}: line {line or 1} is no YAML: {problem}.", Source(document.name, line)
        )
    except (yaml.YAMLError, ValueError, RecursionError):
        return Damaged(f"{document.name} is no YAML that can be read; check it with a YAML linter.")


class _Reader:
    """Turns PyYAML's nodes into ours."""

    def __init__(self, document: Document) -> None:
        self._document, self._left = document, MOST

    def node(self, found: Any, line: int, depth: int) -> Node:
        self._left -= 1
        if depth > DEEPEST or self._left < 0:
            raise ValueError
        last = found.end_mark.line + (1 if found.end_mark.column else 0)
        last = max(last, line)
        if found.id == "mapping":
            return Node(self._document, line, pairs=self._pairs(found, depth), last=last)
        if found.id == "sequence":
            items = tuple(self.node(item, item.start_mark.line + 1, depth + 1) for item in found.value)
            return Node(self._document, line, items=items, last=last)
        value = "" if found.tag.endswith(":null") else found.value
        return Node(self._document, line, value, last=last, quoted=found.style in ("'", '"', "|", ">"))

    def _pairs(self, found: Any, depth: int) -> dict[str, Node]:
        pairs: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        for key, value in found.value:
            if key.id != "scalar":
                continue
            inner = self.node(value, key.start_mark.line + 1, depth + 1)
            if key.tag.endswith(":merge"):
                for one in (inner, *inner.items):
                    merged = {**one.pairs, **merged}
            else:
                pairs[key.value] = inner
        return {**merged, **pairs}
