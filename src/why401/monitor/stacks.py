"""A stack trace as text, as OpenTelemetry's SDKs send it: calls with file and line, innermost first."""

from __future__ import annotations

from why401.monitor.event import Frame
from why401.prefilter import Lazy, lazy

MOST = 250
#: (pattern with file, line, function, column; whether the text has the innermost call last)
_SHAPES: tuple[tuple[Lazy, bool], ...] = (
    (lazy(r'(?m)^\s*File "(?P<file>[^"\n]+)", line (?P<line>\d+)(?:, in (?P<function>\S+))?'), True),  # Python
    (lazy(r"(?m)^\s*at (?:(?P<function>[^\s(]+(?: \[as \w+\])?) \()?(?P<file>(?:file://|node:|https?://)?[^\s():]+|[A-Za-z]:[^():\n]+):"
          r"(?P<line>\d+):(?P<column>\d+)\)?"), False),  # JavaScript
    (lazy(r"(?m)^\s*at (?P<function>[\w.$<>/@]+)\((?P<file>[\w$]+\.\w+):(?P<line>\d+)\)"), False),  # Java
    (lazy(r"(?m)^\s*at (?P<function>[\w.`<>\[\], ]+\([^)\n]*\))(?: in (?P<file>[^\n]+):line (?P<line>\d+))?"), False),
    (lazy(r"(?m)^\s*(?:from )?(?P<file>[^\s:'`]+\.rb):(?P<line>\d+):in [`'](?P<function>[^'\n]+)'"), False),  # Ruby
    (lazy(r"(?m)^#\d+ (?P<file>[^\s(]+)\((?P<line>\d+)\): (?P<function>[^\s(]+)"), False),  # PHP
    (lazy(r"(?m)^(?P<function>[\w./*()\[\]-]+)\([^)\n]*\)\n\t(?P<file>[^\s:]+):(?P<line>\d+)"), False),  # Go
)  # fmt: skip


def frames(stack: str) -> list[Frame]:
    """The calls of a stack trace of Python, JavaScript, Java, .NET, Ruby, PHP or Go; [] for other text."""
    for pattern, last in _SHAPES:
        found: list[Frame] = []
        for match in pattern.finditer(stack):
            held = match.groupdict()
            frame: Frame = {"file": held.get("file") or "", "function": held.get("function") or ""}
            if held.get("line"):
                frame["line"] = int(held["line"])
            if held.get("column"):
                frame["column"] = int(held["column"])
            found.append(frame)
        if found:
            return (found[::-1] if last else found)[:MOST]
    return []
