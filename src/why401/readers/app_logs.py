"""Reader `app_logs`."""

from __future__ import annotations

from why401.evidence import Evidence, Source


def sniff(name: str, text: str) -> bool:
    """Whether this reader has something to say about the input."""
    return False


def read(text: str, source: Source) -> Evidence:
    """What the input says."""
    return Evidence()
