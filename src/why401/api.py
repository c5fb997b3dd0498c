"""The Python API: the same flow as the command line.

report = why401.examine(Path("session.har"), "works with curl, fails in the browser")
report = why401.diagnose("https://api.example.com/orders", headers={"Authorization": f"Bearer {token}"})
print(report.diagnoses[0].causes[0].cause.id)
print(why401.render(report, "markdown"))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from why401.evidence import Evidence
from why401.report import Report

if TYPE_CHECKING:
    from why401.readers import Input

Given = str | bytes | PathLike[str] | Mapping[str, Any] | Evidence
Form = Literal["json", "markdown", "html", "sarif"]


def examine(*evidence: Given) -> Report:
    """Diagnose evidence; nothing is sent.

    Each piece is a text (`str`, `bytes`), a file or folder (`Path`), a loaded HAR (a mapping), or an `Evidence`.
    Input that cannot be read does not raise: the report's `notes` say what, where and what to do. A file that
    cannot be opened raises OSError.
    """
    from why401 import flow

    return flow.examine(_evidence(evidence))


def diagnose(
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    user: tuple[str, str] | None = None,
    auth: str = "basic",
    body: bytes | None = None,
    curl: Sequence[str] = (),
    evidence: Sequence[Given] = (),
    max_requests: int = 12,
    max_failed_logins: int = 2,
    replay_unsafe: bool = False,
    send_credentials_to: Sequence[str] = (),
    progress: Callable[[str], None] | None = None,
) -> Report:
    """Send a request as asked, and find out why it is refused.

    `user` is (name, password), sent by `auth` (basic, digest, ntlm, negotiate, anyauth); `curl` holds further
    options of curl's, such as `["--cacert", "ca.pem"]`. The budgets, and what may be repeated or sent elsewhere,
    are those of the command line. A target that cannot be reached does not raise: see `Report.unreachable`.
    Raises `why401.probes.from_curl.Unsendable` (a ValueError) for options that cannot be sent.
    """
    from why401 import live
    from why401.probes.from_curl import ask_of

    words = [*curl, "-X", method] if method != "GET" else list(curl)
    for name, value in (headers or {}).items():
        words += ["-H", f"{name}: {value}"]
    if user is not None:
        words += [f"--{auth}", "-u", ":".join(user)]
    ask = ask_of([*words, url], follow=True)
    if body is not None:
        from dataclasses import replace

        ask = replace(ask, body=body, method="POST" if method == "GET" else method)
    limits = live.Limits(max_requests, max_failed_logins, replay_unsafe, tuple(send_credentials_to))
    return live.diagnose(ask, _evidence(evidence), limits, say=progress or live.silent)


def render(report: Report, form: Form = "json") -> str:
    """The report as text without secrets, in one of the forms of the command line."""
    from why401 import reports

    renderers = {
        "json": reports.json,
        "markdown": reports.markdown,
        "html": reports.html,
        "sarif": reports.sarif,
    }
    return renderers[form](report, reports.redactor_for(report))


def lint(*paths: str | PathLike[str]) -> Report:
    """What will answer 401 unexpectedly in configuration and code, a diagnosis each; nothing is sent.

    Raises `why401.readers.files.Unopenable` (a ValueError) for a path that cannot be opened.
    """
    from why401 import layers, linting, readers
    from why401.readers.files import inputs

    return linting.lint(layers.read(readers.documents(inputs([str(path) for path in paths]))))


def _evidence(given: Sequence[Given]) -> Evidence:
    """All that was given as one: files are read together, since they name each other."""
    from why401 import readers

    whole = Evidence()
    inputs = [found for number, item in enumerate(given, 1) for found in _inputs(item, number)]
    for item in given:
        whole = whole + item if isinstance(item, Evidence) else whole
    return whole + readers.read(inputs)


def _inputs(item: Given, number: int) -> list[Input]:
    from why401.readers import Input
    from why401.readers.files import inputs

    if isinstance(item, Evidence):
        return []
    if isinstance(item, bytes):
        return [Input(f"evidence {number}", item)]
    if isinstance(item, str):
        return [Input(f"evidence {number}", item.encode("utf-8", "surrogateescape"))]
    if isinstance(item, Mapping):
        import json

        return [Input(f"evidence {number}", json.dumps(item).encode())]
    path = Path(item)
    return inputs([str(path)]) if path.is_dir() else [Input(str(path), path.read_bytes(), path)]
