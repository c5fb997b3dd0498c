"""A real `why401 serve` in a folder of its own, on a free port, over SQLite or a PostgreSQL of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

PASSWORD = "correct horse battery"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def why401(*words: str, given: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
    """The command line, as a user has it."""
    return subprocess.run(
        [sys.executable, "-m", "why401.cli.main", *words], input=given, text=True, capture_output=True, timeout=60,
        check=check,
    )  # fmt: skip


@dataclass
class Running:
    """A server, and how to ask it."""

    data: Path
    base: str
    database: str | None = None
    more: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    projects: dict[str, Any] = field(default_factory=dict)

    @property
    def options(self) -> list[str]:
        return ["--data", str(self.data), *(["--database", self.database] if self.database else [])]

    def start(self) -> None:
        listen = self.base.removeprefix("http://")
        command = [
            sys.executable,
            "-m",
            "why401.cli.main",
            "serve",
            *self.options,
            "--listen",
            listen,
            *self.more,
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        until(lambda: self._answers(), 30)

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, "the server ended"
        try:
            return httpx.get(f"{self.base}/healthz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def stop(self, with_signal: int = signal.SIGTERM) -> int:
        assert self.process is not None
        os.kill(self.process.pid, with_signal)
        status = self.process.wait(30)
        if with_signal == signal.SIGKILL:
            subprocess.run(["pkill", "-KILL", "-s", str(self.process.pid)], check=False)
        return status

    def project(self, name: str) -> dict[str, Any]:
        """A project of that name, made when first asked for."""
        if name not in self.projects:
            made = why401("project", "add", name, *self.options, "--json", "--url", self.base)
            self.projects[name] = json.loads(made.stdout)
        found: dict[str, Any] = self.projects[name]
        return found

    def events(self, project: dict[str, Any], limit: int = 1000) -> list[dict[str, Any]]:
        """By the command line."""
        printed = why401(
            "events", *self.options, "--project", str(project["id"]), "--json", "--limit", str(limit)
        )
        return [json.loads(line) for line in printed.stdout.splitlines()]

    def api(self, project: dict[str, Any], path: str = "", **options: Any) -> Any:
        address = f"{self.base}/api/v1/projects/{project['id']}{path}"
        fields = {"Authorization": f"Bearer {project['api_token']}"}
        answer = httpx.request(options.pop("method", "GET"), address, headers=fields, timeout=10, **options)
        answer.raise_for_status()
        return answer.json()


def until(asked: Callable[[], Any], seconds: float = 10) -> Any:
    """What was asked for, once it is true."""
    end = time.monotonic() + seconds
    while not (found := asked()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
    return found


@contextmanager
def running(data: Path, database: str | None = None, more: tuple[str, ...] = ()) -> Iterator[Running]:
    one = Running(data, f"http://127.0.0.1:{free_port()}", database, more)
    one.start()
    try:
        yield one
    finally:
        if one.process is not None and one.process.poll() is None:
            one.stop()


def envelope(
    project: dict[str, Any], event: dict[str, Any], base: str, key: str | None = None
) -> httpx.Response:
    """An event as Sentry's SDKs send it."""
    lines = [{"event_id": event["event_id"]}, {"type": "event"}, event]
    body = "\n".join(json.dumps(line) for line in lines) + "\n"
    said = f"Sentry sentry_version=7, sentry_client=test/1, sentry_key={key or project['key']}"
    return httpx.post(
        f"{base}/api/{project['id']}/envelope/", content=body, headers={"X-Sentry-Auth": said}, timeout=10
    )


@dataclass
class Cluster:
    """A PostgreSQL of its own, that can be stopped and started."""

    folder: Path
    programs: Path
    port: int
    as_user: list[str]
    server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql://why401@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        place = str(self.folder / "cluster")
        self.server = subprocess.Popen(
            [*self.as_user, self.programs / "postgres", "-D", place, "-p", str(self.port), "-h", "127.0.0.1",
             "-k", str(self.folder)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", start_new_session=True,
        )  # fmt: skip
        ready = [self.programs / "pg_isready", "-h", "127.0.0.1", "-p", str(self.port), "-U", "why401"]
        until(lambda: subprocess.run(ready, capture_output=True, check=False).returncode == 0, 30)

    def stop(self) -> None:
        assert self.server is not None
        self.server.send_signal(signal.SIGINT)
        self.server.wait(30)

    def signal(self, sent: int) -> None:
        """To every process of it; each is of a session of its own."""
        assert self.server is not None
        children = subprocess.run(
            ["pgrep", "-P", str(self.server.pid)], capture_output=True, text=True, check=False
        )
        for one in (self.server.pid, *map(int, children.stdout.split())):
            os.kill(one, sent)


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Raises LookupError where PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin")) if Path("/usr/lib/postgresql").exists() else []
    if not found:
        raise LookupError("PostgreSQL is not installed")
    folder.mkdir(parents=True)
    as_user: list[str] = []
    if os.geteuid() == 0:  # it refuses to run as root
        shutil.chown(folder, "postgres")
        for above in folder.parents:
            if above.stat().st_uid == 0 and str(above).startswith("/tmp/"):
                above.chmod(above.stat().st_mode | 0o011)
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    made = Cluster(folder, found[-1], free_port(), as_user)
    subprocess.run(
        [*as_user, made.programs / "initdb", "-D", str(folder / "cluster"), "-U", "why401", "-A", "trust", "--no-sync"],
        check=True, capture_output=True, cwd="/",
    )  # fmt: skip
    made.start()
    try:
        yield made
    finally:
        made.stop()


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """The URL of a PostgreSQL of its own. Raises LookupError where it is not installed."""
    with cluster(folder) as made:
        yield made.url
