"""What layers are made of: routes with demands, changes and answers; directives; and edits that mend them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from why401.evidence import Answer, Change, Demand, Request, Source
from why401.layers.tree import Absence, Document, Tree
from why401.secret import Secret

#: The fields that carry credentials, where "all fields are dropped" has to be said of each.
CARRIERS = ("Authorization", "Cookie", "X-API-Key")


class Damaged(Exception):
    """A configuration that cannot be read: the message is one sentence (what, where, what to do)."""

    def __init__(self, says: str, source: Source | None = None) -> None:
        super().__init__(says)
        self.source = source


@dataclass(eq=False)
class Directive:
    """One statement of a configuration made of directives and blocks, with its place and what encloses it."""

    name: str
    args: tuple[str, ...]
    document: Document
    line: int
    parent: Directive | None = None
    block: list[Directive] | None = None

    @property
    def source(self) -> Source:
        return Source(self.document.name, self.line)

    def all(self, *names: str) -> list[Directive]:
        """The directives of these names directly in this block, in order."""
        if len(names) == 1:
            return self._by_name.get(names[0], [])
        return [d for d in self.block or () if d.name in names] if self._by_name.keys() & set(names) else []

    @cached_property
    def _by_name(self) -> dict[str, list[Directive]]:
        found: dict[str, list[Directive]] = {}
        for directive in self.block or ():
            found.setdefault(directive.name, []).append(directive)
        return found

    def first(self, *names: str) -> Directive | None:
        return next(iter(self.all(*names)), None)

    def last(self, *names: str) -> Directive | None:
        return next(reversed(self.all(*names)), None)

    def walk(self) -> Iterator[Directive]:
        """Every directive below this one, in order."""
        for inner in self.block or ():
            yield inner
            yield from inner.walk()

    def enclosing(self) -> Iterator[Directive]:
        """This block and those around it, innermost first."""
        at: Directive | None = self
        while at is not None:
            yield at
            at = at.parent


@dataclass(frozen=True)
class Edit:
    """Lines `first` to `last` (counted from 1, both included) of a document become `new` (lines without ends).

    `last` = `first` - 1 inserts before line `first`.
    """

    document: Document = field(repr=False)
    first: int
    last: int
    new: tuple[str, ...]


@dataclass(frozen=True)
class Route:
    """How one layer treats the requests of one place: a location, section, filter chain or view.

    Demands of a route are all in force at once, unless a demand `satisfy` = `any` stands among them.
    """

    hop: str
    source: Source
    name: str  # as a person would name it: "location /api/", "<Directory /var/www>", "orders.views.OrderList"
    demands: tuple[Demand, ...] = ()
    changes: tuple[Change, ...] = ()
    answers: tuple[Answer, ...] = ()
    upstream: str = ""  # to what it passes on: "http://127.0.0.1:8000", "fastcgi:/run/php.sock", "" nothing
    layer: Layer | None = field(default=None, repr=False, compare=False)

    def demand(self, respect: str) -> Demand | None:
        """The first demand in this respect, or None."""
        return next((d for d in self.demands if d.respect == respect), None)

    def all(self, *respects: str) -> list[Demand]:
        return [d for d in self.demands if d.respect in respects]


@dataclass(eq=False)
class Layer:
    """One product's configuration or one application; modules of this package make subclasses of it."""

    hop: str
    tree: Tree = field(repr=False)
    root: Document = field(repr=False)
    kind: Literal["server", "application"] = "server"
    #: Addresses it listens on ("127.0.0.1:8080", ":80", "unix:/run/app.sock"); empty where unknown.
    listens: frozenset[str] = frozenset()
    #: Names of the documents that are read here whole, so that nothing need be guessed from their words.
    whole: frozenset[str] = frozenset()
    #: The server's own check of the configuration, and how it is told to read it anew.
    syntax_check: tuple[str, ...] = ()
    reload: tuple[str, ...] = ()
    #: Values in the configuration that no report may show.
    secrets: frozenset[Secret] = frozenset()

    def routes(self) -> Sequence[Route]:
        """Every route, in the order of the configuration."""
        raise NotImplementedError

    def meets(self, request: Request) -> tuple[Route, ...]:
        """The routes that the request passes here, in order; () where this layer is not asked by it."""
        raise NotImplementedError

    @property
    def names_served(self) -> Mapping[str, Source]:
        """The host names that it has a server for (as written, wildcards too), and where each stands."""
        return {}

    def freed(self, route: Route) -> tuple[Edit, ...]:
        """The edits by which one of its routes asks for no login, and no other one changes; () where unknown."""
        del route
        return ()

    def commands(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The server's own syntax check, and the command by which it reads its configuration anew."""
        return self.syntax_check, self.reload

    def open(self, name: str) -> Document | Absence:
        """A file that the configuration names."""
        return self.tree.open(name, self.root)

    def beside(self, name: str) -> list[Document]:
        """The files whose names are nearly `name`, in the same folder."""
        names = self.tree.beside(name, self.root)
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.8)
        return [found for other in near if isinstance(found := self.tree.at(other, self.root), Document)]
