"""What the lines of HTTP messages, summaries and panels look like. Tables only; `http_session` uses them."""

# A table of patterns or samples is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

from typing import Final

from why401.prefilter import lazy

METHODS: Final = (
    "GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|PROPFIND|PROPPATCH|MKCOL|COPY|MOVE|LOCK|UNLOCK|REPORT|"
    "SEARCH|MKCALENDAR|ACL|MERGE|CHECKOUT|SUBSCRIBE|NOTIFY|PURGE|DESCRIBE|SETUP|PLAY|REGISTER|INVITE|LIST"
)
_VERSION: Final = r"(?:HTTP|http|RTSP|SIP)/\d(?:\.\d)?|h2|h3"

REQUEST_LINE: Final = lazy(rf"^\s{{0,16}}(?P<method>{METHODS}) (?P<url>\S+) (?P<version>{_VERSION})\s*$")
#: A request line without its version; counts only with fields, a status or a response after it.
LOOSE_REQUEST: Final = lazy(
    rf"^\s{{0,16}}(?:[-*•]\s+|\d+[.)]\s+)?(?P<method>{METHODS})\s+(?P<url>(?:https?://|/)\S*)\s*$"
)
STATUS_LINE: Final = lazy(
    r"^\s{0,16}(?P<version>(?:HTTP|http|RTSP|SIP)/\d(?:\.\d)?)\s+(?P<status>[1-5]\d\d)(?:\s+(?P<reason>[^{<\n]*?))?\s*"
    r"(?P<body>[{<].*)?$"
)
FIELD: Final = lazy(r"^\s{0,16}(?P<name>:?[A-Za-z0-9!#$%&'*+.^_`|~-]{1,80})\s{0,2}:(?P<value>(?!//).*)$")
#: What curl and others print between the lines of a transcript.
NOISE: Final = lazy(
    r"^(?:[{}] \[\d+ bytes data\]|\s*% Total\s.*|\s*Dload\s+Upload.*|(?:\s*\d[\d.kMG]*\s+){5,}.*--:--:--.*|"
    r"\s*\d+\s+\d+\s+\d+.*--:--:--.*)$"
)
PROMPT: Final = lazy(
    r"^\s{0,4}(?:\$|%|❯|➜|PS [A-Z]:\\[^>\n]{0,100}>|[A-Z]:\\[^>\n]{0,100}>|[\w.-]{1,40}@[\w.-]{1,60}[:~ ][^$#%\n]{0,80}[$#%]|"
    r"\[[\w.-]{1,40}@[^\]\n]{1,80}\][$#%]|irb\([^)\n]{1,40}\)[^>\n]{0,20}>|>>>)\s"
)

#: Between a request and its status in a one-line summary: an arrow or words, or blanks.
_LINK = (
    r"(?:\s*(?:->|=>|-->|==>|→|➜|⇒|⟶|—>|\|)\s*|\s+(?:returns?|returned|gives?|gave|responds?|responded|answers?|"
    r"answered|failed|resulted|results?|is|was|got|ended)(?: with| in)?(?: an?)?(?: status(?: code)?| HTTP)?:?\s+)"
)
_STATUS = r"(?:HTTP(?:/\d(?:\.\d)?)?\s+|\(?status(?: code)?[: ]+|Response:\s*)?[`(\"'\[*]{0,3}(?P<status>[1-5]\d\d)(?![\d.]|\w)(?P<rest>.*)$"
_BULLET = r"^\s{0,16}(?:[-*•]\s+|\d+[.)]\s+|\+\s+)?[`\"'(\[*]{0,3}"
SUMMARIES: Final = tuple(
    lazy(pattern)
    for pattern in (
        # GET /x  -> 401 {"error": …};  `POST https://h/p` resulted in a `401 Unauthorized` response:
        rf"(?:{_BULLET}|[\s:`\"'(])(?P<method>{METHODS})[`\"]?:?\s+[`\"']?(?P<url>(?:https?://|/)[^\s`\"'<>|]*?)"
        rf"(?: HTTP/\d(?:\.\d)?)?[`\"')*:,]{{0,3}}{_LINK}{_STATUS}",
        # GET http://h/p  302 Found;  OPTIONS http://h/p 401 ();  GET https://h/p: 401 - Bad credentials
        rf"(?:{_BULLET}|[\s:`\"'(])(?P<method>{METHODS})[`\"]?\s+[`\"']?(?P<url>https?://[^\s`\"'<>|]*?)"
        rf"(?: HTTP/\d(?:\.\d)?)?[`\"':,]{{0,3}}(?:\s+-)?\s+(?:net::\S+\s+)?{_STATUS}",
        rf"{_BULLET}(?P<method>{METHODS})\s+(?P<url>/[^\s`\"'<>|]*?)[`\"':,]{{0,3}}(?:\s+-)?\s+{_STATUS}",
        # npm http fetch GET 401 https://h/p 123ms;  npm http 401 https://h/p;  yarn
        rf"^(?:npm|verbose|\d+ (?:http|verbose)|➤).{{0,40}}?\bhttp (?:fetch )?(?:(?P<method>{METHODS}) )?"
        r"(?P<status>[1-5]\d\d) (?P<url>https?://\S+)(?P<rest>.*)$",
        # urllib3: https://h:443 "GET /x HTTP/1.1" 401 12
        rf"(?P<base>https?://[^\s\"/]{{1,200}}(?::\d+)?) \"(?P<method>{METHODS}) (?P<url>\S+) HTTP/\d(?:\.\d)?\" (?P<status>[1-5]\d\d)"
        r"(?P<rest> .*)?$",
        # Symfony, Spring RestTemplate, ky, got: HTTP/1.1 401 Unauthorized returned for "https://…"
        r"(?:HTTP/\d(?:\.\d)? )?(?P<status>[45]\d\d)(?P<reason>(?: [A-Z][a-z]+:?){0,5}) (?:returned for|for url:|on GET request for|"
        r"on POST request for|from|for) [\"'`]?(?P<url>https?://[^\s\"'`<>]+)(?P<rest>.*)$",
        # Chrome: Failed to load resource is in tool messages; `POST https://h/p 401 (Unauthorized)` is above
    )
)  # fmt: skip
#: A server's own log line, which the log readers tell of.
SERVER_LOG: Final = lazy(
    r"HTTP/\d(?:\.\d)?\" [1-5]\d\d (?:\d+|-)|\s[1-5]\d\d\s+(?:in\s+)?[\d.]+\s?(?:ms|µs|us|s)\b|^\d+\.\d+\.\d+\.\d+ "
)
STAMPED: Final = lazy(r"^\W{0,2}\d{1,4}[-/:.]\d\d")

