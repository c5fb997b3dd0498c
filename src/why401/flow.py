"""The one flow: evidence, findings, diagnosis. Every door (command line, API, monitor) goes through here."""

from __future__ import annotations

from why401 import checks, causes
from why401.diagnosis import Ranked, rank
from why401.evidence import Evidence
from why401.findings import Finding
from why401.report import Diagnosis, Fix, Named, Report, Subject

SHOWN = 5  #: ranked causes that a report lists


def examine(evidence: Evidence) -> Report:
    """Diagnose evidence without sending anything."""
    findings = list(checks.run(evidence))
    return Report((_diagnosis(evidence, findings),), evidence)


def _diagnosis(evidence: Evidence, findings: list[Finding]) -> Diagnosis:
    ranked = rank(findings)
    refused = evidence.refused
    last = refused[-1] if refused else (evidence.exchanges[-1] if evidence.exchanges else None)
    subject = Subject(
        last.request.host if last else None,
        last.request.path if last else None,
        tuple(exchange.number for exchange in refused or evidence.exchanges),
    )
    first = ranked[0].cause
    return Diagnosis(
        subject,
        last.status if last else None,
        first.side if first else "unknown",
        tuple(_named(item) for item in ranked[:SHOWN]),
    )


def _named(item: Ranked) -> Named:
    fixes = tuple(Fix(f.fix, f.command) for f, _ in item.findings if f.fix)
    if item.cause is not None and item.cause.fix:
        fixes += (Fix(item.cause.fix),)
    return Named(item.cause, item.probability, item.findings, fixes)
