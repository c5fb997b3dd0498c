"""Scopes of names, ways through code, what may be raised, and the hooks by which a request tells its values."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any, Literal

from why401.evidence import Source
from why401.layers.python_modules import Module
from why401.layers.python_values import NOWHERE, Thing


@dataclass(eq=False)
class Scope:
    """Names and their values; `places` says where each was given its value."""

    module: Module = field(repr=False)
    names: dict[str, Any] = field(default_factory=dict, repr=False)
    places: dict[str, Source] = field(default_factory=dict, repr=False)
    outer: Scope | None = field(default=None, repr=False)

    def copy(self) -> Scope:
        return Scope(self.module, dict(self.names), dict(self.places), self.outer)

    def get(self, name: str) -> Any:
        """The value of a name here or further out; None where it has none."""
        at: Scope | None = self
        while at is not None:
            if name in at.names:
                return (at.names[name],)
            at = at.outer
        return None


@dataclass(eq=False)
class Method:
    """A method of a plain value."""

    value: Any
    name: str


class Raised(Exception):
    """The code raises here: the exception (a Thing, or an instance of the project's own class)."""

    def __init__(self, value: Any, source: Source) -> None:
        super().__init__()
        self.value, self.source = value, source


class Hooks:
    """What a request tells of the values of a framework; this one knows no request."""

    def attribute(self, thing: Thing, name: str) -> Any:
        return None

    def subscript(self, thing: Thing, key: Any) -> Any:
        return None

    def call(self, thing: Thing, args: list[Any], kwargs: dict[str, Any], source: Source) -> Any:
        """The result of a call as a tuple of one, or None for the ordinary way."""
        return None

    def contains(self, thing: Thing, name: str) -> bool | None:
        """Whether a part of the request holds a name; None where that is not known."""
        return None

    def compared(self, node: ast.AST, left: Any, right: Any) -> None:
        """Told of each comparison whose operands are known."""


@dataclass(frozen=True, eq=False)
class Flow:
    """One way through code: how it ends, where, on what conditions, and whether the request surely takes it."""

    kind: Literal["falls", "returns", "raises", "stops"]
    scope: Scope = field(repr=False)
    value: Any = None
    source: Source = NOWHERE
    sure: bool = True
    because: tuple[str, ...] = ()
    test: ast.expr | None = field(default=None, repr=False)  # the last condition that led here


QUIET = Hooks()  #: what is known while a module is imported: no request
