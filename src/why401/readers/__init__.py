"""Anything in, evidence out: one module a format, and a table by which the format is found.

A reader is a module with `sniff(name, text) -> bool` (cheap; looks at the name and the text) and
`read(text, source) -> Evidence`. Several readers may read one input: a message can hold a curl command, a
transcript and a log line. Whatever the readers make of it, the whole text is kept as a `Text` and searched.
Readers never raise for bad input: what can't be read becomes an `Unreadable` with one clear sentence, and
what was good in the rest is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import import_module

from why401.evidence import Evidence, Source, Text, Unreadable
from why401.readers import kinds

#: Tried in this order; each one that recognises its format adds what it read.
READERS = (
    "har",
    "cookies_txt",
    "http_messages",
    "curl_commands",
    "transcripts",
    "access_logs",
    "app_logs",
    "settings",
    "client_config",
    "code",
    "tokens",
    "tool_errors",
    "plain_words",
)

LARGEST_TEXT = 8_000_000  # characters of one input that are searched; a HAR is read whole by its own reader


@dataclass(frozen=True, slots=True)
class Input:
    """One input: a name for the report (a path, `standard input`) and its bytes."""

    name: str
    data: bytes = field(repr=False)


def read(inputs: Iterable[Input]) -> Evidence:
    """Read all inputs, in order, into one Evidence."""
    from why401.readers.http_pairing import settle

    evidence = Evidence()
    for item in inputs:
        evidence = evidence + read_one(item)
    return settle(evidence)


def read_one(item: Input) -> Evidence:
    """Read one input with every reader that recognises it."""
    source = Source(item.name)
    problem = kinds.unreadable(item.data)
    if problem:
        return Evidence(unreadable=(Unreadable(f"{item.name}: {problem}", source),))
    text = kinds.decode(item.data)
    evidence = Evidence()
    whole_file_readers = {"har", "cookies_txt"}
    for name in READERS:
        reader = import_module(f"why401.readers.{name}")
        if reader.sniff(item.name, text):
            found: Evidence = reader.read(text, source)
            evidence = evidence + found
            if name in whole_file_readers:
                return evidence
    kind, language = kinds.kind_of(item.name, text)
    return evidence + Evidence(texts=(Text(text[:LARGEST_TEXT], source, kind, language),))
