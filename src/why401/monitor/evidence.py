"""An event as evidence: the exchange that was refused, what the exception said, the code that asked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from why401 import readers
from why401.evidence import Evidence, Exchange, Fields, Request, Response, Source
from why401.monitor import refusal
from why401.monitor.event import Event
from why401.monitor.take import mapping, text, whole
from why401.readers import Input


def of(event: Event) -> Evidence:
    """The evidence that an event holds. The event may still have its secrets."""
    exchanges = tuple(_exchanges(event))
    texts = [Input(name, part.encode("utf-8", "replace")) for name, part in _texts(event)]
    return Evidence(exchanges=exchanges) + readers.read(texts)


def _exchanges(event: Event) -> Iterator[Exchange]:
    when = datetime.fromtimestamp(event.get("time", 0.0), UTC)
    given = event.get("exchange")
    refused = refusal.of(event)
    status = given.get("status") if given else None
    if given and (status is not None or refused is None):
        answered = (
            Response(status, "", _fields(given.get("answered", [])), complete=False) if status else None
        )
        request = Request(
            given.get("method"), given.get("url"), _fields(given.get("fields", [])), complete=False
        )
        yield Exchange(1, request, answered, Source("event"), when)
    for number, crumb in enumerate(event.get("breadcrumbs", [])[-30:], 2):
        data = mapping(crumb, "data")
        code = whole(data, "status_code", "http.response.status_code")
        if code is not None and text(data, "url"):
            request = Request(text(data, "method") or "GET", text(data, "url"), complete=False)
            yield Exchange(
                number, request, Response(code, complete=False), Source("breadcrumb", number), when
            )


def _fields(pairs: list[list[str]]) -> Fields:
    return Fields.of((name, value) for name, value in pairs)


def _texts(event: Event) -> Iterator[tuple[str, str]]:
    """What the client said in words, the names telling the readers what it is."""
    lines = [f"{raised.get('type', '')}: {raised.get('message', '')}" for raised in event.get("raised", [])]
    lines += [event["message"]] if event.get("message") else []
    if lines:
        yield "event", "\n".join(lines)
    answer = event.get("exchange", {}).get("answer")
    if isinstance(answer, str) and answer:
        yield "answer", answer


def diagnose(event: Event) -> str:
    """The report on an event, as JSON without secrets."""
    import why401

    return why401.render(why401.examine(of(event)), "json")
