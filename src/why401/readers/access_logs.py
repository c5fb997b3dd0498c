# ruff: noqa: E501  (a table of patterns: one a line, however long)
"""Reader of access logs: one record a request, with its status, whichever server wrote it.

The formats are shapes of a line (`_SHAPES`), named values (`log_keys`), W3C logs whose `#Fields:` line names
the columns (IIS, CloudFront), and the two-line form of Rails and Spring (`Started GET … Completed 401 …`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from why401.evidence import Evidence, Record, Source
from why401.prefilter import Lazy, lazy
from why401.readers import log_keys, log_times

MOST_RECORDS = 50_000  # of one input; larger logs are the business of the triage
LONGEST_LINE = 8_000

_METHOD = r"(?P<method>GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE|PROPFIND|REPORT|PROPPATCH|MKCOL|MOVE|COPY|LOCK|UNLOCK)"
_ADDRESS = (
    r"(?P<address>\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F:]*::?[0-9a-fA-F:.]+|[\w-]+(?:\.[\w-]+)+|localhost)"
)
_REQUEST = rf'"{_METHOD} (?P<path>\S+)(?: HTTPS?/[\d.]+)?"'
_AGENT = r'(?:\s+"(?P<referer>[^"]*)"\s+"(?P<agent>[^"]*)")?'

#: Shapes of a line, tried in order: the first that is found anywhere in the line is taken.
_SHAPES: tuple[Lazy, ...] = tuple(
    lazy(pattern)
    for pattern in (
        # common and combined: Apache, nginx, Traefik, gunicorn, werkzeug, aiohttp, Tomcat, Jetty
        rf'{_ADDRESS} \S+ (?P<user>[^\[\]"]{{1,80}}?) \[[^\]]+\] {_REQUEST} (?P<status>\d{{3}})\b(?: \S+)?{_AGENT}',
        # HAProxy: the status stands before the request
        rf"(?P<address>[\d.]+):\d+ \[[^\]]+\] \S+ \S+ [\d/+-]+ (?P<status>\d{{3}}) .*{_REQUEST}",
        # uvicorn, hypercorn
        rf"{_ADDRESS}:\d+ - {_REQUEST} (?P<status>\d{{3}})",
        # AWS load balancers: elb status, target status, bytes in and out, request
        rf'\S+ (?P<address>[\d.]+):\d+ \S+ -?[\d.]+ -?[\d.]+ -?[\d.]+ (?P<status>\d{{3}}) \S+ \d+ \d+ {_REQUEST}(?: "(?P<agent>[^"]*)")?',
        # gin
        rf'\|\W*(?P<status>\d{{3}})\W*\|[^|]*\|\s*{_ADDRESS}?\s*\|\W*{_METHOD}\W+"?(?P<path>/[^\s"]*)',
        # chi, goji: "GET http://host/x HTTP/1.1" from 127.0.0.1:1234 - 401
        rf'"{_METHOD} (?P<path>\S+) HTTP/[\d.]+" from {_ADDRESS}(?::\d+)? - (?P<status>\d{{3}})',
        # Django runserver and anything that quotes the request and goes on with the status
        rf'{_REQUEST}[\s:-]+(?P<status>\d{{3}})\b{_AGENT}',
        # Squid: elapsed, client, result/status, bytes, method, URL, user
        rf"\s(?P<address>[\d.a-f:]+) \w+/(?P<status>\d{{3}}) \d+ {_METHOD} (?P<path>\S+)(?: (?P<user>\S+))?",
        # IIS without its #Fields line
        rf"(?P<server>[\d.:a-f]+) {_METHOD} (?P<path>/\S*) \S+ \d+ (?P<user>\S+) (?P<address>[\d.:a-f]+) (?P<agent>\S+) (?:\S+ )?(?P<status>\d{{3}}) \d+ \d+",
        # morgan, fastify, koa: GET /x 401 5.1 ms
        rf"(?:^|[\s\]|]){_METHOD}\s+(?P<path>/\S*)\s+(?:-+>?\s*)?(?P<status>[1-5]\d\d)\b(?=\s+[\d.]+\s?(?:ms|s|µs)\b|\s+-|\s*$|\s+\()",
    )
)  # fmt: skip
_STARTED = lazy(rf'(?:Started|Processing)\s+{_METHOD}\s+"(?P<path>[^"]+)"(?:\s+for\s+(?P<address>\S+))?')
_SPRING = lazy(
    rf'(?:DispatcherServlet|DispatcherHandler|HttpWebHandlerAdapter|FilterChainProxy)\S*\s*:?\s.*?{_METHOD} "?(?P<path>/[^\s",]*)'
)
_COMPLETED = lazy(r"\bCompleted\s+(?P<status>[1-5]\d\d)\b")
_ANY = _METHOD.replace("?P<method>", "?:")
_CUE = lazy(
    rf'(?i)\bHTTPS?/[\d.]+"|#Fields:|\bCompleted [1-5]\d\d|status(?:_?code)?"?[=:]|"{_ANY} |\bTCP_[A-Z_]+/\d|\[GIN\]'
)
_CUE_LINE = lazy(rf"(?m)(?:^|[\s\]|]){_ANY}\s+/\S*\s+[1-5]\d\d\b|/\d{{3}} \d+ {_ANY} |^\d{{4}}-\d\d-\d\d \S+ \S+ {_ANY} /")  # fmt: skip
_ANSI = lazy(r"\x1b\[[\d;]*m")


def sniff(name: str, text: str) -> bool:
    """Whether a line may be one of an access log."""
    del name  # the text alone tells
    head = text[:200_000]
    return bool(_CUE.search(head) or _CUE_LINE.search(head))


def read(text: str, source: Source) -> Evidence:
    """One record a logged request."""
    found: list[Record] = []
    for record in _records(text, source):
        found.append(record)
        if len(found) >= MOST_RECORDS:
            break
    return Evidence(records=tuple(found))


def _records(text: str, source: Source) -> Iterator[Record]:
    columns: list[str] = []
    started: Record | None = None
    for number, raw in enumerate(text.splitlines(), source.line or 1):
        line = _ANSI.sub("", raw[:LONGEST_LINE])
        where = source.at(number)
        if line.startswith("#Fields:"):
            columns = line.split()[1:]
            continue
        if columns and not line.startswith("#"):
            record = _columned(line, columns, where)
            if record:
                yield record
                continue
        begun = _STARTED.search(line) or _SPRING.search(line)
        if begun:
            started = _record(begun, line, where)
            continue
        done = _COMPLETED.search(line)
        if done:
            first = started or Record(line, where, log_times.find(line))
            yield replace(
                first, text=f"{first.text}\n{line}" if started else line, status=int(done["status"])
            )
            started = None
            continue
        record = _shaped(line, where) or (
            log_keys.record(line, where) if "=" in line or "{" in line else None
        )
        if record and record.status is not None:
            yield record


def _shaped(line: str, source: Source) -> Record | None:
    if not re.search(r"[1-5]\d\d", line):
        return None
    for shape in _SHAPES:
        match = shape.search(line)
        if match:
            return _record(match, line, source)
    return None


def _record(match: re.Match[str], line: str, source: Source) -> Record:
    held = {name: value for name, value in match.groupdict().items() if value not in (None, "", "-")}
    status = held.get("status")
    return Record(
        line,
        source,
        log_times.find(line),
        None,
        int(status) if status else None,
        held.get("method"),
        held.get("path"),
        held.get("address"),
        held.get("user", "").strip() or None,
        held.get("agent", "").replace("+", " ") or None,
    )


#: Columns of the W3C extended format, as IIS and CloudFront name them.
_COLUMNS = {
    "sc-status": "status", "cs-method": "method", "cs-uri-stem": "path", "c-ip": "address", "cs-username": "user",
    "cs(User-Agent)": "agent",
}  # fmt: skip


def _columned(line: str, columns: list[str], source: Source) -> Record | None:
    values = line.split("\t") if "\t" in line else line.split()
    held = dict(zip(columns, values, strict=False))
    found = {key: held[name] for name, key in _COLUMNS.items() if held.get(name, "-") != "-"}
    if not found.get("status", "").isdigit():
        return None
    return Record(
        line,
        source,
        log_times.find(f"{held.get('date', '')} {held.get('time', '')}"),
        None,
        int(found["status"]),
        found.get("method"),
        found.get("path"),
        found.get("address"),
        found.get("user"),
        found.get("agent", "").replace("+", " ").replace("%20", " ") or None,
    )
