# ruff: noqa: E501  (patterns: one a line)
"""Reader of code and directives as text: what a client sends, what a server demands, what lies between changes.

Files of code are read whole; of a message only fenced blocks, since prose also speaks of "Authorization: …".
Comments are no code and are blanked first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.evidence import Evidence, Source
from why401.prefilter import lazy
from why401.readers import code_demands, code_offers, kinds

LARGEST = 300_000

_CUE = lazy(
    r"(?i)authori[sz]ation|authenticat|\bauth\b|auth[(_=]|auth_|credentials|bearer|api[-_]?key|token|cookie|jwt|login|passport|middleware"
    r"|Require\s|PHP_AUTH|PassAuth"
)
_FENCE = lazy(r"(?ms)^[ \t]*```[^\n]*\n(?P<body>.*?)^[ \t]*```")
_COMMENTS = {
    "python": r"(?m)(?<=\s)#[^\n]*|^#[^\n]*", "ruby": r"(?m)(?<=\s)#[^\n]*|^#[^\n]*", "powershell": r"(?m)(?<=\s)#[^\n]*|^#[^\n]*",
    "nginx": r"(?m)#[^\n]*", "apache": r"(?m)^\s*#[^\n]*", "caddy": r"(?m)#[^\n]*", "haproxy": r"(?m)#[^\n]*",
}  # fmt: skip
_SLASHED = r"(?s)(?<![\"'*\w/])/\*.*?\*/|(?m:(?<![:\"'\w])//[^\n]*)"
_SERVERS = frozenset({"nginx", "apache", "caddy", "haproxy"})


def sniff(name: str, text: str) -> bool:
    """Whether the input is code or a server's directives, or a message with a fenced block."""
    kind, language = kinds.kind_of(name, text)
    if kind == "code" or language in _SERVERS or (kind == "settings" and language in ("ini", "groovy", None)):
        return bool(_CUE.search(text[:LARGEST]))
    return kind == "message" and "```" in text


def read(text: str, source: Source) -> Evidence:
    """The offers, demands and changes of each piece of code."""
    evidence = Evidence()
    for piece, where, language in _pieces(text[:LARGEST], source):
        bare = _without_comments(piece, language)
        servers = language in _SERVERS or language in (None, "ini")
        client = language not in _SERVERS and language != "shell"
        evidence = evidence + Evidence(
            offers=tuple(code_offers.offers(bare, where)) if client else (),
            demands=tuple(code_demands.demands(bare, where, servers=servers)),
            changes=tuple(code_demands.changes(bare, where)),
        )
    return evidence


def _pieces(text: str, source: Source) -> Iterator[tuple[str, Source, str | None]]:
    kind, language = kinds.kind_of(source.name, text)
    if kind != "message":
        yield text, source, language
        return
    for fence in _FENCE.finditer(text):
        yield fence["body"], source.at((source.line or 1) + text.count("\n", 0, fence.start("body"))), None


def _without_comments(text: str, language: str | None) -> str:
    pattern = _COMMENTS.get(language or "", _SLASHED)
    return re.sub(pattern, lambda match: re.sub(r"[^\n]", " ", match.group()), text)
