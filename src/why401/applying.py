"""Carries out a fix on the owner's files, and takes it back unless it mends without opening the door.

Before anything is written each file is copied beside itself. Files are written in place, so owner, mode, links
and ACLs stay. Then the server's own syntax check is asked, it is told to read its configuration anew, and three
requests decide: the original has to reach the protected answer, and a request without credentials and one with a
bogus credential have to be refused as before. Whatever fails, the files are put back as they were.
"""

from __future__ import annotations

import dataclasses
import secrets
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from why401.diffs import by_document, edited
from why401.evidence import Exchange
from why401.experiments.denied import denied, reached
from why401.layers.model import Layer
from why401.layers.tree import Document
from why401.probes import follow, wire
from why401.probes.ask import Ask, is_credential_field
from why401.report import Applied, Fix, Report
from why401.secret import Secret

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PATIENCE = (0.6, 1.5, 4.0)  # seconds before each look at the original after a reload
LONGEST = 60.0  # seconds that a server's command may take


class Refused(Exception):
    """The fix is not carried out; the message is one sentence that says why."""


@dataclass(frozen=True)
class Answers:
    """What three requests got: the original, one without credentials, one with a bogus credential."""

    own: Exchange | None
    nobody: Exchange | None
    bogus: Exchange | None


def apply(report: Report, ask: Ask, *, reload: str = "", allow_open: bool = False) -> Applied:
    """Carry out the first fix of the first cause that has edits. Raises Refused where nothing was written."""
    fix = _fix(report, allow_open=allow_open)
    if not ask.safe:
        raise Refused(f"--apply repeats the request, and {ask.method} is not safe to repeat.")
    layers = _layers(report, fix)
    before = _look(ask)
    if reached(before.own):
        raise Refused("The request succeeds by now, so there is nothing to mend.")
    backups = _write(fix)
    try:
        problem = _checked(layers) or _reloaded(layers, reload) or _judged(ask, before, fix)
    except BaseException:
        _restore(backups)
        _reloaded(layers, reload)
        raise
    if not problem:
        says = f"Applied: {fix.says} The request succeeds now; others are refused as before."
        return Applied("mended", says, tuple(str(path) for path in backups))
    _restore(backups)
    again = _reloaded(layers, reload)
    return Applied(
        "rolled-back", f"{problem} The files are as they were{f', but: {again}' if again else ''}.", ()
    )


def _fix(report: Report, *, allow_open: bool) -> Fix:
    fixes = [fix for fix in report.diagnoses[0].causes[0].fix if fix.edits]
    if not fixes:
        raise Refused("No fix of the first cause is a change of the files that were given.")
    fitting = [fix for fix in fixes if allow_open or not fix.opens]
    if not fitting:
        raise Refused(f"The fix opens {fixes[0].opens} to everybody; --allow-open allows that.")
    return fitting[0]


def _layers(report: Report, fix: Fix) -> list[Layer]:
    """The layers whose files the fix changes: those that read them, else all that could have."""
    names = {edit.document.name for edit in fix.edits}
    held = report.evidence.layers
    return [layer for layer in held if layer.root.name in names or layer.whole & names] or list(held)


def _look(ask: Ask) -> Answers:
    return Answers(_send(ask), _send(ask.anonymous()), _send(bogus(ask)))


def _send(ask: Ask) -> Exchange | None:
    try:
        return (follow.ask_through(ask) or (None,))[-1]
    except wire.Unreachable:
        return None


def bogus(ask: Ask) -> Ask:
    """The same request with a made-up credential in each place; the user is made up too, so none is locked out."""
    made_up = secrets.token_hex(8)
    bare = ask.anonymous()
    if ask.user is not None:
        return dataclasses.replace(bare, user=Secret(f"nobody-{made_up[:6]}:{made_up}"), auth=ask.auth)
    fields = tuple(
        (name, _bogus_value(value, made_up)) for name, value in ask.fields if is_credential_field(name)
    )
    if ask.bearer is not None or not fields:
        fields = (*fields, ("Authorization", f"Bearer {made_up}"))
    return dataclasses.replace(bare, fields=(*bare.fields, *fields))


