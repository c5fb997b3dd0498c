"""TOML as nodes: the values by tomllib, the lines by the headers and keys as they stand."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from why401.evidence import Source
from why401.layers.model import Damaged
from why401.layers.nodes import Node
from why401.layers.tree import Document
from why401.prefilter import lazy

_HEADER = lazy(r"\s*(\[{1,2})\s*([^\[\]]+?)\s*\]")
_KEY = lazy(r"\s*((?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"|'[^']*'))*)\s*=")
_PART = lazy(r"[\w-]+|\"[^\"]*\"|'[^']*'")


def document(given: Document) -> Node:
    """The whole text as one node. Raises Damaged where it is no TOML."""
    try:
        values = tomllib.loads(given.text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        says = str(error) or "nested too deeply"
        match = re.search(r"line (\d+)", says)
        line = int(match[1]) if match else None
        if re.search(r"\{\{.*\}\}", given.text):
            says = f"{given.name} is a template: give what comes out of it."
            raise Damaged(says, Source(given.name, line)) from None
        raise Damaged(f"{given.name} is no TOML: {says}.", Source(given.name, line)) from None
    return _node(given, values, (), dict(_lines(given.text)), 1)


def _lines(text: str) -> Iterator[tuple[tuple[str, ...], int]]:
    """Each path of keys and its line; tables of an array are numbered."""
    table: tuple[str, ...] = ()
    counts: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header:
            table = _path(header[2])
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, str(counts[table]))
            yield table, number
        elif key := _KEY.match(line):
            yield (*table, *_path(key[1])), number


def _path(words: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(words))


def _node(
    given: Document, value: Any, path: tuple[str, ...], lines: Mapping[tuple[str, ...], int], line: int
) -> Node:
    line = lines.get(path, line)
    if isinstance(value, dict):
        pairs = {str(k): _node(given, v, (*path, str(k)), lines, line) for k, v in value.items()}
        below = min((node.line for node in pairs.values()), default=line)
        return Node(given, line if path in lines or not path else below, pairs=pairs, last=line)
    if isinstance(value, list):
        items = (_node(given, v, (*path, str(i)), lines, line) for i, v in enumerate(value))
        return Node(given, line, items=tuple(_placed(given, item) for item in items), last=line)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return Node(given, line, text, last=line, quoted=isinstance(value, str))


def _placed(given: Document, item: Node) -> Node:
    """An item of an array on its own line, where the array is written over several."""
    if not item.value or item.pairs or item.items:
        return item
    for number, text in enumerate(given.lines[item.line - 1 : item.line + 200], item.line):
        if item.value in text:
            return Node(given, number, item.value, last=number, quoted=item.quoted)
    return item
