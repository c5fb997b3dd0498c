"""The one value in which every parser of this room says what is wrong."""

from __future__ import annotations

from dataclasses import dataclass

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Problem:
    """One departure from a standard: where it stands, and one sentence about it.

    `kind` is a slug for programs, `says` a sentence for people. A sentence never quotes a value that
    could be a secret; the span lets a caller look (and redact) for itself. `field` is the index of the
    field value where several were given.
    """

    kind: str
    span: Span
    says: str
    field: int = 0
