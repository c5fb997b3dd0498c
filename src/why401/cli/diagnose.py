"""The main command: evidence and requests in, a report out."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from why401.cli.arguments import Arguments, Usage, parse
from why401.evidence import Evidence
from why401.report import Report

if TYPE_CHECKING:
    from why401.cli.logs import Tails
    from why401.experiments.login_again import Login
    from why401.probes.ask import Ask


def main(words: Sequence[str]) -> int:
    """Diagnose what is given; returns the exit status."""
    try:
        arguments = parse(words)
        report = _report(arguments)
        return _write(report, arguments)
    except Usage as problem:
        print(f"why401: {problem}", file=sys.stderr)
        return 2


def _report(arguments: Arguments) -> Report:
    from why401 import flow, readers
    from why401.cli.logs import Tails
    from why401.readers.files import Unopenable, inputs

    names = arguments.files
    if not names and not arguments.curl:
        if sys.stdin.isatty():
            raise Usage("Nothing to look at; name a URL or a file, or see why401 --help.")
        names = ["-"]
    try:
        given = inputs(names)
    except Unopenable as problem:
        raise Usage(str(problem)) from None
    sends = bool(arguments.curl) and "--offline" not in arguments.flags
    tails = Tails(given if sends else ())
    evidence = readers.read(tails.others if sends else given)
    if given and len(evidence.unreadable) == len(given) and not arguments.curl:
        raise Usage(evidence.unreadable[0].says)
    if "--apply" in arguments.flags and (not arguments.curl or "--offline" in arguments.flags):
        raise Usage(
            "--apply sends the request to see whether the fix helps; it needs a URL, and no --offline."
        )
    if arguments.curl and "--offline" not in arguments.flags:
        return _live(arguments, evidence, tails)
    if arguments.curl:
        evidence = evidence + _typed(arguments)
    if "--live" in arguments.flags and "--offline" not in arguments.flags and evidence.refused:
        return _again(arguments, evidence)
    return flow.examine(evidence)


def _typed(arguments: Arguments) -> Evidence:
    """The request as typed, as evidence, where nothing may be sent."""
    import shlex

    from why401 import readers

    line = "curl " + shlex.join(arguments.curl)
    return readers.read_one(readers.Input("argument", line.encode("utf-8", "surrogateescape")))


def _live(arguments: Arguments, evidence: Evidence, tails: Tails) -> Report:
    """Send what was typed as an argument."""
    from why401.probes.from_curl import Unsendable, ask_of

    try:
        ask = ask_of(arguments.curl, follow=None if arguments.as_curl else True)
    except Unsendable as problem:
        raise Usage(str(problem)) from None
    report = _diagnose(arguments, ask, evidence, tails.read)
    return _applied(report, ask, arguments) if "--apply" in arguments.flags else report


def _applied(report: Report, ask: Ask, arguments: Arguments) -> Report:
    """The report with what became of its fix, which is carried out on the owner's files."""
    from dataclasses import replace

    from why401 import applying
    from why401.report import Applied

    try:
        done = applying.apply(
            report,
            ask,
            reload=arguments.value("--reload") or "",
            allow_open="--allow-open" in arguments.flags,
        )
    except applying.Refused as problem:
        done = Applied("refused", f"Nothing was changed: {problem}")
    return replace(report, applied=done, notes=(*report.notes, done.says))


def _again(arguments: Arguments, evidence: Evidence) -> Report:
    """Ask again what a file shows to have failed; only with --live."""
    from why401.probes.ask import Ask

    last = evidence.refused[-1].request
    if not last.url or not last.url.startswith("http"):
        raise Usage("--live: the evidence names no whole URL; type the URL as an argument.")
    left_out = {"host", "content-length", "connection", "accept-encoding"}
    fields = tuple(
        (f.name, f.text) for f in last.fields if f.name.lower() not in left_out and f.name[:1] != ":"
    )
    body = last.body.encode() if last.body and last.method not in ("GET", "HEAD") else None
    return _diagnose(arguments, Ask(last.url, last.method or "GET", fields, body, follow=False), evidence)


def _diagnose(
    arguments: Arguments, ask: Ask, evidence: Evidence, later: Callable[[], Evidence] = Evidence
) -> Report:
    from why401 import live

    limits = live.Limits(
        arguments.number("--max-requests", 12),
        arguments.number("--max-failed-logins", 2),
        "--replay-unsafe" in arguments.flags,
        tuple(arguments.values.get("--send-credentials-to", ())),
        _web_address(arguments, "--origin"),
        arguments.value("--via") or "",
        _login(arguments),
    )
    stopped = _stop_on_interrupt()
    progress = Progress(enabled=sys.stderr.isatty() and "--quiet" not in arguments.flags)
    try:
        return live.diagnose(ask, evidence, limits, say=progress, stop=stopped, later=later)
    finally:
        progress.clear()


def _web_address(arguments: Arguments, option: str) -> str:
    """A URL that was typed after an option, or an empty text; raises Usage for anything else."""
    url = arguments.value(option) or ""
    if url and not url.startswith(("http://", "https://")):
        raise Usage(f"{option} takes a URL that begins with http:// or https://.")
    return url


def _login(arguments: Arguments) -> Login | None:
    """How a new token is had, where the user says where; raises Usage where it is said by half."""
    from why401.experiments.login_again import Login
    from why401.secret import Secret

    url = _web_address(arguments, "--token-url")
    secret, refresh = arguments.value("--client-secret"), arguments.value("--refresh-token")
    if not url:
        named = next(
            (o for o in ("--client-id", "--client-secret", "--refresh-token") if arguments.value(o)), ""
        )
        if named:
            raise Usage(f"{named} needs --token-url, which says where a new token is had.")
        return None
    if not (refresh or secret):
        raise Usage("--token-url needs --refresh-token, or --client-id and --client-secret.")
    return Login(
        url,
        arguments.value("--client-id") or "",
        Secret(secret) if secret else None,
        Secret(refresh) if refresh else None,
    )


def _stop_on_interrupt() -> Callable[[], bool]:
    """Ctrl-C ends the sending and keeps what is known; a second Ctrl-C ends the program."""
    pressed: list[int] = []

    def note(number: int, _: object) -> None:
        pressed.append(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, note)
    return lambda: bool(pressed)


class Progress:
    """One line on standard error that says what is being done, and goes away."""

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled

    def __call__(self, text: str) -> None:
        if self._enabled:
            print(f"\r\033[K… {text}"[:110], end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self._enabled:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _write(report: Report, arguments: Arguments) -> int:
    """Write the report in the forms that were asked for; returns the exit status."""
    from why401 import reports

    redactor = reports.redactor_for(report, show="--show-secrets" in arguments.flags)
    target = arguments.value("--html")
    if target:
        try:
            Path(target).write_text(reports.html(report, redactor), encoding="utf-8")
        except OSError as problem:
            raise Usage(f"{target}: cannot be written ({problem.strerror}).") from None
    for flag, render in (
        ("--json", reports.json),
        ("--markdown", reports.markdown),
        ("--sarif", reports.sarif),
    ):
        if flag in arguments.flags:
            sys.stdout.write(render(report, redactor))
            return report.exit_status
    width = arguments.number("--width", 0) or None
    color = False if "--no-color" in arguments.flags else None
    reports.terminal(report, redactor, width=width, color=color, everything="--all" in arguments.flags)
    return report.exit_status
