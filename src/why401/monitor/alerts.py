"""When people are told: rules over what is stored, looked at every few seconds by one node."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import Connection, func, select

from why401.monitor import ids, schema
from why401.monitor.projects import Unknown

a, g, m, e, r, n, c = (schema.alerts, schema.groups, schema.minutes, schema.events, schema.requests, schema.notices,
                       schema.checks)  # fmt: skip
t = schema.credentials
HOUR, DAY = 3600.0, 86400.0
Kind = Literal["new", "regressed", "rate", "ratio", "account", "everyone", "silent", "down", "expiring"]
#: What each kind of alert is about, as the page says it.
KINDS: dict[str, str] = {
    "new": "a group is first seen",
    "regressed": "a resolved group happens again",
    "rate": "more events than usual (“times” the mean of the last day, “least” or more, within “minutes”)",
    "ratio": "a route answers 401 to the part “ratio” of “least” or more requests within “minutes”",
    "account": "one user or service account is refused “least” times or more within “minutes”",
    "everyone": "all routes together answer 401 to the part “ratio” of “least” or more requests within “minutes”",
    "silent": "nothing is reported for “minutes”, after something was within the day before",
    "down": "an address of the uptime checks fails",
    "expiring": "a certificate of the uptime checks, or a token that was seen and lasts for days, ends within “days”",
}


class Alert(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One rule. Fields that its kind does not name are not used."""

    kind: Kind
    refusals: bool = False  # new, regressed: only groups of refused requests
    minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)] = 10
    least: Annotated[int, msgspec.Meta(ge=1, le=10**9)] = 20
    times: Annotated[float, msgspec.Meta(ge=1, le=10**6)] = 5.0
    ratio: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.2
    days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 14


@dataclass(frozen=True)
class Noticed:
    """Something to tell. `key`: told once for each."""

    key: str
    title: str
    text: str
    path: str


def add(connection: Connection, project: int, alert: Alert) -> int:
    row = {"project_id": project, "rule": msgspec.json.encode(alert).decode(), "created": time.time()}
    identity: int = connection.execute(a.insert().values(row).returning(a.c.id)).scalar_one()
    return identity


def remove(connection: Connection, project: int, identity: int) -> None:
    """Raises Unknown."""
    if not connection.execute(a.delete().where(a.c.id == identity, a.c.project_id == project)).rowcount:
        raise Unknown(f"There is no alert {identity} in this project.")


def listed(connection: Connection, project: int) -> list[dict[str, Any]]:
    rows = connection.execute(select(a).where(a.c.project_id == project).order_by(a.c.id))
    return [{"id": row.id, "created": row.created, "rule": msgspec.json.decode(row.rule)} for row in rows]


def look(connection: Connection, now: float | None = None) -> list[tuple[int, int, Noticed]]:
    """All that is to be told now: (project, alert, what)."""
    now = time.time() if now is None else now
    return [
        (row.project_id, row.id, found)
        for row in connection.execute(select(a)).all()
        for alert in [msgspec.json.decode(row.rule, type=Alert)]
        for found in _LOOKS[alert.kind](connection, row.project_id, alert, row.created, now)
    ]


def note(connection: Connection, insert: Callable[[Any], Any], found: list[tuple[int, int, Noticed]]) -> int:
    """Keep what was not noticed before; how many that were."""
    written = 0
    for project, alert, one in found:
        row = {"id": ids.new(), "project_id": project, "alert_id": alert, "key": one.key[:200], "time": time.time(),
               "title": one.title[:400], "text": one.text, "path": one.path}  # fmt: skip
        written += connection.execute(insert(n).values(row).on_conflict_do_nothing()).rowcount
    return written


def _groups(connection: Connection, project: int, alert: Alert, *conditions: Any) -> Iterator[Any]:
    query = select(g).where(g.c.project_id == project, g.c.merged_into.is_(None), *conditions)
    if alert.refusals:
        query = query.where(g.c.status.is_not(None))
    yield from connection.execute(query.order_by(g.c.id.desc()).limit(100))


def _described(row: Any) -> str:
    parts = [row.title, row.culprit, f"Cause: {row.cause}" if row.cause else ""]
    return "\n".join(part for part in parts if part)


def _new(connection: Connection, project: int, alert: Alert, since: float, now: float) -> Iterator[Noticed]:
    fresh = (g.c.first_seen >= max(since, now - HOUR), g.c.state == "unresolved")
    for row in _groups(connection, project, alert, *fresh):
        if row.status is not None and not row.cause and now - row.first_seen < 5:
            continue  # its diagnosis is on its way, and belongs into the notice
        yield Noticed(
            f"{row.id}", f"New: {row.title}", _described(row), f"/projects/{project}/groups/{row.id}"
        )


def _regressed(
    connection: Connection, project: int, alert: Alert, since: float, now: float
) -> Iterator[Noticed]:
    changed = (g.c.state == "regressed", g.c.state_changed >= max(since, now - HOUR))
    for row in _groups(connection, project, alert, *changed):
        where = f"/projects/{project}/groups/{row.id}"
        yield Noticed(f"{row.id}@{row.state_changed}", f"Again: {row.title}", _described(row), where)


