"""Modules of JavaScript and TypeScript: what a name stands for, through variables, imports and exports."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from why401.layers.syntax import Code, as_call, bare, members, parse, readable, squeezed, string, text, walk
from why401.layers.tree import Document, Tree

if TYPE_CHECKING:
    from tree_sitter import Node

SUFFIXES: Final = (".js", ".mjs", ".cjs", ".ts", ".mts", ".tsx", ".jsx")
FUNCTIONS: Final = (
    "function_declaration",
    "function_expression",
    "arrow_function",
    "method_definition",
    "generator_function_declaration",
)
DEEPEST: Final = 8


@dataclass(frozen=True)
class Held:
    """A node in its module: what a name was resolved to."""

    module: Module = field(repr=False)
    node: Node


@dataclass(frozen=True)
class Imported:
    """What a name was imported from: the module as written (`express-jwt`, `./auth.js`) and the exported name."""

    origin: str
    name: str  # "" the default export, or the whole module


@dataclass(eq=False)
class Module:
    """One file; `environment` holds the variables of a .env file beside it."""

    code: Code
    tree: Tree = field(repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    @cached_property
    def _declared(self) -> dict[str, list[Node]]:
        found: dict[str, list[Node]] = {}
        for node in walk(self.code.root, "variable_declarator", "function_declaration", "class_declaration"):
            name = node.child_by_field_name("name")
            if name is not None and "pattern" not in name.type:
                found.setdefault(text(name), []).append(node)
        return found

    @cached_property
    def imports(self) -> dict[str, Imported]:
        """The names of the file that come from elsewhere."""
        found: dict[str, Imported] = {}
        for node in walk(self.code.root, "import_statement", "variable_declarator"):
            for name, held in _import(node) if node.type == "import_statement" else _require(self.code, node):
                found[name] = held
        return found

    def package(self, node: Node | None) -> Imported | None:
        """The package's export that an expression names: `jwt`, `jwt.verify`, `passport.authenticate`."""
        if node is None:
            return None
        node = bare(node)
        if node.type == "identifier":
            return self.imports.get(text(node))
        if node.type == "member_expression":
            held = self.package(node.child_by_field_name("object"))
            name = text(node.child_by_field_name("property"))
            return Imported(held.origin, f"{held.name}.{name}".strip(".")) if held else None
        call = as_call(self.code, node)
        if call is not None and call.name == "require" and call.string():
            return Imported(call.string() or "", "")
        return None

    def resolve(self, node: Node | None, depth: int = 0) -> Held | None:
        """What an expression stands for: a variable's value, a function, an imported export; itself otherwise."""
        if node is None or depth > DEEPEST:
            return None
        node = bare(node)
        if node.type in ("identifier", "shorthand_property_identifier"):
            return self._named(text(node), node, depth)
        if node.type == "member_expression":
            owner = node.child_by_field_name("object")
            name = text(node.child_by_field_name("property"))
            held = self.imports.get(text(owner))
            if held is not None and held.origin.startswith("."):
                return self._exported(held.origin, name, depth)
            inside = (
                self.resolve(owner, depth + 1) if owner is not None and owner.type == "identifier" else None
            )
            value = (
                members(inside.node).get(name)
                if inside is not None and inside.node.type == "object"
                else None
            )
            return (
                inside.module.resolve(value, depth + 1) if inside is not None and value is not None else None
            )
        return Held(self, node)

    def _named(self, name: str, node: Node, depth: int) -> Held | None:
        declared = [d for d in self._declared.get(name, ()) if _visible(d, node)]
        if declared:
            last = declared[-1]
            value = last.child_by_field_name("value") if last.type == "variable_declarator" else last
            call = as_call(self.code, value)
            if not (call is not None and call.name == "require"):
                return (
                    self.resolve(value, depth + 1)
                    if value is not None and value is not last
                    else Held(self, last)
                )
        held = self.imports.get(name)
        return self._exported(held.origin, held.name, depth) if held and held.origin.startswith(".") else None

    def local(self, node: Node) -> tuple[Node, Node] | None:
        """The declaration that gives a name its value: the name or pattern, and the value."""
        wanted, found = text(node), None
        for declared in self._patterns.get(wanted, ()):
            if _visible(declared, node) and declared.start_byte < node.start_byte:
                found = declared
        value = found.child_by_field_name("value") if found is not None else None
        name = found.child_by_field_name("name") if found is not None else None
        return (name, value) if name is not None and value is not None else None

    @cached_property
    def _patterns(self) -> dict[str, list[Node]]:
        found: dict[str, list[Node]] = {}
        for node in walk(self.code.root, "variable_declarator"):
            name = node.child_by_field_name("name")
            if name is not None:
                for inner in walk(name, "identifier", "shorthand_property_identifier_pattern"):
                    found.setdefault(text(inner), []).append(node)
        return found

    def _exported(self, origin: str, name: str, depth: int) -> Held | None:
        module = self.near(origin)
        return module.exported(name, depth + 1) if module is not None else None

    def exported(self, name: str, depth: int = 0) -> Held | None:
        """What the module exports by a name; "" is the default, or what `module.exports` is set to."""
        for node in walk(self.code.root, "assignment_expression", "export_statement"):
            if node.type == "assignment_expression":
                left, right = squeezed(node.child_by_field_name("left")), node.child_by_field_name("right")
                if left == "module.exports" and not name:
                    return self.resolve(right, depth + 1)
                if left == "module.exports" and right is not None and name in members(right):
                    return self.resolve(members(right)[name], depth + 1)
                if left in (f"exports.{name}", f"module.exports.{name}"):
                    return self.resolve(right, depth + 1)
            elif not name and "default" in [child.type for child in node.children]:
                value = node.child_by_field_name("value") or node.child_by_field_name("declaration")
                return self.resolve(value, depth + 1)
        declared = self._declared.get(name)
        return self._named(name, self.code.root, depth + 1) if declared and name else None

    def near(self, origin: str) -> Module | None:
        """The module that a relative import names, among the given files."""
        place = posixpath.normpath(posixpath.join(posixpath.dirname(self.code.document.name), origin))
        stem = place.removesuffix(".js")
        names = [place, *(stem + s for s in SUFFIXES), *(f"{place}/index{s}" for s in SUFFIXES)]
        for name in names:
            document = self.tree.given.get(name)
            if document is not None and readable(document, *SUFFIXES):
                return module(document, self.tree, self.environment)
        return None


