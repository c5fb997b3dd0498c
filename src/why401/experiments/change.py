"""What a change is: a function that makes, from the request as asked, the same request but for one thing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from why401.evidence import Evidence, Exchange, Response
from why401.probes.ask import Ask, origin_of
from why401.protocol import challenges
from why401.report import ProofKind
from why401.secret import Secret


@dataclass(frozen=True)
class Seen:
    """What a change may look at: the failing exchange, all evidence, and what the user allows."""

    exchange: Exchange
    evidence: Evidence
    allowed_origins: tuple[str, ...] = ()
    replay_unsafe: bool = False
    origin: str = ""  # of the application itself, past what stands in front (--origin)
    via: str = ""  # a proxy to ask through (--via)
    fresh: Callable[[], Secret | None] | None = field(default=None, compare=False)  # logs in anew, once

    @property
    def response(self) -> Response:
        return self.exchange.response or Response()

    @property
    def schemes(self) -> list[str]:
        """The schemes that the response challenges with, in lower case."""
        values = self.response.fields.all("www-authenticate")
        return [challenge.scheme.lower() for challenge in challenges.parse(values).challenges]

    @property
    def words(self) -> str:
        """The body of the response, in lower case."""
        return (self.response.body or "").lower()

    def may_send_to(self, ask: Ask, url: str) -> bool:
        """Whether the credentials of `ask` may go to `url`: its own origin, or one that the user allowed."""
        origin = origin_of(url)
        return origin == ask.origin or any(origin_of(allowed) == origin for allowed in self.allowed_origins)


Make = Callable[[Ask, Seen], Iterator[Ask]]


@dataclass(frozen=True)
class Change:
    """A change with the causes it would prove (the likeliest of them by the ranking at the time).

    `neighbour` marks a change of the URL: there a good answer counts only if the same URL refuses an
    anonymous request, since any public page answers 200. `scout` marks a change that would show without a
    credential too: it is tried so first, and dropped where nothing differs. Both save logins.
    """

    slug: str
    says: str
    proves: tuple[str, ...]
    make: Make = field(compare=False)
    neighbour: bool = False
    scout: bool = False
    wait: Callable[[Seen], float] | None = field(default=None, compare=False)
    kind: ProofKind = "replay"


CHANGES: list[Change] = []


def change(
    slug: str,
    says: str,
    *proves: str,
    neighbour: bool = False,
    scout: bool = False,
    wait: Callable[[Seen], float] | None = None,
    kind: ProofKind = "replay",
) -> Callable[[Make], Make]:
    """Register a function as a change; used as a decorator."""

    def register(make: Make) -> Make:
        CHANGES.append(Change(slug, says, proves, make, neighbour, scout, wait, kind))
        return make

    return register
