"""Whether an event is about a refused request, and which: by what the client says, else by an exception's words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from why401.evidence import REFUSALS
from why401.monitor.event import Event, Raised
from why401.monitor.take import mapping, text, whole
from why401.prefilter import lazy
from why401.protocol import challenges
from why401.subjects import route as template

_CUE = lazy(
    r"(?i)40[137]|unauthori[sz]ed|forbidden|authenticat|authoriz|permission|credential|token|expired|denied|notallowed|csrf"
)
#: A status as libraries name it: "401 Client Error", "HTTP Error 401", "status code 401", "'401 Unauthorized'", "E401".
_STATUS = lazy(
    r"(?i)(?:\bHTTP(?:/[\d.]+)?(?: error| status)?|\bstatus(?:[ _]?code)?|\bresponse(?: code)?|\berror(?: code)?|\bcode"
    r"|\breturned|\bgot|\bE)[^\w\n]{0,4}(40[137])\b"
    r"|(?<![\w.:/-])(40[137])(?=[^\w\n]{0,4}(?:client error|unauthori|forbidden|proxy auth|not auth|authentication))"
    r"|\A\W*(40[137])(?!\w)|[(\[]?\b(?:unauthori[sz]ed|forbidden)\W{1,3}(40[137])\b"
)
#: Exceptions whose type alone says it (Werkzeug, DRF, Laravel, Spring Security, NestJS, ASP.NET, Rails, clouds).
_TYPES = {
    401: lazy(
        r"(?i)(?:^|[.\\:])(?:unauthorized(?:error|exception|http\w*)?|notauthenticated\w*|authenticationfailed\w*"
        r"|authentication(?:credentialsnotfound|required)?(?:error|exception)|badcredentials(?:exception)?"
        r"|invalid(?:auth)?token(?:error|exception)?|expiredsignatureerror|tokenexpired(?:error|exception)?"
        r"|invalidcredentials\w*|jsonwebtokenerror|noauthorizationerror|expiredtoken(?:exception)?)$"
    ),
    403: lazy(
        r"(?i)(?:^|[.\\:])(?:forbidden(?:error|exception|http\w*)?|permissiondenied(?:error|exception)?"
        r"|accessdenied(?:error|exception|http\w*)?|authorization(?:denied)?exception|notallowed\w*"
        r"|csrf\w*(?:error|exception)?|invalidauthenticitytoken)$"
    ),
}
_HTTP_EXCEPTION = lazy(r"(?:^|[.\\:])HTTPException$")
#: `HTTPException(401`, `HTTPException(status_code=status.HTTP_401_UNAUTHORIZED`; what FastAPI's security schemes raise.
_RAISES = lazy(
    r"HTTPException\(\s{0,40}(?:status_code\s{0,4}=\s{0,4})?(40[137])\b"
    r"|HTTPException\(\s{0,40}(?:status_code\s{0,4}=\s{0,4})?[\w.]{0,40}HTTP_(40[137])_"
    r"|raise self\.make_not_authenticated_error\(\)"
)
_URL = lazy(r"(?i)\bhttps?://[^\s'\"`<>|,;)\]}]+")
_METHOD = lazy(r"\b(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)\b")
_HTTP = ("http", "httplib", "fetch", "xhr", "axios", "requests")


@dataclass(frozen=True)
class Refusal:
    """The request that was refused, as far as it is known; "" for what is not."""

    status: int
    method: str = ""
    host: str = ""
    route: str = ""
    scheme: str = ""  # of the challenge
    error: str = ""  # of the challenge (RFC 6750, 3.1)


def of(event: Event) -> Refusal | None:
    """The refusal that an event is about, or None."""
    exchange = event.get("exchange", {})
    status = exchange.get("status")
    if status in REFUSALS:
        return _of_exchange(event, status)
    for raised in event.get("raised", []):
        found = said(raised.get("type", ""), raised.get("message", "")) or _by_source(raised)
        if found is not None:
            return found if found.host else _with_url(event, found)
    if "raised" not in event and (found := said("", event.get("message", ""))) is not None:
        return found
    return _of_breadcrumb(event) if status is None else None


@lru_cache(4096)
def said(kind: str, message: str) -> Refusal | None:
    """The refusal that the type and message of an exception tell."""
    if not _CUE.search(kind) and not _CUE.search(message):
        return None
    match = _STATUS.search(message)
    status = int(next(filter(None, match.groups()))) if match else None
    if status is None:
        status = next((code for code, pattern in _TYPES.items() if pattern.search(kind)), None)
    if status is None:
        return None
    url, method = _URL.search(message), _METHOD.search(message)
    host, route = _place(url[0] if url else "")
    return Refusal(status, method[1] if method else "", host, route)


def _by_source(raised: Raised) -> Refusal | None:
    """Starlette's and FastAPI's HTTPException, whose message is the detail alone: the status stands in the line that
    raises it, or in one of the next where the call goes over several."""
    frames = raised.get("frames", [])
    if not _HTTP_EXCEPTION.search(raised.get("type", "")) or not frames:
        return None
    first, source = frames[0].get("line", 0), frames[0].get("source", {})
    lines = " ".join(source.get(str(number), "") for number in range(first, first + 6))
    match = _RAISES.search(lines)
    return Refusal(int(match[1] or match[2] or 401)) if match else None


def _of_exchange(event: Event, status: int) -> Refusal:
    exchange = event["exchange"]
    host, route = _place(exchange.get("url", ""))
    scheme, error = challenge(exchange.get("answered", []))
    return Refusal(status, exchange.get("method", ""), host, _route(event, route), scheme, error)


def _with_url(event: Event, found: Refusal) -> Refusal:
    """Where an exception names no address: the last request that was refused so, among the breadcrumbs; else the
    request that was being answered."""
    crumb = _of_breadcrumb(event)
    if crumb is not None and crumb.status == found.status:
        return crumb
    exchange = event.get("exchange", {})
    host, route = _place(exchange.get("url", ""))
    return Refusal(found.status, exchange.get("method", ""), host, _route(event, route))


def _route(event: Event, path: str) -> str:
    """The route's template: as the client says it, else what a server's framework named the transaction by."""
    exchange, transaction = event.get("exchange", {}), event.get("transaction", "")
    served = exchange.get("role") == "server" and transaction.startswith("/")
    return exchange.get("route") or (transaction if served else path)


def _of_breadcrumb(event: Event) -> Refusal | None:
    """The last request among the breadcrumbs, if it was refused."""
    for crumb in reversed(event.get("breadcrumbs", [])):
        if text(crumb, "category") in _HTTP or text(crumb, "type") == "http":
            data = mapping(crumb, "data")
            status = whole(data, "status_code", "http.response.status_code")
            if status is None:
                continue
            host, route = _place(text(data, "url"))
            return Refusal(status, text(data, "method"), host, route) if status in REFUSALS else None
    return None


def _place(url: str) -> tuple[str, str]:
    """(host with port, route template) of an address."""
    try:
        split = urlsplit(url)
        return split.netloc.rpartition("@")[2].lower(), template(split.path) if url else ""
    except ValueError:
        return "", ""


def challenge(fields: list[Any]) -> tuple[str, str]:
    """(scheme, error) of the first challenge among response fields."""
    values = [
        f[1]
        for f in fields
        if len(f) == 2 and str(f[0]).lower() in ("www-authenticate", "proxy-authenticate")
    ]
    found = challenges.parse([value for value in values if isinstance(value, str)]).challenges
    return (found[0].scheme.lower(), found[0].params.get("error", "")) if found else ("", "")
