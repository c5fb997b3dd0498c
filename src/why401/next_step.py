"""The next step that would tell the leading causes apart best, and what is out.

The expected gain is the mutual information between the answer of a step and the causes: a step asks a yes-or-no
question, each cause says how likely the answer is yes, and the gain is the entropy of the answer less what
remains of it when the cause is known. Steps are data.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from why401.diagnosis import Ranked
from why401.evidence import Evidence
from why401.report import RuledOut, Step

MOST_STEPS = 3
OUT = -6.0  #: decibans by which findings must speak against a cause that is shown as ruled out


@cache
def _steps() -> list[dict[str, Any]]:
    value: list[dict[str, Any]] = json.loads((files("why401") / "steps.json").read_text(encoding="utf-8"))
    return value


def _entropy(chance: float) -> float:
    return -sum(p * math.log2(p) for p in (chance, 1 - chance) if p > 0)


def gain(yes: dict[str, float], ranked: Sequence[Ranked], otherwise: float) -> float:
    """Expected gain in bits of a question; `yes` maps causes to the chance of the answer yes."""
    pairs = [(item.probability, yes.get(item.cause.id if item.cause else "", otherwise)) for item in ranked]
    overall = sum(p * chance for p, chance in pairs)
    return max(0.0, _entropy(overall) - sum(p * _entropy(chance) for p, chance in pairs))


def next_steps(ranked: Sequence[Ranked], evidence: Evidence, *, proved: bool) -> tuple[Step, ...]:
    """Up to three steps worth taking, best gain for its cost first; none where a cause is proved."""
    if proved:
        return ()
    weighed = []
    given = {layer.kind for layer in evidence.layers}
    for step in _steps():
        known = step.get("unless_layer") in given
        if not known and not any(evidence.search(pattern) for pattern in step.get("unless", [])):
            bits = gain(step["yes"], ranked, step.get("otherwise", 0.05))
            weighed.append((bits / step.get("cost", 1.0), bits, step))
    best = sorted(weighed, key=lambda entry: -entry[0])[:MOST_STEPS]
    return tuple(
        Step(step["says"], step.get("command", ""), round(bits, 2)) for _, bits, step in best if bits >= 0.05
    )


def ruled_out(ranked: Sequence[Ranked]) -> tuple[RuledOut, ...]:
    """Causes that findings speak against clearly, with the sentence that does."""
    found = []
    for item in ranked:
        against = [pair for pair in item.findings if pair[1] < 0]
        if item.cause and against and sum(weight for _, weight in item.findings) <= OUT:
            strongest = min(against, key=lambda pair: pair[1])[0]
            found.append((item.cause.prior, RuledOut(item.cause.id, strongest.says)))
    return tuple(entry for _, entry in sorted(found, key=lambda pair: -pair[0])[:6])
