"""`why401`: one command takes any evidence."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main() -> int:
    """Entry point."""
    from why401 import flow, readers
    from why401.reports import json as json_report
    from why401.secret import Redactor

    names = [word for word in sys.argv[1:] if not word.startswith("--")]
    inputs = [readers.Input(name, Path(name).read_bytes()) for name in names]
    report = flow.examine(readers.read(inputs))
    redactor = Redactor(report.evidence.secrets())
    json.dump(json_report.render(report, redactor), sys.stdout, indent=1)
    return report.exit_status


if __name__ == "__main__":
    sys.exit(main())
