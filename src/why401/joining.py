"""Which log lines belong to an exchange, and what a log refuses where there is no exchange.

A line belongs to an exchange by an id that both carry (X-Request-ID, W3C Trace Context), else by path, method,
status and user agent together with the time. A log whose times name no zone is in local time or in UTC: taken is
the one offset (a multiple of 15 minutes, as all zones of the tz database since 1972 have) under which most
exchanges coincide with lines that fit them. Where two offsets do equally well, nothing is said.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import pairwise
from urllib.parse import unquote, urlsplit

from why401.evidence import REFUSALS, Evidence, Exchange, Record
from why401.prefilter import lazy
from why401.readers import log_times
from why401.subjects import route

WITHIN = 5.0  #: seconds; a log tells the end of a request, a HAR its beginning, both cut to a second
EARLIEST, LATEST = timedelta(hours=-12), timedelta(hours=14)  #: zones of the tz database
QUARTER = timedelta(minutes=15)
MOST_RECORDS = 200  #: of one exchange

#: Fields that name one request from end to end.
IDS = (
    "x-request-id", "x-correlation-id", "x-trace-id", "traceparent", "x-amzn-trace-id", "x-amzn-requestid",
    "x-b3-traceid", "cf-ray", "request-id", "x-ms-request-id", "x-github-request-id",
)  # fmt: skip
SHORTEST_ID = 8
#: Words by which a line of an error log tells a refusal without its status.
REFUSING = lazy(
    r"(?i)password mismatch|was not found in \"|no user/password was provided|authentication fail|authorization fail"
    r"|client denied by server|access forbidden by rule|wrong authentication scheme|\bunauthori[sz]ed\b|unauthenticated"
    r"|unable to authenticate|AH01(?:617|618|614|629|630|631|776|79\d)\b|\[AuthFailure\]|\bFilter chain halted"
    r"|error authorizing context|authentication credentials were not provided"
)


@dataclass(frozen=True, slots=True)
class Refused:
    """Like refusals in a log: how many, when first and last, and the first record as an example."""

    route: str | None
    status: int | None
    hop: str | None
    count: int
    first: datetime | None
    last: datetime | None
    record: Record


def records_of(evidence: Evidence, exchange: Exchange, within: float = WITHIN) -> tuple[Record, ...]:
    """The log lines that belong to the exchange, in the order of the evidence; none where that is not clear."""
    named = _by_id(evidence.records, exchange)
    if named:
        return named
    span = timedelta(seconds=within)
    files: dict[str, list[Record]] = defaultdict(list)
    for record in evidence.records:
        files[record.source.name].append(record)
    found: list[Record] = []
    for records in files.values():
        found += _of_file(records, exchange, evidence.exchanges, span)
    return tuple(found[:MOST_RECORDS])


def _by_id(records: Sequence[Record], exchange: Exchange) -> tuple[Record, ...]:
    ids = set(_ids(exchange))
    return tuple(r for r in records if any(name in r.text for name in ids))[:MOST_RECORDS] if ids else ()


def _ids(exchange: Exchange) -> Iterator[str]:
    for message in (exchange.request, exchange.response):
        for name in IDS if message is not None else ():
            for value in message.fields.all(name) if message is not None else ():
                value = (
                    value.split("-")[1] if name == "traceparent" and value.count("-") >= 3 else value.strip()
                )
                if len(value) >= SHORTEST_ID and set(value) - {"0", "-"}:
                    yield value


def _of_file(
    records: list[Record], exchange: Exchange, exchanges: Sequence[Exchange], span: timedelta
) -> list[Record]:
    """The records of one log that belong to the exchange."""
    moment = moment_of(exchange)
    fitting = [record for record in records if fits(record, exchange)]
    if moment is None:
        return fitting if _one_request(fitting, span) else []
    offset = _offset(records, exchanges, span)
    if offset is None:
        return []
    own = [r for r in fitting if (t := _time(r, moment)) and abs(t - offset - moment) <= span]
    addresses = {r.address for r in own if r.address}
    beside = [
        r
        for r in records
        if r.path is None and r.status is None and (r.address in addresses if r.address else False)
        if (t := _time(r, moment)) and abs(t - offset - moment) <= span
    ]
    return [r for r in records if r in own or r in beside] if own else []


def moment_of(exchange: Exchange) -> datetime | None:
    """When the exchange was, with its zone: its own time, else the Date field of the response (RFC 9110, 6.6.1)."""
    time = exchange.time
    if time is None and exchange.response is not None:
        try:
            time = parsedate_to_datetime(exchange.response.fields.get("date") or "")
        except ValueError:
            return None
    return time.replace(tzinfo=UTC) if time is not None and time.tzinfo is None else time


def fits(record: Record, exchange: Exchange) -> bool:
    """Whether path, method, status and user agent do not speak against it; the path has to be known."""
    request = exchange.request
    if record.path is None or plain(record.path) != plain(request.url or request.path):
        return False
    agent = request.fields.get("user-agent")
    return (
        (record.method is None or request.method is None or record.method.upper() == request.method.upper())
        and (record.status is None or exchange.status is None or record.status == exchange.status)
        and (record.agent is None or agent is None or record.agent.replace(" ", "") == agent.replace(" ", ""))
    )


def plain(target: str) -> str:
    """The path of a target without query, host, percent-encoding and case."""
    try:
        path = urlsplit(target if "://" in target else target.partition("?")[0]).path
    except ValueError:
        path = target
    return unquote(path).casefold().rstrip("/") or "/"


def _time(record: Record, moment: datetime) -> datetime | None:
    """The time of a record; one that has no year (syslog) is taken in that of the exchange."""
    if record.time is not None:
        return record.time
    return log_times.of_year(record.text.rpartition("| ")[2], moment.year)


def _one_request(records: Sequence[Record], span: timedelta) -> bool:
    times = [record.time for record in records if record.time]
    return bool(times) and len(times) == len(records) and max(times) - min(times) <= span


def _offset(records: list[Record], exchanges: Iterable[Exchange], span: timedelta) -> timedelta | None:
    """How far the log's times are before UTC; None where several answers are as good."""
    if any(record.time and log_times.zoned(record.text) for record in records[:20]):
        return timedelta()
    votes: Counter[timedelta] = Counter()
    for exchange in exchanges:
        moment = moment_of(exchange)
        if moment is not None:
            votes.update(_offsets(records, exchange, moment, span))
    best = votes.most_common(2)
    return best[0][0] if best and (len(best) == 1 or best[0][1] > best[1][1]) else None


