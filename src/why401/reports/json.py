"""The JSON report: stable, additions only; `schema.json` beside this file describes it."""

from __future__ import annotations

from typing import Any

from why401.findings import Finding
from why401.report import Diagnosis, Named, Report
from why401.secret import Redactor


def render(report: Report, redactor: Redactor) -> dict[str, Any]:
    """The report as a JSON-like value without secrets."""
    first = report.diagnoses[0]
    value = {
        "version": 1,
        **_diagnosis(first),
        "diagnoses": [{"subject": _subject(d), **_diagnosis(d)} for d in report.diagnoses],
    }
    cleaned = redactor.clean_all(value)
    assert isinstance(cleaned, dict)
    return cleaned


def _subject(diagnosis: Diagnosis) -> dict[str, Any]:
    subject = diagnosis.subject
    return {"host": subject.host, "route": subject.route, "exchanges": list(subject.exchanges)}


def _diagnosis(diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "status": diagnosis.status,
        "side": diagnosis.side,
        "causes": [_named(named) for named in diagnosis.causes],
        "next": [{"says": s.says, "command": s.command, "gain": s.gain} for s in diagnosis.next],
    }


def _named(named: Named) -> dict[str, Any]:
    cause = named.cause
    return {
        "id": cause.id if cause else None,
        "title": cause.title if cause else "none of these",
        "family": cause.family if cause else None,
        "side": cause.side if cause else "unknown",
        "probability": round(named.probability, 4),
        "proved": named.proof is not None,
        "findings": [_finding(finding, weight) for finding, weight in named.findings],
        "fix": [{"says": fix.says, "command": fix.command, "diff": fix.diff} for fix in named.fix],
    }


def _finding(finding: Finding, weight: float) -> dict[str, Any]:
    where = finding.where
    return {
        "id": finding.id,
        "says": finding.says,
        "where": {
            "source": where.source,
            "line": where.line,
            "field": where.field,
            "exchange": where.exchange,
            "span": list(where.span) if where.span else None,
        },
        "weight": round(weight, 1),
    }
