"""How a project does: events over time, and what notifiers count of every route (Airbrake's routes, OTLP's spans)."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Integer, Table, func, select

from why401.monitor import schema

m, g, r, h = schema.minutes, schema.groups, schema.requests, schema.hours
DAY = 86400.0
#: Seconds of the spans that a page can show, and the seconds of one bar.
SPANS = {
    "hour": (3600.0, 60),
    "day": (DAY, 3600),
    "week": (7 * DAY, 3 * 3600),
    "month": (30 * DAY, 12 * 3600),
}
SATISFIED = 500.0  #: milliseconds (Apdex's T); up to four times as long is tolerated


@dataclass
class Requests:
    """Requests that were counted, by what they were answered with."""

    count: int = 0
    refused: int = 0  # 401, 403, 407
    unauthorized: int = 0  # 401
    failed: int = 0  # 500 and above
    milliseconds: float = 0.0  # of all together
    satisfied: float = 0.0  # a tolerated one counts half (Apdex)
    shaped: float = 0.0  # requests of which it is known how long they took
    slowest: list[tuple[float, float]] = field(default_factory=list, repr=False)

    def add(self, status: int, count: int, milliseconds: float) -> None:
        self.count += count
        self.milliseconds += milliseconds
        self.unauthorized += count * (status == 401)
        self.refused += count * (status in (401, 403, 407))
        self.failed += count * (status >= 500)

    def shape(self, status: int, centroids: Iterable[tuple[float, float]], target: float) -> None:
        """How long requests took, as (milliseconds, requests)."""
        for mean, number in centroids:
            self.shaped += number
            self.slowest.append((mean, number))
            if status < 500 and mean <= 4 * target:
                self.satisfied += number if mean <= target else number / 2

    @property
    def apdex(self) -> float | None:
        """From 0 to 1 (apdex.org); None where nothing was counted."""
        return min(1.0, self.satisfied / self.shaped) if self.shaped else None

    @property
    def ratio(self) -> float | None:
        """The part that was answered with 401."""
        return self.unauthorized / self.count if self.count else None

    @property
    def mean(self) -> float | None:
        """Milliseconds."""
        return self.milliseconds / self.count if self.count else None

    def quantile(self, part: float) -> float | None:
        """Milliseconds under which this part of the requests stayed, by the centroids that were sent."""
        left = part * sum(number for _, number in self.slowest)
        for mean, number in sorted(self.slowest):
            left -= number
            if left <= 0:
                return mean
        return None


def target(connection: Connection, project: int) -> float:
    """Apdex's T of a project, in milliseconds."""
    options = connection.scalar(select(schema.projects.c.options).where(schema.projects.c.id == project))
    return float(json.loads(options or "{}").get("apdex") or SATISFIED)


