"""Ten million small events kept in SQLite: how long the server takes for each page.

    python bench/many_events.py [EVENTS] [FOLDER]

Bulk-loads the events of a month into a new data folder (5,000 groups, one of which has a third of the events; 40
routes counted by the minute), starts the server on it, and prints the milliseconds of each page: the median of five
requests, the first of them apart.
"""

from __future__ import annotations

import json
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from why401.monitor import ids, projects, users
from why401.monitor.kept import packed
from why401.monitor.store import FILE, open_store

GROUPS, ROUTES, MONTH, PORT = 5_000, 40, 30 * 86400, 4477
NOW = time.time()
PAGES = (
    "/", "/projects/1", "/projects/1?span=month", "/projects/1?q=group+77&state=all", "/projects/1?q=shop:7&state=all",
    "/projects/1?order=events&state=all", "/projects/1/groups/{large}", "/projects/1/groups/{large}?span=month",
    "/projects/1/groups/{small}", "/projects/1/routes", "/projects/1/routes?span=month", "/projects/1/filters",
    "/projects/1/alerts", "/projects/1/settings", "/people", "/turned-away", "/audit",
    "/api/v1/projects/1/events?limit=1000", "/api/v1/projects/1/groups?limit=200",
    "/api/v1/projects/1/groups/{large}/events",
    "/api/v1/projects/1", "/api/v1/projects/1/traffic?span=month",
)  # fmt: skip


def identity(at: float, number: int) -> int:
    return ids.at(at) + number % 4096


def group_of(number: int) -> int:
    return 0 if number % 3 == 0 else 1 + (number * 7919) % (GROUPS - 1)


def events(many: int, bodies: list[bytes]) -> Iterator[tuple[Any, ...]]:
    for number in range(many):
        at = NOW - MONTH + MONTH * number / many
        group = group_of(number)
        yield (
            identity(at, number), 1, 1000 + group, f"{number:032x}", at, "message", None, "Timeout",
            f"group {group} failed", "error", f"1.{number * 30 // many}", "production", f"user {number % 1000}", "", "",
            bodies[number % 50],
        )  # fmt: skip


def load(data: Path, many: int) -> None:
    store = open_store(data)
    projects.add(store, "large", f"http://127.0.0.1:{PORT}")
    users.add(store, "ada", "owner", "correct horse battery")
    store.close()
    bodies = [
        packed({"id": "0" * 32, "kind": "message", "message": "failed", "time": NOW, "context": {"n": n}})
        for n in range(50)
    ]
    held = sqlite3.connect(data / FILE, isolation_level=None)
    held.execute("PRAGMA synchronous=OFF")
    held.execute("BEGIN")
    names = ("id, project_id, group_id, client_id, received, kind, status, class, message, level, release, environment,"
             '"user", trace, credential, body')  # fmt: skip
    held.executemany(f"INSERT INTO events ({names}) VALUES ({','.join('?' * 16)})", events(many, bodies))
    counted = Counter((int((NOW - MONTH + MONTH * n / many) // 60), 1000 + group_of(n)) for n in range(many))
    held.executemany(
        "INSERT INTO minutes (project_id, minute, group_id, events) VALUES (1, ?, ?, ?)",
        ((minute, group, number) for (minute, group), number in sorted(counted.items())),
    )
    held.execute(
        "INSERT INTO minutes (project_id, minute, group_id, events)"
        " SELECT 1, minute, -1, SUM(events) FROM minutes GROUP BY minute"
    )
    sizes = Counter(group_of(n) for n in range(many))
    held.executemany(
        "INSERT INTO groups (id, project_id, fingerprint, kind, title, first_seen, last_seen, events)"
        " VALUES (?, 1, ?, 'message', ?, ?, ?, ?)",
        (
            (1000 + g, f"f{g}", f"group {g} failed", NOW - MONTH, NOW - random.random() * 86400, n)
            for g, n in sizes.items()
        ),
    )
    held.executemany(
        "INSERT INTO tags (group_id, key, value, project_id, events, last_seen) VALUES (?, 'shop', ?, 1, 1, ?)",
        ((1000 + g, str(g % 20), NOW) for g in range(GROUPS)),
    )
    held.executemany(
        "INSERT INTO tags (group_id, key, value, project_id, events, last_seen) VALUES (1000, 'user', ?, 1, 1, ?)",
        ((f"user {n}", NOW) for n in range(1000)),
    )
    digest = json.dumps([[float(n), 1] for n in range(10, 210, 10)]).encode()
    held.executemany(
        "INSERT INTO requests (project_id, minute, route_key, environment, method, route, status, count, sum, sumsq,"
        " digest) VALUES (1, ?, ?, 'production', 'GET', ?, ?, 10, 500, 30000, ?)",
        (
            (minute, f"{route}-{status}", f"/route/{route}", status, digest)
            for minute in range(int((NOW - MONTH) // 60), int(NOW // 60))
            for route in range(ROUTES)
            for status in (200, 401)
        ),
    )
    held.execute(
        "INSERT INTO hours (project_id, hour, route_key, environment, method, route, status, count, sum, sumsq, digest)"
        " SELECT 1, minute / 60, route_key, environment, method, route, status, SUM(count), SUM(sum), SUM(sumsq),"
        " digest"
        " FROM requests GROUP BY minute / 60, route_key"
    )
    held.execute("COMMIT")
    held.execute("ANALYZE")
    held.close()


def ask(page: httpx.Client, path: str) -> tuple[float, float]:
    took = []
    for _ in range(5):
        start = time.perf_counter()
        answer = page.get(path)
        took.append(1000 * (time.perf_counter() - start))
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:200])
    return took[0], statistics.median(took)


def main(many: int, data: Path) -> None:
    if not (data / FILE).exists():
        start = time.perf_counter()
        load(data, many)
        took, size = time.perf_counter() - start, (data / FILE).stat().st_size / 1e9
        print(f"{many:,} events loaded in {took:.0f} s, {size:.1f} GB")
    why401 = [sys.executable, "-m", "why401.cli.main"]
    command = [*why401, "user", "token", "ada", "--data", str(data)]
    token = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    command = [*why401, "serve", "--data", str(data), "--listen", f"127.0.0.1:{PORT}"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    fields = {"Authorization": f"Bearer {token}", "Accept": "text/html"}
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{PORT}", headers=fields, timeout=60) as page:
            for _ in range(100):
                try:
                    page.get("/healthz")
                    break
                except httpx.HTTPError:
                    time.sleep(0.1)
            print(f"{'first':>8} {'median':>8}  ms")
            for path in PAGES:
                first, median = ask(page, path.format(large=1000, small=1001))
                print(f"{first:8.0f} {median:8.0f}  {path}{'' if median < 300 else '   <-- slow'}")
    finally:
        server.terminate()
        server.wait(30)


if __name__ == "__main__":
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(tempfile.mkdtemp()) / "data"
    main(many, folder)
