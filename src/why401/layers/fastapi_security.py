"""FastAPI's dependencies for one request: security schemes, parameters of the request, functions.

What each scheme refuses follows fastapi/security: `HTTPBearer`, `HTTPBasic`, `OAuth2PasswordBearer`, `APIKeyHeader`
…; those that answered 403 up to FastAPI 0.121 answer 401 since, so their status is left open.
"""

from __future__ import annotations

import ast
import base64
import binascii
from collections.abc import Iterator
from typing import Any

from why401.layers.python_app import Asking, Refusal
from why401.layers.python_values import UNKNOWN, Class, Function, Instance, Sent, Thing

#: Security scheme → scheme of the Authorization field.
SCHEMES = {
    "HTTPBearer": "Bearer",
    "HTTPBasic": "Basic",
    "HTTPDigest": "Digest",
    "OAuth2PasswordBearer": "Bearer",
    "OAuth2AuthorizationCodeBearer": "Bearer",
    "OAuth2": "",
    "OpenIdConnect": "",
}
#: Security scheme → the place of its key.
KEYS = {"APIKeyHeader": "field", "APIKeyQuery": "query", "APIKeyCookie": "cookie"}
_DEPENDS = ("Depends", "Security")


def scheme_of(thing: Any) -> str | None:
    """The scheme of Authorization that a security dependency asks for; None where it is none."""
    return SCHEMES.get(thing.kind) if isinstance(thing, Thing) and thing.name.endswith("()") else None


class Dependencies:
    """The values of dependencies for one request; each is worked out once, as the framework does."""

    def __init__(self, asking: Asking) -> None:
        self.asking = asking
        self._held: dict[int, Any] = {}
        self._depth = 0

    def value(self, dependency: Any, annotation: Any = None) -> Any:
        """The value of `Depends(…)`; refusals go to the asking. Raises Refused."""
        inner = dependency.argument("dependency", 0, annotation) if isinstance(dependency, Thing) else None
        if id(inner) not in self._held:
            self._held[id(inner)] = UNKNOWN
            self._depth += 1
            if self._depth < 20:
                self._held[id(inner)] = self._of(inner)
            self._depth -= 1
        return self._held[id(inner)]

    def _of(self, inner: Any) -> Any:
        if isinstance(inner, Thing):
            return self._secured(inner)
        if isinstance(inner, Instance):
            method = inner.cls.get("__call__")
            if isinstance(method, Function):
                bound = Function(method.node, method.module, method.scope, inner)
                return self._returned(bound)
            return UNKNOWN
        if isinstance(inner, Class):
            made = Instance(inner, inner.source)
            setup = inner.get("__init__")
            if isinstance(setup, Function):
                self._returned(Function(setup.node, setup.module, setup.scope, made))
            return made
        return self._returned(inner) if isinstance(inner, Function) else UNKNOWN

    def _returned(self, function: Function) -> Any:
        flows = self.asking.run(function, (), self.bound(function))
        values = [flow.value if flow.kind == "returns" else None for flow in flows]
        yields = any(isinstance(node, (ast.Yield, ast.YieldFrom)) for node in ast.walk(function.node))
        return values[0] if len(values) == 1 and not yields else UNKNOWN

    def bound(self, function: Function) -> dict[str, Any]:
        """The arguments that the framework gives to a function."""
        found = dict[str, Any]()
        for name, annotation, default in parameters(function, self.asking.program):
            marker = default if _marks(default) else annotation[1] if annotation[1] is not None else None
            if isinstance(marker, Thing) and marker.kind in _DEPENDS:
                found[name] = self.value(marker, annotation[0])
            elif isinstance(marker, Thing) and marker.kind in ("Header", "Cookie"):
                found[name] = self._sent(marker, name, default)
            elif getattr(annotation[0], "kind", "") in ("Request", "HTTPConnection"):
                found[name] = Thing("@starlette")
        return found

    def _sent(self, marker: Thing, name: str, default: Any) -> Any:
        first = marker.argument("default", 0) if marker is default else default
        absent = None if first is None or first is Ellipsis else first
        alias = marker.kwargs.get("alias")
        if marker.kind == "Cookie":
            return self.asking.reading.cookie(alias if isinstance(alias, str) else name, absent)
        dashed = marker.kwargs.get("convert_underscores") is not False
        written = alias if isinstance(alias, str) else name.replace("_", "-").title() if dashed else name
        return self.asking.reading.field("X-API-Key" if written == "X-Api-Key" else written, absent)

    # security schemes

    def _secured(self, scheme: Thing) -> Any:
        if scheme.kind in KEYS:
            return self._key(scheme)
        wanted = scheme_of(scheme)
        if wanted is None:
            return UNKNOWN
        value = self.asking.reading.field("Authorization")
        if value is UNKNOWN:
            if scheme.kwargs.get("auto_error") is not False:
                self._refuse(scheme, wanted, sure=False)
            return UNKNOWN
        given, _, rest = value.partition(" ") if isinstance(value, str) else ("", "", "")
        fits = bool(rest) and (not wanted or given.lower() == wanted.lower())
        user, password = self._basic(rest) if wanted == "Basic" and fits else ("", "")
        if wanted == "Basic" and user is None:
            fits = False
        if not fits:
            if scheme.kwargs.get("auto_error") is False:
                return None
            self._refuse(scheme, wanted, sure=True)
        origin = "the Authorization field"
        if wanted == "Basic":
            attributes = {"username": Sent.of(str(user), origin), "password": Sent.of(str(password), origin)}
        elif scheme.kind.startswith("OAuth2"):
            return Sent.of(rest, origin) if wanted else Sent.of(str(value), origin)
        else:
            attributes = {"scheme": Sent.of(given, origin), "credentials": Sent.of(rest, origin)}
        return Thing("@credentials", attributes={"@true": True, **attributes})

    @staticmethod
    def _basic(rest: str) -> tuple[str | None, str]:
        try:
            user, colon, password = base64.b64decode(rest).decode("utf-8").partition(":")
        except (binascii.Error, ValueError):
            return None, ""
        return (user, password) if colon else (None, "")

    def _key(self, scheme: Thing) -> Any:
        name = scheme.argument("name")
        if not isinstance(name, str):
            return UNKNOWN
        place = KEYS[scheme.kind]
        value = getattr(self.asking.reading, place)(name)
        given = isinstance(value, str) and bool(value)
        if not given and scheme.kwargs.get("auto_error") is not False:
            self._refuse(scheme, name, sure=value is not UNKNOWN, respect=place)
        return value

    def _refuse(self, scheme: Thing, wanted: str, *, sure: bool, respect: str = "scheme") -> None:
        status = 401 if scheme.kind.startswith("OAuth2") else None
        reads = tuple(self.asking.reading.reads[-1:])
        self.asking.refuse(
            Refusal(status, scheme.source, sure, (), reads, wants=(respect, wanted), guard=scheme.kind)
        )


