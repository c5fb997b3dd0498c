"""Which log lines count for a group of failures, and what the report says of the others.

Where lines of a log join an exchange (`joining.records_of`), those of the same log that are demonstrably about other
requests (another time, path or client) are set aside before any check reads them. A line that is about no request,
such as a key that could not be fetched at the start, stays. Where no exchange is at hand, the largest group of like
refusals is diagnosed, at equal size the most recent one, and the others are named.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from why401.evidence import REFUSALS, Evidence, Exchange, Record, Text
from why401.subjects import FEW, Group, route

if TYPE_CHECKING:
    from why401.joining import Refused

MOST_EXCHANGES = 20  #: of a group, that are looked for in logs
MOST_SHOWN = 5  #: lines, and groups of refusals, that a note shows
HISTORY = timedelta(minutes=15)  #: a ban (403) is explained by what its client did before
LONGEST = 160

Line = tuple[str, int | None]


def narrowed(group: Group) -> tuple[Group, tuple[str, ...]]:
    """The group with only the log lines that may be about it, and what the report should say of them."""
    evidence = group.evidence
    notes = tuple(_searched(evidence.texts))
    if not evidence.records:
        return group, notes
    if not evidence.exchanges:
        kept, said = _largest(evidence)
        return replace(group, evidence=kept), (*notes, *said)
    own = _own(group)
    foreign = {_line(r) for records in own.values() for r in _foreign(evidence, records, group.status)}
    belong = _belonging(evidence, [r for records in own.values() for r in records], len(foreign))
    return replace(group, evidence=_without(evidence, foreign)), (*notes, *belong)


def _searched(texts: Iterable[Text]) -> Iterator[str]:
    """How much was searched of logs that are too large to be read whole."""
    for text in texts:
        told = getattr(text.source, "told", "")
        if told:
            yield f"{text.source.name}: {told}"


# ------------------------------------------------------------------------------------- with an exchange


def _own(group: Group) -> dict[str, list[Record]]:
    """The lines that belong to the exchanges of the group, by log."""
    from why401.joining import records_of

    exchanges: Sequence[Exchange] = group.evidence.exchanges
    if len(exchanges) > FEW:
        numbers = set(group.subject.exchanges[:MOST_EXCHANGES])
        exchanges = [exchange for exchange in exchanges if exchange.number in numbers]
    found: dict[str, list[Record]] = defaultdict(list)
    for exchange in exchanges:
        for record in records_of(group.evidence, exchange):
            if record not in found[record.source.name]:
                found[record.source.name].append(record)
    return found


def _foreign(evidence: Evidence, own: Sequence[Record], status: int | None) -> Iterator[Record]:
    """The lines of the log of `own` that are about other requests."""
    name, held = own[0].source.name, {_line(record) for record in own}
    times = [record.time for record in own if record.time]
    for record in evidence.records:
        if record.source.name != name or _line(record) in held or not _of_request(record):
            continue
        if _away(record.time, times):
            if not (status == 403 and _history(record, own)):
                yield record
        elif _refuses(record) and _other(record, [one for one in own if one.hop == record.hop]):
            yield record


def _of_request(record: Record) -> bool:
    return bool(record.path or record.status or record.address) or _refuses(record)


def _refuses(record: Record) -> bool:
    from why401.joining import REFUSING

    return record.status in REFUSALS or (record.status is None and bool(REFUSING.search(record.message)))


def _away(time: datetime | None, times: Sequence[datetime]) -> bool:
    from why401.joining import WITHIN

    if time is None or not times:
        return False
    return all(_apart(time, one) > timedelta(seconds=WITHIN) for one in times)


def _apart(one: datetime, other: datetime) -> timedelta:
    return abs(one - other) if (one.tzinfo is None) == (other.tzinfo is None) else timedelta()


def _history(record: Record, own: Sequence[Record]) -> bool:
    """Whether the same client had it shortly before."""
    return any(
        record.address and record.address == one.address and _apart(record.time, one.time) <= HISTORY
        for one in own
        if record.time and one.time
    )


def _other(record: Record, own: Sequence[Record]) -> bool:
    """Whether path or client differ from those of every line of the same product."""
    from why401.joining import plain

    paths = {plain(one.path) for one in own if one.path}
    addresses = {one.address for one in own if one.address}
    elsewhere = bool(record.path and paths and plain(record.path) not in paths)
    return elsewhere or bool(record.address and addresses and record.address not in addresses)


def _belonging(evidence: Evidence, own: Sequence[Record], aside: int) -> Iterator[str]:
    logs = {text.source.name for text in evidence.texts if text.kind == "log"}
    shown = [record for record in own if record.source.name in logs]
    for record in sorted(shown, key=lambda r: not _refuses(r))[:MOST_SHOWN]:
        yield f"{record.source.name}:{record.source.line} belongs to the request: {_excerpt(record)}"
    if len(shown) > MOST_SHOWN:
        yield f"{len(shown) - MOST_SHOWN} more lines belong to the request."
    if aside:
        lines = "1 line" if aside == 1 else f"{aside} lines"
        yield f"{lines} about other requests (another time, path or client) did not count."


def _excerpt(record: Record) -> str:
    """The line without what stands after a question mark in a URL, which may be a credential."""
    text = re.sub(r"\?[^\s\"']+", "?…", " ".join(record.text.split()))
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


# ---------------------------------------------------------------------------------- without an exchange


def _largest(evidence: Evidence) -> tuple[Evidence, tuple[str, ...]]:
    """The evidence with the refusals of the largest group alone, and all groups in words."""
    from why401.joining import plain, refused_requests

    by_route: dict[tuple[str, int | None], list[Refused]] = defaultdict(list)
    for one in refused_requests(evidence):
        if one.route is not None and one.status is not None:
            by_route[one.route, one.status].append(one)
    if len(by_route) < 2:
        return evidence, ()
    # A proxy and the application behind it log the same requests: the larger count is theirs.
    merged = [max(found, key=lambda one: one.count) for found in by_route.values()]
    merged.sort(key=lambda one: (-one.count, -one.last.timestamp() if one.last else 0.0))
    first = merged[0]
    foreign = {
        _line(record)
        for record in evidence.records
        if record.path and _refuses(record) and route(plain(record.path)) != first.route
    }
    said = [f"The log refuses {len(merged)} kinds of requests; diagnosed is the first of these:"]
    said += [f"  {_group(one)}" for one in merged[:MOST_SHOWN]]
    if len(merged) > MOST_SHOWN:
        said.append(f"  and {len(merged) - MOST_SHOWN} more")
    return _without(evidence, foreign), tuple(said)


def _group(one: Refused) -> str:
    count = "once" if one.count == 1 else f"{one.count} times"
    span = ""
    if one.first and one.last:
        span = (
            f", at {one.first:%Y-%m-%d %H:%M:%S}"
            if one.first == one.last
            else f", first {one.first:%Y-%m-%d %H:%M:%S}, last {one.last:%Y-%m-%d %H:%M:%S}"
        )
    source = one.record.source
    return f"{one.status} for {one.route} {count}{span} ({source.name}:{source.line})"


# ------------------------------------------------------------------------------------------------ both


def _line(record: Record) -> Line:
    return record.source.name, record.source.line


def _without(evidence: Evidence, foreign: set[Line]) -> Evidence:
    """The evidence without these lines; the lines that stay keep their numbers."""
    if not foreign:
        return evidence
    kept = tuple(record for record in evidence.records if _line(record) not in foreign)
    said = {
        name: tuple(
            item
            for item in getattr(evidence, name)
            if item.exchange is not None or (item.source.name, item.source.line) not in foreign
        )
        for name in ("offers", "demands", "changes", "answers")
    }
    names = {name for name, _ in foreign}
    texts = tuple(_blanked(text, foreign) if text.source.name in names else text for text in evidence.texts)
    return replace(evidence, records=kept, texts=texts, **said)


def _blanked(text: Text, foreign: set[Line]) -> Text:
    """The text with the lines emptied, and the indented ones after each (a traceback)."""
    lines, start, within = text.content.split("\n"), text.source.line or 1, False
    for number, line in enumerate(lines):
        within = _at(text, start + number) in foreign or (within and line[:1] in (" ", "\t"))
        if within:
            lines[number] = ""
    return replace(text, content="\n".join(lines))


def _at(text: Text, line: int) -> Line:
    return text.source.name, text.source.at(line).line


__all__ = ["narrowed"]
