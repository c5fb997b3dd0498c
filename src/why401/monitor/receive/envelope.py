"""Sentry's envelope: a line of JSON, then items, each a line of JSON and a payload.

`length` may be missing, then the payload ends with its line (Node's SDK writes so). Source: Sentry's developer
documentation, "Envelopes".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from why401.monitor.receive.answers import Refused
from why401.monitor.take import mapping, text, whole

MOST_ITEMS = 1_000


@dataclass(frozen=True)
class Item:
    """One item: its type, its header and its payload."""

    type: str
    header: dict[str, Any]
    payload: bytes


@dataclass(frozen=True)
class Envelope:
    """`header` of the envelope, and its items in order. `damaged`: why the rest could not be read, or ""."""

    header: dict[str, Any]
    items: list[Item]
    damaged: str = ""


def parse(body: bytes) -> Envelope:
    """Read an envelope; items before a damaged one are kept. Raises Refused 400 where the first line is no object."""
    line, _, rest = body.partition(b"\n")
    header = json(line)
    if not isinstance(header, dict):
        raise Refused(400, "no-envelope", "The first line is no JSON object: this is not a Sentry envelope.")
    items: list[Item] = []
    damaged = ""
    for item in _items(rest):
        if isinstance(item, str):
            damaged = item
            break
        items.append(item)
        if len(items) >= MOST_ITEMS:
            damaged = f"more than {MOST_ITEMS} items"
            break
    return Envelope(header, items, damaged)


def _items(rest: bytes) -> Iterator[Item | str]:
    at = 0
    while at < len(rest):
        end = rest.find(b"\n", at)
        end = len(rest) if end < 0 else end
        line = rest[at:end]
        at = end + 1
        if not line.strip():
            continue
        header = mapping(json(line))
        if not text(header, "type"):
            yield "an item's header is no JSON object with a type"
            return
        length = whole(header, "length")
        if length is None:
            end = rest.find(b"\n", at)
            end = len(rest) if end < 0 else end
        else:
            end = at + length
            if length < 0 or end > len(rest):
                yield f"an item of the type {text(header, 'type')[:40]!r} is shorter than its length says"
                return
        yield Item(text(header, "type"), header, rest[at:end])
        at = end + 1 if rest[end : end + 1] == b"\n" else end


def json(body: bytes) -> Any:
    """The JSON value, or None where it is none (also one that is nested too deep)."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
