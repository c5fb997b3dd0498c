"""Logic with a third value: None is "not known from the configuration and the request at hand" (Kleene)."""

from __future__ import annotations

from collections.abc import Iterable

Maybe = bool | None


def every(values: Iterable[Maybe]) -> Maybe:
    """False where one is false, else None where one is unknown."""
    held = list(values)
    return False if False in held else None if None in held else True


def some(values: Iterable[Maybe]) -> Maybe:
    """True where one is true, else None where one is unknown."""
    held = list(values)
    return True if True in held else None if None in held else False


def opposite(value: Maybe) -> Maybe:
    return None if value is None else not value
