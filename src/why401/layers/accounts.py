"""Users whose passwords stand in a configuration itself (HAProxy's userlist, a Caddyfile, tomcat-users.xml)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from why401.evidence import Source
from why401.layers.model import Layer, Route
from why401.layers.password_check import Verification, verify_stored
from why401.layers.tomcat_digests import verify_digest
from why401.secret import Secret


@dataclass(frozen=True, slots=True)
class Account:
    """One user of a configuration.

    `stored` is the password or hash as the product reads it, `written` as a person wrote it where the product
    reads less (a comment cuts it off); `server` is a key of `password_servers.SERVERS`. `active` is false for a
    user that stands in a comment.
    """

    user: str
    stored: Secret
    server: str
    source: Source
    roles: frozenset[str] = frozenset()
    written: Secret | None = None
    active: bool = True
    algorithm: str = ""  # of a digest without a mark of its kind: "SHA-256"


class KeepsAccounts(Layer):
    """A layer whose configuration holds users."""

    def accounts(self, route: Route) -> Sequence[Account] | None:
        """The users that this route asks for; None where they are kept elsewhere (LDAP, a database)."""
        raise NotImplementedError


def verify(account: Account, password: str) -> Verification:
    """What the product answers to this password of an account."""
    if account.algorithm:
        return verify_digest(password, account.stored.reveal(), account.algorithm, account.source.line)
    return verify_stored(password, account.stored.reveal(), account.server, line=account.source.line)
