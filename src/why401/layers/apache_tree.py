"""A configuration of Apache httpd as directives with their places: includes, conditions and variables resolved.

A reader of our own, since the parsers on PyPI (apacheconfig, a2conf, apache-conf-parser) keep no line numbers or
know neither continued lines, nor `Define`, nor the order in which `<IfModule>` is decided. The grammar is small
("Configuration Files", "Core Features", server/config.c and server/util.c of httpd 2.4): one directive a line, a
backslash at its end continues it, sections in angle brackets, names without regard to case.

In the tree all names are in lower case; a section is a directive with a block; conditions that hold (`<IfModule>`,
`<IfDefine>`, `<IfVersion>`, …) are gone, with their content in their place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from why401.evidence import Source
from why401.layers.apache_files import copies, environment, server_open, server_root
from why401.layers.model import Damaged, Directive
from why401.layers.tree import Document, Tree
from why401.prefilter import lazy

DEEPEST: Final = 20
MOST_INCLUDED: Final = 5_000
VERSION: Final = (2, 4, 66)
#: Compiled into the server as distributions build it (`apache2 -l`), so no LoadModule names them.
STATIC: Final = frozenset("core http so watchdog log_config logio version unixd".split())
_CONDITIONS: Final = frozenset("ifmodule ifdefine ifversion iffile ifdirective ifsection".split())

_WORD = lazy(r"\"((?:\\.|[^\"\\])*)\"?|'((?:\\.|[^'\\])*)'?|(\S+)")
_ESCAPED = lazy(r"\\([\\\"'])")
_VARIABLE = lazy(r"\$\{([^}\s]+)\}")
_SECTION = lazy(r"<(/?)([A-Za-z][\w:]*)\s*(.*)$")


@dataclass
class Parsed:
    """A whole configuration: its nameless outermost block, and what was learnt on the way."""

    top: Directive
    server_root: str = ""
    stated: str = ""  # the ServerRoot, where the configuration names one
    modules: dict[str, Directive] = field(default_factory=dict)  # "auth_basic" → its LoadModule
    variables: dict[str, str] = field(default_factory=dict)
    documents: dict[str, Document] = field(default_factory=dict)

    @property
    def knows_modules(self) -> bool:
        """Whether the list of modules is that of a whole server, not of a part."""
        return any(name == "authz_core" or name.startswith("mpm_") for name in self.modules)

    def has(self, module: str) -> bool:
        """Whether a module is there, or may be there since the list of modules was not given."""
        return module in self.modules or module in STATIC or not self.knows_modules


def parse(tree: Tree, root: Document) -> Parsed:
    """The configuration that begins at `root`. Raises Damaged where httpd itself would refuse its sections."""
    top = Directive("", (), root, 1, None, [])
    reader = _Reader(tree, root, Parsed(top, variables=environment(tree, root)))
    reader.parsed.server_root = server_root(root)
    reader.read(root, top, 0)
    return reader.parsed


def parse_part(document: Document, whole: Parsed, tree: Tree) -> Directive:
    """An .htaccess file below a configuration that was read already; it cannot include others."""
    top = Directive("", (), document, 1, None, [])
    _Reader(tree, document, replace(whole, top=top, documents={})).read(document, top, DEEPEST)
    return top


def words(text: str) -> tuple[str, ...]:
    """The words of a directive's arguments, as httpd's ap_getword_conf splits them."""
    found = []
    for match in _WORD.finditer(text):
        double, single, bare = match.groups()
        inner = double if double is not None else single
        found.append(bare if inner is None else _ESCAPED.sub(r"\1", inner) if "\\" in inner else inner)
    return tuple(found)


class _Reader:
    def __init__(self, tree: Tree, root: Document, parsed: Parsed) -> None:
        self._tree, self._root, self.parsed = tree, root, parsed
        self._open, self._reads = {root.name}, 0

    def read(self, document: Document, parent: Directive, depth: int) -> None:
        """Read one file into `parent`'s block; its sections have to end in it."""
        self.parsed.documents[document.name] = document
        open_blocks: list[tuple[str, int, Directive]] = []
        at, skipped = parent, 0
        for line, text in _statements(document):
            if text[0] != "<":
                if not skipped:
                    self._directive(document, line, text, at, depth)
                continue
            match = _SECTION.match(text)
            if match is None:
                continue
            closing, name = match[1], match[2].lower()
            if not closing:
                rest = match[3].rstrip()
                open_blocks.append((name, line, at))
                if skipped or (name in _CONDITIONS and not self._holds(name, self._filled(rest[:-1]), at)):
                    skipped += 1
                elif name not in _CONDITIONS:
                    block = Directive(
                        name, words(self._filled(rest.removesuffix(">"))), document, line, at, []
                    )
                    _add(at, block)
                    at = block
                continue
            if not open_blocks or open_blocks[-1][0] != name:
                raise _crossed(document, line, name, open_blocks[-1][0] if open_blocks else "")
            at = open_blocks.pop()[2]
            skipped = max(0, skipped - 1)
        if open_blocks:
            name, line, _ = open_blocks[-1]
            raise Damaged(
                f"{document.name}: the section <{name}> of line {line} is not closed; `apachectl -t` shows the same.",
                Source(document.name, line),
            )

    def _directive(self, document: Document, line: int, text: str, at: Directive, depth: int) -> None:
        name, _, rest = text.partition(" ") if " " in text else text.partition("\t")
        if "\t" in name:
            name, _, rest = text.partition("\t")
        found = Directive(name.lower(), words(self._filled(rest)), document, line, at)
        if found.name in ("include", "includeoptional") and found.args:
            for included in self._included(found.args[0]) if depth < DEEPEST else ():
                self._include(included, found, at, depth)
            return
        self._learn(found)
        _add(at, found)

    def _include(self, included: Document, found: Directive, at: Directive, depth: int) -> None:
        if included.name in self._open:
            raise Damaged(
                f"{found.document.name}: line {found.line} includes {included.name}, which is being read already; "
                "httpd does not start with files that include each other.",
                found.source,
            )
        self._reads += 1
        if self._reads <= MOST_INCLUDED:
            self._open.add(included.name)
            self.read(included, at, depth + 1)
            self._open.discard(included.name)

    def _learn(self, found: Directive) -> None:
        args = found.args
        if found.name == "loadmodule" and args:
            self.parsed.modules.setdefault(args[0].removesuffix("_module"), found)
        elif found.name == "define" and args:
            self.parsed.variables[args[0]] = args[1] if len(args) > 1 else ""
        elif found.name == "undefine" and args:
            self.parsed.variables.pop(args[0], None)
        elif found.name == "serverroot" and args:
            self.parsed.stated = self.parsed.server_root = args[0].rstrip("/") or "/"

    def _filled(self, text: str) -> str:
        if "${" not in text:
            return text
        variables = self.parsed.variables
        return _VARIABLE.sub(lambda match: variables.get(match[1], match[0]), text)

    def _included(self, pattern: str) -> list[Document]:
        base = self.parsed.server_root
        for place in (pattern, pattern.rstrip("/") + "/*"):
            found = self._tree.glob(place, self._root, base=base, usual=base)
            for copy in () if found else copies(self._root, base, place):
                found = found or self._tree.matching(copy, self._root)
            if found:
                return found
        return []

    def _holds(self, name: str, condition: str, at: Directive) -> bool:
        """Whether a condition holds; one that the configuration alone cannot decide is taken to hold."""
        args = words(condition)
        negated = bool(args) and args[0].startswith("!")
        value = args[0].lstrip("!") if args else ""
        if name == "ifmodule":
            return self._module(value) is not negated
        if name == "ifdefine":
            return (value in self.parsed.variables) is not negated
        if name == "iffile":
            found = server_open(self._tree, self._root, self.parsed.server_root, value, self.parsed.stated)
            known = isinstance(found, Document) or found.kind == "missing"
            return isinstance(found, Document) is not negated if known else True
        if name == "ifversion":
            return _version(args)
        if name == "ifsection":
            return any(block.name == value.lower() for block in at.enclosing()) is not negated
        return not negated

    def _module(self, value: str) -> bool:
        """Whether a module, named by its file (mod_x.c) or as LoadModule does (x_module), is loaded so far."""
        name = value.removesuffix(".c").removesuffix("_module").removeprefix("mod_")
        modules = self.parsed.modules
        return not modules or name in modules or name in STATIC


