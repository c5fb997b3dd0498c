"""`why401 backup`: a copy of the monitor's database while it is in use."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from why401.cli import monitor_options


def main(words: Sequence[str]) -> int:
    options = monitor_options.parser("backup", "Copy the monitor's database while it is in use.")
    options.add_argument("--to", type=Path, required=True, metavar="FILE", help="a new file")
    return monitor_options.run(_backup, options, words)


def _backup(given: argparse.Namespace) -> int:
    from why401.monitor.backup import backup

    size = backup(monitor_options.store(given), given.to)
    print(
        f"{given.to}: {size:,} bytes. It holds the installation's keys: keep it where only you can read it."
    )
    return 0
