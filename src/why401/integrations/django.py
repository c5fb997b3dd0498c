"""For Django: name ``"why401.integrations.django.RefusalsMiddleware"`` first in MIDDLEWARE, and set WHY401_TO."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from why401.integrations.exchange import of_function, refused, safely
from why401.integrations.reporter import REFUSED, fields_of, reporter
from why401.integrations.wsgi import fields


class RefusalsMiddleware:
    """Reports what Django refuses, with the view or the line that raised. Django adapts it to asynchronous views."""

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        from django.conf import settings

        self.get_response = get_response
        self._reporter = reporter(settings.WHY401_TO)
        self._report = safely(self._describe)

    def __call__(self, request: Any) -> Any:
        response = self.get_response(request)
        if response.status_code in REFUSED:
            self._report(request, response)
        return response

    def process_exception(self, request: Any, exception: BaseException) -> None:
        """Django asks it for what a view raised, before that becomes an answer."""
        request.why401_raised = exception

    def _describe(self, request: Any, response: Any) -> None:
        match = getattr(request, "resolver_match", None)
        raised = getattr(request, "why401_raised", None)
        url, client = request.build_absolute_uri(), request.META.get("REMOTE_ADDR", "")
        sent, answered = fields(request.META), fields_of(response.items())
        method, status = request.method, response.status_code
        if not self._reporter.own(request.META.get("HTTP_HOST", "")):
            self._reporter.report(
                lambda: refused("server", method, url, status, sent, answered, raised=raised, client=client,
                                route=f"/{match.route}" if match else "",
                                where=of_function(match.func) if match else None)
            )  # fmt: skip
