"""The JSON report: stable, additions only; `schema.json` beside this file describes it."""

from __future__ import annotations

from typing import Any

from why401.evidence import Exchange, Fields
from why401.findings import Finding
from why401.report import Diagnosis, Named, Report
from why401.reports.view import harmless, view
from why401.secret import Redactor


def render(report: Report, redactor: Redactor) -> dict[str, Any]:
    """The report as a JSON-like value without secrets."""
    report = view(report, redactor)
    evidence = report.evidence
    return {
        "version": 1,
        **_diagnosis(report.diagnoses[0]),
        "diagnoses": [{"subject": _subject(d), **_diagnosis(d)} for d in report.diagnoses],
        "exchanges": [
            exchange_value(exchange, redactor) for exchange in (*evidence.exchanges, *report.tried)
        ],
        "experiments": [
            {
                "change": e.change,
                "says": e.says,
                "exchange": e.exchange,
                "outcome": e.outcome,
                "cause": e.cause,
            }
            for e in report.experiments
        ],
        "evidence": [
            {"source": name, "kind": kind}
            for name, kind in dict.fromkeys((t.source.name, t.kind) for t in evidence.texts)
        ],
        "unreadable": [item.says for item in evidence.unreadable],
        "notes": list(report.notes),
        "applied": {
            "outcome": report.applied.outcome,
            "says": report.applied.says,
            "files": list(report.applied.files),
        }
        if report.applied
        else None,
        "unreachable": report.unreachable or None,
    }


def exchange_value(exchange: Exchange, redactor: Redactor) -> dict[str, Any]:
    """One exchange; the values of sensitive fields as harmless facts."""
    request, response = exchange.request, exchange.response
    return {
        "number": exchange.number,
        "source": exchange.source.name,
        "line": exchange.source.line,
        "time": exchange.time.isoformat() if exchange.time else None,
        "label": exchange.label,
        "request": {
            "method": request.method,
            "url": request.url,
            "fields": fields_value(request.fields, redactor),
            "complete": request.complete,
        },
        "response": response
        and {
            "status": response.status,
            "reason": response.reason,
            "fields": fields_value(response.fields, redactor),
            "complete": response.complete,
        },
    }


def fields_value(fields: Fields, redactor: Redactor) -> list[list[str]]:
    """Names and values of fields, with only the scheme of a credential left."""
    return [[f.name, harmless(f.name, f.value, redactor)] for f in fields]


def _subject(diagnosis: Diagnosis) -> dict[str, Any]:
    subject = diagnosis.subject
    return {"host": subject.host, "route": subject.route, "exchanges": list(subject.exchanges)}


def _diagnosis(diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "status": diagnosis.status,
        "side": diagnosis.side,
        "causes": [_named(named) for named in diagnosis.causes],
        "next": [{"says": s.says, "command": s.command, "gain": s.gain} for s in diagnosis.next],
        "ruled_out": [{"id": r.cause, "says": r.says} for r in diagnosis.ruled_out],
    }


def _named(named: Named) -> dict[str, Any]:
    cause, proof = named.cause, named.proof
    return {
        "id": cause.id if cause else None,
        "title": cause.title if cause else "none of these",
        "family": cause.family if cause else None,
        "side": cause.side if cause else "unknown",
        "probability": round(named.probability, 4),
        "proved": proof is not None,
        "proof": proof and {"kind": proof.kind, "exchanges": list(proof.exchanges), "says": proof.says},
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
