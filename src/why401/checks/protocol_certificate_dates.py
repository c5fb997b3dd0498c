"""The dates of a client certificate against the time of the refusal (RFC 5280, section 4.1.2.5).

The time is that of an answer, a log line or a terminal; where none is precise, a date in the report's words;
where there is no date at all, the certificate may at least be over by now.
"""

# Patterns and sentences are read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from why401.checks import check
from why401.checks.credentials_offers import troubled
from why401.evidence import Evidence, Text
from why401.findings import RULED_OUT, Finding, Where
from why401.prefilter import lazy

_NOT_AFTER = lazy(
    r"(?i)(?:not ?after|expires?(?: on)?|expiry|valid(?: until| to)|\buntil:)\s*[=:]?\s*\(?\"?((?:[A-Z][a-z]{2} +\d{1,2},? [\d:]+,? \d{4}(?: (?:GMT|UTC))?)|(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} +\d{1,2} [\d:]+ [A-Z]{3,4} \d{4})|\d{4}-\d\d-\d\d[T ][\d:]+)"
)
_NOT_BEFORE = lazy(
    r"(?i)(?:not ?before|valid from)\s*[=:]\s*\(?\"?((?:[A-Z][a-z]{2} +\d{1,2} [\d:]+ \d{4}(?: GMT)?)|\d{4}-\d\d-\d\d[T ][\d:]+)"
)
_CERTIFICATE = lazy(r"(?i)cert|x509|openssl|keystore|keytool|\.pem|\.crt|\.p12|\.pfx|kube")
_CLIENTS_OWN = lazy(
    r"(?i)client|kube|user|\.p12|\.pfx|my\.|--cert|machine|agent|device|system:masters|keystore"
)
_OF_DATES = lazy(r"(?i)not ?(?:before|after)|expire|valid|until")
_HTTP_DATE = lazy(r"(?im)^[<*\s]*date:\s*(\w{3}, \d\d \w{3} \d{4} [\d:]+ GMT)")
_STAMP = lazy(
    r"\b(20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d)|\b[A-Z][a-z]{2} +([A-Z][a-z]{2} +\d+ [\d:]{8} )(?:[AP]M )?(?:[A-Z]{3,4} )?(20\d\d)"
)
_KLOG = lazy(r"(?m)^[IEWF](\d\d)(\d\d) \d\d:\d\d:\d\d")
_MONTH = r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_IN_WORDS = lazy(
    rf"(?i)\b(\d{{1,2}})(?:st|nd|rd|th)? (?:of )?{_MONTH},? (20\d\d)\b|\b{_MONTH} (\d{{1,2}})(?:st|nd|rd|th)?,? (20\d\d)\b|\b(20\d\d-\d\d-\d\d)\b"
)


@check
def certificate_dates(evidence: Evidence) -> Iterator[Finding]:
    """The end (and the beginning) of a client certificate against the time of the request."""
    if not troubled(evidence):
        return
    for text in evidence.texts:
        if not _CERTIFICATE.search(text.content[:200_000]):
            continue
        for match in _NOT_AFTER.finditer(text.content[:500_000]):
            end = _date(match.group(1))
            if end is None or not _clients(text, match.start()):
                continue
            finding = _against(evidence, text, match.start(), end)
            if finding is not None:
                yield finding
            return


def _clients(text: Text, offset: int) -> bool:
    """Whether the certificate there is the client's, not the one a server showed."""
    near = text.content[max(0, offset - 400) : offset] + text.source.name
    return bool(_CLIENTS_OWN.search(near)) and "Server certificate:" not in near[-200:]


def _against(evidence: Evidence, text: Text, offset: int, end: datetime) -> Finding | None:
    at = Where.of(text.source.at(text.line_at(offset)))
    now, weight = _time_of(evidence), 22.0
    if now is None:
        now, weight = _by_klog(evidence, end), 19.0
    begins = next((d for m in _NOT_BEFORE.finditer(text.content[:500_000]) if (d := _date(m[1]))), None)
    if now is None:
        if end >= datetime.now(UTC):
            return None
        says = f"The client certificate ended on {end:%Y-%m-%d}; when the request was sent is not told."
        return _ended("certificate-over-by-now", says, 13.0, at)
    if begins is not None and now < begins - timedelta(minutes=1):
        says = f"The client certificate begins on {begins:%Y-%m-%d %H:%M}, after this request."
        return _ended("certificate-not-yet", says, weight, at)
    if end < now:
        return _ended(
            "certificate-ended",
            f"The client certificate ended on {end:%Y-%m-%d}, before this request.",
            weight,
            at,
        )
    says = f"The client certificate is good until {end:%Y-%m-%d}."
    return Finding("certificate-good", says, {"client-certificate-expired": RULED_OUT}, at)


def _ended(id: str, says: str, weight: float, at: Where) -> Finding:
    weights = {"client-certificate-expired": weight, "no-credentials": -10.0, "wrong-environment": -6.0}
    return Finding(id, says, weights, at, "certificate-dates")


def _date(text: str) -> datetime | None:
    text = re.sub(
        r" +", " ", re.sub(r" (?:GMT|UTC|[A-Z]{3,4})(?= |$)|,|^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ", "", text)
    )
    for form in ("%b %d %H:%M:%S %Y", "%b %d %H:%M %Y", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"):
        try:
            return datetime.strptime(text.strip(), form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


def _time_of(evidence: Evidence) -> datetime | None:
    """When it happened: by a Date field, an exchange, a log record, a date in a terminal, or one in words."""
    times: list[datetime | None] = [x.time for x in evidence.exchanges]
    times += [r.time for r in evidence.records]
    for text in evidence.texts:
        times += [parsedate_to_datetime(match[1]) for match in _HTTP_DATE.finditer(text.content[:500_000])]
    if not any(times):
        times += [_stamp(line) for line in _other_lines(evidence)]
    if not any(times):
        times += [_in_words(line) for line in _other_lines(evidence)]
    known = [t if t.tzinfo else t.replace(tzinfo=UTC) for t in times if t]
    return max(known, default=None)


def _other_lines(evidence: Evidence) -> Iterator[str]:
    """The lines that do not tell a certificate's own dates."""
    for text in evidence.texts:
        if text.kind == "code":
            continue
        for line in text.content[:100_000].splitlines():
            if not _OF_DATES.search(line):
                yield line


def _stamp(line: str) -> datetime | None:
    found = _STAMP.search(line)
    if found is None:
        return None
    return _date(found[1].replace("T", " ") if found[1] else found[2] + found[3])


def _in_words(line: str) -> datetime | None:
    """The end of the day that a line names, since the hour is not known."""
    found = _IN_WORDS.search(line)
    if found is None:
        return None
    day, month, year, month2, day2, year2, iso = found.groups()
    try:
        if iso:
            return datetime.fromisoformat(iso).replace(hour=23, tzinfo=UTC)
        text = f"{(month or month2).title()} {day or day2} {year or year2}"
        return datetime.strptime(text, "%b %d %Y").replace(hour=23, tzinfo=UTC)
    except ValueError:
        return None


def _by_klog(evidence: Evidence, end: datetime) -> datetime | None:
    """A log line of Kubernetes names day and month alone: with the year that is nearest to the end."""
    for text in evidence.texts:
        match = _KLOG.search(text.content[:200_000])
        if match is None:
            continue
        try:
            years = [
                datetime(end.year + shift, int(match[1]), int(match[2]), 23, tzinfo=UTC)
                for shift in (-1, 0, 1)
            ]
        except ValueError:
            return None
        return min(years, key=lambda moment: abs(moment - end))
    return None
