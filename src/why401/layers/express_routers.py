"""The handlers of an Express application in order, routers flattened into the place where they are mounted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from why401.layers.express_packages import Strategy, strategies
from why401.layers.express_steps import Step
from why401.layers.js_modules import Held, Module
from why401.layers.js_values import constant
from why401.layers.syntax import Call, as_call, bare, elements, squeezed, text

if TYPE_CHECKING:
    from tree_sitter import Node

METHODS: Final = ("get", "post", "put", "patch", "delete", "options", "head", "all")


def steps_of(module: Module, variable: str, prefix: str = "", depth: int = 0) -> Iterator[Step]:
    """The handlers that are given to an application or router (the variable that holds it), in order."""
    known = tuple(strategies(module))
    for call in module.code.all_calls if depth < 6 else ():
        method, path, owner = _verb(call)
        if method is None or owner != variable:
            continue
        args = list(call.args)
        paths: list[str | None] = [None]
        if path is not None:
            paths = [path]
        elif args and (found := _paths(module, args[0])) is not None:
            paths, args = list(found), args[1:]
        elif args and bare(args[0]).type == "regex":
            paths, args = ["?"], args[1:]
        handlers = [item for arg in args for item in (elements(arg) or [bare(arg)])]
        for one in paths:
            for at, handler in enumerate(handlers):
                yield from _handled(
                    module,
                    call,
                    handler,
                    method,
                    prefix,
                    one,
                    method != "" and at == len(handlers) - 1,
                    known,
                    depth,
                )


def _handled(
    module: Module,
    call: Call,
    handler: Node,
    method: str,
    prefix: str,
    path: str | None,
    ends: bool,
    known: tuple[Strategy, ...],
    depth: int,
) -> Iterator[Step]:
    inner = _router(module, handler)
    if inner is not None and path != "?":
        yield from steps_of(*inner, prefix=(prefix + (path or "")).rstrip("/"), depth=depth + 1)
    elif inner is None:
        yield Step(module, call, handler, method, prefix, path, ends, known)


def _verb(call: Call) -> tuple[str | None, str | None, str]:
    """Method, path where a `route()` names it, and the variable; method None for what mounts no handler."""
    if call.name not in ("use", *METHODS):
        return None, None, ""
    if call.name == "get" and len(call.args) < 2 and not call.on.endswith(")"):
        return None, None, ""  # app.get("setting")
    method = "" if call.name == "use" else call.name
    for link in call.chain():
        if link.name == "route" and link is not call:
            return method, link.string() or "?", link.on
    owner = list(call.chain())[-1].on
    return method, None, owner


def _paths(module: Module, node: Node) -> list[str] | None:
    items = elements(node) or [node]
    found = [constant(module, item) for item in items]
    texts = [c.text for c in found if c is not None and c.text is not None]
    return (
        texts
        if texts and len(texts) == len(items) and all(t.startswith(("/", "*", "{")) for t in texts)
        else None
    )


def _router(module: Module, handler: Node) -> tuple[Module, str] | None:
    """The module and variable of a router that is mounted."""
    node = bare(handler)
    call = as_call(module.code, node)
    if call is not None and call.name == "require":
        other = module.near(call.string() or "")
        return _router_exported(other, "") if other is not None else None
    if node.type not in ("identifier", "member_expression"):
        return None
    held = module.resolve(node)
    if held is not None and _makes_router(held):
        above = held.node.parent
        name = above.child_by_field_name("name") if above is not None else None
        return (held.module, text(name)) if name is not None else None
    return None


def _router_exported(module: Module, name: str) -> tuple[Module, str] | None:
    held = module.exported(name)
    above = held.node.parent if held is not None and _makes_router(held) else None
    named = above.child_by_field_name("name") if above is not None else None
    return (held.module, text(named)) if held is not None and named is not None else None


def _makes_router(held: Held) -> bool:
    return bool(
        re.match(r"(?:express\.|require\([\"']express[\"']\)\.)?(?:Router|express)\(", squeezed(held.node))
    )
