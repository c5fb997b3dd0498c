"""Addresses that are asked again and again; one that is refused is diagnosed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, select, update

from why401.monitor import schema
from why401.monitor.outgoing import Looked
from why401.monitor.projects import Unknown
from why401.monitor.store import Store

c = schema.checks
SHORTEST = 30  #: seconds between two requests to an address


def add(connection: Connection, project: int, url: str, every: int) -> int:
    """Raises Unknown."""
    split = urlsplit(url)
    if split.scheme not in ("http", "https") or not split.hostname:
        raise Unknown(f"{url}: give an address that begins with http:// or https://.")
    if split.password or split.username:
        raise Unknown("Give the address without a name and password: what is kept here is not secret.")
    row = {"project_id": project, "url": url, "every": max(SHORTEST, every), "created": time.time()}
    identity: int = connection.execute(c.insert().values(row).returning(c.c.id)).scalar_one()
    return identity


def remove(connection: Connection, project: int, identity: int) -> None:
    """Raises Unknown."""
    if not connection.execute(c.delete().where(c.c.id == identity, c.c.project_id == project)).rowcount:
        raise Unknown(f"There is no check {identity} in this project.")


def listed(connection: Connection, project: int) -> list[dict[str, Any]]:
    rows = connection.execute(select(c).where(c.c.project_id == project).order_by(c.c.id)).mappings()
    return [{name: row[name] for name in row if name not in ("report", "project_id")} for row in rows]


def look(store: Store, ask: Callable[[str], Looked], now: float | None = None) -> int:
    """Ask all addresses whose time has come; how many were asked."""
    now = time.time() if now is None else now
    with store.read() as connection:
        due = connection.execute(select(c).where(c.c.asked.is_(None) | (c.c.asked + c.c.every <= now))).all()
    for row in due:
        found = ask(row.url)
        with store.write() as connection:
            connection.execute(update(c).where(c.c.id == row.id).values(**_changed(row, found, now)))
    return len(due)


def _changed(row: Any, found: Looked, now: float) -> dict[str, Any]:
    values: dict[str, Any] = {"asked": now, "state": found.state, "status": found.status, "says": found.says,
                              "milliseconds": found.milliseconds, "expires": found.expires, "cause": "",
                              "report": None}  # fmt: skip
    if found.state != row.state:
        values["since"] = now
    if found.report:
        causes = json.loads(found.report)["causes"]
        values |= {"report": found.report, "cause": (causes[0]["id"] if causes else "") or ""}
    return values
