"""CORS (Fetch standard, sections 3.2 and 4.8): is a request preflighted, and does the answer permit it?

A preflight never carries credentials. A server that demands a login of OPTIONS therefore refuses every
preflighted request, whatever its credentials.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from .problems import Problem

_SIMPLE_METHODS = frozenset({"GET", "HEAD", "POST"})
_SAFELISTED = frozenset({"accept", "accept-language", "content-language", "content-type", "range"})
_SIMPLE_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})
# Names a page cannot set; the browser adds them, and they cause no preflight.
_FORBIDDEN = frozenset(
    [
        "accept-charset",
        "accept-encoding",
        "access-control-request-headers",
        "access-control-request-method",
        "connection",
        "content-length",
        "cookie",
        "cookie2",
        "date",
        "dnt",
        "expect",
        "host",
        "keep-alive",
        "origin",
        "referer",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
        "user-agent",
    ]
)


def preflight_reasons(method: str, headers: Mapping[str, str]) -> tuple[str, ...]:
    """Why a browser asks first; empty when it does not."""
    out = [] if method.upper() in _SIMPLE_METHODS else [f"the method is {method.upper()}"]
    out += [f"the field {name} is not safelisted" for name in unsafe_headers(headers)]
    return tuple(out)


def unsafe_headers(headers: Mapping[str, str]) -> tuple[str, ...]:
    """The fields a preflight has to ask for, lower-cased and sorted, as the browser sends them."""
    return tuple(sorted({name.lower() for name, value in headers.items() if _unsafe(name.lower(), value)}))


def _unsafe(name: str, value: str) -> bool:
    if name in _FORBIDDEN or name.startswith(("sec-", "proxy-")):
        return False
    if name == "content-type":
        return value.partition(";")[0].strip().lower() not in _SIMPLE_TYPES
    return name not in _SAFELISTED or len(value) > 128


def preflight_problems(
    *,
    origin: str,
    method: str,
    headers: Iterable[str],
    credentials: bool,
    status: int,
    response: Mapping[str, str],
) -> tuple[Problem, ...]:
    """Why the answer to OPTIONS does not permit the request; empty when it does.

    `headers` are the names that need permission, as `unsafe_headers` gives them.
    """
    low = {name.lower(): value for name, value in response.items()}
    found = [
        *_status(status),
        *_origin(low, origin, credentials),
        *_allowed(low, method, headers, credentials),
    ]
    return tuple(Problem(kind, (0, 0), says) for kind, says in found)


def response_problems(*, origin: str, credentials: bool, response: Mapping[str, str]) -> tuple[Problem, ...]:
    """Why the page may not read the answer itself; empty when it may."""
    low = {name.lower(): value for name, value in response.items()}
    return tuple(Problem(kind, (0, 0), says) for kind, says in _origin(low, origin, credentials))


def _status(status: int) -> Iterator[tuple[str, str]]:
    if status in (401, 403, 407):
        says = f"OPTIONS is answered {status}: it is asked to log in, but a preflight has no credentials."
        yield "preflight-refused", says
    elif not 200 <= status <= 299:
        yield "preflight-status", f"OPTIONS is answered {status}; the browser wants 200 to 299."


def _origin(low: Mapping[str, str], origin: str, credentials: bool) -> Iterator[tuple[str, str]]:
    allowed = low.get("access-control-allow-origin")
    if allowed is None:
        yield "no-allow-origin", "Access-Control-Allow-Origin is missing."
    elif "," in allowed:
        yield "several-origins", "Access-Control-Allow-Origin names more than one origin; it may hold one."
    elif allowed == "*":
        if credentials:
            yield (
                "star-with-credentials",
                "Access-Control-Allow-Origin is *, which does not count with credentials.",
            )
    elif allowed != origin:
        near = (
            "" if allowed.rstrip("/").lower() != origin.lower() else " (it differs in case or a slash only)"
        )
        yield "other-origin", f"Access-Control-Allow-Origin names another origin{near}."
    if credentials and low.get("access-control-allow-credentials") != "true":
        yield "no-allow-credentials", "Access-Control-Allow-Credentials is not true."


def _allowed(
    low: Mapping[str, str], method: str, headers: Iterable[str], credentials: bool
) -> Iterator[tuple[str, str]]:
    methods = _list(low.get("access-control-allow-methods", ""))
    if method not in methods | _SIMPLE_METHODS and not ("*" in methods and not credentials):
        yield "method-not-allowed", f"Access-Control-Allow-Methods does not name {method}."
    names = {name.lower() for name in _list(low.get("access-control-allow-headers", ""))}
    for name in headers:
        star = "*" in names and not credentials
        if name.lower() == "authorization" and star and "authorization" not in names:
            yield (
                "star-without-authorization",
                "* in Access-Control-Allow-Headers does not cover Authorization.",
            )
        elif name.lower() not in names and not star:
            yield "header-not-allowed", f"Access-Control-Allow-Headers does not name {name.lower()}."


def _list(value: str) -> set[str]:
    return {part.strip() for part in value.split(",") if part.strip()}
