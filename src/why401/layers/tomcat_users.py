"""The users of tomcat-users.xml, as the realm compares them (MemoryUserDatabase, CredentialHandler)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.evidence import Source
from why401.layers.accounts import Account
from why401.layers.xml_lines import Element
from why401.secret import Secret

_MEMORY = ("UserDatabaseRealm", "MemoryRealm")
_USER = r"<user\s([^<>]*)/?>"
_ATTRIBUTE = r"([\w-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')"


def accounts_in(users: Element | None, realm: Element | None) -> list[Account] | None:
    """The users, active ones first; None where the realm asks elsewhere (JNDI, a database)."""
    inner = memory_realm(realm)
    if users is None or (realm is not None and inner is None):
        return None
    algorithm = algorithm_of(inner)
    groups = {_name(g, "groupname"): _list(g.attributes.get("roles", "")) for g in users.all("group")}
    found = [_account(u.attributes, u.source, groups, algorithm) for u in users.all("user")]
    return [*found, *_commented(users, groups, algorithm)]


def memory_realm(realm: Element | None) -> Element | None:
    """The realm that reads the file, within a LockOutRealm or CombinedRealm too."""
    for element in realm.walk() if realm is not None else ():
        if element.attributes.get("className", "").endswith(_MEMORY):
            return element
    return None


def algorithm_of(realm: Element | None) -> str:
    """The algorithm of the realm's credential handler, "" where passwords are compared as they are."""
    for handler in realm.walk() if realm is not None else ():
        if handler.name != "CredentialHandler":
            continue
        algorithm = handler.attributes.get("algorithm", "")
        if handler.attributes.get("className", "").endswith("SecretKeyCredentialHandler"):
            return algorithm or "PBKDF2WithHmacSHA1"
        if algorithm:
            return algorithm
    return ""


def _account(
    attributes: dict[str, str],
    source: Source,
    groups: dict[str, set[str]],
    algorithm: str,
    *,
    active: bool = True,
) -> Account:
    roles = _list(attributes.get("roles", ""))
    for group in _list(attributes.get("groups", "")):
        roles |= groups.get(group, set())
    user = attributes.get("username", attributes.get("name", ""))
    stored = Secret(attributes.get("password", ""))
    return Account(user, stored, "tomcat", source, frozenset(roles), None, active=active, algorithm=algorithm)


def _commented(users: Element, groups: dict[str, set[str]], algorithm: str) -> Iterator[Account]:
    """Users inside comments, as the file that comes with Tomcat has them."""
    for line, text in users.comments:
        for match in re.finditer(_USER, text):
            attributes = {n: a or b for n, a, b in re.findall(_ATTRIBUTE, match[1])}
            at = Source(users.document.name, line + text.count("\n", 0, match.start()))
            yield _account(attributes, at, groups, algorithm, active=False)


def _name(element: Element, name: str) -> str:
    return element.attributes.get(name, element.attributes.get("name", ""))


def _list(text: str) -> set[str]:
    return {part.strip() for part in text.split(",") if part.strip()}
