"""Events kept a second, beside Bugsink (https://www.bugsink.com/), in one run and in turns.

    python bench/ingest.py [EVENTS] [ROUNDS]

Each is sent events of 8 KB, gzip, in 200 groups, over 8 connections that are kept open; the clock stops when all that
were acknowledged can be read from its database. why401 scrubs, groups and diagnoses meanwhile, on SQLite with
synchronous=FULL; Bugsink runs as its documentation says, with its quotas lifted. It is installed into a folder of its
own, which takes a minute.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS, GROUPS = 8, 200
WHY401, BUGSINK = 4478, 4479


@dataclass(frozen=True)
class Target:
    port: int
    project: int
    key: str
    kept: Callable[[], int]


def body(number: int) -> bytes:
    """An event as an SDK sends it: a stack of 12 frames with source and locals, breadcrumbs, a request."""
    frames = [
        {"function": f"step_{n}", "module": f"shop.orders.part{n}", "filename": f"shop/orders/part{n}.py",
         "lineno": 40 + n, "in_app": n > 5,
         "pre_context": ["    total = 0", "    for line in order.lines:", "        total += line.price"],
         "context_line": "    response = client.get(url, headers=headers)", "post_context": ["    return response"],
         "vars": {"order": f"<Order {number + n}>", "url": "'https://api.example.com/orders'", "attempt": str(n)}}
        for n in range(12)
    ]  # fmt: skip
    crumbs = [{"timestamp": time.time(), "category": "http", "message": f"GET /stock/{n}", "data": {"status_code": 200}}
              for n in range(16)]  # fmt: skip
    event = {
        "event_id": uuid.uuid4().hex, "timestamp": time.time(), "platform": "python", "level": "error",
        "release": "shop@2.14.0", "environment": "production", "server_name": "web-3", "transaction": "/orders/{id}",
        "tags": {"region": "eu-1", "queue": "default"}, "user": {"id": str(number % 500)},
        "request": {"method": "GET", "url": "https://shop.example/orders/17", "headers": {"Accept": "application/json",
                    "Authorization": f"Bearer {uuid.uuid4().hex}", "User-Agent": "shop-app/5.1"}},
        "breadcrumbs": {"values": crumbs},
        "exception": {"values": [{"type": f"Http{number % GROUPS:03}Error", "value": "401 Unauthorized for url",
                                  "stacktrace": {"frames": frames}}]},
    }  # fmt: skip
    said = json.dumps(event)
    head = json.dumps({"event_id": event["event_id"], "sent_at": "2026-01-01T00:00:00Z"})
    return f'{head}\n{{"type": "event", "length": {len(said)}}}\n{said}\n'.encode()


def requests(target: Target, many: int) -> list[bytes]:
    """Made before the clock starts."""
    head = (
        f"POST /api/{target.project}/envelope/ HTTP/1.1\r\nHost: 127.0.0.1:{target.port}\r\n"
        f"X-Sentry-Auth: Sentry sentry_version=7, sentry_client=bench/1, sentry_key={target.key}\r\n"
        "Content-Type: application/x-sentry-envelope\r\nContent-Encoding: gzip\r\n"
    ).encode()
    packed = (gzip.compress(body(number), 6) for number in range(many))
    return [head + b"Content-Length: %d\r\n\r\n" % len(one) + one for one in packed]


async def send(port: int, waiting: Iterator[bytes], took: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for one in waiting:
        start = time.perf_counter()
        for again in (True, False):
            try:
                writer.write(one)
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                break
            except (ConnectionError, asyncio.IncompleteReadError):
                assert again, "the server closes every connection"
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert head[9:12] == b"200", head
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        await reader.readexactly(length)
        took.append(time.perf_counter() - start)


def measure(target: Target, many: int) -> tuple[float, float]:
    """(events kept a second, milliseconds under which 99 of 100 were answered)."""
    waiting, took, before = iter(requests(target, many)), list[float](), target.kept()

    async def together() -> None:
        await asyncio.gather(*(send(target.port, waiting, took) for _ in range(CONNECTIONS)))

    start = time.perf_counter()
    asyncio.run(together())
    while target.kept() < before + many:
        time.sleep(0.05)
    return many / (time.perf_counter() - start), 1000 * sorted(took)[int(0.99 * many)]


def counter(file: Path, table: str) -> Callable[[], int]:
    def kept() -> int:
        held = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)
        number: int = held.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
        held.close()
        return number

    return kept


@contextmanager
def started(
    *commands: list[str], port: int, folder: Path, more: dict[str, str] | None = None
) -> Iterator[None]:
    processes = [
        subprocess.Popen(command, cwd=folder, env={**os.environ, **(more or {})}, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
        for command in commands
    ]  # fmt: skip
    try:
        for _ in range(300):
            try:
                asyncio.run(asyncio.open_connection("127.0.0.1", port))  # type: ignore[arg-type]
                break
            except OSError:
                time.sleep(0.1)
        yield
    finally:
        for one in processes:
            one.terminate()
        for one in processes:
            one.wait(60)


@contextmanager
def why401(folder: Path) -> Iterator[Target]:
    command = [sys.executable, "-m", "why401.cli.main"]
    data = folder / "why401"
    with started(
        [*command, "serve", "--data", str(data), "--listen", f"127.0.0.1:{WHY401}"],
        port=WHY401,
        folder=folder,
    ):
        add = [*command, "project", "add", "bench", "--data", str(data), "--json"]
        made = json.loads(subprocess.run(add, capture_output=True, check=True).stdout)
        yield Target(WHY401, made["id"], made["key"], counter(data / "why401.sqlite3", "events"))


_PROJECT = "from projects.models import Project; p = Project.objects.create(name='b', retention_max_event_count=10**9);"
_SPANS = ("5_MINUTES", "HOUR", "MONTH")
_QUOTAS = [f"MAX_EVENTS_PER_{what}{span}" for what in ("PROJECT_PER_", "") for span in _SPANS]


@contextmanager
def bugsink(folder: Path) -> Iterator[Target]:
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    programs, run = folder / "venv" / "bin", folder / "bugsink"
    subprocess.run(
        [programs / "pip", "install", "-q", "bugsink>=2.6,<2.7"], check=True, stderr=subprocess.DEVNULL
    )
    run.mkdir()
    more = {"PATH": f"{programs}:{os.environ['PATH']}", "DJANGO_SETTINGS_MODULE": "bugsink_conf"}

    def do(*words: str) -> str:
        done = subprocess.run([programs / words[0], *words[1:]], cwd=run, env={**os.environ, **more}, text=True,
                              capture_output=True, check=True)  # fmt: skip
        return done.stdout

    do("bugsink-create-conf", "--template=singleserver", f"--host=127.0.0.1:{BUGSINK}", f"--base-dir={run}")
    conf = run / "bugsink_conf.py"
    lifted = "".join(f'    "{name}": 10**9,\n' for name in _QUOTAS) + '    "PHONEHOME": False,\n'
    text = (
        conf.read_text()
        .replace('"https://', '"http://')
        .replace("_COOKIE_SECURE = True", "_COOKIE_SECURE = False")
    )
    conf.write_text(text.replace("BUGSINK = {\n", "BUGSINK = {\n" + lifted, 1))
    do("bugsink-manage", "migrate", "snappea", "--database=snappea")
    do("bugsink-manage", "migrate")
    do("bugsink-manage", "prestart")
    project, key = do("bugsink-manage", "shell", "-c", _PROJECT + "print(p.id, p.sentry_key.hex)").split()[
        -2:
    ]
    web = [str(programs / "gunicorn"), f"--bind=127.0.0.1:{BUGSINK}", "--workers=2", "bugsink.wsgi"]
    with started(web, [str(programs / "bugsink-runsnappea")], port=BUGSINK, folder=run, more=more):
        yield Target(BUGSINK, int(project), key, counter(run / "db.sqlite3", "events_event"))


def main(many: int, rounds: int) -> None:
    folder = Path(tempfile.mkdtemp())
    with why401(folder) as ours, bugsink(folder) as theirs:
        print(f"{len(body(0))} bytes an event")
        for _ in range(rounds):
            other, their_p99 = measure(theirs, max(200, many // 10))
            own, p99 = measure(ours, many)
            ours_said = f"why401 {own:.0f}/s, p99 {p99:.0f} ms"
            print(
                f"{ours_said}; Bugsink {other:.0f}/s, p99 {their_p99:.0f} ms: ×{own / other:.1f}", flush=True
            )


if __name__ == "__main__":
    main(*(int(word) for word in (sys.argv[1:] + ["6000", "3"][len(sys.argv) - 1 :])))
