"""For Flask: ``report(app, to="http://KEY@host:4010/1")``."""

from __future__ import annotations

from typing import Any

from why401.integrations.exchange import of_function, refused, safely
from why401.integrations.reporter import REFUSED, fields_of, reporter


def report(app: Any, to: str) -> None:
    """Report what the application refuses from now on, with the line that raised (`abort`) or the view."""
    import flask

    sender = reporter(to)
    answer_of = app.handle_http_exception

    def handle_http_exception(problem: Any) -> Any:
        flask.g.why401_raised = problem
        return answer_of(problem)

    def describe(response: Any) -> None:
        request = flask.request
        if sender.own(request.host):
            return
        rule, view = request.url_rule, app.view_functions.get(request.endpoint or "")
        said = (
            request.method,
            request.url,
            response.status_code,
            fields_of(request.headers),
            fields_of(response.headers),
        )
        raised, client = flask.g.get("why401_raised"), request.remote_addr or ""
        sender.report(
            lambda: refused("server", *said, route=rule.rule if rule else "", raised=raised, client=client,
                            where=of_function(view) if view else None)
        )  # fmt: skip

    safe = safely(describe)

    def after(response: Any) -> Any:
        if response.status_code in REFUSED:
            safe(response)
        return response

    app.handle_http_exception = handle_http_exception
    app.after_request(after)
