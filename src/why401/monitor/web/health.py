"""For those who run the monitor: is it well, and how much does it do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from litestar import Response, get
from litestar.datastructures import State
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from why401.monitor import schema
from why401.monitor.store import Store
from why401.monitor.writer import Writer


@get("/healthz", sync_to_thread=True, security=[{}], opt={"open": True}, summary="Whether events can be kept")
def healthz(store: Store, state: State) -> Response[dict[str, Any]]:
    """200 where the database answers and the last write worked, else 503."""
    try:
        with store.read() as connection:
            connection.execute(select(1))
        well = state.monitor.writer.down_since is None
    except Exception:
        well = False
    return Response({"status": "ok" if well else "unavailable"}, status_code=200 if well else 503)


@get(
    "/metrics",
    sync_to_thread=True,
    security=[{}],
    summary="Counters for Prometheus, without names of projects",
)
def metrics(store: Store, state: State) -> Response[bytes]:
    """In the text format of Prometheus."""
    registry = CollectorRegistry()
    registry.register(_Counts(store, state.monitor.writer))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)


class _Counts(Collector):
    """What is counted anyway, as Prometheus asks for it."""

    def __init__(self, store: Store, writer: Writer) -> None:
        self._store, self._writer = store, writer

    def collect(self) -> Iterator[Metric]:
        writer = self._writer
        down = int(writer.down_since is not None)
        yield CounterMetricFamily("why401_events_stored", "Events written since the start", writer.written)
        yield GaugeMetricFamily("why401_events_waiting", "Events in memory, not yet on disk", writer.waiting)
        yield GaugeMetricFamily("why401_database_down", "1 while the database cannot be written", down)
        with self._store.read() as connection:
            for name, says, table in _BY_REASON:
                family = CounterMetricFamily(name, says, labels=["reason"])
                query = select(table.c.reason, func.sum(table.c.count)).group_by(table.c.reason)
                for reason, number in connection.execute(query):
                    family.add_metric([reason], float(number))
                yield family


_BY_REASON = (
    ("why401_events_dropped", "Events that were not kept", schema.dropped),
    ("why401_requests_refused", "Requests of clients that were turned away", schema.refused),
)
HANDLERS = (healthz, metrics)