def module(document: Document, tree: Tree, environment: Mapping[str, str]) -> Module:
    """The module of a file of this tree, read once."""
    held: dict[str, Module] = tree.__dict__.setdefault("js_modules", {})
    if document.name not in held:
        held[document.name] = Module(parse(document), tree, environment)
    return held[document.name]


def _visible(declared: Node, at: Node) -> bool:
    """Whether a declaration can be seen from a place: it stands in a function or block around it."""
    above = declared.parent
    while above is not None and above.type not in (*FUNCTIONS, "statement_block"):
        above = above.parent
    return above is None or (above.start_byte <= at.start_byte and at.end_byte <= above.end_byte)


def _import(node: Node) -> Iterator[tuple[str, Imported]]:
    origin = string(node.child_by_field_name("source")) or ""
    for part in walk(node, "import_clause", "import_specifier", "namespace_import"):
        if part.type == "import_specifier":
            name = text(part.child_by_field_name("name"))
            yield (
                text(part.child_by_field_name("alias")) or name,
                Imported(origin, "" if name == "default" else name),
            )
        else:
            for child in part.named_children:
                if child.type == "identifier":
                    yield text(child), Imported(origin, "")


def _require(code: Code, node: Node) -> Iterator[tuple[str, Imported]]:
    """Names of `const x = require("y")`, `const { a, b: c } = require("y")` and `require("y").a`."""
    value, name, inner = node.child_by_field_name("value"), node.child_by_field_name("name"), ""
    if value is None or name is None:
        return
    if value.type == "await_expression" and value.named_children:
        value = value.named_children[0]
    if value.type == "member_expression":
        inner = text(value.child_by_field_name("property"))
        value = value.child_by_field_name("object")
    call = as_call(code, value)
    if call is None or call.name not in ("require", "import") or not call.string():
        return
    origin = call.string() or ""
    if name.type == "identifier":
        yield text(name), Imported(origin, inner)
    elif name.type == "object_pattern":
        for part in name.named_children:
            if part.type == "shorthand_property_identifier_pattern":
                yield text(part), Imported(origin, text(part))
            elif part.type == "pair_pattern":
                yield (
                    text(part.child_by_field_name("value")),
                    Imported(origin, text(part.child_by_field_name("key"))),
                )
