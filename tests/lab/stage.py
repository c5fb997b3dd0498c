"""Starts one real server on loopback from a folder of configuration, waits until it answers, and ends it."""

from __future__ import annotations

import http.client
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.lab.kinds import KINDS, Kind

LAB = Path(__file__).parent
_SBIN = "/usr/sbin:/usr/local/sbin"


@dataclass
class Served:
    """A running server: `folder` holds its configuration or code, `log` its logs (with `console.log`, what the
    program printed), `run` its process id and temporary files."""

    kind: str
    folder: Path
    log: Path
    run: Path
    port: int
    app: str = ""
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    @property
    def logs(self) -> list[Path]:
        """The logs that hold anything."""
        return sorted(p for p in self.log.rglob("*") if p.is_file() and p.stat().st_size)

    def clear_logs(self) -> None:
        """Empty the logs; all programs append, so what follows stands at the beginning."""
        for log in self.logs:
            os.truncate(log, 0)

    def start(self) -> None:
        """Start the program and wait until it answers; its logs are empty then."""
        kind = KINDS[self.kind]
        values = {
            "program": program(kind),
            "folder": str(self.folder),
            "log": str(self.log),
            "run": str(self.run),
            "port": str(self.port),
            "app": self.app or kind.app,
        }
        command = [word.format(**values) for word in kind.command]
        if setpriv := shutil.which("setpriv"):  # a test that is killed leaves no server behind
            command = [setpriv, "--pdeathsig", "TERM", *command]
        with (self.log / "console.log").open("ab") as console:
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=_environment() | {key: value.format(**values) for key, value in kind.environment.items()},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait(kind)
        self.clear_logs()

    def stop(self) -> None:
        """End the program and all that it started."""
        if self.process is None:
            return
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(5)
        self.process = None

    def restart(self) -> None:
        """Start anew, so that what was changed in the folder holds."""
        self.stop()
        self.start()

    def _wait(self, kind: Kind) -> None:
        assert self.process is not None
        end = time.monotonic() + kind.patience
        while time.monotonic() < end:
            if self.process.poll() is not None:
                pytest.fail(f"{self.kind} ended with status {self.process.returncode}: {self._said()}")
            with suppress(OSError, http.client.HTTPException):
                _ask(self.port, kind.http)
                return
            time.sleep(0.02)
        pytest.fail(f"{self.kind} did not answer within {kind.patience:g} s: {self._said()}")

    def _said(self) -> str:
        return "\n".join(log.read_text(errors="replace")[-2000:] for log in self.logs)


def program(kind: Kind) -> str:
    """The path of the program, or a skip with the reason."""
    if not (LAB / kind.needs).exists():
        pytest.skip(f"tests/lab/{kind.needs} is not installed; run npm ci in tests/lab")
    for name in kind.programs:
        if found := shutil.which(name) or shutil.which(name, path=_SBIN):
            return found
    pytest.skip(f"{kind.programs[0]} is not installed")


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on, all different, and none that a client's connection may be given
    before the server takes it (Linux gives those from 32768 on: net.ipv4.ip_local_port_range)."""
    found: list[int] = []
    for port in random.sample(range(12_000, 32_000), 500):
        if len(found) == count:
            break
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            found.append(port)
    return found


@contextmanager
def serve(kind: str, folder: Path, port: int, app: str = "", base: Path | None = None) -> Iterator[Served]:
    """Run a server of `KINDS` from a folder whose configuration says `port`, and end it for sure.

    Logs are in `base`/log/NAME and process files in `base`/run/NAME, NAME being the folder's; `base` is the
    folder's parent where it is left out. Both may be written by the servers' own users.
    """
    base = base or folder.parent
    served = Served(kind, folder, base / "log" / folder.name, base / "run" / folder.name, port, app)
    for place in (served.log, served.run):
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(0o777)
    try:
        served.start()
        yield served
    finally:
        served.stop()


def _ask(port: int, speaks_http: bool) -> None:
    """Raises where nothing answers yet."""
    if not speaks_http:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    finally:
        connection.close()


def _environment() -> dict[str, str]:
    """Of the tests' environment only what a program needs; a proxy or a key in it changes nothing."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "JAVA_HOME") if name in os.environ}
    return {"PATH": "/usr/bin:/bin", **kept, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
