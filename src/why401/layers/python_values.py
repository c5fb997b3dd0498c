"""What Python code computes, as far as it can be known without running it: values, and operations on them.

A value is a plain Python value (text, number, list, dict …), or one of the kinds below. What cannot be known is
`UNKNOWN`, and everything made of it is unknown as well: nothing is concluded from it.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from why401.evidence import Source

if TYPE_CHECKING:
    from why401.layers.python_modules import Module


class _Unknown:
    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()
NOWHERE: Final = Source("")


@dataclass(eq=False)
class Thing:
    """Something of a library: a name, what came of calling it, or an attribute of that.

    `name` is how it came to be: "fastapi.FastAPI" is the class, "fastapi.FastAPI()" an instance and
    "fastapi.FastAPI().include_router()" the result of a method. `uses` are the calls of an instance's methods in
    their order, each a Thing; `target` is the function that a decorator was put on.
    """

    name: str
    source: Source = NOWHERE
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict, repr=False)
    owner: Any = field(default=None, repr=False)
    attributes: dict[str, Any] = field(default_factory=dict, repr=False)
    places: dict[str, Source] = field(default_factory=dict, repr=False)
    uses: list[Thing] = field(default_factory=list, repr=False)
    target: Any = field(default=None, repr=False)
    node: ast.Call | None = field(default=None, repr=False)

    @property
    def kind(self) -> str:
        """The last part of the name, without the brackets of a call."""
        return self.name.rpartition(".")[2].removesuffix("()")

    @property
    def package(self) -> str:
        return self.name.partition(".")[0]

    def argument(self, name: str, position: int | None = None, default: Any = None) -> Any:
        """An argument of the call by its keyword or position."""
        if name in self.kwargs:
            return self.kwargs[name]
        if position is not None and position < len(self.args):
            return self.args[position]
        return default

    def used(self, *names: str) -> list[Thing]:
        """The calls of these methods, in order."""
        return [use for use in self.uses if use.kind in names]


@dataclass(eq=False)
class Function:
    """A function of the project; `bound` is the object whose method it is."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    module: Module = field(repr=False)
    scope: Any = field(default=None, repr=False)
    bound: Any = field(default=None, repr=False)
    decorators: tuple[Any, ...] = field(default=(), repr=False)

    @property
    def inner(self) -> Function:
        """The function that the project's own decorators were put on, else the function itself."""
        held = next((d.function for d in self.decorators if hasattr(d, "function")), None)
        return held.inner if held is not None else self

    @property
    def name(self) -> str:
        return getattr(self.inner.node, "name", "<lambda>")

    @property
    def source(self) -> Source:
        return Source(self.inner.module.document.name, self.inner.node.lineno)


@dataclass(eq=False)
class Class:
    """A class of the project, with its own attributes and its bases (`Class` or `Thing`)."""

    node: ast.ClassDef
    module: Module = field(repr=False)
    bases: tuple[Any, ...] = field(default=(), repr=False)
    attributes: dict[str, Any] = field(default_factory=dict, repr=False)
    places: dict[str, Source] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def source(self) -> Source:
        return Source(self.module.document.name, self.node.lineno)

    def line(self) -> list[Any]:
        """The class, then its bases, depth first, each once."""
        found: list[Any] = []
        todo: list[Any] = [self]
        while todo and len(found) < 50:
            at = todo.pop(0)
            if at not in found:
                found.append(at)
                todo[:0] = at.bases if isinstance(at, Class) else ()
        return found

    def get(self, name: str) -> Any:
        """An attribute of the class or the nearest base of the project that has it, else None."""
        found = next((c for c in self.line() if isinstance(c, Class) and name in c.attributes), None)
        return found.attributes[name] if found else None

    def place(self, name: str) -> Source:
        found = next((c for c in self.line() if isinstance(c, Class) and name in c.places), None)
        return found.places[name] if found else self.source

    def derives(self, *kinds: str) -> bool:
        """Whether a base (or the class) has one of these names."""
        return any((c.name if isinstance(c, Class) else getattr(c, "kind", "")) in kinds for c in self.line())


@dataclass(eq=False)
class Instance:
    """An instance of a class of the project."""

    cls: Class
    source: Source
    attributes: dict[str, Any] = field(default_factory=dict, repr=False)


class Listed(list[Any]):
    """A list (or tuple, or set) as written, with the place of each item."""

    places: list[Source]

    def __init__(self, items: Any = (), places: Any = ()) -> None:
        super().__init__(items)
        self.places = list(places)


class Table(dict[Any, Any]):
    """A dict as written, with the place of each key."""

    places: dict[Any, Source]

    def __init__(self, items: Any = (), places: Any = ()) -> None:
        super().__init__(items)
        self.places = dict(places)


class Sent(str):
    """Text out of the request; `origin` says what it is of: "the Authorization field"."""

    origin: str = ""

    @classmethod
    def of(cls, text: str, origin: str) -> Sent:
        made = cls(text)
        made.origin = origin
        return made


class Configured(str):
    """The value that code takes where an environment variable is not set: the running one may differ."""

    variable: str = ""

    @classmethod
    def of(cls, text: str, variable: str) -> Configured:
        made = cls(text)
        made.variable = variable
        return made


def known(value: Any) -> bool:
    """Whether a value is a plain one that code can be followed by."""
    if isinstance(value, (list, tuple)):
        return all(known(item) for item in value)
    if isinstance(value, dict):
        return all(known(item) for item in value.values())
    return value is None or isinstance(value, (str, bytes, int, float, bool, range, set, frozenset))


def truth(value: Any) -> bool | None:
    """Whether a value is true; None where that is not known."""
    if isinstance(value, (Function, Class, Instance)):
        return True
    if isinstance(value, Thing):
        return True if value.attributes.get("@true") else None
    if value is UNKNOWN:
        return None
    try:
        return bool(value)
    except Exception:
        return None


def keep_origin(result: Any, *of: Any) -> Any:
    """The result of an operation, which is of the request where an operand is."""
    origin = next((value.origin for value in of if isinstance(value, Sent)), "")
    variable = next((value.variable for value in of if isinstance(value, Configured)), "")
    if isinstance(result, str) and not isinstance(result, Sent) and origin:
        return Sent.of(result, origin)
    if isinstance(result, str) and variable and not isinstance(result, (Sent, Configured)):
        return Configured.of(result, variable)
    if isinstance(result, (list, tuple)) and (origin or variable):
        return type(result)(keep_origin(item, *of) for item in result)
    return result
