"""Like situations that end differently: what people say, and what the exchanges themselves show.

A contrast in words is read by `readers/plain_words`; one between two exchanges is found here: a request that
succeeds and one that is refused, and that differ in one respect only. What a contrast speaks for is a table
(`contrasts_rules`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice, pairwise

from why401.checks import check
from why401.checks.contrasts_rules import NO_DIFFERENCE, RULES, Rule
from why401.evidence import Axis, Contrast, Evidence, Exchange
from why401.findings import Finding, Where

MOST = 40  # exchanges of each kind that are compared


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


def _rule(contrast: Contrast) -> Rule | None:
    for rule in RULES:
        if rule.axis != contrast.axis:
            continue
        if _pattern(rule.works).search(contrast.works) and _pattern(rule.fails).search(contrast.fails):
            return rule
    return None


@check
def contrasts(evidence: Evidence) -> Iterator[Finding]:
    """Each rule that a contrast fits, once."""
    seen: set[str] = set()
    for contrast in (*evidence.contrasts, *between_exchanges(evidence)):
        rule = _rule(contrast)
        if rule is None or rule.id in seen:
            continue
        seen.add(rule.id)
        yield Finding(
            rule.id,
            rule.says,
            rule.weights,
            Where.of(contrast.source),
            group=rule.group or f"contrast-{rule.axis}",
        )


_UNCHANGED = (
    r"(?:same|no\s+(?:change|difference|effect|luck|success|help)|also\s+(?:fail|401|refus)|(?:does|do|did)(?:\s+not|n['’]t)\s+help"
    r"|still|either|neither|not\s+(?:fix|solve|change)|nothing\s+(?:changed|wrong)|in\s+vain|both\s+(?:fail|give|return|get))"
)


@check
def made_no_difference(evidence: Evidence) -> Iterator[Finding]:
    """What was tried and gave the same answer speaks against the causes that it would have mended."""
    sentences = re.split(r"(?<=[.!?;])\s+|\n\s*\n", evidence.prose[:60_000])
    for same in NO_DIFFERENCE:
        for sentence in sentences:
            if _pattern(same.what).search(sentence) and _pattern(rf"\b{_UNCHANGED}").search(sentence):
                yield Finding(same.id, same.says, same.weights, group=same.id)
                break


def between_exchanges(evidence: Evidence) -> Iterator[Contrast]:
    """The contrasts that two exchanges draw when they differ in one respect only."""
    good = list(islice(evidence.succeeded, MOST))
    bad = [x for x in islice(evidence.refused, MOST) if x.request.method != "OPTIONS"]
    yield from _by_turns(evidence)
    seen: set[Axis] = set()
    for one in good:
        for two in bad:
            contrast = _differ(one, two)
            if contrast is not None and contrast.axis not in seen:
                seen.add(contrast.axis)
                yield contrast


def _respects(exchange: Exchange) -> dict[Axis, str | None]:
    """What of a request is compared, by axis; None where it is not known."""
    request = exchange.request
    credential = request.fields.get("authorization") or request.fields.get("cookie")
    unknown = credential is None and not request.complete
    held = None if unknown else credential or "no credential"
    return {
        "method": request.method,
        "host": request.host,
        "scheme": request.split.scheme or None,
        "path": request.path.rstrip("/") + "?" + request.split.query if request.url else None,
        "credential": held,
        "client": exchange.client or request.fields.get("user-agent"),
    }


def _differ(good: Exchange, bad: Exchange) -> Contrast | None:
    """The one respect in which two exchanges differ, or None."""
    one, two = _respects(good), _respects(bad)
    if None in (one["path"], two["path"], one["host"], two["host"]):
        return None
    apart = [axis for axis in one if one[axis] != two[axis] and None not in (one[axis], two[axis])]
    if len(apart) != 1:
        return None
    axis = apart[0]
    works, fails = str(one[axis]), str(two[axis])
    if axis == "credential":
        if works != "no credential":
            return None  # which of two credentials it is, and why, is compared by the checks on credentials
        fails = "a credential"
    elif axis == "path":
        works, fails = good.request.path, bad.request.path
        if good.number > bad.number or works == fails:
            return None  # a second try with a mended path is compared by the checks on the URL
    return Contrast(axis, works, fails, bad.source, f"exchange {good.number} against exchange {bad.number}")


def _by_turns(evidence: Evidence) -> Iterator[Contrast]:
    """The same request, sent again and again, that changes its answer at least twice."""
    runs: dict[tuple[object, ...], list[Exchange]] = {}
    for exchange in islice(evidence.exchanges, 400):
        if exchange.refused or (exchange.status is not None and 200 <= exchange.status < 300):
            runs.setdefault(tuple(_respects(exchange).values()), []).append(exchange)
    for run in runs.values():
        turns = sum(one.refused != two.refused for one, two in pairwise(run))
        if turns >= 2 and run[0].request.url:
            first = next(exchange for exchange in run if exchange.refused)
            yield Contrast("frequency", "the same request", f"{turns} changes", first.source)
            return
