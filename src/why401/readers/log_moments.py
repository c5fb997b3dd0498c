"""Where in a log, whose lines are in order of time, the moments lie that other evidence names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from why401.prefilter import lazy
from why401.readers import kinds, log_times

LONGEST = 8_000
MOST_BYTES = 16_000_000  #: of one input that are searched for times
PAGE = 16_384  #: bytes at one place in which the next time has to stand
_MOMENT = lazy(
    r'"startedDateTime":\s*"([^"]+)"|^[<\s]*date: (\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT)', re.I | re.M
)


def moments_in(texts: Sequence[bytes]) -> list[datetime]:
    """The times of exchanges that other, small inputs name (HAR entries, Date fields); at most 20."""
    found: list[datetime] = []
    for data in texts:
        for match in list(_MOMENT.finditer(kinds.decode(data[:MOST_BYTES])))[-20:]:
            time = log_times.find(match[1] or match[2])
            if time is not None:
                found.append(time)
    return found[-20:]


def places(path: Path, size: int, moments: Sequence[datetime]) -> list[int]:
    """Where in the file, whose lines are in order of time, the moments lie; local time is tried beside UTC."""
    if not moments:
        return []
    with path.open("rb") as file:
        places = set()
        zoned = log_times.zoned(file.readline(LONGEST).decode("utf-8", "replace"))
        for moment in moments:
            away = moment.astimezone().utcoffset()
            shifted = [moment] if zoned or not away else [moment, moment + away]
            for sought in shifted:
                low, high = 0, size
                while high - low > 4096:
                    middle = (low + high) // 2
                    file.seek(middle)
                    time = _next_time(file.readlines(PAGE)[1:])
                    if time is None or time >= sought:
                        high = middle
                    else:
                        low = middle
                places.add(low)
    return sorted(places)


def _next_time(lines: Sequence[bytes]) -> datetime | None:
    texts = (line[:300].decode("utf-8", "replace") for line in lines)
    return next((time for text in texts if (time := log_times.find(text))), None)
