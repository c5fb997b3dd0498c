"""DPoP proofs (RFC 9449, section 4.3): is this proof one for this request and this access token?"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from .jwt import Jwt, decode, seconds
from .problems import Problem

_ASYMMETRIC = ("RS", "PS", "ES", "Ed")
_THUMBPRINT = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n"), "OKP": ("crv", "kty", "x")}


def token_hash(access_token: str) -> str:
    """The `ath` of a proof: the hash of the token it goes with (RFC 9449, section 4.2)."""
    return _base64url(hashlib.sha256(access_token.encode("ascii", "replace")).digest())


def thumbprint(jwk: Mapping[str, Any]) -> str | None:
    """The JWK thumbprint (RFC 7638), as bound tokens have it in `cnf.jkt`."""
    members = _THUMBPRINT.get(str(jwk.get("kty")))
    if members is None or not all(isinstance(jwk.get(name), str) for name in members):
        return None
    import json

    canonical = json.dumps({name: jwk[name] for name in members}, separators=(",", ":"), sort_keys=True)
    return _base64url(hashlib.sha256(canonical.encode("utf-8", "replace")).digest())


def check(
    proof: str,
    *,
    method: str,
    url: str,
    access_token: str | None = None,
    nonce: str | None = None,
    now: datetime | None = None,
    leeway: float = 60,
) -> tuple[Problem, ...]:
    """What is wrong with a proof for this request; `nonce` is the one the server gave last, if any."""
    jwt = decode(proof)
    whole = (0, len(proof))
    found = [*_form(jwt), *_request(jwt, method, url), *_bound(jwt, access_token)]
    found += [*_nonce(jwt, nonce), *_time(jwt, now, leeway)]
    return (*jwt.problems, *(Problem(kind, whole, says) for kind, says in found))


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _form(jwt: Jwt) -> Iterator[tuple[str, str]]:
    if str(jwt.header.get("typ", "")).lower() != "dpop+jwt":
        yield "typ", "typ is not dpop+jwt: this is no DPoP proof."
    if not (jwt.algorithm or "").startswith(_ASYMMETRIC):
        yield "alg", "The proof must be signed with a private key."
    jwk = jwt.header.get("jwk")
    if not isinstance(jwk, dict):
        yield "jwk", "The header has no public key (jwk)."
    elif "d" in jwk or "k" in jwk:
        yield "private-key", "The header has the private key in it: it is no secret any more."
    for name in ("jti", "htm", "htu", "iat"):
        if name not in jwt.claims:
            yield f"{name}-missing", f"The proof lacks {name}."


def _request(jwt: Jwt, method: str, url: str) -> Iterator[tuple[str, str]]:
    htm, htu = jwt.claims.get("htm"), jwt.claims.get("htu")
    if htm is not None and htm != method:
        same = isinstance(htm, str) and htm.upper() == method.upper()
        yield (
            "htm",
            "htm has another case than the method." if same else "htm is not the method of the request.",
        )
    if isinstance(htu, str) and _target(htu) != _target(url):
        yield "htu", "htu is not the URL of the request (without query and fragment)."
    elif isinstance(htu, str) and ("?" in htu or "#" in htu):
        yield "htu-query", "htu has a query or a fragment, which it must not (RFC 9449, section 4.2)."


def _target(url: str) -> tuple[str, str, int | None, str] | str:
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return url
    return parts.scheme, parts.hostname or "", port, parts.path or "/"


def _bound(jwt: Jwt, access_token: str | None) -> Iterator[tuple[str, str]]:
    if access_token is None:
        return
    ath = jwt.claims.get("ath")
    if ath is None:
        yield "ath-missing", "The proof lacks ath, the hash of the access token sent with it."
    elif ath != token_hash(access_token):
        yield "ath", "ath is not the hash of the access token sent with the proof."
    confirmation = decode(access_token).claims.get("cnf")
    jwk = jwt.header.get("jwk")
    if isinstance(confirmation, dict) and "jkt" in confirmation and isinstance(jwk, dict):
        if thumbprint(jwk) != confirmation["jkt"]:
            yield "jkt", "The access token is bound to another key than the one that signed the proof."
    elif access_token.startswith("eyJ") and not isinstance(confirmation, dict):
        yield "not-bound", "The access token is bound to no key (it has no cnf.jkt)."


def _nonce(jwt: Jwt, nonce: str | None) -> Iterator[tuple[str, str]]:
    if nonce is None:
        return
    if "nonce" not in jwt.claims:
        yield "nonce-missing", "The server gave a nonce (DPoP-Nonce), and the proof holds none."
    elif jwt.claims["nonce"] != nonce:
        yield "nonce", "The nonce in the proof is not the one the server gave last."


def _time(jwt: Jwt, now: datetime | None, leeway: float) -> Iterator[tuple[str, str]]:
    iat = seconds(jwt.claims, "iat")
    if now is None or iat is None:
        return
    age = now.timestamp() - iat
    if age > leeway:
        yield "iat-old", f"The proof was made {int(age)} seconds ago; servers accept a minute or so."
    elif age < -leeway:
        yield "iat-future", f"The proof was made {int(-age)} seconds in the future."
