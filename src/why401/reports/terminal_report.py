"""The report for a terminal: verdict, proof, mend, what was ruled out, readable in five seconds."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from why401.findings import Finding
from why401.report import Diagnosis, Fix, Named, Report
from why401.reports.view import harmless, view
from why401.secret import Redactor

NARROWEST, WIDEST = 40, 100
SUREST = 0.99  #: what is not proved is never called certain
_SIDES = {
    "client": "on the client's side",
    "server": "on the server's side",
    "between": "between client and server",
    "none": "nothing is wrong",
}


def write(
    report: Report,
    redactor: Redactor,
    *,
    width: int | None = None,
    color: bool | None = None,
    everything: bool = False,
) -> None:
    """Write the report to standard output. `color` None follows the terminal and NO_COLOR."""
    report = view(report, redactor)
    console = Console(
        width=width,
        no_color=color is False or None,
        highlight=False,
        soft_wrap=False,
        emoji=False,
        markup=False,
    )
    console.width = max(NARROWEST, min(console.width, width or WIDEST))
    plain = not _speaks_unicode()
    with console.capture() as capture:
        for diagnosis in report.diagnoses:
            for block in _blocks(diagnosis, report, redactor, everything=everything):
                console.print(block)
        for note in _notes(report):
            console.print(Text(note, style="dim"))
    text = capture.get()
    sys.stdout.write(_ascii(text) if plain else text)


def _speaks_unicode() -> bool:
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower()
    return encoding.replace("-", "").startswith("utf")


_ASCII = str.maketrans(
    {"•": "*", "…": "...", "→": "->", "✓": "ok", "✗": "x", "—": "-", "–": "-", "’": "'", "·": "-"}
)


def _ascii(text: str) -> str:
    return text.translate(_ASCII).encode("ascii", "replace").decode()


def _blocks(
    diagnosis: Diagnosis, report: Report, redactor: Redactor, *, everything: bool
) -> Iterator[RenderableType]:
    first = diagnosis.causes[0]
    yield _headline(diagnosis, first, report)
    yield _because(first, everything=everything)
    if first.proof:
        yield from _proof(first, report, redactor)
    if first.fix:
        yield Text("\nHow to mend it", style="bold")
        for fix in first.fix[: None if everything else 3]:
            yield _fix(fix)
    yield from _others(diagnosis, everything=everything)
    yield Text("")


def _headline(diagnosis: Diagnosis, first: Named, report: Report) -> RenderableType:
    cause = first.cause
    subject = diagnosis.subject
    place = " ".join(
        filter(None, (str(diagnosis.status or ""), "from" if subject.host else "", subject.host or ""))
    )
    if report.unreachable:
        return Text(report.unreachable, style="bold red")
    title = cause.title.rstrip(".") if cause else "No cause that we know explains this"
    style = "bold green" if cause and cause.side == "none" else "bold red" if first.proof else "bold yellow"
    sure = "proved" if first.proof else f"{min(first.probability, SUREST):.0%} sure"
    line = Text()
    line.append(f"{place}\n" if place else "", "dim")
    line.append(f"{title}\n", style)
    ident = cause.id if cause else "none of these"
    side = _SIDES.get(cause.side, "") if cause else "see the next steps"
    line.append(" · ".join(filter(None, (ident, side, sure))), "dim")
    return line


def _because(first: Named, *, everything: bool) -> RenderableType:
    shown = [pair for pair in first.findings if not (first.proof and pair[0].id.startswith("proved-by-"))]
    counted = [pair for pair in shown if pair[1] > 0 or everything]
    rows = [
        _finding(finding, weight, everything=everything)
        for finding, weight in counted[: None if everything else 4]
    ]
    if not rows:
        rows = [Text("Nothing in the evidence says more; see the next steps.")]
    return Group(Text("\nBecause", style="bold"), *rows)


def _finding(finding: Finding, weight: float, *, everything: bool) -> RenderableType:
    where = finding.where
    place = where.source if where.source not in ("", "live") else ""
    place += f":{where.line}" if place and where.line else ""
    text = Text(f"• {finding.says}")
    if place:
        text.append(f"  ({place})", "dim")
    if everything:
        text.append(f"  {weight:+.0f} dB  {finding.id}", "dim")
    return Padding(text, (0, 0, 0, 2))


def _proof(first: Named, report: Report, redactor: Redactor) -> Iterator[RenderableType]:
    assert first.proof is not None
    yield Text("\nProof", style="bold")
    by_number = {exchange.number: exchange for exchange in (*report.evidence.exchanges, *report.tried)}
    for number in first.proof.exchanges:
        exchange = by_number.get(number)
        if exchange is None:
            continue
        good = exchange.status is not None and exchange.status < 400
        line = Text("  ")
        line.append("✓" if good else "✗", "green" if good else "red")
        line.append(f" {exchange.status}  {exchange.request.method} {exchange.request.url}")
        for field in exchange.request.fields:
            if (
                field.name.lower() in ("authorization", "cookie", "user-agent")
                and field.name.lower() != "user-agent"
            ):
                line.append(f"\n        {field.name}: {harmless(field.name, field.value, redactor)}", "dim")
        yield line
    yield Padding(Text(first.proof.says), (0, 0, 0, 2))


def _fix(fix: Fix) -> RenderableType:
    parts: list[RenderableType] = [Text(f"• {fix.says}")]
    for block in (fix.command, fix.diff):
        if block:
            parts.append(Padding(Text(block, style="cyan"), (0, 0, 0, 4)))
    return Padding(Group(*parts), (0, 0, 0, 2))


def _others(diagnosis: Diagnosis, *, everything: bool) -> Iterator[RenderableType]:
    first = diagnosis.causes[0]
    others = [named for named in diagnosis.causes[1:] if named.cause and named.probability >= 0.05]
    if others and not first.proof:
        yield Text("\nAlso possible", style="bold")
        for named in others[: None if everything else 3]:
            title = named.cause.title.rstrip(".") if named.cause else ""
            yield Padding(Text(f"• {named.probability:.0%}  {title}"), (0, 0, 0, 2))
    if diagnosis.next:
        yield Text("\nNext step", style="bold")
        for step in diagnosis.next[: None if everything else 1]:
            yield _fix(Fix(step.says, step.command))
    if diagnosis.ruled_out:
        yield Text("\nRuled out", style="bold")
        for item in diagnosis.ruled_out[: None if everything else 3]:
            yield Padding(Text(f"• {item.cause}: {item.says}", style="dim"), (0, 0, 0, 2))


def _notes(report: Report) -> Iterator[str]:
    yield from report.notes
