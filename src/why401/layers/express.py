"""Express: the middleware and handlers that a request passes, in the order in which `app.use` names them.

Demands: scheme, field, cookie, issuer, audience, algorithm, keys, login (a session is asked for), role.
Reference: expressjs.com, *Using middleware*, *Routing*; the README of each package.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from why401.evidence import Request
from why401.layers.applications import NodeApplication, Piece, flat
from why401.layers.express_routers import steps_of
from why401.layers.express_steps import Step
from why401.layers.js_modules import SUFFIXES, Module, module
from why401.layers.model import Route
from why401.layers.syntax import readable
from why401.layers.tree import Document, Tree
from why401.prefilter import lazy

HOP = "Express"
_APP = lazy(r"\b(\w+)\s*(?::\s*[\w.]+\s*)?=\s*(?:module\.exports\s*=\s*)?express\(\s*\)")
_LISTEN = lazy(r"\.listen\(\s*(?:process\.env\.\w+\s*(?:\|\||\?\?)\s*)?(\d{2,5})")


def roots(tree: Tree) -> Iterable[Document]:
    """Each file that makes an application."""
    return [
        document
        for document in tree.given.values()
        if document.name.lower().endswith(SUFFIXES)
        and readable(document, *SUFFIXES)
        and "express" in document.text
        and _APP.search(document.text)
    ]


def read(tree: Tree, root: Document) -> Express:
    """The application made in `root`. Raises Damaged where the grammar is missing."""
    environment = _environment(tree, root)
    match = _APP.search(root.text)
    heard = frozenset(f":{port}" for port in _LISTEN.findall(root.text))
    made = module(root, tree, environment)
    layer = Express(HOP, tree, root, listens=heard, module=made, app=match[1] if match else "app")
    layer.secrets = frozenset(s for step in layer.steps for s in step.keys.values())
    layer.keys = {place: key for step in layer.steps for place, key in step.keys.items()}
    return layer


def _environment(tree: Tree, root: Document) -> dict[str, str]:
    """The variables of a .env file beside the file or in the folder above."""
    folder = root.name.rpartition("/")[0]
    found: dict[str, str] = {}
    for place in (folder.rpartition("/")[0], folder):
        document = tree.given.get(f"{place}/.env".lstrip("/") if not place else f"{place}/.env")
        if document is not None:
            found |= {key: value.text for key, value in flat(document).items()}
    return found


@dataclass(eq=False)
class Express(NodeApplication):
    """An application; `app` is the variable that holds it."""

    module: Module = field(default=None, repr=False)  # type: ignore[assignment]
    app: str = "app"

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Every handler, in order, those of routers in the place where they are mounted."""
        return tuple(steps_of(self.module, self.app))

    @cached_property
    def modules(self) -> list[Module]:
        """The modules that are part of it."""
        known: dict[str, Module] = self.tree.__dict__.get("js_modules", {})
        used = {id(step.module) for step in self.steps} | {
            id(step.guard.module) for step in self.steps if step.guard
        }
        return [self.module, *(m for m in known.values() if id(m) in used and m is not self.module)]

    def pieces(self) -> Iterable[Piece]:
        nothing = Request(complete=False)
        return [Piece(self._route(step, nothing), step.takes) for step in self.steps if step.says]

    def passed(self, request: Request) -> list[Step]:
        """The handlers that a request comes to, up to the one that answers it."""
        found: list[Step] = []
        for step in self.steps:
            if step.takes(request):
                found.append(step)
                if step.ends:
                    break
        return found

    def meets(self, request: Request) -> tuple[Route, ...]:
        return tuple(self._route(step, request) for step in self.passed(request) if step.says)

    def routes(self) -> Sequence[Route]:
        return [piece.route for piece in self.pieces()]

    def _route(self, step: Step, request: Request) -> Route:
        return Route(
            HOP,
            step.source,
            step.name,
            tuple(step.demands(HOP)),
            answers=step.answers(request, HOP),
            layer=self,
        )

    def step_of(self, route: Route) -> Step | None:
        return next((s for s in self.steps if s.source == route.source and s.name == route.name), None)
