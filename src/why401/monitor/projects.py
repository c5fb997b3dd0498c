"""Projects, and the keys by which clients write to them."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from why401.monitor import schema, tokens
from why401.monitor.store import Store


class Unknown(Exception):
    """There is no such project, key or user: the message is one sentence."""


@dataclass(frozen=True)
class Project:
    """What the way of an event needs to know of a project."""

    id: int
    name: str
    quota: int | None  # events a minute
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def blocklist(self) -> frozenset[str]:
        return frozenset(name.lower() for name in self.options.get("blocklist", ()))

    @property
    def allowlist(self) -> frozenset[str]:
        return frozenset(name.lower() for name in self.options.get("allowlist", ()))


@dataclass(frozen=True)
class Key:
    """A key, and whether it was revoked."""

    project: int
    revoked: bool


def add(store: Store, name: str, base: str) -> dict[str, Any]:
    """Make a project with a key and an API token; what `why401 project add --json` prints. Raises Unknown."""
    key, now = secrets.token_hex(16), time.time()
    try:
        with store.write() as connection:
            row = connection.execute(
                schema.projects.insert().values(name=name, created=now).returning(schema.projects.c.id)
            ).one()
            identity: int = row.id
            connection.execute(schema.keys.insert().values(key=key, project_id=identity, created=now))
            token = tokens.issue(connection, "made with the project", "admin", project=identity)
    except IntegrityError:
        raise Unknown(f"There is a project named {name!r} already.") from None
    return described(identity, key, token, base)


def keys(connection: Connection, project: int) -> list[dict[str, Any]]:
    """The keys by which clients write to a project, the oldest first."""
    k = schema.keys
    rows = connection.execute(select(k).where(k.c.project_id == project).order_by(k.c.created)).mappings()
    return [{name: row[name] for name in ("key", "label", "created", "revoked")} for row in rows]


def add_key(connection: Connection, project: int) -> str:
    key = secrets.token_hex(16)
    connection.execute(schema.keys.insert().values(key=key, project_id=project, created=time.time()))
    return key


def revoke_key(connection: Connection, project: int, key: str) -> None:
    """Raises Unknown."""
    k = schema.keys
    here = (k.c.key == key) & (k.c.project_id == project) & k.c.revoked.is_(None)
    if not connection.execute(update(k).where(here).values(revoked=time.time())).rowcount:
        raise Unknown("There is no such key in this project.")


def described(identity: int, key: str, token: str | None, base: str) -> dict[str, Any]:
    """How each protocol's clients are pointed at the project."""
    split = urlsplit(base)
    return {
        "id": identity,
        "key": key,
        "sentry_dsn": f"{split.scheme}://{key}@{split.netloc}{split.path.rstrip('/')}/{identity}",
        "airbrake": {"project_id": identity, "project_key": key, "host": base},
        "otlp": {"endpoint": base, "headers": {"Authorization": f"Bearer {key}"}},
        "api_token": token,
    }


def everything(connection: Connection) -> tuple[dict[int, Project], dict[str, Key]]:
    """All projects by id, and all keys."""
    p, k = schema.projects, schema.keys
    projects = {
        row.id: Project(row.id, row.name, row.quota, json.loads(row.options))
        for row in connection.execute(select(p.c.id, p.c.name, p.c.quota, p.c.options))
    }
    keys = {
        row.key: Key(row.project_id, row.revoked is not None)
        for row in connection.execute(select(k.c.key, k.c.project_id, k.c.revoked))
    }
    return projects, keys


def change(store: Store, identity: int, **values: Any) -> None:
    """Change columns of a project. Raises Unknown."""
    with store.write() as connection:
        change_in(connection, identity, **values)


def change_in(connection: Connection, identity: int, **values: Any) -> None:
    """The same within a transaction. Raises Unknown."""
    p = schema.projects
    name = values.get("name")
    if name and connection.scalar(select(p.c.id).where(p.c.name == name, p.c.id != identity)) is not None:
        raise Unknown(f"There is a project named {name!r} already.")
    if not connection.execute(update(p).where(p.c.id == identity).values(**values)).rowcount:
        raise Unknown(f"There is no project {identity}.")
