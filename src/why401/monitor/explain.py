"""The diagnosis of groups of refusals, by the same flow as the command line, in a process of its own.

A group is diagnosed when it is new, and again each time that it has four times as many events: so evidence accumulates,
and a flood costs nothing. Half of the time this rests, since receiving goes before it. The raw event goes to that
process in memory and nowhere else; what comes back is a report without secrets.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from why401.monitor import schema
from why401.monitor.event import Event
from why401.monitor.evidence import diagnose, gently
from why401.monitor.kept import body
from why401.monitor.store import Store
from why401.monitor.writer import Busy, Writer
from why401.monitor.writing import Explained, Outcome, Work

MOST_WAITING = 1_000
LATE = 86400.0  #: seconds after which a group that was left without a diagnosis is left so
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Job:
    """A group, how many events it has, and one of them."""

    project: int
    group: int
    number: int
    event: Event = field(repr=False)


class Explainer:
    """Diagnoses what the writer tells it of, and at first what was left when the last process ended."""

    def __init__(self, writer: Writer, store: Store) -> None:
        self._writer, self._store = writer, store
        self._jobs: queue.Queue[_Job | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._run, name="why401-explainer", daemon=True)
        self._pool: ProcessPoolExecutor | None = None
        #: Called with the project of a group that has a new diagnosis.
        self.listeners: list[Callable[[set[int]], None]] = []

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with_room = not self._jobs.full()
        if with_room:
            self._jobs.put(None)
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def listen(self, outcomes: list[Outcome]) -> None:
        """Called by the writer."""
        for outcome in outcomes:
            before = outcome.number - outcome.written
            grown = outcome.number.bit_length() // 2 > before.bit_length() // 2  # past a power of four
            if outcome.sample.refusal is not None and (outcome.new or grown) and not self._jobs.full():
                self._jobs.put_nowait(
                    _Job(outcome.project, outcome.group, outcome.number, outcome.sample.raw)
                )

    def _left(self) -> None:
        """What was waiting in memory when a process ended is still to be told from what is stored."""
        g, e, other = schema.groups, schema.events, schema.events.alias()
        newest = select(func.max(other.c.id)).where(other.c.group_id == g.c.id).correlate(g).scalar_subquery()
        query = select(g.c.project_id, g.c.id, g.c.events, e.c.body).select_from(g).join(e, e.c.id == newest)
        left = (g.c.status.is_not(None), g.c.diagnosed_at == 0, g.c.last_seen > time.time() - LATE)
        try:
            with self._store.read() as connection:
                for row in connection.execute(query.where(*left).limit(MOST_WAITING // 2)):
                    self._jobs.put_nowait(_Job(row.project_id, row.id, row.events, body(row.body)))
        except (DBAPIError, queue.Full):
            return  # their next events bring them up again

    def _run(self) -> None:
        self._left()
        while (job := self._jobs.get()) is not None:
            start = time.monotonic()
            try:
                self._explain(job)
            except Busy:
                continue  # its next events bring it up again
            except (BrokenProcessPool, RuntimeError):
                self._pool = None
            except Exception:
                log.exception("group %s could not be diagnosed", job.group)
            if not self._jobs.empty():
                time.sleep(min(1.0, time.monotonic() - start))

    def _explain(self, job: _Job) -> None:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, get_context("spawn"), gently)
        report = self._pool.submit(diagnose, job.event).result(60)
        causes = json.loads(report)["causes"]
        cause = (causes[0]["id"] if causes else None) or ""
        explained = Explained(job.group, cause, report, job.number)
        done = self._writer.put(Work(explained=[explained]))
        done.add_done_callback(lambda _: self._tell(job.project))

    def _tell(self, project: int) -> None:
        for listener in self.listeners:
            listener({project})
