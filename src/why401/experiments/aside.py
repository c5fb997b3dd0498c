"""One look aside, without a credential, where the user's own answer alone does not show that it is about access."""

from __future__ import annotations

import dataclasses

from why401.evidence import Exchange
from why401.experiments import preflight
from why401.experiments.run import Outcome
from why401.findings import HINT, Finding, Where
from why401.probes import wire
from why401.probes.ask import Ask
from why401.probes.budget import Budget
from why401.report import Experiment, Proof


def aside(ask: Ask, own: Exchange, budget: Budget, number: int, outcome: Outcome) -> None:
    """The preflight of a request with Origin; the anonymous request beside a login that ends in 500."""
    first = preflight.preflight_of(ask)
    if first is not None:
        answer = _send(first, budget, number, outcome)
        if answer is not None:
            _preflight(own, answer, outcome)
    elif own.status == 500 and ask.safe and ask.has_credentials:
        answer = _send(ask.anonymous(), budget, number, outcome)
        if answer is not None and answer.status == 401:
            outcome.findings.append(_login_breaks(answer))


def _send(ask: Ask, budget: Budget, number: int, outcome: Outcome) -> Exchange | None:
    if not budget.allows(login=False):
        return None
    try:
        legs = wire.send(ask, number=number)
    except wire.Unreachable:
        return None
    budget.count(legs)
    outcome.exchanges += [dataclasses.replace(leg, label="experiment") for leg in legs]
    return legs[-1] if legs else None


def _preflight(own: Exchange, answer: Exchange, outcome: Outcome) -> None:
    found = preflight.finding(own, answer)
    outcome.findings.append(found)
    cause, proved = "cors-preflight-rejected", found.id == "preflight-refused"
    says = "the preflight that a browser sends first"
    outcome.experiments.append(
        Experiment("preflight", says, answer.number, "cured" if proved else "other", cause)
    )
    if proved:
        outcome.proofs[cause] = Proof("replay", (own.number, answer.number), found.says)


def _login_breaks(answer: Exchange) -> Finding:
    """Apache httpd answers 500 to a login where it cannot open its password file; others where a directory is down."""
    says = "Without the credential the answer is 401; with it the server breaks (500) in checking it."
    weights = {
        "password-file-problem": 14.0,
        "auth-backend-unreachable": 11.0,
        "auth-setting-wrong": HINT,
        "not-an-auth-error": -60.0,
        "wrong-password": -10.0,
        "no-credentials": -12.0,
    }
    return Finding("login-breaks", says, weights, Where.at(answer), group="login-breaks")
