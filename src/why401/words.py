"""What the words of a report resemble: a weak witness beside the checks.

People describe like things in like words, in whatever product. `tools/fit.py` learns from the repository's own cases
how much each word (its stem, and pairs of stems) speaks for each cause, by a regularised multinomial regression; only
words that occur in several cases are kept. The finding names the words that told, all of which come from that
vocabulary, so none of them can be a secret.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from why401.evidence import Evidence
from why401.findings import Finding
from why401.prefilter import lazy

STEM = 6  #: letters of a word that are compared: "authenticate", "authentication"
LOOKED_AT = 20_000  #: characters of all texts together; a log repeats itself
FEWEST = 4  #: known words below which nothing is said
MOST = 8  #: causes that get a finding
DECIBANS = 5.0  #: per unit of the regression's score; measured on reports that nothing was built from

_BLOB = lazy(r"[A-Za-z0-9+/_=-]{30,}")
_WORD = lazy(r"[a-z_]{3,}|[0-9]{3}")


def features(text: str) -> Iterator[tuple[str, str]]:
    """(feature, how it stood in the text): words, stems and pairs of neighbouring stems."""
    words = _WORD.findall(_BLOB.sub(" ", text[:LOOKED_AT]).lower())
    stems = [word[:STEM] for word in words]
    yield from ((word, word) for word in words)
    yield from (("~" + stem, word) for stem, word in zip(stems, words, strict=True) if len(stem) == STEM)
    yield from (
        (f"{one} {two}", f"{words[at]} {words[at + 1]}")
        for at, (one, two) in enumerate(zip(stems, stems[1:], strict=False))
    )


@cache
def _model() -> dict[str, Any]:
    path = files("why401") / "words.json"
    if not path.is_file():
        return {"causes": [], "bias": [], "weights": {}, "idf": {}}
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return value


def said(evidence: Evidence) -> str:
    """All that was given as text; what live exchanges and HAR files hold is left to the checks."""
    return "\n".join(text.content[:LOOKED_AT] for text in evidence.texts if not text.source.live)


def resemblance(evidence: Evidence) -> Iterator[Finding]:
    """A finding for each cause whose reports the words are most like."""
    model = _model()
    counted: Counter[str] = Counter()
    stood: dict[str, str] = {}
    for feature, word in features(said(evidence)):
        if feature in model["idf"]:
            counted[feature] += 1
            stood.setdefault(feature, word)
    if len(counted) < FEWEST:
        return
    vector = {f: (1 + math.log(n)) * model["idf"][f] for f, n in counted.items()}
    length = math.sqrt(math.fsum(value * value for value in vector.values()))
    scores = list(model["bias"])
    told: list[list[tuple[float, str]]] = [[] for _ in scores]
    for feature, value in vector.items():
        for cause, weight in model["weights"].get(feature, ()):
            scores[cause] += value / length * weight
            told[cause].append((value / length * weight, stood[feature]))
    ranked = sorted(range(len(scores)), key=lambda cause: -scores[cause])
    floor = scores[ranked[MOST]]
    for cause in ranked[:MOST]:
        yield _finding(model["causes"][cause], scores[cause] - floor, told[cause])


def _finding(cause: str, score: float, told: list[tuple[float, str]]) -> Finding:
    best = dict.fromkeys(word for weight, word in sorted(told, reverse=True)[:8] if weight > 0)
    quoted = ", ".join(f"“{word}”" for word in list(best)[:4])
    weight = round(score * DECIBANS, 1)
    return Finding(
        f"words-like-{cause}", f"Its words are like those of such reports: {quoted}.", {cause: weight}
    )
