"""What a client is answered, in the shape of its own protocol."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import msgspec

Protocol = Literal["sentry", "airbrake", "otlp"]
#: Without this a browser's client cannot read when it may come again.
CORS = (
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        b"x-sentry-error, x-sentry-rate-limits, retry-after, x-ratelimit-delay",
    ),
)
PREFLIGHT = (
    *CORS,
    (b"access-control-allow-methods", b"GET, POST, PUT, OPTIONS"),
    (
        b"access-control-allow-headers",
        b"content-type, content-encoding, authorization, x-sentry-auth, x-airbrake-token, x-requested-with, accept, "
        b"origin, referer, authentication, sentry-trace, baggage",
    ),
    (b"access-control-max-age", b"3600"),
)
#: google.rpc.Code by status of HTTP (google/rpc/code.proto).
_RPC = {400: 3, 401: 16, 403: 7, 404: 5, 405: 12, 413: 8, 415: 3, 429: 8, 503: 14}


@dataclass(frozen=True)
class Answer:
    """A response: status, fields, body."""

    status: int
    body: bytes = b""
    fields: tuple[tuple[bytes, bytes], ...] = ()
    kind: bytes = b"application/json"


@dataclass
class Refused(Exception):
    """A request that is not taken. `says` names the reason and what to do, for whoever reads the client's log."""

    status: int
    reason: str  # short and stable: unknown-key, other-project, revoked-key, too-large, over-quota …
    says: str
    after: int | None = None  # seconds until the client may come again
    fields: tuple[tuple[bytes, bytes], ...] = field(default=())


def refusal(refused: Refused, protocol: Protocol, protobuf: bool = False) -> Answer:
    """The refusal in the client's own shape, with every field by which clients back off."""
    fields = list(refused.fields)
    if refused.after is not None:
        wait = str(max(1, refused.after)).encode()
        fields += [
            (b"retry-after", wait),
            (b"x-ratelimit-delay", wait),
            (b"x-sentry-rate-limits", wait + b"::project:" + refused.reason.replace("-", "_").encode()),
        ]
    says = refused.says
    if protocol == "sentry":
        fields.append((b"x-sentry-error", says.encode("ascii", "replace").replace(b"\n", b" ")))
        body = msgspec.json.encode({"detail": says, "causes": [refused.reason]})
    elif protocol == "airbrake":
        body = msgspec.json.encode({"message": says, "code": refused.reason})
    elif protobuf:
        return Answer(refused.status, _status(refused.status, says), tuple(fields), b"application/x-protobuf")
    else:
        body = msgspec.json.encode({"code": _RPC.get(refused.status, 2), "message": says})
    return Answer(refused.status, body, tuple(fields))


def _status(status: int, says: str) -> bytes:
    """google.rpc.Status on the wire: field 1 the code, field 2 the message."""
    message = says.encode()[:120]
    return bytes([0x08, _RPC.get(status, 2), 0x12, len(message)]) + message
