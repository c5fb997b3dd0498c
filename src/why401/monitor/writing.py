"""One transaction for many events: groups, events, and what is counted of them."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, case, func, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from why401.monitor import ids, schema
from why401.monitor.kept import Kept
from why401.monitor.received import Counted, Deployed, Told
from why401.monitor.store import Store

g, e = schema.groups, schema.events


@dataclass(frozen=True)
class Explained:
    """A group's diagnosis, as JSON without secrets. `number`: of its events by then."""

    group: int
    cause: str
    report: str
    number: int


@dataclass
class Work:
    """What is to be written together."""

    kept: list[Kept] = field(default_factory=list)
    counted: list[tuple[int, Counted]] = field(default_factory=list)  # (project, …)
    deployed: list[tuple[int, Deployed]] = field(default_factory=list)
    told: list[tuple[int, Told]] = field(default_factory=list)
    explained: list[Explained] = field(default_factory=list)
    dropped: Counter[tuple[int, str]] = field(default_factory=Counter)  # (project, reason)
    refused: Counter[tuple[str, str, str, str]] = field(
        default_factory=Counter
    )  # (reason, path, agent, says)

    def add(self, other: Work) -> None:
        self.kept += other.kept
        self.counted += other.counted
        self.deployed += other.deployed
        self.told += other.told
        self.explained += other.explained
        self.dropped.update(other.dropped)
        self.refused.update(other.refused)


@dataclass(frozen=True)
class Outcome:
    """What became of a group by a transaction. `number`: its events now; `sample`: one of those just written."""

    project: int
    group: int
    new: bool
    regressed: bool
    written: int
    number: int
    sample: Kept = field(repr=False)


#: Of each table that is counted up: the columns of its key, those that are added to, those that are replaced.
_COUNTS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "minutes": (("minute", "group_id"), ("events",), ()),
    "tags": (("group_id", "key", "value"), ("events",), ("last_seen",)),
    "requests": (("minute", "route_key"), ("count", "sum", "sumsq"), ("digest",)),
    "hours": (("hour", "route_key"), ("count", "sum", "sumsq"), ("digest",)),
    "credentials": (("project_id", "fingerprint"), (), ("last_seen",)),
    "dropped": (("project_id", "minute", "reason"), ("count",), ()),
    "refused": (("reason", "path", "agent"), ("count",), ("last_seen", "says")),
}


class Prepared:
    """A statement for many rows, compiled once: SQLAlchemy takes longer to prepare one than SQLite to run it."""

    def __init__(self, engine: Engine, statement: Any, columns: Sequence[str]) -> None:
        compiled = statement.compile(dialect=engine.dialect, column_keys=list(columns))
        self._text, self._order = str(compiled), compiled.positiontup
        self._constants = {name: value for name, value in compiled.params.items() if value is not None}

    def run(self, connection: Connection, rows: list[dict[str, Any]]) -> int:
        """Run it for each row; the number of rows that were written."""
        if self._constants:
            rows = [{**self._constants, **row} for row in rows]
        given: Any = [tuple(map(row.__getitem__, self._order)) for row in rows] if self._order else rows
        return connection.exec_driver_sql(self._text, given).rowcount


@cache
def _adding(engine: Engine, name: str) -> Prepared:
    """INSERT a row, or add its numbers to those that are there."""
    table = schema.metadata.tables[name]
    key, added, replaced = _COUNTS[name]
    insert = _insert(engine)(table)
    new = insert.excluded
    change = {column: table.c[column] + new[column] for column in added}
    change |= {column: func.coalesce(new[column], table.c[column]) for column in replaced}
    return Prepared(
        engine, insert.on_conflict_do_update(index_elements=list(key), set_=change), table.c.keys()
    )


@cache
def _once(engine: Engine, name: str, *columns: str) -> Prepared:
    """INSERT a row unless it is there."""
    table = schema.metadata.tables[name]
    return Prepared(engine, _insert(engine)(table).on_conflict_do_nothing(), columns or table.c.keys())


