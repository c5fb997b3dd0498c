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
from why401.monitor.migrations.upgrade import HEAD
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
