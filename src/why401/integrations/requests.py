"""For requests: ``report(session, to="http://KEY@host:4010/1")``."""

from __future__ import annotations

from typing import Any

from why401.integrations.exchange import caller, refused, safely
from why401.integrations.reporter import REFUSED, fields_of, reporter


def report(session: Any, to: str) -> None:
    """Report what servers refuse to a `requests.Session`, with the line that asked."""
    sender = reporter(to)

    def describe(response: Any) -> None:
        asked = response.request
        if sender.own(asked.url.partition("://")[2].partition("/")[0].rpartition("@")[2]):
            return
        where = caller()
        said = (asked.method, asked.url, response.status_code, fields_of(asked.headers.items()),
                fields_of(response.raw.headers.items()))  # fmt: skip
        sender.report(lambda: refused("client", *said, where=where))

    safe = safely(describe)

    def hook(response: Any, *_: Any, **__: Any) -> None:
        if response.status_code in REFUSED:
            safe(response)

    session.hooks["response"].append(hook)
