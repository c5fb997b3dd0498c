"""Summaries of a day or a week, and tokens that are about to end."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.monitor.test_alerts import noticed, stored
from why401.monitor import alerts, groups, projects, schema, summaries
from why401.monitor.alerts import Alert
from why401.monitor.groups import Search
from why401.monitor.store import Store, open_store

MONDAY = datetime(2027, 1, 4, 7, tzinfo=UTC).timestamp()
DAY = 86400.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    one = open_store(tmp_path / "data")
    projects.add(one, "p", "http://h.example")
    yield one
    one.close()


def due(store: Store, kind: str, now: float) -> list[alerts.Noticed]:
    projects.change(store, 1, options=json.dumps({"summary": kind}))
    with store.read() as connection:
        return [one for _, _, one in summaries.look(connection, now)]


def test_a_day_is_told_once_it_is_over(store: Store) -> None:
    stored(store, MONDAY - 20 * DAY, "disk full")
    stored(store, MONDAY - DAY, *["disk full"] * 3, "401 Unauthorized for url: https://a.example/x",
           counted=(("/a", 200, 90), ("/a", 401, 10)))  # fmt: skip
    (one,) = due(store, "daily", MONDAY)
    assert one.title == "Summary of 2027-01-03"
    assert one.text.splitlines()[:2] == ["4 events in 2 groups.", "1 refused request in 1 group."]
    assert "New:\n  1 × 401 " in one.text
    assert "Most frequent:\n  3 × disk full" in one.text
    assert "100 requests counted: 10 answered 401, 0 failed" in one.text


@pytest.mark.parametrize(
    ("kind", "now", "told"),
    [("daily", MONDAY, True), ("daily", MONDAY - 2 * 3600, False), ("weekly", MONDAY, True),
     ("weekly", MONDAY + DAY, False), ("", MONDAY, False)],
)  # fmt: skip
def test_when_it_is_told(store: Store, kind: str, now: float, told: bool) -> None:
    assert bool(due(store, kind, now)) is told


def test_it_is_told_once(store: Store) -> None:
    first = due(store, "weekly", MONDAY)
    with store.write() as connection:
        assert alerts.note(connection, store.insert, [(1, 0, one) for one in first]) == 1
        assert alerts.note(connection, store.insert, [(1, 0, one) for one in due_again(store)]) == 0


def due_again(store: Store) -> list[alerts.Noticed]:
    with store.read() as connection:
        return [one for _, _, one in summaries.look(connection, MONDAY + 3600)]


def token(**claims: Any) -> str:
    parts = [{"alg": "RS256"}, claims]
    return (
        ".".join(base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode() for one in parts)
        + ".c2ln"
    )


def with_token(store: Store, now: float, **claims: Any) -> None:
    exchange = {
        "method": "GET",
        "url": "https://a.example/",
        "fields": [["Authorization", f"Bearer {token(**claims)}"]],
    }
    stored(store, now, "something else failed", exchange=exchange, user={"id": "svc"})


def test_a_token_that_lasts_and_is_about_to_end(store: Store) -> None:
    now = MONDAY
    with_token(store, now, exp=now + 5 * DAY, iat=now - 90 * DAY, client_id="billing")
    assert noticed(store, Alert("expiring", days=3), now=now) == []
    assert noticed(store, Alert("expiring", days=7), now=now) == ["A token is about to end"]
    assert noticed(store, Alert("expiring", days=7), now=now + 6 * DAY) == [], "it has ended"
    with store.read() as connection:
        (row,) = connection.execute(schema.credentials.select()).all()
        assert (row.whose, row.expires) == ("billing", now + 5 * DAY)
        assert groups.find(connection, 1, Search(f"credential:{row.fingerprint}"))


@pytest.mark.parametrize(
    "claims", [{"exp": 600, "iat": 0}, {"exp": 3600}, {"iat": -DAY}, {"exp": -5, "iat": -9e6}]
)
def test_tokens_that_renew_themselves_or_do_not_end_are_not_told(
    store: Store, claims: dict[str, float]
) -> None:
    with_token(store, MONDAY, **{name: MONDAY + value for name, value in claims.items()})
    assert noticed(store, Alert("expiring", days=300), now=MONDAY) == []


def test_the_token_itself_is_not_kept(store: Store) -> None:
    with_token(store, MONDAY, exp=MONDAY + 5 * DAY, iat=MONDAY - 90 * DAY, jti=uuid.uuid4().hex)
    with store.read() as connection:
        assert "eyJ" not in str(connection.execute(schema.credentials.select()).all())
