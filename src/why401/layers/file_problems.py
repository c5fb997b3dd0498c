"""What is wrong with a line of a password or key file, in one sentence that never quotes its content."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileProblem:
    """`kind` is a slug for programs, `says` a sentence for people; `line` counts from 1, None is the whole file."""

    kind: str
    says: str
    line: int | None = None
