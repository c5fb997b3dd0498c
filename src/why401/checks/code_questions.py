"""What the checks of applications' code ask of the evidence: which applications, and which refused requests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from why401.evidence import Evidence, Request
from why401.layers.applications import Application
from why401.layers.model import Route
from why401.path import Walk, walks

A = TypeVar("A", bound=Application)


def applications(evidence: Evidence, kind: type[A]) -> list[A]:
    """The applications of a kind that are in question: those that refused requests come to, or all where no
    request is at hand."""
    found = [layer for layer in evidence.layers if isinstance(layer, kind)]
    if not found or not (evidence.exchanges or any(record.status for record in evidence.records)):
        return found
    met = {id(route.layer) for one in walks(evidence) for route in one.routes}
    return [layer for layer in found if id(layer) in met]


def asked(evidence: Evidence, kind: type[A]) -> Iterator[tuple[A, Walk, tuple[Route, ...]]]:
    """Each refused request that comes to an application of a kind, with the routes it meets there."""
    if not any(isinstance(layer, kind) for layer in evidence.layers):
        return
    for one in walks(evidence):
        for layer in evidence.layers:
            own = tuple(route for route in one.routes if route.layer is layer)
            if own and isinstance(layer, kind):
                yield layer, one, own


def requests(evidence: Evidence) -> list[Request]:
    """The refused requests at hand, also of a log."""
    return [one.request for one in walks(evidence)]