#: A status alone on its line, after a request that has none yet.
STATUS_ONLY: Final = lazy(
    r"""(?xi)^\s{0,16}(?:->|=>|<--|<-|→|➜)?\s*
    (?P<lead>HTTP(?:/\d(?:\.\d)?)?(?:\s+(?:error|status))?(?:\s+code)?\s*[:= ]\s*|(?:http|response)?[ _-]?status(?:[ _-]?code)?\s*[:=]\s*
      |http[ _]?code\s*[:=]\s*|(?:server\s+)?(?:response|returned|returns|answer|result|output)\s*[:=]?\s*
      |response\ status\ code\ does\ not\ indicate\ success:\s*|the\ remote\ server\ returned\ an\ error:\s*\(
      |.{0,40}requested\ URL\ returned\ error:\s*)?
    [`"'(*\[]{0,3}(?P<status>[1-5]\d\d)[`"')*\]]{0,3}
    (?:[\ :,—-]{0,3}\(?(?P<reason>[A-Za-z][A-Za-z' -]{1,40})\)?)?[.`"']?\s*(?P<body>[{<].*)?$"""
)
CODES: Final = lazy(r"^\s*[1-5]\d\d(?:[\s,]+[1-5]\d\d)*\s*$")
OKHTTP_STATUS: Final = lazy(
    r"^(?P<status>[1-5]\d\d)(?: (?P<reason>[^\s(/:][^/:(]{0,60}?))??(?: (?P<url>https?://\S+))?(?: \(.*\))?\s*$"
)
OKHTTP_REQUEST: Final = lazy(
    rf"^(?P<method>{METHODS}) (?P<url>\S+)(?: (?P<version>{_VERSION}))?(?: \(.*\))?\s*$"
)

#: Headings of sections, and the side that the fields after them belong to.
SECTION: Final = lazy(
    r"(?i)^[\s▼▾>#*]{0,10}(?P<what>(?:http )?(?:request|response) (?:headers|header fields|fields|body|payload)|general|headers|"
    r"form data|query string parameters|request|response|request cookies|response cookies)"
    r"\s*(?:\(\d+[^)]*\))?\s*(?:view (?:source|parsed|decoded)|raw)?\s*[*]{0,2}:?[*]{0,2}\s*$"
)
PANEL_KEY: Final = lazy(
    r"(?i)^\s{0,16}(?P<key>request url|request method|status code|remote address|referrer policy|status|method|url|"
    r"request uri)\s*:?(?:\s+(?P<value>\S.*))?$"
)
PANEL_START: Final = lazy(r"(?im)^\s{0,16}request url:?(?:[ \t]+\S+)?\s*$")

START: Final = lazy(
    rf"(?m)^.{{0,300}}?(?:\b(?:HTTP|RTSP)/\d(?:\.\d)?\s+[1-5]\d\d\b|\b(?:{METHODS})[`\"]?:?\s+[`\"']?(?:https?://|/|\*))"
    r"|\bhttp (?:fetch )?(?:[A-Z]+ )?[1-5]\d\d https?:|\b[45]\d\d\b.{0,80}\b(?:for|from)\b|(?i:\brequest url\b)|^reply: |^send: |<-- \d{3}|^\s{0,16}HTTP [45]\d\d\b|(?i:\bstatus(?: ?code)?\b.{0,5}\d{3})"
)
