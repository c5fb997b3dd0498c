"""Whether the server's own user may read the password file that a directive names.

nginx opens the file in a worker (`user`), Apache httpd in a child (`User`, `Group`), after both gave up root; a
folder on the way that this user may not pass (a home of mode 700) is enough. Both answer 500 to every login then, and
still ask with 401 for one. Asked of this disk only where the file lies at the very place that is named, and where the
user that is named exists.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from why401.checks import rule
from why401.evidence import Evidence
from why401.findings import AGAINST, NAMED, Finding, Where
from why401.layers.file_access import readable_by
from why401.layers.model import Layer, Route
from why401.layers.tree import Absence, Document
from why401.path import routes

#: The hop's name → the directive that names its user, and the one that names its group (also a second argument).
_USERS = {"nginx": ("user", ""), "Apache httpd": ("user", "group")}


@rule
def password_file_unreadable(evidence: Evidence) -> Iterator[Finding]:
    """The server's user may not read the password file, or not pass a folder on the way to it."""
    if any(x.status == 401 and "authorization" in x.request.fields for x in evidence.exchanges):
        return  # a login was checked and refused, so the file was read
    seen: set[tuple[str, str]] = set()
    for route in routes(evidence):
        user = _user(route.layer) if route.layer and route.hop in _USERS else None
        for demand in route.all("password-file", "digest-file") if user else ():
            name = _place(route, demand.value)
            if user is None or name is None or (user[0], name) in seen:
                continue
            seen.add((user[0], name))
            refuses = _refuses(name, user[1], user[2])
            if refuses is not None:
                yield _finding(route, Where.of(demand.source), name, user[0], refuses)


def _user(layer: Layer) -> tuple[str, int, set[int]] | None:
    """The user's name, number and groups by the configuration and this machine's list of users; None if unknown."""
    top = getattr(layer, "top", None)
    if top is None or layer.root.path is None:
        return None
    named, grouped = (top.last(name) if name else None for name in _USERS[layer.hop])
    if named is None or not named.args:
        return None
    group = named.args[1] if named.args[1:] else grouped.args[0] if grouped and grouped.args else ""
    return _known(named.args[0], group)


def _known(name: str, group: str) -> tuple[str, int, set[int]] | None:
    try:
        import grp
        import pwd
    except ImportError:  # Windows has neither
        return None
    try:
        found = pwd.getpwuid(int(name[1:])) if name[:1] == "#" else pwd.getpwnam(name)
        own = int(group[1:]) if group[:1] == "#" else grp.getgrnam(group).gr_gid if group else found.pw_gid
        return found.pw_name, found.pw_uid, {own, *os.getgrouplist(found.pw_name, own)}
    except (KeyError, ValueError, OSError):
        return None


def _place(route: Route, name: str) -> str | None:
    """The file's name where it lies on this disk as the configuration says."""
    found = route.layer.open(name) if route.layer else None
    if isinstance(found, Absence):
        return found.name if found.kind == "denied" else None
    if isinstance(found, Document) and Path(found.name).is_absolute() and Path(found.name).exists():
        return found.name if not Path(name).is_absolute() or name == found.name else None
    return None


def _refuses(name: str, uid: int, gids: set[int]) -> str | None:
    try:
        return readable_by(name, uid, gids)
    except OSError:
        return None


def _finding(route: Route, where: Where, name: str, user: str, refuses: str) -> Finding:
    if refuses == name:
        says = f"{route.hop} runs as {user}, who may not read the password file {name}."
        fix, command = f"Let {user} read the file.", f"setfacl -m u:{user}:r {name}"
    else:
        says = (
            f"{route.hop} runs as {user}, who may not pass the folder {refuses} to the password file {name}."
        )
        fix = f"Let {user} pass the folder, or move the file to where it may be read."
        command = f"setfacl -m u:{user}:x {refuses}"
    return Finding(
        "password-file-unreadable",
        f"{says} Every login is answered with 500.",
        {"password-file-problem": NAMED, "wrong-password": AGAINST, "unknown-user": AGAINST},
        where,
        group="password-file",
        stack=route.hop,
        fix=fix,
        command=command,
    )
