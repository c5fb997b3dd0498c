"""Inputs of more than a megabyte, each of another shape: `python -m tests.soak.large [--only NAME] [--profile]`.

A report on any of them has to be there within a few seconds of CPU; the profile shows where the time goes.
"""

from __future__ import annotations

import argparse
import base64
import cProfile
import json
import pstats
import time
from collections.abc import Callable, Mapping
from typing import Final

import why401

SIZE: Final = 1_200_000
SECONDS: Final = 5.0  #: of CPU for one input

_PROSE: Final = (
    "We get 401 Unauthorized from the API since the upgrade, but only behind the proxy. It works with curl. "
    "The token was made yesterday; the user's password is right.\nDoes anybody know why? "
)
_LOG: Final = (
    '192.0.2.{n} - - [02/Jan/2026:10:{m:02}:{s:02} +0000] "GET /orders/{i} HTTP/1.1" {code} 5 "-" "curl/8"\n'
)
_APP_LOG: Final = (
    "2026-01-02 10:{m:02}:{s:02},123 ERROR [http-{n}] o.e.Filter: login of user{i} failed: status={code}\n"
)


def _filled(text: str) -> str:
    return text * (SIZE // len(text) + 1)


def _lines(form: str) -> str:
    rows = (
        form.format(i=i, n=i % 250, m=i // 60 % 60, s=i % 60, code=(200, 200, 401, 403, 404)[i % 5])
        for i in range(SIZE // len(form))
    )
    return "".join(rows)


def _json() -> str:
    item = {"id": 7, "status": 401, "error": "invalid_token", "headers": {"Authorization": "Bearer made-up"}}
    return json.dumps([item] * (SIZE // 100), indent=1)


def _curl() -> str:
    return _filled(
        "$ curl -H 'Authorization: Bearer made-up' https://api.example.com/x\n< HTTP/1.1 401 Unauthorized\n<\n"
    )


SHAPES: Final[Mapping[str, Callable[[], str]]] = {
    "prose": lambda: _filled(_PROSE),
    "access-log": lambda: _lines(_LOG),
    "app-log": lambda: _lines(_APP_LOG),
    "json": _json,
    "base64": lambda: base64.encodebytes(bytes(range(256)) * (SIZE // 256)).decode(),
    "base64-one-line": lambda: base64.b64encode(bytes(range(256)) * (SIZE // 256)).decode(),
    "one-line": lambda: "HTTP/1.1 401 Unauthorized " + "x" * SIZE,
    "one-line-of-words": lambda: _filled(_PROSE.replace("\n", " ")),
    "minified-script": lambda: _filled(
        "function(a,b){return fetch(a,{headers:{Authorization:`Bearer ${b}`}})};"
    ),
    "blanks": lambda: "401\n" + " " * SIZE,
    "empty-lines": lambda: "401" + "\n" * SIZE,
    "brackets": lambda: "[" * (SIZE // 2) + "]" * (SIZE // 2),
    "braces": lambda: '{"a":' * (SIZE // 5),
    "header-lines": lambda: (
        "HTTP/1.1 401 Unauthorized\n" + "".join(f"X-Field-{i}: 1\n" for i in range(100_000))
    ),
    "one-header": lambda: (
        "HTTP/1.1 401 Unauthorized\nWWW-Authenticate: " + 'Basic realm="a", ' * (SIZE // 17)
    ),
    "curl": _curl,
    "yaml": lambda: _filled("- name: web\n  auth:\n    user: bob\n    password: made-up\n"),
    "markup": lambda: _filled("<div class='error'><p>401 Authorization Required</p></div>\n"),
    "quotes": lambda: '401 "' * (SIZE // 5),
}


def seconds(text: str) -> float:
    """The CPU seconds of a report on `text` in JSON."""
    start = time.process_time()
    why401.render(why401.examine(text))
    return time.process_time() - start


def run(only: str = "", profiled: bool = False) -> int:
    """Time every shape whose name holds `only`; returns how many were too slow."""
    slow = 0
    for name in (name for name in SHAPES if only in name):
        text = SHAPES[name]()
        profile = cProfile.Profile()
        taken = profile.runcall(seconds, text) if profiled else seconds(text)
        slow += taken > SECONDS
        print(f"{'SLOW' if taken > SECONDS else 'ok  '} {name:20} {taken:6.1f} s", flush=True)
        if profiled:
            pstats.Stats(profile).sort_stats("tottime").print_stats(12)
    return slow


def main() -> int:
    """The exit status says whether a shape was too slow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--profile", action="store_true")
    args = parser.parse_args()
    return int(run(args.only, args.profile) > 0)


if __name__ == "__main__":
    raise SystemExit(main())
