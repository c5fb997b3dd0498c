"""Source code of other languages than Python, read by tree-sitter: calls, arguments and constants with their lines.

Java and JavaScript come with the core install; the grammars of the other languages with `why401[code]`.
Grammars differ in what they name a call; `Call` is what they share: a name, a receiver and arguments.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from importlib import import_module
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from why401.evidence import Source
from why401.layers.model import Damaged, Edit
from why401.layers.syntax_nodes import (
    MEMBERS,
    WRAPS,
    bare,
    elements,
    members,
    name_node,
    squeezed,
    string,
    text,
    walk,
)
from why401.layers.tree import Document

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

#: Suffix → the grammar's module and the function in it that gives the language.
GRAMMARS: Final = {
    ".java": ("tree_sitter_java", "language"),
    ".js": ("tree_sitter_javascript", "language"),
    ".mjs": ("tree_sitter_javascript", "language"),
    ".cjs": ("tree_sitter_javascript", "language"),
    ".jsx": ("tree_sitter_javascript", "language"),
    ".ts": ("tree_sitter_typescript", "language_typescript"),
    ".mts": ("tree_sitter_typescript", "language_typescript"),
    ".tsx": ("tree_sitter_typescript", "language_tsx"),
    ".kt": ("tree_sitter_kotlin", "language"),
    ".cs": ("tree_sitter_c_sharp", "language"),
    ".php": ("tree_sitter_php", "language_php"),
    ".rb": ("tree_sitter_ruby", "language"),
}
LARGEST: Final = 400_000  #: characters; longer files are bundles, not what a person wrote

_CALLS: Final = frozenset(
    {"call_expression", "new_expression", "method_invocation", "object_creation_expression", "call"}
    | {
        "invocation_expression",
        "member_call_expression",
        "scoped_call_expression",
        "function_call_expression",
    }
    | {"nullsafe_member_call_expression"}
)


@cache
def _parser(suffix: str) -> Parser:
    """The parser for files of a suffix. Raises Damaged where the grammar is not installed."""
    name, function = GRAMMARS[suffix]
    try:
        from tree_sitter import Language, Parser

        return Parser(Language(getattr(import_module(name), function)()))
    except ImportError:
        raise Damaged(
            f"A file of the kind *{suffix} needs a grammar that is not installed: pip install 'why401[code]'"
        ) from None


def suffix_of(name: str) -> str:
    return PurePath(name).suffix.lower()


def readable(document: Document, *suffixes: str) -> bool:
    """Whether a file is source code of one of these suffixes that a person wrote, and no type declarations."""
    name = document.name.lower()
    return (
        name.endswith(suffixes) and not name.endswith((".min.js", ".d.ts")) and len(document.text) < LARGEST
    )


@lru_cache(maxsize=512)
def parse(document: Document) -> Code:
    """The syntax tree of a file. Raises Damaged where its grammar is missing."""
    try:
        parser = _parser(suffix_of(document.name))
    except Damaged as problem:
        raise Damaged(f"{document.name}: {problem}", Source(document.name)) from None
    return Code(document, parser.parse(document.text.encode("utf-8", "surrogatepass")).root_node)


@dataclass(frozen=True)
class Call:
    """`receiver.name(args)`; the name of a constructor is that of its class."""

    name: str
    receiver: Node | None
    args: tuple[Node, ...]
    node: Node
    code: Code = field(repr=False)

    @property
    def line(self) -> int:
        """The line on which the name stands: in a chain over many lines, that of this link."""
        return self.code.line(name_node(self.node) or self.node)

    @property
    def source(self) -> Source:
        return Source(self.code.document.name, self.line)

    def string(self, at: int = 0) -> str | None:
        """The argument at a place where it is a constant string, else None."""
        return string(self.args[at]) if at < len(self.args) else None

    def strings(self) -> list[str]:
        """Every argument, and every member of a list among them, that is a constant string."""
        inner = [item for arg in self.args for item in (elements(arg) or [arg])]
        return [value for item in inner if (value := string(item)) is not None]

    def chain(self) -> Iterator[Call]:
        """This call and those on whose results it is called, the last first."""
        at: Call | None = self
        while at is not None:
            yield at
            at = as_call(at.code, at.receiver) if at.receiver is not None else None

    @property
    def on(self) -> str:
        """The receiver's text, without white space."""
        return squeezed(self.receiver)


