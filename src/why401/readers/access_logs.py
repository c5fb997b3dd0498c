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
from why401.readers import log_columns, log_keys, log_prefixes, log_products, log_times
from why401.readers.log_prefixes import Line

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
        # Envoy's default format, and Istio's: [time] "GET /x HTTP/1.1" 401 UAEX details … "agent" "request id"
        rf'^\[\d{{4}}-\d\d-\d\dT[\d:.]+Z\] {_REQUEST} (?P<status>\d{{3}}) \S+ (?:\S+ .*?)??\d+ \d+ \d+ [\d-]+ "(?P<forwarded>[^"]*)" "(?P<agent>[^"]*)"',
        # oauth2-proxy: address - id - user [time] host GET upstream "/path" HTTP/1.1 "agent" 401
        rf'{_ADDRESS}(?::\d+)? - \S+ - (?P<user>\S+) \[[^\]]+\] \S+ {_METHOD} \S+ "(?P<path>[^"]*)" HTTPS?/[\d.]+ "(?P<agent>[^"]*)" (?P<status>\d{{3}})\b',
        # PHP-FPM: address - user time "GET /index.php" 401
        rf'^{_ADDRESS} - +(?P<user>\S*) ?\d\d/[A-Z][a-z]{{2}}/\d{{4}}:\S+ [+-]\d{{4}} {_REQUEST} (?P<status>\d{{3}})\b',
        # ASP.NET Core since 5: Request finished HTTP/1.1 GET http://host/x - 401 0 - 1.2ms
        rf"Request finished HTTP/[\d.]+ {_METHOD} (?P<path>\S+) .*?- (?P<status>\d{{3}})\b",
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
_STARTED = lazy(
    rf'(?:(?:Started|Processing)\s+{_METHOD}\s+"(?P<path>[^"]+)"(?:\s+for\s+(?P<address>\S+))?|Request starting HTTP/[\d.]+ {_METHOD.replace("method", "verb")} (?P<url>\S+))'
)
_SPRING = lazy(
    rf'(?:DispatcherServlet|DispatcherHandler|HttpWebHandlerAdapter|FilterChainProxy)\S*\s*:?\s.*?{_METHOD} "?(?P<path>/[^\s",]*)'
)
_COMPLETED = lazy(r"\b(?:Completed\s+|Request finished in [\d.]+ms )(?P<status>[1-5]\d\d)\b")
#: What stands before "Started", "Filter" and "Completed" of one request where many run side by side: the tags of
#: Rails' TaggedLogging, or the process.
_THREAD = lazy(r"^.{0,60}?(?P<tag>\[[\w-]{16,}\]|#\d+\]|\[\d+\])")
_HALTED = lazy(r"Filter chain halted as \S+ rendered or redirected")
_ANY = _METHOD.replace("?P<method>", "?:")
_CUE = lazy(
    rf'(?i)\bHTTPS?/[\d.]+"|#Fields:|Request finished |\] [\w.:-]+ {_ANY} \S+ "/|\bresp=\d|response_code"?[=:]|\bCompleted [1-5]\d\d|status(?:_?code)?"?[=:]|"{_ANY} |\bTCP_[A-Z_]+/\d|\[GIN\]'
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
    started: dict[str, Record] = {}
    for line in log_prefixes.lines(text, source.line or 1, LONGEST_LINE):
        clean = _ANSI.sub("", line.message)
        where = source.at(line.number)
        if clean.startswith("#Fields:"):
            columns = clean.split()[1:]
            continue
        record = None
        if columns and not clean.startswith("#"):
            record = log_columns.record(clean, columns, where)
        if record is None:
            step, record = _step(clean, where, started)
            record = record if step else _of_line(clean, where)
            record = record and log_products.told(record, replace(line, message=clean))
        if record is not None:
            yield replace(record, text=_raw(record, line)) if line.wrapped else record


def _raw(record: Record, line: Line) -> str:
    """The text of a record as it stands in the log, with what a log carrier put before it."""
    return record.text if "\n" in record.text else line.raw


def _of_line(line: str, where: Source) -> Record | None:
    record = _shaped(line, where) or (log_keys.record(line, where) if "=" in line or "{" in line else None)
    return record if record and record.status is not None else None


def _step(line: str, where: Source, started: dict[str, Record]) -> tuple[bool, Record | None]:
    """Whether the line is a step of a request told in several lines (Rails, Spring, ASP.NET Core), and the
    record where it is the last one."""
    begun = _STARTED.search(line) or _SPRING.search(line)
    done = None if begun else _COMPLETED.search(line)
    halted = None if begun or done else _HALTED.search(line)
    if not (begun or done or halted):
        return False, None
    tag = _THREAD.match(line)
    key = tag["tag"] if tag else ""
    if begun:
        started[key] = _record(begun, line, where)
        return True, None
    first = started.get(key)
    if halted:
        if first:
            started[key] = replace(first, message=halted.group(), text=f"{first.text}\n{line}")
        return bool(first), None
    assert done is not None
    started.pop(key, None)
    record = first or Record(line, where, log_times.find(line))
    text = f"{first.text}\n{line}" if first else line
    return True, replace(record, text=text, status=int(done["status"]))


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
        held.get("method") or held.get("verb"),
        held.get("path") or held.get("url"),
        held.get("address"),
        held.get("user", "").strip() or None,
        held.get("agent", "").replace("+", " ") or None,
    )
