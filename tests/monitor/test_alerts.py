"""Alerts: what they notice, that each is told once, and how they are told."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.monitor.hooks import hook
from tests.monitor.running import envelope, postgresql, running, until
from why401.monitor import alerts, ids, notices, projects, retention, schema, uptime
from why401.monitor.alerts import Alert
from why401.monitor.kept import keep
from why401.monitor.outgoing import Looked
from why401.monitor.projects import Project, Unknown
from why401.monitor.received import Counted
from why401.monitor.store import Store, open_store
from why401.monitor.writing import Groups, Work, write

NOW = 1_800_000_000.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    one = open_store(tmp_path / "data")
    projects.add(one, "p", "http://h.example")
    yield one
    one.close()


def stored(
    store: Store, at: float, *messages: str, counted: tuple[tuple[str, int, int], ...] = (), **more: Any
) -> None:
    """Write events, and requests that were counted as (route, status, count), at a time."""
    work = Work(counted=[(1, Counted("", "GET", route, status, at, n)) for route, status, n in counted])
    for message in messages:
        event: Any = {"id": uuid.uuid4().hex, "kind": "message", "message": message, "time": at, **more}
        work.kept.append(keep(event, Project(1, "p", None), b"k" * 32, at))
    with store.write() as connection:
        write(store, Groups(store), connection, work, at)


def noticed(store: Store, alert: Alert, now: float = NOW, since: float = NOW - 3000) -> list[str]:
    with store.write() as connection:
        identity = alerts.add(connection, 1, alert)
        connection.execute(update(schema.alerts).values(created=since))
        found = [one.title for _, _, one in alerts.look(connection, now)]
        alerts.remove(connection, 1, identity)
    return found


def test_new_and_only_refusals(store: Store) -> None:
    stored(store, NOW - 100, "disk full", "401 Unauthorized for url: https://a.example/x")
    assert len(noticed(store, Alert("new"))) == 2
    (only,) = noticed(store, Alert("new", refusals=True))
    assert "401" in only
    assert noticed(store, Alert("new"), since=NOW - 50) == [], "what was there before the alert is not told"
    assert noticed(store, Alert("new"), now=NOW + 7200) == []


def test_regressed(store: Store) -> None:
    stored(store, NOW - 1000, "disk full")
    with store.write() as connection:
        connection.execute(update(schema.groups).values(state="resolved"))
    assert noticed(store, Alert("regressed")) == []
    stored(store, NOW - 10, "disk full")
    with store.write() as connection:
        assert connection.scalar(select(schema.groups.c.state)) == "regressed"
        connection.execute(update(schema.groups).values(state_changed=NOW - 10))
    assert noticed(store, Alert("regressed")) == ["Again: disk full"]


@pytest.mark.parametrize(
    ("before", "lately", "told"), [(0, 30, True), (2000, 30, False), (100, 30, True), (0, 19, False)]
)
def test_rate_over_what_is_usual(store: Store, before: int, lately: int, told: bool) -> None:
    for part in range(10):
        stored(store, NOW - 80_000 + part * 7000, *["x"] * (before // 10))
    stored(store, NOW - 60, *["x"] * lately)
    assert bool(noticed(store, Alert("rate", minutes=10, least=20, times=5))) is told


@pytest.mark.parametrize(
    ("counted", "told"),
    [
        ((("/a", 200, 70), ("/a", 401, 30)), True),
        ((("/a", 200, 90), ("/a", 401, 10)), False),
        ((("/a", 401, 10),), False),
        ((("/a", 403, 100),), False),
        ((("/a", 200, 5), ("/b", 401, 100)), True),
    ],
)
def test_ratio_of_a_route(store: Store, counted: Any, told: bool) -> None:
    stored(store, NOW - 60, counted=counted)
    assert bool(noticed(store, Alert("ratio", ratio=0.2, least=20))) is told


def test_everyone_and_one_account(store: Store) -> None:
    stored(store, NOW - 60, counted=(("/a", 401, 50), ("/b", 401, 49), ("/b", 200, 1)))
    assert noticed(store, Alert("everyone", ratio=0.9)) == ["Everybody is refused"]
    assert noticed(store, Alert("everyone", ratio=0.995)) == []
    refused = "401 Unauthorized for url: https://a.example/x"
    with store.write() as connection:
        assert connection.execute(schema.events.delete()).rowcount == 0
    stored(store, NOW - 60, *[refused] * 5, user={"id": "svc-shop"})
    stored(store, NOW - 60, *[refused] * 3, user={"id": "svc-other"})
    with store.write() as connection:  # ids carry the time at which they were made
        for number, row in enumerate(connection.execute(select(schema.events.c.id)).scalars().all()):
            connection.execute(
                update(schema.events).where(schema.events.c.id == row).values(id=ids.at(NOW - 60) + number)
            )
    assert noticed(store, Alert("account", least=5)) == ["svc-shop is refused"]


def test_silent_once_a_silence(store: Store) -> None:
    assert noticed(store, Alert("silent", minutes=30)) == [], "what never spoke is not silent"
    stored(store, NOW - 1000, "x")
    assert noticed(store, Alert("silent", minutes=30)) == []
    assert noticed(store, Alert("silent", minutes=10)) == ["A reporter has gone silent"]
    assert noticed(store, Alert("silent", minutes=10), now=NOW + 90_000) == []


def test_down_and_expiring(store: Store) -> None:
    with store.write() as connection:
        uptime.add(connection, 1, "https://a.example/", 60)
    answers = iter(
        [
            Looked("up", 200, expires=NOW + 5 * 86400),
            Looked("down", 401, says="It answered 401."),
            Looked("up", 200),
        ]
    )
    assert uptime.look(store, lambda _: next(answers), NOW) == 1
    assert uptime.look(store, lambda _: next(answers), NOW + 30) == 0, "not before its time"
    assert noticed(store, Alert("expiring", days=7)) == ["A certificate is about to end"]
    assert noticed(store, Alert("expiring", days=3)) == []
    assert noticed(store, Alert("down")) == []
    uptime.look(store, lambda _: next(answers), NOW + 60)
    assert noticed(store, Alert("down"), now=NOW + 61) == ["https://a.example/ fails"]


@pytest.mark.parametrize("url", ["ftp://a.example/", "nonsense", "https://user:secret@a.example/"])
def test_what_cannot_be_checked_is_refused(store: Store, url: str) -> None:
    with pytest.raises(Unknown) as refused, store.write() as connection:
        uptime.add(connection, 1, url, 60)
    assert "secret" not in str(refused.value).replace("is not secret", "")


def told(store: Store, now: float, **options: Any) -> list[tuple[str, str]]:
    sent: list[tuple[str, str]] = []

    def send(_: list[str], title: str, text: str) -> list[str]:
        sent.append((title, text))
        return list(options.get("failed", []))

    notices.deliver(store, send, "http://m.example", now)
    return sent


def waiting(store: Store, *keys: str) -> None:
    with store.write() as connection:
        found = [(1, 1, alerts.Noticed(key, f"title {key}", "text", "/projects/1")) for key in keys]
        alerts.note(connection, store.insert, found)
        connection.execute(update(schema.notices).where(schema.notices.c.sent.is_(None)).values(time=NOW))


def with_channel(store: Store) -> None:
    with store.write() as connection:
        notices.add_channel(connection, 1, "json://user:pass-word@hook.example/x")


def test_each_is_told_once_and_a_storm_is_one_message(store: Store) -> None:
    with_channel(store)
    waiting(store, "a")
    assert told(store, NOW) == [("[p] title a", "text\nhttp://m.example/projects/1")]
    waiting(store, "a", *map(str, range(50)))
    assert told(store, NOW + 10) == [], "not so soon again"
    ((title, text),) = told(store, NOW + 200)
    assert title == "[p] 50 notices"
    assert "and 30 more" in text
    assert told(store, NOW + 400) == []


def test_what_was_not_taken_is_told_later(store: Store) -> None:
    with_channel(store)
    waiting(store, "a")
    assert told(store, NOW, failed=["json: not taken"])
    assert told(store, NOW + 5) == [("[p] title a", "text\nhttp://m.example/projects/1")]


@pytest.mark.parametrize(("hours", "at", "is_quiet"), [("22:00-07:00", 23, True), ("22:00-07:00", 6, True),
                         ("22:00-07:00", 12, False), ("12:00-14:00", 13, True), ("", 3, False)])  # fmt: skip
def test_quiet_hours(hours: str, at: int, is_quiet: bool) -> None:
    assert notices.quiet(hours, 86400.0 * 20_000 + at * 3600) is is_quiet


def test_channels_are_shown_without_their_secrets(store: Store) -> None:
    with_channel(store)
    with store.read() as connection:
        (one,) = notices.channels(connection, 1)
    assert "pass-word" not in json.dumps(one)
    assert "hook.example" in one["shown"]


def test_retention_keeps_the_newest_of_each_group(store: Store) -> None:
    stored(store, time.time(), *["often"] * 40, "rare one")
    with store.write() as connection:
        connection.execute(update(schema.projects).values(keep_count=10))
    retention.sweep(store)
    with store.read() as connection:
        left = list(connection.scalars(select(schema.events.c.message)))
    assert left.count("often") == 9 or left.count("often") == 10
    assert "rare one" in left
    with store.write() as connection:
        connection.execute(update(schema.projects).values(keep_days=1, keep_count=1000))
    retention.sweep(store, time.time() + 10 * 86400)
    with store.read() as connection:
        left = list(connection.scalars(select(schema.events.c.message)))
    assert sorted(left) == ["often"] * retention.SPARED + ["rare one"]


def webhook(one: Any, project: dict[str, Any], place: str) -> None:
    store = open_store(one.data, one.database)
    with store.write() as connection:
        alerts.add(connection, project["id"], Alert("new"))
        notices.add_channel(connection, project["id"], f"json://{place}/hook")
    store.close()


def test_two_nodes_on_one_database_show_all_and_tell_once(tmp_path: Path) -> None:
    try:
        with hook() as server, postgresql(tmp_path / "postgresql") as url:
            allowed = ("--allow-host", "127.0.0.1")
            with running(tmp_path / "a", url, allowed) as a, running(tmp_path / "b", url, allowed) as b:
                project = a.project("both")
                b.projects = a.projects
                webhook(a, project, server.place)
                sent = []
                for number, node in enumerate([a, b] * 3):
                    event = {"event_id": uuid.uuid4().hex, "message": f"failure {'abcdef'[number]}"}
                    assert envelope(project, event, node.base).status_code == 200
                    sent.append(event["event_id"])
                for node in (a, b):
                    assert {one["client_event_id"] for one in node.api(project, "/events")} == set(sent)
                until(lambda: server.bodies, 20)
                time.sleep(5)  # a second message would come now
                assert sum(body.count("failure a") > 0 for body in server.bodies) == 1
                a.stop(9)
                event = {"event_id": uuid.uuid4().hex, "message": "after one was killed"}
                assert envelope(project, event, b.base).status_code == 200
                assert len(b.api(project, "/events")) == 7
    except LookupError as missing:
        pytest.skip(str(missing))
