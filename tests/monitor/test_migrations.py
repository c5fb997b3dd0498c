"""A database is made by migrations alone, and is what the program expects."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from tests.monitor.running import postgresql
from why401.monitor import migrations
from why401.monitor.migrations.upgrade import HEAD, upgrade
from why401.monitor.schema import metadata
from why401.monitor.store import Store, Unusable, open_store


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        yield open_store(tmp_path / "data")
        return
    try:
        with postgresql(tmp_path / "postgresql") as url:
            one = open_store(tmp_path / "data", url)
            yield one
            one.close()
    except LookupError as missing:
        pytest.skip(str(missing))


def test_what_is_migrated_is_what_the_schema_says(store: Store) -> None:
    with store.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_newest_revision_is_the_one_that_is_asked_for() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    one = open_store(tmp_path)
    with one.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    one.close()
    with pytest.raises(Unusable, match="newer why401"):
        open_store(tmp_path)


def test_processes_that_start_together_make_it_once(tmp_path: Path) -> None:
    program = "import sys, pathlib; from why401.monitor.store import open_store; open_store(pathlib.Path(sys.argv[1]))"
    started = [subprocess.Popen([sys.executable, "-c", program, tmp_path / "data"]) for _ in range(6)]
    assert [one.wait(60) for one in started] == [0] * 6


#: Of the first version, where it is counted up for the third.
_FIRST = (
    "INSERT INTO projects (id, name, created) VALUES (7, 'p', 0)",
    "INSERT INTO minutes (project_id, minute, group_id, events) VALUES (7, 60, 1, 2), (7, 60, 2, 3), (7, 61, 1, 4)",
    "INSERT INTO requests (project_id, minute, route_key, environment, method, route, status, count, sum, sumsq)"
    " VALUES (7, 60, 'k', '', 'GET', '/a', 401, 2, 10, 60), (7, 119, 'k', '', 'GET', '/a', 401, 3, 20, 90),"
    " (7, 120, 'k', '', 'GET', '/a', 401, 5, 50, 500)",
)


def test_what_an_older_version_counted_stays(store: Store) -> None:
    with store.write() as connection:
        for table in ("credentials", "hours"):
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        for statement in _FIRST:
            connection.execute(text(statement))
    upgrade(store.engine)
    with store.read() as connection:
        hours = connection.execute(text("SELECT hour, count, sum FROM hours ORDER BY hour")).all()
        assert [tuple(row) for row in hours] == [(1, 5, 30.0), (2, 5, 50.0)]
        whole = connection.execute(
            text("SELECT minute, events FROM minutes WHERE group_id = -7 ORDER BY minute")
        ).all()
        assert [tuple(row) for row in whole] == [(60, 5), (61, 4)]
