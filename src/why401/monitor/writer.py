"""The one thread that writes. What arrives while a transaction is on its way to the disk goes together with the next.

Callers wait for their own transaction (group commit): so an answer means that the event is on disk, and many events
share one fsync. Where the database cannot be written, callers are told to come again, and nothing is answered as kept.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from sqlalchemy.exc import DBAPIError

from why401.monitor import settings
from why401.monitor.store import Store
from why401.monitor.writing import Groups, Outcome, Work, write

MOST_TOGETHER = 250  #: events of one transaction
PROBE = 2.0  #: seconds between two tries while the database cannot be written
MOST_WAITING = 2_000  #: events in memory; beyond, clients are told to come again
log = logging.getLogger(__name__)


class Busy(Exception):
    """Not kept: too much is waiting, or the database cannot be written. The client may come again."""


@dataclass
class _Job:
    work: Work
    done: Future[None] = field(default_factory=Future)


class Writer:
    """Writes what it is given in the order in which it was given."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._waiting = 0
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="why401-writer", daemon=True)
        self.groups = Groups(store)
        #: Called in the writer's thread with what became of the groups, after it is on disk.
        self.listeners: list[Callable[[list[Outcome]], None]] = []
        self.down_since: float | None = None
        self.written = 0
        self._told = -60.0  # when it was logged last that the database is down

    @property
    def waiting(self) -> int:
        """Events in memory that are not on disk yet."""
        return self._waiting

    def start(self) -> None:
        self._thread.start()

    def put(self, work: Work) -> Future[None]:
        """A future that is done when the work is on disk. Raises Busy; the future too."""
        size = max(1, len(work.kept))
        with self._lock:
            if self._waiting + size > MOST_WAITING:
                raise Busy
            self._waiting += size
        job = _Job(work)
        job.done.set_running_or_notify_cancel()  # whoever waits may go away: the work is done, and told, all the same
        self._jobs.put(job)
        return job.done

    def stop(self) -> None:
        """Write what is waiting, and end."""
        self._jobs.put(None)
        if self._thread.is_alive():
            self._thread.join(30)

    def _run(self) -> None:
        while True:
            jobs, last = self._next()
            if jobs:
                self._together(jobs)
            if last:
                return

    def _next(self) -> tuple[list[_Job], bool]:
        """The jobs that are there, at least one; whether the end was reached."""
        jobs: list[_Job] = []
        size = 0
        job = self._first()
        while job is not None:
            jobs.append(job)
            size += max(1, len(job.work.kept))
            if size >= MOST_TOGETHER:
                return jobs, False
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return jobs, False
        return jobs, True

    def _first(self) -> _Job | None:
        """The next job. While the database is down, whether it is back is found out even if nobody sends."""
        while self.down_since is not None:
            try:
                return self._jobs.get(timeout=PROBE)
            except queue.Empty:
                self._probe()
        return self._jobs.get()

    def _probe(self) -> None:
        try:
            settings.put(self._store, "probed", str(time.time()))
        except Exception as error:
            log.debug("still not: %s", error)
        else:
            self.down_since = None

    def _together(self, jobs: list[_Job]) -> None:
        try:
            outcomes = self._write([job.work for job in jobs])
        except Exception as error:
            self._failed(jobs, error)
            return
        self.down_since = None
        self.written += sum(len(job.work.kept) for job in jobs)
        self._finish(jobs)
        for listener in self.listeners:
            try:
                listener(outcomes)
            except Exception:
                log.exception("what follows a write failed; the events are kept")

    def _write(self, works: list[Work]) -> list[Outcome]:
        whole = Work()
        for work in works:
            whole.add(work)
        with self._store.write() as connection:
            outcomes, found = write(self._store, self.groups, connection, whole, time.time())
        self.groups.remember(found)
        return outcomes

    def _failed(self, jobs: list[_Job], error: Exception) -> None:
        """One event that cannot be written must not keep the others from the disk."""
        if len(jobs) > 1 and not _down(error):
            for job in jobs:
                self._together([job])
            return
        self.groups.forget()
        if not _down(error):
            log.error("an event cannot be written", exc_info=error)
        else:
            self.down_since = self.down_since or time.time()
            if time.monotonic() - self._told > 60:
                self._told = time.monotonic()
                log.error("the database cannot be written: %s", error)
        self._finish(jobs, Busy())

    def _finish(self, jobs: list[_Job], error: Exception | None = None) -> None:
        with self._lock:
            self._waiting -= sum(max(1, len(job.work.kept)) for job in jobs)
        for job in jobs:
            if error is None:
                job.done.set_result(None)
            else:
                job.done.set_exception(error)


def _down(error: Exception) -> bool:
    """Whether it is the database that fails (disk full, gone, locked), not one event's values."""
    return isinstance(error, DBAPIError) and (
        error.connection_invalidated or "OperationalError" in type(error).__name__
    )
