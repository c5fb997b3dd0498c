"""Sends descriptions of refused requests from a thread of its own; what cannot be sent is dropped and counted."""

from __future__ import annotations

import atexit
import json
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from why401.integrations import wire
from why401.monitor.event import Event

REFUSED = frozenset((401, 403, 407))
MOST_WAITING = 1_000
LAST_CHANCE = 2.0  #: seconds that the end of a program waits for what is still to be sent
TIMEOUT = 5.0


@dataclass(frozen=True)
class Target:
    """A project of a monitor."""

    protocol: str  # sentry, airbrake, otlp
    secure: bool
    host: str
    port: int
    key: str
    project: str

    @classmethod
    def of(cls, to: str) -> Target:
        """Raises ValueError, with a sentence that holds no key."""
        split = urlsplit(to)
        protocol, _, scheme = split.scheme.rpartition("+")
        project = split.path.strip("/")
        whole = split.hostname and split.username and project and scheme in ("http", "https")
        if not whole or protocol not in ("", "sentry", "airbrake", "otlp"):
            raise ValueError(
                "The address of a monitor's project is [sentry+|airbrake+|otlp+]http(s)://KEY@HOST:PORT/PROJECT."
            )
        secure = scheme == "https"
        return cls(protocol or "sentry", secure, split.hostname or "", split.port or (443 if secure else 80),
                   split.username or "", project)  # fmt: skip


class Reporter:
    """One queue and one thread for all that report to a target."""

    def __init__(self, to: str) -> None:
        self.target = Target.of(to)
        self.dropped = 0
        self._jobs: queue.Queue[Callable[[], Event]] = queue.Queue(MOST_WAITING)
        self._started = threading.Lock()
        self._busy = threading.Event()
        self._not_before = 0.0

    def report(self, describe: Callable[[], Event]) -> None:
        """Describe and send a refusal, elsewhere and later. Never raises, never waits."""
        if time.monotonic() < self._not_before:
            self.dropped += 1
            return
        if self._started.acquire(blocking=False):  # never released: the thread lives as long as the program
            threading.Thread(target=self._run, name="why401-reporter", daemon=True).start()
            atexit.register(self.flush, LAST_CHANCE)
        try:
            self._jobs.put_nowait(describe)
        except queue.Full:
            self.dropped += 1

    def own(self, host: str) -> bool:
        """Whether a request goes to the monitor itself, of which nothing is reported."""
        return host.lower() in (self.target.host, f"{self.target.host}:{self.target.port}")

    def flush(self, seconds: float) -> bool:
        """Wait until all is sent, for so long at most."""
        end = time.monotonic() + seconds
        while (not self._jobs.empty() or self._busy.is_set()) and time.monotonic() < end:
            time.sleep(0.01)
        return self._jobs.empty() and not self._busy.is_set()

    def _run(self) -> None:
        while True:
            describe = self._jobs.get()
            self._busy.set()
            try:
                self._send(describe())
            except Exception:
                self.dropped += 1  # a report is never worth the program
            if self._jobs.empty():
                self._busy.clear()

    def _send(self, event: Event) -> None:
        from why401.monitor.scrub import scrub

        scrubbed = scrub(event, self.target.key.encode(), time.time())
        path, fields, body = wire.encode(self.target.protocol, self.target.project, self.target.key,
                                         wire.with_credential(scrubbed))  # fmt: skip
        made = HTTPSConnection if self.target.secure else HTTPConnection
        connection = made(self.target.host, self.target.port, timeout=TIMEOUT)
        try:
            connection.request("POST", path, json.dumps(body) if isinstance(body, dict) else body, fields)
            answer = connection.getresponse()
            if answer.status in (429, 503):
                wait = answer.headers.get("Retry-After", "")
                self._not_before = time.monotonic() + (int(wait) if wait.isdecimal() else 30)
            if answer.status >= 400:
                self.dropped += 1
        except (OSError, HTTPException):
            self.dropped += 1
            self._not_before = time.monotonic() + 1
        finally:
            connection.close()


@cache
def reporter(to: str) -> Reporter:
    """The reporter for an address. Raises ValueError where it is none."""
    return Reporter(to)


def fields_of(pairs: Any) -> list[list[str]]:
    """Fields as an event holds them, from pairs of texts or bytes."""
    return [[_text(name), _text(value)] for name, value in pairs]


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
