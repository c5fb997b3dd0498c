"""A live diagnosis: send the request as asked, look at all evidence, then experiment from the ranking."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from why401 import flow
from why401.evidence import Evidence, Exchange
from why401.experiments.change import Seen
from why401.experiments.run import Laboratory, Outcome, reached
from why401.probes import follow, wire
from why401.probes.ask import Ask
from why401.probes.budget import Budget
from why401.readers.http_facts import facts
from why401.report import Report


@dataclass(frozen=True)
class Limits:
    """What the user allows beyond the defaults."""

    requests: int = 12
    failed_logins: int = 2
    replay_unsafe: bool = False
    send_credentials_to: tuple[str, ...] = ()


def silent(_: str) -> None:
    """The default of `say`: no progress is shown."""


def diagnose(
    ask: Ask,
    evidence: Evidence | None = None,
    limits: Limits = Limits(),
    *,
    say: Callable[[str], None] = silent,
    stop: Callable[[], bool] = wire.never,
) -> Report:
    """Diagnose a request by sending it; `evidence` is what the user has besides.

    A target that cannot be reached gives a report whose `unreachable` says why, in one sentence.
    """
    budget = Budget(limits.requests, limits.failed_logins)
    given = evidence or Evidence()
    say(f"asking {ask.origin[1]}")
    try:
        sent = follow.ask_through(ask, stop=stop)
    except wire.Unreachable as problem:
        return dataclasses.replace(flow.examine(given), unreachable=str(problem))
    budget.count(sent, own=True)
    live = Evidence(exchanges=sent)
    for exchange in sent:
        live = live + facts(exchange)
    whole = live + given
    findings = flow.find(whole)
    last = sent[-1]
    if reached(last) or not last.refused:
        return flow.report(whole, findings)
    seen = Seen(last, whole, limits.send_credentials_to, limits.replay_unsafe)
    laboratory = Laboratory(
        _as_refused(ask, sent), seen, budget, number=_next_number(whole), say=say, stop=stop
    )
    outcome = laboratory.run(flow.ranking(findings))
    return _report(whole, findings, outcome, budget)


def _as_refused(ask: Ask, sent: tuple[Exchange, ...]) -> Ask:
    """The request that was refused: as typed, or, after a redirect within the origin, at its new URL."""
    url = sent[-1].request.url
    if url is None or url == sent[0].request.url:
        return ask
    moved = ask.at(url)
    return moved if moved.origin == ask.origin else ask


def _next_number(evidence: Evidence) -> int:
    return max((exchange.number for exchange in evidence.exchanges), default=0) + 1


def _report(evidence: Evidence, findings: list[flow.Finding], outcome: Outcome, budget: Budget) -> Report:
    report = flow.report(evidence, findings + outcome.findings, outcome.proofs)
    used = f"{budget.sent} requests sent, {budget.failed} failed logins beyond your own."
    return dataclasses.replace(
        report,
        experiments=tuple(outcome.experiments),
        tried=tuple(outcome.exchanges),
        notes=(*report.notes, *outcome.notes, used),
    )
