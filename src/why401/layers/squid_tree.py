"""A squid.conf as directives, one a line (squid-cache.org/Doc/config; ConfigParser.cc)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from why401.layers.model import Directive
from why401.layers.tree import Document, Tree

DEEPEST = 10


def parse(tree: Tree, root: Document) -> Directive:
    """The directives of the configuration, those of included files in their place, below a nameless one."""
    top = Directive("", (), root, 1, None, [])
    top.block = list(_read(tree, root, root, top, 0))
    return top


def _read(tree: Tree, root: Document, document: Document, top: Directive, depth: int) -> Iterator[Directive]:
    for number, text in _lines(document):
        words = _words(text)
        if not words:
            continue
        if words[0] == "include" and len(words) > 1:
            for pattern in words[1:] if depth < DEEPEST else ():
                for other in tree.glob(pattern, root, usual="/etc/squid"):
                    yield from _read(tree, root, other, top, depth + 1)
            continue
        yield Directive(words[0], tuple(words[1:]), document, number, top)


def _lines(document: Document) -> Iterator[tuple[int, str]]:
    """Lines with their numbers, those that end with a backslash joined with the next."""
    held, first = "", 0
    for number, line in enumerate(document.text.splitlines(), 1):
        first = first or number
        if line.endswith("\\"):
            held += line[:-1] + " "
            continue
        yield first, held + line
        held, first = "", 0
    if held:
        yield first, held


def _words(text: str) -> list[str]:
    """The words of a line up to a comment; quotes hold a word together."""
    text = re.split(r"(?:^|\s)#", text, maxsplit=1)[0]
    if '"' in text or "'" in text:
        try:
            return shlex.split(text)
        except ValueError:
            pass
    return text.split()
