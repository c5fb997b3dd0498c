"""Tokens and the times of day beside them: refused until the token's own `iat` or `nbf` has come.

A transcript or log often stamps its lines with the time of day alone. A token that was handed out a moment ago,
is refused, and is taken a little later without anything else being done was dated by a clock that is ahead
(RFC 7519, sections 4.1.5 and 4.1.6).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from why401.checks import check
from why401.checks.token_facts import Facts
from why401.evidence import Evidence, Text
from why401.findings import RULED_OUT, Finding, Where
from why401.prefilter import lazy
from why401.protocol.jwt import seconds

_STEP = lazy(
    r"^[^\w\n]{0,3}(?:\d{4}-\d\d-\d\d[T ])?(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)[^\n]{0,60}?"
    r"\b(?P<method>GET|POST|PUT|PATCH|DELETE|HEAD)\s+(?P<path>\S+)[^\n]{0,80}?\s(?P<status>[2-5]\d\d)\b",
    re.MULTILINE,
)
_ISSUES = lazy(r"(?i)token|login|log-in|signin|sign-in|/auth|session|oauth")
_DAY = 86400
_SOON = 900  # seconds: the most by which an unkept clock is commonly off before somebody looks at it


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a transcript: the second of the day, what was asked, and the answer."""

    second: int
    method: str
    path: str
    status: int
    where: Where


def steps(evidence: Evidence) -> tuple[Step, ...]:
    """The stamped lines of all texts, in their order."""
    return tuple(step for text in evidence.texts if text.kind != "code" for step in _steps(text))


def _steps(text: Text) -> Iterator[Step]:
    for match in _STEP.finditer(text.content[:200_000]):
        second = int(match["hour"]) * 3600 + int(match["minute"]) * 60 + int(match["second"])
        at = Where.of(text.source.at(text.line_at(match.start())))
        yield Step(second, match["method"], match["path"], int(match["status"]), at)


@check
def refused_until_its_time(evidence: Evidence) -> Iterator[Finding]:
    """The time of day of the refusals against the time that the token itself gives."""
    seen = steps(evidence)
    refused = [step for step in seen if step.status in (401, 403)]
    if not refused:
        return
    for token in Facts(evidence).offered:
        starts = seconds(token.jwt.claims, "nbf") or seconds(token.jwt.claims, "iat")
        if starts is None:
            continue
        moment = datetime.fromtimestamp(starts, UTC)
        day = moment.hour * 3600 + moment.minute * 60 + moment.second
        ahead = [(day - step.second) % _DAY for step in refused]
        if all(3 <= off <= _SOON for off in ahead):
            says = f"By the times beside them, the refusals came up to {max(ahead)} s before the token's own time."
            weights = {"clock-skew": 24.0, "token-expired": RULED_OUT, "no-credentials": RULED_OUT}
            yield Finding("token-ahead-of-lines", says, weights, refused[0].where, "token-time")
        return


@check
def taken_a_little_later(evidence: Evidence) -> Iterator[Finding]:
    """A token is issued, refused, and taken within minutes, with no new login between."""
    seen = steps(evidence)
    for number, step in enumerate(seen):
        if step.status not in (401, 403) or _ISSUES.search(step.path):
            continue
        issued = [
            s for s in seen[:number] if s.method == "POST" and s.status < 300 and _ISSUES.search(s.path)
        ]
        for later in seen[number + 1 :]:
            if later.method == "POST" and _ISSUES.search(later.path):
                break
            same = (later.method, later.path) == (step.method, step.path) and later.status < 300
            if issued and same and 5 <= (later.second - step.second) % _DAY <= _SOON:
                says = "A token just issued is refused, and the same request is answered a little later."
                weights = {
                    "clock-skew": 13.0,
                    "token-expired": RULED_OUT,
                    "expected-challenge": RULED_OUT,  # a handshake takes no such time
                    "wrong-password": -8.0,
                }
                yield Finding("token-taken-later", says, weights, step.where, "clock-signs")
                return
