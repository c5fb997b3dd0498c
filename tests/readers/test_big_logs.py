# ruff: noqa: E501  (log lines: one a line, however long)
"""Large logs are searched: what is kept, its line numbers, and what is left out."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from why401 import readers
from why401.evidence import Record
from why401.joining import records_of
from why401.readers import big_logs, log_moments
from why401.readers.files import inputs

START = datetime(2024, 5, 6, 0, 0, 0, tzinfo=UTC)
LINES = 12_000


def access(n: int, status: int = 200, path: str = "/static/a.png") -> str:
    at = START + timedelta(seconds=n)
    agent = "Mozilla/5.0 (X11; Linux x86_64)"
    return f'10.0.0.{n % 200} - - [{at:%d/%b/%Y:%H:%M:%S} +0000] "GET {path} HTTP/1.1" {status} {n} "-" "{agent}"'


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files count as large from 100 kB."""
    monkeypatch.setattr(big_logs, "BIG", 100_000)
    monkeypatch.setattr("why401.readers.files.SEARCHED", 100_000)


def write(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n")
    assert path.stat().st_size > 400_000
    return path


def log(tmp_path: Path, **special: str) -> Path:
    """An access log in which the lines named `n4711` and so on are special."""
    lines = [access(n) for n in range(LINES)]
    for name, line in special.items():
        lines[int(name[1:])] = line
    return write(tmp_path / "access.log", lines)


def recorded(*paths: Path) -> tuple[Record, ...]:
    return readers.read(inputs([str(path) for path in paths])).records


def test_a_refusal_is_found_with_its_line_number(tmp_path: Path) -> None:
    path = log(tmp_path, n4711=access(4711, 401, "/private"), n9000=access(9000, 403, "/also"))
    found = {r.path: (r.source.line, r.status) for r in recorded(path)}
    assert found["/private"] == (4712, 401)
    assert found["/also"] == (9001, 403)
    assert len(recorded(path)) < 1_000


def test_findings_name_the_line_of_the_file(tmp_path: Path) -> None:
    path = log(tmp_path, n4711=access(4711, 407, "/x"))
    (text,) = readers.read(inputs([str(path)])).texts
    place = text.source.at(text.line_at(text.content.index(" 407 4711")))
    assert (place.name, place.line) == (str(path), 4712)


def test_a_number_that_is_no_status_is_not_counted(tmp_path: Path) -> None:
    path = log(tmp_path, n4711=access(4711, 200, "/a401b"), n4712=access(4712, 401, "/x"))
    found = big_logs.search(path)
    sizes = 3  # lines 401, 403 and 407 have as many bytes as their number, between blanks as a status has
    assert found.total == LINES
    assert found.counts["40x"] == 1 + sizes
    assert b"/a401b" not in found.text


def test_words_of_an_error_log_are_found(tmp_path: Path) -> None:
    lines = [
        f'2024/05/06 {n // 3600:02}:{n // 60 % 60:02}:{n % 60:02} [error] 7#7: *{n} open() "/w/{n}.png" failed'
        for n in range(LINES)
    ]
    lines[7777] = lines[7777].replace('open() "/w/7777.png" failed', 'user "ann": password mismatch')
    path = write(tmp_path / "error.log", lines)
    (one,) = [r for r in recorded(path) if "mismatch" in r.message]
    assert (one.source.line, one.user, one.hop) == (7778, "ann", "nginx")


def test_a_rare_message_is_kept_beside_many_of_another(tmp_path: Path) -> None:
    lines = [
        f"2024/05/06 {n // 3600:02}:{n // 60 % 60:02}:{n % 60:02} [error] 7#7: *{n} access forbidden by rule, client: 10.0.0.1"
        for n in range(LINES)
    ]
    lines[3] = "2024/05/06 00:00:03 [error] 7#7: *3 crypt_r() failed for the password (22: Invalid argument)"
    found = big_logs.search(write(tmp_path / "error.log", lines))
    assert b"crypt_r" in found.text
    assert found.counts["orbidden"] == LINES - 1
    assert len(found.lines) < 3_000


def test_the_lines_around_an_exchange_are_kept(tmp_path: Path) -> None:
    path = log(tmp_path)
    at = START + timedelta(seconds=6_000)
    entry = {
        "startedDateTime": at.isoformat(),
        "time": 1,
        "request": {
            "method": "GET",
            "url": "https://a.example/static/a.png",
            "httpVersion": "h2",
            "headers": [],
        },
        "response": {"status": 200, "statusText": "", "httpVersion": "h2", "headers": [], "content": {}},
    }
    har = tmp_path / "x.har"
    har.write_text(json.dumps({"log": {"version": "1.2", "creator": {}, "entries": [entry]}}))
    evidence = readers.read(inputs([str(path), str(har)]))
    joined = records_of(evidence, evidence.exchanges[0])
    assert 6_001 in {record.source.line for record in joined}


def test_without_an_exchange_the_same_lines_are_left_out(tmp_path: Path) -> None:
    assert 6_001 not in {record.source.line for record in recorded(log(tmp_path))}


def test_both_halves_are_searched_alike_by_two_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    special = {f"n{n}": access(n, 401, f"/p{n}") for n in range(600, LINES, 500)}
    path = log(tmp_path, **special)
    two = big_logs.search(path)
    monkeypatch.setattr(big_logs, "BIG", 10**12)
    one = big_logs.search(path)
    assert (one.lines, one.counts, one.text) == (two.lines, two.counts, two.text)
    assert all(f"/p{n} ".encode() in one.text for n in range(600, LINES, 500))


def test_what_is_no_log_or_is_small_is_read_whole(tmp_path: Path) -> None:
    prose = tmp_path / "notes.txt"
    prose.write_text("The server answers 401 when I ask it.\n" * 20_000)
    few = tmp_path / "few.log"
    few.write_text(access(1, 401) + "\n")
    assert not big_logs.is_big_log(prose)
    assert not big_logs.is_big_log(few)
    assert not big_logs.is_big_log(tmp_path / "absent.log")


def test_bytes_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    path = log(tmp_path, n5000=access(5000, 401, "/x"))
    data = path.read_bytes().split(b"\n")
    data[5000] = data[5000].replace(b"/x", b"/x\xff\x00\xfe")
    data[5001] = b"\x16\x03\x01" * 50_000
    path.write_bytes(b"\n".join(data))
    assert 5001 in {record.source.line for record in recorded(path)}


def test_the_moments_of_other_inputs() -> None:
    head = b"HTTP/1.1 401 Unauthorized\nDate: Mon, 06 May 2024 12:00:00 GMT\n"
    (moment,) = log_moments.moments_in([head, b"nothing"])
    assert moment == datetime(2024, 5, 6, 12, 0, 0, tzinfo=UTC)
