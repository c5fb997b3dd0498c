"""What a log tells of sessions: another node, a session for each request, a pause."""

from __future__ import annotations

from datetime import timedelta

import pytest

from why401 import checks, readers
from why401.checks.session_nodes import alike, idle_times
from why401.evidence import Evidence, Setting, Source
from why401.readers import Input

LOG = '192.0.2.4 - - [10/Mar/2025:{} +0000] "{} HTTP/1.1" {} 12 "-" "Mozilla/5.0"\n'


def found(**files: str) -> set[str]:
    inputs = [Input(name.replace("_", "."), content.encode()) for name, content in files.items()]
    return {finding.id for finding in checks.run(readers.read(inputs))}


def served(*lines: tuple[str, str, int]) -> str:
    return "".join(LOG.format(time, asked, status) for time, asked, status in lines)


NODES = '"POST /login HTTP/1.1" 302 upstream=10.0.0.5:8080\n"GET /api/me HTTP/1.1" {}\n'


@pytest.mark.parametrize(
    ("rule", "bad", "good"),
    [
        (
            "session-of-another-node",
            NODES.format("401 upstream=10.0.0.6:8080"),
            NODES.format("401 upstream=10.0.0.5:8080"),
        ),
        (
            "session-of-another-node",
            NODES.format("401 upstream=10.0.0.6:8080"),
            NODES.format("401 upstream=10.0.0.6:9000"),
        ),
        (
            "session-of-another-node",
            "shop-1  | POST /login 200\nshop-2  | GET /cart 401\n",
            "shop-1  | POST /login 200\nstock-1  | GET /cart 401\n",
        ),
        (
            "session-each-request",
            "POST /login 200 sid=aaaaaaaa1\nGET /me 401 sid=bbbbbbbb2\nGET /me 401 sid=cccccccc3\n",
            "POST /login 200 sid=aaaaaaaa1\nGET /me 401 sid=aaaaaaaa1\nGET /me 401 sid=aaaaaaaa1\n",
        ),
        (
            "refused-after-pause",
            served(
                ("10:00:00", "POST /login", 200), ("10:02:00", "GET /a", 200), ("10:40:00", "GET /a", 401)
            ),
            served(
                ("10:00:00", "POST /login", 200), ("10:02:00", "GET /a", 200), ("10:03:00", "GET /a", 401)
            ),
        ),
        (
            "refused-after-pause",
            served(("10:00:00", "GET /a", 200), ("10:02:00", "GET /a", 200), ("10:40:00", "GET /a", 401)),
            served(("10:00:00", "GET /a", 200), ("10:30:00", "GET /a", 200), ("10:55:00", "GET /a", 401)),
        ),
    ],
)
def test_rules(rule: str, bad: str, good: str) -> None:
    assert rule in found(access_log=bad)
    assert rule not in found(access_log=good)


def test_time_outs_are_read_with_their_units() -> None:
    keys = {"SESSION_LIFETIME": "120", "session.gc_maxlifetime": "1440", "session.timeout": "30m"}
    settings = tuple(Setting(key, value, Source("x")) for key, value in keys.items())
    expected = [timedelta(minutes=120), timedelta(seconds=1440), timedelta(minutes=30)]
    assert idle_times(Evidence(settings=settings)) == expected


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("web.1", "web.2", True),
        ("shop-7d9f8c6b5-x2x7k", "shop-7d9f8c6b5-9fz1q", True),
        ("41", "42", True),
        ("auth-1", "orders-1", False),
        ("web.1", "web.1", False),
    ],
)
def test_alike(one: str, two: str, same: bool) -> None:
    assert alike(one, two) is same
