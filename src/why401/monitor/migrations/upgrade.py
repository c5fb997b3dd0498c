"""Brings a database to the newest schema, or says that it is newer than this program."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

#: The newest revision. A test compares it with the folder's.
HEAD = "0003"
_LOCK = 401_401  #: of PostgreSQL, so that nodes that start together do not migrate together


def current(connection: Connection) -> str | None:
    """The revision of a database; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    held: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return held


def upgrade(engine: Engine) -> None:
    """Does nothing where nothing is to be done, which is told at once. Raises LookupError for an unknown revision."""
    with engine.connect() as connection:
        if current(connection) == HEAD:
            return
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        held = current(connection)
        if held != HEAD:
            _run(connection, held)


def _run(connection: Connection, held: str | None) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if held is not None and held not in known:
        raise LookupError(
            f"The database was made by a newer why401 (its schema is {held}); use that version or a later one."
        )
    command.upgrade(config, "head")
