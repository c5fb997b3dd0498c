"""Cookie dates (RFC 6265bis, section 5.1.1)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from why401.prefilter import lazy

_DELIMITER = lazy(r"[\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")
_TIME = lazy(r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\D.*)?", re.S | re.A)
_DAY = lazy(r"(\d{1,2})(?:\D.*)?", re.S | re.A)
_YEAR = lazy(r"(\d{2,4})(?:\D.*)?", re.S | re.A)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def parse_date(text: str) -> datetime | None:
    """A cookie-date (section 5.1.1): the most tolerant of all date formats, but not boundless."""
    time: tuple[int, int, int] | None = None
    day = month = year = None
    for word in _DELIMITER.split(text):
        if time is None and (match := _TIME.fullmatch(word)):
            time = (int(match[1]), int(match[2]), int(match[3]))
        elif day is None and (match := _DAY.fullmatch(word)):
            day = int(match[1])
        elif month is None and word[:3].lower() in _MONTHS:
            month = _MONTHS.index(word[:3].lower()) + 1
        elif year is None and (match := _YEAR.fullmatch(word)):
            year = _full_year(int(match[1]))
    if time is None or day is None or month is None or year is None or year < 1601:
        return None
    try:
        return datetime(year, month, day, *time, tzinfo=UTC)
    except ValueError:
        return None


def _full_year(year: int) -> int:
    return year + 1900 if 70 <= year <= 99 else year + 2000 if year <= 69 else year
