"""Passwords as Tomcat's MessageDigestCredentialHandler and SecretKeyCredentialHandler store them.

Forms: hexadecimal digits of a digest, or `salt$iterations$digest` in hexadecimal digits; `{MD5}`, `{SHA}` and
`{SSHA}` before base64 (DigestCredentialHandlerBase.java, MessageDigestCredentialHandler.java).
"""

from __future__ import annotations

import hashlib
import re

from why401.layers.password_check import Outcome, Verification, verify_stored
from why401.layers.password_hashes import same
from why401.layers.password_kinds import Kind

_SALTED = r"([0-9A-Fa-f]+)\$(\d{1,7})\$([0-9A-Fa-f]+)"
_MOST_ROUNDS = 1_000_000


def verify_digest(password: str, stored: str, algorithm: str, line: int | None = None) -> Verification:
    """What Tomcat answers where the realm's credential handler has `algorithm` ("SHA-256", "PBKDF2With…")."""
    if stored.startswith("{"):
        return verify_stored(password, stored, "tomcat-digest", line=line)
    fits = digest_fits(password, stored, algorithm)
    if fits:
        return Verification(
            Outcome.ACCEPTED, f"The password fits the {algorithm} digest.", line, matches=True
        )
    if same(password, stored):
        says = (
            f"The password itself is stored, and the realm's credential handler compares {algorithm} digests."
        )
        return Verification(Outcome.UNSUPPORTED, says, line, Kind.PLAIN, True)
    if fits is None:
        says = f"The stored password is not of the form that a handler of {algorithm} writes."
        return Verification(Outcome.DAMAGED, says, line)
    return Verification(
        Outcome.WRONG_PASSWORD, f"The password does not fit the {algorithm} digest.", line, matches=False
    )


def digest_fits(password: str, stored: str, algorithm: str) -> bool | None:
    """Whether a stored digest is that of a password; None where the form or the algorithm is not known."""
    salted = re.fullmatch(_SALTED, stored)
    plain = re.fullmatch(r"[0-9A-Fa-f]{32,128}", stored)
    octets = password.encode("utf-8", "surrogatepass")
    if algorithm.upper().startswith("PBKDF2"):
        return _pbkdf2(octets, salted, algorithm) if salted else None
    name = algorithm.lower().replace("sha-", "sha").replace("sha1", "sha1")
    name = "sha1" if name == "sha" else name.replace("/", "_")
    if name not in hashlib.algorithms_available or not (salted or plain):
        return None
    salt, rounds, wanted = salted.groups() if salted else ("", "1", stored)
    if len(salt) % 2 or int(rounds) > _MOST_ROUNDS:
        return None
    digest = hashlib.new(name, bytes.fromhex(salt) + octets, usedforsecurity=False).digest()
    for _ in range(int(rounds) - 1):
        digest = hashlib.new(name, digest, usedforsecurity=False).digest()
    return same(digest.hex(), wanted.lower())


def _pbkdf2(octets: bytes, salted: re.Match[str], algorithm: str) -> bool | None:
    salt, rounds, wanted = salted.groups()
    name = re.sub(r"(?i)^PBKDF2WithHmac", "", algorithm).lower()
    if name not in hashlib.algorithms_available or len(salt) % 2 or int(rounds) > _MOST_ROUNDS:
        return None
    digest = hashlib.pbkdf2_hmac(name, octets, bytes.fromhex(salt), max(int(rounds), 1), len(wanted) // 2)
    return same(digest.hex(), wanted.lower())