@cache
def _seen(engine: Engine) -> Prepared:
    """What changes of a group by more events."""
    return Prepared(engine, _SEEN, ())


def _insert(engine: Engine) -> Any:
    return sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert


class Groups:
    """The ids of the groups by (project, key); what was looked up once is remembered."""

    MOST = 100_000

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[tuple[int, str], int] = {}

    def find(
        self, connection: Connection, kept: Sequence[Kept], now: float
    ) -> tuple[dict[tuple[int, str], int], set[int]]:
        """(group of each key, those that are new). Groups that are missing are made."""
        if len(self._known) > self.MOST:
            self._known.clear()
        wanted = {(one.project, one.grouped.key): one for one in kept}
        found = {key: self._known[key] for key in wanted if key in self._known}
        missing = [key for key in wanted if key not in found]
        found |= self._look(connection, missing)
        fresh = {key: _group(wanted[key], now) for key in missing if key not in found}
        if fresh:
            statement = self._store.insert(g).on_conflict_do_nothing(
                index_elements=["project_id", "fingerprint"]
            )
            connection.execute(statement, list(fresh.values()))
            found |= self._look(connection, list(fresh))
        return found, {row["id"] for row in fresh.values()} & set(found.values())

    def remember(self, found: dict[tuple[int, str], int]) -> None:
        """To be called once the transaction is on disk."""
        self._known.update(found)

    def forget(self) -> None:
        """Groups were merged, split or deleted."""
        self._known.clear()

    def _look(self, connection: Connection, keys: list[tuple[int, str]]) -> dict[tuple[int, str], int]:
        if not keys:
            return {}
        rows = connection.execute(
            select(g.c.project_id, g.c.fingerprint, g.c.id, g.c.merged_into).where(
                tuple_(g.c.project_id, g.c.fingerprint).in_(keys)
            )
        )
        return {(row.project_id, row.fingerprint): row.merged_into or row.id for row in rows}


def _group(one: Kept, now: float) -> dict[str, Any]:
    r = one.refusal
    return {
        "id": ids.new(),
        "project_id": one.project,
        "fingerprint": one.grouped.key,
        "kind": one.row["kind"],
        "title": one.grouped.title[:400],
        "culprit": one.grouped.culprit[:400],
        "status": one.row["status"],
        "host": r.host[:255] if r else "",
        "route": r.route[:400] if r else "",
        "level": one.row["level"],
        "environment": one.row["environment"],
        "first_seen": now,
        "last_seen": now,
        "first_release": one.row["release"],
        "last_release": one.row["release"],
    }


def write(
    store: Store, groups: Groups, connection: Connection, work: Work, now: float
) -> tuple[list[Outcome], dict[tuple[int, str], int]]:
    """Write it all. Returns what became of each group, and the groups found, to be remembered after the commit."""
    kept = work.kept
    found: dict[tuple[int, str], int] = {}
    outcomes: list[Outcome] = []
    if kept:
        found, new = groups.find(connection, kept, now)
        kept = _events(store, connection, kept, found)
        outcomes = _groups(store, connection, kept, found, new, now)
    _minutes(store, connection, kept, found, now)
    _tags(store, connection, kept, found, now)
    _credentials(store, connection, kept)
    _releases(store, connection, kept, work.deployed, now)
    _requests(store, connection, work.counted)
    _facts(store, connection, work, now)
    for one in work.explained:
        values = {"cause": one.cause, "report": one.report, "diagnosed_at": one.number}
        connection.execute(update(g).where(g.c.id == one.group).values(values))
    return outcomes, found


