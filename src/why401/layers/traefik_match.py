"""Rules of Traefik's routers: ``Host(`a`) && (PathPrefix(`/x`) || !Method(`GET`))``, v2 and v3.

Documentation: routing/routers, "Rule" and "Priority": the longest rule comes first where no priority is set.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote

from why401.evidence import Request
from why401.layers.maybe import Maybe, every, opposite, some
from why401.prefilter import lazy

_TOKEN = lazy(r"\s*(&&|\|\||!|[()]|(\w+)\s*\(((?:\s*(?:`[^`]*`|\"[^\"]*\"|'[^']*')\s*,?)*)\s*\))")
_VALUE = lazy(r"`([^`]*)`|\"([^\"]*)\"|'([^']*)'")


def fits(rule: str, request: Request) -> Maybe:
    """Whether a request fits a rule; None where that is not known (a variable, an unknown matcher)."""
    tokens: list[tuple[str, str, tuple[str, ...]]] = []
    at, text = 0, rule.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            return None
        values = tuple(next(v for v in found.groups("") if v or not any(found.groups())) if any(found.groups())
                       else "" for found in _VALUE.finditer(match[3] or ""))  # fmt: skip
        tokens.append((match[1] if not match[2] else "matcher", match[2] or "", values))
        at = match.end()
    if not tokens:
        return None
    try:
        return _Parser(tokens, request).either()
    except (IndexError, RecursionError):
        return None


class _Parser:
    def __init__(self, tokens: list[tuple[str, str, tuple[str, ...]]], request: Request) -> None:
        self._tokens, self._at, self._request = tokens, 0, request

    def _next(self, kind: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at][0] == kind:
            self._at += 1
            return True
        return False

    def either(self) -> Maybe:
        found = [self._both()]
        while self._next("||"):
            found.append(self._both())
        return some(found)

    def _both(self) -> Maybe:
        found = [self._one()]
        while self._next("&&"):
            found.append(self._one())
        return every(found)

    def _one(self) -> Maybe:
        if self._next("!"):
            return opposite(self._one())
        if self._next("("):
            found = self.either()
            self._next(")")
            return found
        _, name, values = self._tokens[self._at]
        self._at += 1
        if any("$" in value for value in values) and "regexp" not in name.lower():
            return None
        matcher = _MATCHERS.get(name.lower())
        return matcher(self._request, values) if matcher else None


def host_of(request: Request) -> str:
    """The host that a request names, without its port, in lower case."""
    host = request.fields.get("host") or request.host or ""
    return re.sub(r":\d+$", "", host).lower()


def path_of(request: Request) -> str:
    """The path, decoded, without the query."""
    return unquote((request.split.path or request.url or "/").partition("?")[0]) or "/"


def _host(request: Request, values: tuple[str, ...]) -> Maybe:
    host = host_of(request)
    return any(value.lower() == host for value in values) if host else None


def _search(patterns: tuple[str, ...], text: str) -> Maybe:
    """Go's regular expressions are unanchored in v3; `{name:regexp}` of v2 stands for a whole part."""
    found: list[Maybe] = []
    for pattern in patterns:
        braced = re.sub(r"\{\w+(?::([^{}]*(?:\{\d[\d,]*\}[^{}]*)*))?\}", lambda m: m[1] or ".+", pattern)
        python = f"^{braced}$" if braced != pattern else pattern
        try:
            found.append(re.search(python, text) is not None)
        except re.error:
            found.append(None)
    return some(found)


def _host_regexp(request: Request, values: tuple[str, ...]) -> Maybe:
    return _search(values, host_of(request)) if host_of(request) else None


def _field(request: Request, values: tuple[str, ...]) -> Maybe:
    if len(values) != 2:
        return None
    held = request.fields.all(values[0])
    return values[1] in held if held or request.complete else None


_MATCHERS: dict[str, Callable[[Request, tuple[str, ...]], Maybe]] = {
    "host": _host,
    "hostregexp": _host_regexp,
    "path": lambda request, values: path_of(request) in values,
    "pathprefix": lambda request, values: path_of(request).startswith(values),
    "pathregexp": lambda request, values: _search(values, path_of(request)),
    "method": lambda request, values: (request.method or "GET").upper() in {v.upper() for v in values},
    "header": _field,
    "headers": _field,
}
