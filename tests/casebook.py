"""The repository's own cases: what a reporter had in hand, and the cause.

A case is one text file, `tests/cases/<cause id>/<kind>-<slug>.txt`, where the kind is `clean` (the signs are all
there), `noisy` (with the noise of real reports) or `near` (looks like a neighbour). It opens with `key: value`
lines (`about`, `also`: other answers that would be right) and goes on with the evidence, each file after a line
`--- name`.
`not-an-auth-error` and `expected-challenge` hold the healthy near-misses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from why401.readers import Input

FOLDER = Path(__file__).parent / "cases"


@dataclass(frozen=True)
class Case:
    """One case: its cause, the answers that are accepted, and the inputs."""

    name: str
    cause: str
    accepted: frozenset[str]
    inputs: tuple[Input, ...]


def load(path: Path) -> Case:
    """Read one case file."""
    head, *parts = ("\n" + path.read_text(encoding="utf-8")).split("\n--- ")
    keys = dict(line.split(":", 1) for line in head.strip().splitlines() if line.strip())
    inputs = tuple(
        Input(name.strip(), content.encode()) for name, _, content in (part.partition("\n") for part in parts)
    )
    cause = path.parent.name
    also = {word.strip() for word in keys.get("also", "").split(",") if word.strip()}
    return Case(f"{cause}/{path.stem}", cause, frozenset({cause, *also}), inputs)


def cases() -> Iterator[Case]:
    """All cases, in order of their names."""
    for path in sorted(FOLDER.glob("*/*.txt")):
        yield load(path)
