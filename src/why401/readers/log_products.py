# ruff: noqa: E501  (a table of patterns: one a line)
"""Who wrote a log line, and what its words are: the shapes of the products' error and application logs.

Sources: ngx_log_error_core and ngx_http_log_error (nginx), server/log.c and the APLOGNO messages of
modules/aaa (Apache httpd 2.4), section 8 of HAProxy's configuration manual, Envoy's default access log format,
Squid's native format, OneLineFormatter (Tomcat JULI), klog (Kubernetes), and each project's documentation.
"""

from __future__ import annotations

from dataclasses import replace

from why401.evidence import Record
from why401.prefilter import Lazy, lazy
from why401.readers.log_prefixes import Line

_ADDRESS = r"(?P<address>[\d.]{7,15}|\[?[0-9a-fA-F:]*?:[0-9a-fA-F:.]+?\]?)"

#: Lines of messages: product and shape; the first that fits is taken. `message` is what the product says.
_MESSAGES: tuple[tuple[str, Lazy], ...] = tuple(
    (product, lazy(pattern))
    for product, pattern in (
        ("nginx", r'^\d{4}/\d\d/\d\d [\d:]{8} \[(?P<level>\w+)\] \d+#\d+: (?:\*\d+ )?(?P<message>.*?)(?:, client: (?P<address>[^,\s]+)(?:, server: [^,]*)?(?:, request: "(?P<method>[A-Z]+) (?P<path>\S+)[^"]*")?.*)?$'),
        ("Apache httpd", rf"^\[[^\]]*\d\] \[\w*:(?P<level>[a-z]+)\d?\] \[pid [^\]]*\] (?:\(\d+\)[^\[]*)?(?:\[(?:client|remote) {_ADDRESS}(?::\d+)?\] )?(?P<message>.*?)(?:, referer: \S+)?$"),
        ("Apache httpd", rf"^\[[A-Z][a-z]{{2}} [A-Z][a-z]{{2}} [^\]]*\] \[(?P<level>[a-z]+)\] \[client {_ADDRESS}\] (?P<message>.*?)(?:, referer: \S+)?$"),
        ("PHP-FPM", r"^\[\d\d-[A-Z][a-z]{2}-\d{4} [\d:.]+\] (?P<level>[A-Z]+): (?P<message>\[pool .*)$"),
        ("Tomcat", r"^\d\d-[A-Z][a-z]{2}-\d{4} [\d:.]+ (?P<level>[A-Z]+) \[[^\]]*\] (?P<message>org\.apache\.(?:catalina|tomcat|coyote)\S* .*)$"),
        ("kube-apiserver", r"^(?P<level>[EWI])\d{4} [\d:.]+\s+\d+ (?P<message>(?:authentication|httplog|authorization|wrap|webhook|dispatcher|oidc|rbac|status)\.go:\d+\] .*)$"),
        ("oauth2-proxy", rf'^(?:{_ADDRESS}(?::\d+)?|-) - [\w-]+ - (?P<user>\S+) \[\d{{4}}/\d\d/\d\d [\d:]+\] (?P<message>\[Auth(?:Success|Failure|Error)\].*)$'),
        ("oauth2-proxy", r"^\[\d{4}/\d\d/\d\d [\d:]+\] (?P<message>\[\w+\.go:\d+\] .*)$"),
        ("ASP.NET Core", r"^(?P<level>trce|dbug|info|warn|fail|crit): (?P<message>Microsoft\.AspNetCore\.\S+\[\d+\](?s:.*))$"),
        ("Laravel", r"^\[\d{4}-\d\d-\d\d[ T][\d:.+-]+\] \w+\.(?P<level>[A-Z]+): (?P<message>.*)$"),
        ("Django", r"^(?:.*?\b(?P<level>WARNING|ERROR)\b.*?)?(?P<message>(?:Unauthorized|Forbidden(?: \([^)]*\))?): (?P<path>/\S*))$"),
        ("Spring", r"^[\d:.TZ+ -]+\s(?P<level>[A-Z]+) .*? (?P<message>o(?:rg)?\.s(?:pringframework)?\.(?:s(?:ecurity)?|w(?:eb)?)\..*)$"),
        ("gunicorn", r"^\[[\d: +-]+\] \[\d+\] \[(?P<level>[A-Z]+)\] (?P<message>.*)$"),
        ("Rails", r"(?P<message>Filter chain halted as .*)$"),
        ("Rails", r"(?P<message>Completed [1-5]\d\d \w.* in \d+ms.*)$"),
        ("uvicorn", r'^(?P<level>INFO|WARNING|ERROR):\s+(?P<message>\S+:\d+ - ".*)$'),
    )
)  # fmt: skip