def _events(
    store: Store, connection: Connection, kept: list[Kept], found: dict[tuple[int, str], int]
) -> list[Kept]:
    """Write the events; those that were new. Clients send again what they had no answer for."""
    rows = [{"id": ids.new(), "group_id": found[one.project, one.grouped.key], **one.row} for one in kept]
    if _once(store.engine, "events", *rows[0]).run(connection, rows) == len(rows):
        return kept
    written = set(connection.scalars(select(e.c.id).where(e.c.id.in_([row["id"] for row in rows]))))
    return [one for one, row in zip(kept, rows, strict=True) if row["id"] in written]


def _groups(
    store: Store,
    connection: Connection,
    kept: list[Kept],
    found: dict[tuple[int, str], int],
    new: set[int],
    now: float,
) -> list[Outcome]:
    """Count the events of each group."""
    members: dict[int, list[Kept]] = defaultdict(list)
    for one in kept:
        members[found[one.project, one.grouped.key]].append(one)
    if not members:
        return []
    before = connection.execute(_STATES, {"groups": list(members)}).all()
    regressed = _regressed(connection, before, members)
    rows = [
        {"group": group, "more": len(ones), "now": now, "release": ones[-1].row["release"]}
        for group, ones in members.items()
    ]
    _seen(store.engine).run(connection, rows)
    numbers = {row.id: row.events + len(members[row.id]) for row in before}
    return [
        Outcome(
            ones[0].project,
            group,
            group in new,
            group in regressed,
            len(ones),
            numbers.get(group, 0),
            ones[-1],
        )
        for group, ones in members.items()
    ]


_SEEN = (
    update(g)
    .where(g.c.id == bindparam("group"))
    .values(
        events=g.c.events + bindparam("more"),
        last_seen=bindparam("now"),
        last_release=case((bindparam("release") != "", bindparam("release")), else_=g.c.last_release),
    )
)


_STATES = select(g.c.id, g.c.project_id, g.c.events, g.c.state, g.c.resolved_in).where(
    g.c.id.in_(bindparam("groups", expanding=True))
)


def _regressed(connection: Connection, before: Sequence[Any], members: dict[int, list[Kept]]) -> set[int]:
    """Groups that were resolved, and happen again in a release that is not older than the one that resolved them."""
    found = set()
    for row in before:
        if row.state != "resolved":
            continue
        releases = {one.row["release"] for one in members[row.id]}
        if row.resolved_in and not _later(connection, row.project_id, row.resolved_in, releases):
            continue
        found.add(row.id)
    if found:
        connection.execute(
            update(g)
            .where(g.c.id.in_(found))
            .values(state="regressed", resolved_in="", state_changed=time.time())
        )
    return found


def _later(connection: Connection, project: int, than: str, releases: set[str]) -> bool:
    """Whether one of the releases is `than`, or was first seen after it."""
    r = schema.releases
    seen = connection.execute(
        select(r.c.version, r.c.first_seen).where(
            r.c.project_id == project, r.c.version.in_({than, *releases})
        )
    )
    first = {row.version: row.first_seen for row in seen}
    return any(one == than or one not in first or first[one] > first.get(than, 0) for one in releases if one)


