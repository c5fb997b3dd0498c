"""Export and import: everything that is kept of projects as lines of JSON, alike for every database.

A line is `["table", {column: value}]`; the first names the format. What opens something is not in it: passwords,
tokens, addresses of channels, the key of the fingerprints. Numbers that are counted per installation (of projects,
teams, users) are given anew where they are taken; all other ids are the same everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import Any

from sqlalchemy import Connection, Table, func, select, text
from sqlalchemy.exc import OperationalError, StatementError

from why401.monitor import schema
from why401.monitor.kept import body, packed
from why401.monitor.migrations.upgrade import HEAD
from why401.monitor.store import Store

FORMAT = "why401-export"
#: In the order in which they refer to one another. Tables that are not listed are of one installation alone.
TABLES: tuple[Table, ...] = (
    schema.teams, schema.users, schema.members, schema.projects, schema.keys, schema.groups, schema.events,
    schema.tags, schema.minutes, schema.requests, schema.hours, schema.deploys, schema.releases, schema.facts,
    schema.filters, schema.alerts, schema.checks, schema.comments, schema.audit,
)  # fmt: skip
#: Columns that stay.
_STAY = {"users": {"password", "sessions", "subject"}}
#: Rows whose number is counted here and means nothing elsewhere: made only with their project.
_OF_PROJECT = frozenset(("filters", "alerts", "checks"))
#: Of the columns that refer to a counted number: the table it is of.
_REFERS = {"project_id": "projects", "team_id": "teams", "user_id": "users", "assignee_id": "users"}
_TOGETHER = 500  #: rows of one transaction: others write in between


class Unreadable(Exception):
    """The file is no export that can be read: the message is one sentence."""


def lines(connection: Connection, project: int | None = None) -> Iterator[str]:
    """The export, line by line, as of the moment of the connection's transaction; of one project, or of all."""
    yield json.dumps([FORMAT, {"schema": HEAD}])
    for table in TABLES:
        query = select(*(c for c in table.c if c.name not in _STAY.get(table.name, ())))
        if project is not None:
            narrowed = _of(table, project)
            if narrowed is None:
                continue
            query = query.where(narrowed)
        rows = (
            connection.execution_options(yield_per=_TOGETHER)
            .execute(query.order_by(*table.primary_key))
            .mappings()
        )
        for row in rows:
            yield json.dumps([table.name, {name: _OUT.get(name, _same)(row[name]) for name in row}])


def _of(table: Table, project: int) -> Any:
    """Which rows are of a project; None where none are."""
    if table is schema.projects:
        return table.c.id == project
    if table is schema.comments:
        g = schema.groups
        return table.c.group_id.in_(select(g.c.id).where(g.c.project_id == project))
    if table is schema.users:  # who wrote comments, or has something to do
        return table.c.id.in_(
            select(schema.groups.c.assignee_id).where(schema.groups.c.project_id == project)
        )
    return table.c.project_id == project if "project_id" in table.c else None


def _same(value: Any) -> Any:
    return value


_OUT: dict[str, Callable[[Any], Any]] = {
    "body": body,
    "digest": lambda value: json.loads(value) if value else None,
}
_IN: dict[str, Callable[[Any], Any]] = {
    "body": packed,
    "digest": lambda value: json.dumps(value).encode() if value else None,
}


@dataclass
class Imported:
    """What an import did. `rows`: written, by table; `names`: of the projects that were made."""

    rows: dict[str, int] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)


