"""Nodes of tree-sitter's trees: text, constants, lists and keyed values, alike in all languages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tree_sitter import Node

MEMBERS: Final = frozenset({"member_expression", "member_access_expression", "navigation_expression"})
_MEMBERS_NAME: Final = ("property", "name", "field")
_STRINGS: Final = frozenset(
    {
        "string",
        "string_literal",
        "template_string",
        "simple_symbol",
        "encapsed_string",
        "verbatim_string_literal",
    }
    | {"raw_string_literal"}
)
_CONTENTS: Final = frozenset(
    {"string_fragment", "string_content", "string_literal_content", "escape_sequence", "raw_string_content"}
)
#: Nodes that wrap one argument.
WRAPS: Final = frozenset(
    {"argument", "value_argument", "parenthesized_expression", "annotated_lambda", "as_expression"}
)


def walk(node: Node, *types: str) -> Iterator[Node]:
    """The nodes below (and with) this one that are of these types, in the order of the text."""
    wanted = frozenset(types)
    left = [node]
    while left:
        at = left.pop()
        if at.type in wanted and at.is_named:
            yield at
        left += reversed(at.named_children)


def text(node: Node | None) -> str:
    return node.text.decode("utf-8", "replace") if node is not None and node.text else ""


def squeezed(node: Node | None) -> str:
    """The node's text without white space, to compare by."""
    return "".join(text(node).split())


def bare(node: Node) -> Node:
    """The node without what only wraps it: an argument's own node, brackets, a cast."""
    while node.type in WRAPS and node.named_children:
        node = node.named_children[-1] if node.type != "as_expression" else node.named_children[0]
    return node


def string(node: Node | None) -> str | None:
    """The value of a constant string; None for anything else, and where something is put into it."""
    if node is None:
        return None
    node = bare(node)
    if node.type not in _STRINGS:
        return None
    if node.type == "simple_symbol":
        return text(node).lstrip(":")
    if node.type == "raw_string_literal" and not node.named_children:
        return text(node).strip('"')
    if node.type == "verbatim_string_literal":
        return text(node)[2:-1]
    if any(child.type not in _CONTENTS for child in node.named_children):
        return None
    return "".join(text(child) for child in node.named_children)


def elements(node: Node) -> list[Node] | None:
    """The members of a list that is written out; None for anything else."""
    node = bare(node)
    kinds = ("array", "array_creation_expression", "collection_expression", "array_initializer")
    if node.type not in (*kinds, "implicit_array_creation_expression"):
        return None
    inner = ("initializer_expression", "array_initializer")
    node = next((child for child in node.named_children if child.type in inner), node)
    found = [child for child in node.named_children if child.type != "comment"]
    return [c.named_children[-1] if c.type == "array_element_initializer" else bare(c) for c in found]


def members(node: Node | None) -> dict[str, Node]:
    """Names and values of an object, hash or keyed array that is written out; {} for anything else."""
    found: dict[str, Node] = {}
    for pair in bare(node).named_children if node is not None else ():
        if pair.type == "method_definition" and (name := pair.child_by_field_name("name")):
            found[text(name)] = pair
        elif pair.type == "shorthand_property_identifier":
            found[text(pair)] = pair
        elif pair.type in ("pair", "array_element_initializer") and pair.named_child_count >= 2:
            key, value = pair.named_children[0], pair.named_children[-1]
            found[string(key) or text(key).strip(":\"'")] = value
    return found


def name_node(node: Node) -> Node | None:
    """The node of a call's name."""
    for name in ("function", "constructor", "name", "method", "type"):
        found = node.child_by_field_name(name)
        if found is not None:
            break
    else:
        found = next(iter(node.named_children), None)
    if found is not None and found.type in MEMBERS:
        for name in _MEMBERS_NAME:
            if (inner := found.child_by_field_name(name)) is not None:
                return inner
        return found.named_children[-1]
    return found
