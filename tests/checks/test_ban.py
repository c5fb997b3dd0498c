"""The checks of the family `ban`: each rule with evidence that triggers it, and a near-miss."""

# A table of cases is read a line at a time.
# ruff: noqa: E501

from __future__ import annotations

import pytest

from tests.checks.test_rejected import found, get


def log(*statuses: int, address: str = "172.17.0.1") -> str:
    return "\n".join(
        f'{address} - - [04/Jun/2024:10:00:{n:02d} +0000] "POST /login HTTP/1.1" {status} 61 "-" "x/1"'
        for n, status in enumerate(statuses)
    )


def answer(status: str, *fields: str) -> str:
    return "\n".join([f"HTTP/1.1 {status}", "Server: x", *fields, "", ""])


RULES: tuple[tuple[str, dict[str, str], dict[str, str]], ...] = (
    ("retry-after", {"a_http": get(answer=answer("403 Forbidden", "Retry-After: 60"))}, {"a_http": get(answer=answer("403 Forbidden"))}),
    ("budget-empty", {"a_http": get(answer=answer("403 Forbidden", "X-RateLimit-Remaining: 0"))}, {"a_http": get(answer=answer("403 Forbidden", "X-RateLimit-Remaining: 12"))}),
    ("too-many-requests", {"a_http": get(answer=answer("429 Too Many Requests"))}, {"a_http": get(answer=answer("401 Unauthorized"))}),
    ("turned-after-failures", {"access_log": log(401, 401, 401, 401, 429)}, {"access_log": log(401, 200, 401, 200, 429)}),
    ("run-of-failures", {"access_log": log(*[401] * 9)}, {"access_log": log(*[401, 200] * 5)}),
    ("one-address", {"access_log": log(401, 401, 401), "m_txt": "everybody is locked out"}, {"access_log": log(401, 401, 401, address="93.184.216.34"), "m_txt": "everybody is locked out"}),
    ("told-other-network", {"m_txt": "403. From another IP address it works."}, {"m_txt": "403 from every address."}),
    ("told-counter-emptied", {"m_txt": "403. After redis-cli flushall it works for a while."}, {"m_txt": "403. We use redis for sessions."}),
    ("told-waiting-helps", {"m_txt": "401. After waiting for an hour it works again."}, {"m_txt": "401 after an hour of work."}),
    ("told-many-tries", {"m_txt": "401 after several failed logins."}, {"m_txt": "401 at the first login."}),
    ("told-banned", {"m_txt": "401. Is my address banned?"}, {"m_txt": "401. Is my password wrong?"}),
    ("told-other-client-closed", {"m_txt": "401 from the camera. When I close the phone app, it works."}, {"m_txt": "401 from the camera in the phone app."}),
    ("told-device-restarted", {"m_txt": "401. Rebooting the camera helps, for a while it works."}, {"m_txt": "401. The camera was never restarted."}),
    ("line-in-use", {"r_json": '{"active_cons":"1","max_connections":"1"}', "m_txt": "401"}, {"r_json": '{"active_cons":"0","max_connections":"1"}', "m_txt": "401"}),
    ("session-limit-set", {"a_java": "s.maximumSessions(1)", "m_txt": "401"}, {"a_java": "s.maximumSessions(1)", "m_txt": "it works"}),
)  # fmt: skip


@pytest.mark.parametrize(("rule", "triggers", "near"), RULES, ids=[rule[0] for rule in RULES])
def test_rule(rule: str, triggers: dict[str, str], near: dict[str, str]) -> None:
    assert rule in found(**triggers)
    assert rule not in found(**near)
