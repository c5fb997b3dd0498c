"""A Caddyfile as directives with their places; imports of snippets and files in their place.

Grammar: caddyserver.com/docs/caddyfile/concepts, lexer.go and parse.go. No maintained parser on PyPI knows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from why401.evidence import Source
from why401.layers.model import Damaged, Directive
from why401.layers.tree import Document, Tree
from why401.prefilter import lazy

DEEPEST = 12
_TOKEN = lazy(
    r"(?P<space>[ \t\r]+|\\\r?\n)|(?P<line>\n)|(?P<comment>(?<![^\s])#[^\n]*)"
    r'|"(?P<double>(?:\\.|[^"\\])*)"|`(?P<back>[^`]*)`'
    r"|<<(?P<mark>[A-Za-z0-9_-]+)\n(?P<here>(?:.*\n)*?)[ \t]*(?P=mark)\b"
    r"|(?P<word>(?:\\[\s{}]|\{[^{}\s]*\}|[^\s])+)"
)
_ENVIRONMENT = lazy(r"\{\$([^{}:]+)(?::([^{}]*))?\}")


@dataclass(frozen=True)
class Token:
    text: str
    line: int
    quoted: bool = False


Line = list[Token]


def lines(document: Document) -> Iterator[Line]:
    """The lines of tokens of a file. Variables of the environment give their defaults."""
    text = _ENVIRONMENT.sub(_default, document.text)
    number, line = 1, Line()
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind == "line":
            if line:
                yield line
            line = Line()
        elif kind not in ("space", "comment"):
            held = match[kind] if kind != "word" else match[0]
            quoted = kind != "word"
            line.append(Token(held.replace('\\"', '"') if kind == "double" else held, number, quoted))
        number += match[0].count("\n")
    if line:
        yield line


def _default(match: re.Match[str]) -> str:
    """What a variable stands for: its value here is not that of the server."""
    return match[2] if match[2] is not None else match[0]


def parse(tree: Tree, root: Document) -> Directive:
    """The Caddyfile below a nameless directive: sites, snippets `(name)`, and the options, named `{`."""
    top = Directive("", (), root, 1, None, [])
    _Parser(tree, root).site_level(root, top)
    return top


class _Parser:
    def __init__(self, tree: Tree, root: Document) -> None:
        self._tree, self._root = tree, root
        self._snippets: dict[str, Directive] = {}

    def site_level(self, document: Document, top: Directive, depth: int = 0) -> None:
        found = list(lines(document))
        at = 0
        while at < len(found):
            line = found[at]
            if line[0].text == "import" and len(line) > 1 and line[-1].text != "{":
                for other in self._files(line[1].text, document) if depth < DEEPEST else ():
                    self.site_level(other, top, depth + 1)
                at += 1
                continue
            at += 1
            while line[-1].text.endswith(",") and at < len(found):  # addresses over several lines
                line = line + found[at]
                at += 1
            at = self._site(document, found, at, line, top)

    def _site(self, document: Document, found: list[Line], at: int, line: Line, top: Directive) -> int:
        words = [t.text.rstrip(",") for t in line]
        braced = words[-1] == "{"
        name = "{" if words == ["{"] else words[0] if words[0].startswith(("(", "&(")) else "site"
        args = tuple(w for w in words[: -1 if braced else None] if w)
        block = Directive(name, args, document, line[0].line, top, [])
        at = self._block(document, found, at, block) if braced else self._rest(document, found, at, block)
        if name.startswith("("):
            self._snippets[name.strip("()")] = block
        elif top.block is not None:
            top.block.append(block)
        return at

    def _rest(self, document: Document, found: list[Line], at: int, block: Directive) -> int:
        """A file of one site without braces: all lines that follow are its directives."""
        while at < len(found):
            at = self._directive(document, found, at, block, {}, 0)
        return at

    def _block(
        self,
        document: Document,
        found: list[Line],
        at: int,
        block: Directive,
        values: Mapping[str, str] | None = None,
        depth: int = 0,
    ) -> int:
        while at < len(found):
            if found[at][0].text == "}" and not found[at][0].quoted:
                return at + 1
            at = self._directive(document, found, at, block, values or {}, depth)
        if block.parent is not None:
            raise Damaged(
                f"{document.name}: the block that begins in line {block.line} is not closed; "
                "`caddy validate` shows the same.",
                Source(document.name, block.line),
            )
        return at

    def _directive(
        self,
        document: Document,
        found: list[Line],
        at: int,
        block: Directive,
        values: Mapping[str, str],
        depth: int,
    ) -> int:
        line = found[at]
        opens = line[-1].text == "{" and not line[-1].quoted
        words = [t.text for t in (line[:-1] if opens else line)] or ["{"]
        if words[0] == "import" and len(words) > 1 and not opens:
            self._import(document, words[1:], block, depth)
            return at + 1
        inner = Directive(words[0], tuple(words[1:]), document, line[0].line, block, [] if opens else None)
        if block.block is not None:
            block.block.append(inner)
        return self._block(document, found, at + 1, inner, values, depth) if opens else at + 1

    def _import(self, document: Document, words: list[str], block: Directive, depth: int) -> None:
        if depth > DEEPEST or block.block is None:
            return
        snippet = self._snippets.get(words[0])
        if snippet is not None:
            block.block += [_copy(d, block, words[1:]) for d in snippet.block or ()]
            return
        for other in self._files(words[0], document):
            found = list(lines(other))
            at = 0
            while at < len(found):
                at = self._directive(other, found, at, block, {}, depth + 1)

    def _files(self, pattern: str, document: Document) -> list[Document]:
        folder = str(PurePath(document.name).parent)
        return [d for d in self._tree.glob(pattern, self._root, folder, "/etc/caddy") if d is not document]


def _copy(directive: Directive, parent: Directive, args: list[str]) -> Directive:
    """A directive of a snippet, with `{args[0]}` (once `{args.0}`) filled in."""

    def fill(text: str) -> str:
        return re.sub(
            r"\{args[.\[](\d+)\]?\}",
            lambda m: args[int(m[1])] if int(m[1]) < len(args) else m[0],
            text,
        )

    held = tuple(fill(a) for a in directive.args)
    copy = Directive(
        fill(directive.name),
        held,
        directive.document,
        directive.line,
        parent,
        None if directive.block is None else [],
    )
    if copy.block is not None:
        copy.block += [_copy(d, copy, args) for d in directive.block or ()]
    return copy
