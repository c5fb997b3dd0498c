"""What the monitor's commands share: options, and one sentence for what went wrong."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def parser(name: str, says: str) -> argparse.ArgumentParser:
    """A parser with `--data` and `--database`."""
    found = argparse.ArgumentParser(f"why401 {name}", description=says, allow_abbrev=False)
    where(found)
    return found


def where(found: argparse.ArgumentParser) -> None:
    found.add_argument("--data", type=Path, required=True, metavar="DIR", help="the monitor's data folder")
    found.add_argument(
        "--database", metavar="URL", help="postgresql://… for several nodes (default: SQLite in DIR)"
    )


def run(
    command: Callable[[argparse.Namespace], int], options: argparse.ArgumentParser, words: Sequence[str]
) -> int:
    """Parse, run, and turn what is the user's to mend into one sentence and status 2."""
    try:
        given = options.parse_args(list(words))
    except SystemExit as end:
        return 2 if end.code else 0
    try:
        return command(given)
    except ImportError as missing:
        if (missing.name or "").startswith("why401"):
            raise
        return _say(f"{missing.name} is not installed; the monitor needs: pip install 'why401[monitor]'")
    except Exception as problem:
        if not _expected(problem):
            raise
        return _say(str(problem))


def _expected(problem: Exception) -> bool:
    from why401.monitor.projects import Unknown
    from why401.monitor.store import Unusable

    return isinstance(problem, Unknown | Unusable | OSError)


def _say(sentence: str) -> int:
    print(f"why401: {sentence}", file=sys.stderr)
    return 2


def store(given: argparse.Namespace) -> Any:
    from why401.monitor.store import open_store

    return open_store(given.data, given.database)
