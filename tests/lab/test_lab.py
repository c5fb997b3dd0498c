"""Every lab case: the server really refuses as said, why401 names the directive, and its diff mends it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.lab.cases import CASES, Case, load, names
from tests.lab.staging import Staged, evidence, staged, write
from tests.live.servers import needs
from why401.cli.main import COMMANDS


@dataclass
class Answered:
    """What why401 said."""

    exit_status: int
    report: dict[str, Any]


@pytest.fixture(scope="module", params=names())
def stage(request: pytest.FixtureRequest) -> Iterator[Staged]:
    with base() as folder, staged(load(request.param), folder) as running:
        yield running


class base(tempfile.TemporaryDirectory[str]):
    """A folder that the servers' own users can reach, as pytest's are not."""

    def __init__(self) -> None:
        super().__init__(prefix="lab-", ignore_cleanup_errors=True)

    def __enter__(self) -> Path:  # type: ignore[override]
        return Path(super().__enter__()).resolve()


def status(stage: Staged, who: str = "legitimate") -> int:
    """The status that a request of somebody gets, by the real curl."""
    words = [needs("curl"), "-q", "-s", "-m", "20", "-o", os.devnull, "-w", "%{http_code}", *stage.curl(who)]
    said = subprocess.run(words, capture_output=True, text=True, env={"PATH": os.defpath}).stdout
    return int(said or 0)


def why401(*words: str | Path, home: Path) -> Answered:
    """Run why401 as a user does."""
    command = [sys.executable, "-m", "why401.cli.main", *map(str, words)]
    environment = os.environ | {"HOME": str(home), "NO_COLOR": "1"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=home, env=environment, timeout=60)
    assert "Traceback" not in done.stderr
    if "no configuration of a server or application" in done.stderr:
        pytest.skip("why401 reads none of these products' configuration")
    assert done.returncode in (0, 1), done.stderr
    return Answered(done.returncode, json.loads(done.stdout))


def diagnosed(stage: Staged) -> Answered:
    """The diagnosis of the legitimate request with what the case hands over; the logs hold just that request."""
    stage.clear_logs()
    status(stage)
    return why401("--json", *stage.evidence(), "curl", *stage.curl(), home=stage.base)


def test_answers(stage: Staged) -> None:
    """The servers refuse whom they should, and the legitimate request as the case says."""
    wanted = stage.case.request
    assert status(stage) in (wanted.accepts if stage.case.sound else (stage.case.expect.status,))
    if stage.case.sound:
        assert status(stage, "anonymous") in wanted.refused
        assert status(stage, "bogus") in wanted.refused


@pytest.fixture
def judged(stage: Staged, request: pytest.FixtureRequest) -> Staged:
    """The stage of a test that may fail where the case says what is pending."""
    if stage.case.pending:
        request.applymarker(pytest.mark.xfail(reason=stage.case.pending, strict=False))
    return stage


def test_diagnosis(judged: Staged) -> None:
    answered, stage = diagnosed(judged), judged
    best, expect = answered.report["causes"][0], stage.case.expect
    if stage.case.sound:
        assert answered.exit_status == 0, best
        return
    assert best["id"] in expect.causes
    if expect.proved is not None:
        assert best["proved"] is expect.proved
    if expect.file:
        assert strongest_place(best, stage.base) == (expect.file, stage.line())


def strongest_place(cause: dict[str, Any], folder: Path) -> tuple[str, int] | None:
    """File and line of the strongest finding that stands in a configuration or in code, not in a log."""
    for finding in sorted(cause["findings"], key=lambda finding: -finding["weight"]):
        where = finding["where"] or {}
        source = Path(folder, where.get("source") or "")
        if where.get("line") and source.is_file() and folder / "log" not in source.parents:
            return str(source.relative_to(folder)), where["line"]
    return None


def test_mending(judged: Staged) -> None:
    """The report's diff lets the legitimate request in and nobody else. Comes last: it changes the folder."""
    stage = judged
    if stage.case.expect.fix == "apply":
        words = ["--apply", "--json", *stage.evidence(), "curl", *stage.curl()]
        answered = why401(*words, home=stage.base)
        assert answered.report["applied"]["outcome"] == "mended", answered.report["applied"]
        mended(stage)
        return
    if stage.case.expect.fix != "diff":
        return
    fixes = diagnosed(stage).report["causes"][0]["fix"]
    diff = next((fix["diff"] for fix in fixes if fix.get("diff")), None)
    assert diff, f"no diff among {fixes}"
    apply(diff, stage.base)
    stage.restart()
    mended(stage)


def mended(stage: Staged) -> None:
    """The legitimate request is let in, and nobody else."""
    assert status(stage) in stage.case.request.accepts
    assert status(stage, "anonymous") in stage.case.request.refused
    assert status(stage, "bogus") in stage.case.request.refused


def apply(diff: str, folder: Path) -> None:
    """Apply a diff whose names are absolute paths after `a/` and `b/`; it may touch nothing but the case's files."""
    touched = [line.split("\t")[0][6:] for line in diff.splitlines() if line.startswith(("--- a/", "+++ b/"))]
    assert touched, diff
    assert all(folder in Path("/", name).resolve().parents for name in touched), touched
    done = subprocess.run(
        [needs("patch"), "-p1", "-d", "/", "--fuzz=0", "--forward"],
        input=diff,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def sound() -> list[str]:
    return [name for name in names() if load(name).sound]


@pytest.mark.skipif("lint" not in COMMANDS, reason="this why401 has no command lint")
@pytest.mark.parametrize("name", sound())
def test_sound_files_raise_no_alarm(name: str) -> None:
    case: Case = load(name)
    with base() as folder:
        write(case, folder, list(range(8001, 8001 + len(case.servers))))
        paths = [path for path in evidence(case, folder) if path.is_dir()]
        answered = why401("lint", "--json", *paths, home=folder)
    assert answered.exit_status == 0, answered.report


def test_every_folder_is_a_case() -> None:
    assert sorted(path.name for path in CASES.glob("[a-z]*/")) == names()