def _marks(value: Any) -> bool:
    return isinstance(value, Thing) and value.kind in (*_DEPENDS, "Header", "Cookie", "Query", "Body", "Form")


def parameters(function: Function, program: Any) -> Iterator[tuple[str, tuple[Any, Any], Any]]:
    """Name, annotation (type, marker of `Annotated`) and default of each parameter, evaluated."""
    given = function.node.args
    names = [*given.posonlyargs, *given.args]
    defaults: dict[str, ast.expr] = {
        a.arg: d for a, d in zip(reversed(names), reversed(given.defaults), strict=False)
    }
    defaults |= {a.arg: d for a, d in zip(given.kwonlyargs, given.kw_defaults, strict=True) if d is not None}
    scope = function.scope or program.space(function.module)
    for one in [*names, *given.kwonlyargs]:
        default = program.tried(defaults[one.arg], scope) if one.arg in defaults else Ellipsis
        yield one.arg, _annotation(one.annotation, scope, program), default


def _annotation(node: ast.expr | None, scope: Any, program: Any) -> tuple[Any, Any]:
    """The type and the marker of an annotation; a name may stand for a whole `Annotated[…]`."""
    if isinstance(node, ast.Name):
        for statement in scope.module.tree.body:
            if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Subscript):
                names = [t.id for t in statement.targets if isinstance(t, ast.Name)]
                if node.id in names:
                    return _annotation(statement.value, scope, program)
    annotated = isinstance(node, ast.Subscript) and ast.unparse(node.value).rpartition(".")[2] == "Annotated"
    if annotated and isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
        parts = [program.tried(part, scope) for part in node.slice.elts]
        return parts[0], next((part for part in parts[1:] if _marks(part)), None)
    return (program.tried(node, scope) if node is not None else None), None
