"""Laravel's routes in the order in which they are registered, with the middleware of the groups around them.

`Route::middleware('auth:sanctum')->prefix('v1')->group(function () { … })` and `Route::group([...], function …)` hold
for all routes within. Source: laravel.com/docs, "Routing" (Route Groups, Resource Controllers), "Middleware".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from why401.layers.syntax import Call, Code, bare, members, string

if TYPE_CHECKING:
    from tree_sitter import Node

VERBS = {"get": ("GET", "HEAD"), "post": ("POST",), "put": ("PUT",), "patch": ("PATCH",), "delete": ("DELETE",),
         "options": ("OPTIONS",), "any": (), "match": (), "view": ("GET", "HEAD"), "redirect": ()}  # fmt: skip
_RESOURCES = ("resource", "apiResource", "singleton", "apiSingleton")


@dataclass(frozen=True)
class Given:
    """One middleware as it is named (`auth:sanctum`), and the call that names it."""

    name: str
    call: Call


@dataclass(frozen=True)
class Registered:
    """One route: `methods` empty for all; `path` with `{…}` for parameters."""

    path: str
    methods: tuple[str, ...]
    middleware: tuple[Given, ...]
    call: Call
    group: str  # "api", "web", or "" for other files

    def fits(self, method: str, path: str) -> bool:
        pattern = re.sub(r"/?\\\{\w+\\\?\\\}", r"(?:/[^/]+)?", re.escape("/" + self.path.strip("/")))
        pattern = re.sub(r"\\\{\w+(?::\w+)?\\\}", r"[^/]+", pattern)
        below = r"(?:/[^/]+)*" if self.call.name in _RESOURCES else ""
        fits = re.fullmatch(pattern + below + "/?", path.partition("?")[0]) is not None
        return fits and (not self.methods or method in self.methods)


def routes(code: Code, group: str, prefix: str, base: tuple[Given, ...] = ()) -> Iterator[Registered]:
    """The routes of one file; `prefix` and `base` are what the framework puts around the file."""
    for call in code.calls(*VERBS, *_RESOURCES):
        if call.on.lstrip("\\") != "Route" and not _of_route(call):
            continue
        path = call.string(1 if call.name == "match" else 0)
        if path is None:
            continue
        parts, middleware = [prefix], [*base]
        for around in _around(code, call):
            parts += _prefixes(around)
            middleware = _with(middleware, around)
        for link in _links(code, call):
            parts += _prefixes(link)
            middleware = _with(middleware, link)
        whole = "/".join(part.strip("/") for part in [*parts, path] if part.strip("/"))
        yield Registered(whole, VERBS.get(call.name, ()), tuple(middleware), call, group)


def _of_route(call: Call) -> bool:
    return [link.on.lstrip("\\") for link in call.chain()][-1:] == ["Route"]


def _around(code: Code, call: Call) -> list[Call]:
    """The calls whose groups hold this one, outermost first, each with the links of its chain."""
    groups = [c for c in code.calls("group") if _within(call.node, c)]
    return [link for outer in groups for link in reversed(list(outer.chain()))]


def _within(node: Node, outer: Call) -> bool:
    body = outer.args[-1] if outer.args else None
    return body is not None and body.start_byte <= node.start_byte and node.end_byte <= body.end_byte


def _links(code: Code, call: Call) -> list[Call]:
    """The calls before this one in its chain, then those after it."""
    before = list(call.chain())[:0:-1]
    after = [
        c for c in code.all_calls
        if c.node.start_byte == _start(call) and c.node.end_byte > call.node.end_byte and _holds(c, call)
    ]  # fmt: skip
    return [*before, *reversed(after)]


def _start(call: Call) -> int:
    return list(call.chain())[-1].node.start_byte


def _holds(outer: Call, inner: Call) -> bool:
    return any(link.node == inner.node for link in outer.chain())


def _prefixes(call: Call) -> list[str]:
    if call.name == "prefix":
        return [call.string() or ""]
    if call.name == "group" and len(call.args) > 1:
        return [string(members(call.args[0]).get("prefix")) or ""]
    return []


def _with(held: list[Given], call: Call) -> list[Given]:
    """The middleware after one more link of a chain."""
    if call.name == "middleware":
        return [*held, *(Given(name, call) for name in call.strings())]
    if call.name == "withoutMiddleware":
        gone = set(call.strings())
        return [one for one in held if one.name not in gone]
    if call.name == "group" and len(call.args) > 1:
        value = members(call.args[0]).get("middleware")
        names = _strings(value) if value is not None else []
        return [*held, *(Given(name, call) for name in names)]
    return held


def _strings(node: Node) -> list[str]:
    node = bare(node)
    found = [string(node)] if string(node) is not None else [string(child) for child in node.named_children]
    nested = [string(bare(child)) for child in node.named_children]
    return [value for value in (found if any(found) else nested) if value is not None]
