"""Edits as unified diffs, and as new texts.

Names in the diff are those of the files as given, after `a/` and `b/`, as git writes them: `patch -p1` applies
it from the folder in which why401 was started (from `/` where absolute names were given).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from why401.layers.model import Edit
from why401.layers.tree import Document, lines_of


def by_document(edits: Iterable[Edit]) -> dict[Document, list[Edit]]:
    """The edits of each document, last lines first, so that applying one does not move the next."""
    found: dict[str, list[Edit]] = {}
    documents: dict[str, Document] = {}
    for edit in edits:
        documents.setdefault(edit.document.name, edit.document)
        found.setdefault(edit.document.name, []).append(edit)
    return {
        documents[name]: sorted(own, key=lambda edit: (edit.first, edit.last), reverse=True)
        for name, own in found.items()
    }


def edited(document: Document, edits: Sequence[Edit]) -> str:
    """The text of a document after its edits, with its own kind of line ends."""
    lines = list(document.lines)
    end = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    for edit in sorted(edits, key=lambda edit: (edit.first, edit.last), reverse=True):
        if lines and edit.first > len(lines) and not lines[-1].endswith("\n"):
            lines[-1] += end
        lines[edit.first - 1 : edit.last] = [line + end for line in edit.new]
    return "".join(lines)


def diff(edits: Iterable[Edit], context: int = 3) -> str:
    """The edits as one unified diff with so many lines of context; "" for none."""
    parts: list[str] = []
    for document, own in by_document(edits).items():
        name = document.name.lstrip("/").removeprefix("./")
        end = (
            "\t" if " " in name else ""
        )  # by which `patch` knows where a name with blanks ends, as git writes it
        after = lines_of(edited(document, own))
        for line in difflib.unified_diff(
            document.lines, after, f"a/{name}{end}", f"b/{name}{end}", n=context
        ):
            parts.append(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n")
    return "".join(parts)
