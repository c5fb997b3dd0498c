"""The database: SQLite in the data folder, or PostgreSQL by its URL; the same statements for both.

SQLite is used as its authors advise for durable writes by one process and reads by many: WAL, `synchronous=FULL`, and
`BEGIN IMMEDIATE` where a transaction is going to write.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from why401.monitor import schema
from why401.monitor.migrations.upgrade import upgrade

FILE = "why401.sqlite3"
#: Named secrets of the installation, made once. They never leave in an export.
SECRETS = ("fingerprint", "session")


class Unusable(Exception):
    """The data folder or the database cannot be used: the message is one sentence."""


class Store:
    """One database, and the transactions on it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.lite = engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A transaction that sees one moment all along. (SQLite's always do; PostgreSQL's where they are asked to.)"""
        level = {} if self.lite else {"isolation_level": "REPEATABLE READ"}
        with self.engine.connect().execution_options(**level) as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes: on disk when the block ends, undone where it raises."""
        with self.engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection

    def insert(self, table: Table) -> Any:
        """An INSERT that can say `on_conflict_do_update`."""
        return sqlite.insert(table) if self.lite else postgresql.insert(table)

    def secret(self, name: str) -> bytes:
        """One of `SECRETS`."""
        with self.read() as connection:
            held = schema.settings
            found = connection.scalar(select(held.c.value).where(held.c.name == f"secret-{name}"))
        return bytes.fromhex(found or "")

    def close(self) -> None:
        self.engine.dispose()


def address(data: Path, database: str | None) -> str:
    """The database of a data folder: the URL given, else the one that the folder was made with, else SQLite."""
    kept = data / "database"
    if database:
        return database
    return kept.read_text().strip() if kept.exists() else f"sqlite:///{data / FILE}"


def open_store(data: Path, database: str | None = None) -> Store:
    """Open the database, and make its tables where they are missing. Raises Unusable."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        store = Store(_engine(address(data, database)))
        upgrade(store.engine)
        _secrets(store)
    except LookupError as problem:
        raise Unusable(str(problem)) from None
    except (OSError, ArgumentError) as error:
        raise Unusable(f"{data}: the data folder cannot be used: {error}") from None
    if database:
        kept = data / "database"
        kept.touch(mode=0o600)
        kept.write_text(database)
    return store


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        away = {"connect_timeout": 5, "tcp_user_timeout": 10_000}  # a server that is gone without a word
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"), pool_size=10, pool_pre_ping=True, connect_args=away
        )
    if parsed.get_backend_name() != "sqlite":
        raise Unusable(f"{parsed.get_backend_name()}: databases are sqlite:///FILE or postgresql://…")
    engine = create_engine(parsed, connect_args={"timeout": 30, "check_same_thread": False}, pool_size=10)
    event.listen(engine, "connect", _pragmas)
    event.listen(engine, "begin", _begin)
    return engine


def _pragmas(connection: Any, record: object) -> None:
    del record
    connection.isolation_level = None  # transactions are begun below, not by the driver
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-16000",
                   "mmap_size=268435456", "journal_size_limit=67108864"):  # fmt: skip
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _secrets(store: Store) -> None:
    with store.write() as connection:
        for name in SECRETS:
            row = {"name": f"secret-{name}", "value": secrets.token_hex(32)}
            connection.execute(store.insert(schema.settings).values(row).on_conflict_do_nothing())
