"""Score the diagnosis on labelled cases, in one process: `python tools/score.py [CASES.jsonl] [--only TEXT] [--why]`.

Without a file the repository's own cases are used. A JSON Lines file holds `cause`, `also_acceptable`,
`id` and `evidence` (a list of `name` and `text`). Prints the misses and the rates.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests import casebook
from why401 import flow, readers
from why401.causes import catalogue


def from_lines(path: Path) -> list[casebook.Case]:
    """Cases of a JSON Lines file."""
    found = []
    for line in path.read_text().splitlines():
        entry = json.loads(line)
        inputs = tuple(readers.Input(e["name"].lstrip("/"), e["text"].encode()) for e in entry["evidence"])
        accepted = frozenset({entry["cause"], *entry.get("also_acceptable", [])})
        found.append(casebook.Case(entry["id"], entry["cause"], accepted, inputs))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--why", action="store_true", help="show the findings behind each miss")
    args = parser.parse_args()
    cases = from_lines(args.file) if args.file else list(casebook.cases())
    cases = [case for case in cases if args.only in case.name]
    total: dict[str, float] = defaultdict(float)
    known = catalogue()
    for case in cases:
        report = flow.examine(readers.read(case.inputs))
        named = report.diagnoses[0].causes
        said = [item.cause.id if item.cause else None for item in named]
        hit = said[0] in case.accepted
        total["exact"] += said[0] == case.cause
        total["accepted"] += hit
        total["top3"] += case.cause in said[:3]
        sides = {known[cause].side for cause in case.accepted}
        total["side"] += said[0] is not None and known[said[0]].side in sides
        total["brier"] += (named[0].probability - hit) ** 2
        if not hit or (args.why and args.only):
            row = ", ".join(
                f"{item.cause.id if item.cause else '-'} {item.probability:.2f}" for item in named[:3]
            )
            print(f"{'ok  ' if hit else 'miss'} {case.name:45} is {case.cause:30} said {row}")
            if args.why:
                for item in named[:3]:
                    print(f"     {item.cause.id if item.cause else '-'}")
                    for finding, weight in item.findings:
                        print(f"       {weight:+5.1f} {finding.id}: {finding.says[:110]}")
    count = len(cases) or 1
    print(f"cases {len(cases)}  " + "  ".join(f"{key} {value / count:.3f}" for key, value in total.items()))


if __name__ == "__main__":
    main()
