"""The command as a user runs it: arguments, files, standard input, exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.sites import basic, serve, wants


def why401(*words: str, stdin: bytes = b"", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "why401.cli.main", *words]
    done = subprocess.run(command, input=stdin, capture_output=True, cwd=cwd, timeout=60)
    return subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(), done.stderr.decode())


REFUSED = b"GET /x HTTP/1.1\nHost: a.example\nAuthorization: Bearer: tok-8f3a9c1e5b7d\n\nHTTP/1.1 401 Unauthorized\n\n"
HEALTHY = b"GET /x HTTP/1.1\nHost: a.example\n\nHTTP/1.1 200 OK\nContent-Type: text/plain\n\nfine\n"


@pytest.mark.parametrize(("stdin", "status"), [(REFUSED, 1), (HEALTHY, 0), (b"", 2), (b"\x00\x01\x02", 2)])
def test_exit_status_of_standard_input(stdin: bytes, status: int) -> None:
    assert why401("--json", stdin=stdin).returncode == status


@pytest.mark.parametrize(
    "words",
    [
        ["nosuchfile.har"],
        ["--nosuch", "http://a.example/"],
        ["-H", "A: b"],
        ["--width"],
        ["--max-requests", "many", "http://127.0.0.1:9/"],
        ["curl"],
        ["curl", "-u"],
        ["explain", "no such thing at all"],
        ["http://a.example/", "http://b.example/"],
    ],
)
def test_wrong_usage_is_one_sentence_and_status_2(words: list[str], tmp_path: Path) -> None:
    done = why401(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("why401: ")
    assert len(done.stderr.strip().splitlines()) == 1


def test_an_unreachable_target_is_status_3() -> None:
    assert why401("http://127.0.0.1:9/").returncode == 3


def test_curls_words_stay_curls_and_ours_stay_ours() -> None:
    with serve(wants(basic("alice", "s3cret-Pw"))) as site:
        done = why401("--json", "curl", "-s", "-u", "alice:s3cret-Pw\n", f"{site.url}/orders")
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert report["causes"][0]["id"] == "stray-whitespace"
    assert report["causes"][0]["proved"]


def test_offline_sends_nothing() -> None:
    with serve(wants(basic("alice", "s3cret-Pw"))) as site:
        why401("--offline", "curl", "-u", "alice:x", f"{site.url}/orders")
        assert site.received == []


def test_a_url_in_a_file_is_not_asked_unless_live(tmp_path: Path) -> None:
    with serve(wants(basic("alice", "s3cret-Pw"))) as site:
        host = site.url.removeprefix("http://")
        text = f"GET {site.url}/orders HTTP/1.1\nHost: {host}\n\nHTTP/1.1 401 Unauthorized\n\n"
        (tmp_path / "request.http").write_text(text)
        why401("request.http", cwd=tmp_path)
        assert site.received == []
        why401("--live", "request.http", cwd=tmp_path)
        assert len(site.received) >= 1


def test_several_inputs_and_what_is_good_in_them(tmp_path: Path) -> None:
    (tmp_path / "binary.bin").write_bytes(b"\x00\x01")
    (tmp_path / "request.http").write_bytes(REFUSED)
    done = why401("--json", "binary.bin", "request.http", cwd=tmp_path)
    report = json.loads(done.stdout)
    assert report["causes"][0]["id"] == "malformed-authorization"
    assert "binary.bin" in report["unreadable"][0]


def test_html_is_written_to_its_file(tmp_path: Path) -> None:
    why401("--html", "report.html", "-", stdin=REFUSED, cwd=tmp_path)
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["wrong-audience"], "audience"),
        (["AH01617"], "Apache"),
        (["IDX10223"], "expired"),
        (["invalid_token"], "token"),
        (['WWW-Authenticate: Basic realm="x"'], "Basic"),
    ],
)
def test_explain(words: list[str], expected: str) -> None:
    done = why401("explain", *words)
    assert done.returncode == 0
    assert expected.lower() in done.stdout.lower()


def test_demo_proves_the_fault() -> None:
    done = why401("demo")
    assert done.returncode == 0
    assert "proved" in done.stdout


def test_version_and_help() -> None:
    assert why401("--version").stdout.startswith("why401 ")
    assert "Exit status" in why401("--help").stdout
    json.loads(why401("schema").stdout)