def _offsets(records: list[Record], exchange: Exchange, moment: datetime, span: timedelta) -> set[timedelta]:
    found = set()
    for record in records:
        if (time := _time(record, moment)) and fits(record, exchange):
            away = time - moment
            offset = round(away / QUARTER) * QUARTER
            if EARLIEST <= offset <= LATEST and abs(away - offset) <= span:
                found.add(offset)
    return found


def refused_requests(evidence: Evidence) -> tuple[Refused, ...]:
    """Groups of like refusals in the logs (route, status, product), the most frequent first.

    The steps of a handshake are none: a 401 that the same client follows up at once for the same path.
    """
    groups: dict[tuple[str | None, int | None, str | None], list[Record]] = defaultdict(list)
    for record in settled(evidence.records):
        if record.status in REFUSALS or (record.status is None and REFUSING.search(record.message)):
            key = route(plain(record.path)) if record.path else None
            groups[key, record.status, record.hop].append(record)
    found = [_group(*key, members) for key, members in groups.items()]
    return tuple(sorted(found, key=lambda group: -group.count))


def _group(path: str | None, status: int | None, hop: str | None, records: list[Record]) -> Refused:
    times = sorted(record.time for record in records if record.time)
    first, last = (times[0], times[-1]) if times else (None, None)
    return Refused(path, status, hop, len(records), first, last, records[0])


def settled(records: Sequence[Record], within: float = WITHIN) -> tuple[Record, ...]:
    """The records without the 401s that only asked: of a handshake (Negotiate, NTLM, Digest) the last one counts.

    Such a 401 is without a user, and the next line of the same client, method and path follows within seconds
    and is a success, or a later step by IIS's own account (sc-win32-status 2148074254 or a user).
    """
    asked: set[int] = set()
    by_client: dict[tuple[str, str | None, str | None, str], list[int]] = defaultdict(list)
    for number, record in enumerate(records):
        if record.status is not None and record.address:
            by_client[record.address, record.method, record.path, record.source.name].append(number)
    for numbers in by_client.values():
        asked |= {a for a, b in pairwise(numbers) if _answered(records[a], records[b], within)}
    return tuple(record for number, record in enumerate(records) if number not in asked)


def _answered(first: Record, then: Record, within: float) -> bool:
    if first.status != 401 or first.user or first.time is None or then.time is None:
        return False
    if not timedelta() <= then.time - first.time <= timedelta(seconds=within):
        return False
    handshake = first.hop == "IIS" and ("401.2" in first.message or "2148074254" in first.message)
    return (then.status or 0) < 400 or (handshake and then.status == 401)


__all__ = ["Refused", "fits", "moment_of", "plain", "records_of", "refused_requests", "settled"]
