"""`why401 serve`: one process that receives, writes, explains, shows and tells."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Collection
from pathlib import Path
from typing import Any

import uvicorn

from why401.monitor import settings
from why401.monitor.explain import Explainer
from why401.monitor.intake import Intake
from why401.monitor.keeper import Keeper
from why401.monitor.openid import OpenId, Provider
from why401.monitor.outgoing import Outgoing
from why401.monitor.receive.app import Receiver
from why401.monitor.store import Store, open_store
from why401.monitor.web.app import application
from why401.monitor.web.live import Hub
from why401.monitor.writer import Writer

log = logging.getLogger(__name__)


class Monitor:
    """All of one node: an ASGI application whose lifespan starts and ends its parts."""

    def __init__(
        self, store: Store, base: str, allowed: Collection[str] = (), provider: Provider | None = None
    ) -> None:
        self.store, self.base = store, base
        self.writer = Writer(store)
        self.intake = Intake(store, self.writer)
        self.receiver = Receiver(self.intake, base)
        self.explainer = Explainer(self.writer, store)
        self.keeper = Keeper(store, Outgoing(allowed), base)
        self.hub = Hub()
        self.writer.listeners += [self.explainer.listen, self.hub.listen]
        self.explainer.listeners.append(self.hub.tell)
        self.pages = application(store, base, self.hub, OpenId(provider, base) if provider else None)
        self.pages.state["monitor"] = self

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http" and self.receiver.takes(scope["path"]):
            await self.receiver(scope, receive, send)
        else:
            await self.pages(scope, receive, send)

    async def _lifespan(self, receive: Any, send: Any) -> None:
        await receive()
        self.hub.start()
        self.writer.start()
        self.explainer.start()
        self.keeper.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await asyncio.to_thread(self.stop)
        await send({"type": "lifespan.shutdown.complete"})

    def stop(self) -> None:
        self.keeper.stop()
        self.explainer.stop()
        self.writer.stop()
        self.store.close()


def serve(
    data: Path,
    host: str,
    port: int,
    database: str | None,
    base: str | None,
    allowed: Collection[str] = (),
    provider: Provider | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then write what is waiting. Raises store.Unusable, OSError.

    `allowed`: hosts off the public internet that notices and uptime checks may go to. `provider`: by whom
    users may sign in beside their passwords.
    """
    store = open_store(data, database)
    address = base or f"http://{f'[{host}]' if ':' in host else host}:{port}"
    settings.put(store, "base", address)
    monitor = Monitor(store, address, allowed, provider)
    config = uvicorn.Config(
        monitor,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=20,
        backlog=2048,
    )
    server = uvicorn.Server(config)
    print(f"why401 listens on {address} (data: {data})", flush=True)
    for ends in (signal.SIGTERM, signal.SIGINT):
        signal.signal(
            ends, lambda *_: None
        )  # uvicorn drains, then raises the signal again for whoever had it before
    server.run()
