"""What was answered with 200 is there, whatever happens to the process."""

from __future__ import annotations

import os
import signal
import threading
import uuid
from pathlib import Path

import httpx
import pytest

from tests.monitor.running import Running, envelope, running, until


def load(one: Running, until_gone: threading.Event, kept: list[str]) -> None:
    project = one.project("load")
    while not until_gone.is_set():
        event = {"event_id": uuid.uuid4().hex, "message": "x" * 2000}
        try:
            if envelope(project, event, one.base).status_code == 200:
                kept.append(event["event_id"])
        except httpx.HTTPError:
            return


#: Kills; `make soak` asks for twenty.
KILLS = int(os.environ.get("WHY401_KILLS", "3"))


@pytest.mark.parametrize("after", [round(0.1 + 0.9 * number / KILLS, 2) for number in range(KILLS)])
def test_killed_under_load_nothing_acknowledged_is_lost(tmp_path: Path, after: float) -> None:
    with running(tmp_path / "data") as one:
        one.project("load")
        gone, kept = threading.Event(), list[str]()
        senders = [threading.Thread(target=load, args=(one, gone, kept)) for _ in range(4)]
        for sender in senders:
            sender.start()
        until(lambda: len(kept) > 5)
        gone.wait(after)
        one.stop(signal.SIGKILL)
        gone.set()
        for sender in senders:
            sender.join(20)
        stored = {found["client_event_id"] for found in one.events(one.project("load"), 100_000)}
        assert not set(kept) - stored
        one.start()
        assert (
            envelope(
                one.project("load"), {"event_id": uuid.uuid4().hex, "message": "again"}, one.base
            ).status_code
            == 200
        )
