"""What is done again and again: uptime checks, alerts, notices, and removing what is old. One node does it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from why401.monitor import alerts, leases, merging, notices, retention, summaries, uptime
from why401.monitor.outgoing import Outgoing
from why401.monitor.store import Store

BEAT = 2.0  #: seconds between two looks
LEASE = 180.0  #: seconds; longer than one look can take
log = logging.getLogger(__name__)


class Keeper:
    """A thread of each node; the one that holds the lease works."""

    def __init__(self, store: Store, outgoing: Outgoing, base: str) -> None:
        self._store, self._outgoing, self._base = store, outgoing, base
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="why401-keeper", daemon=True)
        self._swept = time.monotonic()
        self._until = 0.0  # the end of the lease

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ends.set()
        self._outgoing.stop()

    def _run(self) -> None:
        while not self._ends.wait(BEAT):
            if not self._well(self._mine):
                continue
            self._well(self._alerts)
            self._well(lambda: merging.settle(self._store))
            self._well(lambda: uptime.look(self._store, self._outgoing.look))
            self._well(lambda: notices.deliver(self._store, self._outgoing.send, self._base))
            if time.monotonic() - self._swept > 600:
                self._swept = time.monotonic()
                self._well(lambda: retention.sweep(self._store))

    def _mine(self) -> bool:
        """Whether this node holds the lease; prolonged when half of it is over, as each time is a write."""
        if time.monotonic() > self._until - LEASE / 2:
            self._until = time.monotonic() + LEASE if leases.hold(self._store, "keeper", LEASE) else 0.0
        return time.monotonic() < self._until

    def _alerts(self) -> None:
        with self._store.read() as connection:
            found = alerts.look(connection) + summaries.look(connection)
        if found:
            with self._store.write() as connection:
                alerts.note(connection, self._store.insert, found)

    def _well(self, work: Callable[[], object]) -> object:
        try:
            return work()
        except Exception as problem:
            if not self._ends.is_set():
                log.error("what is done regularly failed, and is tried again: %s", problem)
            return None
