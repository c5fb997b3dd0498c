"""JSON Web Tokens made up for the tests, and small APIs that check them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

from tests.live.sites import GOOD, Answer, Handler, Received

KEY = b"a-made-up-key-of-the-laboratory"
AUDIENCE, ISSUER = "https://orders.example", "https://login.example"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(*, key: bytes = KEY, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A signed token that is good now, but for the claims given (None takes one away)."""
    now = int(time.time())
    good = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "alice",
        "iat": now - 5,
        "exp": now + 3600,
        "scope": "read",
    }
    payload = {k: v for k, v in {**good, **claims}.items() if v is not None}
    head = {"typ": "JWT", "alg": "HS256", "kid": "k1", **(header or {})}
    text = b64(json.dumps(head).encode()) + "." + b64(json.dumps(payload).encode())
    kind = hashlib.sha512 if head["alg"] == "HS512" else hashlib.sha256
    return text + "." + b64(hmac.new(key, text.encode(), kind).digest())


def unb64(text: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def fault(value: str | None, *, clock: float = 0.0, scope: str = "read") -> tuple[int, str, str]:
    """Why an API refuses a value of Authorization: status, RFC 6750 code and words; (0, "", "") is good."""
    if not value:
        return 401, "", ""
    scheme, _, text = value.partition(" ")
    if scheme.lower() != "bearer":
        return 401, "", ""
    try:
        head, payload, signature = text.split(".")
        header, claims = unb64(head), unb64(payload)
        given = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    except Exception:
        return 401, "invalid_token", "The token is malformed"
    now = time.time() + clock
    signed = hmac.new(KEY, f"{head}.{payload}".encode(), hashlib.sha256).digest()
    rules = (
        (header.get("alg") != "HS256", "The token's algorithm is not allowed"),
        (header.get("kid") != "k1", "No key with this kid was found"),
        (not hmac.compare_digest(given, signed), "Signature verification failed"),
        (claims.get("exp", 0) < now, "The token expired"),
        (claims.get("nbf", 0) > now, "The token is not yet valid (nbf)"),
        (claims.get("iat", 0) > now + 30, "The token was issued in the future (iat)"),
        (claims.get("iss") != ISSUER, "The issuer is invalid"),
        (claims.get("aud") != AUDIENCE, "The audience is invalid"),
    )
    why = next((words for broken, words in rules if broken), "")
    if why:
        return 401, "invalid_token", why
    if scope not in str(claims.get("scope", "")).split():
        return 403, "insufficient_scope", f"The scope {scope} is needed"
    return 0, "", ""


def api(*, terse: bool = False, clock: float = 0.0, scope: str = "read", challenge: bool = True) -> Handler:
    """An API that says why (RFC 6750), or is terse; `clock` is how far its clock is off."""
    from email.utils import formatdate

    def handler(request: Received) -> Answer:
        status, code, why = fault(request.get("authorization"), clock=clock, scope=scope)
        fields = {"Date": formatdate(time.time() + clock, usegmt=True)} if clock else {}
        if not status:
            return GOOD[0], {**GOOD[1], **fields}, GOOD[2]
        if challenge:
            fields["WWW-Authenticate"] = (
                "Bearer" if terse or not code else f'Bearer error="{code}", error_description="{why}"'
            )
        return status, fields, "" if terse else json.dumps({"error": code or "no token", "detail": why})

    return handler
