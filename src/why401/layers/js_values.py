"""Expressions of JavaScript worked out for one request, as far as they can be: three-valued, nothing is run.

What cannot be told is `UNKNOWN`; `None` stands for JavaScript's undefined and null.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from why401.evidence import Request
from why401.layers.js_modules import Module
from why401.layers.syntax import Call, as_call, bare, squeezed, string, text
from why401.prefilter import lazy

if TYPE_CHECKING:
    from tree_sitter import Node

REQUESTS: Final = frozenset({"req", "request", "ctx", "context", "c"})
_HEADER = lazy(r"(?:\w+\.)?(?:req|request|ctx|context)\??\.headers\??(?:\.(\w+)|\[[\"']([\w-]+)[\"']\])")
_COOKIE = lazy(r"(?:req|request)\??\.cookies\??(?:\.(\w+)|\[[\"']([\w-]+)[\"']\])")


class Unknown:
    """A value that cannot be told."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True)
class Constant:
    """A value fixed before any request: its text where known, and a name for what it is (`env:JWT_SECRET`)."""

    text: str | None
    name: str


def constant(module: Module, node: Node | None, depth: int = 0) -> Constant | None:
    """The constant that an expression is: a string, `process.env.X` with or without default, a setting."""
    if node is None or depth > 8:
        return None
    node = bare(node)
    value = string(node)
    if value is not None:
        return Constant(value, "text")
    written = squeezed(node)
    if written.startswith("process.env.") and written[12:].isidentifier():
        return Constant(module.environment.get(written[12:]), f"env:{written[12:]}")
    if node.type == "non_null_expression":
        return constant(module, node.named_children[0], depth + 1)
    if node.type == "binary_expression" and text(node.child_by_field_name("operator")) in ("||", "??"):
        first = constant(module, node.child_by_field_name("left"), depth + 1)
        if first is not None and first.text is not None:
            return first
        other = constant(module, node.child_by_field_name("right"), depth + 1)
        return Constant(other.text, first.name) if first is not None and other is not None else first
    held = module.resolve(node)
    if held is not None and held.node != node:
        return constant(held.module, held.node, depth + 1)
    return None


def field_of(node: Node) -> str | None:
    """The name, as written, of the request's field that an expression reads."""
    match = _HEADER.fullmatch(squeezed(node))
    if match:
        return str(match[1] or match[2])
    if node.type == "call_expression":
        name = node.child_by_field_name("function")
        prop = text(name.child_by_field_name("property")) if name is not None else ""
        args = node.child_by_field_name("arguments")
        if prop in ("get", "header") and args is not None and args.named_children:
            owner = squeezed(name.child_by_field_name("object")) if name is not None else ""
            if owner in REQUESTS or owner.endswith((".headers", ".req")):
                return string(args.named_children[0])
    return None


def cookie_of(node: Node) -> str | None:
    """The name of the cookie that an expression reads."""
    match = _COOKIE.fullmatch(squeezed(node))
    return str(match[1] or match[2]) if match else None


