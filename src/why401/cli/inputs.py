"""Files, folders and standard input as inputs for the readers."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from why401.cli.arguments import Usage
from why401.readers import Input

LARGEST = 64_000_000  # bytes of one file that are read
MOST_FILES = 2_000
_LEFT_OUT = {".git", "node_modules", "__pycache__", ".venv", "vendor"}


def inputs(names: Sequence[str]) -> list[Input]:
    """Read what is named; `-` is standard input, a folder all text files below it. Raises Usage."""
    found = [item for name in names for item in _named(name)]
    if names and not found:
        raise Usage(f"{names[0]} holds no file that can be read.")
    return found


def _named(name: str) -> Iterator[Input]:
    if name == "-":
        yield Input("standard input", sys.stdin.buffer.read(LARGEST))
        return
    path = Path(name)
    if path.is_dir():
        files = (p for p in sorted(path.rglob("*")) if p.is_file() and not _LEFT_OUT & set(p.parts))
        for _, file in zip(range(MOST_FILES), files, strict=False):
            data = _bytes(file)
            if b"\0" not in data[:4096] and data.strip():
                yield Input(str(file), data, file)
        return
    yield Input(name, _bytes(path), path)


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST)
    except FileNotFoundError:
        raise Usage(
            f"{path}: there is no such file; check the name, or write http:// before a URL."
        ) from None
    except OSError as problem:
        raise Usage(f"{path}: cannot be read ({problem.strerror}).") from None
