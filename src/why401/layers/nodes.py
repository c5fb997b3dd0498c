"""Configuration made of mappings and lists (YAML, JSON, TOML) as nodes that know their place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from why401.evidence import Source
from why401.layers.tree import Document

_TRUE = frozenset({"true", "yes", "on", "1"})


@dataclass(frozen=True, eq=False)
class Node:
    """One value with the line of its key (in a mapping) or of itself (in a list), and its last line.

    Exactly one of `pairs` (a mapping), `items` (a list) and `value` (a scalar as written, without quotes) is
    meaningful; all are empty for null.
    """

    document: Document = field(repr=False)
    line: int
    value: str = field(default="", repr=False)
    pairs: Mapping[str, Node] = field(default_factory=dict, repr=False)
    items: tuple[Node, ...] = field(default=(), repr=False)
    last: int = 0
    quoted: bool = False  # a string by its quotes, whatever it looks like
    present: bool = True  # False for what `at` did not find

    @property
    def source(self) -> Source:
        return Source(self.document.name, self.line)

    def __bool__(self) -> bool:
        return self.present

    def at(self, *path: str | int) -> Node:
        """The node at a path of keys and places; a falsy one where there is none.

        A key that is not there is looked for again without regard to case: Traefik, Go's JSON and .NET do so.
        """
        found: Node | None = self
        for part in path:
            if found is None:
                break
            if isinstance(part, int):
                found = found.items[part] if part < len(found.items) else None
            else:
                held = found.pairs
                found = held.get(part) or next(
                    (n for k, n in held.items() if k.lower() == part.lower()), None
                )
        return found if found is not None else Node(self.document, self.line, present=False)

    def first(self, *names: str) -> Node:
        """The value of the first of these keys that is there: protobuf's snake_case and its camelCase, say."""
        return next((found for name in names if (found := self.at(name))), self.at(names[0]))

    def text(self, *path: str | int, default: str = "") -> str:
        """The scalar at a path."""
        found = self.at(*path)
        return found.value if found and not found.pairs and not found.items else default

    def true(self, *path: str | int, default: bool = False) -> bool:
        """Whether the scalar at a path says yes."""
        found = self.at(*path)
        return found.value.strip().lower() in _TRUE if found and found.value else default

    def each(self, *path: str | int) -> tuple[Node, ...]:
        """The items of a list at a path; one alone counts as a list of one."""
        found = self.at(*path)
        return found.items or ((found,) if found and (found.value or found.pairs) else ())

    def strings(self, *path: str | int, split: str = "") -> list[str]:
        """The scalars of a list at a path; a single scalar is split where it says at what."""
        found = self.at(*path)
        if found.value and split:
            return [part.strip() for part in found.value.split(split) if part.strip()]
        return [item.value for item in found.items] or ([found.value] if found.value else [])

    def walk(self) -> Iterator[Node]:
        """This node and every one below it."""
        yield self
        for inner in (*self.pairs.values(), *self.items):
            yield from inner.walk()


def written(node: Node) -> str:
    """The text of the node's first line, without its end."""
    lines = node.document.lines
    return lines[node.line - 1].rstrip("\r\n") if 0 < node.line <= len(lines) else ""
