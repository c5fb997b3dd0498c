"""Learn which words speak for which cause, from the repository's own cases; writes `src/why401/words.bin`.

`python tools/learn_words.py [--check]`. Needs the extra `fit` (scikit-learn). Prints how often the words alone
name the cause of held-out cases.
"""

from __future__ import annotations

import argparse
import sys
from array import array
from collections import Counter
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests import casebook
from why401 import readers, words

HEALTHY = {"not-an-auth-error", "expected-challenge"}  # never a matter of words
FEWEST_CASES = 2  # cases that a run of letters must occur in
FREEDOM = 40  # the inverse of the regression's penalty
PLAIN_CASES = 3  # cases that a word must occur in to be quoted


def counts(text: str) -> Counter[int]:
    heard = Counter(words.words(text))
    return Counter(bucket for word, n in heard.items() for bucket in list(words.buckets(word)) * min(n, 4))


def inverse_frequency(counted: list[Counter[int]]) -> array[float]:
    """How rare each bucket is; 0 for those in too few cases to learn from."""
    seen = Counter(bucket for one in counted for bucket in one)
    total = len(counted)
    return array(
        "f",
        (
            float(np.log((1 + total) / (1 + seen[b])) + 1) if seen[b] >= FEWEST_CASES else 0.0
            for b in range(words.BUCKETS)
        ),
    )


def matrix(counted: list[Counter[int]], idf: array[float]) -> csr_matrix:
    vectors = [words.vector(one, idf) for one in counted]
    rows = [row for row, values in enumerate(vectors) for _ in values]
    columns = [column for values in vectors for column in values]
    data = [value for values in vectors for value in values.values()]
    return csr_matrix((data, (rows, columns)), shape=(len(vectors), words.BUCKETS))


def held_out_scores(texts: list[str], labels: list[str], folds: int = 5) -> list[dict[str, float]]:
    """For each text the score of each cause, as `words.resemblance` reckons it, by a model that did not see it."""
    counted = [counts(text) for text in texts]
    table = matrix(counted, inverse_frequency(counted))
    found: list[dict[str, float]] = [{} for _ in texts]
    for fold in range(folds):
        inside = [at for at in range(len(texts)) if at % folds != fold and labels[at] not in HEALTHY]
        outside = [at for at in range(len(texts)) if at % folds == fold and table[at].nnz >= words.FEWEST]
        regression = LogisticRegression(C=FREEDOM, max_iter=200).fit(
            table[inside], [labels[at] for at in inside]
        )
        for at, row in zip(outside, regression.decision_function(table[outside]), strict=True):
            floor = float(np.sort(row)[-words.MOST - 1])
            found[at] = {
                c: float(v) - floor for c, v in zip(regression.classes_, row, strict=True) if v > floor
            }
    return found


def plain_words(texts: list[str]) -> frozenset[str]:
    seen = Counter(word for text in texts for word in set(words.words(text)))
    return frozenset(
        w for w, n in seen.items() if n >= PLAIN_CASES and w.isalpha() and w.isascii() and 4 <= len(w) <= 16
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only print; write nothing")
    arguments = parser.parse_args()
    cases = [case for case in casebook.cases() if case.cause not in HEALTHY]
    texts = [words.said(readers.read(case.inputs)) for case in cases]
    labels = [case.cause for case in cases]
    counted = [counts(text) for text in texts]
    idf = inverse_frequency(counted)
    table = matrix(counted, idf)
    regression = LogisticRegression(C=FREEDOM, max_iter=400)
    held_out = cross_val_score(regression, table, labels, cv=3).mean()
    print(f"{len(cases)} cases; the words alone name {held_out:.0%} of held-out cases")
    if arguments.check:
        return
    regression.fit(table, labels)
    weights = regression.coef_.T  # a row a bucket
    scale = float(np.abs(weights).max()) / 127
    rows = np.round(weights / scale).astype(np.int8)
    bias = [round(float(b), 3) for b in regression.intercept_]
    model = words.Model(
        list(regression.classes_), bias, plain_words(texts), scale, idf, memoryview(rows.tobytes())
    )
    data = words.dump(model)
    (ROOT / "src/why401/words.bin").write_bytes(data)
    print(f"{len(data) // 1000} kB, {len(model.plain)} words that may be quoted")


if __name__ == "__main__":
    main()
