# ruff: noqa: E501  (patterns: one a line)
"""What stands around a log line: syslog, journal, container and Compose write their own words before it.

Known are RFC 3164 and RFC 5424, the forms `short*`, `json` and `export` of journalctl
(systemd.journal-fields(7), https://systemd.io/JOURNAL_EXPORT_FORMATS/), Docker's json-file and the CRI format of
Kubernetes, and the name that `docker compose logs` puts before each line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from why401.prefilter import lazy
from why401.readers import log_times

#: Severities of syslog (RFC 5424, 6.2.1), by number.
SEVERITIES = ("critical", "critical", "critical", "error", "warning", "info", "info", "debug")

_COMPOSE = lazy(r"^[\w.-]+\s*\| ")
_RFC5424 = lazy(
    r"^<(?P<priority>\d{1,3})>1 (?P<time>\S+) \S+ (?P<program>\S+) \S+ \S+ (?:-|(?:\[(?:[^\]\\]|\\.)*\])+) ?"
)
_RFC3164 = lazy(
    r"^(?:<(?P<priority>\d{1,3})>)?(?P<time>[A-Z][a-z]{2}\s+\d{1,2} \d\d:\d\d:\d\d(?:\.\d+)?|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d))"
    r" (?!(?:stdout|stderr|TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|FATAL) )[\w.:-]+ (?P<program>[A-Za-z][\w./@-]*)(?:\[\d+\])?: "
)
_CRI = lazy(r"^(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(?:Z|[+-]\d\d:\d\d)) (?:stdout|stderr) [FP] ")
_EXPORT = lazy(r"(?m)^__(?:CURSOR|REALTIME_TIMESTAMP)=")


@dataclass(frozen=True, slots=True)
class Line:
    """One message of a log: its line number, the raw line, and the message with what the wrapping tells."""

    number: int
    raw: str
    message: str
    time: datetime | None = None
    level: str | None = None
    program: str | None = None
    wrapped: bool = False


def lines(text: str, first: int, longest: int) -> Iterator[Line]:
    """Every line of a log, unwrapped; entries of `journalctl -o export` are one line each."""
    if _EXPORT.search(text[:2000]):
        yield from _exported(text, first, longest)
        return
    for number, raw in enumerate(text.split("\n"), first):
        yield unwrap(raw[:longest], number)


def unwrap(raw: str, number: int = 1) -> Line:
    """The line without what a log carrier put before or around it."""
    if raw.startswith("{"):
        return _carried(raw, number) or Line(number, raw, raw)
    match = _COMPOSE.match(raw) if "|" in raw[:80] else None
    body = raw[match.end() :] if match else raw
    if match and body.startswith("{"):
        return Line(number, raw, body, wrapped=True)
    for pattern in (_RFC5424, _RFC3164, _CRI):
        found = pattern.match(body)
        if found:
            held = found.groupdict()
            priority = held.get("priority")
            return Line(
                number,
                raw,
                body[found.end() :].removeprefix("\ufeff"),
                log_times.find(held["time"] or ""),
                SEVERITIES[int(priority) % 8] if priority else None,
                (held.get("program") or "").rpartition("/")[2] or None,
                wrapped=True,
            )
    return Line(number, raw, body, wrapped=match is not None)


def _carried(raw: str, number: int) -> Line | None:
    """The message in a JSON line of the journal or of Docker; None for any other JSON."""
    if not ('"MESSAGE"' in raw or '"log"' in raw):
        return None
    try:
        held: Any = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(held, dict):
        return None
    if isinstance(held.get("log"), str) and "stream" in held:
        inner = held["log"].rstrip("\n")
        return Line(number, raw, inner, log_times.find(str(held.get("time", ""))), wrapped=True)
    if "MESSAGE" not in held or "__REALTIME_TIMESTAMP" not in held:
        return None
    message = held["MESSAGE"]
    if isinstance(message, list):  # bytes that are no text stand as numbers
        message = bytes(b for b in message if isinstance(b, int) and 0 <= b < 256).decode("utf-8", "replace")
    return _of_journal(number, raw, str(message), held)


def _of_journal(number: int, raw: str, message: str, held: Mapping[str, Any]) -> Line:
    stamp, priority = str(held.get("__REALTIME_TIMESTAMP", "")), str(held.get("PRIORITY", ""))
    name = held.get("SYSLOG_IDENTIFIER") or held.get("_COMM")
    return Line(
        number,
        raw,
        message,
        datetime.fromtimestamp(int(stamp[:10]), UTC).replace(microsecond=int(stamp[10:16].ljust(6, "0")))
        if stamp.isdigit() and len(stamp) >= 16
        else None,
        SEVERITIES[int(priority)] if priority.isdigit() and int(priority) < 8 else None,
        str(name) if name else None,
        wrapped=True,
    )


def _exported(text: str, first: int, longest: int) -> Iterator[Line]:
    """The entries of the export format: `FIELD=value` lines, an empty line after each entry."""
    held: dict[str, str] = {}
    at = first
    for number, raw in enumerate([*text.split("\n"), ""], first):
        if raw:
            name, _, value = raw[:longest].partition("=")
            held[name] = value
            at = number if name == "MESSAGE" else at
        elif held:
            message = held.get("MESSAGE", "")
            yield _of_journal(at, message, message, held)
            held = {}
