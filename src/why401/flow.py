"""The one flow: evidence, findings, diagnosis. Every door (command line, API, monitor) goes through here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from why401 import checks
from why401.diagnosis import Ranked, rank
from why401.evidence import Evidence
from why401.findings import Finding
from why401.mend import fixes
from why401.narrowing import narrowed
from why401.next_step import next_steps, ruled_out
from why401.report import Diagnosis, Named, Proof, Report, Subject
from why401.subjects import Group, groups

SHOWN = 5  #: ranked causes that a report lists


def examine(evidence: Evidence) -> Report:
    """Diagnose evidence without sending anything."""
    narrow = [narrowed(group) for group in groups(evidence)]
    diagnoses = [_diagnosis(group, find(group.evidence), {}) for group, _ in narrow]
    diagnoses.sort(key=lambda diagnosis: -_worth(diagnosis))
    told = (item.says for item in evidence.unreadable)
    notes = tuple(dict.fromkeys((*told, *(note for _, said in narrow for note in said))))
    return Report(tuple(diagnoses), evidence, notes=notes)


def find(evidence: Evidence) -> list[Finding]:
    """All findings about the evidence."""
    return list(checks.run(evidence))


def ranking(findings: Sequence[Finding]) -> list[Ranked]:
    """The causes by what the findings say."""
    return rank(findings)


def report(
    evidence: Evidence, findings: Sequence[Finding], proofs: Mapping[str, Proof] | None = None
) -> Report:
    """The report on one group of like failures, from findings at hand."""
    (whole, *_) = groups(evidence, split=False)
    notes = tuple(item.says for item in evidence.unreadable)
    return Report((_diagnosis(whole, findings, proofs or {}),), evidence, notes=notes)


def _worth(diagnosis: Diagnosis) -> float:
    """How much a diagnosis is worth mending: real failures first, those that hit more exchanges before others."""
    first = diagnosis.causes[0].cause
    healthy = first is not None and first.side == "none"
    return (0.0 if healthy else 1000.0) + len(diagnosis.subject.exchanges)


def _diagnosis(group: Group, findings: Sequence[Finding], proofs: Mapping[str, Proof]) -> Diagnosis:
    ranked = rank(findings)
    found = {**_offline_proofs(findings), **proofs}
    stacks = [finding.stack for finding in findings if finding.stack]
    named = tuple(_named(item, group.evidence, stacks, found) for item in ranked[:SHOWN])
    first = ranked[0].cause
    return Diagnosis(
        group.subject,
        group.status,
        first.side if first else "unknown",
        named,
        next_steps(ranked, group.evidence, proved=bool(found)),
        ruled_out(ranked),
    )


def _offline_proofs(findings: Sequence[Finding]) -> dict[str, Proof]:
    return {f.proves: Proof("offline", (), f.says) for f in findings if f.proves}


def _named(item: Ranked, evidence: Evidence, stacks: Sequence[str], proofs: Mapping[str, Proof]) -> Named:
    proof = proofs.get(item.cause.id) if item.cause else None
    return Named(item.cause, item.probability, item.findings, fixes(item, evidence, stacks), proof)


__all__ = ["Finding", "Subject", "examine", "find", "ranking", "report"]