def _bogus_value(value: str, made_up: str) -> str:
    import base64

    scheme, space, _ = value.partition(" ")
    if scheme.lower() == "basic":
        pair = f"nobody-{made_up[:6]}:{made_up}".encode()
        return f"{scheme} {base64.b64encode(pair).decode()}"
    if "=" in value and not space:
        return f"{value.partition('=')[0]}={made_up}"
    return f"{scheme} {made_up}" if space else made_up


def _write(fix: Fix) -> dict[Path, bytes]:
    """Write the edits in place after a copy of each file; the bytes that were there, by path."""
    written: dict[Path, bytes] = {}
    try:
        for document, edits in by_document(fix.edits).items():
            path = _path(document)
            was = path.read_bytes()
            if was.decode(document.encoding, "surrogateescape") != document.text:
                raise Refused(f"{document.name} has changed since it was read; run why401 again.")
            shutil.copy2(path, _backup(path))
            written[path] = was
            _put(path, edited(document, edits).encode(document.encoding))
    except OSError as problem:
        _restore(written)
        raise Refused(f"{problem.filename}: cannot be written ({problem.strerror}).") from None
    except Refused:
        _restore(written)
        raise
    return written


def _path(document: Document) -> Path:
    if document.path is None:
        raise Refused(f"{document.name} did not come from a file on this disk.")
    return document.path.resolve()


def _backup(path: Path) -> Path:
    return path.with_name(f"{path.name}.{time.strftime('%Y%m%dT%H%M%S')}.why401-backup")


def _put(path: Path, data: bytes) -> None:
    """Write in place: a new file in its stead would lose owner, ACLs and hard links."""
    with path.open("r+b") as file:
        file.write(data)
        file.truncate()


def _restore(written: dict[Path, bytes]) -> None:
    for path, was in written.items():
        _put(path, was)
        for copy in path.parent.glob(f"{path.name}.*.why401-backup"):
            if copy.read_bytes() == was:
                copy.unlink()


def _checked(layers: Sequence[Layer]) -> str:
    """What the servers' own syntax checks say against the change; "" for nothing."""
    for layer in layers:
        said = _run(layer.commands()[0])
        if said:
            return f"The fix was taken back, since {layer.hop} does not accept it: {said}."
    return ""


def _reloaded(layers: Sequence[Layer], command: str) -> str:
    """Tell the servers to read their configuration anew; what went wrong, or ""."""
    if command:
        said = _run(("sh", "-c", command))
        return f"The command to reload failed: {said}." if said else ""
    for layer in layers:
        said = _run(layer.commands()[1])
        if said:
            return f"{layer.hop} could not be told to read its configuration anew ({said}); --reload COMMAND says how."
    return ""


def _run(command: Sequence[str]) -> str:
    """Run a server's command where it is installed; the last line of what it says where it fails, else ""."""
    import os

    program = (
        shutil.which(command[0], path=f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}") if command else None
    )
    if program is None:
        return ""
    try:
        done = subprocess.run(
            [program, *command[1:]], capture_output=True, text=True, timeout=LONGEST, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        return str(problem)
    said = (done.stderr or done.stdout).strip().splitlines()
    lines = [line for line in said if "[emerg]" in line or "rror" in line] or said
    return (lines[-1] if lines else f"status {done.returncode}") if done.returncode else ""


def _judged(ask: Ask, before: Answers, fix: Fix) -> str:
    """Why the fix does not count, in one sentence; "" where it does."""
    own: Exchange | None = None
    for seconds in PATIENCE:
        time.sleep(seconds)
        own = _send(ask)
        if reached(own):
            break
    if not reached(own):
        status = own.status if own else "no answer"
        return f"The fix was taken back, since the request still gets {status}."
    if fix.opens:
        return ""
    for who, was, now in (
        ("without credentials", before.nobody, _send(ask.anonymous())),
        ("with a bogus credential", before.bogus, _send(bogus(ask))),
    ):
        if denied(was) and not denied(now):
            status = now.status if now else "no answer"
            return f"The fix was taken back, since it opens the door: a request {who} then got {status}."
    return ""
