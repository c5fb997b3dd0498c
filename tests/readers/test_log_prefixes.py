"""What carriers of logs put around a line."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from why401.evidence import Source
from why401.readers import access_logs, app_logs, log_prefixes

INNER = 'user "ann": password mismatch'
STAMP = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
MICRO = str(int(STAMP.timestamp() * 1_000_000))

WRAPPED = {
    "rfc 3164": (f"<27>May  6 07:08:09 web nginx[77]: {INNER}", "nginx", "error", None),
    "rfc 5424": (
        f'<28>1 2024-05-06T07:08:09Z web nginx 77 - [x@1 a="b]"] {INNER}'.replace('b]"', 'b\\]"'),
        "nginx",
        "warning",
        STAMP,
    ),
    "journal short": (f"May 06 07:08:09 web nginx[77]: {INNER}", "nginx", None, None),
    "journal short-iso": (f"2024-05-06T09:08:09+0200 web nginx[77]: {INNER}", "nginx", None, STAMP),
    "compose": (f"web-1  | {INNER}", None, None, None),
    "cri": (f"2024-05-06T07:08:09.000000000Z stderr F {INNER}", None, None, STAMP),
    "docker": (
        json.dumps({"log": INNER + "\n", "stream": "stderr", "time": "2024-05-06T07:08:09Z"}),
        None,
        None,
        STAMP,
    ),
    "journal json": (
        json.dumps(
            {
                "__REALTIME_TIMESTAMP": MICRO,
                "PRIORITY": "3",
                "SYSLOG_IDENTIFIER": "nginx",
                "MESSAGE": INNER,
            }
        ),
        "nginx",
        "error",
        STAMP,
    ),
    "journal bytes": (
        json.dumps({"__REALTIME_TIMESTAMP": MICRO, "_COMM": "nginx", "MESSAGE": list(INNER.encode())}),
        "nginx",
        None,
        STAMP,
    ),
}


@pytest.mark.parametrize(("raw", "program", "level", "time"), WRAPPED.values(), ids=list(WRAPPED))
def test_the_message_is_taken_out(raw: str, program: str, level: str, time: datetime) -> None:
    line = log_prefixes.unwrap(raw, 3)
    assert (line.message, line.program, line.level, line.time) == (INNER, program, level, time)
    assert (line.number, line.raw, line.wrapped) == (3, raw, True)


@pytest.mark.parametrize(
    "raw",
    [
        "a | b is a table",
        '{"level":"info","msg":"x"}',
        "2024-05-06T07:08:09Z INFO app: started",
        "Note that nginx: is a server",
        "",
    ],
)
def test_a_line_of_its_own_stays(raw: str) -> None:
    assert log_prefixes.unwrap(raw).message in (raw, raw.partition("| ")[2])


def test_entries_of_an_export_are_lines() -> None:
    entry = f"__CURSOR=s=1\n__REALTIME_TIMESTAMP={MICRO}\nPRIORITY=3\nMESSAGE={INNER}\n_COMM=nginx\n\n"
    first, second = log_prefixes.lines(entry * 2, 1, 8000)
    assert (first.message, first.number, first.program, first.level) == (INNER, 4, "nginx", "error")
    assert second.number == 10
    record, _ = app_logs.read(entry * 2, Source("x")).records
    assert (record.hop, record.time, record.user, record.source.line) == ("nginx", STAMP, None, 4)


def test_the_access_line_in_a_journal_is_read() -> None:
    access = '203.0.113.8 - - [06/May/2024:07:08:09 +0000] "GET /x HTTP/1.1" 401 5 "-" "curl/8"'
    held = {"__REALTIME_TIMESTAMP": MICRO, "SYSLOG_IDENTIFIER": "nginx", "MESSAGE": access}
    (record,) = access_logs.read(json.dumps(held) + "\n", Source("x")).records
    assert (record.status, record.path, record.agent, record.hop) == (401, "/x", "curl/8", "nginx")


@given(
    st.text(max_size=200)
    | st.sampled_from([case[0] for case in WRAPPED.values()]).flatmap(
        lambda s: st.integers(0, len(s)).map(lambda n: s[:n])
    )
)
def test_any_text_is_unwrapped_without_an_error(text: str) -> None:
    list(log_prefixes.lines(text, 1, 8000))
