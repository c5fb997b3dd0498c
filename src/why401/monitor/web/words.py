"""How values are said in a page."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

_STEPS = ((86400 * 365, "y"), (86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def ago(value: str | float | None) -> str:
    """A time as its distance from now: "3 min ago"."""
    if value is None:
        return "never"
    then = datetime.fromisoformat(value).timestamp() if isinstance(value, str) else value
    gone = max(0.0, time.time() - then)
    for seconds, unit in _STEPS:
        if gone >= seconds:
            return f"{int(gone // seconds)} {unit} ago"
    return "now"


def when(value: float) -> str:
    """Seconds since 1970 as UTC, to the second."""
    return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def count(value: float) -> str:
    """A number that can be taken in at a glance: 950, 12.3k, 4.1M."""
    for limit, unit in ((1e6, "M"), (1e4, "k")):
        if value >= limit:
            return f"{value / (1e6 if unit == 'M' else 1e3):.1f}{unit}"
    return f"{int(value):,}"


def percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %" if value < 0.995 else f"{100 * value:.0f} %"


def pretty(value: Any) -> str:
    """Anything that JSON can hold, over several lines."""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False, default=str)


def compact(value: Any) -> str:
    """JSON for an attribute of an element."""
    return json.dumps(value, separators=(",", ":"))


FILTERS: dict[str, Callable[..., Any]] = {
    "ago": ago, "when": when, "count": count, "percent": percent, "pretty": pretty, "compact": compact,
}  # fmt: skip
