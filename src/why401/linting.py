"""What is wrong in the owner's configuration and code without any request: the rules' findings as a report.

Each finding becomes one diagnosis, since a mend is made a line at a time.
"""

from __future__ import annotations

from why401 import checks
from why401.causes import catalogue
from why401.diagnosis import rank, weights_of
from why401.evidence import Evidence
from why401.findings import CLEAR, Finding
from why401.mend import exact_fixes
from why401.report import Diagnosis, Named, Report, Subject


def lint(evidence: Evidence) -> Report:
    """The report on the layers in the evidence; healthy (`not-an-auth-error`) where no rule finds a fault."""
    alone = Evidence(layers=evidence.layers)
    found = {(f.id, f.where, f.says): f for f in checks.lint(alone) if max(f.weights.values()) >= CLEAR}
    ordered = sorted(found.values(), key=lambda f: (f.where.source, f.where.line or 0))
    notes = tuple(item.says for item in evidence.unreadable)
    diagnoses = tuple(_diagnosis(finding) for finding in ordered) or (_sound(),)
    return Report(diagnoses, Evidence(layers=evidence.layers, unreadable=evidence.unreadable), notes=notes)


def _diagnosis(finding: Finding) -> Diagnosis:
    weights = weights_of(finding)
    cause = catalogue()[max(weights, key=lambda name: weights[name])]
    chance = next(item.probability for item in rank([finding]) if item.cause is cause)
    pairs = ((finding, weights[cause.id]),)
    named = Named(cause, chance, pairs, exact_fixes(pairs))
    return Diagnosis(Subject(), None, cause.side, (named,))


def _sound() -> Diagnosis:
    cause = catalogue()["not-an-auth-error"]
    return Diagnosis(Subject(), None, cause.side, (Named(cause, 1.0),))
