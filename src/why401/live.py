"""A live diagnosis: send the request as asked, look at all evidence, then experiment from the ranking."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from why401 import flow
from why401.diagnosis import Ranked
from why401.evidence import Evidence, Exchange, Offer, Text
from why401.experiments.aside import aside
from why401.experiments.certificates import certificate
from why401.experiments.change import Seen
from why401.experiments.denied import asks_to_log_in, reached
from why401.experiments.login_again import Again, Login
from why401.experiments.observe import observe
from why401.experiments.run import Laboratory, Outcome
from why401.findings import Finding, Where
from why401.probes import follow, wire
from why401.probes.ask import Ask
from why401.probes.budget import Budget
from why401.probes.transcript import transcript
from why401.readers.http_facts import facts
from why401.report import Report


@dataclass(frozen=True)
class Limits:
    """What the user allows and offers beyond the defaults."""

    requests: int = 12
    failed_logins: int = 2
    replay_unsafe: bool = False
    send_credentials_to: tuple[str, ...] = ()
    origin: str = ""  # the application's own URL, past what stands in front
    via: str = ""  # a proxy to try
    login: Login | None = None


def silent(_: str) -> None:
    """The default of `say`: no progress is shown."""


def diagnose(
    ask: Ask,
    evidence: Evidence | None = None,
    limits: Limits = Limits(),
    *,
    say: Callable[[str], None] = silent,
    stop: Callable[[], bool] = wire.never,
    later: Callable[[], Evidence] = Evidence,
) -> Report:
    """Diagnose a request by sending it; `evidence` is what the user has besides, and `later` reads what there
    is only after the request was answered, such as the new lines of a log.

    A target that cannot be reached gives a report whose `unreachable` says why, in one sentence.
    """
    budget = Budget(limits.requests, limits.failed_logins)
    given = evidence or Evidence()
    notes: list[str] = []
    say(f"asking {ask.origin[1]}")
    try:
        sent = follow.ask_through(ask, stop=stop, notes=notes)
    except wire.Unreachable as problem:
        return _unreachable(ask, problem, given)
    if not sent:
        return dataclasses.replace(flow.examine(given), unreachable="Stopped before any answer came.")
    budget.count(sent, own=True)
    given = given + later()
    whole = _evidence(ask, sent, notes) + given
    findings = [*flow.find(whole), *observe(ask, sent), *certificate(ask, _said(sent[-1], notes))]
    if reached(sent[-1]) and not given.refused:
        findings.append(_succeeded(sent))
    number = _next_number(whole)
    outcome = Outcome()
    if not stop():
        aside(ask, sent[-1], budget, number, outcome)
    to_login = asks_to_log_in(sent)
    if (sent[-1].refused or to_login) and not outcome.proofs:
        again = Again(limits.login, budget, lambda _: number) if limits.login else None
        seen = Seen(
            sent[-1],
            whole,
            limits.send_credentials_to,
            limits.replay_unsafe,
            limits.origin,
            limits.via,
            again,
        )
        start = number + len(outcome.exchanges) + (2 if again else 0)
        refused = ask if to_login else _as_refused(ask, sent)
        laboratory = Laboratory(refused, seen, budget, number=start, say=say, stop=stop)
        findings += outcome.findings
        found = laboratory.run(lambda more: _ranking(findings, more))
        found.exchanges[:0] = [*outcome.exchanges, *(again.exchanges if again else ())]
        found.experiments[:0] = outcome.experiments
        found.findings += again.findings if again else ()
        outcome = found
    else:
        findings += outcome.findings
        outcome.findings = []
    return _report(whole, findings, outcome, budget)


def _succeeded(sent: Sequence[Exchange]) -> Finding:
    """What the request itself gets stands above all that files let one fear."""
    says = f"The request gets {sent[-1].status}: nothing is refused."
    cause = "expected-challenge" if any(leg.refused for leg in sent) else "not-an-auth-error"
    return Finding("live-succeeded", says, {cause: 60.0}, Where.at(sent[-1]))


def _ranking(findings: Sequence[Finding], more: Sequence[Finding]) -> list[Ranked]:
    return flow.ranking([*findings, *more])


def _unreachable(ask: Ask, problem: wire.Unreachable, given: Evidence) -> Report:
    """No answer. A handshake that fails for want of a client certificate is a refusal all the same."""
    said = "\n".join((*problem.notes, str(problem)))
    told = given + Evidence(texts=(Text(said, wire.LIVE, "terminal"),))
    refused = list(certificate(ask, said, broken=True))
    if not refused and not given.refused:
        weights = {"not-an-auth-error": 60.0}
        refused = [Finding("not-answered", "No answer came, so nothing was refused.", weights)]
    report = flow.report(told, [*flow.find(told), *refused]) if refused else flow.examine(told)
    first = report.diagnoses[0].causes[0].cause
    if first is not None and first.id.startswith("client-certificate"):
        return dataclasses.replace(report, notes=(*report.notes, str(problem)))
    return dataclasses.replace(report, unreachable=str(problem))


def _said(exchange: Exchange, notes: Sequence[str]) -> str:
    """What curl and the answer say, where the answer may be about a certificate."""
    response = exchange.response
    if response is None or response.status not in (400, 401, 403, 495, 496):
        return ""
    return "\n".join((*notes, response.body or ""))


def _evidence(ask: Ask, sent: tuple[Exchange, ...], notes: Sequence[str]) -> Evidence:
    """What the user's own request brought, as if its transcript had been pasted."""
    said = [facts(exchange) for exchange in sent]
    live = Evidence(
        sent,
        offers=tuple(offer for one in said for offer in one.offers),
        demands=tuple(demand for one in said for demand in one.demands),
        answers=tuple(answer for one in said for answer in one.answers),
    )
    if ask.user and (ask.get("authorization") or "").lower().startswith("digest "):
        # Both are at hand, so the Digest answer can be computed anew.
        user, _, password = ask.user.reveal().partition(":")
        secret = type(ask.user)(password)
        offer = Offer("userinfo", "url", "Digest", secret, wire.LIVE, None, "-u", user)
        live = dataclasses.replace(live, offers=(*live.offers, offer))
    return dataclasses.replace(live, texts=(transcript(sent, notes),))


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
