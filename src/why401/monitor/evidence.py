"""An event as evidence: the exchange that was refused, what the exception said, the code that asked."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from why401 import readers
from why401.evidence import Evidence, Exchange, Fields, Request, Response, Source, Text
from why401.monitor import refusal
from why401.monitor.event import Event
from why401.monitor.take import mapping, text, whole
from why401.prefilter import lazy
from why401.readers import Input
from why401.secret import MASK

_TOKEN = lazy(r"eyJ[\w-]{6,}\.[\w-]{6,}\.[\w-]+")
_URL = lazy(r"https?://[^\s'\"<>]+")


def of(event: Event) -> Evidence:
    """The evidence that an event holds. The event may still have its secrets."""
    exchanges = tuple(_exchanges(event))
    texts = [Input(name, part.encode("utf-8", "replace")) for name, part in _texts(event)]
    said = readers.read(texts)
    # Where the exchange is known, a line that speaks of it is no exchange besides.
    return Evidence(exchanges=exchanges, texts=_asked(exchanges)) + (
        replace(said, exchanges=()) if exchanges else said
    )


def _asked(exchanges: tuple[Exchange, ...]) -> tuple[Text, ...]:
    """The fields of the request as a text, in which the checks of tokens look for them."""
    request = exchanges[0].request if exchanges else None
    sent = "\n".join(f"{field.name}: {field.text}" for field in request.fields) if request else ""
    return (Text(sent, Source("request"), "body"),) if sent else ()


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
            given.get("method"),
            given.get("url"),
            _fields(_sent(event)),
            complete=given.get("complete", False),
        )
        yield Exchange(1, request, answered, Source("event"), when)
    elif refused is not None and (token := _at_hand(event)):
        sent = Fields.of([("Authorization", f"Bearer {token}")])
        request = Request(refused.method or None, _address(event), sent, complete=False)
        yield Exchange(1, request, Response(refused.status, complete=False), Source("locals"), when)
    for number, crumb in enumerate(event.get("breadcrumbs", [])[-30:], 2):
        data = mapping(crumb, "data")
        code = whole(data, "status_code", "http.response.status_code")
        if code is not None and text(data, "url"):
            request = Request(text(data, "method") or "GET", text(data, "url"), complete=False)
            yield Exchange(
                number, request, Response(code, complete=False), Source("breadcrumb", number), when
            )


def _at_hand(event: Event) -> str:
    """The one token among the locals of the application's frames, where there is no more than one: what an exception
    about a refused request leaves of the request."""
    frames = [
        frame
        for raised in event.get("raised", [])
        for frame in raised.get("frames", [])
        if frame.get("in_app")
    ]
    values = (str(value) for frame in frames[:10] for value in mapping(frame, "vars").values())
    found = {match[0] for value in values for match in _TOKEN.finditer(value[:10_000])}
    return found.pop() if len(found) == 1 else ""


def _address(event: Event) -> str | None:
    """The address that the exception names."""
    said = " ".join(raised.get("message", "") for raised in event.get("raised", []))
    found = _URL.search(said)
    return found[0] if found else None


def _sent(event: Event) -> list[list[str]]:
    """The request's fields. Where a client kept a token for itself and told of its claims, a token of these claims
    stands in for it: what is asked of it (has it ended, whom is it for) is answered by the claims alone."""
    held = mapping(event.get("context"), "credential")
    claims = mapping(held, "claims")
    fields = event["exchange"].get("fields", [])
    if not claims or not fields:
        return fields
    token = _stand_in(claims)
    return [
        [name, f"{value.partition(' ')[0]} {token}"]
        if name.lower() == "authorization" and MASK in value
        else [name, value]
        for name, value in fields
    ]


def _stand_in(claims: dict[str, Any]) -> str:
    """A token without a signature of anyone's."""
    header = {name: claims[name] for name in ("alg", "kid", "typ") if name in claims}
    parts = [
        json.dumps(part).encode() for part in (header, {k: v for k, v in claims.items() if k not in header})
    ]
    length = (
        64
        if str(header.get("alg", "")).startswith("ES")
        else 32
        if str(header.get("alg", "")).startswith("HS")
        else 256
    )
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (*parts, b"0" * length))


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


def gently() -> None:
    """Begin a process that diagnoses: receiving goes before it. It stands here, as that process imports this alone."""
    os.nice(10)
