"""Reading what a stranger sent: a value of another type than expected counts as absent, and nothing raises."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

LONGEST = 16_384  #: characters of one text
Json = Mapping[str, Any]


def mapping(holder: Any, name: str | None = None) -> dict[str, Any]:
    """The mapping `holder[name]`, or `holder` itself."""
    found = holder if name is None else holder.get(name) if isinstance(holder, dict) else None
    return found if isinstance(found, dict) else {}


def items(holder: Any, name: str) -> list[Any]:
    """The list `holder[name]`."""
    found = holder.get(name) if isinstance(holder, dict) else None
    return found if isinstance(found, list) else []


def text(holder: Any, *names: str) -> str:
    """The first of these keys that holds a text or a number, as text."""
    for name in names:
        found = holder.get(name) if isinstance(holder, dict) else None
        if isinstance(found, str) and found:
            return found[:LONGEST]
        if isinstance(found, int | float) and not isinstance(found, bool):
            return str(found)
    return ""


def whole(holder: Any, *names: str) -> int | None:
    """The first of these keys that holds a whole number, also one written as text."""
    for name in names:
        found = holder.get(name) if isinstance(holder, dict) else None
        if isinstance(found, str) and found.strip().lstrip("-").isdecimal() and len(found) < 20:
            found = int(found)
        if isinstance(found, float) and found.is_integer() and abs(found) < 2**53:
            found = int(found)
        if isinstance(found, int) and not isinstance(found, bool):
            return found
    return None


def seconds(value: Any) -> float | None:
    """A time in seconds since 1970, from a number of seconds or an ISO 8601 text."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if 0 < value < 1e11 else None
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