def _statements(document: Document) -> Iterator[tuple[int, str]]:
    """(line, text) of every directive and section, continued lines joined, comments left out."""
    pending, first = "", 0
    for number, raw in enumerate(document.text.split("\n"), 1):
        line = raw.removesuffix("\r")
        if pending:
            line = pending + line
        else:
            first = number
            line = line.lstrip()
        if line.endswith("\\"):
            pending = line[:-1]
            continue
        pending = ""
        line = line.strip()
        if line and line[0] != "#":
            yield first, line


def _add(parent: Directive, child: Directive) -> None:
    assert parent.block is not None
    parent.block.append(child)


def _crossed(document: Document, line: int, name: str, opened: str) -> Damaged:
    expected = f"where </{opened}> is expected" if opened else "without its beginning"
    return Damaged(
        f"{document.name}: </{name}> stands on line {line} {expected}; `apachectl -t` shows the same.",
        Source(document.name, line),
    )


def _version(args: tuple[str, ...]) -> bool:
    operator, wanted = args if len(args) == 2 else ("=", args[0] if args else "")
    numbers = tuple(int(part) for part in re.findall(r"\d+", wanted))
    own = VERSION[: len(numbers)]
    holds = {"=": own == numbers, "==": own == numbers, ">": own > numbers, ">=": own >= numbers}
    holds |= {"<": own < numbers, "<=": own <= numbers}
    negated = operator.startswith("!")
    return holds.get(operator.lstrip("!"), True) is not negated
