"""Start-up beside curl: `python bench/startup.py`. Prints medians and the ratios measured in one run."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 15
WHY401 = str(Path(sys.executable).with_name("why401"))
TRANSCRIPT = """\
$ curl -v -H "Authorization: Bearer $TOKEN" https://api.example.com/orders
> GET /orders HTTP/1.1
> Host: api.example.com
> Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE3MDAwMDAwMDB9.AAAA
>
< HTTP/1.1 401 Unauthorized
< Date: Wed, 15 Nov 2023 12:00:00 GMT
< WWW-Authenticate: Bearer error="invalid_token", error_description="The token expired"
<
"""


def median(command: list[str]) -> float:
    """Seconds of wall time, the median of several runs after one that is not counted."""
    times = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def main() -> None:
    curl = median(["curl", "--version"])
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(TRANSCRIPT)
        file.flush()
        rows = {
            "curl --version": curl,
            "why401 --version": median([WHY401, "--version"]),
            "why401 transcript": median([WHY401, "--offline", file.name]),
            "why401 --json transcript": median([WHY401, "--json", "--offline", file.name]),
        }
    for name, seconds in rows.items():
        print(f"{name:26} {seconds * 1000:7.1f} ms   {seconds / curl:5.1f} × curl")


if __name__ == "__main__":
    main()
