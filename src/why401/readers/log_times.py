# ruff: noqa: E501  (patterns: one a line)
"""The time that stands in a log line, whichever of the usual ways it is written in.

A time without a zone is taken as UTC: times of one input stay comparable, and nothing that must know the true
clock may rely on it. A time without a year (syslog) is no time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from why401.prefilter import lazy

_MONTHS = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}
_ZONE = r"(?:\s?(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d))?"
_CLOCK = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:[.,](?P<part>\d{1,9}))?"
_PATTERNS = tuple(
    lazy(pattern)
    for pattern in (
        rf"(?<!\d)(?P<year>\d{{4}})[-/](?P<month>\d\d)[-/](?P<day>\d\d)(?:[T ]|\s+-\s+){_CLOCK}{_ZONE}",
        rf"(?<!\d)(?P<day>\d\d)/(?P<name>[A-Za-z]{{3}})/(?P<year>\d{{4}})[: ]{_CLOCK}{_ZONE}",
        rf"\b(?P<name>[A-Z][a-z]{{2}})\s+(?P<day>\d\d?)\s+{_CLOCK}\s+(?P<year>\d{{4}})",
        # java.util.logging: Jan 02, 2024 3:04:05 PM
        r"\b(?P<name>[A-Z][a-z]{2}) (?P<day>\d\d?), (?P<year>\d{4}) (?P<hour>\d\d?):(?P<minute>\d\d):(?P<second>\d\d) (?P<half>[AP]M)",
        rf"\b(?P<day>\d\d?)\s(?P<name>[A-Z][a-z]{{2}})\s(?P<year>\d{{4}})\s{_CLOCK}{_ZONE}",
        rf"\b(?P<day>\d\d)-(?P<name>[A-Z][a-z]{{2}})-(?P<year>\d{{4}})\s{_CLOCK}{_ZONE}",
        rf"(?<![\d-])(?P<year>\d\d)-(?P<month>\d\d)-(?P<day>\d\d)\s{_CLOCK}{_ZONE}",
    )
)
_EPOCH = lazy(r"(?<![\d.])(1[0-9]{9})(?:\.(\d{1,6})|(\d{3}))?(?![\d.])")


_YEARLESS = lazy(
    rf"^\W{{0,2}}(?:<\d+>)?(?:(?P<name>[A-Z][a-z]{{2}})\s+(?P<day>\d\d?)|[EWI](?P<month>\d\d)(?P<day2>\d\d)) {_CLOCK}"
)
_ZONED = lazy(r":\d\d(?:[.,]\d+)?\s?(?:Z\b|UTC\b|GMT\b|[+-]\d\d:?\d\d\b)")


def zoned(text: str) -> bool:
    """Whether the first time in `text` names its zone, or counts seconds since 1970."""
    if _ZONED.search(text):
        return True
    return not any(pattern.search(text) for pattern in _PATTERNS) and _EPOCH.search(text) is not None


def of_year(text: str, year: int) -> datetime | None:
    """A time that stands without its year (syslog, klog) at the beginning of `text`, in that year."""
    match = _YEARLESS.match(text)
    if not match:
        return None
    held = match.groupdict()
    return _time(held | {"year": str(year), "day": held["day"] or held["day2"]})


def find(text: str) -> datetime | None:
    """The first time in `text`, or None."""
    for pattern in _PATTERNS:
        match = pattern.search(text)
        if match:
            return _time(match.groupdict())
    match = _EPOCH.search(text)
    if match:
        part = match[2] or match[3] or "0"
        return datetime.fromtimestamp(int(match[1]), UTC) + timedelta(seconds=float(f"0.{part}"))
    return None


def _time(found: dict[str, str | None]) -> datetime | None:
    year = int(found["year"] or 0)
    name = found.get("name")
    month = _MONTHS.get(name.lower(), 0) if name else int(found.get("month") or 0)
    part = (found.get("part") or "0")[:6].ljust(6, "0")
    try:
        return datetime(
            year + 2000 if year < 100 else year,
            month,
            int(found["day"] or 0),
            _hour(int(found["hour"] or 0), found.get("half")),
            int(found["minute"] or 0),
            min(int(found["second"] or 0), 59),  # a leap second
            int(part),
            _zone(found.get("zone")),
        )
    except ValueError:
        return None


def _hour(hour: int, half: str | None) -> int:
    return hour if half is None else hour % 12 + (12 if half == "PM" else 0)


def _zone(text: str | None) -> timezone:
    if not text or text in ("Z", "UTC", "GMT"):
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))
