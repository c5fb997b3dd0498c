"""The report as Markdown, to paste in an issue."""

from __future__ import annotations

from collections.abc import Iterator

from why401.report import Diagnosis, Fix, Named, Report
from why401.reports.view import harmless, view
from why401.secret import Redactor


def render(report: Report, redactor: Redactor) -> str:
    """The report as Markdown without secrets."""
    report = view(report, redactor)
    lines = [line for diagnosis in report.diagnoses for line in _diagnosis(diagnosis, report, redactor)]
    lines += [f"> {_inline(note)}" for note in (report.unreachable, *report.notes) if note]
    return "\n".join(lines).rstrip() + "\n"


def _inline(text: str) -> str:
    """Text that can't turn into markup: one line, with Markdown's and HTML's signs escaped."""
    flat = " ".join(text.split())
    for sign in "\\`*_[]<>|":
        flat = flat.replace(sign, "\\" + sign)
    return flat


def _code(text: str) -> str:
    """A code span or a fenced block that its own content cannot close."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text}\n{fence}"


def _diagnosis(diagnosis: Diagnosis, report: Report, redactor: Redactor) -> Iterator[str]:
    first = diagnosis.causes[0]
    title = first.cause.title.rstrip(".") if first.cause else "No cause that we know explains this"
    sure = "**proved**" if first.proof else f"{min(first.probability, 0.99):.0%} sure"
    yield f"## {_inline(title)}"
    yield ""
    subject = " ".join(
        filter(None, (str(diagnosis.status or ""), diagnosis.subject.host, diagnosis.subject.route))
    )
    ident = first.cause.id if first.cause else "none of these"
    yield " · ".join(filter(None, (_inline(subject), f"`{ident}`", f"side: {diagnosis.side}", sure)))
    yield ""
    yield from _findings(first)
    if first.proof:
        yield from _proof(first, report, redactor)
    yield from _fixes("How to mend it", first.fix)
    yield from _others(diagnosis)
    yield from _fixes("Next step", tuple(Fix(step.says, step.command) for step in diagnosis.next))
    if diagnosis.ruled_out:
        yield from ("### Ruled out", "")
        yield from (f"- `{item.cause}`: {_inline(item.says)}" for item in diagnosis.ruled_out)
        yield ""


def _findings(first: Named) -> Iterator[str]:
    counted = [(finding, weight) for finding, weight in first.findings if weight > 0]
    if not counted:
        return
    yield from ("### Because", "")
    for finding, weight in counted:
        where = finding.where
        line = f":{where.line}" if where.line else ""
        place = f" (`{where.source}{line}`)" if where.source and where.source != "live" else ""
        yield f"- {_inline(finding.says)}{place} _{weight:+.0f} dB_"
    yield ""


def _proof(first: Named, report: Report, redactor: Redactor) -> Iterator[str]:
    assert first.proof is not None
    by_number = {x.number: x for x in (*report.evidence.exchanges, *report.tried)}
    yield from ("### Proof", "", _inline(first.proof.says), "")
    for exchange in (by_number[n] for n in first.proof.exchanges if n in by_number):
        request = exchange.request
        fields = [
            f"{f.name}: {harmless(f.name, f.value, redactor)}"
            for f in request.fields
            if f.name.lower() in ("authorization", "cookie")
        ]
        yield _code("\n".join([f"{request.method} {request.url}", *fields, f"→ {exchange.status}"]))
    yield ""


def _fixes(heading: str, fixes: tuple[Fix, ...]) -> Iterator[str]:
    if not fixes:
        return
    yield from (f"### {heading}", "")
    for fix in fixes:
        yield f"- {_inline(fix.says)}"
        yield from ("\n" + _code(block) for block in (fix.command, fix.diff) if block)
    yield ""


def _others(diagnosis: Diagnosis) -> Iterator[str]:
    others = [named for named in diagnosis.causes[1:] if named.cause and named.probability >= 0.05]
    if others and not diagnosis.causes[0].proof:
        yield from ("### Also possible", "")
        yield from (
            f"- {n.probability:.0%} `{n.cause.id}`: {_inline(n.cause.title)}" for n in others if n.cause
        )
        yield ""
