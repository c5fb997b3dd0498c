"""The diagnosis of groups of refusals, by the same flow as the command line, in a process of its own.

A group is diagnosed when it is new, and again when its events have doubled: so evidence accumulates, and a flood costs
nothing. The raw event goes to that process in memory and nowhere else; what comes back is a report without secrets.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from sqlalchemy import update

from why401.monitor import schema
from why401.monitor.evidence import diagnose, gently
from why401.monitor.store import Store
from why401.monitor.writing import Outcome

MOST_WAITING = 1_000
log = logging.getLogger(__name__)


class Explainer:
    """Diagnoses what the writer tells it of."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._jobs: queue.Queue[Outcome | None] = queue.Queue(MOST_WAITING)
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
            doubled = outcome.number.bit_length() > before.bit_length()
            if outcome.sample.refusal is not None and (outcome.new or doubled) and not self._jobs.full():
                self._jobs.put_nowait(outcome)

    def _run(self) -> None:
        while (outcome := self._jobs.get()) is not None:
            try:
                self._explain(outcome)
            except (BrokenProcessPool, RuntimeError):
                self._pool = None
            except Exception:
                log.exception("group %s could not be diagnosed", outcome.group)

    def _explain(self, outcome: Outcome) -> None:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, get_context("spawn"), gently)
        report = self._pool.submit(diagnose, outcome.sample.raw).result(60)
        causes = json.loads(report)["causes"]
        cause = (causes[0]["id"] if causes else None) or ""
        with self._store.write() as connection:
            held = schema.groups
            connection.execute(
                update(held)
                .where(held.c.id == outcome.group)
                .values(cause=cause, report=report, diagnosed_at=outcome.number)
            )
        for listener in self.listeners:
            listener({outcome.project})
