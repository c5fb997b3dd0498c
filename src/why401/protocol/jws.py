"""Signatures of tokens (RFC 7515): does this key verify it, or this secret read in another way?

`joserfc` is imported only here and only when a signature is checked: it loads `cryptography`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .jwt import Jwt, decode

_HMAC = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
_FAMILY = {"HS": "oct", "RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether a key verifies a token. `variant` says how the key had to be read; `kind` why it failed."""

    matches: bool
    kind: (
        str  # "verified", "variant", "bad-signature", "no-key", "wrong-key-type", "unsupported", "malformed"
    )
    says: str
    variant: str | None = None
    kid: str | None = None


def key_for(jwt: Jwt, jwks: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The key of a set that the token's `kid` names; without one, the only key that fits."""
    found = jwks.get("keys")
    keys = [key for key in found if isinstance(key, Mapping)] if isinstance(found, list) else []
    kid = jwt.header.get("kid")
    if kid is not None:
        return next((key for key in keys if key.get("kid") == kid), None)
    fitting = [key for key in keys if key.get("kty") == _FAMILY.get((jwt.algorithm or "")[:2])]
    return fitting[0] if len(fitting) == 1 else None


def verify(token: str, key: str | bytes | Mapping[str, Any]) -> Verification:
    """Check a token with a secret, a PEM key, a JWK or a JWK set."""
    token = token.strip()
    jwt = decode(token)
    algorithm = jwt.algorithm
    if jwt.parts != 3 or algorithm is None:
        return Verification(False, "malformed", "The token has no signature to check.")
    jwk = _as_jwk(key)
    if jwk is not None and "keys" in jwk:
        chosen = key_for(jwt, jwk)
        if chosen is None:
            return Verification(
                False, "no-key", "The key set has no key for this token.", kid=_kid(jwt.header)
            )
        jwk = chosen
    if algorithm in _HMAC:
        return _verify_hmac(token, _HMAC[algorithm], jwk, key)
    return _verify_public(token, algorithm, jwk, key)


def _kid(found: Mapping[str, Any]) -> str | None:
    kid = found.get("kid")
    return kid if isinstance(kid, str) else None


def _as_jwk(key: str | bytes | Mapping[str, Any]) -> Mapping[str, Any] | None:
    if isinstance(key, Mapping):
        return key
    text = key.decode("utf-8", "replace") if isinstance(key, bytes) else key
    if not text.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and ("kty" in found or "keys" in found) else None


def _verify_hmac(
    token: str, name: str, jwk: Mapping[str, Any] | None, key: str | bytes | Mapping[str, Any]
) -> Verification:
    if jwk is not None and jwk.get("kty") != "oct":
        says = f"The token is signed with a shared secret, the key is {jwk.get('kty')}."
        return Verification(False, "wrong-key-type", says, kid=_kid(jwk))
    secret = _decoded(str(jwk.get("k", "")), True) or b"" if jwk is not None else key
    signed, _, signature = token.rpartition(".")
    wanted = _decoded(signature, True)
    octets = secret.encode("utf-8", "surrogatepass") if isinstance(secret, str) else bytes(secret)  # type: ignore[arg-type]
    for variant, candidate in _readings(octets):
        if wanted and hmac.compare_digest(
            hmac.new(candidate, signed.encode("utf-8", "replace"), name).digest(), wanted
        ):
            if variant is None:
                return Verification(True, "verified", "The secret verifies the token.")
            return Verification(True, "variant", f"The token was signed with {variant}.", variant)
    return Verification(False, "bad-signature", "The secret does not verify the token, however it is read.")


def _readings(secret: bytes) -> Iterator[tuple[str | None, bytes]]:
    """The same secret as another program may have read it from its settings."""
    yield None, secret
    yield "the secret and a line break after it", secret + b"\n"
    stripped = secret.strip()
    if stripped != secret:
        yield "the secret without the white space round it", stripped
    text = stripped.decode("latin-1")
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        yield "the secret without its quotes", stripped[1:-1]
    for name, url in (("base64", False), ("base64url", True)):
        if decoded := _decoded(text, url):
            yield f"the secret decoded from {name}", decoded
    if len(text) % 2 == 0 and re.fullmatch(r"[0-9a-fA-F]+", text):
        yield "the secret decoded from hexadecimal digits", bytes.fromhex(text)
    yield "the secret encoded in base64", base64.b64encode(secret)
    yield "the secret encoded in base64url", base64.urlsafe_b64encode(secret).rstrip(b"=")
    yield "the secret in hexadecimal digits", secret.hex().encode()
    yield "the SHA-256 of the secret", hashlib.sha256(secret).digest()
    yield "an empty secret", b""


def _decoded(text: str, url: bool) -> bytes | None:
    core = text.rstrip("=")
    if not re.fullmatch(r"[A-Za-z0-9_-]+" if url else r"[A-Za-z0-9+/]+", core) or len(core) % 4 == 1:
        return None
    try:
        return base64.b64decode(
            core + "=" * (-len(core) % 4), altchars=b"-_" if url else b"+/", validate=True
        )
    except (binascii.Error, ValueError):
        return None


def _verify_public(
    token: str, algorithm: str, jwk: Mapping[str, Any] | None, key: str | bytes | Mapping[str, Any]
) -> Verification:
    from joserfc import jws
    from joserfc.errors import BadSignatureError, JoseError
    from joserfc.jwk import ECKey, OKPKey, RSAKey

    kinds: dict[str, Any] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
    kid = _kid(jwk) if jwk is not None else None
    kind = _FAMILY.get(algorithm[:2])
    if kind is None or kind == "oct":
        return Verification(
            False, "unsupported", f"The algorithm {algorithm[:20]} is not known here.", kid=kid
        )
    if jwk is not None and jwk.get("kty") != kind:
        says = f"{algorithm} needs a key of the type {kind}, this one is {jwk.get('kty')}."
        return Verification(False, "wrong-key-type", says, kid=kid)
    try:
        # What is asked is which key signed it; whether the header may be trusted is not asked here.
        registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
        with warnings.catch_warnings():  # an old algorithm or a short key is a fact to report elsewhere
            warnings.simplefilter("ignore")
            public = kinds[kind].import_key(dict(jwk) if jwk is not None else key)
            jws.deserialize_compact(token, public, registry=registry)
    except BadSignatureError:
        return Verification(False, "bad-signature", "The key does not verify the token.", kid=kid)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        says = f"The key cannot check this token ({type(error).__name__})."
        return Verification(False, "wrong-key-type", says, kid=kid)
    return Verification(True, "verified", "The key verifies the token.", kid=kid)
