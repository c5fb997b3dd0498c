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
    r"(?![\w/@%]*[/@%])(?!:\d)"
)
_GOOD: Final = (
    r"(?:works?|worked|working|(?:was|were|is|are)\s+(?:all\s+)?(?:fine|ok(?:ay)?|good)"
    r"|fine\b|ok\b|200\b|✓|✔|✅|no\s+problems?)"
)
_BAD: Final = (
    r"(?:fails?\b|failed|failing|(?:is\s+|was\s+)?broken|breaks|broke\b|40[13]\b|refuse[sd]|rejects?\b|does\s?n.t|not\s+work\w*"
    r"|unauthori[sz]ed|no\s+longer|asks?\b|(?:is|are)\s+gone|this\b(?!\s+\w)|✗|✘|❌)"
)
_OUTCOME: Final = lazy(
    rf"(?P<version>{_NUMBER})[)\]]?\s*(?:->|→|=>|[:|,=-]|it\b|this\b|everything\b|all\b|\s)*\s*(?:(?:is|was|still|only|also|always|just)\s+)*"
    rf"(?:[a-z]{{3,8}}\s+){{0,2}}?"
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


#: The version that a program says it has, and a status on a line of its own, in the order of a terminal.
_SAID: Final = lazy(
    r"(?m)^(?P<program>[a-z][\w.-]{1,30})(?: version)?[ /]v?(?P<number>\d+\.\d+(?:\.\d+)*)\b"
    r"|^(?:HTTP/\S+ )?(?P<status>200|401|403)(?: \w+)?$"
)


@check
def same_command_other_version(evidence: Evidence) -> Iterator[Finding]:
    """The same program is asked for its version twice, and what follows ends differently."""
    for text in _told(evidence):
        ended: dict[str, dict[str, bool]] = {}
        last = ("", "")
        for match in _SAID.finditer(text.content[:LONGEST]):
            if match["program"]:
                last = (match["program"], match["number"])
            elif last[0]:
                ended.setdefault(last[0], {})[last[1]] = match["status"] == "200"
                if len(set(ended[last[0]].values())) == 2:
                    yield Finding(
                        "same-command-other-version",
                        f"The same command works with one version of {last[0]} and is refused with another.",
                        {"upgrade-regression": STRONG + FAINT, "software-bug": HINT, "wrong-password": -8.0},
                        Where.of(text.source.at(text.line_at(match.start()))),
                        group="up",
                    )
                    return


_RAISED: Final = lazy(
    r"(?m)^-\s*[\"']?(?P<name>[\w@/.:-]+?)[\"']?\s*(?:[:=]=?|\s)\s*[\"']?[\^~v]?(?P<old>\d+\.\d[\w.-]*)[\"',]*\s*\n"
    r"\+\s*[\"']?(?P=name)[\"']?\s*(?:[:=]=?|\s)\s*[\"']?[\^~v]?(?P<new>\d+\.\d[\w.-]*)"
)


@check
def version_raised_in_diff(evidence: Evidence) -> Iterator[Finding]:
    """A difference of files that raises the version of one part."""
    for text in evidence.texts:
        match = _RAISED.search(text.content[:LONGEST])
        if match and match["old"] != match["new"]:
            yield Finding(
                "version-raised-in-diff",
                f"Between working and failing, {match['name']} went from {match['old']} to {match['new']}.",
                {"upgrade-regression": STRONG + FAINT, "software-bug": FAINT, "wrong-password": -5.0},
                Where.of(text.source.at(text.line_at(match.start()))),
                group="up",
            )
            return
