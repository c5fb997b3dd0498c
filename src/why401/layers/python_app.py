"""What applications written in Python have in common: routes, guards in their order, and what a request meets.

A **guard** is anything that may refuse before or within a view: middleware, a decorator, a dependency, a
permission, the view itself. `Application.refusals` follows one request through the guards of its route and says
which line refuses it, on what condition, and whether that is sure.

Respects of the demands: scheme, realm, field, query, cookie, user, keys, issuer, audience, algorithm, csrf, login.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from why401.evidence import Answer, Demand, Request, Source
from why401.layers.model import Layer, Route
from why401.layers.python_exceptions import status_of
from why401.layers.python_execute import Program
from why401.layers.python_requests import Read, Reading
from why401.layers.python_scopes import QUIET, Flow, Raised
from why401.layers.python_tokens import Decoding
from why401.layers.python_values import Function, Thing

REFUSING = (401, 403, 407)
DROPPED_PREFIXES = 2  # leading parts of a path that a proxy in front may have taken off


@dataclass(frozen=True, eq=False)
class Refusal:
    """A line that refuses the request. `because` are the conditions on the way, in the code's own words."""

    status: int | None  # None where it depends on the version of the library
    source: Source
    sure: bool
    because: tuple[str, ...] = ()
    reads: tuple[Read, ...] = ()
    comparisons: tuple[Any, ...] = ()
    exception: Any = None  # what a library raised first
    wants: tuple[str, str] | None = None  # respect and value of a demand that the request does not meet
    guard: str = ""


class Refused(Exception):
    """The request is surely refused: later guards are not reached."""


@dataclass(eq=False)
class Endpoint:
    """One path with its view. `pattern` matches the whole path; `methods` empty means any."""

    name: str
    pattern: str
    source: Source
    methods: frozenset[str] = frozenset()
    view: Any = None
    guards: tuple[Any, ...] = ()
    path: str = ""

    def fits(self, path: str) -> bool:
        return re.fullmatch(self.pattern, path) is not None


