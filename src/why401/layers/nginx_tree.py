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
DEEPEST = 20


def parse(tree: Tree, root: Document) -> Directive:
    """The whole configuration below a nameless directive. Raises Damaged."""
    top = Directive("", (), root, 1, None, [])
    top.block = list(_read(tree, root, root, top, 0))
    return top


def _read(
    tree: Tree, root: Document, document: Document, parent: Directive, depth: int
) -> Iterator[Directive]:
    for item in _crossplane(document):
        yield from _directives(tree, root, document, item, parent, depth)


def _directives(
    tree: Tree, root: Document, document: Document, item: dict[str, Any], parent: Directive, depth: int
) -> Iterator[Directive]:
    found = Directive(item["directive"], tuple(item["args"]), document, item["line"], parent)
    if found.name == "include" and found.args:
        if depth >= DEEPEST:
            return
        included = tree.glob(found.args[0], root, usual=USUAL)
        if not included and not glob.has_magic(found.args[0]):
            yield found  # what is not at hand may hold anything
        for part in included:
            yield from _read(tree, root, part, parent, depth + 1)
        return
    if "block" in item:
        found.block = [
            inner for one in item["block"] for inner in _directives(tree, root, document, one, found, depth)
        ]
    yield found


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