class Importer:
    """Writes an export into an installation that may hold other things, and may be in use. What is there already is
    left as it is, so an import that was broken off can be made again."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._numbers: dict[tuple[str, int], int] = {}  # (table, there) -> here
        self._made: set[int] = set()  # projects that this import made
        self.done = Imported()

    def run(self, source: Iterable[str]) -> Imported:
        """Raises Unreadable; what was read until then is kept."""
        rows = _rows(source)
        name, said = next(rows, ("", {}))
        if name != FORMAT:
            raise Unreadable("This is no export of why401: its first line does not say so.")
        if said.get("schema", "") > HEAD:
            raise Unreadable("The export was made by a newer why401; use that version or a later one.")
        for name, some in groupby(rows, key=lambda one: one[0]):
            while batch := [row for _, row in islice(some, _TOGETHER)]:
                self._write(name, batch)
        return self.done

    def _write(self, name: str, rows: list[dict[str, Any]]) -> None:
        table = schema.metadata.tables.get(name)
        if table is None or table not in TABLES:
            raise Unreadable(f"{name!r} is no table of an export.")
        with self._store.write() as connection:
            try:
                written = self._rows(connection, table, rows)
            except (KeyError, TypeError, ValueError, OverflowError) as problem:
                raise Unreadable(f"A row of {name} cannot be read: {problem}.") from None
            except OperationalError:
                raise
            except StatementError as problem:
                says = str(problem.orig).partition("\n")[0]
                raise Unreadable(f"A row of {name} cannot be written: {says}.") from None
            self.done.rows[name] = self.done.rows.get(name, 0) + written

    def _rows(self, connection: Connection, table: Table, rows: list[dict[str, Any]]) -> int:
        if table.name in ("projects", "teams", "users"):
            return sum(self._counted(connection, table, row) for row in rows)
        fit = [self._fitted(table, row) for row in rows]
        if table.name in _OF_PROJECT:
            fit = [
                {k: v for k, v in row.items() if k != "id"} for row in fit if row["project_id"] in self._made
            ]
        if not fit:
            return 0
        insert = self._store.insert(table).on_conflict_do_nothing().returning(*table.primary_key)
        return len(connection.execute(insert, fit).all())

    def _fitted(self, table: Table, row: dict[str, Any]) -> dict[str, Any]:
        """The row as it is written here. Raises KeyError where it lacks a column or refers to what is not there."""
        stay = _STAY.get(table.name, ())
        found = {
            c.name: _IN.get(c.name, _same)(row[c.name])
            for c in table.c
            if c.name not in stay and (c.name in row or not (c.nullable or c.server_default is not None))
        }
        for column, of in _REFERS.items():
            there = found.get(column)
            if there is not None and column in table.c:
                here = self._numbers.get((of, there))
                if here is None and column == "project_id":
                    raise KeyError(f"it is of project {there}, which the export does not hold")
                found[column] = here if here is not None else (0 if column == "user_id" else None)
        if table is schema.minutes and int(found["group_id"]) < 0:  # of a whole project
            found["group_id"] = -int(found["project_id"])
        return found

    def _counted(self, connection: Connection, table: Table, row: dict[str, Any]) -> int:
        """A row that is known by its name; the number it has here is remembered."""
        there = int(row["id"])
        wanted = self._fitted(table, row)
        same = connection.execute(select(table).where(table.c.name == row["name"])).one_or_none()
        if same is not None:
            if table is schema.projects and same.created != row["created"]:
                raise Unreadable(f"There is another project named {row['name']!r}; rename one of them first.")
            self._numbers[table.name, there] = same.id
            return 0
        if connection.scalar(select(table.c.id).where(table.c.id == there)) is not None:
            del wanted["id"]
        here = connection.execute(table.insert().values(wanted).returning(table.c.id)).scalar_one()
        self._numbers[table.name, there] = here
        _count_on(connection, table)
        if table is schema.projects:
            self._made.add(here)
            self.done.names.append(row["name"])
        return 1


def _count_on(connection: Connection, table: Table) -> None:
    """PostgreSQL counts on from what it gave itself; SQLite from the greatest."""
    if connection.dialect.name == "postgresql":
        greatest = select(func.max(table.c.id)).scalar_subquery()
        connection.execute(
            select(func.setval(text(f"pg_get_serial_sequence('{table.name}', 'id')"), greatest))
        )


def _rows(source: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(source, 1):
        try:
            name, row = json.loads(line)
        except (ValueError, TypeError):
            raise Unreadable(f"Line {number} is no row of an export.") from None
        if not isinstance(name, str) or not isinstance(row, dict):
            raise Unreadable(f"Line {number} is no row of an export.")
        yield name, row
