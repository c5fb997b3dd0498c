"""Under which conditions a place in a function of JavaScript is reached."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from why401.layers.syntax import text

if TYPE_CHECKING:
    from tree_sitter import Node


def conditions(node: Node, top: Node) -> Iterator[tuple[Node, bool]]:
    """What has to hold for a place to be reached: the `if`s around it, and those before it that leave."""
    at = node
    while at.parent is not None and at != top:
        above = at.parent
        if above.type in ("if_statement", "ternary_expression"):
            condition = above.child_by_field_name("condition")
            if condition is not None and at != condition:
                yield condition, at == above.child_by_field_name("consequence")
        elif above.type == "statement_block":
            for child in above.named_children:
                if child.start_byte >= at.start_byte:
                    break
                condition = child.child_by_field_name("condition") if child.type == "if_statement" else None
                if condition is not None and _leaves(child.child_by_field_name("consequence")):
                    yield condition, False
        at = above


def _leaves(node: Node | None) -> bool:
    """Whether a branch ends the function."""
    if node is None:
        return False
    last = node.named_children[-1] if node.type == "statement_block" and node.named_children else node
    return last.type in ("return_statement", "throw_statement")


def caught(node: Node, top: Node) -> bool:
    """Whether the place is in a `catch`, or asks for the error that a callback is handed."""
    at = node
    while at.parent is not None and at != top:
        if at.type == "catch_clause":
            return True
        if at.type == "if_statement" and text(at.child_by_field_name("condition")).strip("()") in (
            "err",
            "error",
            "e",
        ):
            return True
        at = at.parent
    return False
