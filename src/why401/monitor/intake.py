"""The way of what was received: quota, filters, scrubbing and grouping, to the disk."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field, replace

from why401.monitor import filters, merging, projects, rules
from why401.monitor.kept import Kept, keep
from why401.monitor.projects import Key, Project
from why401.monitor.receive.answers import Refused
from why401.monitor.received import Received, Told
from why401.monitor.rules import Decider, Rule
from why401.monitor.scrub import scrub
from why401.monitor.store import Store
from why401.monitor.writer import Busy, Writer
from why401.monitor.writing import Work

FRESH = 1.0  #: seconds for which what is known of the projects is taken as true
AGAIN = 5  #: seconds after which a client may come again when the database cannot be written
HURRY = 1.0  #: seconds for which a look at the projects is waited for
PATIENCE = 5.0  #: seconds that a client waits for the disk; then it is told to come again, as it would go away itself


@dataclass
class _Known:
    at: float = 0.0
    projects: dict[int, Project] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    filters: dict[int, list[tuple[int, Rule]]] = field(default_factory=dict)
    #: Causes of groups, where a filter asks for them.
    causes: dict[tuple[int, str], str] = field(default_factory=dict)
    groups: str = ""  #: changes when groups were merged


class Intake:
    """What clients may do here. `key`: of the fingerprints."""

    def __init__(self, store: Store, writer: Writer) -> None:
        self._store, self._writer = store, writer
        self._key = store.secret("fingerprint")
        self._known = _Known()
        self._again = 0.0
        self._looking: asyncio.Future[_Known] | None = None
        self._decider = Decider()
        self._taken: Counter[tuple[int, int]] = Counter()  # (project, minute)

    # who

    async def project(self, key: str, wanted: int | None) -> Project:
        """The project of a key. Raises Refused, with the reason."""
        known = await self._fresh()
        held = known.keys.get(key)
        if held is None:
            known = await self._fresh(again=True)
            held = known.keys.get(key)
        if held is None:
            raise Refused(403 if wanted is not None else 401, "unknown-key", _unknown(known, wanted))
        if held.revoked:
            raise Refused(
                403, "revoked-key", "This key was revoked; take a current one from the project's settings."
            )
        if wanted is not None and held.project != wanted:
            says = f"This key belongs to project {held.project}, the address names project {wanted}."
            if wanted not in known.projects:
                says = f"There is no project {wanted}; this key belongs to project {held.project}."
            raise Refused(403, "other-project" if wanted in known.projects else "unknown-project", says)
        return known.projects[held.project]

    async def _fresh(self, again: bool = False) -> _Known:
        """What is known of the projects. It is read by a thread, and all who ask meanwhile wait for the same; where
        the database fails or does not answer, what was true a moment ago is taken."""
        now = time.monotonic()
        since = self._again if again else self._known.at
        if now - since < (0.2 if again else FRESH):
            return self._known
        if again:  # for a key that was made a moment ago; but not for each of many that are wrong
            self._again = now
        if again or self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(asyncio.to_thread(self._look, now))
        try:  # an unknown key is refused only after a look, so that one is waited for
            patience = PATIENCE if again or not self._known.keys else HURRY
            self._known = await asyncio.wait_for(asyncio.shield(self._looking), patience)
        except Exception:
            if again or not self._known.keys:
                raise Refused(503, "unavailable", _AWAY, AGAIN) from None
            self._known = replace(self._known, at=time.monotonic())
        return self._known

    def _look(self, now: float) -> _Known:
        with self._store.read() as connection:
            held, keys = projects.everything(connection)
            active = filters.active(connection)
            asking = [one for one, held in active.items() if any(_asks_cause(rule) for _, rule in held)]
            causes = filters.causes(connection, asking) if asking else {}
            version = merging.version(connection)
        if version != self._known.groups:
            self._writer.groups.forget()
        return _Known(now, held, keys, active, causes, version)

    def check_quota(self, project: Project, events: int = 1) -> None:
        """Raises Refused 429 where the project's quota for this minute is used up; what is refused is counted."""
        if project.quota is None:
            return
        now = time.time()
        minute = int(now // 60)
        if self._taken[project.id, minute] + events > project.quota:
            self._count(project.id, "over-quota", events)
            left = 60 - int(now % 60)
            says = (
                f"Project {project.id} takes {project.quota} events a minute; come again in {left} seconds."
            )
            raise Refused(429, "over-quota", says, left)
        if len(self._taken) > 1000:
            self._taken = Counter({k: n for k, n in self._taken.items() if k[1] >= minute})
        self._taken[project.id, minute] += events

    # what

    async def take(self, project: Project, received: Received, now: float) -> None:
        """Returns when everything is on disk. Raises Refused 503 where it cannot be."""
        work = Work()
        for event in received.events:
            kept = keep(event, project, self._key, now)
            by = self._dropped_by(kept, now)
            if by is None:
                work.kept.append(kept)
            else:
                work.dropped[project.id, filters.reason(by)] += 1
        work.counted = [(project.id, one) for one in received.counted]
        work.deployed = [(project.id, one) for one in received.deployed]
        work.told = [(project.id, self._scrubbed(one, project, now)) for one in received.told]
        work.dropped.update((project.id, reason) for reason in received.dropped)
        if work == Work():
            return
        try:
            await asyncio.wait_for(asyncio.wrap_future(self._writer.put(work)), PATIENCE)
        except (Busy, TimeoutError):
            raise Refused(503, "unavailable", _AWAY, AGAIN) from None

    def _dropped_by(self, kept: Kept, now: float) -> int | None:
        """The filter that drops the event, if one does."""
        known = self._known
        held = known.filters.get(kept.project)
        if not held:
            return None
        cause = known.causes.get((kept.project, kept.grouped.key), "")
        value = rules.values(kept.row, kept.event, kept.refusal, cause)
        return self._decider.dropped_by(held, value, rules.chance(kept.row["client_id"]), now)

    def _scrubbed(self, told: Told, project: Project, now: float) -> Told:
        clean = scrub(
            {"name": told.name, "data": told.data}, self._key, now, project.blocklist, project.allowlist
        ).event
        return replace(told, name=clean["name"], data=clean["data"])

    def refused(self, refused: Refused, path: str, agent: str) -> None:
        """A client was turned away: shown to whoever runs the monitor."""
        work = Work()
        work.refused[refused.reason, path[:200], agent[:120], refused.says[:500]] += 1
        self._put(work)

    def _count(self, project: int, reason: str, number: int) -> None:
        work = Work()
        work.dropped[project, reason] += number
        self._put(work)

    def _put(self, work: Work) -> None:
        try:
            self._writer.put(work)
        except Busy:
            return  # it is only a count


def _asks_cause(rule: Rule) -> bool:
    return any(one.field == "cause" for one in rule.when)


_AWAY = "The monitor cannot write to its database at the moment; nothing was kept, come again."


def _unknown(known: _Known, wanted: int | None) -> str:
    if wanted is None:
        return "This key is unknown here; see the project's settings for the right one."
    if wanted not in known.projects:
        return f"There is no project {wanted}, and this key is unknown here."
    return f"This key is unknown here; the settings of project {wanted} show the right one."
