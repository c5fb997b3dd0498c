"""An nginx configuration as directives with their places, includes in their place (by crossplane).

crossplane reads files from the disk alone, so a document that is not there (a pipe, the API) goes through a
temporary file. Includes are followed here, not by crossplane, because a copy of a configuration names files by
their place on the server.
"""

from __future__ import annotations

import glob
import tempfile
from collections.abc import Iterator
from typing import Any

from why401.evidence import Source
from why401.layers.model import Damaged, Directive
from why401.layers.tree import Document, Tree

USUAL = "/etc/nginx"
MOST = 500_000  #: directives of one configuration, counted as often as they are included


def parse(tree: Tree, root: Document) -> Directive:
    """The whole configuration below a nameless directive. Raises Damaged."""
    top = Directive("", (), root, 1, None, [])
    top.block = list(_Reading(tree, root).document(root, top))
    return top


class _Reading:
    """One reading of a configuration: each file is parsed once, however often it is included."""

    def __init__(self, tree: Tree, root: Document) -> None:
        self._tree, self._root = tree, root
        self._parsed: dict[str, list[dict[str, Any]]] = {}
        self._open: list[str] = []  # the files that are being read, outermost first
        self._left = MOST

    def document(self, document: Document, parent: Directive) -> Iterator[Directive]:
        """The directives of a file. Raises Damaged where it includes itself, as nginx would."""
        if document.name in self._open:
            place = Source(self._open[-1])
            raise Damaged(f"{document.name} includes itself, so nginx cannot read this configuration.", place)
        if document.name not in self._parsed:
            self._parsed[document.name] = _crossplane(document)
        self._open.append(document.name)
        for item in self._parsed[document.name]:
            yield from self._directive(document, item, parent)
        self._open.pop()

    def _directive(self, document: Document, item: dict[str, Any], parent: Directive) -> Iterator[Directive]:
        self._left -= 1
        if self._left < 0:
            raise Damaged(f"{self._root.name}: with its includes it has more than {MOST} directives.")
        found = Directive(item["directive"], tuple(item["args"]), document, item["line"], parent)
        if found.name == "include" and found.args:
            yield from self._included(found, parent)
            return
        if "block" in item:
            found.block = [inner for one in item["block"] for inner in self._directive(document, one, found)]
        yield found

    def _included(self, include: Directive, parent: Directive) -> Iterator[Directive]:
        parts = self._tree.glob(include.args[0], self._root, usual=USUAL)
        if not parts and not glob.has_magic(include.args[0]):
            yield include  # what is not at hand may hold anything
        for part in parts:
            yield from self.document(part, parent)


def _crossplane(document: Document) -> list[dict[str, Any]]:
    import crossplane

    options = {"single": True, "check_ctx": False, "check_args": False, "catch_errors": True}
    if document.path is not None:
        result = crossplane.parse(str(document.path), **options)
    else:
        with tempfile.NamedTemporaryFile("w", suffix=".conf", encoding="utf-8", errors="replace") as file:
            file.write(document.text)
            file.flush()
            result = crossplane.parse(file.name, **options)
    for error in result["errors"]:
        says = str(error["error"]).split(" in ", 1)[0]
        line = error.get("line")
        raise Damaged(
            f"{document.name}: nginx cannot read this configuration: {says} (line {line}); "
            "`nginx -t` shows the same.",
            Source(document.name, line),
        )
    parsed: list[dict[str, Any]] = result["config"][0]["parsed"] if result["config"] else []
    return parsed
