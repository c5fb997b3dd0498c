"""Renders a report. Every text passes the redactor on its way out; nothing else removes secrets, so nothing
else may write a report.
"""

from __future__ import annotations

from why401.report import Report
from why401.secret import Redactor


def redactor_for(report: Report, *, show: bool = False) -> Redactor:
    """A redactor that knows every secret of the report's evidence and experiments."""
    from why401.evidence import Evidence

    return Redactor(report.evidence.secrets() | Evidence(exchanges=report.tried).secrets(), show=show)


def json(report: Report, redactor: Redactor) -> str:
    """The JSON report (see `schema.json`)."""
    from json import dumps

    from why401.reports.json_report import render

    return dumps(render(report, redactor), indent=1, ensure_ascii=False) + "\n"


def html(report: Report, redactor: Redactor) -> str:
    """One self-contained page."""
    from why401.reports.html_report import render

    return render(report, redactor)


def markdown(report: Report, redactor: Redactor) -> str:
    """Markdown, to paste in an issue."""
    from why401.reports.markdown_report import render

    return render(report, redactor)


def sarif(report: Report, redactor: Redactor) -> str:
    """SARIF 2.1.0, for code hosts and editors."""
    from json import dumps

    from why401.reports.sarif_report import render

    return dumps(render(report, redactor), indent=1, ensure_ascii=False) + "\n"


def terminal(
    report: Report,
    redactor: Redactor,
    *,
    width: int | None = None,
    color: bool | None = None,
    everything: bool = False,
) -> None:
    """Write to standard output for a person to read."""
    from why401.reports.terminal_report import write

    write(report, redactor, width=width, color=color, everything=everything)
