"""The report as SARIF 2.1.0 (OASIS), for code hosts and editors: one result a diagnosis."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from why401 import __version__
from why401.causes import Cause
from why401.report import Diagnosis, Named, Report
from why401.reports.view import view
from why401.secret import Redactor

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {True: "error", False: "warning"}


def render(report: Report, redactor: Redactor) -> dict[str, Any]:
    """The report as a SARIF log without secrets."""
    report = view(report, redactor)
    failing = [d for d in report.diagnoses if d.causes[0].cause is None or d.side != "none"]
    named = {d.causes[0].cause.id: d.causes[0].cause for d in failing if d.causes[0].cause}
    driver = {
        "name": "why401",
        "version": __version__,
        "rules": [_rule(cause) for cause in named.values()],
    }
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": [_result(d) for d in failing]}],
    }


def _rule(cause: Cause) -> dict[str, Any]:
    return {
        "id": cause.id,
        "shortDescription": {"text": cause.title},
        "help": {"text": cause.fix or cause.title},
        "properties": {"family": cause.family, "side": cause.side},
    }


def _result(diagnosis: Diagnosis) -> dict[str, Any]:
    first = diagnosis.causes[0]
    says = [finding.says for finding, weight in first.findings if weight > 0]
    title = first.cause.title if first.cause else "No cause that we know explains this refusal"
    return {
        "ruleId": first.cause.id if first.cause else "none-of-these",
        "level": _LEVELS[first.proof is not None],
        "message": {"text": " ".join([title.rstrip(".") + ".", *says[:3]])},
        "locations": _locations(first),
        "properties": {"probability": round(first.probability, 4), "proved": first.proof is not None},
    }


def _locations(named: Named) -> list[dict[str, Any]]:
    """The files where the findings stand; a live exchange has none."""
    places = {
        (finding.where.source, finding.where.line or 1): None
        for finding, weight in named.findings
        if weight > 0 and finding.where.source not in ("", "live", "argument", "standard input")
    }
    return [
        {"physicalLocation": {"artifactLocation": {"uri": quote(source)}, "region": {"startLine": line}}}
        for source, line in places
    ]
