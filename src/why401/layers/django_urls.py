"""Django's URL configuration: `path`, `re_path`, `include`, and the routers of Django REST framework."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from why401.layers.python_app import Endpoint, template
from why401.layers.python_execute import Program
from why401.layers.python_modules import Module
from why401.layers.python_values import Class, Function, Listed, Thing

_CONVERTERS = {"path": ".+", "int": r"\d+", "slug": r"[-\w]+", "uuid": "[0-9a-f-]{36}"}
_ROUTERS = ("DefaultRouter", "SimpleRouter")
#: Methods of HTTP and what a view set calls for them, on the list and on one item.
LIST = {"GET": "list", "POST": "create"}
ITEM = {"GET": "retrieve", "PUT": "update", "PATCH": "partial_update", "DELETE": "destroy"}
DEEPEST = 8


def endpoints(
    program: Program, patterns: Any, prefix: str = "/", shown: str = "/", depth: int = 0
) -> Iterator[Endpoint]:
    """The endpoints of `urlpatterns`, a router's `urls` or an included module; `prefix` is a regular expression."""
    if depth > DEEPEST:
        return
    if isinstance(patterns, Module):
        held = program.space(patterns).get("urlpatterns")
        patterns = held[0] if held else None
    if isinstance(patterns, Thing) and patterns.kind == "urls" and isinstance(patterns.owner, Thing):
        yield from _router(patterns.owner, prefix, shown)
    for item in patterns if isinstance(patterns, (list, tuple)) else ():
        if isinstance(item, Thing) and item.kind == "urls":
            yield from endpoints(program, item, prefix, shown, depth + 1)
        elif isinstance(item, Thing) and item.kind in ("path", "re_path", "url"):
            yield from _pattern(program, item, prefix, shown, depth)


def _pattern(program: Program, item: Thing, prefix: str, shown: str, depth: int) -> Iterator[Endpoint]:
    route, view = item.argument("route", 0), item.argument("view", 1)
    if not isinstance(route, str):
        return
    if item.kind == "path":
        pattern = template(route, r"<(?:(\w+):)?(\w+)>", lambda m: _CONVERTERS.get(m[1] or "", "[^/]+"))
    else:
        pattern = re.sub(r"\(\?P<\w+>", "(?:", str(route).removeprefix("^")).removesuffix("$")
    if not _compiles(prefix + pattern):
        return
    below = shown + str(route).strip("^$")
    if isinstance(view, Thing) and view.kind == "include":
        yield from endpoints(
            program, _included(program, view.argument("arg", 0)), prefix + pattern, below, depth + 1
        )
    elif isinstance(view, Listed) and view:
        yield from endpoints(program, view[0], prefix + pattern, below, depth + 1)
    elif isinstance(view, Thing) and view.kind == "urls":
        if view.owner is not None and getattr(view.owner, "kind", "") in _ROUTERS:
            yield from endpoints(program, view, prefix + pattern, below, depth + 1)
        else:
            yield Endpoint("admin", prefix + pattern + ".*", item.source, path=below)
    elif view is not None:
        made = _endpoint(view, item, prefix + pattern, below)
        if made is not None:
            yield made


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except (re.error, OverflowError):
        return False
    return True


def _included(program: Program, given: Any) -> Any:
    if isinstance(given, str):
        return program.named(given)
    if isinstance(given, (list, tuple)) and given and isinstance(given[0], (list, Thing)) and len(given) == 2:
        inner = given[0]
        if isinstance(inner, list) or getattr(inner, "kind", "") == "urls":
            return inner
    return given


def _endpoint(view: Any, item: Thing, pattern: str, shown: str) -> Endpoint | None:
    """The endpoint of a view, whatever functions it is wrapped in (`csrf_exempt(…)`, `login_required(…)`)."""
    guards: list[Any] = []
    while isinstance(view, Thing) and view.args and isinstance(view.args[0], (Function, Thing)):
        guards.append(view)
        view = view.args[0]
    if isinstance(view, Function):
        return Endpoint(view.name, pattern, view.source, frozenset(), view, tuple(guards), shown)
    if isinstance(view, Thing) and view.name == "@class.as_view()" and isinstance(view.owner, Class):
        cls = view.owner
        mapped = view.args[0] if view.args and isinstance(view.args[0], dict) else {}
        methods = frozenset(str(name).upper() for name in mapped)
        return Endpoint(cls.name, pattern, cls.source, methods, cls, (*guards, view), shown)
    if isinstance(view, Thing):
        return Endpoint(
            view.name.removesuffix(".as_view()").rpartition(".")[2], pattern, item.source, path=shown
        )
    return None


def _router(router: Thing, prefix: str, shown: str) -> Iterator[Endpoint]:
    slash = "/" if router.kwargs.get("trailing_slash") is not False else ""
    for use in router.used("register"):
        name, viewset = use.argument("prefix", 0), use.argument("viewset", 1)
        if not isinstance(name, str) or not isinstance(viewset, Class):
            continue
        base, below = f"{prefix}{name}", f"{shown}{name}"
        for key, value in viewset.attributes.items():
            action = next(
                (d for d in getattr(value, "decorators", ()) if getattr(d, "kind", "") == "action"), None
            )
            if isinstance(value, Function) and action is not None:
                path = action.kwargs.get("url_path")
                part = path if isinstance(path, str) else key
                detail = "/[^/.]+" if action.kwargs.get("detail") is True else ""
                where = f"{below}/{'1/' if detail else ''}{part}{slash}"
                yield Endpoint(
                    f"{viewset.name}.{key}", f"{base}{detail}/{part}{slash}", value.source, view=viewset,
                    guards=(use, action), path=where,
                )  # fmt: skip
        yield Endpoint(
            viewset.name,
            f"{base}{slash}",
            viewset.source,
            view=viewset,
            guards=(use,),
            path=f"{below}{slash}",
        )
        yield Endpoint(
            viewset.name,
            f"{base}/[^/.]+{slash}",
            viewset.source,
            view=viewset,
            guards=(use,),
            path=f"{below}/1{slash}",
        )
