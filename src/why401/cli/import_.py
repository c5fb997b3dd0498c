"""`why401 import`: what `why401 export` printed, into this monitor."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from why401.cli import monitor_options


def main(words: Sequence[str]) -> int:
    options = monitor_options.parser("import", "Take in an export, beside what is there; the server may run.")
    options.add_argument("file", metavar="FILE", help="- for standard input")
    return monitor_options.run(_import, options, words)


def _import(given: argparse.Namespace) -> int:
    from why401.monitor.store import Unusable
    from why401.monitor.transfer import Importer, Unreadable

    importer = Importer(monitor_options.store(given))
    try:
        if given.file == "-":
            done = importer.run(sys.stdin)
        else:
            with Path(given.file).open(encoding="utf-8", errors="replace") as file:
                done = importer.run(file)
    except Unreadable as problem:
        raise Unusable(f"{given.file}: {problem}") from None
    number = done.rows.get("events", 0)
    made = ", ".join(done.names) or "none, they were there"
    print(f"{number} event{'s' * (number != 1)} taken in; projects made: {made}.")
    return 0
