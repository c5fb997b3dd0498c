"""How a project does: events over time, and what notifiers count of every route (Airbrake's routes, OTLP's spans)."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Integer, func, select

from why401.monitor import schema

m, g, r = schema.minutes, schema.groups, schema.requests
DAY = 86400.0
#: Seconds of the spans that a page can show, and the seconds of one bar.
SPANS = {
    "hour": (3600.0, 60),
    "day": (DAY, 1800),
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
    slowest: list[tuple[float, int]] = field(default_factory=list, repr=False)

    def add(self, status: int, count: int, milliseconds: float, digest: bytes | None, target: float) -> None:
        self.count += count
        self.milliseconds += milliseconds
        self.unauthorized += count * (status == 401)
        self.refused += count * (status in (401, 403, 407))
        self.failed += count * (status >= 500)
        centroids = json.loads(digest) if digest else [(milliseconds / count if count else 0.0, count)]
        self.slowest += [(float(mean), int(number)) for mean, number in centroids]
        if status < 500:
            self.satisfied += sum(
                n * (1.0 if x <= target else 0.5 if x <= 4 * target else 0.0) for x, n in centroids
            )

    @property
    def apdex(self) -> float | None:
        """From 0 to 1 (apdex.org); None where nothing was counted."""
        return min(1.0, self.satisfied / self.count) if self.count else None

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
    seconds, step = SPANS[span]
    now = time.time() if now is None else now
    first = int((now - seconds) // step + 1)
    times = [bar * step for bar in range(first, int(now // step) + 1)]
    found = {project: [0] * len(times) for project in projects}
    bar = (m.c.minute * 60) / step
    bar = func.floor(bar)
    query = (
        select(m.c.project_id, bar, func.sum(m.c.events))
        .where(m.c.project_id.in_(found), m.c.minute >= first * step // 60)
        .group_by(m.c.project_id, bar)
    )
    if group is not None:
        query = query.where(m.c.group_id == group)
    for project, at, number in connection.execute(query):
        if 0 <= int(at) - first < len(times):
            found[project][int(at) - first] += int(number)
    return {project: (times, bars) for project, bars in found.items()}


def requests_by_project(
    connection: Connection, projects: Iterable[int], seconds: float, now: float | None = None
) -> dict[int, Requests]:
    """Of the last `seconds`."""
    since = int(((time.time() if now is None else now) - seconds) // 60)
    found = {project: Requests() for project in projects}
    query = (
        select(r.c.project_id, r.c.status, r.c.count, r.c.sum, r.c.digest)
        .where(r.c.project_id.in_(found), r.c.minute >= since)
    )  # fmt: skip
    targets = {project: target(connection, project) for project in found}
    for project, status, count, total, digest in connection.execute(query):
        found[project].add(status, count, total, digest, targets[project])
    return found


def routes(
    connection: Connection, project: int, seconds: float, target: float = SATISFIED
) -> list[dict[str, Any]]:
    """What each route answered, those with the most 401s first."""
    since = int((time.time() - seconds) // 60)
    found: dict[tuple[str, str], Requests] = defaultdict(Requests)
    query = select(r).where(r.c.project_id == project, r.c.minute >= since)
    for row in connection.execute(query):
        found[row.method, row.route].add(row.status, row._mapping["count"], row.sum, row.digest, target)
    ordered = sorted(found.items(), key=lambda item: (-item[1].unauthorized, -item[1].count))
    return [
        {"method": method, "route": route, "count": one.count, "refused": one.refused, "ratio": one.ratio,
         "failed": one.failed, "mean": one.mean, "p95": one.quantile(0.95), "apdex": one.apdex}
        for (method, route), one in ordered[:200]
    ]  # fmt: skip


def ratio_over_time(connection: Connection, project: int, span: str) -> tuple[list[int], list[float | None]]:
    """(times of the bars, part of the requests that 401 answered in each; None where there were none)."""
    seconds, step = SPANS[span]
    now = time.time()
    first = int((now - seconds) // step + 1)
    times = [bar * step for bar in range(first, int(now // step) + 1)]
    asked, refused = [0] * len(times), [0] * len(times)
    query = select(r.c.minute, r.c.status, func.sum(r.c.count)).where(
        r.c.project_id == project, r.c.minute >= first * step // 60
    )
    for minute, status, number in connection.execute(query.group_by(r.c.minute, r.c.status)):
        at = int(minute * 60 // step) - first
        if 0 <= at < len(times):
            asked[at] += int(number)
            refused[at] += int(number) * (status == 401)
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
