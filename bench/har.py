"""Reads a large HAR and prints how long it took and how much memory: `python bench/har.py [entries]`.

The file is made here: 5,000 entries, 50 MB, most of it bodies, one entry in fifty refused.
"""

from __future__ import annotations

import json
import resource
import sys
import time

from why401.evidence import Source
from why401.readers import har

BODY = 9_000  # characters of a response's body
ENTRIES = 5_000


def make(entries: int) -> str:
    """The text of a HAR with so many entries."""
    body = "<p>lorem ipsum dolor sit amet</p>" * (BODY // 33)
    parts = [json.dumps(entry(number, body)) for number in range(entries)]
    head = '{"log":{"version":"1.2","creator":{"name":"WebInspector","version":"537.36"},"entries":['
    return head + ",".join(parts) + "]}}"


def entry(number: int, body: str) -> dict[str, object]:
    """One entry as Chrome writes it."""
    refused = number % 50 == 0
    headers = [{"name": f"x-header-{i}", "value": "value"} for i in range(8)]
    return {
        "startedDateTime": "2024-05-06T07:08:09.123Z",
        "time": 12.5,
        "request": {
            "method": "GET",
            "url": f"https://www.example.com/items/{number}?page=1",
            "httpVersion": "h2",
            "headers": [*headers, {"name": "authorization", "value": "Bearer made-up-token-for-a-bench"}],
            "cookies": [],
        },
        "response": {
            "status": 401 if refused else 200,
            "statusText": "",
            "headers": [*headers, {"name": "www-authenticate", "value": 'Bearer realm="bench"'}],
            "content": {"size": len(body), "mimeType": "text/html", "text": body},
            "redirectURL": "",
        },
    }


def main() -> None:
    """Make, read, print."""
    entries = int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES
    text = make(entries)
    began = time.perf_counter()
    evidence = har.read(text, Source("bench.har"))
    took = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{len(text) / 1e6:.0f} MB, {len(evidence.exchanges)} exchanges: {took:.2f} s, peak {peak:.0f} MB")


if __name__ == "__main__":
    main()
