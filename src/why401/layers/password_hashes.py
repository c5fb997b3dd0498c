"""Does a password fit a stored hash? Computed by libpass, bcrypt and cryptography.

yescrypt is computed by the machine's own libcrypt where it has one. A hash whose cost would keep us busy for
long (a second and more) is not computed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable

from why401.layers.password_kinds import Kind, recognise

_COSTLIEST_BCRYPT = 14  # about a second
_MOST_ROUNDS = 1_000_000
_CHEAP_YESCRYPT = re.escape("$y$j")  # the default flavour; the next letter is the cost


def fits_hash(password: str | bytes, stored: str) -> bool | None:
    """Whether a password is the one of a whole hash; None where that cannot be computed."""
    octets = password.encode("utf-8", "surrogatepass") if isinstance(password, str) else password
    octets = octets.partition(b"\0")[0]  # the end of a string to every server in C
    compare = _COMPARE.get(recognise(stored).kind)
    try:
        return compare(octets, stored) if compare is not None else None
    except (ValueError, TypeError, OSError, OverflowError):  # beyond what the library takes
        return None


def same(one: str | bytes, other: str | bytes) -> bool:
    """Compare in constant time."""
    first, second = (x.encode("utf-8", "surrogatepass") if isinstance(x, str) else x for x in (one, other))
    return hmac.compare_digest(first, second)


def _bcrypt(password: bytes, stored: str) -> bool | None:
    import bcrypt

    if int(stored[4:6]) > _COSTLIEST_BCRYPT or (stored[2] == "x" and not password.isascii()):
        return None  # 2x keeps an old error with the sign of characters
    return bcrypt.checkpw(password[:72], b"$2b" + stored[3:].encode("ascii"))


def _passlib(name: str) -> Callable[[bytes, str], bool | None]:
    def compare(password: bytes, stored: str) -> bool | None:
        from passlib import hash as hashes  # type: ignore[import-untyped]

        rounds = re.search(r"\$rounds=(\d+)\$", stored)
        if rounds and int(rounds[1]) > _MOST_ROUNDS:
            return None
        return bool(getattr(hashes, name).verify(password, stored))

    return compare


def _sha(password: bytes, stored: str) -> bool:
    digest = hashlib.sha1(password, usedforsecurity=False).digest()
    return same(base64.b64encode(digest), stored[5:])


def _ssha(password: bytes, stored: str) -> bool | None:
    try:
        octets = base64.b64decode(stored[6:], validate=True)
    except binascii.Error:
        return None
    return same(hashlib.sha1(password + octets[20:], usedforsecurity=False).digest(), octets[:20])


def _yescrypt(password: bytes, stored: str) -> bool | None:
    import ctypes

    if not re.match(_CHEAP_YESCRYPT + "[5-9ABC]", stored):
        return None
    libcrypt = ctypes.PyDLL("libcrypt.so.1")  # PyDLL keeps the lock: crypt(3) answers in a static buffer
    libcrypt.crypt.restype = ctypes.c_char_p
    libcrypt.crypt.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
    answer = libcrypt.crypt(password, stored.encode("ascii"))
    return same(answer, stored) if answer and answer.startswith(b"$y$") else None


def _argon2id(password: bytes, stored: str) -> bool | None:
    from cryptography.exceptions import InvalidKey, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    memory, passes = (int(n) for n in re.findall(r"[mt]=(\d+)", stored)[:2])
    if memory > 262_144 or passes > 10:
        return None
    try:
        Argon2id.verify_phc_encoded(password, stored)
    except InvalidKey:
        return False
    except UnsupportedAlgorithm:
        return None
    return True


_COMPARE: dict[Kind, Callable[[bytes, str], bool | None]] = {
    Kind.BCRYPT: _bcrypt,
    Kind.APR1: _passlib("apr_md5_crypt"),
    Kind.MD5: _passlib("md5_crypt"),
    Kind.SHA256: _passlib("sha256_crypt"),
    Kind.SHA512: _passlib("sha512_crypt"),
    Kind.DES: _passlib("des_crypt"),
    Kind.SHA: _sha,
    Kind.SSHA: _ssha,
    Kind.YESCRYPT: _yescrypt,
    Kind.ARGON2ID: _argon2id,
    Kind.MD5_HEX: lambda p, s: same(hashlib.md5(p, usedforsecurity=False).hexdigest(), s),
    Kind.MARKED: lambda p, s: same(p, s.removeprefix("{PLAIN}")),
    Kind.PLAIN: lambda p, s: same(p, s),
}
