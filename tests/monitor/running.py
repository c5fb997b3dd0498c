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


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """A PostgreSQL cluster of its own; yields its URL. Raises LookupError where it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin")) if Path("/usr/lib/postgresql").exists() else []
    if not found:
        raise LookupError("PostgreSQL is not installed")
    folder.mkdir(parents=True)
    port, programs = free_port(), found[-1]
    as_user: list[str] = []
    if os.geteuid() == 0:  # it refuses to run as root
        shutil.chown(folder, "postgres")
        for above in folder.parents:
            if above.stat().st_uid == 0 and str(above).startswith("/tmp/"):
                above.chmod(above.stat().st_mode | 0o011)
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    place = str(folder / "cluster")
    subprocess.run(
        [*as_user, programs / "initdb", "-D", place, "-U", "why401", "-A", "trust", "--no-sync"],
        check=True, capture_output=True, cwd="/",
    )  # fmt: skip
    server = subprocess.Popen(
        [*as_user, programs / "postgres", "-D", place, "-p", str(port), "-h", "127.0.0.1", "-k", str(folder)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
    )  # fmt: skip
    try:
        ready = [programs / "pg_isready", "-h", "127.0.0.1", "-p", str(port), "-U", "why401"]
        until(lambda: subprocess.run(ready, capture_output=True, check=False).returncode == 0, 30)
        yield f"postgresql://why401@127.0.0.1:{port}/postgres"
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)
