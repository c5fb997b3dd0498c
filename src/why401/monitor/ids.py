"""Ids that sort by the time they were made and that several nodes can make at once.

41 bits of milliseconds since 2020, 10 bits of the node, 12 bits of a count: the layout of Twitter's Snowflake. They
never go back, whatever the clock does.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import time
import uuid

_EPOCH = 1_577_836_800_000  # 2020-01-01 in milliseconds
_NODE = secrets.randbits(10) << 12
_lock = threading.Lock()
_made = 0  # milliseconds << 12 | count: a full count runs over into the next millisecond


def new() -> int:
    """An id greater than every id made before in this process."""
    global _made
    with _lock:
        _made = max((int(time.time() * 1000) - _EPOCH) << 12, _made + 1)
        return (_made >> 12 << 22) | _NODE | (_made & 0xFFF)


def at(seconds: float) -> int:
    """The least id that can have been made at this time."""
    return max(0, int(seconds * 1000) - _EPOCH) << 22


def made(identity: int) -> float:
    """When an id was made, in seconds since 1970."""
    return ((identity >> 22) + _EPOCH) / 1000


def client_id(said: str) -> str:
    """The id that a client gave an event as 32 hexadecimal digits; a new one for ""."""
    bare = said.replace("-", "").lower()
    if re.fullmatch("[0-9a-f]{32}", bare):
        return bare
    return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:32] if said else uuid.uuid4().hex
