"""The settings of a Flask application: `app.config`, as literals, objects and keyword arguments give them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from why401.evidence import Source
from why401.layers.python_execute import Program
from why401.layers.python_modules import Module
from why401.layers.python_values import Class, Instance, Table, Thing
from why401.secret import Secret

#: Attributes of the application that are settings under another name.
_ATTRIBUTES = {"secret_key": "SECRET_KEY"}


@dataclass(eq=False)
class Config:
    """Settings with their places; later ones win, in the order in which Flask code usually sets them."""

    program: Program = field(repr=False)
    apps: list[Thing] = field(repr=False)
    values: dict[str, Any] = field(default_factory=dict, repr=False)
    places: dict[str, Source] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for app in self.apps:
            config = app.attributes.get("config")
            if isinstance(config, Thing):
                for use in config.uses:
                    self._used(use)
                for name, value in config.attributes.items():
                    if name.startswith("["):
                        self._set(name[1:-1], value, config.places.get(name, config.source))
            for attribute, name in _ATTRIBUTES.items():
                if attribute in app.places:
                    self._set(name, app.attributes[attribute], app.places[attribute])

    def _used(self, use: Thing) -> None:
        if use.kind in ("update", "from_mapping"):
            for given in use.args:
                if isinstance(given, Table):
                    for name, value in given.items():
                        self._set(name, value, given.places.get(name, use.source))
            for name, value in use.kwargs.items():
                self._set(name, value, self._keyword(use, name))
        elif use.kind == "from_object" and use.args:
            self._object(use.args[0])

    @staticmethod
    def _keyword(use: Thing, name: str) -> Source:
        written = use.node.keywords if use.node is not None else []
        line = next((k.value.lineno for k in written if k.arg == name), use.source.line)
        return Source(use.source.name, line)

    def _object(self, given: Any) -> None:
        if isinstance(given, str):
            given = self.program.named(given)
        if isinstance(given, Instance):
            given = given.cls
        if isinstance(given, Class):
            for cls in reversed([c for c in given.line() if isinstance(c, Class)]):
                for name, value in cls.attributes.items():
                    self._set(name, value, cls.places.get(name, cls.source))
        elif isinstance(given, Module):
            space = self.program.space(given)
            for name, value in space.names.items():
                self._set(name, value, space.places.get(name, Source(given.document.name)))

    def _set(self, name: str, value: Any, source: Source) -> None:
        if isinstance(name, str) and name.isupper():
            self.values[name], self.places[name] = value, source

    def get(self, name: str) -> Any:
        """A setting's value, or None."""
        return self.values.get(name)

    def text(self, name: str) -> str:
        value = self.values.get(name)
        return str(value) if isinstance(value, str) else ""

    def secrets(self) -> frozenset[Secret]:
        """The keys among the settings."""
        held = [v for n, v in self.values.items() if "SECRET" in n or "KEY" in n or "PASSWORD" in n]
        return frozenset(Secret(str(value)) for value in held if isinstance(value, str) and len(value) > 3)
