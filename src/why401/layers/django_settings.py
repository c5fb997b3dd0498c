"""The settings of a Django project: the module that `manage.py` names, with what it imports, and their places."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

from why401.evidence import Source
from why401.layers.python_scopes import Scope
from why401.layers.python_values import Table
from why401.layers.tree import Document, Tree
from why401.prefilter import lazy
from why401.secret import Secret

_SETTINGS = lazy(r"(?m)^(?:INSTALLED_APPS|ROOT_URLCONF|MIDDLEWARE|REST_FRAMEWORK|SIMPLE_JWT)\b[^=\n]*=")
_NAMED = lazy(r"DJANGO_SETTINGS_MODULE['\"]?\s*[,=\]]+\s*=?\s*['\"]([\w.]+)['\"]")
_STAR = lazy(r"(?m)^\s*from\s+(\.*[\w.]*)\s+import\s+\*")


def roots(tree: Tree) -> Iterable[Document]:
    """The settings modules; of several the one that `manage.py` or `wsgi.py` names, else those no other imports."""
    found = [d for d in tree.given.values() if d.name.endswith(".py") and _SETTINGS.search(d.text)]
    if len(found) < 2:
        return found
    named = {
        match[1]
        for d in tree.named("manage.py", "wsgi.py", "asgi.py", ".env", "pytest.ini")
        for match in _NAMED.finditer(d.text)
    }
    chosen = [d for d in found if any(_dotted(d.name).endswith(name) for name in named)]
    if chosen:
        return chosen[:1]
    starred = {match[1].lstrip(".").rpartition(".")[2] for d in found for match in _STAR.finditer(d.text)}
    return [d for d in found if PurePosixPath(d.name).stem not in starred and "test" not in d.name]


def _dotted(name: str) -> str:
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


class Settings:
    """The names of the settings module after its import."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def __contains__(self, name: str) -> bool:
        return name in self._scope.names

    def get(self, name: str, default: Any = None) -> Any:
        return self._scope.names.get(name, default)

    def place(self, name: str) -> Source:
        """Where a setting was given its value last."""
        return self._scope.places.get(name, Source(self._scope.module.document.name))

    def inner(self, name: str, key: str, default: Any = None) -> Any:
        """A key of a setting that is a dict: REST_FRAMEWORK, SIMPLE_JWT."""
        held = self.get(name)
        return held.get(key, default) if isinstance(held, dict) else default

    def inner_place(self, name: str, key: str) -> Source:
        held = self.get(name)
        return held.places.get(key, self.place(name)) if isinstance(held, Table) else self.place(name)

    def listed(self, name: str) -> list[Any] | None:
        """A setting that is a list of texts; None where it is absent or not known."""
        held = self.get(name)
        return list(held) if isinstance(held, (list, tuple)) else None

    @property
    def session_cookie(self) -> str:
        return str(self.get("SESSION_COOKIE_NAME", "sessionid"))

    def attributes(self) -> dict[str, Any]:
        """What `django.conf.settings` shows."""
        return {name: value for name, value in self._scope.names.items() if name.isupper()}

    def secrets(self) -> frozenset[Secret]:
        held = [self.get("SECRET_KEY"), self.inner("SIMPLE_JWT", "SIGNING_KEY")]
        return frozenset(Secret(str(value)) for value in held if isinstance(value, str) and len(value) > 3)


def texts(value: Any) -> list[str]:
    """The texts of a setting that may be one or a list of them."""
    if isinstance(value, str):
        return [value]
    return [one for one in value if isinstance(one, str)] if isinstance(value, (list, tuple)) else []
