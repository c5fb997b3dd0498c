"""Fit the weights of evidence to the repository's own cases: `python tools/fit.py [--check]`.

Run `tools/learn_words.py` first: what the words resemble is a finding like the others, but not moved here.

Each finding's weights, as its author judged them, are the starting point. The fit maximises the likelihood of the
cases' causes under the very formula of `diagnosis.rank`, with a quadratic penalty on leaving the judgement, so a
handful of cases moves a weight a little and never turns it round. One more number is fitted by
cross-validation: the sharpness, by which all decibans are scaled so that the probabilities are calibrated.
Writes `src/why401/weights.json` (only what moved by half a deciban or more). Needs the extra `fit`.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path

import numpy as np
from scipy.optimize import minimize, minimize_scalar

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests import casebook
from tools.learn_words import held_out_scores
from why401 import checks, diagnosis, readers, words
from why401.causes import catalogue
from why401.findings import Finding

SPREAD = 2.0  #: decibans by which a weight may typically leave its author's judgement
FOLDS = 5
#: Bounds of the sharpness. Cases that are written to be hard make it timid; on reports that nothing was built
#: from, 1.0 was best calibrated.
SHARPNESS = (0.95, 1.2)
TO_NATS = math.log(10) / 10


def strongest(findings: list[Finding], index: dict[str, int]) -> list[tuple[int, str, float]]:
    """(cause, finding, judged weight) of what counts in the diagnosis: the strongest of each group and sign."""
    kept: dict[tuple[int, str, bool], tuple[int, str, float]] = {}
    for finding in findings:
        for cause, weight in finding.weights.items():
            key = (index[cause], finding.group or finding.id, weight > 0)
            if key not in kept or abs(weight) > abs(kept[key][2]):
                kept[key] = (index[cause], finding.id, weight)
    return list(kept.values())


class Problem:
    """The cases as matrices: which (finding, cause) weights count in which case."""

    def __init__(self) -> None:
        known = catalogue()
        self.causes = list(known)
        index = {cause: number for number, cause in enumerate(self.causes)}
        self.priors = np.array([known[cause].prior for cause in self.causes] + [diagnosis.NONE_PRIOR])
        self.parameters: dict[tuple[str, int], int] = {}
        self.judged: list[float] = []
        self.rows: list[tuple[np.ndarray, np.ndarray]] = []
        self.accepted: list[np.ndarray] = []
        cases = list(casebook.cases())
        read = [readers.read(case.inputs) for case in cases]
        labels = [case.cause for case in cases]
        self.words = np.zeros((len(cases), len(self.causes) + 1))
        for row, scores in enumerate(held_out_scores([words.said(evidence) for evidence in read], labels)):
            for cause, score in scores.items():
                self.words[row, index[cause]] = score
        for case, evidence in zip(cases, read, strict=True):
            # what the words resemble was learned from these very cases: held-out scores stand in for it
            findings = [f for f in checks.run(evidence) if not f.id.startswith("words-like-")]
            counted = strongest(findings, index)
            at = [self._parameter(name, cause, weight) for cause, name, weight in counted]
            self.rows.append((np.array(at, int), np.array([cause for cause, _, _ in counted], int)))
            # the accepted neighbours share the credit, the established cause has most of it
            target = np.zeros(len(self.causes) + 1)
            for cause in case.accepted:
                target[index[cause]] = 0.25
            target[index[case.cause]] = 1.0
            self.accepted.append(target / target.sum())

    def _parameter(self, name: str, cause: int, weight: float) -> int:
        key = (name, cause)
        if key not in self.parameters:
            self.parameters[key] = len(self.judged)
            self.judged.append(weight)
        return self.parameters[key]

    def probabilities(self, weights: np.ndarray, case: int, sharpness: float = 1.0) -> np.ndarray:
        """The diagnosis of one case under these weights."""
        at, causes = self.rows[case]
        score = self.priors + self.words[case] * words.DECIBANS
        np.add.at(score, causes, weights[at])
        score = score * TO_NATS * sharpness
        power = np.exp(score - score.max())
        return power / power.sum()

    def loss(self, moves: np.ndarray, cases: list[int]) -> tuple[float, np.ndarray]:
        """Penalised negative log-likelihood and its gradient by the moves."""
        weights = np.array(self.judged) + moves
        total = float((moves**2).sum()) / (2 * SPREAD**2)
        gradient = moves / SPREAD**2
        for case in cases:
            chance = self.probabilities(weights, case)
            target = self.accepted[case]
            total -= float((target * np.log(chance + 1e-12)).sum())
            at, causes = self.rows[case]
            np.add.at(gradient, at, (chance - target)[causes] * TO_NATS)
        return total, gradient

    def fit(self, cases: list[int]) -> np.ndarray:
        """The moves that fit these cases best; a weight never changes its sign."""
        judged = np.array(self.judged)
        bounds = [(-abs(w), abs(w)) if abs(w) < 9 else (-9.0, 9.0) for w in judged]
        found = minimize(
            self.loss, np.zeros(len(judged)), args=(cases,), jac=True, method="L-BFGS-B", bounds=bounds
        )
        return np.asarray(found.x)

    def sharpness(self) -> float:
        """The scale under which held-out cases are likeliest."""
        number = len(self.rows)
        held_out = [[case for case in range(number) if case % FOLDS == fold] for fold in range(FOLDS)]
        fits = [
            (np.array(self.judged) + self.fit([c for c in range(number) if c not in set(fold)]), fold)
            for fold in held_out
        ]

        def cost(scale: float) -> float:
            return -sum(
                float((self.accepted[c] * np.log(self.probabilities(weights, c, scale) + 1e-12)).sum())
                for weights, fold in fits
                for c in fold
            )

        hits = sum(
            self.accepted[c][int(self.probabilities(weights, c).argmax())] > 0
            for weights, fold in fits
            for c in fold
        )
        print(f"held out: {hits} of {number} right at first place")
        return float(minimize_scalar(cost, bounds=SHARPNESS, method="bounded").x)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only print; write nothing")
    arguments = parser.parse_args()
    problem = Problem()
    for decibans in (1.0, 3.0, 5.0, 7.0, 9.0) if arguments.check else ():
        words.DECIBANS = decibans
        hits = sum(
            problem.accepted[c][int(problem.probabilities(np.array(problem.judged), c).argmax())] > 0
            for c in range(len(problem.rows))
        )
        loss = problem.loss(np.zeros(len(problem.judged)), list(range(len(problem.rows))))[0]
        print(f"words at {decibans} dB: {hits} of {len(problem.rows)} right, loss {loss:.0f}")
    moves = problem.fit(list(range(len(problem.rows))))
    sharpness = round(problem.sharpness(), 3)
    moved: dict[str, dict[str, float]] = {}
    for (name, cause), number in sorted(problem.parameters.items()):
        if abs(moves[number]) >= 0.5:
            moved.setdefault(name, {})[problem.causes[cause]] = round(
                float(problem.judged[number] + moves[number]), 1
            )
    count = sum(map(len, moved.values()))
    print(f"{len(problem.rows)} cases, {len(problem.judged)} weights, {count} moved; sharpness {sharpness}")
    if not arguments.check:
        text = json.dumps({"sharpness": sharpness, "weights": moved}, indent=1, sort_keys=True)
        (ROOT / "src/why401/weights.json").write_text(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
