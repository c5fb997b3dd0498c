"""Pure ASGI middleware: ``app = Refusals(app, to="http://KEY@host:4010/1")``."""

from __future__ import annotations

from typing import Any

from why401.integrations.exchange import first, of_function, refused, safely
from why401.integrations.reporter import REFUSED, fields_of, reporter

#: Where a framework's hook leaves the exception that became the answer.
RAISED = "why401.raised"


class Refusals:
    """Reports what the application refuses."""

    def __init__(self, app: Any, to: str) -> None:
        self.app = app
        self._reporter = reporter(to)
        self._report = safely(self._describe)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        report = self._report

        async def watched(message: Any) -> None:
            if message["type"] == "http.response.start" and message["status"] in REFUSED:
                report(scope, message)
            await send(message)

        await self.app(scope, receive, watched)

    def _describe(self, scope: Any, message: Any) -> None:
        fields, answered = fields_of(scope["headers"]), fields_of(message.get("headers", ()))
        host = first(fields, "host") or ":".join(str(part) for part in scope.get("server") or ())
        if self._reporter.own(host):
            return
        query = scope.get("query_string", b"").decode("latin-1")
        url = f"{scope.get('scheme', 'http')}://{host}{scope['path']}{'?' + query if query else ''}"
        route = getattr(scope.get("route"), "path", "") or ""
        raised, endpoint, client = scope.get(RAISED), scope.get("endpoint"), (scope.get("client") or ("",))[0]
        method, status = scope["method"], message["status"]
        self._reporter.report(
            lambda: refused("server", method, url, status, fields, answered, route=route, raised=raised,
                            where=of_function(endpoint) if endpoint else None, client=client)
        )  # fmt: skip
