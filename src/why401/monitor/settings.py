"""What an installation remembers of itself."""

from __future__ import annotations

from sqlalchemy import select

from why401.monitor import schema
from why401.monitor.store import Store

BASE = "http://127.0.0.1:4010"  #: where it listens unless told otherwise


def get(store: Store, name: str, default: str = "") -> str:
    with store.read() as connection:
        t = schema.settings
        return connection.scalar(select(t.c.value).where(t.c.name == name)) or default


def put(store: Store, name: str, value: str) -> None:
    with store.write() as connection:
        insert = store.insert(schema.settings).values(name=name, value=value)
        connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_={"value": value}))
