"""Rails' controllers: which callbacks an action runs through, and what those ask for.

A controller runs the callbacks of its ancestors first; `skip_before_action` takes one out again. Source: Rails API,
`AbstractController::Callbacks`, `ActionController::HttpAuthentication`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from why401.layers.rails_routes import names, options
from why401.layers.syntax import Call, Code, parse, string, text, walk
from why401.layers.tree import Document
from why401.prefilter import lazy

if TYPE_CHECKING:
    from tree_sitter import Node

BEFORE = ("before_action", "prepend_before_action", "append_before_action", "before_filter")
#: Devise's helper: authenticate_user!, authenticate_admin!
DEVISE = lazy(r"^authenticate_(\w+)!$")
#: Calls within a callback → the schemes that they read (Rails reads Token and Bearer alike).
HTTP = {
    "authenticate_or_request_with_http_basic": ("Basic",),
    "authenticate_with_http_basic": ("Basic",),
    "authenticate_or_request_with_http_token": ("Token", "Bearer"),
    "authenticate_with_http_token": ("Token", "Bearer"),
    "authenticate_or_request_with_http_digest": ("Digest",),
}
_FIELD = lazy(r"(?:request|req)\.(?:headers|env)\[\s*['\"]([\w-]+)['\"]\s*\]")


@dataclass(frozen=True)
class Callback:
    """One callback: its name ("" for a block), the actions it is for, and the call that registers it."""

    name: str
    only: tuple[str, ...]
    without: tuple[str, ...]
    call: Call
    conditional: bool

    def covers(self, action: str) -> bool:
        return (not self.only or action in self.only) and action not in self.without


@dataclass(frozen=True)
class Controller:
    """One class: its name (`Api::V1::OrdersController`), that of its parent, and its body."""

    name: str
    parent: str
    code: Code
    node: Node
    methods: Mapping[str, Node] = field(default_factory=dict, repr=False)

    @property
    def path(self) -> str:
        """As routes name it: api/v1/orders."""
        parts = self.name.removesuffix("Controller").split("::")
        return "/".join(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", part).lower() for part in parts)

    def calls(self, *wanted: str) -> list[Call]:
        """The calls that stand directly in the class."""
        return [c for c in self.code.calls(*wanted, within=self.node) if not _in_method(c.node, self.node)]

    def bare(self, *wanted: str) -> list[Node]:
        """The calls without arguments that stand directly in the class: in Ruby these look like variables."""
        body = self.node.child_by_field_name("body")
        return [n for n in (body.named_children if body is not None else ()) if text(n) in wanted]


def _in_method(node: Node, top: Node) -> bool:
    above = node.parent
    while above is not None and above != top:
        if above.type in ("method", "singleton_method"):
            return True
        above = above.parent
    return False


def controllers(document: Document) -> Iterator[Controller]:
    """The classes of a file, with the modules around them in their names."""
    code = parse(document)
    for node in walk(code.root, "class"):
        name, parent = text(node.child_by_field_name("name")), node.child_by_field_name("superclass")
        above = node.parent
        while above is not None:
            if above.type in ("module", "class"):
                name = f"{text(above.child_by_field_name('name'))}::{name}"
            above = above.parent
        methods = {text(m.child_by_field_name("name")): m for m in walk(node, "method")}
        yield Controller(
            name, text(parent).lstrip("< ").strip() if parent is not None else "", code, node, methods
        )


@dataclass
class Controllers:
    """All controllers of a project."""

    held: dict[str, Controller]

    @classmethod
    def of(cls, documents: list[Document]) -> Controllers:
        return cls({one.name: one for document in documents for one in controllers(document)})

    def at(self, path: str) -> Controller | None:
        """The controller that routes name so."""
        return next((one for one in self.held.values() if one.path == path), None)

    def lineage(self, one: Controller) -> list[Controller]:
        """The controller and its ancestors that are in the project, the outermost ancestor first."""
        found = [one]
        while (parent := self._parent(found[0])) is not None and parent not in found:
            found.insert(0, parent)
        return found

    def _parent(self, one: Controller) -> Controller | None:
        spaces = one.name.split("::")[:-1]
        for depth in range(len(spaces), -1, -1):
            found = self.held.get("::".join([*spaces[:depth], one.parent]))
            if found is not None and found is not one:
                return found
        return None

    def base(self, one: Controller) -> str:
        """The framework's class at the end: ActionController::API, ActionController::Base, or ""."""
        return self.lineage(one)[0].parent

    def callbacks(self, one: Controller, action: str) -> list[tuple[Callback, Controller]]:
        """The callbacks that an action runs through, in order."""
        found: list[tuple[Callback, Controller]] = []
        for ancestor in self.lineage(one):
            for call in ancestor.calls(
                *BEFORE, "skip_before_action", "skip_before_filter", "http_basic_authenticate_with"
            ):
                if call.name.startswith("skip_"):
                    gone = {c.name for c in _of(call) if c.covers(action) and not c.conditional}
                    found = [pair for pair in found if pair[0].name not in gone]
                    continue
                more = [(c, ancestor) for c in _of(call) if c.covers(action)]
                found = [*more, *found] if call.name.startswith("prepend") else [*found, *more]
        return found

    def method(self, one: Controller, name: str) -> tuple[Controller, Node] | None:
        """A method of the controller or of an ancestor."""
        for ancestor in reversed(self.lineage(one)):
            if name in ancestor.methods:
                return ancestor, ancestor.methods[name]
        return None


def _of(call: Call) -> Iterator[Callback]:
    held = options(call)
    only, without = tuple(names(held.get("only"))), tuple(names(held.get("except")))
    conditional = bool(set(held) & {"if", "unless"})
    if call.name == "http_basic_authenticate_with":
        yield Callback(call.name, only, without, call, conditional)
        return
    for arg in call.args:
        name = string(arg)
        if name is not None:
            yield Callback(name, only, without, call, conditional)
        elif arg.type in ("lambda", "block", "do_block"):
            yield Callback("", only, without, call, conditional)


def asked(code: Code, node: Node) -> tuple[list[str], list[str]]:
    """(schemes, fields) that the code of a callback reads."""
    schemes = [scheme for call in code.calls(*HTTP, within=node) for scheme in HTTP[call.name]]
    words = text(node)
    schemes += [scheme for name, of in HTTP.items() if re.search(rf"\b{name}\b", words) for scheme in of]
    fields = [m.removeprefix("HTTP_").replace("_", "-").title() for m in _FIELD.findall(words)]
    return list(dict.fromkeys(schemes)), list(dict.fromkeys(fields))
