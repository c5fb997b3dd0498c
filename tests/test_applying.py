# ruff: noqa: E501
"""A fix on real files of a real nginx: mended, or everything is as it was."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.live.servers import free_port, needs, running
from why401 import applying, layers, linting
from why401.evidence import Evidence
from why401.layers import Document
from why401.layers.model import Edit
from why401.probes.from_curl import ask_of
from why401.report import Fix, Report

HASH = "alice:{PLAIN}wonderland\n"


@contextmanager
def site(folder: Path, location: str) -> Iterator[tuple[Path, str]]:
    program, port = needs("nginx"), free_port()
    (folder / "index.html").write_text("protected\n")
    (folder / "htpasswd").write_text(HASH)
    conf = folder / "nginx.conf"
    conf.write_text(
        f"{'user root;' if os.geteuid() == 0 else ''} daemon off; pid {folder}/pid; error_log {folder}/error.log;\nevents {{}}\nhttp {{\naccess_log off;\n"
        f"server {{\nlisten 127.0.0.1:{port};\nroot {folder};\nlocation / {{\n{location}\n}}\n}}\n}}\n"
    )
    command = [program, "-p", str(folder), "-e", str(folder / "e.log"), "-c", str(conf)]
    with running(command, f"http://127.0.0.1:{port}/index.html", folder) as url:
        yield conf, url


def document(path: Path) -> Document:
    return Document.of(str(path), path.read_bytes(), path)


def report(conf: Path, *fixes: Fix) -> Report:
    found = linting.lint(layers.read([document(conf)]))
    first = found.diagnoses[0]
    named = replace(first.causes[0], fix=fixes)
    whole = Evidence(layers=found.evidence.layers)
    return Report((replace(first, causes=(named,)),), whole)


def line(path: Path, old: str, *new: str, **rest: str) -> Fix:
    held = document(path)
    at = next(n for n, text in enumerate(held.lines, 1) if old in text)
    return Fix("Mend it.", edits=(Edit(held, at, at, new),), **rest)  # type: ignore[arg-type]


LOGIN = 'auth_basic "a";\nauth_basic_user_file htpasswdd;'
USER = ["-u", "alice:wonderland"]


def test_mended_in_place(tmp_path: Path) -> None:
    with site(tmp_path, LOGIN) as (conf, url):
        conf.chmod(0o640)
        os.link(conf, tmp_path / "hard")
        linked = tmp_path / "link.conf"
        linked.symlink_to(conf)
        fix = line(linked, "htpasswdd", "auth_basic_user_file htpasswd;")
        done = applying.apply(report(conf, fix), ask_of([*USER, url]))
        assert done.outcome == "mended", done
        assert linked.is_symlink()
        assert stat.S_IMODE(conf.stat().st_mode) == 0o640
        assert (tmp_path / "hard").read_text() == conf.read_text()
        (copy,) = tmp_path.glob("*.why401-backup")
        assert "htpasswdd" in copy.read_text()


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("htpasswdd", "auth_basic_user_file other;", "still gets 403"),
        ("auth_basic ", "auth_basic off;", "opens the door"),
        ("htpasswdd", "auth_basic_user_file {", "does not accept it"),
    ],
    ids=["same", "opens", "syntax"],
)
def test_taken_back(tmp_path: Path, old: str, new: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "PATIENCE", (0.5,))
    with site(tmp_path, LOGIN) as (conf, url):
        before = conf.read_bytes()
        done = applying.apply(report(conf, line(conf, old, new)), ask_of([*USER, url]))
        assert done.outcome == "rolled-back"
        assert why in done.says
        assert conf.read_bytes() == before
        assert not list(tmp_path.glob("*.why401-backup"))


def test_refused_before_anything_is_written(tmp_path: Path) -> None:
    with site(tmp_path, LOGIN) as (conf, url):
        fix, before = line(conf, "htpasswdd", "auth_basic_user_file htpasswd;"), conf.read_bytes()
        for found, ask, why in (
            (report(conf), ask_of([url]), "No fix"),
            (report(conf, replace(fix, opens="/x")), ask_of([url]), "--allow-open"),
            (report(conf, fix), ask_of(["-X", "POST", url]), "not safe"),
        ):
            with pytest.raises(applying.Refused, match=why):
                applying.apply(found, ask)
        conf.write_bytes(before + b"\n")
        with pytest.raises(applying.Refused, match="has changed"):
            applying.apply(report(conf, fix), ask_of([*USER, url]))
        assert conf.read_bytes() == before + b"\n"
        assert not list(tmp_path.glob("*.why401-backup"))


def test_an_interrupt_puts_the_files_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(*_: object) -> str:
        raise KeyboardInterrupt

    with site(tmp_path, LOGIN) as (conf, url):
        before = conf.read_bytes()
        fix = line(conf, "htpasswdd", "auth_basic_user_file htpasswd;")
        monkeypatch.setattr(applying, "_judged", pressed)
        with pytest.raises(KeyboardInterrupt):
            applying.apply(report(conf, fix), ask_of([*USER, url]))
        assert conf.read_bytes() == before


def test_the_bogus_request_carries_nothing_of_the_users() -> None:
    words = ["-H", "Cookie: sid=abcdef123", "-H", "Authorization: Token abcdef123", "http://x/"]
    made = applying.bogus(ask_of(words))
    assert "abcdef123" not in repr(made.fields)
    assert {name for name, _ in made.fields} == {"Cookie", "Authorization"}
    assert made.get("authorization").startswith("Token ")  # type: ignore[union-attr]