def _rate(connection: Connection, project: int, alert: Alert, since: float, now: float) -> Iterator[Noticed]:
    del since

    def events(first: float, last: float) -> int:
        span = (m.c.minute >= int(first // 60), m.c.minute < int(last // 60) + 1)
        return int(
            connection.scalar(select(func.sum(m.c.events)).where(m.c.group_id == -project, *span)) or 0
        )

    start = now - 60 * alert.minutes
    lately = events(start, now)
    usual = events(now - DAY, start - 60) / DAY * 60 * alert.minutes
    if lately >= alert.least and lately >= alert.times * usual:
        says = f"{lately} events in {alert.minutes} minutes; {usual:.1f} are usual."
        yield Noticed(f"{int(now // HOUR)}", "More events than usual", says, f"/projects/{project}")


def _asked(connection: Connection, project: int, alert: Alert, now: float) -> dict[str, tuple[int, int]]:
    """Route → (requests, those that 401 answered)."""
    first = int((now - 60 * alert.minutes) // 60)
    query = select(r.c.method, r.c.route, r.c.status, func.sum(r.c.count)).where(
        r.c.project_id == project, r.c.minute >= first
    )
    found: dict[str, tuple[int, int]] = {}
    for method, route, status, count in connection.execute(query.group_by(r.c.method, r.c.route, r.c.status)):
        requests, refused = found.get(f"{method} {route}", (0, 0))
        found[f"{method} {route}"] = requests + int(count), refused + int(count) * (status == 401)
    return found


def _ratio(connection: Connection, project: int, alert: Alert, since: float, now: float) -> Iterator[Noticed]:
    del since
    for route, (requests, refused) in _asked(connection, project, alert, now).items():
        if requests >= alert.least and refused >= alert.ratio * requests:
            says = f"{refused} of {requests} requests in {alert.minutes} minutes."
            title = f"{route} answers 401 to {100 * refused / requests:.0f} %"
            yield Noticed(f"{route[:150]}@{int(now // HOUR)}", title, says, f"/projects/{project}/routes")


def _everyone(
    connection: Connection, project: int, alert: Alert, since: float, now: float
) -> Iterator[Noticed]:
    del since
    counted = _asked(connection, project, alert, now).values()
    requests, refused = sum(one[0] for one in counted), sum(one[1] for one in counted)
    if requests >= alert.least and refused >= alert.ratio * requests:
        says = f"{refused} of {requests} requests in {alert.minutes} minutes, over {len(counted)} routes."
        yield Noticed(f"{int(now // HOUR)}", "Everybody is refused", says, f"/projects/{project}/routes")


def _account(
    connection: Connection, project: int, alert: Alert, since: float, now: float
) -> Iterator[Noticed]:
    del since
    who = func.coalesce(func.nullif(e.c.user, ""), e.c.credential)
    query = (
        select(who, func.count()).where(
            e.c.project_id == project, e.c.id >= ids.at(now - 60 * alert.minutes), e.c.status == 401, who != ""
        ).group_by(who).having(func.count() >= alert.least)
    )  # fmt: skip
    for name, number in connection.execute(query):
        says = f"Refused {number} times in {alert.minutes} minutes."
        yield Noticed(f"{name[:150]}@{int(now // HOUR)}", f"{name} is refused", says, f"/projects/{project}")


def _silent(
    connection: Connection, project: int, alert: Alert, since: float, now: float
) -> Iterator[Noticed]:
    del since
    event = connection.scalar(select(func.max(m.c.minute)).where(m.c.group_id == -project)) or 0
    asked = connection.scalar(select(func.max(r.c.minute)).where(r.c.project_id == project)) or 0
    last = 60.0 * max(event, asked)
    if now - DAY < last < now - 60 * alert.minutes:
        says = f"Nothing was reported for {int((now - last) // 60)} minutes."
        yield Noticed(f"{last}", "A reporter has gone silent", says, f"/projects/{project}")


def _down(connection: Connection, project: int, alert: Alert, since: float, now: float) -> Iterator[Noticed]:
    del alert, now
    for row in connection.execute(
        select(c).where(c.c.project_id == project, c.c.state == "down", c.c.since >= since)
    ):
        says = row.says + (f"\nCause: {row.cause}" if row.cause else "")
        yield Noticed(f"{row.id}@{row.since}", f"{row.url} fails", says, f"/projects/{project}/alerts")


def _expiring(
    connection: Connection, project: int, alert: Alert, since: float, now: float
) -> Iterator[Noticed]:
    del since
    soon = c.c.expires < now + alert.days * DAY
    for row in connection.execute(select(c).where(c.c.project_id == project, soon)):
        left = max(0, int((row.expires - now) // DAY))
        says = f"The certificate of {row.url} ends in {left} days."
        yield Noticed(
            f"{row.id}@{row.expires}", "A certificate is about to end", says, f"/projects/{project}/alerts"
        )
    ends = (t.c.expires < now + alert.days * DAY, t.c.expires > now, t.c.last_seen > now - alert.days * DAY)
    for row in connection.execute(select(t).where(t.c.project_id == project, *ends).limit(100)):
        whose = f" of {row.whose}" if row.whose else ""
        says = f"The token{whose} (#{row.fingerprint}) ends in {int((row.expires - now) // DAY)} days."
        path = f"/projects/{project}?q=credential:{row.fingerprint}"
        yield Noticed(f"{row.fingerprint}@{row.expires}", "A token is about to end", says, path)


_LOOKS: dict[str, Callable[[Connection, int, Alert, float, float], Iterator[Noticed]]] = {
    "new": _new, "regressed": _regressed, "rate": _rate, "ratio": _ratio, "account": _account, "everyone": _everyone,
    "silent": _silent, "down": _down, "expiring": _expiring,
}  # fmt: skip
