"""JSON Web Tokens (RFC 7519, 7515, 7516, 9068): read without trust, dated, described.

`decode` reads what a token says; nothing is verified. `jws.verify` checks a signature.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from why401.prefilter import lazy

from .identifiers import near as near
from .problems import Problem, Span

_PART = "[A-Za-z0-9_-]"
# Five parts (JWE; the second is empty with a direct key) or three (JWS; the last is empty when unsigned).
_FIND = lazy(
    rf"(?<!{_PART})eyJ{_PART}{{6,}}+"
    rf"(?:\.{_PART}*+(?:\.{_PART}++){{3}}|\.{_PART}++\.{_PART}*+)(?!{_PART})"
)
_BASE64URL = lazy(r"[A-Za-z0-9_-]*+")
_TIMES = ("exp", "nbf", "iat", "auth_time")
# A date in seconds stays below this until the year 5138; in milliseconds it passed it in 1973.
_MILLISECONDS = 100_000_000_000
# Claims that tell about the token and not about the person: what a report may show.
HARMLESS = ("iss", "aud", "exp", "nbf", "iat", "scope", "scp", "azp", "client_id", "token_use", "ver", "typ")
HARMLESS_HEADER = ("typ", "alg", "kid")


@dataclass(frozen=True, slots=True)
class Jwt:
    """What a token says. `header` and `claims` are empty where they could not be read."""

    header: dict[str, Any]
    claims: dict[str, Any]
    parts: int
    signature_length: int
    problems: tuple[Problem, ...] = ()

    @property
    def encrypted(self) -> bool:
        """Five parts are a JWE (RFC 7516): its claims are for the holder of the key only."""
        return self.parts == 5

    @property
    def algorithm(self) -> str | None:
        alg = self.header.get("alg")
        return alg if isinstance(alg, str) else None

    @property
    def audiences(self) -> tuple[str, ...]:
        aud = self.claims.get("aud")
        found = aud if isinstance(aud, list) else [aud]
        return tuple(one for one in found if isinstance(one, str))

    @property
    def scopes(self) -> tuple[str, ...]:
        """`scope` as a string of words (RFC 8693), or `scp` as Entra and Okta have it."""
        for name in ("scope", "scp"):
            value = self.claims.get(name)
            if isinstance(value, str):
                return tuple(value.split())
            if isinstance(value, list):
                return tuple(one for one in value if isinstance(one, str))
        return ()

    def has(self, kind: str) -> bool:
        return any(problem.kind == kind for problem in self.problems)


@dataclass(frozen=True, slots=True)
class TimeState:
    """One thing the clock says about a token; `seconds` is how far off it is, always positive."""

    kind: str  # "expired", "not-yet", "issued-in-future", "expires-soon", "never-expires"
    seconds: int
    says: str


def decode(token: str) -> Jwt:
    """Read a token. Whatever cannot be read is a problem with a span in `token`."""
    problems = list(_outside(token))
    text, offset = _core(token)
    parts = text.split(".")
    if len(parts) not in (3, 5):
        problems.append(Problem("parts", (offset, offset + len(text)), _count(len(parts))))
    header, more = _object(parts[0], offset, "header")
    problems += more
    claims: dict[str, Any] = {}
    if len(parts) in (2, 3) or (len(parts) == 4 and not parts[3]):
        claims, more = _object(parts[1], offset + len(parts[0]) + 1, "claims")
        problems += more
    signature = parts[2] if len(parts) >= 3 else ""
    if len(parts) == 3 and not _BASE64URL.fullmatch(signature.rstrip("=")):
        start = offset + len(parts[0]) + len(parts[1]) + 2
        says = "The signature has characters outside the base64url alphabet."
        problems.append(Problem("not-base64url", (start, start + len(signature)), says))
    whole = (offset, offset + len(text))
    problems += [Problem(kind, whole, says) for kind, says in _contents(header, claims, parts)]
    return Jwt(header, claims, len(parts), len(signature.rstrip("=")) * 3 // 4, tuple(problems))


def find(text: str) -> list[tuple[Span, str]]:
    """The tokens in a text, each with its span."""
    return [(match.span(), match.group()) for match in _FIND.finditer(text)]


def _core(token: str) -> tuple[str, int]:
    text = token.strip(" \t\r\n\"'")
    start = token.find(text) if text else 0
    for dots in ("...", "\u2026"):
        text = text.removesuffix(dots)
    return text, start


def _outside(token: str) -> Iterator[Problem]:
    """What is wrong with the text before it is taken apart."""
    for match in re.finditer(r"\s+", token):
        yield Problem("whitespace", match.span(), "White space stands in the token.")
    trimmed = token.rstrip(" \t\r\n\"'")
    if trimmed.endswith(("...", "\u2026")):
        yield Problem(
            "truncated", (len(trimmed) - 1, len(trimmed)), "The token was cut off: it ends in dots."
        )
    if token[:1] in ("'", '"'):
        yield Problem("quoted", (0, 1), "Quotes stand round the token.")
    if padding := re.search(r"(?<!=)=++(?=\.|\s|\Z)", token):
        says = "The parts of a token have no padding (=) (RFC 7515, section 2)."
        yield Problem("padded", padding.span(), says)


def _count(parts: int) -> str:
    return f"A token has 3 parts (5 when encrypted), this one has {parts}."


def _object(part: str, offset: int, which: str) -> tuple[dict[str, Any], list[Problem]]:
    """One part as a JSON object."""
    span = (offset, offset + len(part))
    core = "".join(part.split()).rstrip("=")
    standard = core.replace("+", "-").replace("/", "_")
    if not _BASE64URL.fullmatch(standard) or len(standard) % 4 == 1:
        return {}, [Problem("not-base64url", span, f"The {which} cannot be decoded as base64url.")]
    problems = []
    if standard != core:
        says = f"The {which} uses the alphabet of plain base64 (+ and /)."
        problems.append(Problem("not-base64url", span, says))
    try:
        octets = base64.urlsafe_b64decode(standard + "=" * (-len(standard) % 4))
        found = json.loads(octets.decode("utf-8"))
    except (ValueError, binascii.Error, RecursionError):
        return {}, [*problems, Problem("not-json", span, f"The {which} is not JSON.")]
    if not isinstance(found, dict):
        return {}, [*problems, Problem("not-object", span, f"The {which} is JSON, but no object.")]
    return found, problems


def _contents(
    header: Mapping[str, Any], claims: Mapping[str, Any], parts: list[str]
) -> Iterator[tuple[str, str]]:
    alg = header.get("alg")
    if isinstance(alg, str) and alg.lower() == "none":
        yield "alg-none", "The token is not signed (alg is none)."
    elif len(parts) == 3 and not parts[2]:
        yield "no-signature", "The token names an algorithm, but its signature is empty."
    if header and not isinstance(alg, str):
        yield "no-alg", "The header names no algorithm (RFC 7515, section 4.1.1)."
    if len(parts) == 5:
        yield "encrypted", "The token is encrypted (JWE): only its receiver can read its claims."
    if header.get("crit"):
        yield "critical", "The header has critical extensions that a receiver must understand (crit)."
    yield from _claim_types(claims)


def _claim_types(claims: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in _TIMES:
        value = claims.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield "time-not-number", f"{name} is no number (RFC 7519, section 2, NumericDate)."
        elif value >= _MILLISECONDS:
            yield "time-in-milliseconds", f"{name} is in milliseconds; it must be in seconds."
    if "sub" in claims and not isinstance(claims["sub"], str):
        yield (
            "sub-not-string",
            "sub is not a string (RFC 7519, section 4.1.2); PyJWT refuses it.",
        )
    if "iss" in claims and not isinstance(claims["iss"], str):
        yield "iss-not-string", "iss is not a string (RFC 7519, section 4.1.1)."
    aud = claims.get("aud")
    if isinstance(aud, list):
        yield "aud-list", "aud is a list; a receiver that compares it as a string refuses it."
    elif aud is not None and not isinstance(aud, str):
        yield "aud-not-string", "aud is neither a string nor a list of them (RFC 7519, section 4.1.3)."


# ---------------------------------------------------------------------------------------------- time


def seconds(claims: Mapping[str, Any], name: str) -> float | None:
    """A NumericDate in seconds, milliseconds forgiven."""
    value = claims.get(name)
    if isinstance(value, str) and re.fullmatch(r"\d{1,15}(?:\.\d{1,9})?", value, re.A):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15:
        return None
    return value / 1000 if value >= _MILLISECONDS else float(value)


def state_at(jwt: Jwt, now: datetime, leeway: float = 0) -> tuple[TimeState, ...]:
    """What the clock says about the token at `now`; empty when all is well (RFC 7519, section 4.1.4-6)."""
    at = now.timestamp()
    return tuple(_states(jwt, at, leeway))


def _states(jwt: Jwt, at: float, leeway: float) -> Iterator[TimeState]:
    exp, nbf, iat = (seconds(jwt.claims, name) for name in ("exp", "nbf", "iat"))
    if exp is not None and at >= exp + leeway:
        yield TimeState("expired", int(at - exp), f"The token expired {span_of(at - exp)} ago.")
    elif exp is not None and exp - at < 60:
        yield TimeState("expires-soon", int(abs(exp - at)), f"The token expires within {span_of(60)}.")
    if exp is None and jwt.claims:
        yield TimeState("never-expires", 0, "The token names no time of expiry.")
    if nbf is not None and at < nbf - leeway:
        yield TimeState("not-yet", int(nbf - at), f"The token is valid only in {span_of(nbf - at)}.")
    if iat is not None and at < iat - leeway:
        yield TimeState(
            "issued-in-future", int(iat - at), f"The token was issued {span_of(iat - at)} in the future."
        )


def span_of(duration: float) -> str:
    """A length of time in words, one unit of it."""
    left = abs(duration)
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        if left >= size or unit == "second":
            count = int(left // size)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "0 seconds"


# ---------------------------------------------------------------------------------------------- kinds


def token_type(token: str | Jwt) -> str:
    """What a token probably is: id-token, access-token, refresh-token, encrypted, opaque, or jwt (unsure)."""
    jwt = token if isinstance(token, Jwt) else decode(token)
    if jwt.encrypted and jwt.header:
        return "encrypted"
    if not jwt.claims or (not jwt.header and not isinstance(token, Jwt)):
        return "opaque"  # decoded claims that somebody pasted come without their header
    claims, typ = jwt.claims, str(jwt.header.get("typ", "")).lower().removeprefix("application/")
    use = str(claims.get("token_use") or claims.get("token_type") or claims.get("typ") or "").lower()
    if typ == "dpop+jwt":
        return "dpop-proof"
    if typ == "at+jwt" or use in ("access", "bearer"):  # RFC 9068; Cognito, SimpleJWT; Keycloak
        return "access-token"
    if use in ("id", "refresh"):
        return f"{use}-token"
    if "refresh" in use or "offline" in use:
        return "refresh-token"
    if any(name in claims for name in ("nonce", "at_hash", "c_hash")) and not jwt.scopes:
        return "id-token"
    if jwt.scopes or "client_id" in claims or "scp" in claims or "roles" in claims:
        return "access-token"
    if jwt.header and any(name in claims for name in ("email", "name", "preferred_username", "given_name")):
        return "id-token"
    return "jwt"


def harmless_claims(jwt: Jwt) -> dict[str, Any]:
    """What may stand in a report: about the token, never about the person."""
    shown = {name: jwt.header[name] for name in HARMLESS_HEADER if name in jwt.header}
    shown |= {name: jwt.claims[name] for name in HARMLESS if name in jwt.claims and name not in shown}
    return {name: value for name, value in shown.items() if _plain(value)}


def _plain(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(one, str | int) for one in value)
    return isinstance(value, str | int | float)
