"""why401 finds out why a request is refused, proves it and says how to mend it.

`examine` and `diagnose` are the same flow as the command line; see `why401.api`. They are imported when they
are first used, so that `import why401` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from why401.api import diagnose, examine, lint, render
    from why401.evidence import Evidence
    from why401.report import Report

__version__ = "0.1.0"
__all__ = ["Evidence", "Report", "__version__", "diagnose", "examine", "lint", "render"]

_HOMES = {
    "diagnose": "why401.api",
    "examine": "why401.api",
    "lint": "why401.api",
    "render": "why401.api",
    "Evidence": "why401.evidence",
    "Report": "why401.report",
}


def __getattr__(name: str) -> object:
    """Import a public name from where it lives (PEP 562)."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'why401' has no attribute {name!r}")
