"""Groups of like failures: one diagnosis each.

A HAR or a log can hold several unlike failures. Failures are alike when host, route template, status and
scheme of the credential are. Everything else that is known (successes, texts, settings) belongs to each group,
since contrasts are read between them. A few exchanges pasted together are one story and stay one group.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from dataclasses import dataclass

from why401.evidence import Evidence, Exchange
from why401.prefilter import lazy
from why401.report import Subject

FEW = 8  #: up to this many exchanges are taken as one story
MOST_GROUPS = 20

_VARIABLE = lazy(r"(?i)^(?:\d+|[0-9a-f]{8,}|[0-9a-f-]{32,}|[\w-]{24,})$")


@dataclass(frozen=True)
class Group:
    """Like failures, and the evidence by which they are diagnosed."""

    subject: Subject
    status: int | None
    evidence: Evidence


def route(path: str) -> str:
    """The path with its variable segments (numbers, ids) as `{}`."""
    return "/".join("{}" if _VARIABLE.match(part) else part for part in path.split("/"))


def groups(evidence: Evidence, *, split: bool = True) -> list[Group]:
    """The groups of like failures in the evidence; one group of everything where nothing was refused."""
    refused = evidence.refused
    if not split or len(evidence.exchanges) <= FEW or not refused:
        return [_group(evidence, refused or evidence.exchanges[-1:])]
    alike: dict[tuple[object, ...], list[Exchange]] = defaultdict(list)
    for exchange in refused:
        alike[_key(exchange)].append(exchange)
    largest_first = sorted(alike.values(), key=len, reverse=True)[:MOST_GROUPS]
    return [_group(_only(evidence, members), tuple(members)) for members in largest_first]


def _key(exchange: Exchange) -> tuple[object, ...]:
    request = exchange.request
    scheme = (request.fields.get("authorization") or "").partition(" ")[0].lower()
    return request.host, route(request.path), exchange.status, scheme, request.method == "OPTIONS"


def _only(evidence: Evidence, members: list[Exchange]) -> Evidence:
    """The evidence without the other groups' failures, and of the rest only what shares a host with this one."""
    hosts = {exchange.request.host for exchange in members}
    kept = {exchange.number for exchange in members[:20]}
    exchanges = tuple(
        x for x in evidence.exchanges if x.number in kept or (not x.refused and x.request.host in hosts)
    )
    numbers = {exchange.number for exchange in exchanges}

    def of_kept(items: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(i for i in items if getattr(i, "exchange", None) in numbers | {None})

    parts = {name: of_kept(getattr(evidence, name)) for name in ("offers", "demands", "changes", "answers")}
    return dataclasses.replace(evidence, exchanges=exchanges, **parts)  # type: ignore[arg-type]


def _group(evidence: Evidence, members: tuple[Exchange, ...]) -> Group:
    last = members[-1] if members else None
    subject = Subject(
        last.request.host if last else None,
        route(last.request.path) if last else None,
        tuple(exchange.number for exchange in members),
    )
    return Group(subject, last.status if last else None, evidence)
