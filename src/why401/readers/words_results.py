# ruff: noqa: E501  (a table of patterns: one a line, however long)
"""Result tables in a message: a label and an outcome on each line (`6.0-focal 200`, `8.0-jammy 401`)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from why401.evidence import Axis, Contrast, Source
from why401.prefilter import Lazy, lazy

_GOOD = r"(?:HTTP\s*)?20[0-9](?:\s+OK)?|ok|works?|worked|success|succeeds|pass(?:ed)?|yes|fine|✓|✔|✅"
_BAD = r"(?:HTTP\s*)?40[137](?:\s+(?:unauthorized|forbidden))?|fails?|failed|failure|error|denied|refused|unauthorized|no|✗|✘|❌"
_ROW = lazy(
    rf"(?im)^[ \t]*[|*•-]?[ \t]*(?P<label>\S[^\n|]{{0,60}}?)(?:[ \t]*(?:\||:|=>|->|→|=)[ \t]*|[ \t]{{2,}}|\t|[ ](?=\d{{3}}[ \t]*$))"
    rf"(?:(?P<good>{_GOOD})|(?P<bad>{_BAD}))[ \t]*\|?[ \t]*$"
)
_RUN = lazy(r"(?<![\w.])(?:(?:20[0-9]|40[13])(?:[\s,;]+|$)){4,}")

#: Rows of a log or a trace, which their own readers read.
_LOGGED = lazy(r"(?i)^http/|^\W*\d{1,2}:\d\d|\d{4}-\d\d-\d\d|\b(?:GET|POST|PUT|PATCH|DELETE)\b.*/")

#: What the labels of a table are, by their look; the first that fits both sides is the axis.
_LABELS: tuple[tuple[Axis, Lazy], ...] = (
    ("method", lazy(r"\b(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)\b")),
    ("client", lazy(r"(?i)\b(?:curl|postman|insomnia|browser|chrome|firefox|safari|edge|app|axios|python|requests|fetch|wget|httpie)\b")),
    ("host", lazy(r"(?i)\b(?:local(?:host)?|dev|staging|prod(?:uction)?|live|test|node\d*|server\s?\d|host\s?\d|pod)\b")),
    ("version", lazy(r"(?i)(?:^|[\s:v@-])\d+\.(?:\d+|x)\b")),
    ("scheme", lazy(r"(?i)\bhttps?\b(?!://\S+/)")),
    ("path", lazy(r"(?:^|\s)/\w|https?://")),
    ("user", lazy(r"(?i)\b(?:user|admin|account|editor|anonymous)\w*\b")),
)  # fmt: skip


def tables(text: str, source: Source) -> Iterator[Contrast]:
    """The contrasts of tables and of runs of statuses ("200 401 200 200 401")."""
    rows = [match for match in _ROW.finditer(text[:60_000]) if not _LOGGED.search(match["label"])]
    good = [match for match in rows if match["good"]]
    bad = [match for match in rows if match["bad"]]
    if good and bad:
        where = source.at((source.line or 1) + text.count("\n", 0, bad[0].start()))
        yield from _compare(good, bad, where)
    for run in _RUN.finditer(text[:60_000]):
        statuses = re.findall(r"20\d|40\d", run.group())
        turns = sum(one[0] != two[0] for one, two in pairwise(statuses))
        if turns >= 2:
            where = source.at((source.line or 1) + text.count("\n", 0, run.start()))
            yield Contrast("frequency", "the same request", " ".join(statuses[:12]), where, "")


def _compare(good: list[re.Match[str]], bad: list[re.Match[str]], where: Source) -> Iterator[Contrast]:
    names = [match["label"].strip() for match in (good[0], bad[0])]
    same = {match["label"].strip() for match in good} & {match["label"].strip() for match in bad}
    if same and len(good) + len(bad) >= 3:
        yield Contrast("frequency", "the same request", same.pop(), where, "")
        return
    for axis, look in _LABELS:
        if all(look.search(match["label"]) for match in (*good, *bad)):
            yield Contrast(axis, names[0], names[1], where, f"{names[0]} / {names[1]}")
            return