@dataclass(eq=False)
class Code:
    """A parsed file."""

    document: Document
    root: Node = field(repr=False)

    def line(self, node: Node) -> int:
        return int(node.start_point[0]) + 1

    def source(self, node: Node) -> Source:
        return Source(self.document.name, self.line(node))

    @cached_property
    def all_calls(self) -> tuple[Call, ...]:
        """Every call of the file, outer ones first."""
        found = (as_call(self, node) for node in walk(self.root, *_CALLS) if not _half(node))
        return tuple(call for call in found if call is not None)

    def calls(self, *names: str, within: Node | None = None) -> list[Call]:
        """The calls of these names, in the order of the text, of the file or of a part of it."""
        found = [call for call in self.all_calls if call.name in names]
        if within is not None:
            found = [
                c
                for c in found
                if within.start_byte <= c.node.start_byte and c.node.end_byte <= within.end_byte
            ]
        return found

    def line_text(self, line: int) -> str:
        lines = self.document.lines
        return lines[line - 1].rstrip("\r\n") if 0 < line <= len(lines) else ""

    def replaced(self, node: Node, new: str) -> tuple[Edit, ...]:
        """The edit that puts `new` in the place of a node, where the node stands on one line."""
        if node.start_point[0] != node.end_point[0]:
            return ()
        line = self.line(node)
        raw = self.line_text(line).encode("utf-8", "surrogatepass")
        after = raw[: node.start_point[1]] + new.encode() + raw[node.end_point[1] :]
        return (Edit(self.document, line, line, (after.decode("utf-8", "replace"),)),)

    def removed(self, node: Node) -> tuple[Edit, ...]:
        """The edit that takes out the lines of a statement, where they hold nothing else."""
        first, last = self.line(node), int(node.end_point[0]) + 1
        before = self.line_text(first).encode()[: node.start_point[1]].strip()
        after = self.line_text(last).encode()[node.end_point[1] :].strip()
        return () if before or after not in (b"", b";") else (Edit(self.document, first, last, ()),)

    def moved(self, node: Node, before: Node) -> tuple[Edit, ...]:
        """The edits that move the lines of a statement above those of an earlier one."""
        out = self.removed(node)
        if not out or not self.removed(before):
            return ()
        lines = tuple(self.line_text(n) for n in range(out[0].first, out[0].last + 1))
        at = self.line(before)
        return (*out, Edit(self.document, at, at - 1, lines))


def as_call(code: Code, node: Node | None) -> Call | None:
    """The node as a call, where it is one."""
    if node is None:
        return None
    node = bare(node)
    if node.type not in _CALLS:
        return None
    if node.type == "call_expression" and node.child_by_field_name("function") is None:
        return _kotlin(code, node)
    name = name_node(node)
    function = node.child_by_field_name("function")
    receiver = next(
        (f for key in ("object", "receiver", "scope") if (f := node.child_by_field_name(key)) is not None),
        None,
    )
    if function is not None and function.type in MEMBERS:
        receiver = next(iter(function.named_children), None)
    return Call(_plain(name), receiver, _arguments(node), node, code)


def _half(node: Node) -> bool:
    """Whether this is the `f(x)` of Kotlin's `f(x) { … }`."""
    above = node.parent
    return bool(
        above is not None
        and node.type == above.type == "call_expression"
        and above.child_by_field_name("function") is None
        and above.named_children[0] == node
    )


def _plain(name: Node | None) -> str:
    """A name without its type arguments: `AddDbContext` of `AddDbContext<Shop>`."""
    if name is not None and name.type in ("generic_name", "generic_type") and name.named_children:
        name = name.named_children[0]
    return text(name).rpartition(".")[2].rpartition("\\")[2]


def _arguments(node: Node) -> tuple[Node, ...]:
    held = node.child_by_field_name("arguments")
    found = [bare(child) if child.type in WRAPS else child for child in held.named_children] if held else []
    block = node.child_by_field_name("block")
    return tuple(
        [child for child in found if child.type != "comment"] + ([block] if block is not None else [])
    )


def _kotlin(code: Code, node: Node) -> Call | None:
    """A call in Kotlin, whose grammar names no fields; `f(x) { … }` is a call of the call `f(x)`."""
    if not node.named_children:
        return None
    function, rest = node.named_children[0], node.named_children[1:]
    args: list[Node] = []
    for part in rest:
        args += (
            [bare(child) for child in part.named_children] if part.type == "value_arguments" else [bare(part)]
        )
    inner = as_call(code, function) if function.type == "call_expression" else None
    if inner is not None:
        return Call(inner.name, inner.receiver, (*inner.args, *args), node, code)
    if function.type == "navigation_expression":
        return Call(text(function.named_children[-1]), function.named_children[0], tuple(args), node, code)
    return Call(text(function), None, tuple(args), node, code)


__all__ = [
    "GRAMMARS",
    "Call",
    "Code",
    "as_call",
    "bare",
    "elements",
    "members",
    "name_node",
    "parse",
    "readable",
    "squeezed",
    "string",
    "text",
    "walk",
]
