"""What just happened, as server-sent events: pages listen, and fetch again what changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from litestar import get
from litestar.datastructures import State
from litestar.response import ServerSentEvent, ServerSentEventMessage

from why401.monitor.store import Store
from why401.monitor.web.viewer import Viewer
from why401.monitor.writing import Outcome

#: Changes are told at most this often (seconds), so that a flood does not become a flood of pages.
PACE = 0.4
BEAT = 15.0  #: seconds of silence after which a comment is sent, by which a proxy sees that the stream lives


class Hub:
    """Projects that changed, for every page that listens."""

    def __init__(self) -> None:
        self._pages: set[asyncio.Queue[int]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()

    def listen(self, outcomes: list[Outcome]) -> None:
        """Called by the writer, in its thread."""
        self.tell({outcome.project for outcome in outcomes})

    def tell(self, projects: set[int]) -> None:
        """Projects changed; from any thread."""
        if self._loop is not None and self._pages:
            self._loop.call_soon_threadsafe(self._tell, projects)

    def _tell(self, projects: set[int]) -> None:
        for page in self._pages:
            for project in projects:
                if page.qsize() < 1000:
                    page.put_nowait(project)

    async def changes(self) -> AsyncIterator[set[int]]:
        """Sets of projects that changed; an empty set where nothing did for a while."""
        page: asyncio.Queue[int] = asyncio.Queue()
        self._pages.add(page)
        try:
            while True:
                try:
                    changed = {await asyncio.wait_for(page.get(), BEAT)}
                except TimeoutError:
                    yield set()
                    continue
                while not page.empty():
                    changed.add(page.get_nowait())
                yield changed
                await asyncio.sleep(PACE)
        finally:
            self._pages.discard(page)


@get("/live", include_in_schema=False)
async def stream(viewer: Viewer, store: Store, state: State) -> ServerSentEvent:
    """`project-N` for each project that changed."""
    del store

    async def messages() -> AsyncIterator[Any]:
        yield ServerSentEventMessage(comment="listening")
        async for changed in state.hub.changes():
            if not changed:
                yield ServerSentEventMessage(comment="still here")
            for project in sorted(changed & viewer.projects):
                yield ServerSentEventMessage(event=f"project-{project}", data="changed")
            if changed & viewer.projects:
                yield ServerSentEventMessage(event="projects", data="changed")

    return ServerSentEvent(messages(), headers={"X-Accel-Buffering": "no"})


HANDLERS = (stream,)
