"""Rails: the route that a request takes, and what the callbacks before its action ask for.

Respects beside the common ones: `devise` (the scope whose login is asked for).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

from why401.evidence import Demand, Request
from why401.layers.applications import Application, Piece, below, folder_of
from why401.layers.model import Route
from why401.layers.rails_controllers import DEVISE, Callback, Controller, Controllers, asked
from why401.layers.rails_routes import Target, routes
from why401.layers.syntax import Code, parse
from why401.layers.tree import Document, Tree
from why401.prefilter import lazy

HOP = "Rails"
_OWN = lazy(
    r"\broutes\.draw\b|<\s*(?:ApplicationController|ActionController::(?:API|Base))\b|\bDevise\.setup\b"
)
_FOLDERS = ("app", "config", "lib")


def roots(tree: Tree) -> Iterable[Document]:
    """The first file of each project that only Rails' projects have."""
    seen: set[str] = set()
    for document in tree.given.values():
        if document.name.endswith(".rb") and _OWN.search(document.text):
            folder = folder_of(document.name, *_FOLDERS)
            if folder not in seen:
                seen.add(folder)
                yield document


def read(tree: Tree, root: Document) -> Rails:
    """The project of a file. Raises Damaged where Ruby's grammar is missing."""
    return Rails(HOP, tree, root, files=below(tree, folder_of(root.name, *_FOLDERS)))


@dataclass(eq=False)
class Rails(Application):
    """One project; `files` are those that were given of it."""

    files: Sequence[Document] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        ruby = [d for d in self.files if d.name.endswith(".rb")]
        classes = [d for d in ruby if d.name.endswith("_controller.rb") or "Controller <" in d.text]
        self.controllers = Controllers.of(classes)
        drawn = [d for d in ruby if "routes.draw" in d.text]
        self.targets = [target for document in drawn for target in routes(parse(document))]

    def named(self, *endings: str) -> list[Code]:
        """The project's Ruby files whose names end so."""
        return [parse(d) for d in self.files if d.name.endswith(endings) and d.name.endswith(".rb")]

    @cached_property
    def packages(self) -> str:
        """The text of the Gemfile and its lock."""
        return "".join(d.text for d in self.files if d.name.rpartition("/")[2] in ("Gemfile", "Gemfile.lock"))

    @cached_property
    def api_only(self) -> bool:
        return any(
            re.search(r"\bapi_only\s*=\s*true", code.document.text)
            for code in self.named("config/application.rb")
        )

    def pieces(self) -> Iterable[Piece]:
        for target in self.targets:
            yield Piece(self._route(target), partial(_fits, target))
        if not self.targets:
            for one in self.controllers.held.values():
                yield Piece(self._of_class(one), _never)

    def meets(self, request: Request) -> tuple[Route, ...]:
        """The first route that fits, as the router takes it."""
        found = next((t for t in self.targets if _fits(t, request)), None)
        return (self._route(found),) if found is not None else ()

    def target(self, request: Request) -> Target | None:
        return next((t for t in self.targets if _fits(t, request)), None)

    def callbacks(self, target: Target) -> list[tuple[Callback, Controller]]:
        """The callbacks that the action of a route runs through."""
        one = self.controllers.at(target.controller)
        return self.controllers.callbacks(one, target.action) if one is not None else []

    def _route(self, target: Target) -> Route:
        one = self.controllers.at(target.controller)
        demands = tuple(self._demands(one, target.action)) if one is not None else ()
        return Route(HOP, target.call.source, f"{target.controller}#{target.action}", demands, layer=self)

    def _of_class(self, one: Controller) -> Route:
        demands = tuple(self._demands(one, "index"))
        return Route(HOP, one.code.source(one.node), one.name, demands, layer=self)

    def _demands(self, one: Controller, action: str) -> Iterator[Demand]:
        for callback, owner in self.controllers.callbacks(one, action):
            source = callback.call.source
            devise = DEVISE.match(callback.name)
            if callback.name == "http_basic_authenticate_with":
                yield Demand("scheme", "Basic", source, hop=HOP)
            elif callback.name == "doorkeeper_authorize!" or (
                not callback.name and "doorkeeper_authorize!" in _text(callback)
            ):
                yield Demand("scheme", "Bearer", source, hop=HOP)
            elif self.controllers.method(one, callback.name) is not None:
                yield from self._own(one, callback)
            elif devise is not None:
                yield from self._devise(devise[1], callback)
            elif not callback.name:
                schemes, fields = asked(owner.code, callback.call.node)
                yield from (Demand("scheme", scheme, source, hop=HOP) for scheme in schemes)
                yield from (Demand("field", name, source, hop=HOP) for name in fields)

    def _own(self, one: Controller, callback: Callback) -> Iterator[Demand]:
        """What a callback of the project's own reads."""
        found = self.controllers.method(one, callback.name)
        if found is None:
            return
        schemes, fields = asked(found[0].code, found[1])
        for scheme in schemes:
            yield Demand("scheme", scheme, callback.call.source, hop=HOP)
        for name in fields:
            if name.lower() != "authorization":
                yield Demand("field", name, callback.call.source, hop=HOP)

    def _devise(self, scope: str, callback: Callback) -> Iterator[Demand]:
        source = callback.call.source
        yield Demand("devise", scope, source, hop=HOP)
        if self.jwt:
            yield Demand("scheme", "Bearer", source, hop=HOP)

    @cached_property
    def jwt(self) -> bool:
        """Whether Devise reads tokens (devise-jwt, or devise_token_auth with its own fields)."""
        models = "".join(d.text for d in self.files if "/models/" in "/" + d.name)
        return "jwt_authenticatable" in models or "devise-jwt" in self.packages


def _fits(target: Target, request: Request) -> bool:
    return target.fits(request.method or "GET", request.path)


def _never(request: Request) -> bool:
    """Without routes nobody knows what comes to a controller."""
    del request
    return False


def _text(callback: Callback) -> str:
    return (callback.call.node.text or b"").decode("utf-8", "replace")
