"""An haproxy.cfg as sections of lines (HAProxy, configuration.txt sections 2.1 to 2.3; `parse_line` in tools.c).

There is no maintained parser on PyPI that keeps line numbers; the grammar is one statement a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from why401.layers.model import Directive
from why401.layers.tree import Document

SECTIONS = frozenset(
    "global defaults frontend backend listen userlist peers resolvers mailers cache program http-errors ring "
    "log-forward fcgi-app crt-store traces".split()
)
_ESCAPES = {"t": "\t", "n": "\n", "r": "\r"}
_SPECIAL = " \\#'\""


def words(line: str) -> tuple[list[str], bool]:
    """The words of a line, and whether a `#` right after a character of a word cut it off."""
    found: list[str] = []
    word: str | None = None
    quote = ""
    at = 0
    while at < len(line):
        c = line[at]
        if quote and c == quote:
            quote = ""
        elif not quote and c in "\"'":
            quote, word = c, word or ""
        elif c == "\\" and quote != "'" and line[at + 1 : at + 2]:
            at += 1
            word = (word or "") + _escaped(line[at])
        elif not quote and c == "#":
            return found + ([word] if word is not None else []), word is not None
        elif not quote and c.isspace():
            found += [word] if word is not None else []
            word = None
        else:
            word = (word or "") + c
        at += 1
    return found + ([word] if word is not None else []), False


def _escaped(c: str) -> str:
    return c if c in _SPECIAL else _ESCAPES.get(c, "\\" + c)


def sections(documents: Iterable[Document]) -> Iterator[Directive]:
    """Each section with its lines as directives; two words of a line such as `http-request auth` are its name."""
    for document in documents:
        section: Directive | None = None
        for number, line in enumerate(document.lines, 1):
            parts, _ = words(line)
            if not parts:
                continue
            if parts[0] in SECTIONS:
                section = Directive(parts[0], tuple(parts[1:]), document, number, None, [])
                yield section
            elif section is not None and section.block is not None:
                section.block.append(Directive(parts[0], tuple(parts[1:]), document, number, section))
