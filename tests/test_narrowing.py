# ruff: noqa: E501  (log lines: one a line, however long)
"""Lines about other requests do not count; what they would say is said of them alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from why401 import flow, readers
from why401.cli.main import main
from why401.report import Report

DATE = "Mon, 06 May 2024 12:00:00 GMT"
TRANSCRIPT = f"""\
> GET /x HTTP/1.1
> Host: a.example
> Authorization: Basic YW5uOnNlY3JldDE=
> User-Agent: curl/8.5.0
>
< HTTP/1.1 401 Unauthorized
< Date: {DATE}
< WWW-Authenticate: Basic realm="x"
<
"""


def error(time: str, message: str, path: str = "/x", address: str = "10.0.0.1") -> str:
    return f'2024/05/06 {time} [error] 7#7: *1 {message}, client: {address}, server: _, request: "GET {path} HTTP/1.1", host: "a"'


WRONG = error("12:00:00", 'user "ann": password mismatch')
UNKNOWN = 'user "bob" was not found in "/etc/nginx/.htpasswd"'
OTHERS = {
    "another time": error("09:13:20", UNKNOWN),
    "another path": error("12:00:01", UNKNOWN, "/y"),
    "another client": error("12:00:01", UNKNOWN, address="10.0.0.9").replace("/x", "/z"),
}


def examine(*parts: tuple[str, str]) -> Report:
    return flow.examine(readers.read([readers.Input(name, text.encode()) for name, text in parts]))


def first(report: Report) -> str:
    cause = report.diagnoses[0].causes[0].cause
    return cause.id if cause else ""


@pytest.mark.parametrize("what", OTHERS)
def test_lines_of_other_requests_do_not_count(what: str) -> None:
    log = "\n".join([OTHERS[what], WRONG, OTHERS[what]]) + "\n"
    report = examine(("seen.txt", TRANSCRIPT), ("error.log", log))
    assert first(report) == "wrong-password"
    said = "\n".join(report.notes)
    assert "error.log:2 belongs to the request" in said
    assert "2 lines about other requests" in said
    told = [f for named in report.diagnoses[0].causes for f, _ in named.findings]
    assert all((f.where.source, f.where.line) != ("error.log", n) for f in told for n in (1, 3))


def test_the_same_words_count_where_they_are_the_requests_own() -> None:
    log = error("12:00:00", UNKNOWN.replace("bob", "ann")) + "\n"
    assert first(examine(("seen.txt", TRANSCRIPT), ("error.log", log))) == "unknown-user"


def test_a_log_in_which_no_line_joins_is_read_as_it_is() -> None:
    log = error("09:13:20", UNKNOWN, "/elsewhere") + "\n"
    report = examine(("seen.txt", TRANSCRIPT), ("error.log", log))
    assert not any("belongs" in note or "did not count" in note for note in report.notes)


def test_a_line_about_no_request_stays() -> None:
    start = '2024/05/06 09:00:00 [emerg] 7#7: open() "/etc/nginx/.htpasswd" failed (13: Permission denied)'
    report = examine(("seen.txt", TRANSCRIPT), ("error.log", f"{start}\n{WRONG}\n"))
    assert not any("did not count" in note for note in report.notes)


def access(time: str, path: str, status: int, address: str = "10.0.0.1") -> str:
    return f'{address} - - [06/May/2024:{time} +0000] "GET {path} HTTP/1.1" {status} 5 "-" "curl/8"'


def test_a_log_alone_names_its_groups_and_diagnoses_the_largest() -> None:
    lines = [access(f"12:00:{n:02}", f"/api/{n}", 401) for n in range(9)] + [access("13:00:00", "/old", 403)]
    report = examine(("access.log", "\n".join(lines) + "\n"))
    said = "\n".join(report.notes)
    assert "2 kinds of requests" in said
    assert (
        "401 for /api/{} 9 times, first 2024-05-06 12:00:00, last 2024-05-06 12:00:08 (access.log:1)" in said
    )
    assert "403 for /old once, at 2024-05-06 13:00:00 (access.log:10)" in said


def test_of_groups_of_one_size_the_most_recent_is_diagnosed() -> None:
    lines = [access("12:00:00", "/early", 401), access("13:00:00", "/late", 401)]
    report = examine(("access.log", "\n".join(lines) + "\n"))
    assert [note.split()[2] for note in report.notes if note.startswith("  ")] == ["/late", "/early"]


def test_as_a_user_runs_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    request = {"method": "GET", "url": "https://a.example/x", "httpVersion": "HTTP/1.1", "cookies": [], "queryString": [], "headersSize": -1, "bodySize": 0,
               "headers": [{"name": "Authorization", "value": "Basic YW5uOnNlY3JldDE="}]}  # fmt: skip
    response = {"status": 401, "statusText": "Unauthorized", "httpVersion": "HTTP/1.1", "cookies": [], "redirectURL": "", "headersSize": -1, "bodySize": 0,
                "headers": [{"name": "WWW-Authenticate", "value": 'Basic realm="x"'}], "content": {"size": 0, "mimeType": ""}}  # fmt: skip
    entry = {
        "startedDateTime": "2024-05-06T12:00:00Z",
        "time": 3,
        "request": request,
        "response": response,
        "cache": {},
        "timings": {"send": 0, "wait": 0, "receive": 0},
    }
    har = {"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": [entry]}}
    (tmp_path / "trace.har").write_text(json.dumps(har))
    (tmp_path / "error.log").write_text("\n".join([OTHERS["another path"], WRONG]) + "\n")
    status = main(["--offline", "--json", str(tmp_path / "trace.har"), str(tmp_path / "error.log")])
    report = json.loads(capsys.readouterr().out)
    assert status == 1
    assert report["causes"][0]["id"] == "wrong-password"
    assert any("error.log:2 belongs to the request" in note for note in report["notes"])


def test_a_token_in_a_path_is_not_shown() -> None:
    log = WRONG.replace("GET /x ", "GET /x?access_token=abcdefghijklmnop ")
    report = examine(("seen.txt", TRANSCRIPT), ("error.log", log + "\n"))
    assert "abcdefghijklmnop" not in "\n".join(report.notes)
    assert any("belongs" in note for note in report.notes)
