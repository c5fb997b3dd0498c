"""Weighs findings and ranks the causes.

The score of a cause is its prior log-odds plus the weights of the findings, in decibans; scores are normalised
over all causes and "none of these". Two signs of one fact must not count twice, so of the findings of one group
only the strongest counts for (and the strongest against) a cause.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from why401.causes import Cause, catalogue
from why401.findings import Finding

NONE_PRIOR = -14.0  #: decibans of "none of these": the catalogue covers nearly all that is seen


@dataclass(frozen=True, slots=True)
class Ranked:
    """A cause with its probability and the findings that speak for it (positive weight) or against it."""

    cause: Cause | None
    probability: float
    findings: tuple[tuple[Finding, float], ...]
    score: float


@cache
def fitted() -> tuple[dict[str, dict[str, float]], float]:
    """What `tools/fit.py` wrote: weights that it moved (finding id → cause → decibans), and the sharpness by
    which all scores are scaled so that the probabilities are calibrated."""
    path = files("why401") / "weights.json"
    if not path.is_file():
        return {}, 1.0
    value = json.loads(path.read_text(encoding="utf-8"))
    return value["weights"], value["sharpness"]


def weights_of(finding: Finding) -> Mapping[str, float]:
    """The weights in force: the author's, with the fitted ones in their place. A finding may say one thing or its
    opposite under one id, so a fitted weight counts only where this one weighs the cause, and in its direction."""
    own, moved = finding.weights, fitted()[0].get(finding.id, {})
    return {**own, **{cause: weight for cause, weight in moved.items() if own.get(cause, 0.0) * weight > 0}}


def contributions(findings: Iterable[Finding]) -> dict[str, list[tuple[Finding, float]]]:
    """For each cause, the findings that count for it: the strongest of each group, by sign."""
    strongest: dict[str, dict[tuple[str, bool], tuple[Finding, float]]] = defaultdict(dict)
    for finding in findings:
        for cause, weight in weights_of(finding).items():
            key = (finding.group or finding.id, finding.weights.get(cause, weight) > 0)
            held = strongest[cause].get(key)
            if held is None or abs(weight) > abs(held[1]):
                strongest[cause][key] = (finding, weight)
    return {cause: list(kept.values()) for cause, kept in strongest.items()}


def rank(findings: Sequence[Finding]) -> list[Ranked]:
    """All causes and "none of these" (cause None), most probable first; probabilities add up to 1."""
    by_cause = contributions(findings)
    scored: list[tuple[Cause | None, float, tuple[tuple[Finding, float], ...]]] = [(None, NONE_PRIOR, ())]
    for cause in catalogue().values():
        counted = sorted(by_cause.get(cause.id, []), key=lambda pair: -pair[1])
        scored.append((cause, cause.prior + sum(weight for _, weight in counted), tuple(counted)))
    top = max(score for _, score, _ in scored)
    sharpness = fitted()[1]
    powers = [10 ** ((score - top) * sharpness / 10) for _, score, _ in scored]
    total = math.fsum(powers)
    ranked = [
        Ranked(cause, power / total, counted, score)
        for (cause, score, counted), power in zip(scored, powers, strict=True)
    ]
    return sorted(ranked, key=lambda item: -item.probability)
