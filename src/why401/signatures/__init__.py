"""What software prints when it refuses: data, not code.

One JSON Lines file a product. A line holds
`{"id": slug, "text": literal, "by": product, "says": sentence, "weights": {cause: decibans}, "see": source}`.
`text` is found without regard to case and may be a list: any of the literals. It is also the pre-filter: a
regular expression is compiled only when its literal occurs, so a thousand signatures cost a few milliseconds.

Optional keys: `regex` must match near the literal (its named groups fill `{name}` in `says`); `unless` must
not match near it; `all` is a list of regular expressions each of which must match somewhere in the evidence,
`none` a list that must match nowhere; `kinds` limits the search to kinds of text (message, terminal, log,
code, settings, body); `group`, `stack`, `fix` and `command` are those of the finding. Regular expressions ignore case.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from why401.evidence import Evidence, Source, Text
from why401.findings import Finding, Where


@dataclass(frozen=True, slots=True)
class Signature:
    """One message of one product; see the module for the keys."""

    id: str
    text: tuple[str, ...]
    by: str
    says: str
    weights: dict[str, float]
    see: str = ""
    regex: str = ""
    unless: str = ""
    all: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    stack: str = ""
    group: str = ""
    fix: str = ""
    command: str = ""


MOST_PLACES = 40  #: places of one literal in one text that are looked at; a log repeats itself


@cache
def _entries() -> tuple[tuple[tuple[str, ...], dict[str, Any], str], ...]:
    """(lower-case literals, entry, where it stands) of every line; cheap, since nearly none is ever needed."""
    found = []
    for file in sorted(files(__name__).iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".jsonl"):
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
                if line.strip():
                    found.append(_entry(line, f"{file.name}:{number}"))
    return tuple(found)


def _entry(line: str, where: str) -> tuple[tuple[str, ...], dict[str, Any], str]:
    try:
        entry = json.loads(line)
        texts = entry["text"] if isinstance(entry["text"], list) else [entry["text"]]
        return tuple(text.lower() for text in texts), entry, where
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as problem:
        raise ValueError(f"{where}: not a signature: {problem}") from None


def _signature(texts: tuple[str, ...], entry: dict[str, Any], where: str) -> Signature:
    try:
        return Signature(**entry | {"text": texts})
    except TypeError as problem:
        raise ValueError(f"{where}: not a signature: {problem}") from None


@cache
def signatures() -> tuple[Signature, ...]:
    """All signatures of all products; raises ValueError naming file and line for one that cannot be read."""
    return tuple(_signature(*parts) for parts in _entries())


def match(evidence: Evidence) -> Iterator[Finding]:
    """The signatures found in any text of the evidence, each once, at its first place."""
    texts = evidence.searchable
    for literals, entry, where in _entries():
        held = [text for text in texts if any(literal in text.lowered for literal in literals)]
        if held:
            finding = _first(_signature(literals, entry, where), held, evidence)
            if finding is not None:
                yield finding


def _first(signature: Signature, texts: list[Text], evidence: Evidence) -> Finding | None:
    for text in texts:
        if signature.kinds and text.kind not in signature.kinds:
            continue
        place = _place(signature, text.content, text.lowered)
        if place is not None and _in_company(signature, evidence):
            offset, groups = place
            return _finding(signature, text.source.at(text.line_at(offset)), groups)
    return None


def _in_company(signature: Signature, evidence: Evidence) -> bool:
    return all(evidence.search(pattern) for pattern in signature.all) and not any(
        evidence.search(pattern) for pattern in signature.none
    )


def _place(signature: Signature, content: str, lower: str) -> tuple[int, dict[str, str]] | None:
    for literal in signature.text:
        offset = lower.find(literal)
        for _ in range(MOST_PLACES):
            if offset < 0:
                break
            if not signature.regex and not signature.unless:
                return offset, {}
            start, stop = _around(lower, offset)
            near = content[start:stop]
            if not (signature.unless and re.search(signature.unless, near, re.I)):
                hit = re.search(signature.regex, near, re.I | re.S)
                if hit:
                    before = len(hit.group()) - len(
                        hit.group().lstrip(";{} \t\r\n")
                    )  # the end of the line above
                    return start + hit.start() + before, {k: v or "" for k, v in hit.groupdict().items()}
            offset = lower.find(literal, offset + len(literal))
    return None


def _around(text: str, offset: int, reach: int = 600) -> tuple[int, int]:
    """The text around a literal in which the regular expression is searched: a few lines, at most."""
    return max(0, offset - reach), min(len(text), offset + reach)


def _finding(signature: Signature, source: Source, groups: dict[str, str]) -> Finding:
    says = signature.says
    for name, value in groups.items():
        says = says.replace("{" + name + "}", value)
    return Finding(
        signature.id,
        says,
        signature.weights,
        Where.of(source),
        signature.group,
        signature.stack,
        fix=signature.fix,
        command=signature.command,
    )
