"""A request's body, whole and decompressed, within limits."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from why401.monitor.receive.answers import Refused

COMPRESSED = 20_000_000  #: octets, the limit of Sentry's envelopes
DECOMPRESSED = 64_000_000  #: octets, as OTLP recommends
Receive = Callable[[], Awaitable[dict[str, Any]]]


class _Decoder(Protocol):
    def __call__(self, body: bytes, most: int) -> bytes: ...


async def read(receive: Receive, coding: str, most: int = COMPRESSED) -> bytes:
    """The body without its content coding. Raises Refused 413 where it is too large, 400 where it is damaged."""
    parts, length = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Refused(400, "cut-off", "The connection ended before the body did.")
        part = message.get("body", b"")
        length += len(part)
        if length > most:
            raise _too_large(most)
        parts.append(part)
        if not message.get("more_body"):
            return decoded(b"".join(parts), coding)


def decoded(body: bytes, coding: str, most: int = DECOMPRESSED) -> bytes:
    """The body without the codings of a Content-Encoding field (RFC 9110, 8.4), last one first."""
    for name in reversed([part.strip().lower() for part in coding.split(",") if part.strip()]):
        if name == "identity":
            continue
        decoder = _DECODERS.get(name)
        if decoder is None:
            raise Refused(
                415,
                "content-coding",
                f"Content-Encoding {name[:20]!r} is not read; send gzip, deflate or br.",
            )
        body = decoder(body, most)
    return body


def _too_large(most: int) -> Refused:
    return Refused(413, "too-large", f"The body is larger than {most:,} octets; send less with one event.")


def _damaged(name: str) -> Refused:
    return Refused(400, "damaged-body", f"The body is not what Content-Encoding says: it is no whole {name}.")


def _inflated(body: bytes, most: int, bits: int, name: str) -> bytes:
    found: list[bytes] = []
    while body:  # gzip may have several members
        inflater = zlib.decompressobj(bits)
        try:
            found.append(inflater.decompress(body, most + 1 - sum(map(len, found))))
        except zlib.error:
            raise _damaged(name) from None
        if sum(map(len, found)) > most:
            raise _too_large(most)
        if not inflater.eof:
            raise _damaged(name)
        body = inflater.unused_data if bits == 31 else b""
    return b"".join(found)


def _gzip(body: bytes, most: int) -> bytes:
    return _inflated(body, most, 31, "gzip")


def _deflate(body: bytes, most: int) -> bytes:
    """With the zlib wrapper, as RFC 9110 says, or raw, as many clients send it."""
    wrapped = len(body) > 1 and body[0] & 15 == 8 and (body[0] << 8 | body[1]) % 31 == 0
    return _inflated(body, most, 15 if wrapped else -15, "deflate")


def _brotli(body: bytes, most: int) -> bytes:
    import brotli

    reader = brotli.Decompressor()
    try:
        found = reader.process(body, output_buffer_limit=most + 1)
        while len(found) <= most and not reader.is_finished():
            more = reader.process(b"", output_buffer_limit=most + 1 - len(found))
            if not more:
                raise _damaged("br")
            found += more
    except brotli.error:
        raise _damaged("br") from None
    if len(found) > most:
        raise _too_large(most)
    return bytes(found)


_DECODERS: dict[str, _Decoder] = {"gzip": _gzip, "x-gzip": _gzip, "deflate": _deflate, "br": _brotli}
