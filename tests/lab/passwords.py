"""Password files as servers keep them, written at the start of a case so that no hash stands in the repository."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
from collections.abc import Callable, Mapping

import pytest

_SALT = "whyUnit1"  # fixed, so that a case is the same at every run


def password_file(kind: str, passwords: Mapping[str, str], realm: str = "") -> str:
    """The content of a password file: a line `user:hash` each. Raises KeyError for an unknown kind."""
    if kind == "digest":
        return "".join(f"{u}:{realm}:{_md5(f'{u}:{realm}:{p}')}\n" for u, p in passwords.items())
    return "".join(f"{user}:{_KINDS[kind](password)}\n" for user, password in passwords.items())


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _openssl(option: str) -> Callable[[str], str]:
    def hashed(password: str) -> str:
        return _run(["openssl", "passwd", option, "-salt", _SALT, "-stdin"], password)

    return hashed


def _bcrypt(password: str) -> str:
    return _run(["htpasswd", "-niBC", "4", "user"], password).partition(":")[2]


def _sha1(password: str) -> str:
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    return "{SHA}" + base64.b64encode(digest).decode()


def _run(command: list[str], password: str) -> str:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    return subprocess.run(command, input=password, capture_output=True, text=True, check=True).stdout.strip()


_KINDS: dict[str, Callable[[str], str]] = {
    "apr1": _openssl("-apr1"),
    "md5": _openssl("-1"),
    "sha256": _openssl("-5"),
    "sha512": _openssl("-6"),
    "bcrypt": _bcrypt,
    "sha1": _sha1,
    "plain": lambda password: password,
    "{PLAIN}": lambda password: "{PLAIN}" + password,
}
