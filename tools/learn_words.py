"""Learn which words speak for which cause, from the repository's own cases; writes `src/why401/words.json`.

`python tools/learn_words.py [--check]`. Needs the extra `fit` (scikit-learn). Prints how often the words alone
name the cause of held-out cases.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests import casebook
from why401 import readers, words

HEALTHY = {"not-an-auth-error", "expected-challenge"}  # never a matter of words
FEWEST_CASES = 2  # cases that a word must occur in
SMALLEST = 0.2  # a weight below it is left out


def _features(text: str) -> list[str]:
    return [feature for feature, _ in words.features(text)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only print; write nothing")
    arguments = parser.parse_args()
    cases = [case for case in casebook.cases() if case.cause not in HEALTHY]
    texts = [words.said(readers.read(case.inputs)) for case in cases]
    labels = [case.cause for case in cases]
    vectorizer = TfidfVectorizer(analyzer=_features, sublinear_tf=True, min_df=FEWEST_CASES, smooth_idf=True)
    matrix = vectorizer.fit_transform(texts)
    regression = LogisticRegression(C=20, max_iter=500)
    held_out = cross_val_score(regression, matrix, labels, cv=3).mean()
    regression.fit(matrix, labels)
    print(
        f"{len(cases)} cases, {matrix.shape[1]} words; the words alone name {held_out:.0%} of held-out cases"
    )
    if arguments.check:
        return
    names = vectorizer.get_feature_names_out()
    weights = {
        name: [
            [int(c), round(float(w), 2)] for c, w in enumerate(regression.coef_[:, at]) if abs(w) >= SMALLEST
        ]
        for at, name in enumerate(names)
    }
    kept = {name: pairs for name, pairs in weights.items() if pairs}
    model = {
        "causes": list(regression.classes_),
        "bias": [round(float(b), 2) for b in regression.intercept_],
        "idf": {name: round(float(idf), 2) for name, idf in zip(names, vectorizer.idf_, strict=True)},
        "weights": kept,
    }
    text = json.dumps(model, separators=(",", ":"), sort_keys=True)
    (ROOT / "src/why401/words.json").write_text(text + "\n")
    print(f"{sum(map(len, kept.values()))} weights, {len(text) // 1000} kB")


if __name__ == "__main__":
    main()
