"""Kinds of stored passwords, what a whole one of each looks like, and how one comes to be damaged.

Shapes: crypt(5) of libxcrypt; `apr_md5` of the Apache Portable Runtime; RFC 2307 for `{SCHEME}`; the PHC string
format for Argon2.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from why401.prefilter import Lazy, lazy
from why401.secret import Secret


class Kind(StrEnum):
    """How a password is stored; the value is what a sentence calls it."""

    BCRYPT = "bcrypt"
    APR1 = "apr1 (MD5)"
    MD5 = "md5-crypt"
    SHA = "{SHA}"
    SSHA = "{SSHA}"
    SHA256 = "sha256-crypt"
    SHA512 = "sha512-crypt"
    YESCRYPT = "yescrypt"
    DES = "DES crypt"
    ARGON2ID = "argon2id"
    ARGON2 = "argon2"
    MD5_HEX = "MD5 in hexadecimal digits"
    MARKED = "{PLAIN}"
    PLAIN = "plain text"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Recognised:
    """A stored password: its kind; `damage` (a slug) and `says` where it cannot be whole.

    `mended` is what it was before quoting or escaping damaged it, where that can be undone.
    """

    kind: Kind
    damage: str = ""
    says: str = ""
    mended: Secret | None = None


_C = "[./0-9A-Za-z]"  # the alphabet of crypt(3)
#: Kind, how it begins, a whole one, and what a whole one has. The first whose beginning fits counts.
_SHAPES: tuple[tuple[Kind, Lazy, Lazy, str], ...] = (
    (Kind.BCRYPT, lazy(r"\$2[abxy]?\$"), lazy(rf"\$2[abxy]\$\d\d\${_C}{{53}}"), "60 characters"),
    (
        Kind.APR1,
        lazy(r"\$apr1(?:\$|\Z)"),
        lazy(rf"\$apr1\$[^$]{{0,8}}\${_C}{{22}}"),
        "a salt and 22 characters",
    ),
    (Kind.MD5, lazy(r"\$1\$"), lazy(rf"\$1\$[^$]{{0,8}}\${_C}{{22}}"), "a salt and 22 characters"),
    (
        Kind.SHA256,
        lazy(r"\$5\$"),
        lazy(rf"\$5\$(?:rounds=\d{{1,9}}\$)?[^$]{{0,16}}\${_C}{{43}}"),
        "a salt and 43 characters",
    ),
    (
        Kind.SHA512,
        lazy(r"\$6\$"),
        lazy(rf"\$6\$(?:rounds=\d{{1,9}}\$)?[^$]{{0,16}}\${_C}{{86}}"),
        "a salt and 86 characters",
    ),
    (
        Kind.YESCRYPT,
        lazy(r"\$y\$"),
        lazy(rf"\$y\${_C}+\${_C}{{0,86}}\${_C}{{43}}"),
        "parameters, a salt and 43 characters",
    ),
    (Kind.SHA, lazy(r"\{SHA\}"), lazy(r"\{SHA\}[A-Za-z0-9+/]{27}="), "28 characters of base64"),
    (Kind.SSHA, lazy(r"\{SSHA\}"), lazy(r"\{SSHA\}[A-Za-z0-9+/]{28,}={0,2}"), "28 or more of base64"),
    (
        Kind.ARGON2ID,
        lazy(r"\$argon2id"),
        lazy(r"\$argon2id\$(?:v=\d+\$)?m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+"),
        "parameters, a salt and a hash",
    ),
    (
        Kind.ARGON2,
        lazy(r"\$argon2[id]\$"),
        lazy(r"\$argon2[id]\$(?:v=\d+\$)?m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+"),
        "parameters, a salt and a hash",
    ),
    (Kind.MARKED, lazy(r"\{PLAIN\}"), lazy(r"(?s)\{PLAIN\}.*"), "a password"),
    (Kind.MD5_HEX, lazy(r"[0-9a-f]{32}\Z"), lazy(r"[0-9a-f]{32}"), "32 hexadecimal digits"),
    (Kind.DES, lazy(rf"{_C}{{13}}\Z"), lazy(rf"{_C}{{13}}"), "13 characters"),
)
_HEADED = lazy(r"\$[^$]*\$|\{[A-Za-z0-9-]+\}")
# What is left when a shell, PHP, envsubst or Compose put nothing for `$2`, `$1` and `$salt` ($0 is the shell's
# name), and when make took `$` with the one character after it.
_EATEN = (
    lazy(rf"[aby](?:\d|[-/\w]*sh\d)(?:\$?[./]{_C}*|{_C}{{52}})?"),
    lazy(rf"pr1{_C}{{22,}}"),
    lazy(rf"\$?[./](?:{_C}{{7,}})?"),
)


def recognise(stored: str) -> Recognised:
    """The kind of a stored password, and whether it is whole."""
    if not stored:
        says = (
            "Nothing stands after the colon: no password fits (a shell leaves nothing of an unquoted `$…`)."
        )
        return Recognised(Kind.EMPTY, "empty", says)
    for kind, beginning, whole, has in _SHAPES:
        if beginning.match(stored):
            return Recognised(kind) if whole.fullmatch(stored) else _damaged(kind, stored, has)
    return _unknown(stored)


def _damaged(kind: Kind, stored: str, has: str) -> Recognised:
    mended = _mended(stored)
    if mended is not None:
        return mended
    if any(c.isspace() for c in stored):
        says = f"White space stands in or after the {kind.value} hash."
        return Recognised(kind, "whitespace", says, _whole(stored.strip()))
    says = f"The {kind.value} hash is damaged: a whole one has {has}, this one has {len(stored)} in all."
    return Recognised(kind, "damaged", says)


def _unknown(stored: str) -> Recognised:
    mended = _mended(stored)
    if mended is not None:
        return mended
    if stored != stored.strip() and _whole(stored.strip()) is not None:
        says = "White space stands before or after the hash."
        return Recognised(recognise(stored.strip()).kind, "whitespace", says, Secret(stored.strip()))
    if any(eaten.fullmatch(stored) for eaten in _EATEN):
        says = (
            "This looks like what is left of a hash when a shell, make or Compose reads its `$…` as variables: "
            "quote it with ' or double each $."
        )
        return Recognised(Kind.PLAIN, "dollar-eaten", says)
    if _HEADED.match(stored):
        return Recognised(
            Kind.PLAIN, "unknown-kind", "The stored password is of a kind that is not known here."
        )
    return Recognised(Kind.PLAIN)


def _mended(stored: str) -> Recognised | None:
    """Undo a doubled dollar, a backslash before it, or quotes, where a whole hash comes out."""
    for damage, text, says in (
        (
            "doubled-dollar",
            stored.replace("$$", "$"),
            "Each $ of the hash is doubled, as only Compose wants it.",
        ),
        ("escaped-dollar", stored.replace("\\$", "$"), "A backslash stands before each $ of the hash."),
        ("quoted", _unquoted(stored), "Quotes stand round the hash, and are part of it."),
    ):
        if text != stored and _whole(text) is not None:
            return Recognised(recognise(text).kind, damage, says, Secret(text))
    return None


def _unquoted(stored: str) -> str:
    text = stored.strip()
    return text[1:-1] if len(text) > 2 and text[0] in "\"'" and text[-1] == text[0] else stored


def _whole(stored: str) -> Secret | None:
    """The hash, where it is a whole one that begins as a hash does."""
    fits = stored[:1] in ("$", "{") and any(whole.fullmatch(stored) for _, _, whole, _ in _SHAPES)
    return Secret(stored) if fits else None
