"""Export, import and backup, while the monitor runs."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.monitor.running import PASSWORD, Running, envelope, postgresql, running, until, why401
from why401.monitor import filters, notices, projects, users
from why401.monitor.rules import Condition, Rule
from why401.monitor.store import Store, open_store
from why401.monitor.transfer import Importer, Unreadable, lines

REFUSED = {
    "message": "401 Unauthorized for url: https://api.example.com/x",
    "tags": {"shop": "7"},
    "release": "2.0",
}


def refused(one: Running, project: dict[str, Any], number: int = 3) -> list[str]:
    sent = [uuid.uuid4().hex for _ in range(number)]
    for identity in sent:
        assert envelope(project, {"event_id": identity, **REFUSED}, one.base).status_code == 200
    return sent


@pytest.fixture
def away(tmp_path: Path) -> Iterator[Store]:
    """Another installation, on the other kind of database, that has a project already."""
    try:
        with postgresql(tmp_path / "pg") as url:
            store = open_store(tmp_path / "away", url)
            projects.add(store, "first here", "http://h.example")
            yield store
            store.close()
    except LookupError as missing:
        pytest.skip(str(missing))


def test_there_and_back_again(tmp_path: Path, away: Store) -> None:
    with running(tmp_path / "data") as one:
        project = one.project("shop")
        sent = refused(one, project)
        users.add(open_store(one.data), "ada", "admin", PASSWORD)
        with open_store(one.data).write() as connection:
            filters.add(connection, project["id"], Rule("noise", "drop", (Condition("class", "Noise"),)))
            notices.add_channel(connection, project["id"], "json://user:topsecret@hooks.example/x")
        group = one.api(project, "/groups")[0]["id"]
        one.api(project, f"/groups/{group}", method="PATCH", json={"state": "resolved"})
        file = tmp_path / "all.jsonl"
        why401("export", *one.options, "--to", str(file))
        before = one.api(project, "/groups")
    assert file.stat().st_mode & 0o077 == 0
    text = file.read_text()
    store = open_store(one.data)
    assert "topsecret" not in text
    assert project["api_token"] not in text
    assert store.secret("fingerprint").hex() not in text
    assert "argon2" not in text

    done = Importer(away).run(text.splitlines())
    assert done.names == ["shop"]
    assert done.rows["events"] == 3
    back = tmp_path / "back.jsonl"
    with away.snapshot() as connection:
        held = {row.name: row.id for row in connection.execute(projects.schema.projects.select())}
        assert held["shop"] != held["first here"]
        back.write_text("\n".join(lines(connection, held["shop"])))
    made = projects.add(away, "made after", "http://h.example")
    assert made["id"] > max(held.values()), "numbers are counted on"

    again = tmp_path / "again"
    assert why401("import", "--data", str(again), str(back)).stdout.startswith(
        "3 events taken in; projects made: shop"
    )
    with running(again) as other:
        other.projects["shop"] = {**project, "id": 2 if held["shop"] == 2 else held["shop"]}
        listed = other.events(other.projects["shop"])
        assert {event["client_event_id"] for event in listed} == set(sent)
        with open_store(again).read() as connection:
            groups = connection.execute(projects.schema.groups.select()).mappings().all()
        assert [(str(row["id"]), row["state"]) for row in groups] == [(g["id"], g["state"]) for g in before]
        # clients go on with the key they have
        event = {"event_id": uuid.uuid4().hex, **REFUSED}
        assert envelope(other.projects["shop"], event, other.base).status_code == 200
        (only,) = {row["group"] for row in other.events(other.projects["shop"])}
        assert only == before[0]["id"], "what comes falls into the group that was brought"


def test_an_import_that_was_broken_off_is_made_again(tmp_path: Path) -> None:
    with running(tmp_path / "data") as one:
        refused(one, one.project("shop"), 5)
        text = why401("export", *one.options).stdout.splitlines()
    there = open_store(tmp_path / "there")
    half = next(i for i, line in enumerate(text) if line.startswith('["events"')) + 2
    with pytest.raises(Unreadable, match=f"Line {half + 1}"):
        Importer(there).run([*text[:half], "[broken"])
    assert Importer(there).run(text).rows["events"] >= 3
    assert Importer(there).run(text).rows["events"] == 0
    assert Importer(there).run(text).names == []


def test_a_project_of_the_same_name_is_not_mixed_up(tmp_path: Path) -> None:
    a, b = open_store(tmp_path / "a"), open_store(tmp_path / "b")
    projects.add(a, "shop", "http://h.example")
    projects.add(b, "shop", "http://h.example")
    with a.snapshot() as connection:
        text = list(lines(connection))
    with pytest.raises(Unreadable, match="another project named 'shop'"):
        Importer(b).run(text)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return open_store(tmp_path_factory.mktemp("empty"))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
tables = st.sampled_from(
    ["projects", "users", "events", "groups", "tags", "filters", "comments", "settings", "x"]
)


@given(st.lists(st.text() | st.tuples(tables, json_values).map(json.dumps)))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_imported_it_is_said_in_one_sentence(empty: Store, rows: list[str]) -> None:
    head = '["why401-export", {"schema": "0001"}]'
    for source in (rows, [head, *rows]):
        said = ""
        try:
            Importer(empty).run(source)
        except Unreadable as problem:
            said = str(problem)
        assert "\n" not in said


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str | None]:
    if request.param == "sqlite":
        yield None
        return
    try:
        with postgresql(tmp_path / "pg") as url:
            yield url
    except LookupError as missing:
        pytest.skip(str(missing))


def test_a_backup_while_events_come(tmp_path: Path, database: str | None) -> None:
    with running(tmp_path / "data", database) as one:
        project = one.project("shop")
        before = refused(one, project, 20)
        ends, answers = threading.Event(), list[int]()

        def send() -> None:
            while not ends.is_set():
                answers.append(
                    envelope(project, {"event_id": uuid.uuid4().hex, **REFUSED}, one.base).status_code
                )

        sender = threading.Thread(target=send)
        sender.start()
        until(lambda: len(answers) > 5)
        file = tmp_path / "copy"
        said = why401("backup", *one.options, "--to", str(file))
        ends.set()
        sender.join(20)
        assert set(answers) == {200}
        assert "keys" in said.stdout
        assert file.stat().st_mode & 0o077 == 0
        again = why401("backup", *one.options, "--to", str(file), check=False)
        assert (again.returncode, again.stdout) == (2, "")
        assert "is there already" in again.stderr
    assert set(before) <= _held(file, database)


def _held(file: Path, database: str | None) -> set[str]:
    if database is None:
        copy = sqlite3.connect(file)
        return {row[0] for row in copy.execute("SELECT client_id FROM events")}
    out = subprocess.run(
        ["pg_restore", "--data-only", "--table=events", "--file=-", file], capture_output=True, text=True, check=True
    ).stdout  # fmt: skip
    return {field for line in out.splitlines() for field in line.split("\t") if len(field) == 32}


def test_a_backup_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    open_store(tmp_path / "data").close()
    said = why401(
        "backup", "--data", str(tmp_path / "data"), "--to", str(tmp_path / "none" / "x"), check=False
    )
    assert said.returncode == 2
    assert said.stderr.count("\n") == 1
    assert not (tmp_path / "none").exists()
