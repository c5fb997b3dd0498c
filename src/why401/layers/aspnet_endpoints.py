"""The endpoints of ASP.NET Core: minimal APIs (`MapGet`) and controllers, and who may come to each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from why401.evidence import Request, Source
from why401.layers.applications import ant
from why401.layers.syntax import Call, Code, string, text, walk

if TYPE_CHECKING:
    from tree_sitter import Node

_MAPS: Final = {
    "MapGet": "GET",
    "MapPost": "POST",
    "MapPut": "PUT",
    "MapDelete": "DELETE",
    "MapPatch": "PATCH",
    "Map": "",
}
_HTTP: Final = {
    "HttpGet": "GET",
    "HttpPost": "POST",
    "HttpPut": "PUT",
    "HttpDelete": "DELETE",
    "HttpPatch": "PATCH",
}


@dataclass(frozen=True)
class Endpoint:
    """`open` is the place of AllowAnonymous, `guarded` that of RequireAuthorization or [Authorize]."""

    name: str
    method: str
    path: str | None  # None where it cannot be told
    source: Source
    guarded: Source | None
    open: Source | None
    roles: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ()  # those that [Authorize(AuthenticationSchemes = …)] names

    def fits(self, request: Request) -> bool:
        if self.path is None or (self.method and request.method and self.method != request.method):
            return False
        pattern = re.sub(r"\{(\w+)[^{}]*\}", r"{\1}", re.sub(r"\{\*+(\w+)[^{}]*\}", r"**", self.path))
        return bool(ant(pattern.rstrip("/").lower() or "/").match(request.path.rstrip("/").lower() or "/"))


def endpoints(codes: Iterable[Code]) -> Iterator[Endpoint]:
    for code in codes:
        yield from _minimal(code)
        for node in walk(code.root, "class_declaration"):
            yield from _controller(code, node)


def _minimal(code: Code) -> Iterator[Endpoint]:
    groups = {name: call for call in code.calls("MapGroup") if (name := _variable(call))}
    for call in code.all_calls:
        if call.name not in _MAPS or not call.args:
            continue
        group = groups.get(call.on)
        inner = next((c for c in call.chain() if c.name == "MapGroup"), group)
        prefix = (inner.string() if inner is not None else "") or ""
        links = [*_links(call), *(_links(inner) if inner is not None else ())]
        links += [
            c
            for c in code.calls("RequireAuthorization", "AllowAnonymous")
            if group is not None and c.on == call.on
        ]
        guarded = next((c.source for c in links if c.name == "RequireAuthorization"), None)
        opened = next((c.source for c in links if c.name == "AllowAnonymous"), None)
        path = call.string()
        whole = f"{prefix.rstrip('/')}/{path.lstrip('/')}" if path is not None else None
        yield Endpoint(
            whole or "", _MAPS[call.name], whole, call.source, guarded if opened is None else None, opened
        )


def _links(call: Call) -> Iterator[Call]:
    """The calls that are made on the result of a call."""
    from why401.layers.syntax import as_call

    at: Node | None = call.node.parent
    while at is not None and at.type in ("member_access_expression", "invocation_expression"):
        if at.type == "invocation_expression" and (made := as_call(call.code, at)) is not None:
            yield made
        at = at.parent


def _variable(call: Call) -> str:
    """The variable that is given the result of a chain of calls."""
    at: Node | None = call.node
    while at is not None and at.type in ("invocation_expression", "member_access_expression"):
        at = at.parent
    return (
        text(at.child_by_field_name("name") or at.named_children[0])
        if at is not None and at.type == "variable_declarator"
        else ""
    )


def _attributes(node: Node) -> dict[str, Node]:
    lists = (child for child in node.named_children if child.type == "attribute_list")
    found = (mark for held in lists for mark in held.named_children if mark.type == "attribute")
    return {
        text(mark.child_by_field_name("name")).rpartition(".")[2].removesuffix("Attribute"): mark
        for mark in found
    }


def _first(mark: Node | None) -> str | None:
    """The first argument of an attribute, where it is a string."""
    for arg in walk(mark, "attribute_argument") if mark is not None else ():
        return string(arg.named_children[-1]) if arg.named_child_count == 1 else None
    return None


def _named(mark: Node | None, name: str) -> tuple[str, ...]:
    """The words of a named argument of an attribute: `Roles = "A,B"`."""
    for arg in walk(mark, "attribute_argument") if mark is not None else ():
        if arg.named_child_count == 2 and text(arg.named_children[0]) == name:
            return tuple(
                word.strip()
                for word in (string(arg.named_children[1]) or text(arg.named_children[1])).split(",")
            )
    return ()


def _controller(code: Code, node: Node) -> Iterator[Endpoint]:
    own = _attributes(node)
    name = text(node.child_by_field_name("name"))
    base = (_first(own.get("Route")) or "").replace("[controller]", name.removesuffix("Controller"))
    for method in walk(node, "method_declaration"):
        marks = _attributes(method)
        verb = next((key for key in _HTTP if key in marks), None)
        if verb is None and "Route" not in marks:
            continue
        action = text(method.child_by_field_name("name"))
        part = (_first(marks.get(verb or "")) or _first(marks.get("Route")) or "").replace("[action]", action)
        path = part if part.startswith(("/", "~/")) else f"{base}/{part}"
        path = "/" + path.replace("[action]", action).lstrip("~/")
        mark = marks.get("Authorize") or own.get("Authorize")
        opened = marks.get("AllowAnonymous") or own.get("AllowAnonymous")
        yield Endpoint(
            action,
            _HTTP.get(verb or "", ""),
            path if base or part else None,
            code.source(method.child_by_field_name("name") or method),
            code.source(mark) if mark is not None and opened is None else None,
            code.source(opened) if opened is not None else None,
            _named(mark, "Roles"),
            _named(mark, "AuthenticationSchemes"),
        )
