"""`why401 export`: what the monitor keeps of projects, as lines of JSON."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from why401.cli import monitor_options


def main(words: Sequence[str]) -> int:
    options = monitor_options.parser("export", "Print everything that is kept, without what opens something.")
    options.add_argument("--project", type=int, metavar="ID", help="only this project")
    options.add_argument("--to", type=Path, metavar="FILE", help="a new file (default: standard output)")
    return monitor_options.run(_export, options, words)


def _export(given: argparse.Namespace) -> int:
    from why401.monitor import transfer

    store = monitor_options.store(given)
    out = (
        os.fdopen(os.open(given.to, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w")
        if given.to
        else sys.stdout
    )
    with store.snapshot() as connection:
        for line in transfer.lines(connection, given.project):
            out.write(f"{line}\n")
    out.flush()
    return 0
