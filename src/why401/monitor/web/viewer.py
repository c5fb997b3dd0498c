"""Who asks: by a token of the API, or by the session of somebody who signed in. Nobody else sees anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Request
from litestar.exceptions import NotAuthorizedException, NotFoundException, PermissionDeniedException

from why401.monitor import tokens, users
from why401.monitor.store import Store
from why401.monitor.users import ROLES


@dataclass(frozen=True)
class Viewer:
    """Somebody, and what they may see. `name` goes into the audit log."""

    name: str
    role: str
    projects: frozenset[int]
    user: int | None = None

    def may(self, role: str) -> bool:
        """Whether the role is this one or a higher one."""
        return ROLES.index(self.role) <= ROLES.index(role)

    def need(self, role: str) -> None:
        """Raises 403."""
        if not self.may(role):
            raise PermissionDeniedException(f"This needs the role {role}; yours is {self.role}.")

    def govern(self, role: str = "admin") -> None:
        """Raises 403 for a project's token, whatever its role: this is of the whole monitor."""
        if self.user is None:
            raise PermissionDeniedException("A project's token cannot do this; send one of a user.")
        self.need(role)

    def see(self, project: int) -> int:
        """The project, where it may be seen. Raises 404: others are not told whether it exists."""
        if project not in self.projects:
            raise NotFoundException(f"There is no project {project}, or it is not yours.")
        return project


def viewer_of(request: Request[Any, Any, Any], store: Store) -> Viewer:
    """Raises 401."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        found = _by_token(store, token.strip())
    else:  # the API asks for no form's token, so a browser's session may only read there
        reads = request.method in ("GET", "HEAD") or not request.url.path.startswith("/api/")
        found = _by_session(store, request.session) if reads else None
    if found is None:
        raise NotAuthorizedException(
            "The token is unknown or was revoked." if token else "Sign in, or send a token of the API.",
            headers={
                "WWW-Authenticate": 'Bearer realm="why401"' + (', error="invalid_token"' if token else "")
            },
        )
    return found


def _by_token(store: Store, token: str) -> Viewer | None:
    with store.read() as connection:
        row: Any = tokens.find(connection, token)
        if row is None:
            return None
        if row.project_id is not None:
            return Viewer(f"token {row.id}", row.role, frozenset({row.project_id}))
        user: Any = users.find(connection, row.user_id) if row.user_id is not None else None
        if user is None:
            return None
        return Viewer(
            f"token {row.id}", user.role, users.projects_of(connection, user.id, user.role), user.id
        )


def _by_session(store: Store, session: dict[str, Any]) -> Viewer | None:
    identity = session.get("user")
    if not isinstance(identity, int):
        return None
    with store.read() as connection:
        user: Any = users.find(connection, identity)
        if user is None or user.sessions != session.get("sessions"):
            return None
        return Viewer(user.name, user.role, users.projects_of(connection, user.id, user.role), user.id)
