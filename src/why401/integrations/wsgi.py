"""Pure WSGI middleware (PEP 3333): ``app = Refusals(app, to="http://KEY@host:4010/1")``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from wsgiref.util import request_uri

from why401.integrations.exchange import refused, safely
from why401.integrations.reporter import fields_of, reporter

_REFUSED = ("401", "403", "407")


class Refusals:
    """Reports what the application refuses."""

    def __init__(self, app: Any, to: str) -> None:
        self.app = app
        self._reporter = reporter(to)
        self._report = safely(self._describe)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        def watched(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            if status[:3] in _REFUSED:
                self._report(environ, status, headers)
            return start_response(status, headers, *more)

        answer: Iterable[bytes] = self.app(environ, watched)
        return answer

    def _describe(self, environ: dict[str, Any], status: str, headers: list[tuple[str, str]]) -> None:
        if self._reporter.own(environ.get("HTTP_HOST", "")):
            return
        event = (
            environ["REQUEST_METHOD"],
            request_uri(environ),
            int(status[:3]),
            fields(environ),
            fields_of(headers),
        )
        client = environ.get("REMOTE_ADDR", "")
        self._reporter.report(lambda: refused("server", *event, client=client))


def fields(environ: dict[str, Any]) -> list[list[str]]:
    """The request's fields, by the names that CGI leaves of them (RFC 3875, 4.1.18)."""
    found = [
        [name[5:].replace("_", "-").title(), str(value)]
        for name, value in environ.items()
        if name.startswith("HTTP_")
    ]
    more = (("Content-Type", "CONTENT_TYPE"), ("Content-Length", "CONTENT_LENGTH"))
    return found + [[name, str(environ[key])] for name, key in more if environ.get(key)]
