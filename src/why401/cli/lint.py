"""`why401 lint PATH …`: what will answer 401 unexpectedly or lose credentials, for CI and pre-commit.

Nothing is sent. One line a finding, as compilers write them: `file:line: what [cause]`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from why401.cli.arguments import Usage
from why401.report import Diagnosis, Report
from why401.secret import Redactor

if TYPE_CHECKING:
    from why401.readers import Input

HELP = """\
why401 lint PATH …   read configuration and code, and report what will answer 401 unexpectedly

PATH is a file or a folder (/etc/nginx, a project); includes are followed as the server follows them.
--json  --sarif  --markdown   other forms    --diff  show the diffs that mend it    --show-secrets

Exit status: 0 nothing found, 1 something found, 2 wrong usage or nothing that could be read.
"""
FORMS = ("--json", "--sarif", "--markdown")
FLAGS = (*FORMS, "--diff", "--show-secrets")


def main(words: Sequence[str]) -> int:
    """Lint what is named; returns the exit status."""
    if not words or set(words) & {"--help", "-h"}:
        print(HELP, end="")
        return 0 if words else 2
    try:
        report = _report([word for word in words if word not in FLAGS])
    except Usage as problem:
        print(f"why401: {problem}", file=sys.stderr)
        return 2
    _write(report, set(words))
    return report.exit_status


def _report(paths: Sequence[str]) -> Report:
    from why401 import layers, readers
    from why401.linting import lint
    from why401.readers.files import Unopenable, inputs

    unknown = next((path for path in paths if path.startswith("-") and path != "-"), None)
    if unknown or not paths:
        raise Usage(f"lint has no option {unknown}." if unknown else "Name a file or a folder to lint.")
    try:
        given = inputs(paths)
        evidence = layers.read(readers.documents(given), sure=True)
    except Unopenable as problem:
        raise Usage(str(problem)) from None
    if not evidence.layers:
        reason = next((item.says for item in evidence.unreadable), "") or _unreadable(given)
        name = "standard input" if paths[0] == "-" else paths[0]
        raise Usage(
            reason
            or f"{name}: no configuration of a server or application that why401 reads was found there."
        )
    return lint(evidence)


def _unreadable(given: Sequence[Input]) -> str:
    """Why nothing of what was named can be read, in a sentence; empty where something can."""
    from why401.readers import kinds

    problems = [item.problem or kinds.unreadable(item.data) for item in given]
    first = given[0]
    return (first.problem or f"{first.name}: {problems[0]}") if all(problems) else ""


def _write(report: Report, flags: set[str]) -> None:
    from why401 import reports

    redactor = reports.redactor_for(report, show="--show-secrets" in flags)
    renderers = {"--json": reports.json, "--sarif": reports.sarif, "--markdown": reports.markdown}
    for flag in FORMS:
        if flag in flags:
            sys.stdout.write(renderers[flag](report, redactor))
            return
    for line in _lines(report, redactor, diffs="--diff" in flags):
        print(line)


def _lines(report: Report, redactor: Redactor, *, diffs: bool) -> Iterator[str]:
    from why401.reports.view import view

    for diagnosis in view(report, redactor).diagnoses:
        if diagnosis.side != "none":
            yield from _finding(diagnosis, diffs=diffs)
    for note in report.notes:
        print(redactor.clean(note), file=sys.stderr)


def _finding(diagnosis: Diagnosis, *, diffs: bool) -> Iterator[str]:
    named = diagnosis.causes[0]
    for finding, _ in named.findings:
        where = finding.where
        yield f"{where.source}:{where.line or 1}: {finding.says} [{named.cause.id if named.cause else ''}]"
    for fix in named.fix:
        if fix.says:
            yield f"    mend: {fix.says}"
        if diffs and fix.diff:
            yield from (f"    {line}" for line in fix.diff.splitlines())
