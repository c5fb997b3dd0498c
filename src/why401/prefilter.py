"""Regular expressions that are compiled only where they can match, by the literals that a match must hold.

Compiling is what a regular expression costs here: hundreds of them are asked of one short text, and nearly
all do not match. Looking for a literal first spares the compiling. Only what is certain counts: an answer of
None means that nothing is known and the expression has to be tried. Case is ignored (ASCII).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

SHORTEST: Final = 3
_SKIPPED_GROUP: Final = re.compile(r"\?(?:[=!]|<[=!]|#|P=|\()")
_GROUP_HEAD: Final = re.compile(r"\?(?:P<\w+>|[aiLmsu-]*:)")
#: Characters that stand for themselves; the last before a quantifier is left to `_ONE_CHARACTER`.
_PLAIN_RUN: Final = re.compile(r"[A-Za-z0-9 _:/\"'=,;<>@#%&!~-]+(?![?*+{])")
_QUANTIFIER: Final = re.compile(r"(?:[?*+]|\{\d*,?\d*\})[?+]?")
_QUANTIFIERS: Final = frozenset("?*+{")
_ONE_CHARACTER: Final = re.compile(
    r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.S
)


@cache
def required(pattern: str) -> tuple[str, ...] | None:
    """Lower-case literals, one of which is in every text that `pattern` matches; None where unknown."""
    if pattern.startswith("(?") and re.match(r"\(\?[a-z]*x", pattern):
        return None
    found, end = _alternatives(pattern, 0)
    return tuple(found) if found is not None and end >= len(pattern) else None


def may_match(pattern: str, lowered: str) -> bool:
    """Whether `pattern` can match a text, given in lower case; True where that is not known."""
    literals = required(pattern)
    return literals is None or any(literal in lowered for literal in literals)


def _alternatives(pattern: str, at: int) -> tuple[list[str] | None, int]:
    """The literals of `a|b|c` from `at` to its closing bracket or the end: one set that covers every branch."""
    found: list[str] = []
    known = True
    while True:
        best, at = _branch(pattern, at)
        known = known and bool(best)
        found += best
        if at >= len(pattern) or pattern[at] == ")":
            return (found if known else None), at
        at += 1  # over the |


def _branch(pattern: str, at: int) -> tuple[list[str], int]:
    """The best requirement of one branch: its longest run of plain characters, or that of a group in it."""
    best: list[str] = []
    run = ""

    def settle() -> None:
        nonlocal best, run
        if len(run) >= SHORTEST and (len(best) != 1 or len(run) > len(best[0])):
            best = [run.lower()]
        run = ""

    while at < len(pattern) and pattern[at] not in "|)":
        plain = _PLAIN_RUN.match(pattern, at)
        if plain:
            run += plain.group()
            at = plain.end()
            continue
        if pattern[at] == "(":
            settle()
            inner, at = _group(pattern, at)
            if inner and not best and not _optional(pattern, at):
                best = inner
            at = _after_quantifier(pattern, at)
            continue
        unit = _ONE_CHARACTER.match(pattern, at)
        assert unit is not None
        at = unit.end()
        character = _plain(unit.group())
        if not character or _optional(pattern, at):
            settle()
        else:
            run += character
            if pattern[at : at + 1] in _QUANTIFIERS:
                settle()
        at = _after_quantifier(pattern, at)
    settle()
    return best, at


def _group(pattern: str, at: int) -> tuple[list[str] | None, int]:
    """What the group that opens at `at` requires, and the place after its bracket."""
    inside = at + 1
    if _SKIPPED_GROUP.match(pattern, inside):
        _, end = _alternatives(pattern, inside + 1)
        return None, end + 1
    head = _GROUP_HEAD.match(pattern, inside)
    if head:
        inside = head.end()
    elif pattern[inside : inside + 1] == "?":
        end = pattern.find(")", inside)  # inline flags: (?i)
        return None, (end if end >= 0 else len(pattern)) + 1
    found, end = _alternatives(pattern, inside)
    return found, end + 1


def _plain(unit: str) -> str:
    """The character that a unit of the pattern stands for, or '' where it stands for several or none."""
    if len(unit) == 1:
        return "" if unit in ".^$" or not unit.isascii() else unit
    if unit[0] == "\\" and len(unit) == 2 and not unit[1].isalnum() and unit[1].isascii():
        return unit[1]
    return ""


def _optional(pattern: str, at: int) -> bool:
    """Whether what stands before `at` may be left out by its quantifier."""
    return pattern[at : at + 1] in ("?", "*") or pattern[at : at + 2] in ("{0", "{,")


def _after_quantifier(pattern: str, at: int) -> int:
    if pattern[at : at + 1] not in _QUANTIFIERS:
        return at
    match = _QUANTIFIER.match(pattern, at)
    return match.end() if match else at


class Lazy:
    """A regular expression like that of `re.compile`, compiled at the first text that may match it."""

    __slots__ = ("_compiled", "flags", "pattern")

    def __init__(self, pattern: str, flags: int = 0) -> None:
        self.pattern, self.flags = pattern, flags
        self._compiled: re.Pattern[str] | None = None

    @property
    def compiled(self) -> re.Pattern[str]:
        """The compiled expression."""
        if self._compiled is None:
            self._compiled = re.compile(self.pattern, self.flags)
        return self._compiled

    def _cannot(self, text: str) -> bool:
        return (
            self._compiled is None and len(text) < WORTH_A_LOOK and not may_match(self.pattern, text.lower())
        )

    def search(self, text: str, *span: int) -> re.Match[str] | None:
        return None if self._cannot(text) else self.compiled.search(text, *span)

    def match(self, text: str, *span: int) -> re.Match[str] | None:
        return None if self._cannot(text) else self.compiled.match(text, *span)

    def fullmatch(self, text: str, *span: int) -> re.Match[str] | None:
        return None if self._cannot(text) else self.compiled.fullmatch(text, *span)

    def finditer(self, text: str, *span: int) -> Iterator[re.Match[str]]:
        return iter(()) if self._cannot(text) else self.compiled.finditer(text, *span)

    def findall(self, text: str, *span: int) -> list[Any]:
        return [] if self._cannot(text) else self.compiled.findall(text, *span)

    def sub(self, by: str | Callable[[re.Match[str]], str], text: str, count: int = 0) -> str:
        return text if self._cannot(text) else self.compiled.sub(by, text, count)

    def split(self, text: str, maxsplit: int = 0) -> list[str]:
        return [text] if self._cannot(text) else self.compiled.split(text, maxsplit)


WORTH_A_LOOK: Final = 50_000  #: characters of a text from which compiling costs less than looking first


def lazy(pattern: str, flags: int = 0) -> Lazy:
    """`re.compile`, put off until a text may match."""
    return Lazy(pattern, flags)
