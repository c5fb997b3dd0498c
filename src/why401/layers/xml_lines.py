"""XML as elements that know their lines (expat). Nothing outside is read; a file that declares entities is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from xml.parsers import expat

from why401.evidence import Source
from why401.layers.model import Damaged
from why401.layers.tree import Document

DEEPEST = 200


@dataclass(eq=False)
class Element:
    """An element; `name` is without its namespace, `line` that of its opening tag, counted from 1."""

    name: str
    attributes: dict[str, str] = field(repr=False)
    document: Document = field(repr=False)
    line: int
    text: str = field(default="", repr=False)
    children: list[Element] = field(default_factory=list)
    comments: list[tuple[int, str]] = field(default_factory=list, repr=False)
    parent: Element | None = field(default=None, repr=False)

    @property
    def source(self) -> Source:
        return Source(self.document.name, self.line)

    def all(self, name: str) -> list[Element]:
        """The children of this name."""
        return self._by_name.get(name, [])

    @cached_property
    def _by_name(self) -> dict[str, list[Element]]:
        found: dict[str, list[Element]] = {}
        for child in self.children:
            found.setdefault(child.name, []).append(child)
        return found

    def first(self, name: str) -> Element | None:
        return next(iter(self.all(name)), None)

    def walk(self) -> Iterator[Element]:
        """This element and all below it, in order."""
        yield self
        for child in self.children:
            yield from child.walk()

    def said(self, name: str) -> str:
        """The text of the first child of this name, without white space around it."""
        child = self.first(name)
        return child.text.strip() if child is not None else ""


def parse(document: Document) -> Element:
    """The root element. Raises Damaged."""
    return _Builder(document).parse()


class _Builder:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._root: Element | None = None
        self._open: list[Element] = []
        self._parser = expat.ParserCreate(encoding="utf-8")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.CommentHandler = self._comment
        self._parser.EntityDeclHandler = self._entity

    def parse(self) -> Element:
        text = re.sub(r"^\ufeff?\s*", "", self._document.text)
        skipped = self._document.text[: len(self._document.text) - len(text)].count("\n")
        self._skipped = skipped
        try:
            self._parser.Parse(text.encode("utf-8", "surrogatepass"), True)
        except expat.ExpatError as error:
            line = error.lineno + skipped
            raise self._damaged(expat.errors.messages[error.code], line) from None
        if self._root is None:
            raise self._damaged("no element found", 1)
        return self._root

    def _damaged(self, what: str, line: int) -> Damaged:
        name = self._document.name
        return Damaged(
            f"{name}: this is not well-formed XML: {what} (line {line}); `xmllint --noout {name}` shows the same.",
            Source(name, line),
        )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        line = self._parser.CurrentLineNumber + self._skipped
        if len(self._open) > DEEPEST:
            raise self._damaged("elements are nested too deeply", line)
        parent = self._open[-1] if self._open else None
        element = Element(name.rpartition(":")[2], attributes, self._document, line, parent=parent)
        if parent is not None:
            parent.children.append(element)
        else:
            self._root = element
        self._open.append(element)

    def _end(self, _: str) -> None:
        self._open.pop()

    def _characters(self, text: str) -> None:
        if self._open:
            self._open[-1].text += text

    def _comment(self, text: str) -> None:
        if self._open:
            self._open[-1].comments.append((self._parser.CurrentLineNumber + self._skipped, text))

    def _entity(self, *_: object) -> None:
        raise self._damaged(
            "it declares entities, which are not followed here", self._parser.CurrentLineNumber
        )
