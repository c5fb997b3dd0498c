"""What a check yields: one sentence about what is seen, where it stands, and what it speaks for.

Weights are in decibans: 10·log10 of the likelihood ratio (I. J. Good, *Probability and the Weighing of
Evidence*). 10 makes a cause ten times likelier, 20 a hundred times; -10 ten times less likely. The weight in
the code is the author's judgement; `tools/fit.py` moves it within reason by the repository's own cases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from why401.evidence import Exchange, Source

if TYPE_CHECKING:
    from why401.layers.model import Edit

# A vocabulary for weights, so that rules agree on what "strong" means.
PROVED = 40.0  #: computed from what is at hand: nothing else explains it
NAMED = 24.0  #: the server or tool states the cause in so many words
STRONG = 17.0  #: hardly ever seen otherwise
CLEAR = 12.0  #: points there, other causes remain possible
HINT = 7.0  #: more often than not
FAINT = 4.0  #: a nudge
AGAINST = -8.0
RULED_OUT = -20.0


@dataclass(frozen=True, slots=True)
class Where:
    """Where a finding stands: source, line, field, exchange and the span within the field's value."""

    source: str = ""
    line: int | None = None
    field: str | None = None
    exchange: int | None = None
    span: tuple[int, int] | None = None

    @classmethod
    def of(cls, source: Source, **rest: object) -> Where:
        return cls(source.name, source.line, **rest)  # type: ignore[arg-type]

    @classmethod
    def at(cls, exchange: Exchange, name: str | None = None, span: tuple[int, int] | None = None) -> Where:
        """The place of a field (or the whole) of an exchange."""
        return cls(exchange.source.name, exchange.source.line, name, exchange.number, span)


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation. `id` is a stable slug; of findings of one `group` only the strongest counts for a cause,
    since two signs of one fact are not two facts (an empty group means the finding's own id)."""

    id: str
    says: str
    weights: Mapping[str, float]
    where: Where = field(default_factory=Where)
    group: str = ""
    stack: str = ""  # product that this points to ("nginx", "wordpress"), which picks the fitting mend
    proves: str = ""  # the id of a cause that this finding proves offline (a recomputation)
    fix: str = ""  # a sentence of mending more exact than the page's, where the rule knows it
    command: str = ""  # a command that mends it, where there is one
    edits: tuple[Edit, ...] = ()  # what mends it in the owner's files
    opens: str = ""  # the path that the edits open to everybody, where it is their nature to widen access
