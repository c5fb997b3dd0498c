"""People who may see the monitor: passwords by argon2, roles, and which projects are theirs."""

from __future__ import annotations

import time

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, Row, select, update
from sqlalchemy.exc import IntegrityError

from why401.monitor import schema, tokens
from why401.monitor.groups import note
from why401.monitor.projects import Unknown
from why401.monitor.store import Store

#: What a role may do, each all that the later ones may: everything; projects and people; states and filters; read.
ROLES = ("owner", "admin", "member", "viewer")
SHORTEST = 10  #: characters of a password
_hasher = PasswordHasher()
#: Compared with where there is no such user, so that the answer takes as long.
_NOBODY = _hasher.hash("nobody")
u = schema.users


def add(store: Store, name: str, role: str, password: str | None, email: str = "") -> int:
    """Make a user; one without a password signs in by OpenID Connect, known by the address. Raises Unknown."""
    if not name:
        raise Unknown("A user needs a name.")
    if password is None and "@" not in email:
        raise Unknown("Give a password, or the e-mail address by which OpenID Connect knows the user.")
    if role not in ROLES:
        raise Unknown(f"{role}: roles are {', '.join(ROLES)}.")
    if password is not None and len(password) < SHORTEST:
        raise Unknown(f"A password needs at least {SHORTEST} characters.")
    row = {
        "name": name,
        "role": role,
        "password": password and _hasher.hash(password),
        "email": email.lower(),
        "created": time.time(),
    }
    try:
        with store.write() as connection:
            identity: int = connection.execute(u.insert().values(row).returning(u.c.id)).scalar_one()
    except IntegrityError:
        raise Unknown(f"There is a user named {name!r} already.") from None
    return identity


def sign_in(store: Store, name: str, password: str) -> Row[tuple[object, ...]] | None:
    """The user of a name and password; None where they do not fit."""
    with store.read() as connection:
        found = connection.execute(select(u).where(u.c.name == name, u.c.disabled.is_(False))).one_or_none()
    try:
        _hasher.verify(found.password if found is not None and found.password else _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return None
    return found if found is not None and found.password else None


def by_subject(store: Store, subject: str, email: str) -> Row[tuple[object, ...]]:
    """The user whom an OpenID provider vouches for: known by the subject, at the first time by the verified address
    ("" where there is none). Raises Unknown."""
    with store.write() as connection:
        able = u.c.disabled.is_(False)
        found = connection.execute(select(u).where(u.c.subject == subject, able)).one_or_none()
        if found is None and email:
            known = (u.c.email == email.lower(), u.c.subject.is_(None), able)
            named = connection.execute(select(u).where(*known)).all()
            if len(named) == 1:
                (found,) = named
                connection.execute(update(u).where(u.c.id == found.id).values(subject=subject))
        if found is None:
            raise Unknown(
                f"Nobody here is known by {email or 'this account'}; ask who runs the monitor to add you."
            )
        note(connection, found.name, "signed in by OpenID Connect", None, {})
    return found


def find(connection: Connection, identity: int) -> Row[tuple[object, ...]] | None:
    """A user who may sign in."""
    return connection.execute(select(u).where(u.c.id == identity, u.c.disabled.is_(False))).one_or_none()


def end_sessions(store: Store, identity: int) -> None:
    """Every session of a user counts no more."""
    with store.write() as connection:
        connection.execute(update(u).where(u.c.id == identity).values(sessions=u.c.sessions + 1))


def projects_of(connection: Connection, identity: int, role: str) -> frozenset[int]:
    """The projects that a user may see: owners and admins all, others those of their teams and those of no team."""
    p, m = schema.projects, schema.members
    query = select(p.c.id)
    if role not in ("owner", "admin"):
        teams = select(m.c.team_id).where(m.c.user_id == identity)
        query = query.where(p.c.team_id.is_(None) | p.c.team_id.in_(teams))
    return frozenset(connection.scalars(query))


def disable(store: Store, identity: int, actor: str) -> None:
    """Somebody may sign in no more, and their sessions end. The last owner stays. Raises Unknown."""
    with store.write() as connection:
        owners = set(connection.scalars(select(u.c.id).where(u.c.role == "owner", u.c.disabled.is_(False))))
        if owners <= {identity}:
            raise Unknown("The last owner cannot be disabled.")
        connection.execute(
            update(u).where(u.c.id == identity).values(disabled=True, sessions=u.c.sessions + 1)
        )
        note(connection, actor, "user disabled", None, {"user": identity})


def token(store: Store, name: str) -> str:
    """A token of the API that sees what the user sees. Raises Unknown."""
    with store.write() as connection:
        user = connection.execute(select(u).where(u.c.name == name, u.c.disabled.is_(False))).one_or_none()
        if user is None:
            raise Unknown(f"There is no user named {name!r}.")
        return tokens.issue(connection, "made on the command line", user.role, user=user.id)
