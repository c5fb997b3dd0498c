"""The owner's files: those that were given, and those on this disk that they name.

A configuration is often looked at in a copy (`./backup/nginx.conf`) and names files by their place on the server
(`/etc/nginx/htpasswd`). So a name is looked for among the given files, then beside the given root as the copy of
its usual folder, then, only where the root itself was read from this disk, on the disk.

A file is **missing** only where its folder can be seen; else it is **unseen**: nothing follows from that.
"""

from __future__ import annotations

import contextlib
import glob
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Literal

LARGEST = 4_000_000  #: bytes of a file that a configuration names


@dataclass(frozen=True)
class Document:
    """A text file of the owner's: its name as given, its text with its own line ends, and where it lies."""

    name: str
    text: str = field(repr=False)
    path: Path | None = None  # on this disk; None for what came through a pipe or the API
    encoding: str = "utf-8"

    @classmethod
    def of(cls, name: str, data: bytes, path: Path | None = None) -> Document:
        try:
            return cls(name, data.decode("utf-8"), path)
        except UnicodeDecodeError:
            return cls(name, data.decode("latin-1"), path, "latin-1")

    @cached_property
    def lines(self) -> list[str]:
        """The lines, each with its end; a form feed and the like end none, as in editors, servers and `patch`."""
        return lines_of(self.text)

    def line_of(self, offset: int) -> int:
        """The line (from 1) of the character at `offset`."""
        return self.text.count("\n", 0, offset) + 1


def lines_of(text: str) -> list[str]:
    """The lines of a text, each with its end (`str.splitlines` would part them at ten other characters too)."""
    *ended, rest = text.split("\n")
    return [line + "\n" for line in ended] + ([rest] if rest else [])


@dataclass(frozen=True)
class Absence:
    """A file that could not be had: `missing` (its folder is there, it is not), `denied`, or `unseen`."""

    kind: Literal["missing", "denied", "unseen"]
    name: str


class Tree:
    """All files at hand; see the module's text for where a name is looked for."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self.given: dict[str, Document] = {document.name: document for document in documents}

    def named(self, *patterns: str) -> Iterator[Document]:
        """The given documents whose file name fits one of the shell patterns (without regard to case)."""
        for document in self.given.values():
            base = PurePosixPath(document.name).name.lower()
            if any(fnmatchcase(base, pattern.lower()) for pattern in patterns):
                yield document

    def holding(self, pattern: str, suffixes: tuple[str, ...] = ()) -> Iterator[Document]:
        """The given documents in which a regular expression (multi-line) is found, by suffix of their names."""
        compiled = re.compile(pattern, re.M)
        for document in self.given.values():
            if (not suffixes or document.name.lower().endswith(suffixes)) and compiled.search(document.text):
                yield document

    def open(self, name: str, root: Document, base: str = "", usual: str = "") -> Document | Absence:
        """The file `name` that `root`'s configuration names.

        A relative name stands below `base` (by default the root's folder); `usual` is the folder where the
        product's configuration lies on a server ("/etc/nginx"), of which the root's folder may be a copy.
        """
        places = list(self._places(name, root, base, usual))
        for place in places:
            if place in self.given:
                return self.given[place]
        for place in places:
            found = self.at(place, root)
            if found is not None:
                return found
        # Only the place as written can lack a file: that a copy has none says nothing of the server.
        seen = root.path is not None and self._sees(os.path.dirname(places[0]), root, usual)
        return Absence("missing", places[0]) if seen else Absence("unseen", name)

    def at(self, place: str, root: Document) -> Document | Absence | None:
        """The file at this very place, given or (where the root is) on the disk; None for no file."""
        if place in self.given or root.path is None:
            return self.given.get(place)
        try:
            found = Path(place)
            if found.is_file():
                with found.open("rb") as file:
                    return Document.of(place, file.read(LARGEST), found)
        except PermissionError:
            return Absence("denied", place)
        except (OSError, ValueError):
            pass
        return None

    def glob(self, pattern: str, root: Document, base: str = "", usual: str = "") -> list[Document]:
        """The files that a shell pattern names, in the order of their names, as servers include them."""
        if not glob.has_magic(pattern):
            file = self.open(pattern, root, base, usual)
            return [file] if isinstance(file, Document) else []
        places = self._places(pattern, root, base, usual)
        return next((found for place in places if (found := self.matching(place, root))), [])

    def matching(self, place: str, root: Document) -> list[Document]:
        """The files that a shell pattern names at this very place."""
        names = {name for name in self.given if _fits(name, place)}
        if root.path is not None:
            names.update(name for name in glob.glob(place) if os.path.isfile(name))
        opened = (self.at(name, root) for name in sorted(names))
        return [document for document in opened if isinstance(document, Document)]

    def beside(self, name: str, root: Document) -> list[str]:
        """The names of the files in the folder of `name`, given or on the disk."""
        folder = os.path.dirname(name)
        found = {given for given in self.given if os.path.dirname(given) == folder}
        if root.path is not None:
            with contextlib.suppress(OSError):
                found.update(
                    os.path.normpath(entry.path) for entry in os.scandir(folder or ".") if entry.is_file()
                )
        return sorted(found)

    def _places(self, name: str, root: Document, base: str, usual: str) -> Iterator[str]:
        """Where a name may lie, in the order of trust."""
        folder = os.path.dirname(root.name)
        written = name if os.path.isabs(name) else os.path.normpath(os.path.join(base or folder, name))
        yield written
        if not os.path.isabs(name):
            yield os.path.normpath(os.path.join(folder, name))
        if usual and written.startswith(usual.rstrip("/") + "/"):
            yield os.path.normpath(os.path.join(folder, written[len(usual.rstrip("/")) + 1 :]))

    def _sees(self, folder: str, root: Document, usual: str) -> bool:
        """Whether an absent file of this folder is known to be absent: the folder is the configuration's own,
        or the configuration lies where the server itself reads it."""
        folder = folder or "."
        if not os.path.isdir(folder):
            return False
        own = os.path.realpath(os.path.dirname(str(root.path)) or ".")
        inside = os.path.realpath(folder)
        if inside == own or inside.startswith(own + os.sep) or own.startswith(inside + os.sep):
            return inside != os.sep
        return bool(usual) and (own + os.sep).startswith(usual.rstrip("/") + os.sep)


def _fits(name: str, pattern: str) -> bool:
    """Whether a path fits a shell pattern, part by part."""
    parts, wanted = name.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(fnmatchcase(p, w) for p, w in zip(parts, wanted, strict=True))
