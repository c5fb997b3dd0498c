"""Settings in JSON, also with comments, trailing commas or as a fragment without the outer braces.

A scanner rather than a parser: what is well formed up to a fault is kept, and each value knows its line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from why401.prefilter import lazy
from why401.readers.config_flat import Pair

_TOKEN = lazy(
    r"""(?xs)
    (?P<skip>\s+ | //[^\n]* | /\*.*?\*/ | \#[^\n]*)
    | (?P<string>"(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*')
    | (?P<open>[{\[]) | (?P<close>[}\]]) | (?P<colon>:) | (?P<comma>,)
    | (?P<word>[^\s,:{}\[\]"']+) | (?P<other>.)
    """
)
DEEPEST = 40


def pairs(text: str, first_line: int = 1) -> Iterator[Pair]:
    """(dotted key, value, line) of every scalar; lists count from 0."""
    frames: list[_Frame] = []
    key: str | None = None
    last: tuple[str, int] | None = None
    line = first_line
    for token in _TOKEN.finditer(text):
        kind, words = token.lastgroup, token.group()
        here, line = line, line + words.count("\n")
        if kind in ("string", "word"):
            last = (_scalar(words), here)
        elif kind == "colon" and last is not None:
            key, last = last[0], None
        elif kind == "open" and len(frames) < DEEPEST:
            frames.append(_Frame(_inner(frames, key), words == "["))
            key, last = None, None
        elif kind in ("comma", "close"):
            if last is not None and (key is not None or (frames and frames[-1].listed)):
                yield _inner(frames, key), last[0], last[1]
            key, last = None, None
            if kind == "comma" and frames:
                frames[-1].index += 1
            elif kind == "close" and frames:
                frames.pop()
    if last is not None and key is not None:
        yield _inner(frames, key), last[0], last[1]


@dataclass(slots=True)
class _Frame:
    """An open brace or bracket: its dotted name, and for a list the place that is being read."""

    name: str
    listed: bool
    index: int = 0


def _inner(frames: list[_Frame], key: str | None) -> str:
    """The dotted name of what stands next in the innermost brace or bracket."""
    if not frames:
        return key or ""
    above = frames[-1]
    own = str(above.index) if above.listed else key
    return ".".join(part for part in (above.name, own) if part)


def _scalar(words: str) -> str:
    if words[0] == '"':
        try:
            return str(json.loads(words))
        except ValueError:
            return words[1:-1]
    return words[1:-1] if words[0] == "'" else words
