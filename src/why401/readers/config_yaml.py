# ruff: noqa: E501  (patterns: one a line, however long)
"""Settings in YAML: with PyYAML where the text is well formed, else by its indentation.

Environment lists (`- NAME=value`, `- name: NAME` with `value:`) are settings of that name, wherever they stand.
The data of a Kubernetes Secret is base64; the setting holds what is decoded, so a newline at its end shows.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

from why401.prefilter import lazy
from why401.readers.config_flat import Pair, unquote

_LINE = lazy(r"^(?P<indent>\s*)(?P<dash>(?:-\s+)*)(?:(?P<key>\"[^\"]+\"|'[^']+'|[^\s#'\"{\[&*!|>%@`-][^:#]*?|-?[\w.-]+)\s*:(?:\s+(?P<value>.*?))?|(?P<item>\S.*?))\s*$")  # fmt: skip
_ASSIGNED = lazy(r"^(?P<key>[A-Za-z_][\w.\-\[\]/]*)=(?P<value>.*)$", re.S)
LARGEST = 400_000
DEEPEST = 60


def pairs(text: str, first_line: int = 1) -> Iterator[Pair]:
    """(dotted key, value, line) of every scalar of every document."""
    documents = _composed(text)
    if documents is None:
        documents = [list(_indented(text))]
    for document in documents:
        for key, value, line in _named(_decoded(document)):
            yield key, value, line + first_line - 1


def _composed(text: str) -> list[list[Pair]] | None:
    """The documents as PyYAML reads them, or None where it cannot."""
    if len(text) > LARGEST or "{{" in text:  # a template is no YAML yet
        return None
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        nodes = list(
            yaml.compose_all(re.sub(r"(?m)^\t+", lambda m: "  " * len(m.group()), text), Loader=loader)
        )
        return [
            list(_walk(node, "", 0))
            for node in nodes
            if isinstance(node, yaml.MappingNode | yaml.SequenceNode)
        ]
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def _walk(node: Any, name: str, depth: int) -> Iterator[Pair]:
    if depth > DEEPEST:
        return
    if node.id == "mapping":
        for key, value in node.value:
            own = str(key.value) if key.id == "scalar" else "?"
            yield from _walk(value, f"{name}.{own}" if name else own, depth + 1)
    elif node.id == "sequence":
        for number, item in enumerate(node.value):
            yield from _walk(item, f"{name}.{number}" if name else str(number), depth + 1)
    else:
        yield name, str(node.value), node.start_mark.line + 1


def _indented(text: str) -> Iterator[Pair]:
    """The settings of a fragment or a template, by the indentation of its lines."""
    stack: list[tuple[int, str]] = []
    counts: dict[tuple[int, str], int] = {}
    for number, line in enumerate(text.expandtabs(2).splitlines(), 1):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        if bare.startswith("---"):
            stack, counts = [], {}
            continue
        match = _LINE.match(line)
        if not match or len(stack) > DEEPEST:
            continue
        indent = len(match["indent"])
        stack = [
            (depth, name)
            for depth, name in stack
            if depth < indent or (match["dash"] and depth == indent and not name.isdigit())
        ]
        if match["dash"]:
            place = (indent, ".".join(name for _, name in stack))
            counts[place] = counts.get(place, -1) + 1
            stack.append((indent, str(counts[place])))
            indent += len(match["dash"])
        above = ".".join(name for _, name in stack)
        if match["key"] is None:
            if match["dash"]:
                yield above, unquote(match["item"]), number
            continue
        key = match["key"].strip("\"' ")
        value = match["value"]
        if value is None or value == "" or value[0] in "&|>#" or value.startswith(("{{", "!")):
            stack.append((indent, key))
            if value and value.startswith("{{"):
                yield f"{above}.{key}".strip("."), value, number
        else:
            yield f"{above}.{key}".strip("."), unquote(value), number


def _decoded(document: list[Pair]) -> list[Pair]:
    """The document with the data of a Secret decoded."""
    held = {key: value for key, value, _ in document}
    if held.get("kind") != "Secret":
        return document
    return [(k, _plain(v) if re.match(r"data\.", k) else v, line) for k, v, line in document]


def _plain(value: str) -> str:
    try:
        return base64.b64decode("".join(value.split()), validate=True).decode("utf-8")
    except (ValueError, binascii.Error):
        return value


def _named(document: list[Pair]) -> Iterator[Pair]:
    """The document with the two forms of environment lists as settings of their names."""
    held = {key: value for key, value, _ in document}
    for key, value, line in document:
        above, _, last = key.rpartition(".")
        assigned = _ASSIGNED.match(value) if last.isdigit() else None
        if assigned and re.search(
            r"(?i)(?:environment|env|labels|args|build_args|command|variables)$", above
        ):
            yield f"{above}.{assigned['key']}", assigned["value"].strip(), line
        elif last == "value" and f"{above}.name" in held and above.rpartition(".")[2].isdigit():
            yield f"{above.rpartition('.')[0]}.{held[f'{above}.name']}", value, line
        else:
            yield key, value, line
