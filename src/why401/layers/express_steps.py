"""One handler of an Express application: what it takes, demands and refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from why401.evidence import Answer, Demand, Request, Source
from why401.layers.express_packages import PACKAGES, Strategy, package_demands
from why401.layers.js_guards import Guard, guard_of, inner_function
from why401.layers.js_modules import Held, Module
from why401.layers.js_values import constant
from why401.layers.syntax import Call, as_call, bare, elements, string, text
from why401.secret import Secret

if TYPE_CHECKING:
    from tree_sitter import Node

_TOKENS: Final = r"(:\w+(?:\([^)]*\))?[?*+]?|\*\w*|\(\.\*\)|\{[^{}]*\})"


@dataclass(eq=False)
class Step:
    """One handler: `method` "" takes any; `ends` where it answers, as the last handler of a route does."""

    module: Module = field(repr=False)
    call: Call = field(repr=False)
    handler: Node = field(repr=False)
    method: str
    prefix: str
    path: str | None  # None any; a pattern that cannot be read is "?"
    ends: bool
    known: tuple[Strategy, ...] = field(default=(), repr=False)

    @property
    def full(self) -> str:
        return (self.prefix + (self.path or "")).replace("//", "/") or "/"

    @property
    def source(self) -> Source:
        return self.module.code.source(self.handler)

    @property
    def name(self) -> str:
        what = self.package or (self.guard.name if self.guard else "") or "handler"
        return f"{self.method.upper() or 'use'} {self.full}: {what}"

    def takes(self, request: Request) -> bool:
        if self.path == "?" or (self.method not in ("", "all", (request.method or "GET").lower())):
            return False
        path = request.path
        if self.exempt(path, request.method or "GET"):
            return False
        return bool(re.compile(_pattern(self.full, exact=bool(self.method))).match(path))

    @cached_property
    def made(self) -> Call | None:
        """The call that makes the handler (`cors()`), through `.unless()`."""
        call = as_call(self.module.code, self._held.node if self._held else self.handler)
        return as_call(call.code, call.receiver) if call is not None and call.name == "unless" else call

    @cached_property
    def _held(self) -> Held | None:
        return self.module.resolve(self.handler)

    @cached_property
    def home(self) -> Module:
        """The module in which the handler was made."""
        return self._held.module if self._held else self.module

    @cached_property
    def package(self) -> str:
        """The package whose handler this is, by its short name in PACKAGES; "" for the application's own."""
        call = self.made
        if call is None:
            return ""
        held = self.home.package(call.node.child_by_field_name("function"))
        if held is None:
            return ""
        return PACKAGES.get((held.origin, held.name), PACKAGES.get((held.origin, "*"), ""))

    @cached_property
    def guard(self) -> Guard | None:
        """The application's own function, also of a factory that makes it."""
        held = self._held
        call = as_call(held.module.code, held.node) if held is not None else None
        if held is not None and call is not None and not self.package:
            if call.name == "unless" or call.node.type == "new_expression":
                return None
            held = inner_function(held.module.resolve(call.node.child_by_field_name("function")))
        return guard_of(held, text(bare(self.handler)) if bare(self.handler).type == "identifier" else "")

    @property
    def says(self) -> bool:
        """Whether it demands or refuses anything."""
        return bool(list(self.demands("")) or (self.guard and self.guard.refusals))

    def demands(self, hop: str) -> Iterator[Demand]:
        if self.package and self.made is not None:
            yield from package_demands(self.package, self.made, self.home, self.known, hop)
        elif self.guard is not None and self.guard.refusals:
            yield from self.guard.demands(hop)

    def answers(self, request: Request, hop: str) -> tuple[Answer, ...]:
        return self.guard.answers(request, hop) if self.guard is not None and not self.package else ()

    @cached_property
    def keys(self) -> Mapping[Source, Secret]:
        """The keys whose values are known, by the place where they are used."""
        found: dict[Source, Secret] = {}
        for one in self.guard.verified if self.guard else ():
            if one.key is not None and one.key.text:
                found[one.call.source] = Secret(one.key.text)
        if self.package and self.made is not None:
            for demand in package_demands(self.package, self.made, self.home, self.known, ""):
                option = next((o for o in _key_options(self) if o[0] == demand.source), None)
                if demand.respect == "keys" and option is not None:
                    found[demand.source] = option[1]
        return found

    @cached_property
    def exemptions(self) -> list[str]:
        """The paths that `.unless({ path: […] })` of the handler leaves out, as written (express-unless)."""
        call = as_call(self.home.code, self._held.node if self._held else self.handler)
        if call is None or call.name != "unless" or not call.args:
            return []
        from why401.layers.syntax import members

        node = members(call.args[0]).get("path")
        items = (elements(node) or [node]) if node is not None else []
        found = [(string(item), item) for item in items]
        return [value if value is not None else _unless_item(item) for value, item in found]

    def exempt(self, path: str, method: str) -> bool:
        if (
            method == "OPTIONS"
            and self.guard is not None
            and re.search(r"OPTIONS[\"']\)?\)?\{?return", self.guard.reads)
        ):
            return True
        for one in self.exemptions:
            if one == path:
                return True
            if (
                one.startswith("/") and one.count("/") >= 2 and one.endswith("/") and "\\" in one
            ) or one.startswith("/^"):
                try:
                    if re.search(one.strip("/").replace("\\/", "/"), path):
                        return True
                except re.error:
                    return True
        return False


def _unless_item(node: Node) -> str:
    from why401.layers.syntax import members

    url = members(node).get("url") if node.type == "object" else None
    return string(url) or text(url or node)


def _key_options(step: Step) -> Iterator[tuple[Source, Secret]]:
    from why401.layers.express_packages import key_nodes

    for home, node, source in key_nodes(step.package, step.made, step.home, step.known):
        value = constant(home, node)
        if value is not None and value.text:
            yield source, Secret(value.text)


def _pattern(path: str, *, exact: bool) -> str:
    """An Express path (4 and 5) as a regular expression; a mounted one takes all below it."""
    found = ""
    for part in re.split(_TOKENS, path.rstrip("/")):
        if part.startswith(":"):
            found += "[^/]+" if not part.endswith("?") else "[^/]*"
        elif part.startswith(("*", "(.*")) or part.startswith("{"):
            found += ".*"
        else:
            found += re.escape(part)
    return found + (r"/?\Z" if exact else r"(?:/|\Z)")
