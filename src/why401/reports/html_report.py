"""The report as one self-contained page: verdict, proof, timeline of the exchanges, print-friendly."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from jinja2 import Environment

from why401 import __version__
from why401.evidence import Exchange
from why401.report import Diagnosis, Report
from why401.reports.view import harmless, view
from why401.secret import Redactor, Secret

_SHOWN_FIELDS = 24


def render(report: Report, redactor: Redactor) -> str:
    """The page without secrets; nothing in it is fetched from anywhere."""
    report = view(report, redactor)
    template = (files("why401.reports") / "report.html.jinja").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    tried = {experiment.exchange: experiment for experiment in report.experiments if experiment.exchange}
    proving = {number for d in report.diagnoses for n in d.causes if n.proof for number in n.proof.exchanges}
    exchanges = [
        _exchange(exchange, report, redactor, tried.get(exchange.number), exchange.number in proving)
        for exchange in (*report.evidence.exchanges, *report.tried)
    ]
    return environment.from_string(template).render(
        report=report,
        diagnoses=[_diagnosis(d) for d in report.diagnoses],
        exchanges=exchanges,
        version=__version__,
    )


def _diagnosis(diagnosis: Diagnosis) -> dict[str, Any]:
    first = diagnosis.causes[0]
    return {
        "first": first,
        "diagnosis": diagnosis,
        "title": first.cause.title.rstrip(".") if first.cause else "No cause that we know explains this",
        "id": first.cause.id if first.cause else "none of these",
        "healthy": first.cause is not None and first.cause.side == "none",
        "for": [pair for pair in first.findings if pair[1] > 0],
        "against": [pair for pair in first.findings if pair[1] < 0],
        "others": [n for n in diagnosis.causes[1:] if n.cause and n.probability >= 0.02],
    }


def _exchange(
    exchange: Exchange, report: Report, redactor: Redactor, experiment: Any, proving: bool
) -> dict[str, Any]:
    """One exchange for the timeline: its fields with the telling part marked."""
    response = exchange.response
    marks = _marks(exchange, report)
    good = exchange.status is not None and exchange.status < 400
    return {
        "x": exchange,
        "good": good,
        "proving": proving,
        "experiment": experiment,
        "request": [_field(f, marks, redactor) for f in list(exchange.request.fields)[:_SHOWN_FIELDS]],
        "response": [_field(f, marks, redactor) for f in list(response.fields)[:_SHOWN_FIELDS]]
        if response
        else [],
        "body": (response.body or "").strip()[:800] if response else "",
    }


def _marks(exchange: Exchange, report: Report) -> dict[str, list[tuple[int, int] | None]]:
    """Which fields of this exchange a finding for the leading cause points at, with the spans."""
    marks: dict[str, list[tuple[int, int] | None]] = {}
    for diagnosis in report.diagnoses:
        for finding, weight in diagnosis.causes[0].findings:
            where = finding.where
            if weight > 0 and where.exchange == exchange.number and where.field:
                marks.setdefault(where.field.lower(), []).append(where.span)
    return marks


def _field(field: Any, marks: dict[str, list[tuple[int, int] | None]], redactor: Redactor) -> dict[str, Any]:
    """A field as pieces `(text, marked)`; a span counts only in a value that is shown as it is."""
    shown = harmless(field.name, field.value, redactor)
    spans = marks.get(field.name.lower())
    if spans is None:
        return {"name": field.name, "pieces": [(shown, False)], "marked": False}
    span = next((s for s in spans if s), None)
    if span is None or isinstance(field.value, Secret) or span[1] > len(shown):
        return {"name": field.name, "pieces": [(shown, True)], "marked": True}
    start, stop = span
    pieces = [(shown[:start], False), (shown[start:stop], True), (shown[stop:], False)]
    return {"name": field.name, "pieces": pieces, "marked": True}
