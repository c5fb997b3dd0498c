"""Teams: a project of a team is seen by its members, and by those who run the monitor; one of no team by everybody."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, select, update

from why401.monitor import schema
from why401.monitor.projects import Unknown

t, m, p, u = schema.teams, schema.members, schema.projects, schema.users


def listed(connection: Connection) -> list[dict[str, Any]]:
    """The teams by name, with their people and projects."""
    members = connection.execute(
        select(m.c.team_id, u.c.id, u.c.name).join_from(m, u, m.c.user_id == u.c.id).order_by(u.c.name)
    ).all()
    projects = connection.execute(select(p.c.team_id, p.c.id, p.c.name).order_by(p.c.name)).all()
    return [
        {
            "id": row.id,
            "name": row.name,
            "people": [{"id": one.id, "name": one.name} for one in members if one.team_id == row.id],
            "projects": [{"id": one.id, "name": one.name} for one in projects if one.team_id == row.id],
        }
        for row in connection.execute(select(t).order_by(t.c.name))
    ]


def add(connection: Connection, name: str) -> int:
    """Raises Unknown."""
    name = name.strip()[:200]
    if not name:
        raise Unknown("A team needs a name.")
    if connection.scalar(select(t.c.id).where(t.c.name == name)) is not None:
        raise Unknown(f"There is a team named {name!r} already.")
    identity: int = connection.execute(t.insert().values(name=name).returning(t.c.id)).scalar_one()
    return identity


def remove(connection: Connection, team: int) -> None:
    """Only a team without projects, since everybody would see them. Raises Unknown."""
    _need(connection, team)
    if connection.scalar(select(p.c.id).where(p.c.team_id == team).limit(1)) is not None:
        raise Unknown("The team has projects; give them to another team first.")
    connection.execute(delete(m).where(m.c.team_id == team))
    connection.execute(delete(t).where(t.c.id == team))


def join(connection: Connection, team: int, user: int) -> None:
    """Raises Unknown."""
    _need(connection, team)
    if connection.scalar(select(u.c.id).where(u.c.id == user)) is None:
        raise Unknown("There is no such user.")
    here = (m.c.team_id == team) & (m.c.user_id == user)
    if connection.scalar(select(m.c.user_id).where(here)) is None:
        connection.execute(m.insert().values(team_id=team, user_id=user, role="member"))


def leave(connection: Connection, team: int, user: int) -> None:
    connection.execute(delete(m).where(m.c.team_id == team, m.c.user_id == user))


def give(connection: Connection, project: int, team: int | None) -> None:
    """Raises Unknown."""
    if team is not None:
        _need(connection, team)
    connection.execute(update(p).where(p.c.id == project).values(team_id=team))


def _need(connection: Connection, team: int) -> None:
    if connection.scalar(select(t.c.id).where(t.c.id == team)) is None:
        raise Unknown("There is no such team.")
