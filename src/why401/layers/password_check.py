"""Does this password fit the stored one, and can this server find that out?

Nothing here guesses: only the password that is given is tried, and other *readings* of it (a line break, its
charset, quotes).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from why401.layers.file_problems import FileProblem
from why401.layers.password_hashes import fits_hash, same
from why401.layers.password_kinds import Kind, recognise
from why401.layers.password_servers import SERVERS, can_check, checkable
from why401.layers.passwords import DigestFile, PasswordFile, lookup


class Outcome(StrEnum):
    """What a server makes of a user and a password."""

    ACCEPTED = "accepted"
    WRONG_PASSWORD = "wrong-password"
    UNKNOWN_USER = "unknown-user"
    UNSUPPORTED = "hash-kind-not-supported"
    DAMAGED = "damaged-entry"
    UNDECIDABLE = "undecidable"


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome, one sentence without any secret, and the line it rests on.

    `matches` says whether the password is the stored one whatever this server can do with it (None: unknown);
    `variant` how the password had to be read to fit.
    """

    outcome: Outcome
    says: str
    line: int | None = None
    kind: Kind | None = None
    matches: bool | None = None
    variant: str | None = None


def verify(
    user: str, password: str, file: PasswordFile, server: str, libc: str | None = None
) -> Verification:
    """What `server` (a key of `password_servers.SERVERS`) answers to these credentials with this file."""
    found = lookup(file, user, server)
    if isinstance(found, FileProblem):
        outcome = Outcome.DAMAGED if found.kind == "refused" else Outcome.UNKNOWN_USER
        return Verification(outcome, found.says, found.line)
    line, stored = found
    return verify_stored(password, stored.reveal(), server, libc, line)


def verify_stored(
    password: str, stored: str, server: str, libc: str | None = None, line: int | None = None
) -> Verification:
    """The same for one stored password, as it stands in haproxy.cfg, a Caddyfile or a Traefik label."""
    row = SERVERS[server]
    if row.plain:
        return _plain(password, stored, line)
    if server in ("registry", "traefik", "caddy") and stored.startswith("$2"):
        stored = stored[:60]  # golang.org/x/crypto/bcrypt compares 60 characters, whatever follows
    found = recognise(stored)
    fits = found.mended.reveal() if found.mended is not None else stored
    if same(stored, password):
        says = f"The file holds the password itself, {row.says} wants a hash of it."
        return Verification(Outcome.UNSUPPORTED, says, line, Kind.PLAIN, True)
    if found.damage:
        matches = fits_hash(password, fits) if found.mended is not None else None
        says = found.says + (" Put right, it fits the password." if matches else "")
        return Verification(Outcome.DAMAGED, says, line, found.kind, matches)
    matches = fits_hash(password, stored)
    if not can_check(server, found.kind, libc):
        return Verification(
            Outcome.UNSUPPORTED, _unsupported(server, found.kind, libc), line, found.kind, matches
        )
    if server == "squid" and found.kind is Kind.DES and len(password.encode()) > 8:
        says = "Squid refuses passwords longer than 8 characters with DES crypt."
        return Verification(Outcome.UNSUPPORTED, says, line, found.kind, matches)
    return _outcome(password, stored, found.kind, matches, line)


def verify_digest(user: str, realm: str, password: str, file: DigestFile) -> Verification:
    """What a server that asks for `realm` makes of a user and a password with an htdigest file."""
    own = [entry for entry in file.entries if entry.user == user]
    entry = next((entry for entry in own if entry.realm == realm), None)
    if entry is None and own:
        says = f'The file has this user for the realm "{own[0].realm}", the server asks for "{realm}".'
        fits = _ha1(user, own[0].realm, password, own[0].ha1.reveal())
        return Verification(Outcome.UNKNOWN_USER, says, own[0].line, matches=fits)
    if entry is None:
        return Verification(Outcome.UNKNOWN_USER, "The htdigest file does not have this user.")
    if len(entry.ha1) not in (32, 64):
        return Verification(
            Outcome.DAMAGED, "The hash of this user is not 32 hexadecimal digits.", entry.line
        )
    if _ha1(user, realm, password, entry.ha1.reveal()):
        return Verification(
            Outcome.ACCEPTED, "The password fits the htdigest file.", entry.line, matches=True
        )
    says = "The password does not fit the hash of this user and realm."
    return Verification(Outcome.WRONG_PASSWORD, says, entry.line, matches=False)


def _ha1(user: str, realm: str, password: str, ha1: str) -> bool:
    octets = f"{user}:{realm}:{password}".encode("utf-8", "surrogatepass")
    name = "sha256" if len(ha1) == 64 else "md5"
    return same(hashlib.new(name, octets, usedforsecurity=False).hexdigest(), ha1.lower())


def _plain(password: str, stored: str, line: int | None) -> Verification:
    if same(password, stored):
        says = "The password is the stored one."
        return Verification(Outcome.ACCEPTED, says, line, Kind.PLAIN, True)
    found = recognise(stored)
    if stored[:1] in ("$", "{") and not found.damage and fits_hash(password, stored):
        says = "A hash of the password is stored where the password itself is wanted."
        return Verification(Outcome.UNSUPPORTED, says, line, found.kind, True)
    says = "The password is not the stored one."
    return Verification(Outcome.WRONG_PASSWORD, says, line, Kind.PLAIN, False)


def _unsupported(server: str, kind: Kind, libc: str | None) -> str:
    known = ", ".join(k.value for k in checkable(server, libc))
    held = "The file holds no hash" if kind is Kind.PLAIN else f"The stored password is {kind.value}"
    return f"{held}, {SERVERS[server].says} can check {known}."


def _outcome(password: str, stored: str, kind: Kind, matches: bool | None, line: int | None) -> Verification:
    if matches is None:
        says = f"Whether the password fits the {kind.value} hash could not be computed here."
        return Verification(Outcome.UNDECIDABLE, says, line, kind)
    if matches:
        says = f"The password fits the {kind.value} hash.{_cut(password, kind)}"
        return Verification(Outcome.ACCEPTED, says, line, kind, True)
    for variant, octets in _readings(password):
        if fits_hash(octets, stored):
            says = f"The password does not fit, but the {kind.value} hash was made from it with {variant}."
            return Verification(Outcome.WRONG_PASSWORD, says, line, kind, False, variant)
    says = f"The password does not fit the {kind.value} hash."
    return Verification(Outcome.WRONG_PASSWORD, says, line, kind, False)


def _cut(password: str, kind: Kind) -> str:
    limit = {Kind.BCRYPT: 72, Kind.DES: 8}.get(kind)
    over = limit is not None and len(password.encode("utf-8", "surrogatepass")) > limit
    return f" Only its first {limit} bytes count." if over else ""


def _readings(password: str) -> Iterator[tuple[str, bytes]]:
    """The same password as the program that made the hash may have been given it."""
    octets = password.encode("utf-8", "surrogatepass")
    yield "a line break after it", octets + b"\n"
    stripped = octets.strip()
    if stripped != octets:
        yield "no white space round it", stripped
    if len(stripped) > 2 and stripped[:1] in (b"'", b'"') and stripped[-1:] == stripped[:1]:
        yield "no quotes round it", stripped[1:-1]
    if not password.isascii() and all(ord(c) < 256 for c in password):
        yield "its characters in ISO 8859-1 instead of UTF-8", password.encode("iso-8859-1")
