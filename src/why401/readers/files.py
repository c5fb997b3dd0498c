"""Files, folders and standard input as inputs for the readers.

A file that is named has to be there; of a folder, what cannot be opened is said and the rest is read.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from why401.readers import Input

LARGEST = 64_000_000  # bytes of one file that are read
SEARCHED = 16_000_000  # bytes from which a log is searched, not read whole
MOST_FILES = 2_000
_LEFT_OUT = {".git", "node_modules", "__pycache__", ".venv", "vendor"}


class Unopenable(ValueError):
    """What was named cannot be opened; the message is one sentence."""


def inputs(names: Sequence[str]) -> list[Input]:
    """Read what is named; `-` is standard input, a folder all text files below it. Raises Unopenable."""
    found = [item for name in names for item in _named(name)]
    if names and not found:
        raise Unopenable(f"{names[0]} holds no file that can be read.")
    read = [item for item in found if isinstance(item, Input)]
    return [item if isinstance(item, Input) else _searched(item, read) for item in found]


def _searched(log: Path, others: Sequence[Input]) -> Input:
    """What a log that is too large to read whole says of refusals, and near the moments that others name."""
    from why401.readers import big_logs, log_moments

    moments = log_moments.moments_in([item.data for item in others])
    try:
        found = big_logs.search(log, moments)
    except OSError as problem:
        raise Unopenable(f"{log}: cannot be read ({problem.strerror}).") from None
    return Input(str(log), found.text, log, source=found.source(str(log)))


def _too_large(path: Path) -> bool:
    """Whether the file is a log that is searched instead of read."""
    try:
        if not path.is_file() or path.stat().st_size < SEARCHED:
            return False
    except OSError:
        return False  # reading it says why
    from why401.readers import big_logs

    return big_logs.is_big_log(path)


def _named(name: str) -> Iterator[Input | Path]:
    if name == "-":
        yield Input("standard input", sys.stdin.buffer.read(LARGEST))
        return
    path = Path(name)
    if path.is_dir():
        files = (p for p in sorted(path.rglob("*")) if p.is_file() and not _LEFT_OUT & set(p.parts))
        for _, file in zip(range(MOST_FILES), files, strict=False):
            if _too_large(file):
                yield file
                continue
            try:
                data = _bytes(file)
            except Unopenable as problem:
                yield Input(str(file), b"", file, problem=str(problem))
                continue
            if b"\0" not in data[:4096] and data.strip():
                yield Input(str(file), data, file)
        return
    yield path if _too_large(path) else Input(name, _bytes(path), path)


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST)
    except FileNotFoundError:
        raise Unopenable(
            f"{path}: there is no such file; check the name, or write http:// before a URL."
        ) from None
    except OSError as problem:
        raise Unopenable(f"{path}: cannot be read ({problem.strerror}).") from None
