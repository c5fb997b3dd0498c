"""`why401 events`: the stored events of a project, newest first, one JSON object a line."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from why401.cli import monitor_options


def main(words: Sequence[str]) -> int:
    options = monitor_options.parser("events", "Print stored events, newest first.")
    options.add_argument("--project", type=int, required=True, metavar="ID")
    options.add_argument("--json", action="store_true", help="one JSON object a line (the only form)")
    options.add_argument("--limit", type=int, default=100, metavar="N")
    return monitor_options.run(_events, options, words)


def _events(given: argparse.Namespace) -> int:
    from why401.monitor import listing

    with monitor_options.store(given).read() as connection:
        for row in listing.events(connection, given.project, given.limit):
            print(json.dumps(row))
    return 0
