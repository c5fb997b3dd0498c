"""Which change comes next: the one whose cause is likeliest, and that can be made at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from why401.diagnosis import Ranked
from why401.experiments import changes as _changes  # noqa: F401  registers its changes
from why401.experiments import changes_of_body as _bodies  # noqa: F401
from why401.experiments import changes_of_place as _places  # noqa: F401
from why401.experiments import changes_of_way as _ways  # noqa: F401
from why401.experiments.change import CHANGES, Change, Seen
from why401.probes.ask import Ask

WORTH_A_LOGIN = 0.05  #: chance of its cause from which a change without a visible reason may risk a password
SETTLED = 0.85  #: chance of the first cause from which neighbours are not tried for their own sake


#: The anonymous request, and what the user asked for by an option, come before what the ranking says.
_FIRST = {"without-credentials": 2.0, "origin": 1.9, "via": 1.8, "fresh-token": 1.7}


def plan(ask: Ask, seen: Seen, ranked: Sequence[Ranked]) -> Iterator[tuple[str, int, Change, Ask]]:
    """The changes that this request and its answer allow, likeliest first.

    The anonymous request always comes first: it costs no login, shows what the server says to nobody, and
    every other result is read against it.
    """
    chance = {item.cause.id: item.probability for item in ranked if item.cause}

    def promise(change: Change) -> float:
        return _FIRST.get(change.slug) or max(chance.get(cause, 0.0) for cause in change.proves)

    settled = max(chance.values(), default=0.0) > SETTLED
    for change in sorted(CHANGES, key=promise, reverse=True):
        if settled and (change.neighbour or change.scout) and promise(change) < WORTH_A_LOGIN:
            continue
        if _too_bold(change, ask, promise(change)):
            continue
        for index, changed in enumerate(change.make(ask, seen)):
            yield change.slug, index, change, changed


def _too_bold(change: Change, ask: Ask, chance: float) -> bool:
    """Whether a mere try is not worth a failed login: accounts are locked for wrong passwords, not for tokens."""
    password = ask.user is not None or (ask.get("authorization") or "").lower().startswith(
        ("basic", "digest")
    )
    return (change.neighbour or change.scout) and password and chance < WORTH_A_LOGIN


def proved_cause(change: Change, ranked: Sequence[Ranked]) -> str:
    """The cause that a cured change proves: the likeliest of those that it can stand for."""
    chance = {item.cause.id: item.probability for item in ranked if item.cause}
    return max(change.proves, key=lambda cause: chance.get(cause, 0.0))
