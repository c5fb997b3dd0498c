"""What the words of a report resemble: a weak witness beside the checks.

People describe like things in like words, in whatever product. `tools/learn_words.py` learns from the repository's
own cases how much each run of three to five letters speaks for each cause, by a regularised multinomial regression.
The runs are hashed into buckets, so the model is one small table of bytes (`words.bin`): no vocabulary has to be read.
The finding names words that told. They are quoted only if they are among the plain words of several of our own cases,
so none of them can be a secret.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from why401.evidence import Evidence
from why401.findings import Finding
from why401.prefilter import lazy

BUCKETS = 1 << 14
LOOKED_AT = 16_000  #: characters of all texts together; a log repeats itself
FEWEST = 40  #: known runs below which nothing is said
MOST = 8  #: causes that get a finding
DECIBANS = 8.0  #: per unit of the regression's score; measured on reports that nothing was built from
STRONGEST = 20.0  #: decibans that words may weigh at most: less than what a server says, or an exchange shows
_MAGIC = b"why401w1"

_BLOB = lazy(r"[A-Za-z0-9+/_=-]{30,}")
_DIGIT = lazy(r"\d")
_PLAIN = lazy(r"[a-z]{4,}")


def words(text: str) -> list[str]:
    """The words of a text in lower case, digits as 0, without long blobs."""
    return _DIGIT.sub("0", _BLOB.sub(" ", text[:LOOKED_AT]).lower()).split()


def buckets(word: str) -> Iterator[int]:
    """The buckets of the runs of three to five letters of a word, its ends included."""
    padded = f" {word} "
    for size in (3, 4, 5):
        for at in range(len(padded) - size + 1):
            yield zlib.crc32(padded[at : at + size].encode()) & (BUCKETS - 1)


@dataclass(frozen=True)
class Model:
    """The learned table: a row of signed bytes a bucket, a column a cause; `scale` turns a byte into a weight."""

    causes: list[str]
    bias: list[float]
    plain: frozenset[str]
    scale: float
    idf: array[float]
    rows: memoryview

    def row(self, bucket: int) -> memoryview:
        """The weights of a bucket, in units of `scale`."""
        width = len(self.causes)
        return self.rows[bucket * width : (bucket + 1) * width]


def dump(model: Model) -> bytes:
    """The bytes of a model."""
    head = {"causes": model.causes, "bias": model.bias, "plain": sorted(model.plain), "scale": model.scale}
    text = json.dumps(head, separators=(",", ":")).encode()
    parts = struct.pack("<I", len(text)), text, array("f", model.idf).tobytes(), model.rows.tobytes()
    return _MAGIC + zlib.compress(b"".join(parts), 9)  # half the size, for some milliseconds


@cache
def load() -> Model | None:
    """The model that ships with the program; None where none was learned."""
    path = files("why401") / "words.bin"
    if not path.is_file():
        return None
    data = zlib.decompress(path.read_bytes()[len(_MAGIC) :])
    start = 4
    (length,) = struct.unpack("<I", data[:start])
    head = json.loads(data[start : start + length])
    middle = start + length + 4 * BUCKETS
    idf = array("f", data[start + length : middle])
    rows = memoryview(data)[middle:].cast("b")
    return Model(head["causes"], head["bias"], frozenset(head["plain"]), head["scale"], idf, rows)


def said(evidence: Evidence) -> str:
    """All that was given as text; what live exchanges and HAR files hold is left to the checks, and beside an
    owner's configuration all but what a person wrote, since reports are made of other stuff."""
    told = (text for text in evidence.texts if not text.source.live)
    if evidence.layers:
        told = (t for t in told if t.kind in ("message", "terminal") and t.source.name != "argument")
    return "\n".join(text.content[:LOOKED_AT] for text in told)


def vector(counted: Counter[int], idf: array[float]) -> dict[int, float]:
    """Bucket → value: damped counts, the rarer the heavier, of length 1 together."""
    raw = {bucket: (1 + math.log(n)) * idf[bucket] for bucket, n in counted.items() if idf[bucket]}
    length = math.sqrt(math.fsum(value * value for value in raw.values())) or 1.0
    return {bucket: value / length for bucket, value in raw.items()}


def resemblance(evidence: Evidence) -> Iterator[Finding]:
    """A finding for each cause whose reports the words are most like."""
    model = load()
    if model is None:
        return
    heard = words(said(evidence))
    counted = Counter(
        bucket for word, n in Counter(heard).items() for bucket in list(buckets(word)) * min(n, 4)
    )
    values = vector(counted, model.idf)
    if len(values) < FEWEST:
        return
    scores = [0.0] * len(model.causes)
    for bucket, value in values.items():
        scores = [score + value * weight for score, weight in zip(scores, model.row(bucket), strict=True)]
    totals = [score * model.scale + bias for score, bias in zip(scores, model.bias, strict=True)]
    ranked = sorted(range(len(totals)), key=lambda cause: -totals[cause])
    floor = totals[ranked[MOST]]
    quotable = sorted(set(heard) & model.plain)
    for cause in ranked[:MOST]:
        yield _finding(model, cause, totals[cause] - floor, quotable, values)


def _finding(
    model: Model, cause: int, score: float, quotable: list[str], values: dict[int, float]
) -> Finding:
    def telling(word: str) -> float:
        return sum(values.get(bucket, 0.0) * model.row(bucket)[cause] for bucket in buckets(word))

    best = sorted(quotable, key=telling, reverse=True)[:4]
    name = model.causes[cause]
    quoted = ": " + ", ".join(f"“{word}”" for word in best) if best else ""
    says = f"Its words are like those of such reports{quoted}."
    return Finding(f"words-like-{name}", says, {name: min(STRONGEST, round(score * DECIBANS, 1))})
