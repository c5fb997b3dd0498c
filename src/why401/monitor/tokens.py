"""Tokens of the API: shown once, kept as a digest."""

from __future__ import annotations

import hashlib
import secrets
import time
from typing import Any

from sqlalchemy import Connection, Row, select, update

from why401.monitor import schema

PREFIX = "w401_"


def issue(
    connection: Connection, label: str, role: str, *, project: int | None = None, user: int | None = None
) -> str:
    """Make a token for a project, or for all that a user may see."""
    token = PREFIX + secrets.token_urlsafe(30)
    row = {"digest": digest(token), "project_id": project, "user_id": user, "label": label, "role": role}
    connection.execute(schema.tokens.insert().values(created=time.time(), **row))
    return token


def digest(token: str) -> str:
    """What is kept of a token. It is random and long, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def listed(connection: Connection, project: int) -> list[dict[str, Any]]:
    """The tokens of a project, the oldest first, without what opens anything."""
    held = schema.tokens
    rows = connection.execute(
        select(held).where(held.c.project_id == project).order_by(held.c.created)
    ).mappings()
    return [{name: row[name] for name in ("id", "label", "role", "created", "revoked")} for row in rows]


def revoke(connection: Connection, project: int, identity: int) -> bool:
    """Whether there was such a token of the project."""
    held = schema.tokens
    here = (held.c.id == identity) & (held.c.project_id == project) & held.c.revoked.is_(None)
    return bool(connection.execute(update(held).where(here).values(revoked=time.time())).rowcount)


def find(connection: Connection, token: str) -> Row[tuple[object, ...]] | None:
    """The row of a token that was not revoked."""
    held = schema.tokens
    return connection.execute(
        select(held).where(held.c.digest == digest(token), held.c.revoked.is_(None))
    ).one_or_none()
