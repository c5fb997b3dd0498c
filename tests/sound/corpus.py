"""The corpus of sound configurations: what `corpus.tsv` names, where it is kept, and its units.

A unit is a file, or a folder that a server or a framework reads as one. Nothing of it is committed:
`tools/sound-corpus` fetches it into `$WHY401_SOUND` (`~/.cache/why401-sound`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

CACHE = Path(os.environ.get("WHY401_SOUND") or "~/.cache/why401-sound").expanduser()
TABLE = Path(__file__).with_name("corpus.tsv")


@dataclass(frozen=True)
class Row:
    """One line of the table: which paths of a package are sound configuration of which product."""

    registry: str  # "apt", "pypi", "npm"
    package: str  # as its client wants it, with the version where pinned
    product: str
    patterns: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where the package's paths are kept."""
        return CACHE / self.registry / self.package.replace("/", "+")

    def wants(self, path: str) -> bool:
        """Whether a path within the package belongs to a unit of this row."""
        return any(fnmatchcase(path, f"{p}*" if p.endswith("/") else p) for p in self.patterns)


@dataclass(frozen=True)
class Unit:
    """A configuration to be looked at by itself."""

    product: str
    path: Path

    @property
    def name(self) -> str:
        return f"{self.product}:{self.path.relative_to(CACHE)}"

    @cached_property
    def files(self) -> list[Path]:
        return [self.path] if self.path.is_file() else sorted(p for p in self.path.rglob("*") if p.is_file())


def rows() -> list[Row]:
    """The table, in order."""
    lines = [line for line in TABLE.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    parts = [line.split("\t") for line in lines]
    return [
        Row(registry, package, product, tuple(patterns.split()))
        for registry, package, product, patterns in parts
    ]


def units() -> Iterator[Unit]:
    """Every unit that has been fetched, each path once."""
    seen: set[Path] = set()
    for row in rows():
        for pattern in row.patterns:
            for path in sorted(row.folder.glob(glob_of(pattern))):
                if path not in seen and (path.is_dir() if pattern.endswith("/") else path.is_file()):
                    seen.add(path)
                    yield Unit(row.product, path)


def glob_of(pattern: str) -> str:
    """A pattern of the table for `Path.glob`; a compressed file was unpacked."""
    return pattern.rstrip("/").removesuffix(".gz")
