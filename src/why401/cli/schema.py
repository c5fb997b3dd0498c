"""`why401 schema`: the JSON Schema of the JSON report."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files


def main(_: Sequence[str]) -> int:
    """Print the schema."""
    print((files("why401.reports") / "schema.json").read_text(encoding="utf-8"), end="")
    return 0
