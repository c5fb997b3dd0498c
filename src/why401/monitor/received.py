"""What a receiver makes of a request: events to keep, requests that were only counted, deploys, other facts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from why401.monitor.event import Event


@dataclass(frozen=True)
class Counted:
    """How often a route answered a status in a minute, as notifiers and spans tell it."""

    environment: str
    method: str
    route: str
    status: int
    time: float
    count: int
    sum: float = 0.0  # milliseconds
    sumsq: float = 0.0
    centroids: tuple[tuple[float, int], ...] = ()  # (mean in milliseconds, count)


@dataclass(frozen=True)
class Deployed:
    """A version was put into service."""

    version: str
    environment: str
    user: str
    revision: str
    repository: str
    time: float


@dataclass(frozen=True)
class Told:
    """A fact of another kind: a check-in, a session, a feedback."""

    kind: str
    name: str
    status: str
    time: float
    data: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass
class Received:
    """All of one request; `dropped`: a reason for each thing that was understood and not kept."""

    events: list[Event] = field(default_factory=list)
    counted: list[Counted] = field(default_factory=list)
    deployed: list[Deployed] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)

    def add(self, other: Received) -> None:
        self.events += other.events
        self.counted += other.counted
        self.deployed += other.deployed
        self.told += other.told
        self.dropped += other.dropped