class Asking:
    """One request on its way through the guards; collects the refusals."""

    def __init__(self, program: Program, reading: Reading, now: datetime | None = None) -> None:
        self.program, self.reading = program, reading
        self.decoding = Decoding(now)
        reading.extra.append(self.decoding.call)
        reading.extra.append(_abort)
        self.refusals: list[Refusal] = []

    def run(
        self, function: Function, args: Iterable[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> list[Flow]:
        """The ways through a function for this request; refusals that it raises are kept. Raises Refused."""
        program = self.program
        held, program.hooks, program.maybe = program.hooks, self.reading, []
        start, compared = len(self.reading.reads), len(self.reading.comparisons)
        try:
            flows = program.flows(function, args, kwargs)
        except Raised:
            flows = []
        finally:
            program.hooks = held
        reads = tuple(self.reading.reads[start:])
        comparisons = tuple(self.reading.comparisons[compared:])
        for flow in flows:
            self.keep(flow, reads, comparisons, function.name)
        for flow in program.maybe:
            self.keep(flow, reads, comparisons, function.name)
        program.maybe = []
        return [flow for flow in flows if flow.kind != "raises"]

    def keep(self, flow: Flow, reads: tuple[Read, ...], comparisons: tuple[Any, ...], guard: str) -> None:
        """Keep a way as a refusal where it ends in one. Raises Refused where it is sure."""
        status = status_of(flow.value) if flow.kind in ("raises", "returns") else None
        if status not in REFUSING:
            return
        exception = flow.scope.names.get("@handled")
        if exception is None and isinstance(flow.value, Thing):
            exception = flow.value.attributes.get("@cause")
        self.refuse(
            Refusal(status, flow.source, flow.sure, flow.because, reads, comparisons, exception, None, guard)
        )

    def refuse(self, refusal: Refusal) -> None:
        self.refusals.append(refusal)
        if refusal.sure:
            raise Refused


def _abort(thing: Thing, args: list[Any], kwargs: dict[str, Any], source: Source) -> Any:
    """`flask.abort` raises what its number says."""
    if thing.kind == "abort" and thing.package in ("flask", "werkzeug"):
        raise Raised(Thing(f"{thing.name}()", source, tuple(args), kwargs), source)
    return None


@dataclass(eq=False)
class Application(Layer):
    """An application in Python; subclasses know a framework."""

    program: Program = field(default=None, repr=False)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        self.kind = "application"
        self.endpoints: list[Endpoint] = []
        self._routes: dict[int, Route] = {}

    def guarded(self, asking: Asking, endpoint: Endpoint) -> None:
        """Take a request through the guards of an endpoint, in their order. May raise Refused."""
        raise NotImplementedError

    def demands(self, endpoint: Endpoint) -> Iterator[Demand]:
        """What an endpoint asks for beside that which a request without any known value shows."""
        yield from ()

    def reading(self, request: Request, endpoint: Endpoint, path: str) -> Reading:
        return Reading(request, path, endpoint.name)

    # the layer

    def routes(self) -> Sequence[Route]:
        return [self.route(endpoint) for endpoint in self.endpoints]

    def meets(self, request: Request) -> tuple[Route, ...]:
        found = self.find(request)
        return (self.route(found[0]),) if found else ()

    def find(self, request: Request) -> tuple[Endpoint, str] | None:
        """The endpoint that a request reaches and its path there, also where a proxy took a prefix off."""
        path = request.path
        for _ in range(DROPPED_PREFIXES + 1):
            fitting = [one for one in self.endpoints if one.fits(path)]
            method = request.method or "GET"
            for one in fitting:
                if not one.methods or method in one.methods:
                    return one, path
            if fitting:
                return fitting[0], path
            _, _, rest = path.lstrip("/").partition("/")
            if not rest and path.count("/") < 2:
                return None
            path = f"/{rest}"
        return None

    def route(self, endpoint: Endpoint) -> Route:
        """The endpoint as a route, with every refusal that any request may get there as an answer."""
        if id(endpoint) not in self._routes:
            unknown = Request(None, None, complete=False)
            asking = self.ask(unknown, endpoint, endpoint.path)
            answers = {
                (r.source, r.status): Answer(self.hop, r.status, r.source, words=" and ".join(r.because))
                for r in asking.refusals
                if r.wants is None
            }
            demands = [*self.demands(endpoint), *self._shown(asking, answers), *self._token_demands(asking)]
            self._routes[id(endpoint)] = Route(
                self.hop,
                endpoint.source,
                endpoint.name,
                tuple(dict.fromkeys(demands)),
                answers=tuple(answers.values()),
                layer=self,
            )
        return self._routes[id(endpoint)]

    def _shown(self, asking: Asking, answers: Iterable[tuple[Source, Any]]) -> Iterator[Demand]:
        """The demands of built-in guards, and the fields that code reads before it refuses."""
        for refusal in asking.refusals:
            if refusal.wants is not None:
                yield Demand(refusal.wants[0], refusal.wants[1], refusal.source, hop=self.hop)
        for source, _ in list(answers)[:1]:
            for place, name in asking.reading.asked:
                yield Demand(place, name, source, hop=self.hop)

    def _token_demands(self, asking: Asking) -> Iterator[Demand]:
        for given, source in asking.decoding.calls:
            for name, respect in (
                ("issuer", "issuer"),
                ("audience", "audience"),
                ("algorithms", "algorithm"),
            ):
                value = given.get(name)
                for one in [value] if isinstance(value, str) else value if isinstance(value, list) else []:
                    if isinstance(one, str):
                        yield Demand(respect, str(one), source, hop=self.hop)

    def ask(self, request: Request, endpoint: Endpoint, path: str, now: datetime | None = None) -> Asking:
        """Follow one request through the guards of an endpoint."""
        asking = Asking(self.program, self.reading(request, endpoint, path), now)
        try:
            self.guarded(asking, endpoint)
        except (Refused, Raised, RecursionError):
            pass
        finally:
            self.program.hooks = QUIET
        return asking

    def refusals(self, request: Request, now: datetime | None = None) -> list[Refusal]:
        """What refuses this request, in order; a sure refusal is the last one."""
        found = self.find(request)
        return self.ask(request, *found, now).refusals if found else []


#: How a framework writes the parts of a path that vary: the pattern of such a part, and of each converter.
def template(path: str, part: str, converter: Callable[[re.Match[str]], str]) -> str:
    """The regular expression of a path template; `part` finds its variable parts."""
    found, at = "", 0
    for match in re.finditer(part, path):
        found += re.escape(path[at : match.start()]) + converter(match)
        at = match.end()
    return found + re.escape(path[at:])
