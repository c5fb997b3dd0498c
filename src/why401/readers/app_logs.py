# ruff: noqa: E501  (patterns: one a line)
"""Reader of application, container, syslog and journal lines: one record a message, with its level and time.

The lines of a stack trace belong to the message above them. Requests that a line tells (nginx's error log names
client and request) are kept; lines of access logs are left to their own reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from why401.evidence import Evidence, Record, Source
from why401.prefilter import lazy
from why401.readers import access_logs, kinds, log_keys, log_prefixes, log_products, log_times
from why401.readers.log_prefixes import Line

MOST_RECORDS = 20_000
LONGEST = 6_000  # characters of one record

_LEVELS = {
    "trace": "trace", "trc": "trace", "debug": "debug", "dbg": "debug", "dbug": "debug", "info": "info", "inf": "info",
    "notice": "info", "warn": "warning", "warning": "warning", "wrn": "warning", "err": "error", "error": "error",
    "eror": "error", "fail": "error", "severe": "error", "crit": "critical", "critical": "critical", "fatal": "critical",
    "emerg": "critical", "alert": "critical", "panic": "critical", "fine": "debug", "finer": "debug", "finest": "trace",
    "config": "debug", "trce": "trace", "w": "warning", "e": "error", "i": "info", "d": "debug",
}  # fmt: skip
_LEVEL = lazy(
    r"(?:(?<=[\s\[|:(.])|^)(?:level=|lvl=)?\"?(?P<level>TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERR(?:OR)?|SEVERE|CRIT(?:ICAL)?|FATAL|EMERG|ALERT|PANIC|FINE(?:R|ST)?"
    r"|trace|debug|info|notice|warn(?:ing)?|err(?:or)?|crit(?:ical)?|fatal|emerg|fail|TRC|DBG|INF|WRN|dbug|trce|[EWID](?=\d{4}\s))\"?(?=[\s\]|:).\d,]|$)"
)
_ANSI = lazy(r"\x1b\[[\d;]*m")
_CONTINUES = lazy(
    r"^(?:\s+\S|Caused by: |Traceback \(|\.\.\. \d+ more|\}|\)|--- End of |During handling |[\w.$]+(?:Exception|Error)\b)"
)
_CLIENT = lazy(r"\bclient:? (?P<address>[\d.]+|[0-9a-fA-F:]{3,})(?::\d+)?")
_REQUEST = lazy(r'request: "(?P<method>[A-Z]+) (?P<path>\S+)')


def sniff(name: str, text: str) -> bool:
    """Whether the input is a log by its name, or a line of it begins as log lines do."""
    kind, _ = kinds.kind_of(name, text)
    if kind in ("settings", "code"):
        return False
    lines = log_prefixes.lines(text[:100_000], 1, LONGEST)
    return any(_begins(line) for _, line in zip(range(400), lines, strict=False))


def read(text: str, source: Source) -> Evidence:
    """One record a message."""
    found = []
    for record in _records(text, source):
        found.append(record)
        if len(found) >= MOST_RECORDS:
            break
    return Evidence(records=tuple(found))


@dataclass(slots=True)
class _Open:
    """A message whose further lines may follow."""

    first: Line
    lines: list[str] = field(default_factory=list)
    size: int = 0


def _records(text: str, source: Source) -> Iterator[Record]:
    held: _Open | None = None
    for line in log_prefixes.lines(text, source.line or 1, LONGEST):
        if "\x1b" in line.message:
            line = replace(line, message=_ANSI.sub("", line.message))
        follows = bool(line.message.strip() and (_CONTINUES.match(line.message) or _traced(held)))
        if held and line.wrapped and follows and not _stamped(line.message[:60]):
            held.lines.append(line.message)
        elif _begins(line):
            if held:
                yield from _record(held, source)
            held = _Open(line, [line.message], len(line.message))
        elif held and follows:
            if held.size < LONGEST:
                held.lines.append(line.message)
                held.size += len(line.message)
        elif held:
            yield from _record(held, source)
            held = None
    if held:
        yield from _record(held, source)


def _traced(held: _Open | None) -> bool:
    """Whether the message is in the middle of a stack trace."""
    return held is not None and any(line.startswith("Traceback (") for line in held.lines)


def _begins(line: Line) -> bool:
    """Whether a line begins a message: it opens with a time, a level or a process."""
    body = line.message
    if line.wrapped and line.program and body.strip():
        return True
    if not body or body[0].isspace():
        return False
    head = body[:60]
    level = _LEVEL.search(body[:120])
    if (log_times.find(head) and (level or _stamped(head))) or (level and level.start() <= 2):
        return True
    return (body.startswith(("{", "Unauthorized: /", "Forbidden")) or "] [Auth" in body) and _whole(body)


def _whole(body: str) -> bool:
    """A line without time or level that is a message all the same: JSON with a message, Django's short words."""
    if body.startswith("{"):
        named = log_keys.record(body, Source("")) if '"' in body else None
        return named is not None and bool(named.level and named.message)
    return log_products.known(body)


def _stamped(head: str) -> bool:
    return bool(
        re.match(
            r"^\W{0,2}(?:\d{4}[-/]\d\d[-/]\d\d|\d\d[-/]\w{2,3}[-/]\d{2,4}|[A-Z][a-z]{2} [A-Z][a-z]{2} )", head
        )
    )


def _record(held: _Open, source: Source) -> Iterator[Record]:
    first = held.first.message
    where = source.at(held.first.number)
    if access_logs.read(first, where).records:
        return
    text = "\n".join([held.first.raw, *held.lines[1:]])
    line = replace(held.first, message="\n".join(held.lines))
    named = log_keys.record(first, where) if ("{" in first or first.count("=") >= 3) else None
    if named is not None and named.level:
        level = _LEVELS.get(named.level, named.level)
        yield log_products.told(replace(named, text=text, level=level, time=named.time or line.time), line)
        return
    level_match = _LEVEL.search(first[:160])
    client, request = _CLIENT.search(first), _REQUEST.search(first)
    record = Record(
        text,
        where,
        log_times.find(first[:80]),
        _LEVELS.get(level_match["level"].lower()) if level_match else None,
        None,
        request["method"] if request else None,
        request["path"] if request else None,
        client["address"] if client else None,
    )
    record = log_products.told(record, line)
    yield replace(record, level=_LEVELS.get(record.level.lower(), record.level) if record.level else None)
