"""Logs that are given beside a request that is sent: what they say of this request stands at their new end.

Lines from before the request are about others, or about a fault that has been mended since. So where a log grew
while the request was answered, its new lines alone are read; where it did not, all of it is.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from why401.evidence import Evidence
from why401.readers import Input

WRITTEN_WITHIN = (0.05, 0.25, 0.7)  # seconds: servers write a line once the answer is sent
CHUNK = 1 << 20


class Tails:
    """The logs among the inputs, as long as they are now."""

    def __init__(self, inputs: Sequence[Input]) -> None:
        self._logs = [item for item in inputs if _is_log(item)]
        self.others = [item for item in inputs if item not in self._logs]
        self._sizes = {item.name: _size(item.path) for item in self._logs}

    def read(self) -> Evidence:
        """What the logs say after the request. A log that stayed as it was while another one grew says nothing."""
        from why401 import readers

        self._wait()
        grown = [new for item in self._logs if (new := self._new_lines(item)) is not None]
        return readers.read(grown or self._logs)

    def _wait(self) -> None:
        """Until a log has grown, and a moment more: the error log's line may follow the access log's."""
        for seconds in WRITTEN_WITHIN if self._logs else ():
            time.sleep(seconds)
            if any(_size(item.path) > self._sizes[item.name] for item in self._logs):
                time.sleep(WRITTEN_WITHIN[0])
                return

    def _new_lines(self, item: Input) -> Input | None:
        before = self._sizes[item.name]
        if item.path is None or _size(item.path) <= before:
            return None
        with item.path.open("rb") as file:
            lines = 0
            while before - file.tell() > 0:
                lines += file.read(min(CHUNK, before - file.tell())).count(b"\n")
            return replace(item, data=file.read(), first_line=lines + 1)


def _is_log(item: Input) -> bool:
    from why401.readers import kinds

    if item.path is None or kinds.unreadable(item.data):
        return False
    return kinds.kind_of(item.name, kinds.decode(item.data[:20_000]))[0] == "log"


def _size(path: Path | None) -> int:
    try:
        return path.stat().st_size if path else 0
    except OSError:
        return 0
