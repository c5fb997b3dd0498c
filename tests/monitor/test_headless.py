"""What scripts rely on: the set-up without a browser."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import httpx
import pytest

from tests.monitor.running import Running, envelope, running, until, why401


def refused(**more: object) -> dict[str, object]:
    return {
        "event_id": uuid.uuid4().hex, "release": "shop@1", "environment": "test",
        "exception": {"values": [{"type": "HTTPError", "value": "401 Client Error: Unauthorized for url: "
                                  "https://api.example.com/v1/orders/17"}]}, **more,
    }  # fmt: skip


def test_project_add_prints_what_each_protocol_needs(monitor: Running) -> None:
    made = monitor.project("printed")
    assert made.keys() >= {"id", "key", "sentry_dsn", "airbrake", "otlp", "api_token"}
    assert made["airbrake"] == {"project_id": made["id"], "project_key": made["key"], "host": monitor.base}
    assert made["otlp"] == {"endpoint": monitor.base, "headers": {"Authorization": f"Bearer {made['key']}"}}
    assert made["sentry_dsn"] == monitor.base.replace("://", f"://{made['key']}@") + f"/{made['id']}"


def test_an_event_is_listed_alike_by_the_command_line_and_the_api(monitor: Running) -> None:
    project, event = monitor.project("listed"), refused()
    answer = envelope(project, event, monitor.base)
    assert (answer.status_code, answer.json()) == (200, {"id": event["event_id"]})
    (found,) = monitor.events(project)
    assert {k: found[k] for k in ("client_event_id", "kind", "status", "class", "release", "environment")} == {
        "client_event_id": event["event_id"], "kind": "exception", "status": 401, "class": "HTTPError",
        "release": "shop@1", "environment": "test"}  # fmt: skip
    (by_api,) = monitor.api(project, "/events")
    assert by_api.keys() == found.keys()
    assert by_api["id"] == found["id"]
    whole = monitor.api(project, f"/events/{found['id']}")
    assert whole["event"]["raised"][0]["type"] == "HTTPError"
    (group,) = monitor.api(project, "/groups")
    assert (group["id"], group["status"], group["events"]) == (found["group"], 401, 1)
    assert (group["host"], group["route"]) == ("api.example.com", "/v1/orders/{}")


def test_newest_first_and_only_as_many_as_asked_for(monitor: Running) -> None:
    project = monitor.project("ordered")
    sent = [refused() for _ in range(5)]
    for event in sent:
        envelope(project, event, monitor.base)
    assert [one["client_event_id"] for one in monitor.events(project, 3)] == [
        event["event_id"] for event in reversed(sent[-3:])
    ]


def test_an_event_sent_twice_is_kept_once(monitor: Running) -> None:
    project, event = monitor.project("twice"), refused()
    assert [envelope(project, event, monitor.base).status_code for _ in range(2)] == [200, 200]
    assert len(monitor.events(project)) == 1
    assert monitor.api(project, "/groups")[0]["events"] == 1


def test_a_group_of_refusals_gets_its_diagnosis(monitor: Running) -> None:
    project = monitor.project("explained")
    fields = {"www-authenticate": 'Bearer error="invalid_token", error_description="The token expired"'}
    event = refused(contexts={"response": {"status_code": 401, "headers": fields}},
                    request={"url": "https://api.example.com/v1/orders/17", "method": "GET",
                             "headers": {"Authorization": "Bearer abcdefghijklmnop"}})  # fmt: skip
    envelope(project, event, monitor.base)
    cause = until(lambda: monitor.api(project, "/groups")[0]["cause"], 30)
    assert cause == "token-expired"


def test_quota_is_said_with_the_time_to_come_again(monitor: Running) -> None:
    project = monitor.project("quota")
    why401("project", "set", str(project["id"]), *monitor.options, "--quota", "2/minute")

    def limited() -> httpx.Response | None:
        answer = envelope(project, refused(), monitor.base)
        return answer if answer.status_code == 429 else None

    answer = until(limited)
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert "error" in answer.headers["x-sentry-rate-limits"] or "::" in answer.headers["x-sentry-rate-limits"]


def test_sigterm_drains_and_exits_with_0_and_all_is_there_after_a_restart(tmp_path: Path) -> None:
    with running(tmp_path / "data") as one:
        project, event = one.project("kept"), refused()
        envelope(project, event, one.base)
        assert one.stop() == 0
        assert [found["client_event_id"] for found in one.events(project)] == [event["event_id"]]
        one.start()
        assert [found["client_event_id"] for found in one.events(project)] == [event["event_id"]]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["project", "add", "printed"], "There is a project named"),
        (["project", "set", "999999", "--quota", "5/minute"], "There is no project 999999."),
        (["project", "set", "1", "--quota", "lots"], "--quota lots"),
        (["user", "add", "bob", "--role", "king", "--password-stdin"], "king: roles are"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(monitor: Running, words: list[str], says: str) -> None:
    monitor.project("printed")
    done = why401(*words, *monitor.options, given="long enough password\n", check=False)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_short_password_is_refused(monitor: Running) -> None:
    done = why401("user", "add", "carol", *monitor.options, "--password-stdin", given="short\n", check=False)
    assert done.returncode == 2
    assert "at least" in done.stderr


def test_metrics_and_health_need_no_sign_in_and_name_no_project(monitor: Running) -> None:
    monitor.project("unnamed-project")
    assert httpx.get(f"{monitor.base}/healthz").json() == {"status": "ok"}
    text = httpx.get(f"{monitor.base}/metrics").text
    assert "why401_events_stored_total" in text
    assert "unnamed-project" not in text


def test_openapi_describes_the_api(monitor: Running) -> None:
    document = json.loads(httpx.get(f"{monitor.base}/api/v1/openapi.json").text)
    assert "/api/v1/projects/{project}/events" in document["paths"]
