"""Joins a request in one input with its response in another.

People put a request in one file and the response in the next. A lone response belongs to the lone request
before it (or, where there is none, after it); several responses after one request belong each to that request,
which was then sent several times. What one input tells as a whole is never taken apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from why401.evidence import Evidence, Exchange

_PARTS = ("offers", "demands", "changes", "answers")


def pair(evidence: Evidence) -> Evidence:
    """The evidence with lone requests and lone responses of different inputs joined, numbered anew."""
    partners = _partners(evidence.exchanges)
    if not partners:
        return evidence
    used = set(partners.values())
    numbers: dict[int, list[int]] = {}  # of each exchange, those that it became
    joined: list[Exchange] = []
    for exchange in evidence.exchanges:
        if exchange.number in used:
            continue
        number = len(joined) + 1
        numbers.setdefault(exchange.number, []).append(number)
        partner = partners.get(exchange.number)
        if partner is None:
            joined.append(replace(exchange, number=number))
            continue
        request = evidence.exchanges[_index(evidence.exchanges, partner)]
        numbers.setdefault(partner, []).append(number)
        joined.append(_joined(request, exchange, number))
    moved = {part: tuple(_moved(getattr(evidence, part), numbers)) for part in _PARTS}
    return replace(evidence, exchanges=tuple(joined), **moved)


def _index(exchanges: tuple[Exchange, ...], number: int) -> int:
    return next(i for i, x in enumerate(exchanges) if x.number == number)


def _partners(exchanges: tuple[Exchange, ...]) -> dict[int, int]:
    """For each lone response the number of its request."""
    requests = [x for x in exchanges if x.response is None and (x.request.method or x.request.url)]
    responses = [x for x in exchanges if x.response is not None and _alone(x)]
    out: dict[int, int] = {}
    for response in responses:
        found = _best(response, [r for r in requests if r.source.name != response.source.name])
        if found is not None:
            out[response.number] = found.number
    return out


def _alone(exchange: Exchange) -> bool:
    return (
        exchange.request.method is None and exchange.request.url is None and not len(exchange.request.fields)
    )


def _best(response: Exchange, requests: list[Exchange]) -> Exchange | None:
    """By the rest of the name (`request-app`, `response-app`), else the last one before, else the next."""
    words = _words(response.source.name)
    same = [r for r in requests if words and words & _words(r.source.name)]
    pool = same or requests
    before = [r for r in pool if r.number < response.number]
    return before[-1] if before else pool[0] if pool else None


def _words(name: str) -> set[str]:
    """The words of a file's name that tell one case from another."""
    stem = re.split(r"[/\\]", name)[-1].rpartition(".")[0].lower()
    return {w for w in re.split(r"[^a-z0-9]+", stem) if w} - {
        "request",
        "response",
        "req",
        "res",
        "resp",
        "curl",
    }


def _joined(request: Exchange, response: Exchange, number: int) -> Exchange:
    return replace(
        response,
        number=number,
        request=request.request,
        client=request.client,
        label=response.label or request.label,
        time=response.time or request.time,
    )


def _moved(items: Iterable[Any], numbers: dict[int, list[int]]) -> Iterable[Any]:
    """Each piece with the number of the exchange it belongs to now; one copy for each."""
    for item in items:
        if item.exchange is None:
            yield item
            continue
        for number in numbers.get(item.exchange, ()):
            yield replace(item, exchange=number)


def settle(evidence: Evidence) -> Evidence:
    """Last step of reading: joins lone messages, and drops tokens of unknown place that are offered in a request."""
    evidence = pair(evidence)
    placed = {o.value for o in evidence.offers if o.place != "unknown" and o.value is not None}
    offers = tuple(o for o in evidence.offers if o.place != "unknown" or o.value not in placed)
    return replace(evidence, offers=offers) if len(offers) < len(evidence.offers) else evidence
