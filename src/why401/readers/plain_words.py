# ruff: noqa: E501  (patterns: one a line, however long)
"""Reader of sentences that people write: what works against what fails, as contrasts.

A sentence is taken apart into clauses that work or fail (`words_sentences`); the phrases by which people name a
client, a host, a version, … (`words_tables`) make the two sides. A clause that works alone is a contrast too,
since the evidence as a whole is about a refusal. Causes are none of this reader's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from why401.evidence import Axis, Contrast, Evidence, Source
from why401.prefilter import Lazy, lazy
from why401.readers import kinds, words_sentences, words_tables
from why401.readers.words_results import tables as result_tables
from why401.readers.words_sentences import Clause, Sentence

#: Axes on which a side that works says enough on its own ("it works in Postman"); on the others both sides are needed.
_ALONE: frozenset[Axis] = frozenset(
    (
        "client", "host", "path", "user", "credential", "network", "session", "layer", "parallel", "restart",
        "change",
    )
)  # fmt: skip
_CUE = lazy(
    r"(?i)work|success|succe|fine|fail|log\s?(?:s|ged)?\s?in|sometimes|intermittent|random|since|after|until|never"
    r"|once|every|helps|opens|comes up|can\s|good|restart|update|upgrad|regression|\b200\b|flak|sporadic|some\s|pulls|problem|never|nobody|only|accept"
)


def sniff(name: str, text: str) -> bool:
    """Whether this may be prose: a message or a terminal session with a word for an outcome in it."""
    kind, _ = kinds.kind_of(name, text)
    return kind in ("message", "terminal") and bool(_CUE.search(text[: words_sentences.LONGEST_TEXT]))


def read(text: str, source: Source) -> Evidence:
    """The contrasts that the sentences and result tables of the text draw."""
    found = [*_contrasts(text, source), *result_tables(text, source)]
    return Evidence(contrasts=tuple(_distinct(found)))


def _contrasts(text: str, source: Source) -> Iterator[Contrast]:
    before: Sentence | None = None
    for sentence in words_sentences.sentences(text):
        where = source.at((source.line or 1) + text.count("\n", 0, sentence.start))
        yield from _of_sentence(sentence, before, where)
        before = sentence


def _distinct(found: list[Contrast]) -> Iterator[Contrast]:
    """Each contrast once; one whose both sides are known beats the half of it."""
    whole = {(c.axis, c.works.lower()) for c in found if c.works and c.fails}
    whole |= {(c.axis, c.fails.lower()) for c in found if c.works and c.fails}
    seen: set[tuple[str, str, str]] = set()
    for contrast in found:
        half = not (contrast.works and contrast.fails)
        key = (contrast.axis, contrast.works.lower(), contrast.fails.lower())
        if key in seen or (half and (contrast.axis, (contrast.works or contrast.fails).lower()) in whole):
            continue
        seen.add(key)
        yield contrast


def _of_sentence(sentence: Sentence, before: Sentence | None, where: Source) -> Iterator[Contrast]:
    says = sentence.text
    if says.endswith("?") and not re.search(r"(?i)\bwhy\b", says):
        return
    window = [*(before.clauses if before else ()), *sentence.clauses]
    yield from _two_sided(sentence, before, where)
    for clause in sentence.clauses:
        for axis, works, fails in _one_sided(clause):
            yield Contrast(axis, works, fails, where, says)
    yield from _frequency(sentence, window, where)
    yield from _age(sentence, window, where)
    if not words_tables.BEFORE_AND_AFTER_UPGRADE.search(says):
        yield from _event(sentence, before, where)


@cache
def _compiled() -> tuple[tuple[Axis, Lazy], ...]:
    return tuple((axis, _compile(phrase)) for axis, phrase in words_tables.PHRASES)


@cache
def _compile(phrase: str) -> Lazy:
    # methods are told from words by their capitals
    flags = re.NOFLAG if phrase.startswith(r"\b(?:GET|") else re.IGNORECASE
    return lazy(phrase, flags)


def _sides(clause: Clause) -> dict[Axis, list[str]]:
    """The phrases of a clause, by axis."""
    found: dict[Axis, list[str]] = {}
    for axis, pattern in _compiled():
        words = [" ".join(match.group().split()) for match in pattern.finditer(clause.text)]
        if words:
            found.setdefault(axis, []).extend(words)
    return found


def _two_sided(sentence: Sentence, before: Sentence | None, where: Source) -> Iterator[Contrast]:
    """A clause that works and one that fails, told apart on an axis; the sentence before counts as company."""
    here = [(clause, _sides(clause)) for clause in sentence.clauses]
    near = [(clause, _sides(clause)) for clause in before.clauses] if before else []
    for clause, sides in here:
        for other, others in [*here, *near]:
            if clause.works is None or other.works is None or clause.works == other.works:
                continue
            for axis in sides.keys() & others.keys():
                mine, theirs = sides[axis], others[axis]
                good, bad = (mine, theirs) if clause.works else (theirs, mine)
                pair = _unlike(good, bad)
                if pair:
                    yield Contrast(axis, pair[0], pair[1], where, sentence.text)


def _unlike(good: list[str], bad: list[str]) -> tuple[str, str] | None:
    for one in good:
        for two in bad:
            if _bare(one) != _bare(two):
                return one, two
    return None


def _bare(words: str) -> str:
    return re.sub(
        r"(?i)\b(?:with|in|using|from|via|through|by|on|the|a|an|my|our|it|for)\b|\W", "", words
    ).lower()


def _one_sided(clause: Clause) -> Iterator[tuple[Axis, str, str]]:
    """What a clause says alone: it works there, it fails only there, or it worked until then."""
    if clause.works is None:
        return
    for axis, words in _sides(clause).items():
        if axis in _ALONE and clause.works:
            yield axis, words[0], ""
        elif (
            axis in _ALONE and re.search(r"(?i)\b(?:only|solely|exclusively|except)\b", clause.text)
        ) or axis == "restart":
            yield axis, "", words[0]
        elif axis == "version" and clause.works and re.search(r"(?i)down-?grad|roll|revert", " ".join(words)):
            yield axis, " ".join(words), ""
    if clause.works:
        for axis, phrase in words_tables.ONCE_WORKED:
            match = _compile(phrase).search(clause.text)
            if match:
                yield axis, " ".join(match.group().split()), ""
    else:
        for axis, phrase in words_tables.BEFORE_AND_AFTER:
            match = _compile(phrase).search(clause.text)
            if match:
                yield axis, "before", " ".join(match.group().split())


def _frequency(sentence: Sentence, window: list[Clause], where: Source) -> Iterator[Contrast]:
    match = words_tables.FREQUENCY.search(sentence.text)
    if not match or words_tables.DENIED_FREQUENCY.search(sentence.text):
        return
    if any(clause.works is not None for clause in window):
        words = " ".join(match.group().split())
        yield Contrast("frequency", "the same request", words, where, sentence.text)


def _age(sentence: Sentence, window: list[Clause], where: Source) -> Iterator[Contrast]:
    match = words_tables.AGES.search(sentence.text)
    if match and any(clause.works is not None for clause in window):
        words = " ".join(match.group().split())
        if re.match(
            r"(?i)(?:works?|worked|working|fine|ok|succeed|run|logged|valid|good|connected|first|initial)",
            words,
        ):
            yield Contrast("age", words, "later", where, sentence.text)
        elif any(clause.works is False for clause in window):
            yield Contrast("age", "at first", words, where, sentence.text)


def _event(sentence: Sentence, before: Sentence | None, where: Source) -> Iterator[Contrast]:
    """An upgrade that is told beside what worked or fails, in this sentence or the one before."""
    match = words_tables.EVENT.search(sentence.text)
    if not match:
        return
    clauses = [*sentence.clauses, *(before.clauses if before else ())]
    past = lazy(r"(?i)\b(?:worked|ran|was|were|used\s+to|until|before|since|began|started|stopped)\b")
    if any(clause.works is not None and past.search(clause.text) for clause in clauses):
        yield Contrast("version", "before", " ".join(match.group().split()), where, sentence.text)