class Reader:
    """Works expressions of one module out for one request."""

    def __init__(self, module: Module, request: Request) -> None:
        self.module, self.request = module, request

    def field(self, name: str, *, exact: bool) -> Any:
        """A field's value. `req.headers` has lower-case names alone (Node.js, http.IncomingMessage)."""
        if exact and name != name.lower():
            return None
        value = self.request.fields.get(name)
        return value if value is not None else (None if self.request.complete else UNKNOWN)

    def value(self, node: Node | None, depth: int = 0) -> Any:
        """The value of an expression: str, bool, list, None (undefined) or UNKNOWN."""
        if node is None or depth > 14:
            return UNKNOWN
        node = bare(node)
        name = field_of(node)
        if name is not None:
            return self.field(name, exact=node.type != "call_expression")
        known = string(node)
        if known is not None:
            return known
        work = getattr(self, f"_{node.type}", None)
        return work(node, depth + 1) if work is not None else UNKNOWN

    def _null(self, _node: Node, _depth: int) -> Any:
        return None

    _undefined = _null

    def _true(self, _node: Node, _depth: int) -> Any:
        return True

    def _false(self, _node: Node, _depth: int) -> Any:
        return False

    def _identifier(self, node: Node, depth: int) -> Any:
        declared = self.module.local(node)
        if declared is None:
            return UNKNOWN
        name, value = declared
        if name.type == "array_pattern":
            at = [text(child) for child in name.named_children].index(text(node))
            return _member(self.value(value, depth), at)
        if name.type == "object_pattern" and squeezed(value).endswith(".headers"):
            return self.field(text(node), exact=True)
        return self.value(value, depth) if name.type == "identifier" else UNKNOWN

    def _unary_expression(self, node: Node, depth: int) -> Any:
        if text(node.child_by_field_name("operator")) != "!":
            return UNKNOWN
        held = self.value(node.child_by_field_name("argument"), depth)
        return UNKNOWN if held is UNKNOWN else not held

    def _binary_expression(self, node: Node, depth: int) -> Any:
        sign = text(node.child_by_field_name("operator"))
        left = self.value(node.child_by_field_name("left"), depth)
        if sign in ("||", "&&", "??"):
            right = self.value(node.child_by_field_name("right"), depth)
            return _joined(sign, left, right)
        right = self.value(node.child_by_field_name("right"), depth)
        if UNKNOWN in (left, right) or sign not in ("===", "!==", "==", "!="):
            return UNKNOWN
        return (left == right) is (sign[0] == "=")

    def _ternary_expression(self, node: Node, depth: int) -> Any:
        held = self.value(node.child_by_field_name("condition"), depth)
        if held is UNKNOWN:
            return UNKNOWN
        return self.value(node.child_by_field_name("consequence" if held else "alternative"), depth)

    def _member_expression(self, node: Node, _depth: int) -> Any:
        owner, prop = squeezed(node.child_by_field_name("object")), text(node.child_by_field_name("property"))
        if owner in REQUESTS and prop in ("method", "path"):
            return getattr(self.request, prop) or UNKNOWN
        cookie = cookie_of(node)
        if cookie is not None:
            return None if self.request.complete and "Cookie" not in self.request.fields else UNKNOWN
        return UNKNOWN

    def _subscript_expression(self, node: Node, depth: int) -> Any:
        index = text(node.child_by_field_name("index"))
        owner = self.value(node.child_by_field_name("object"), depth)
        return _member(owner, int(index)) if index.isdigit() else UNKNOWN

    def _call_expression(self, node: Node, depth: int) -> Any:
        call = as_call(self.module.code, node)
        owner = (
            self.value(call.receiver, depth) if call is not None and call.receiver is not None else UNKNOWN
        )
        if call is None or owner is UNKNOWN or owner is None:
            return None if owner is None and "?." in text(node) else UNKNOWN
        return _called(
            call,
            owner,
            [self.value(arg, depth) for arg in call.args],
            text(call.args[0]) if call.args else "",
        )


def _joined(sign: str, left: Any, right: Any) -> Any:
    if sign == "??":
        return UNKNOWN if left is UNKNOWN else (right if left is None else left)
    wanted = sign == "||"  # the value at which the left side decides
    if left is not UNKNOWN:
        return left if bool(left) is wanted else right
    return right if right is not UNKNOWN and bool(right) is wanted and right is wanted else UNKNOWN


def _member(owner: Any, at: int) -> Any:
    if not isinstance(owner, list):
        return UNKNOWN
    return owner[at] if at < len(owner) else None


def _called(call: Call, owner: Any, args: list[Any], written: str) -> Any:
    """The value of a method of a string."""
    if not isinstance(owner, str):
        return UNKNOWN
    first = args[0] if args else None
    if call.name in ("slice", "substring", "substr") and len(args) == 1 and written.isdigit():
        return owner[int(written) :]
    if call.name in ("trim", "toLowerCase", "toUpperCase", "toString"):
        return {
            "trim": owner.strip,
            "toLowerCase": owner.lower,
            "toUpperCase": owner.upper,
            "toString": owner.__str__,
        }[call.name]()
    if not isinstance(first, str):
        return UNKNOWN
    if call.name == "split":
        return owner.split(first) if first else UNKNOWN
    if call.name in ("startsWith", "includes"):
        return owner.startswith(first) if call.name == "startsWith" else first in owner
    if call.name == "replace" and len(args) == 2 and isinstance(args[1], str):
        return owner.replace(first, args[1], 1)
    return UNKNOWN


__all__ = ["UNKNOWN", "Constant", "Reader", "constant", "cookie_of", "field_of"]
