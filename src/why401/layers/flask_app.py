"""Flask: which hooks, decorators and lines of a view a request passes, in the order of the framework.

Order (flask/app.py, `full_dispatch_request`): `before_request` of the application (and `before_app_request` of
blueprints) as registered, then those of the route's blueprint, then the decorators of the view that stood below
`@app.route`, outermost first, then the view.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from why401.evidence import Request
from why401.layers.flask_config import Config
from why401.layers.flask_guards import decorated
from why401.layers.python_app import Application, Asking, Endpoint, template
from why401.layers.python_execute import Program
from why401.layers.python_find import sources
from why401.layers.python_modules import Project, parse
from why401.layers.python_requests import Reading
from why401.layers.python_values import Class, Function, Thing
from why401.layers.tree import Document, Tree

HOP = "Flask"
_METHODS = ("get", "post", "put", "delete", "patch")


def roots(tree: Tree) -> Iterable[Document]:
    """The files that make an application."""
    return sources(tree, r"\bFlask\(", r"\bflask\b")


def read(tree: Tree, root: Document) -> Flask:
    """The application that begins at `root`. Raises Damaged where Python cannot compile it."""
    parse(root)
    return Flask(HOP, tree, root, program=Program(Project(tree, root)))


@dataclass(eq=False)
class Flask(Application):
    """A Flask application; `config` are its settings."""

    hooks: list[Thing] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.apps = self.program.applications("Flask")
        self.config = Config(self.program, self.apps)
        self.secrets = self.config.secrets()
        for app in self.apps:
            self.hooks += app.used("before_request")
            self.endpoints += self._collect(app, "", "", ())
            self.endpoints.append(Endpoint("static", r"/static/.*", app.source, path="/static/style.css"))
        self.whole = frozenset(m.document.name for m in self.program.project.modules)

    def _collect(
        self, owner: Thing, prefix: str, name: str, hooks: tuple[Thing, ...], depth: int = 0
    ) -> Iterator[Endpoint]:
        for use in owner.uses:
            if use.kind in ("route", *_METHODS, "add_url_rule"):
                yield from self._endpoint(use, prefix, name, hooks)
            elif use.kind == "register_blueprint" and depth < 6:
                inner = use.argument("blueprint", 0)
                if isinstance(inner, Thing) and inner.kind == "Blueprint":
                    own = _text(inner.argument("name", 0, ""))
                    path = _text(use.kwargs.get("url_prefix")) or _text(inner.kwargs.get("url_prefix"))
                    self.hooks += inner.used("before_app_request")
                    guards = (*hooks, *inner.used("before_request"))
                    below = f"{name}.{own}".lstrip(".")
                    yield from self._collect(inner, prefix + path.rstrip("/"), below, guards, depth + 1)

    def _endpoint(self, use: Thing, prefix: str, name: str, hooks: tuple[Thing, ...]) -> Iterator[Endpoint]:
        view = use.argument("view_func", 2) if use.kind == "add_url_rule" else use.target
        methods = [use.kind.upper()] if use.kind in _METHODS else use.kwargs.get("methods")
        if isinstance(view, Thing) and view.name == "@class.as_view()" and isinstance(view.owner, Class):
            view = view.owner
        if isinstance(view, Class):
            found = [
                (verb.upper(), view.get(verb)) for verb in _METHODS if isinstance(view.get(verb), Function)
            ]
        elif isinstance(view, Function):
            found = [(m, view) for m in methods or ["GET"] if isinstance(m, str)][:1]
        else:
            return
        path = prefix + _text(use.argument("rule", 0))
        pattern = template(path, r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>", _converter)
        for verb, function in found:
            allowed = (
                {verb} if isinstance(view, Class) else {m for m in methods or ["GET"] if isinstance(m, str)}
            )
            own = (
                _text(use.argument("endpoint", 1))
                if use.kind == "add_url_rule"
                else _text(use.kwargs.get("endpoint"))
            )
            endpoint = f"{name}.{own or function.name}".lstrip(".")
            upper = frozenset({m.upper() for m in allowed} | ({"HEAD"} if "GET" in allowed else set()))
            yield Endpoint(endpoint, pattern, function.source, upper, function, hooks, path)

    # guards

    def reading(self, request: Request, endpoint: Endpoint, path: str) -> Reading:
        return Reading(request, path, endpoint.name, self.config.text("SESSION_COOKIE_NAME") or "session")

    def guarded(self, asking: Asking, endpoint: Endpoint) -> None:
        for use in [*self.hooks, *endpoint.guards]:
            if isinstance(use.target, Function):
                flows = asking.run(use.target)
                if flows and all(f.kind == "returns" and f.value is not None and f.sure for f in flows):
                    return  # the hook answers itself
        options = asking.reading.request.method == "OPTIONS" and "OPTIONS" not in endpoint.methods
        if isinstance(endpoint.view, Function) and not options:
            decorated(self, asking, endpoint.view)


def _converter(match: re.Match[str]) -> str:
    return {"path": ".*", "int": r"\d+", "float": r"\d+\.\d+", "uuid": "[0-9a-fA-F-]{36}"}.get(
        match[1] or "", "[^/]+"
    )


def _text(value: Any) -> str:
    return str(value) if isinstance(value, str) else ""
