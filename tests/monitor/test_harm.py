"""Disk full, the clock stepping, the database gone: nothing acknowledged is lost, callers are told to come again, and
it goes on without hands."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.monitor.running import Cluster, Running, cluster, envelope, free_port, running, until

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")


@dataclass
class Load:
    """Clients that send without a pause: what was acknowledged, and how the others were answered."""

    one: Running
    size: int = 2000
    kept: list[str] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    waits: set[str] = field(default_factory=set)
    ends: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        project = self.one.project("load")
        while not self.ends.is_set():
            event = {"event_id": uuid.uuid4().hex, "message": uuid.uuid4().hex * (self.size // 32)}
            try:
                answer = envelope(project, event, self.one.base)
            except httpx.HTTPError:
                self.answers[0] += 1
                time.sleep(0.05)
                continue
            self.answers[answer.status_code] += 1
            if answer.status_code == 200:
                self.kept.append(event["event_id"])
            elif answer.status_code == 503:
                self.waits.add(answer.headers.get("Retry-After", ""))
                time.sleep(0.05)

    def lost(self) -> set[str]:
        """What was acknowledged and is not there."""
        stored = {found["client_event_id"] for found in self.one.events(self.one.project("load"), 1_000_000)}
        return set(self.kept) - stored

    def takes(self) -> None:
        """Wait until events are acknowledged again."""
        before = len(self.kept)
        until(lambda: len(self.kept) > before + 5, 30)


@contextmanager
def loaded(one: Running, size: int = 2000, clients: int = 3) -> Iterator[Load]:
    load = Load(one, size)
    one.project("load")
    threads = [threading.Thread(target=load.run) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        load.takes()
        yield load
    finally:
        load.ends.set()
        for thread in threads:
            thread.join(30)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    if (
        os.geteuid()
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "none", place], check=False).returncode
    ):
        pytest.skip("a small file system cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def fill(ballast: Path) -> None:
    """To the last byte."""
    with ballast.open("ab", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            return


def test_disk_full(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 4_000_000)
    with running(small_disk / "data") as one, loaded(one, 60_000) as load:
        fill(ballast)
        until(lambda: load.answers[503] > 5, 60)
        assert load.waits == {"5"}
        until(lambda: httpx.get(f"{one.base}/healthz").status_code == 503)
        assert not load.lost(), "what was acknowledged can be read while the disk is full"
        ballast.unlink()
        load.takes()
        assert httpx.get(f"{one.base}/healthz").status_code == 200
        load.ends.set()
        assert set(load.answers) == {200, 503}
        assert not load.lost()


def test_disk_full_is_noticed_to_be_over_though_nobody_sends(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 4_000_000)
    with running(small_disk / "data") as one:
        with loaded(one, 60_000) as load:
            fill(ballast)
            until(lambda: load.answers[503] > 5, 60)
        assert httpx.get(f"{one.base}/healthz").status_code == 503
        ballast.unlink()
        until(lambda: httpx.get(f"{one.base}/healthz").status_code == 200, 15)


def test_the_clock_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not FAKETIME.exists():
        pytest.skip("libfaketime is not installed")
    clock = tmp_path / "clock"
    clock.write_text("+0\n")
    monkeypatch.setenv("FAKETIME_TIMESTAMP_FILE", str(clock))
    monkeypatch.setenv("FAKETIME_NO_CACHE", "1")
    monkeypatch.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    one = Running(tmp_path / "data", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("LD_PRELOAD", str(FAKETIME))
    one.start()
    monkeypatch.delenv("LD_PRELOAD")
    try:
        with loaded(one) as load:
            for step in ("-3600", "+86400", "+0"):
                clock.write_text(f"{step}\n")
                load.takes()
                newest = one.events(one.project("load"), 1)[0]["received"]
                assert newest[:13] == time.strftime("%Y-%m-%dT%H", time.gmtime(time.time() + int(step)))[:13]
        assert set(load.answers) == {200}
        assert not load.lost()
    finally:
        one.stop()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Cluster]:
    try:
        with cluster(tmp_path / "pg") as made:
            yield made
    except LookupError as missing:
        pytest.skip(str(missing))


#: Seconds for which the database is away; `make soak` asks for a minute.
AWAY = float(os.environ.get("WHY401_AWAY", "4"))


def test_the_database_is_gone_for_a_while(tmp_path: Path, database: Cluster) -> None:
    with running(tmp_path / "data", database.url) as one, loaded(one) as load:
        database.stop()
        until(lambda: load.answers[503] > 5, 30)
        time.sleep(AWAY)
        assert "5" in load.waits
        assert httpx.get(f"{one.base}/healthz").status_code == 503
        database.start()
        load.takes()
        until(lambda: httpx.get(f"{one.base}/healthz").status_code == 200)
        load.ends.set()
        assert set(load.answers) == {200, 503}
        assert not load.lost()


def test_the_database_hangs(tmp_path: Path, database: Cluster) -> None:
    """It hangs: callers are told to come again before they give up, and everything goes on when it does."""
    with running(tmp_path / "data", database.url) as one, loaded(one) as load:
        database.signal(signal.SIGSTOP)
        try:
            until(lambda: load.answers[503] > 2, 40)
            assert not load.answers[0], "each is answered before it gives up"
            assert load.waits == {"5"}
        finally:
            database.signal(signal.SIGCONT)
        load.takes()
        load.ends.set()
        assert not load.lost()
