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
from multiprocessing import get_context

from why401.monitor.evidence import diagnose, gently
from why401.monitor.writer import Busy, Writer
from why401.monitor.writing import Explained, Outcome, Work

MOST_WAITING = 1_000
log = logging.getLogger(__name__)


class Explainer:
    """Diagnoses what the writer tells it of."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
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
            grown = outcome.number.bit_length() // 2 > before.bit_length() // 2  # past a power of four
            if outcome.sample.refusal is not None and (outcome.new or grown) and not self._jobs.full():
                self._jobs.put_nowait(outcome)

    def _run(self) -> None:
        while (outcome := self._jobs.get()) is not None:
            start = time.monotonic()
            try:
                self._explain(outcome)
            except Busy:
                continue  # its next events bring it up again
            except (BrokenProcessPool, RuntimeError):
                self._pool = None
            except Exception:
                log.exception("group %s could not be diagnosed", outcome.group)
            if not self._jobs.empty():
                time.sleep(min(1.0, time.monotonic() - start))

    def _explain(self, outcome: Outcome) -> None:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, get_context("spawn"), gently)
        report = self._pool.submit(diagnose, outcome.sample.raw).result(60)
        causes = json.loads(report)["causes"]
        cause = (causes[0]["id"] if causes else None) or ""
        explained = Explained(outcome.group, cause, report, outcome.number)
        done = self._writer.put(Work(explained=[explained]))
        done.add_done_callback(lambda _: self._tell(outcome.project))

    def _tell(self, project: int) -> None:
        for listener in self.listeners:
            listener({project})
