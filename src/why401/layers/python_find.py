"""Which of the given files begin an application in Python."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from why401.layers.tree import Document, Tree

_TESTS = ("test_", "conftest")


def sources(tree: Tree, makes: str, names: str) -> Iterator[Document]:
    """The Python files in which an application is made (`makes`) and its framework imported (`names`)."""
    for document in tree.given.values():
        base = PurePosixPath(document.name).name
        if not base.endswith(".py") or base.startswith(_TESTS):
            continue
        if re.search(makes, document.text) and re.search(names, document.text):
            yield document