def events_over_time(
    connection: Connection,
    projects: Iterable[int],
    span: str,
    group: int | None = None,
    now: float | None = None,
) -> dict[int, tuple[list[int], list[int]]]:
    """For each project (times of the bars in seconds since 1970, events in each), the oldest first."""
    times, step = _bars(span, now)
    found = {project: [0] * len(times) for project in projects}
    of = [group] if group is not None else [-project for project in found]
    bar = func.floor((m.c.minute * 60) / step)
    query = (
        select(m.c.project_id, bar, func.sum(m.c.events))
        .where(m.c.group_id.in_(of), m.c.minute >= times[0] // 60)
        .group_by(m.c.project_id, bar)
    )
    for project, at, number in connection.execute(query):
        place = int(at) - times[0] // step
        if project in found and 0 <= place < len(times):
            found[project][place] += int(number)
    return {project: (times, bars) for project, bars in found.items()}


def _bars(span: str, now: float | None = None) -> tuple[list[int], int]:
    """(times at which the bars of a span begin, seconds of each)."""
    seconds, step = SPANS[span]
    now = time.time() if now is None else now
    first = int((now - seconds) // step + 1)
    return [bar * step for bar in range(first, int(now // step) + 1)], step


#: Of the tables that count requests: the column of the time, and its seconds.
_UNIT = {"requests": "minute", "hours": "hour"}
_SECONDS = {"requests": 60, "hours": 3600}
DIGESTS = 48  #: digests of a route that are read at most


def _counts(since: float) -> tuple[Table, int]:
    """(the table from which what was counted since a time is read in few rows, the first unit of its time)."""
    table = h if time.time() - since > 2 * 3600 else r
    return table, int(since // _SECONDS[table.name])


def requests_by_project(
    connection: Connection, projects: Iterable[int], seconds: float, now: float | None = None
) -> dict[int, Requests]:
    """Of the last `seconds`."""
    now = time.time() if now is None else now
    found = {project: Requests() for project in projects}
    targets = {project: target(connection, project) for project in found}
    table, first = _counts(now - seconds)
    at = (table.c.project_id.in_(found), table.c[_UNIT[table.name]] <= int(now // _SECONDS[table.name]))
    _add(connection, table, (table.c.project_id,), first, at, found, lambda project: targets[project])
    return found


def routes(
    connection: Connection, project: int, seconds: float, target: float = SATISFIED
) -> list[dict[str, Any]]:
    """What each route answered, those with the most 401s first."""
    found: dict[tuple[str, str], Requests] = defaultdict(Requests)
    table, first = _counts(time.time() - seconds)
    by = (table.c.method, table.c.route)
    _add(connection, table, by, first, (table.c.project_id == project,), found, lambda _: target)
    ordered = sorted(found.items(), key=lambda item: (-item[1].unauthorized, -item[1].count))
    return [
        {"method": method, "route": route, "count": one.count, "refused": one.refused, "ratio": one.ratio,
         "failed": one.failed, "mean": one.mean, "p95": one.quantile(0.95), "apdex": one.apdex}
        for (method, route), one in ordered[:200]
    ]  # fmt: skip


def _add(
    connection: Connection, table: Table, by: tuple[Any, ...], first: int, conditions: tuple[Any, ...],
    found: dict[Any, Requests], target: Callable[[Any], float],
) -> None:  # fmt: skip
    """Add up by `by` what was counted from the unit `first` on. Of long spans, not each digest is read."""
    c, unit = table.c, table.c[_UNIT[table.name]]
    since = (*conditions, unit >= first)
    sums = select(*by, c.status, c.digest.is_(None), func.sum(c["count"]), func.sum(c["sum"]))
    for *key, status, bare, count, total in connection.execute(
        sums.where(*since).group_by(*by, c.status, c.digest.is_(None))
    ):
        one = found[tuple(key) if len(key) > 1 else key[0]]
        one.add(status, int(count), total)
        if bare and count:
            one.shape(status, [(total / int(count), int(count))], target(key[0]))
    every = max(1, (int(time.time() // _SECONDS[table.name]) - first) // DIGESTS)
    digests = select(*by, c.status, c.digest).where(*since, c.digest.is_not(None), unit % every == 0)
    for *key, status, digest in connection.execute(digests):
        centroids = ((float(mean), float(number) * every) for mean, number in json.loads(digest))
        found[tuple(key) if len(key) > 1 else key[0]].shape(status, centroids, target(key[0]))


def ratio_over_time(connection: Connection, project: int, span: str) -> tuple[list[int], list[float | None]]:
    """(times of the bars, part of the requests that 401 answered in each; None where there were none)."""
    times, step = _bars(span)
    table, first = _counts(times[0])
    at, unit = table.c[_UNIT[table.name]], _SECONDS[table.name]
    asked, refused = [0] * len(times), [0] * len(times)
    query = select(at, table.c.status, func.sum(table.c["count"])).where(
        table.c.project_id == project, at >= first
    )
    for moment, status, number in connection.execute(query.group_by(at, table.c.status)):
        place = int(moment) * unit // step - times[0] // step
        if 0 <= place < len(times):
            asked[place] += int(number)
            refused[place] += int(number) * (status == 401)
    return times, [b / a if a else None for a, b in zip(asked, refused, strict=True)]


def states(
    connection: Connection, projects: Iterable[int], now: float | None = None
) -> dict[int, dict[str, int]]:
    """Of each project: groups that are open, of those the regressed ones, those of refusals, and those first seen
    within a day."""
    now = time.time() if now is None else now
    found = {project: {"open": 0, "regressed": 0, "new": 0, "refusals": 0} for project in projects}
    fresh = func.sum((g.c.first_seen >= now - DAY).cast(Integer))
    query = select(g.c.project_id, g.c.state, g.c.status.is_not(None), func.count(), fresh).where(
        g.c.project_id.in_(found), g.c.merged_into.is_(None), g.c.state.in_(("unresolved", "regressed"))
    )
    for project, state, refusal, number, new in connection.execute(
        query.group_by(g.c.project_id, g.c.state, g.c.status.is_not(None))
    ):
        held = found[project]
        held["open"] += number
        held["new"] += int(new or 0)
        held["regressed"] += number if state == "regressed" else 0
        held["refusals"] += number if refusal else 0
    return found


def deploys(connection: Connection, project: int, seconds: float) -> list[dict[str, Any]]:
    """Versions that were put into service, the newest first."""
    d = schema.deploys
    rows = connection.execute(
        select(d)
        .where(d.c.project_id == project, d.c.time >= time.time() - seconds)
        .order_by(d.c.time.desc())
        .limit(50)
    )
    return [{"time": row.time, "version": row.version or row.revision[:12] or "deploy",
             "environment": row.environment, "user": row.user} for row in rows]  # fmt: skip
