"""Checks on versions as people tell them: one that works beside one that does not, or an upgrade by numbers.

A version is told from an address, a path or an amount by what stands around it; what is said of it must be an
outcome of its own. Only what people wrote is read, since a log names versions for other reasons.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from why401.checks import check
from why401.evidence import Evidence, Text
from why401.findings import CLEAR, FAINT, HINT, STRONG, Finding, Where
from why401.prefilter import lazy

LONGEST: Final = 60_000  # characters of a text that are read
NEAR: Final = 160  # characters between two versions that are compared

_NUMBER: Final = (
    r"(?<![\w./:@$-])(?:[vV]|r)?(?!\d{1,3}(?:\.\d{1,3}){3}\b)\d{1,4}\.(?:\d+|x)(?:\.(?:\d+|x))*(?:[-.+]?[A-Za-z]{1,12}\.?\d*)?"
    r"(?![\w/:@%]*[/:@%])"
)
_GOOD: Final = (
    r"(?:works?|worked|working|(?:was|were|is|are)\s+(?:all\s+)?(?:fine|ok(?:ay)?|good)"
    r"|fine\b|ok\b|200\b|✓|✔|✅|no\s+problems?)"
)
_BAD: Final = (
    r"(?:fails?\b|failed|failing|(?:is\s+|was\s+)?broken|breaks|broke\b|40[13]\b|refuse[sd]|rejects?\b|does\s?n.t|not\s+work\w*"
    r"|unauthori[sz]ed|no\s+longer|asks?\b|✗|✘|❌)"
)
_OUTCOME: Final = lazy(
    rf"(?P<version>{_NUMBER})[)\]]?\s*(?:->|→|=>|[:|,=-]|it\b|this\b|everything\b|all\b|\s)*\s*(?:(?:is|was|still|only|also|always|just)\s+)*"
    rf"(?:(?P<good>{_GOOD})|(?P<bad>{_BAD}))"
)


def _told(evidence: Evidence) -> Iterator[Text]:
    return (text for text in evidence.texts if text.kind in ("message", "terminal"))


@check
def versions_apart(evidence: Evidence) -> Iterator[Finding]:
    """One version works and another is refused, close together ("1.9.2 works", "1.10.0 → 401")."""
    for text in _told(evidence):
        good: dict[str, int] = {}
        bad: dict[str, int] = {}
        for match in _OUTCOME.finditer(text.content[:LONGEST]):
            mine, others = (good, bad) if match["good"] else (bad, good)
            mine[match["version"]] = match.start()
            near = (v for v, at in others.items() if match.start() - at < NEAR and v != match["version"])
            if next(near, None) is not None:
                yield Finding(
                    "versions-apart",
                    "One version works and another is refused.",
                    {"upgrade-regression": STRONG, "software-bug": CLEAR, "wrong-password": -5.0},
                    Where.of(text.source.at(text.line_at(match.start()))),
                    group="up",
                )
                return


#: An upgrade told by its numbers: id, what it looks like, and how much it says.
_TOLD: Final = (
    (
        "good-until-version",
        rf"\b(?:work(?:s|ed|ing)|fine|ok|good|no\s+(?:problems?|issues?))\b[^\n.]{{0,40}}?\b(?:through|until|till|up\s+to|before|prior\s+to"
        rf"|as\s+late\s+as|in|on|with|under)\s+(?:version\s+|release\s+)?(?:[A-Za-z][\w-]*\s+){{0,2}}{_NUMBER}",
        "It was fine up to a version.",
        {"upgrade-regression": CLEAR, "software-bug": HINT, "wrong-password": -5.0},
    ),
    (
        "upgraded-from-version",
        rf"\b(?:up-?grad\w+|up-?dat\w+|bump\w+|mov(?:ed|ing)|migrat\w+|switch\w+|went|going)\s+(?:\S+\s+){{0,4}}?(?:from\s+"
        rf"(?:version\s+)?(?:[A-Za-z][\w-]*\s+){{0,2}}{_NUMBER}|to\s+(?:version\s+)?(?:[A-Za-z][\w-]*\s+){{0,2}}{_NUMBER}"
        r"|to\s+(?:the\s+)?(?:current|latest|newest|most\s+recent|new(?:er)?\s+(?:version|release))\b)",
        "The software was upgraded from one version to another.",
        {"upgrade-regression": CLEAR, "software-bug": FAINT, "wrong-password": -5.0},
    ),
    (
        "now-on-version",
        rf"{_NUMBER}[^\n.]{{0,20}}(?:\.\s+)?,?\s*\bnow\s+(?:on\s+|at\s+|with\s+|running\s+)?(?:[A-Za-z][\w-]*\s+){{0,2}}{_NUMBER}",
        "An older version is named beside the one in use now.",
        {"upgrade-regression": CLEAR, "software-bug": FAINT},
    ),
)


@check
def upgrade_told(evidence: Evidence) -> Iterator[Finding]:
    """An upgrade by its numbers, in a report about a refusal."""
    for text in _told(evidence):
        for id, pattern, says, weights in _TOLD:
            match = text.find(pattern, re.IGNORECASE, stop=LONGEST)
            if match:
                yield Finding(
                    id, says, weights, Where.of(text.source.at(text.line_at(match.start()))), group="up"
                )
