"""Django, with or without Django REST framework: which middleware, classes and lines of a view a request passes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from why401.evidence import Request
from why401.layers import django_settings
from why401.layers.django_rest import Rest, is_rest
from why401.layers.django_settings import Settings
from why401.layers.django_urls import ITEM, LIST, endpoints
from why401.layers.model import Damaged
from why401.layers.python_app import Application, Asking, Endpoint, Refusal
from why401.layers.python_execute import Program
from why401.layers.python_modules import Project, parse
from why401.layers.python_requests import Reading
from why401.layers.python_values import Class, Function, Instance, Thing
from why401.layers.tree import Document, Tree

HOP = "Django"
_UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
CSRF = "django.middleware.csrf.CsrfViewMiddleware"


def roots(tree: Tree) -> Iterable[Document]:
    """The settings modules."""
    return django_settings.roots(tree)


def read(tree: Tree, root: Document) -> Django:
    """The project whose settings are `root`. Raises Damaged where Python cannot compile them."""
    parse(root)
    return Django(HOP, tree, root, program=Program(Project(tree, root)))


@dataclass(eq=False)
class Django(Application):
    """A Django project; `settings` are its settings, read whole."""

    def __post_init__(self) -> None:
        super().__post_init__()
        module = self.program.project.module(self.root)
        if module is None:
            raise Damaged(f"{self.root.name}: Python cannot read these settings.")
        self.settings = Settings(self.program.space(module))
        self.secrets = self.settings.secrets()
        self.program.known["django.conf.settings"] = Thing(
            "django.conf.settings", attributes=self.settings.attributes()
        )
        name = self.settings.get("ROOT_URLCONF")
        urls = self.program.named(str(name)) if isinstance(name, str) else None
        self.endpoints = list(endpoints(self.program, urls))
        self.middleware = [
            (self.program.named(one), place)
            for one, place in self._places("MIDDLEWARE")
            if isinstance(one, str)
        ]
        self.whole = frozenset(m.document.name for m in self.program.project.modules)

    def _places(self, name: str) -> list[tuple[Any, Any]]:
        held = self.settings.get(name)
        if not isinstance(held, (list, tuple)):
            return []
        places = getattr(held, "places", None) or [self.settings.place(name)] * len(held)
        return list(zip(held, places, strict=False))

    def find(self, request: Request) -> tuple[Endpoint, str] | None:
        found = super().find(request)
        if found is None and not request.path.endswith("/") and self.settings.get("APPEND_SLASH", True):
            slashed = Request(
                request.method, request.path + "/", request.fields, None, None, request.complete
            )
            return super().find(slashed)
        return found

    def reading(self, request: Request, endpoint: Endpoint, path: str) -> Reading:
        return Reading(request, path, endpoint.name, self.settings.session_cookie)

    # guards

    def guarded(self, asking: Asking, endpoint: Endpoint) -> None:
        rest = is_rest(endpoint.view)
        for made, place in self.middleware:
            if isinstance(made, Class):
                self._middleware(asking, made)
            elif isinstance(made, Thing) and made.name == CSRF and not rest:
                self._csrf(asking, endpoint, place)
        if rest:
            Rest(self, asking, endpoint).run()
        self._view(asking, endpoint)

    def _middleware(self, asking: Asking, cls: Class) -> None:
        instance = Instance(cls, cls.source, {"get_response": Thing("@next")})
        setup = cls.get("__init__")
        if isinstance(setup, Function):
            self.program.flows(Function(setup.node, setup.module, setup.scope, instance), (Thing("@next"),))
        for name in ("process_request", "__call__"):
            method = cls.get(name)
            if isinstance(method, Function):
                asking.run(Function(method.node, method.module, method.scope, instance), (Thing("@django"),))

    def _csrf(self, asking: Asking, endpoint: Endpoint, place: Any) -> None:
        """CsrfViewMiddleware refuses unsafe methods without its cookie or field (django/middleware/csrf.py)."""
        request = asking.reading.request
        if request.method not in _UNSAFE or endpoint.view is None or exempt(endpoint):
            return
        cookie = self.settings.get("CSRF_COOKIE_NAME", "csrftoken")
        missing = request.complete and cookie not in asking.reading.cookies()
        asking.refuse(Refusal(403, place, missing, wants=("csrf", str(cookie)), guard="CsrfViewMiddleware"))

    def _view(self, asking: Asking, endpoint: Endpoint) -> None:
        view, request = endpoint.view, Thing("@django")
        if isinstance(view, Function):
            asking.run(view, (request,))
        if isinstance(view, Class):
            method = view.get(self._handler(asking, endpoint))
            if isinstance(method, Function):
                asking.run(
                    Function(method.node, method.module, method.scope, Instance(view, view.source)),
                    (request,),
                )

    def _handler(self, asking: Asking, endpoint: Endpoint) -> str:
        """The method of a class that answers the request."""
        verb = asking.reading.request.method or "GET"
        use = next((g for g in endpoint.guards if isinstance(g, Thing) and g.kind == "register"), None)
        if use is None:
            return verb.lower()
        _, _, action = endpoint.name.partition(".")
        return action or (ITEM if endpoint.path.rstrip("/").endswith("/1") else LIST).get(verb, "")


def exempt(endpoint: Endpoint) -> bool:
    """Whether `csrf_exempt` stands on the view, by decorator or around it."""
    by = [*getattr(endpoint.view, "decorators", ()), *endpoint.guards]
    if isinstance(endpoint.view, Class):
        by += endpoint.view.attributes.get("@decorators", [])
    return any(
        getattr(one, "kind", "") == "csrf_exempt"
        or any(getattr(arg, "kind", "") == "csrf_exempt" for arg in getattr(one, "args", ()))
        for one in by
    )
