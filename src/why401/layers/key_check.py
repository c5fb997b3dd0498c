"""Is the key that a token names in a file of keys, does it fit the algorithm, and does it verify the token?"""

from __future__ import annotations

from dataclasses import dataclass

from why401.layers.key_files import Key, KeyFile
from why401.protocol.jws import verify
from why401.protocol.jwt import Jwt, decode
from why401.secret import Secret

_FAMILIES = {"HS": "oct", "RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "ES256K": "secp256k1"}


@dataclass(frozen=True, slots=True)
class TokenCheck:
    """`kind`: verified, bad-signature, no-key (kid unknown), other-key, wrong-key-type, wrong-alg, wrong-use or
    undecidable."""

    kind: str
    says: str
    line: int | None = None
    kid: str | None = None


def check_token(token: str, file: KeyFile) -> TokenCheck:
    """Whether the key that a token names is in the file, fits its algorithm, and verifies its signature."""
    jwt = decode(token)
    if jwt.parts != 3 or jwt.algorithm is None or not file.keys:
        return TokenCheck("undecidable", "The token has no signature, or the file no key, to check.")
    kid = jwt.header.get("kid")
    named = [key for key in file.keys if key.kid == kid] if isinstance(kid, str) and file.is_set else []
    candidates = named or [key for key in file.keys if not _misfit(jwt, key)]
    for key in candidates:
        if _verifies(token, key):
            return _verified(jwt, key, bool(named) or not file.is_set or not isinstance(kid, str))
    if named:
        misfit = _misfit(jwt, named[0])
        if misfit:
            return TokenCheck(misfit[0], misfit[1], named[0].line, named[0].kid)
        other = next((key for key in file.keys if key not in named and _verifies(token, key)), None)
        return _verified(jwt, other, False) if other else _bad(named[0])
    if isinstance(kid, str) and file.is_set:
        says = f"The token names the key {kid[:80]!r}, the set of {len(file.keys)} has no such kid."
        return TokenCheck("no-key", says, None, kid)
    if candidates:
        return _bad(candidates[0])
    kind, says = _misfit(jwt, file.keys[0]) or ("undecidable", "No key of the file fits the token.")
    return TokenCheck(kind, says, file.keys[0].line, file.keys[0].kid)


def _bad(key: Key) -> TokenCheck:
    return TokenCheck("bad-signature", "The key does not verify the token's signature.", key.line, key.kid)


def _verified(jwt: Jwt, key: Key, named: bool) -> TokenCheck:
    misfit = _misfit(jwt, key)
    if misfit:
        return TokenCheck(misfit[0], misfit[1], key.line, key.kid)
    if not named:
        says = "A key with another kid than the token's verifies it."
        return TokenCheck("other-key", says, key.line, key.kid)
    return TokenCheck("verified", "The key verifies the token.", key.line, key.kid)


def _verifies(token: str, key: Key) -> bool:
    value = key.value.reveal() if isinstance(key.value, Secret) else key.value
    found = verify(token, value)
    return found.matches and found.variant is None


def _misfit(jwt: Jwt, key: Key) -> tuple[str, str] | None:
    """How a key does not fit what the token's header asks for (RFC 7518, section 3.1; RFC 7517, section 4)."""
    algorithm = jwt.algorithm or ""
    family = _FAMILIES.get(algorithm[:2])
    if family is not None and key.family != family:
        return (
            "wrong-key-type",
            f"{algorithm[:10]} needs a key of the type {family}, this one is {key.family}.",
        )
    curve = _CURVES.get(algorithm)
    if curve is not None and key.curve not in (None, curve):
        return "wrong-key-type", f"{algorithm} needs the curve {curve}, this key is on {key.curve[:20]}."
    if key.alg is not None and key.alg != algorithm:
        return "wrong-alg", f"The token is signed with {algorithm[:10]}, the key is for {key.alg[:20]} only."
    if key.use is not None and key.use != "sig":
        return "wrong-use", "The key is not for signatures (its use is not sig)."
    return None
