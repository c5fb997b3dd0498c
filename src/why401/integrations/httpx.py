"""For HTTPX: ``report(client, to="http://KEY@host:4010/1")``, synchronous or not."""

from __future__ import annotations

from typing import Any

from why401.integrations.exchange import caller, refused, safely
from why401.integrations.reporter import REFUSED, fields_of, reporter


def report(client: Any, to: str) -> None:
    """Report what servers refuse to an `httpx.Client` or `AsyncClient`, with the line that asked."""
    import httpx

    sender = reporter(to)

    def describe(response: Any) -> None:
        asked = response.request
        if sender.own(asked.url.netloc.decode()):
            return
        where = caller()
        said = (asked.method, str(asked.url), response.status_code, fields_of(asked.headers.raw),
                fields_of(response.headers.raw))  # fmt: skip
        sender.report(lambda: refused("client", *said, where=where))

    safe = safely(describe)

    def hook(response: Any) -> None:
        if response.status_code in REFUSED:
            safe(response)

    async def hook_later(response: Any) -> None:
        hook(response)

    chosen: Any = hook_later if isinstance(client, httpx.AsyncClient) else hook
    client.event_hooks = {**client.event_hooks, "response": [*client.event_hooks["response"], chosen]}
