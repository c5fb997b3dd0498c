"""The lab itself: servers end and start anew, cases are read strictly, password files are as servers read them."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from tests.lab import cases
from tests.lab.passwords import password_file
from tests.lab.stage import free_ports, serve
from tests.lab.staging import fill
from tests.lab.test_lab import apply, base
from tests.live.servers import needs

CONFIGURATION = (
    "error_log {log}/error.log info; events {{}}\n"
    "http {{ access_log off; server {{ listen 127.0.0.1:{port}; {rest} }} }}\n"
)


def nginx(folder: Path, port: int, rest: str) -> None:
    folder.mkdir(exist_ok=True)
    text = CONFIGURATION.format(log=folder.parent / "log" / folder.name, port=port, rest=rest)
    (folder / "nginx.conf").write_text(text)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_restart_takes_what_was_changed_and_the_end_is_sure() -> None:
    (port,), curl = free_ports(1), [needs("curl"), "-q", "-s"]
    with base() as where:
        nginx(where / "web", port, "return 401;")
        with serve("nginx", where / "web", port) as served:
            assert served.logs == []
            assert b"401" in subprocess.run([*curl, served.url], capture_output=True).stdout
            nginx(where / "web", port, "return 200 fine;")
            served.restart()
            assert subprocess.run([*curl, served.url], capture_output=True).stdout == b"fine"
            process = served.process
        assert process is not None
        assert process.poll() is not None
        assert not answers(port)


def test_a_server_that_cannot_start_says_why() -> None:
    (port,) = free_ports(1)
    with base() as where:
        nginx(where / "web", port, "no_such_directive;")
        with (
            pytest.raises(pytest.fail.Exception, match="no_such_directive"),
            serve("nginx", where / "web", port),
        ):
            pass


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('says = "x"\nsound = true\n[[server]]\nkind = "gopher"', "no kind of server 'gopher'"),
        ('says = "x"\nsound = true', "has to be one"),
        ('says = "x"\n[[server]]\nkind = "nginx"', "either sound"),
        ('says = "x"\nsound = true\ncolour = 1\n[[server]]\nkind = "nginx"', "colour"),
    ],
)
def test_cases_are_read_strictly(
    text: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "case.toml").write_text(text)
    monkeypatch.setattr(cases, "CASES", tmp_path)
    with pytest.raises((ValueError, TypeError), match=says):
        cases.load("one")


def test_placeholders_leave_other_at_signs_alone() -> None:
    assert (
        fill("@PORT@ @PORT:app@ a@b.example @OTHER@", {"PORT": "1", "PORT:app": "2"})
        == "1 2 a@b.example @OTHER@"
    )


@pytest.mark.parametrize("kind", ["apr1", "sha1", "bcrypt", "sha256", "sha512"])
def test_password_files_are_accepted_by_htpasswd(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "htpasswd"
    file.write_text(password_file(kind, {"alice": "wonderland"}))
    check = [needs("htpasswd"), "-v", "-i", str(file), "alice"]
    assert subprocess.run(check, input=b"wonderland", capture_output=True).returncode == 0
    assert subprocess.run(check, input=b"wonder", capture_output=True).returncode != 0


def test_digest_files_have_realm_and_hash() -> None:
    assert password_file("digest", {"Mufasa": "Circle of Life"}, "http-auth@example.org") == (
        "Mufasa:http-auth@example.org:3d78807defe7de2157e2b0b6573a855f\n"
    )


def test_a_diff_is_applied_to_the_files_of_the_case_alone(tmp_path: Path) -> None:
    inside, outside = tmp_path / "case" / "a.conf", tmp_path / "b.conf"
    inside.parent.mkdir()
    for file in (inside, outside):
        file.write_text("off\n")
    change = "--- a{0}\n+++ b{0}\n@@ -1 +1 @@\n-off\n+on\n"
    apply(change.format(inside), inside.parent)
    assert inside.read_text() == "on\n"
    with pytest.raises(AssertionError):
        apply(change.format(outside), inside.parent)
    assert outside.read_text() == "off\n"
