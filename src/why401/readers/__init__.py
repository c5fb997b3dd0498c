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
from pathlib import Path

from why401.evidence import Evidence, Source, Text, Unreadable
from why401.layers.tree import Document
from why401.readers import kinds, lengths

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

WHOLE_FILE = frozenset({"har", "cookies_txt"})  # what they recognise is nothing else as well
#: These read a long text line by line, or parse it; the others search what is worth searching of it.
EVERY_LINE = frozenset(
    {"http_messages", "curl_commands", "transcripts", "access_logs", "app_logs", "settings"}
)


@dataclass(frozen=True, slots=True)
class Input:
    """One input: a name for the report (a path, `standard input`), its bytes, and where it lies on this disk.

    `source` is given where the bytes are an excerpt, whose lines have other numbers in the file.
    """

    name: str
    data: bytes = field(repr=False)
    path: Path | None = None
    first_line: int = 1  # the line of the file at which the bytes begin
    source: Source | None = None
    problem: str = ""  # why it could not be opened, in one sentence


def read(inputs: Iterable[Input]) -> Evidence:
    """Read all inputs, in order, into one Evidence."""
    from why401 import layers
    from why401.readers.http_pairing import settle

    held = list(inputs)
    owned = layers.read(documents(held))
    # Of an application without routes only parts are at hand, which the other readers may know better.
    understood = (layer for layer in owned.layers if layer.kind == "server" or layer.routes())
    whole = {name for layer in understood for name in layer.whole}
    evidence = Evidence()
    for item in held:
        if item.name not in whole:
            evidence = evidence + read_one(item)
    return settle(evidence) + owned


def documents(inputs: Iterable[Input]) -> list[Document]:
    """The inputs as the owner's files, for the layers; what is no text is left out."""
    return [
        Document.of(item.name, item.data, item.path) for item in inputs if not kinds.unreadable(item.data)
    ]


def read_one(item: Input) -> Evidence:
    """Read one input with every reader that recognises it."""
    source = Source(item.name, item.first_line) if item.first_line > 1 else item.source or Source(item.name)
    problem = kinds.unreadable(item.data)
    if problem:
        says = item.problem or f"{item.name}: {problem}"
        return Evidence(unreadable=(Unreadable(says, source),))
    text = kinds.decode(item.data)
    calm = lengths.calm(text)
    short = lengths.condensed(calm)
    every_line = {"settings"} if lengths.document(calm) else EVERY_LINE
    evidence = Evidence()
    for name in READERS:
        reader = import_module(f"why401.readers.{name}")
        given = text if name in WHOLE_FILE else calm if name in every_line else short
        if reader.sniff(item.name, given):
            found: Evidence = reader.read(given, source)
            evidence = evidence + found
            if name in WHOLE_FILE:
                return evidence
    kind, language = kinds.kind_of(item.name, short)
    return evidence + Evidence(texts=(Text(short, source, kind, language),))
