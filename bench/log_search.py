"""Searches a log of 1 GB beside grep (and rg): `python bench/log_search.py [MB | FILE]`.

Without a file two are made here, an error log of nginx and an access log, and deleted afterwards. Printed are
seconds, the best of three with the file in memory, and the ratio to grep in the same run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from why401.readers import big_logs

RUNS = 3
WORDS = "40[137]|[uU]th|enied|orbidden|assword|oken|redential|ertificate|not found in"
STATUS = '" 40[137] '


def make(path: Path, size: int, *, errors: bool) -> None:
    """A log of `size` bytes: one line in twenty-five speaks of a refusal."""
    with path.open("wb") as file:
        number = 0
        while file.tell() < size:
            lines = [(error_line if errors else access_line)(number + n) for n in range(10_000)]
            file.write("".join(lines).encode())
            number += 10_000


def error_line(n: int) -> str:
    """A line of nginx's error log."""
    refused = n % 25 == 0
    message = (
        f'user "user{n % 977}": password mismatch'
        if refused
        else f'open() "/var/www/static/{n % 9973}.png" failed (2: No such file or directory)'
    )
    return (
        f"2026/05/{n // 2_000_000 % 28 + 1:02} {n // 90_000 % 24:02}:{n // 1500 % 60:02}:{n // 25 % 60:02} [error] "
        f"77#77: *{n} {message}, client: 10.{n % 250}.{n % 199}.{n % 99}, server: shop.example, "
        f'request: "GET /orders/{n % 5021} HTTP/1.1", host: "shop.example"\n'
    )


def access_line(n: int) -> str:
    """A line in the combined format."""
    status = 401 if n % 25 == 0 else 200
    stamp = (
        f"{n // 2_000_000 % 28 + 1:02}/May/2026:{n // 90_000 % 24:02}:{n // 1500 % 60:02}:{n // 25 % 60:02}"
    )
    return (
        f"10.{n % 250}.{n % 199}.{n % 99} - - [{stamp} +0000] "
        f'"GET /orders/{n % 5021}?page={n % 7} HTTP/1.1" {status} {n % 40_000} "https://shop.example/" '
        '"Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0"\n'
    )


def best(run: Callable[[], object]) -> float:
    """Seconds of wall time, the best of several runs."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def outside(*command: str) -> Callable[[], object]:
    """A run of another program in the C locale, its output read as by a pipe."""
    environment = os.environ | {"LC_ALL": "C"}
    return lambda: subprocess.run(command, capture_output=True, check=False, env=environment)


def compare(path: Path, pattern: str) -> None:
    """Print the times and ratios for one file."""
    found = big_logs.search(path)
    rows = {
        "why401": best(lambda: big_logs.search(path)),
        "grep -aE": best(outside("grep", "-aE", pattern, str(path))),
        "grep -acE (counts only)": best(outside("grep", "-acE", pattern, str(path))),
    }
    if shutil.which("rg"):
        rows["rg -a"] = best(outside("rg", "-a", pattern, str(path)))
    size = path.stat().st_size / 1e6
    print(f"{path.name}: {size:.0f} MB, {found.total} lines, {len(found.lines)} kept, {found.counts}")
    for name, seconds in rows.items():
        print(f"  {name:24} {seconds:6.2f} s   {seconds / rows['grep -aE']:5.2f} × grep")


def main() -> None:
    """Search the named file, or files made for the purpose."""
    given = sys.argv[1] if len(sys.argv) > 1 else "1000"
    if not given.isdigit():
        compare(Path(given), WORDS if "error" in Path(given).name else STATUS)
        return
    with tempfile.TemporaryDirectory() as folder:
        for name, errors in (("error.log", True), ("access.log", False)):
            path = Path(folder, name)
            make(path, int(given) * 1_000_000, errors=errors)
            compare(path, WORDS if errors else STATUS)
            path.unlink()


if __name__ == "__main__":
    main()
