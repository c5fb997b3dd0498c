"""A lighttpd.conf as assignments in blocks of conditions (lighttpd: docs "Configuration", src/configparser.y).

No parser of it is on PyPI. Values are read with their lines; variables and `+` are resolved where they are known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from why401.evidence import Source
from why401.layers.model import Damaged
from why401.layers.tree import Document, Tree
from why401.prefilter import lazy

DEEPEST = 12
_TOKEN = lazy(
    r'\s+|#[^\n]*|"(?P<double>(?:\\.|[^"\\])*)"|\'(?P<single>[^\']*)\''
    r'|(?P<variable>\$[A-Za-z_]+(?:\s*\[\s*"[^"]*"\s*\])*)'
    r"|(?P<sign>=>|==|!=|=~|!~|=\^|=\$|\+=|:=|[=(),{}+])|(?P<word>[^\s\"'=(){},+!$#]+)"
)


@dataclass(eq=False)
class Value:
    """A text, or an array of (key, value); keys are "" where there is none. `line` counts from 1."""

    line: int
    text: str | None = None
    items: list[tuple[str, Value]] = field(default_factory=list)

    def get(self, key: str) -> Value | None:
        return next((value for name, value in self.items if name == key), None)

    def words(self) -> list[str]:
        """The text, or the texts of the array."""
        held = [self.text] if self.text is not None else [v.text for _, v in self.items]
        return [text for text in held if text is not None]


@dataclass(eq=False)
class Assignment:
    name: str
    adds: bool
    value: Value
    document: Document
    line: int

    @property
    def source(self) -> Source:
        return Source(self.document.name, self.line)


@dataclass(eq=False)
class Block:
    """A condition with what holds under it; `earlier` are the conditions of which it is the `else`."""

    subject: str = ""
    sign: str = ""
    pattern: str = ""
    source: Source = field(default_factory=lambda: Source(""))
    parent: Block | None = None
    earlier: tuple[Block, ...] = ()
    statements: list[Assignment | Block] = field(default_factory=list)

    def walk(self) -> Iterator[Block]:
        """This block and all below it."""
        yield self
        for statement in self.statements:
            if isinstance(statement, Block):
                yield from statement.walk()

    @cached_property
    def assignments(self) -> dict[str, list[Assignment]]:
        """The assignments directly in this block, by name."""
        found: dict[str, list[Assignment]] = {}
        for statement in self.statements:
            if isinstance(statement, Assignment):
                found.setdefault(statement.name, []).append(statement)
        return found

    def own(self, name: str) -> Assignment | None:
        """The last assignment to a name directly in this block."""
        return next(reversed(self.assignments.get(name, [])), None)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    line: int


def parse(tree: Tree, root: Document) -> tuple[Block, list[Document]]:
    """The whole configuration, and the files that it was read from. Raises Damaged."""
    top = Block(source=Source(root.name, 1))
    documents: list[Document] = []
    _Parser(tree, root, documents, {}).file(root, top, 0)
    return top, documents


class _Parser:
    def __init__(
        self, tree: Tree, root: Document, documents: list[Document], known: dict[str, Value]
    ) -> None:
        self._tree, self._root, self._documents, self._known = tree, root, documents, known
        self._tokens: list[_Token] = []
        self._at = 0

    def file(self, document: Document, block: Block, depth: int) -> None:
        self._document, self._depth = document, depth
        self._documents.append(document)
        self._tokens = list(_tokens(document))
        self._at = 0
        while self._peek() is not None:
            self._statement(block)

    def _peek(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _next(self) -> _Token:
        token = self._peek()
        if token is None:
            last = self._tokens[-1].line if self._tokens else 1
            raise self._damaged("ends in the middle of a statement", last)
        self._at += 1
        return token

    def _damaged(self, what: str, line: int) -> Damaged:
        return Damaged(
            f"{self._document.name}: this lighttpd configuration {what} (line {line}); `lighttpd -tt -f` shows "
            "the same.",
            Source(self._document.name, line),
        )

    def _statement(self, block: Block) -> None:
        token = self._next()
        if token.kind == "variable":
            self._condition(block, token, ())
        elif token.text in ("include", "include_shell"):
            value = self._value()
            if token.text == "include" and value.text and self._depth < DEEPEST:
                for other in self._tree.glob(value.text, self._root, usual="/etc/lighttpd"):
                    inner = _Parser(self._tree, self._root, self._documents, self._known)
                    inner.file(other, block, self._depth + 1)
        elif token.text == "else":
            self._else(block, token)
        elif token.kind == "word":
            sign = self._next().text
            if sign not in ("=", "+=", ":="):
                raise self._damaged(f"has no = after {token.text}", token.line)
            found = Assignment(token.text, sign == "+=", self._value(), self._document, token.line)
            if sign != "+=":
                self._known[found.name] = found.value
            block.statements.append(found)
        elif token.text != ",":
            raise self._damaged(f"has {token.text} where a setting should begin", token.line)

    def _else(self, block: Block, token: _Token) -> None:
        last = next((s for s in reversed(block.statements) if isinstance(s, Block)), None)
        if last is None:
            raise self._damaged("has an else without a condition before it", token.line)
        following = self._peek()
        if following is not None and following.text == "if":
            self._next()
            following = self._peek()
        if following is not None and following.kind == "variable":
            self._condition(block, self._next(), (*last.earlier, last))
            return
        inner = Block("", "", "", Source(self._document.name, token.line), block, (*last.earlier, last))
        self._braces(block, inner)

    def _condition(self, block: Block, token: _Token, earlier: tuple[Block, ...]) -> None:
        sign = self._next().text
        pattern = self._value().text or ""
        name = "".join(c for c in token.text if c not in '$[]" \t\n').lower()
        name = name.removeprefix("http").removeprefix("request_header").removeprefix("server")
        if "request_header" in token.text.lower() or "request-header" in token.text.lower():
            name = "request-header:" + name.removeprefix("request-header")
        self._braces(
            block, Block(name, sign, pattern, Source(self._document.name, token.line), block, earlier)
        )

    def _braces(self, block: Block, inner: Block) -> None:
        block.statements.append(inner)
        opening = self._next()
        if opening.text != "{":
            raise self._damaged("has no { after a condition", opening.line)
        while True:
            following = self._peek()
            if following is None:
                raise self._damaged("does not close a {", inner.source.line or 1)
            if following.kind == "sign" and following.text == "}":
                self._next()
                return
            self._statement(inner)

    def _value(self) -> Value:
        found = self._single()
        while (following := self._peek()) is not None and following.text == "+" and following.kind == "sign":
            self._next()
            other = self._single()
            if found.text is not None and other.text is not None:
                found = Value(found.line, found.text + other.text)
            else:
                found = Value(found.line, None, [*found.items, *other.items])
        return found

    def _single(self) -> Value:
        token = self._next()
        if token.text == "(" and token.kind == "sign":
            return Value(token.line, None, list(self._items()))
        if token.kind == "word" and token.text in self._known:
            held = self._known[token.text]
            return Value(token.line, held.text, held.items)
        if token.kind == "sign":
            raise self._damaged(f"has {token.text} where a value should stand", token.line)
        return Value(token.line, token.text)

    def _items(self) -> Iterator[tuple[str, Value]]:
        while True:
            following = self._peek()
            if following is not None and following.kind == "sign" and following.text in (")", ","):
                self._next()
                if following.text == ")":
                    return
                continue
            value = self._value()
            after = self._peek()
            if after is not None and after.text == "=>" and after.kind == "sign":
                self._next()
                inner = self._value()
                yield value.text or "", Value(value.line, inner.text, inner.items)
            else:
                yield "", value


def _tokens(document: Document) -> Iterator[_Token]:
    line = 1
    for match in _TOKEN.finditer(document.text):
        kind = match.lastgroup
        if kind is not None:
            text = match[kind].replace('\\"', '"') if kind == "double" else match[kind]
            yield _Token("text" if kind in ("double", "single") else kind, text, line)
        line += match[0].count("\n")
