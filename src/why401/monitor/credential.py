"""What may be told of a credential after it is gone: scheme, user, a keyed fingerprint, harmless claims, its state."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from why401.prefilter import lazy
from why401.protocol import basic, credentials, jwt
from why401.secret import MASK, SENSITIVE_NAME, is_sensitive_field

_JWT = lazy(r"eyJ[\w-]{6,}\.[\w-]{2,}\.?[\w-]*")
_FILTERED = lazy(r"(?i)\W*(?:filtered|redacted|masked|removed|hidden|scrubbed|\*+|x{4,}|•+)\W*")
#: A value of which only this module's words are left: a reporter blanked it before.
_TOLD = lazy(r"(?:[\w-]{1,40} )?(?:[\w.@+-]{1,64}[: ])?••• #[0-9a-f]{12}(?: \[[^\]]{0,1000}\])?")
_USER = lazy(r"[\w.@+-]{1,64}")


#: How a credential was found; `jwt`: a token that has not ended.
STATES = ("absent", "empty", "malformed", "expired", "not-yet", "jwt", "opaque")


@dataclass(frozen=True)
class Told:
    """One value that stood in a credential's place. `masked` replaces it; `parts` are blanked wherever they stand."""

    masked: str
    parts: tuple[str, ...] = ()
    scheme: str = ""  # lower case; "" for a value without one
    state: str = "opaque"  # filtered, or one of STATES
    fingerprint: str = ""
    claims: dict[str, Any] = field(default_factory=dict)


@lru_cache(8192)
def sensitive(name: str) -> bool:
    """Whether a value of this name is a credential."""
    return is_sensitive_field(name) or SENSITIVE_NAME.search(name.lower()) is not None


def filtered(text: str) -> bool:
    """Whether the client blanked the value itself."""
    return _FILTERED.fullmatch(text) is not None


def fingerprint(value: str, key: bytes) -> str:
    """12 hexadecimal digits by which a credential is known again."""
    return hmac.new(key, value.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:12]


def told(name: str, value: str, key: bytes, now: float) -> Told:
    """What may be told of the value that stood below `name`."""
    bare = value.strip()
    if len(bare) > 1 and bare[0] == bare[-1] and bare[0] in "'\"":  # the repr of a local variable
        bare = bare[1:-1]
    if not bare:
        return Told("", state="empty")
    if filtered(bare) or _TOLD.fullmatch(bare):
        return Told(value, state="filtered")
    if name.lower() in ("cookie", "cookie2", "set-cookie", "set-cookie2"):
        return _cookies(bare, key, name.lower().startswith("set"))
    read = credentials.parse(bare)
    scheme = read.name or ""
    if scheme and filtered(read.rest):
        return Told(value, scheme=scheme, state="filtered")
    if scheme == "basic" and read.token68:
        return _basic(read, key)
    secret = (read.rest or bare) if scheme else bare
    if _JWT.fullmatch(secret):
        return _token(scheme, read.scheme, secret, key, now)
    parts = (secret, *(v for v in read.params.values() if len(v) > 15))
    state = "malformed" if not read.rest or read.problems else "opaque"
    print_ = fingerprint(secret, key)
    user = read.params.get("username", "")
    masked = " ".join(part for part in (read.scheme if scheme else "", user, f"{MASK} #{print_}") if part)
    return Told(masked, parts, scheme, state if scheme else "opaque", print_)


def _token(scheme: str, written: str | None, token: str, key: bytes, now: float) -> Told:
    decoded = jwt.decode(token)
    claims = jwt.harmless_claims(decoded)
    states = {state.kind for state in jwt.state_at(decoded, datetime.fromtimestamp(now, UTC))}
    state = "expired" if "expired" in states else "not-yet" if "not-yet" in states else "jwt"
    print_ = fingerprint(token, key)
    listed = " ".join(f"{name}={value}" for name, value in claims.items())
    masked = f"{written + ' ' if written else ''}{MASK} #{print_}" + (f" [{listed}]" if listed else "")
    return Told(masked, (token, *token.split(".")[1:]), scheme, state, print_, claims)


def _basic(read: credentials.Credentials, key: bytes) -> Told:
    decoded = basic.decode(read.token68 or "")
    user, password = decoded.user, decoded.password
    print_ = fingerprint(read.token68 or "", key)
    parts = (read.token68 or "", *((password,) if password else ()))
    if user is None or decoded.problems or not _USER.fullmatch(user):
        parts = (*parts, *((user,) if user and decoded.has("user-is-token") else ()))
        return Told(
            f"Basic {MASK} #{print_}", parts, "basic", "malformed" if user is None else "opaque", print_
        )
    return Told(f"Basic {user}:{MASK} #{print_}", parts, "basic", "opaque", print_)


def _cookies(text: str, key: bytes, response: bool) -> Told:
    """A Cookie field with only the names, or a Set-Cookie field with its attributes."""
    first, *rest = text.split(";")
    pairs = [pair.strip().partition("=") for pair in ([first] if response else [first, *rest])]
    parts = tuple(part for name, equals, value in pairs if not filtered(part := value if equals else name))
    if not parts:
        return Told(text, scheme="cookie", state="filtered")
    masked = [f"{name}={MASK}" if equals else MASK for name, equals, _ in pairs]
    tail = [part.strip() for part in rest] if response else []
    return Told("; ".join([*masked, *tail]), parts, "cookie", "opaque", fingerprint(parts[0], key))