#: User and path in the words of Apache httpd; what follows "server configuration:" may be a file, not a path.
_APACHE_WORDS = tuple(
    lazy(pattern)
    for pattern in (
        r'user (?P<user>.+?): (?:authentication|authorization) failure for "(?P<path>[^"]*)"',
        r"user `(?P<user>[^']*)' in realm `[^']*' (?:not found|denied by provider): (?P<path>/\S*)",
        r"user (?P<user>.+?)(?:: password mismatch| not found): (?P<path>/\S*)",
        r"of user (?P<user>.+?) to access (?P<path>/\S*) failed",
        r"access to (?P<path>/\S*) failed, reason: user '(?P<user>[^']*)'",
        r"authorization denied for user (?P<user>.+?) to (?P<path>/\S*)",
        r"(?:\(no authenticated user\)|authentication scheme(?: `[^']*')?|need AuthName|AuthType not set!|by server configuration: uri):? (?P<path>/\S*)",
    )
)  # fmt: skip
_NGINX_USER = lazy(r'user "(?P<user>[^"]*)"')

#: Marks in a line of an access log by which its writer is known, where nothing else tells.
_WRITERS: tuple[tuple[str, Lazy], ...] = tuple(
    (product, lazy(pattern))
    for product, pattern in (
        ("HAProxy", r"\s\S+/(?:<NOSRV>|\S+) -?\d+(?:/[+-]?\d+){4} [1-5]\d\d "),
        ("Squid", r"\bTCP_[A-Z_]+/\d{3} "),
        ("Caddy", r'"logger":\s?"http\.log'),
        ("Traefik", r'"RouterName"|"(?:Downstream|Origin)Status"| \d+ "[^"]*" "[^"]*" \d+ms\s*$'),
        ("Envoy", r'"response_flags"|"response_code_details"|^\[[\dTZ:.-]+\] "[A-Z]+ \S+ HTTP/[\d.]+" \d+ \S+ '),
        ("Docker registry", r"\bgo\.version=go|registry[^\n]*http\.request\.uri="),
        ("kube-apiserver", r"httplog\.go:\d+|\"kind\":\s?\"Event\".{0,200}audit\.k8s\.io"),
        ("gin", r"\[GIN\]"),
        ("oauth2-proxy", r' - [0-9a-f-]{36} - \S+ \[[\d/ :]+\] \S+ [A-Z]+ \S+ "/'),
        ("uvicorn", r'^(?:.*\s)?INFO:\s+\S+:\d+ - "'),
        ("Rails", r"\bStarted [A-Z]+ \""),
        ("pino", r'"pid":\d+.*"req":\{'),
    )
)  # fmt: skip

#: Names of programs in syslog and the journal.
_PROGRAMS = {
    "nginx": "nginx", "httpd": "Apache httpd", "apache2": "Apache httpd", "haproxy": "HAProxy", "squid": "Squid",
    "caddy": "Caddy", "traefik": "Traefik", "envoy": "Envoy", "kube-apiserver": "kube-apiserver", "oauth2-proxy": "oauth2-proxy",
    "gunicorn": "gunicorn", "uvicorn": "uvicorn", "php-fpm": "PHP-FPM", "catalina": "Tomcat", "tomcat9": "Tomcat",
    "tomcat10": "Tomcat", "puma": "Rails", "registry": "Docker registry",
}  # fmt: skip


def known(message: str) -> bool:
    """Whether a line has the shape of a product's message, without regard to level and time."""
    return any(pattern.match(message) for _, pattern in _MESSAGES)


def told(record: Record, line: Line) -> Record:
    """The record with product, message and what the product's own shape tells; what is known already stays."""
    first, _, rest = line.message.partition("\n")
    if (
        record.status is not None and f'] "{record.method} ' in first and first[:1] not in "[{"
    ):  # the common format
        hop = "Traefik" if first.endswith("ms") else _PROGRAMS.get((line.program or "").lower())
        return replace(record, hop=hop, message=first, time=record.time or line.time)
    for product, pattern in _MESSAGES:
        match = pattern.search(first)
        if match:
            return _filled(record, line, product, match.groupdict(), rest)
    hop = record.hop or next((p for p, mark in _WRITERS if mark.search(first)), None)
    return replace(
        record,
        hop=hop or _PROGRAMS.get((line.program or "").lower()),
        message=record.message or line.message,
        time=record.time or line.time,
        level=record.level or line.level,
    )


def _filled(record: Record, line: Line, product: str, held: dict[str, str | None], rest: str) -> Record:
    message = held.get("message") or ""
    if product == "Apache httpd":
        words = next((m for shape in _APACHE_WORDS if (m := shape.search(message))), None)
        held = held | words.groupdict() if words else held
    if product == "nginx":
        words = _NGINX_USER.search(message)
        held = held | words.groupdict() if words else held
    user = held.get("user")
    return replace(
        record,
        hop=product,
        message=record.message or (f"{message}\n{rest}" if rest else message),
        time=record.time or line.time,
        level=record.level or line.level,
        method=record.method or held.get("method"),
        path=record.path or held.get("path"),
        address=(held.get("address") or "").strip("[]") or record.address,
        user=record.user or (user if user not in ("-", "", None) else None),
    )
