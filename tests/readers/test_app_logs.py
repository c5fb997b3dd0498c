"""Lines of applications, containers and syslog, and traces that belong to them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from why401.evidence import Record, Source
from why401.readers import app_logs


def records(text: str) -> tuple[Record, ...]:
    return app_logs.read(text, Source("x.log")).records if app_logs.sniff("x.log", text) else ()


@pytest.mark.parametrize(
    ("line", "level", "timed"),
    [
        ("2024-01-02 03:04:05,678 ERROR [http-nio-1] o.s.s.o.s.r.web.X - Failed", "error", True),
        (
            '2017/01/28 22:45:34 [error] 7#7: *7 no user, client: 10.1.1.1, request: "GET / HTTP/1.1"',
            "error",
            True,
        ),
        (
            "[Thu Oct 29 11:10:15.887068 2020] [authz_core:error] [pid 1:tid 2] [client 10.1.2.3:5] AH01631: refused",
            "error",
            True,
        ),
        ("Jun 14 18:50:46 host sshd[26877]: failed password", None, False),
        ("[2023-03-08 15:59:28] production.ERROR: Client error", "error", True),
        ('level=warning msg="error authorizing context"', "warning", False),
        ("warn: Microsoft.AspNetCore.X[12] refused", "warning", False),
        ("app-1  | 2024-01-02T03:04:05Z WARN refused", "warning", True),
        ("E0102 03:04:05.000001 1 authentication.go:63] Unable to authenticate", "error", False),
    ],
)
def test_a_line_is_a_record(line: str, level: str | None, timed: bool) -> None:
    (record,) = records(line + "\n")
    assert record.level == level
    assert (record.time is not None) == timed


def test_the_client_and_request_of_an_error_line() -> None:
    (record,) = records(
        '2017/01/28 22:45:34 [error] 7#7: *7 x, client: 10.1.1.1, server: a, request: "GET /p HTTP/1.1", host: "h"'
    )
    assert (record.address, record.method, record.path) == ("10.1.1.1", "GET", "/p")


def test_a_trace_is_part_of_its_message() -> None:
    text = (
        "2024-01-02 03:04:05 ERROR failed\n"
        "java.lang.IllegalStateException: no\n"
        "\tat a.b.C(D.java:1)\n"
        "Caused by: x.Y: z\n"
        "2024-01-02 03:04:06 INFO next\n"
    )
    first, second = records(text)
    assert first.text.count("\n") == 3
    assert second.source.line == 5


def test_access_lines_and_prose_are_left_to_others() -> None:
    assert records('127.0.0.1 - - [05/Mar/2024:10:11:12 +0000] "GET /x HTTP/1.1" 401 5\n') == ()
    assert records("The error appears when I log in.\nIt worked on 2024-01-02.\n") == ()


@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error(text: str) -> None:
    app_logs.read(text, Source("any"))
    app_logs.sniff("any.log", text)
