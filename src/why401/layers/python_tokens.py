"""What `jwt.decode` of PyJWT and python-jose does with the request's token: the claims, or what it raises.

The order is the libraries': key and algorithm, signature, then claims (PyJWT api_jws.py and api_jwt.py; python-jose
jwt.py). A signature is checked offline where the key stands in the code.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from why401.evidence import Source
from why401.layers.python_scopes import Raised
from why401.layers.python_values import UNKNOWN, Configured, Table, Thing
from why401.protocol import jwt as tokens

_MAKES = ("jwt.encode", "jose.jwt.encode")
_LIBRARIES = {"jwt.decode": "jwt", "jwt.api_jwt.decode": "jwt", "jose.jwt.decode": "jose"}


class Decoding:
    """Follows calls of `decode`; `now` is the time of the request, `calls` the arguments of each call,
    `made` those of each call of `encode`."""

    def __init__(self, now: datetime | None) -> None:
        self.now = now or datetime.now(UTC)
        self.made: list[tuple[dict[str, Any], Source]] = []
        self.calls: list[tuple[dict[str, Any], Source]] = []

    def call(self, thing: Thing, args: list[Any], kwargs: dict[str, Any], source: Source) -> Any:
        if thing.name in _MAKES and args:
            given = dict(zip(("payload", "key", "algorithm"), args, strict=False)) | kwargs
            self.made.append((given, source))
            return None
        library = _LIBRARIES.get(thing.name)
        if library is None or not args:
            return None
        given = dict(zip(("token", "key", "algorithms", "options"), args, strict=False)) | kwargs
        self.calls.append((given, source))
        if not isinstance(args[0], (str, bytes)):
            return (UNKNOWN,)
        return (self._decode(library, given, source),)

    def _decode(self, library: str, given: dict[str, Any], source: Source) -> Any:
        raw = given["token"].decode("latin-1") if isinstance(given["token"], bytes) else str(given["token"])
        token = tokens.decode(raw)
        options = given.get("options")
        verify = options.get("verify_signature", True) if isinstance(options, dict) else True
        if options is UNKNOWN or verify is UNKNOWN:
            return UNKNOWN
        algorithms = given.get("algorithms")
        if verify:
            if library == "jwt" and algorithms is None:
                self._fails(library, "DecodeError", source, "algorithms", given)
            if not token.header or token.parts != 3:
                self._fails(library, "DecodeError", source, "malformed", given)
            names = [algorithms] if isinstance(algorithms, str) else algorithms
            if isinstance(names, (list, tuple)) and UNKNOWN not in names and token.algorithm not in names:
                self._fails(library, "InvalidAlgorithmError", source, "algorithm", given)
            self._signature(library, raw, given, source)
            self._claims(library, token, given, options if isinstance(options, dict) else {}, source)
        return Table(token.claims)

    def _signature(self, library: str, raw: str, given: dict[str, Any], source: Source) -> None:
        key = given.get("key")
        if not isinstance(key, (str, bytes)) or isinstance(key, Configured):
            return
        from why401.protocol import jws

        found = jws.verify(raw, key if isinstance(key, bytes) else str(key))
        if found.kind in ("bad-signature", "variant"):
            self._fails(library, "InvalidSignatureError", source, "signature", given)

    def _claims(
        self, library: str, token: tokens.Jwt, given: dict[str, Any], options: dict[str, Any], source: Source
    ) -> None:
        leeway = given.get("leeway", options.get("leeway", 0))
        leeway = leeway.total_seconds() if isinstance(leeway, timedelta) else leeway
        if options.get("verify_exp", True) and isinstance(leeway, (int, float)):
            self._times(library, token, given, leeway, source)
        if options.get("verify_iss", True):
            wanted = given.get("issuer")
            held = token.claims.get("iss")
            allowed = [wanted] if isinstance(wanted, str) else wanted
            if isinstance(allowed, (list, tuple)) and UNKNOWN not in allowed and held not in allowed:
                missing = held is None and library == "jwt"
                kind = "MissingRequiredClaimError" if missing else "InvalidIssuerError"
                self._fails(library, kind, source, "issuer", given)
        if options.get("verify_aud", True):
            self._audience(library, token, given, source)

    def _audience(self, library: str, token: tokens.Jwt, given: dict[str, Any], source: Source) -> None:
        wanted = given.get("audience")
        if wanted is UNKNOWN or isinstance(wanted, Thing):
            return
        names = [wanted] if isinstance(wanted, str) else list(wanted or ())
        if UNKNOWN in names:
            return
        held = token.audiences
        if not held and names and library == "jwt":
            self._fails(library, "MissingRequiredClaimError", source, "audience", given)
        if held and not set(names) & set(held):
            self._fails(library, "InvalidAudienceError", source, "audience", given)

    def _times(
        self, library: str, token: tokens.Jwt, given: dict[str, Any], leeway: float, source: Source
    ) -> None:
        for state in tokens.state_at(token, self.now, leeway):
            if state.kind == "expired":
                self._fails(library, "ExpiredSignatureError", source, "expired", given)
            if state.kind in ("not-yet", "issued-in-future"):
                self._fails(library, "ImmatureSignatureError", source, "early", given)

    def _fails(self, library: str, kind: str, source: Source, why: str, given: dict[str, Any]) -> None:
        """Raise what the library raises; `why` and the arguments stay with the exception."""
        if library == "jose" and kind not in ("ExpiredSignatureError",):
            kind = "JWTClaimsError" if why in ("issuer", "audience", "early") else "JWTError"
        made = Thing(f"{library}.{kind}()", source, kwargs={"@why": why, "@given": given, "@at": source})
        raise Raised(made, source)
