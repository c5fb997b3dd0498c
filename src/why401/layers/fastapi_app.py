"""FastAPI and Starlette: which dependencies and middleware a request passes, in the order of the framework.

Order (fastapi/routing.py, applications.py): middleware, the one added last first; then the dependencies of the
application, of `include_router`, of the router, of the route; then the parameters of the view, in their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from why401.layers.fastapi_security import Dependencies
from why401.layers.python_app import Application, Asking, Endpoint, template
from why401.layers.python_execute import Program
from why401.layers.python_find import sources
from why401.layers.python_modules import Project, parse
from why401.layers.python_values import Class, Function, Instance, Thing
from why401.layers.tree import Document, Tree

HOP = "FastAPI"
_METHODS = ("get", "post", "put", "delete", "patch", "options", "head", "trace")


def roots(tree: Tree) -> Iterable[Document]:
    """The files that make an application."""
    return sources(tree, r"\bFastAPI\(", r"\b(?:fastapi|FastAPI)\b")


def read(tree: Tree, root: Document) -> FastApi:
    """The application that begins at `root`. Raises Damaged where Python cannot compile it."""
    parse(root)
    program = Program(Project(tree, root))
    return FastApi(HOP, tree, root, program=program)


@dataclass(eq=False)
class FastApi(Application):
    """A FastAPI application."""

    middleware: list[tuple[Thing, Thing]] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.apps = self.program.applications("FastAPI")
        for app in list(self.apps):
            guards = _listed(app.kwargs.get("dependencies"))
            self.middleware += [(app, use) for use in app.used("add_middleware", "middleware")]
            self.endpoints += self._collect(app, "", guards)
        self.whole = frozenset(m.document.name for m in self.program.project.modules)

    def _collect(
        self, router: Thing, prefix: str, guards: tuple[Any, ...], depth: int = 0
    ) -> Iterator[Endpoint]:
        for use in router.uses:
            if use.kind in (*_METHODS, "api_route", "websocket", "add_api_route"):
                made = self._endpoint(use, prefix, guards)
                if made is not None:
                    yield made
            elif use.kind in ("include_router", "mount") and depth < 8:
                yield from self._included(use, prefix, guards, depth)

    def _included(self, use: Thing, prefix: str, guards: tuple[Any, ...], depth: int) -> Iterator[Endpoint]:
        if use.kind == "mount":
            inner = use.argument("app", 1)
            if isinstance(inner, Thing) and inner.kind == "FastAPI":
                own = _listed(inner.kwargs.get("dependencies"))
                self.apps = [app for app in self.apps if app is not inner]
                yield from self._collect(inner, prefix + _text(use.argument("path", 0)), own, depth + 1)
            return
        inner = use.argument("router", 0)
        if isinstance(inner, Thing):
            path = prefix + _text(use.kwargs.get("prefix")) + _text(inner.kwargs.get("prefix"))
            own = (*_listed(use.kwargs.get("dependencies")), *_listed(inner.kwargs.get("dependencies")))
            yield from self._collect(inner, path, (*guards, *own), depth + 1)

    def _endpoint(self, use: Thing, prefix: str, guards: tuple[Any, ...]) -> Endpoint | None:
        view = use.argument("endpoint", 1) if use.kind == "add_api_route" else use.target
        if not isinstance(view, Function):
            return None
        path = prefix + _text(use.argument("path", 0))
        methods = [use.kind.upper()] if use.kind in _METHODS else use.kwargs.get("methods") or ["GET"]
        own = _listed(use.kwargs.get("dependencies"))
        named = frozenset(m.upper() for m in methods if isinstance(m, str))
        pattern = template(path, r"\{(\w+)(?::(\w+))?\}", lambda m: ".*" if m[2] == "path" else "[^/]+")
        return Endpoint(view.name, pattern, view.source, named, view, (*guards, *own), path)

    # guards

    def guarded(self, asking: Asking, endpoint: Endpoint) -> None:
        for use in self.passed():
            if use.args and getattr(use.args[0], "kind", "") == "CORSMiddleware" and preflight(asking):
                return
            self._through(asking, use)
        dependencies = Dependencies(asking)
        for guard in endpoint.guards:
            dependencies.value(guard)
        bound = dependencies.bound(endpoint.view)
        asking.run(endpoint.view, (), bound)

    def passed(self) -> list[Thing]:
        """The uses of middleware in the order in which a request passes them: the last added is outermost."""
        return [use for _, use in reversed(self.middleware)]

    def _through(self, asking: Asking, use: Thing) -> None:
        request, following = Thing("@starlette"), Thing("@next")
        if use.kind == "middleware":
            if isinstance(use.target, Function):
                asking.run(use.target, (request, following))
            return
        made = use.args[0] if use.args else None
        if isinstance(made, Class):
            instance = Instance(made, use.source, dict(use.kwargs))
            setup, dispatch = made.get("__init__"), made.get("dispatch")
            if isinstance(setup, Function):
                bound = Function(setup.node, setup.module, setup.scope, instance)
                self.program.flows(bound, (Thing("@app"),), use.kwargs)
            if isinstance(dispatch, Function):
                bound = Function(dispatch.node, dispatch.module, dispatch.scope, instance)
                asking.run(bound, (request, following))


def preflight(asking: Asking) -> bool:
    """Whether the request is a CORS preflight (Fetch standard): CORSMiddleware answers it itself."""
    fields = asking.reading.request.fields
    return asking.reading.request.method == "OPTIONS" and "access-control-request-method" in fields


def _listed(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (list, tuple)) else ()


def _text(value: Any) -> str:
    return str(value) if isinstance(value, str) else ""
