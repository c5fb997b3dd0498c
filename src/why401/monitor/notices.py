"""Telling people: what was noticed goes out as one message a project, never more often than every few minutes."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from why401.monitor import schema
from why401.monitor.projects import Unknown
from why401.monitor.store import Store

n, ch, p = schema.notices, schema.channels, schema.projects
PACE = 120.0  #: seconds between two messages of a project; what comes meanwhile is told together
STALE = 86400.0  #: what could not be told for a day is told no more
LISTED = 20  #: notices that one message spells out
log = logging.getLogger(__name__)
logging.getLogger("apprise").setLevel(
    logging.CRITICAL
)  # it writes addresses, which may hold secrets, into the log
Send = Callable[[list[str], str, str], list[str]]


def add_channel(connection: Connection, project: int, url: str) -> None:
    """`url`: an address as Apprise writes it (https://appriseit.com/services/). Raises Unknown."""
    import apprise

    if not apprise.Apprise().add(url):
        raise Unknown("This is no address that Apprise knows; see https://appriseit.com/services/.")
    connection.execute(ch.insert().values(project_id=project, url=url, created=time.time()))


def remove_channel(connection: Connection, project: int, identity: int) -> None:
    """Raises Unknown."""
    if not connection.execute(ch.delete().where(ch.c.id == identity, ch.c.project_id == project)).rowcount:
        raise Unknown(f"There is no channel {identity} in this project.")


def channels(connection: Connection, project: int) -> list[dict[str, Any]]:
    """The channels, without what they hold in secret."""
    import apprise

    rows = connection.execute(select(ch).where(ch.c.project_id == project).order_by(ch.c.id)).all()
    return [{"id": row.id, "shown": _shown(apprise.Apprise.instantiate(row.url), row.url)} for row in rows]


def _shown(plugin: Any, url: str) -> str:
    return plugin.url(privacy=True).partition("?")[0] if plugin else url.partition(":")[0] + "://…"


def quiet(hours: str, now: float) -> bool:
    """Whether a time lies within quiet hours such as "22:00-07:00" (UTC); "" for none."""
    first, dash, last = hours.replace(" ", "").partition("-")
    if not dash:
        return False
    at = datetime.fromtimestamp(now, UTC).strftime("%H:%M")
    return first <= at < last if first <= last else at >= first or at < last


def deliver(store: Store, send: Send, base: str, now: float | None = None) -> int:
    """Tell what waits to be told; the number of messages. One that fails is tried again at the next time."""
    now = time.time() if now is None else now
    with store.read() as connection:
        waiting = (
            connection.execute(select(n.c.project_id).where(n.c.sent.is_(None)).distinct()).scalars().all()
        )
    return sum(_deliver(store, send, base, project, now) for project in waiting)


def _deliver(store: Store, send: Send, base: str, project: int, now: float) -> int:
    with store.read() as connection:
        row = connection.execute(select(p.c.name, p.c.options).where(p.c.id == project)).one()
        last = connection.scalar(select(func.max(n.c.sent)).where(n.c.project_id == project)) or 0.0
        urls = list(connection.scalars(select(ch.c.url).where(ch.c.project_id == project)))
        mine = (n.c.project_id == project) & n.c.sent.is_(None)
        held = connection.execute(select(n).where(mine).order_by(n.c.id)).all()
    fresh = [one for one in held if one.time > now - STALE]
    if urls and fresh:
        if now - last < PACE or quiet(json.loads(row.options).get("quiet", ""), now):
            return 0
        failed = send(urls, *message(row.name, fresh, base))
        if len(failed) == len(urls):
            log.error("notices of project %s were not taken: %s", project, "; ".join(failed))
            return 0
    with store.write() as connection:
        connection.execute(update(n).where(n.c.id.in_([one.id for one in held])).values(sent=now))
    return int(bool(urls and fresh))


def message(project: str, held: list[Any], base: str) -> tuple[str, str]:
    """(title, text) of one message about all of them."""
    if len(held) == 1:
        return f"[{project}] {held[0].title}", f"{held[0].text}\n{base}{held[0].path}"
    parts = [f"{one.title}\n{one.text}\n{base}{one.path}" for one in held[:LISTED]]
    more = len(held) - LISTED
    return f"[{project}] {len(held)} notices", "\n\n".join(parts + ([f"and {more} more"] if more > 0 else []))


def recent(connection: Connection, project: int) -> list[dict[str, Any]]:
    rows = connection.execute(select(n).where(n.c.project_id == project).order_by(n.c.id.desc()).limit(50))
    return [{"title": r.title, "text": r.text, "path": r.path, "time": r.time, "sent": r.sent} for r in rows]
