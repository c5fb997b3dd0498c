"""What was exchanged, written as `curl -v` writes it: the checks read words of a transcript, live or pasted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from why401.evidence import Exchange, Text
from why401.probes.wire import LIVE


def transcript(exchanges: Sequence[Exchange], notes: Sequence[str] = ()) -> Text:
    """The text of the exchanges (heads only, bodies stand in them); `notes` are curl's own lines."""
    lines = [f"* {note}" for note in notes]
    for exchange in exchanges:
        lines += _lines(exchange)
    return Text("\n".join(lines) + "\n", LIVE, "body")


def _lines(exchange: Exchange) -> Iterator[str]:
    request, response = exchange.request, exchange.response
    yield f"> {request.method} {request.split.path or '/'} HTTP/1.1"
    for item in request.fields:
        yield f"> {item.name}: {item.text}"
    yield ">"
    if response is not None:
        yield f"< {response.version or 'HTTP/1.1'} {response.status} {response.reason}".rstrip()
        for item in response.fields:
            yield f"< {item.name}: {item.text}"
        yield "<"