def _minutes(
    store: Store, connection: Connection, kept: list[Kept], found: dict[tuple[int, str], int], now: float
) -> None:
    counted = Counter((one.project, found[one.project, one.grouped.key]) for one in kept)
    if not counted:
        return
    for (project, _), number in list(counted.items()):
        counted[project, -project] += number
    rows = [
        {"project_id": project, "group_id": group, "minute": int(now // 60), "events": number}
        for (project, group), number in sorted(counted.items())
    ]
    _adding(store.engine, "minutes").run(connection, rows)


def _tags(
    store: Store, connection: Connection, kept: list[Kept], found: dict[tuple[int, str], int], now: float
) -> None:
    counted = Counter(
        (found[one.project, one.grouped.key], key, value, one.project)
        for one in kept
        for key, value in one.tags
    )
    if not counted:
        return
    rows = [
        {
            "group_id": group,
            "key": key,
            "value": value,
            "project_id": project,
            "events": number,
            "last_seen": now,
        }
        for (group, key, value, project), number in sorted(counted.items())
    ]
    _adding(store.engine, "tags").run(connection, rows)


def _credentials(store: Store, connection: Connection, kept: list[Kept]) -> None:
    rows = {(row["project_id"], row["fingerprint"]): row for one in kept for row in one.lasting}
    if rows:
        _adding(store.engine, "credentials").run(connection, [rows[key] for key in sorted(rows)])


def _releases(
    store: Store, connection: Connection, kept: list[Kept], deployed: list[tuple[int, Deployed]], now: float
) -> None:
    seen = {(one.project, one.row["release"]) for one in kept if one.row["release"]}
    seen |= {(project, one.version) for project, one in deployed if one.version}
    if seen:
        rows = [
            {"project_id": project, "version": version, "first_seen": now}
            for project, version in sorted(seen)
        ]
        _once(store.engine, "releases").run(connection, rows)
    if deployed:
        rows = [
            {"id": ids.new(), "project_id": project, "time": one.time, "version": one.version, "user": one.user,
             "environment": one.environment, "revision": one.revision, "repository": one.repository}
            for project, one in deployed
        ]  # fmt: skip
        connection.execute(schema.deploys.insert(), rows)


def _requests(store: Store, connection: Connection, counted: list[tuple[int, Counted]]) -> None:
    for table, unit, seconds in (("requests", "minute", 60), ("hours", "hour", 3600)):
        rows = _counted(counted, unit, seconds)
        if rows:
            _adding(store.engine, table).run(connection, [rows[key] for key in sorted(rows)])


def _counted(
    counted: list[tuple[int, Counted]], unit: str, seconds: int
) -> dict[tuple[int, int, str], dict[str, Any]]:
    """The rows of what was counted by a unit of time."""
    rows: dict[tuple[int, int, str], dict[str, Any]] = {}
    for project, one in counted:
        at = int(one.time // seconds)
        named = "\x1f".join((str(project), one.environment, one.method, one.route, str(one.status)))
        key = hashlib.sha256(named.encode("utf-8", "replace")).hexdigest()[:32]
        row = rows.setdefault((project, at, key), {
            "project_id": project, unit: at, "route_key": key, "environment": one.environment,
            "method": one.method, "route": one.route, "status": one.status, "count": 0, "sum": 0.0, "sumsq": 0.0,
            "digest": None})  # fmt: skip
        row["count"] += one.count
        row["sum"] += one.sum
        row["sumsq"] += one.sumsq
        if one.centroids:
            row["digest"] = json.dumps([*json.loads(row["digest"] or "[]"), *one.centroids]).encode()
    return rows


def _facts(store: Store, connection: Connection, work: Work, now: float) -> None:
    """What was dropped, whom we refused, and the facts of other kinds."""
    minute = int(now // 60)
    if work.dropped:
        rows = [{"project_id": project, "minute": minute, "reason": reason, "count": number}
                for (project, reason), number in sorted(work.dropped.items())]  # fmt: skip
        _adding(store.engine, "dropped").run(connection, rows)
    if work.refused:
        merged: dict[tuple[str, str, str], dict[str, Any]] = {}
        for (reason, path, agent, says), number in sorted(work.refused.items()):
            row = merged.setdefault((reason, path, agent), {"reason": reason, "path": path, "agent": agent,
                                                            "says": says, "count": 0, "last_seen": now})  # fmt: skip
            row["count"] += number
        _adding(store.engine, "refused").run(connection, list(merged.values()))
    if work.told:
        rows = [{"id": ids.new(), "project_id": project, "kind": one.kind[:32], "name": one.name[:400],
                 "status": one.status[:64], "time": one.time, "data": json.dumps(one.data)[:20_000]}
                for project, one in work.told]  # fmt: skip
        connection.execute(schema.facts.insert(), rows)
