"""The report: what was found out, as values; `reports/` renders it and no secret passes there.

The shapes follow the JSON report (stable, additions only).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from why401.causes import Cause
from why401.evidence import Evidence, Exchange
from why401.findings import Finding

if TYPE_CHECKING:
    from why401.layers.model import Edit

Verdict = Literal["cured", "same", "other", "not-run"]
ProofKind = Literal["replay", "offline", "origin"]


@dataclass(frozen=True, slots=True)
class Proof:
    """How a cause was proved: the numbers of the exchanges that differ in one thing (none offline)."""

    kind: ProofKind
    exchanges: tuple[int, ...] = ()
    says: str = ""


@dataclass(frozen=True, slots=True)
class Fix:
    """One way to mend it, in a sentence, with a command or a diff where there is one."""

    says: str
    command: str = ""
    diff: str = ""
    edits: tuple[Edit, ...] = field(default=(), repr=False)  # what `diff` shows, to be applied
    opens: str = ""  # the path that it opens to everybody, where it is its nature to widen access


@dataclass(frozen=True, slots=True)
class Step:
    """A next step that would tell the leading causes apart; `gain` is the expected gain in bits."""

    says: str
    command: str = ""
    gain: float = 0.0


@dataclass(frozen=True, slots=True)
class Named:
    """A ranked cause of one diagnosis; `cause` None stands for "none of these"."""

    cause: Cause | None
    probability: float
    findings: tuple[tuple[Finding, float], ...] = ()
    fix: tuple[Fix, ...] = ()
    proof: Proof | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What a diagnosis is about: a host, a route and the numbers of its exchanges."""

    host: str | None = None
    route: str | None = None
    exchanges: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RuledOut:
    """A cause that was considered and is out, with the reason in one sentence."""

    cause: str
    says: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The ranked causes of one group of like failures, best first."""

    subject: Subject
    status: int | None
    side: str
    causes: tuple[Named, ...]
    next: tuple[Step, ...] = ()
    ruled_out: tuple[RuledOut, ...] = ()


@dataclass(frozen=True, slots=True)
class Experiment:
    """One experiment: what was changed, the exchange it made, and what follows from it."""

    change: str  # slug of the change: "without-credentials", "trimmed"
    says: str
    exchange: int | None
    outcome: Verdict
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a fix that was to be carried out, in one sentence, and the files that were changed."""

    outcome: Literal["mended", "rolled-back", "refused"]
    says: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """Everything that a report shows. `diagnoses` has at least one entry, the one most worth mending first."""

    diagnoses: tuple[Diagnosis, ...]
    evidence: Evidence
    experiments: tuple[Experiment, ...] = ()
    tried: tuple[Exchange, ...] = ()  # what the experiments exchanged, numbered on from the evidence's
    notes: tuple[str, ...] = ()  # what the user should know: budgets used, inputs that could not be read
    applied: Applied | None = None
    unreachable: str = ""  # why the target could not be reached, in one sentence

    @property
    def exit_status(self) -> int:
        """0 no authentication failure, 1 one was diagnosed, 3 the target could not be reached."""
        if self.unreachable:
            return 3
        first = self.diagnoses[0].causes[0].cause
        return 0 if first is not None and first.side == "none" else 1
