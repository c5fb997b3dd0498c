"""Carries experiments out, within the budget, and says what follows from each.

A cause is proved when the original fails, the same request with one thing changed reaches the protected
answer, and the original fails again. A 404, 429, 500, a login page or flapping proves nothing.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from why401.diagnosis import Ranked
from why401.evidence import Exchange
from why401.experiments.change import Change, Seen
from why401.experiments.compare import beside_nobody
from why401.experiments.denied import denied, reached
from why401.experiments.plan import plan, proved_cause
from why401.findings import AGAINST, Finding, Where
from why401.probes import follow, wire
from why401.probes.ask import Ask
from why401.probes.budget import Budget
from why401.report import Experiment, Proof, Verdict

PROVED = 60.0  #: decibans of a replayed proof


@dataclass
class Outcome:
    """What the experiments brought."""

    exchanges: list[Exchange] = field(default_factory=list)
    experiments: list[Experiment] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    proofs: dict[str, Proof] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Laboratory:
    """Runs changes of one failing request. `say` gets a line of progress; `stop` ends it early."""

    def __init__(
        self,
        ask: Ask,
        seen: Seen,
        budget: Budget,
        *,
        number: int,
        say: Callable[[str], None],
        stop: Callable[[], bool],
    ) -> None:
        self._ask, self._seen, self._budget = ask, seen, budget
        self._number, self._say, self._stop = number, say, stop
        self._nobody: Exchange | None = None  # what the anonymous request got
        self.outcome = Outcome()

    def run(self, rank: Callable[[Sequence[Finding]], Sequence[Ranked]]) -> Outcome:
        """Try the planned changes until one proves a cause, or budget or time is over.

        `rank` ranks the causes by the findings so far and those given: each result may change the plan.
        """
        if not self._ask.safe and not self._seen.replay_unsafe:
            self.outcome.notes.append(
                f"{self._ask.method} is sent once and not repeated, so nothing was tried; "
                "--replay-unsafe allows it."
            )
            return self.outcome
        done: set[tuple[str, int]] = set()
        while not self._stop() and not self.outcome.proofs:
            ranked = rank(self.outcome.findings)
            step = next((s for s in plan(self._ask, self._seen, ranked) if s[:2] not in done), None)
            if step is None:
                break
            slug, index, change, changed = step
            done.add((slug, index))
            if self._budget.allows(login=changed.has_credentials):
                self._try(change, changed, ranked)
            else:
                self._skip(change)
        return self.outcome

    def _try(self, change: Change, changed: Ask, ranked: Sequence[Ranked]) -> None:
        if change.wait is not None:
            seconds = change.wait(self._seen)
            self._say(f"waiting {seconds:.0f} s, as the server asked")
            time.sleep(max(0.0, seconds))
        self._say(f"trying {change.says}")
        if not self._worth_a_login(change, changed):
            self._note(change, None, "same", proved_cause(change, ranked))
            return
        exchange = self._send(changed)
        if change.slug == "without-credentials" and exchange is not None:
            self._nobody = exchange
            self.outcome.findings += beside_nobody(self._seen.exchange, exchange)
        cause = proved_cause(change, ranked)
        outcome: Verdict = "other"
        if reached(exchange):
            outcome = "cured"
            self._confirm(change, changed, cause, exchange)
        elif exchange is not None and denied(exchange):
            outcome = "same"
            self._against(change, exchange)
        self._note(change, exchange, outcome, cause)

    def _note(self, change: Change, exchange: Exchange | None, outcome: Verdict, cause: str) -> None:
        number = exchange.number if exchange else None
        self.outcome.experiments.append(Experiment(change.slug, change.says, number, outcome, cause))

    def _worth_a_login(self, change: Change, changed: Ask) -> bool:
        """Look without a credential first, where that tells whether the credential need be risked.

        A neighbouring URL that is no protected one (404, a public page) is not asked with the credential; and
        where a change of the way makes no difference to nobody, it makes none to the user.
        """
        if not (change.neighbour or change.scout):
            return True
        if not changed.has_credentials:
            return not change.neighbour
        if not self._budget.allows(login=False, legs=2):
            return False
        nobody = self._send(changed.anonymous())
        if nobody is None:
            return False
        return denied(nobody) if change.neighbour else not _alike(nobody, self._nobody)

    def _confirm(self, change: Change, changed: Ask, cause: str, cured: Exchange | None) -> None:
        """Look at the original once more: it has to fail still, or the change was not what cured it."""
        assert cured is not None
        before = self._seen.exchange.number
        if not self._budget.allows(login=self._ask.has_credentials):
            says = f"{change.says}: {cured.status}; the budget did not allow a second look at the original"
            self._prove(change, cause, Proof(change.kind, (before, cured.number), says))
            return
        if change.wait is not None:  # the moment was what changed, and it can't be had again
            says = f"{change.says}: {cured.status}"
            self._prove(change, cause, Proof(change.kind, (before, cured.number), says))
            return
        again = self._send(self._ask, follow.ask_through)
        if again is None or not denied(again) or not self._cured_twice(changed):
            self.outcome.findings.append(_flapping(self._seen.exchange))
            return
        says = f"{change.says}: {cured.status}; the original again: {again.status}"
        self._prove(change, cause, Proof(change.kind, (before, cured.number, again.number), says))

    def _cured_twice(self, changed: Ask) -> bool:
        """Whether the change cures again, as far as the budget allows to look: flapping would rarely fit twice."""
        if not self._budget.allows(login=False):
            return True
        return reached(self._send(changed))

    def _prove(self, change: Change, cause: str, proof: Proof) -> None:
        self.outcome.proofs[cause] = proof
        where = Where.at(self._seen.exchange)
        self.outcome.findings.append(
            Finding(f"proved-by-{change.slug}", f"Proved: {proof.says}.", {cause: PROVED}, where)
        )

    def _against(self, change: Change, exchange: Exchange) -> None:
        says = f"{change.says[0].upper()}{change.says[1:]} gets {exchange.status} as well."
        weights = dict.fromkeys(change.proves, AGAINST)
        self.outcome.findings.append(Finding(f"not-{change.slug}", says, weights, Where.at(exchange)))

    def _skip(self, change: Change) -> None:
        if not any(done.change == change.slug for done in self.outcome.experiments):
            self.outcome.experiments.append(Experiment(change.slug, change.says, None, "not-run"))

    def _send(self, ask: Ask, how: Callable[..., tuple[Exchange, ...]] = wire.send) -> Exchange | None:
        try:
            legs = how(ask, number=self._number, stop=self._stop)
        except wire.Unreachable:
            return None
        self._budget.count(legs)
        self._number += len(legs)
        self.outcome.exchanges += [dataclasses.replace(leg, label="experiment") for leg in legs]
        return legs[-1] if legs else None


def _alike(one: Exchange, other: Exchange | None) -> bool:
    """Whether two answers are the same in status and challenge (nginx pads the body for some browsers)."""
    if other is None or one.response is None or other.response is None:
        return False
    a, b = one.response, other.response
    name = "www-authenticate"
    return a.status == b.status and a.fields.all(name) == b.fields.all(name)


def _flapping(original: Exchange) -> Finding:
    """The same request failed and succeeded: no change explains that."""
    weights = {"secret-rotated": 6.0, "session-unknown": 6.0, "wrong-server-answered": 4.0, "clock-skew": 4.0}
    says = "The very same request was refused once and accepted later, so the failure comes and goes."
    return Finding("live-flapping", says, weights, Where.at(original))
