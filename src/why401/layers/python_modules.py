"""The modules of a Python project: parsed once, found by import as Python finds them, never run."""

from __future__ import annotations

import ast
import os
import sys
import warnings
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from why401.evidence import Source
from why401.layers.model import Damaged
from why401.layers.tree import Document, Tree

#: Packages that are never the project's own.
LIBRARIES = frozenset(
    "django rest_framework rest_framework_simplejwt flask fastapi starlette jwt jose flask_login flask_httpauth "
    "flask_jwt_extended flask_cors werkzeug pydantic pydantic_settings sqlalchemy flask_sqlalchemy requests httpx "
    "uvicorn gunicorn passlib decouple environ dotenv corsheaders celery redis oauth2_provider".split()
)
HIGHEST = 5  # folders above a file in which an import is looked for


@dataclass(eq=False)
class Module:
    """One file of the project; `name` is its dotted name as far as it is known."""

    document: Document
    tree: ast.Module = field(repr=False)
    package: str = ""  # the folder in which relative imports begin

    def at(self, node: ast.AST) -> Source:
        return Source(self.document.name, getattr(node, "lineno", None))

    @property
    def lines(self) -> list[str]:
        return self.document.lines


def parse(document: Document) -> Module:
    """Raises Damaged where Python itself would not compile it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(document.text)
    except SyntaxError as problem:
        where = Source(document.name, problem.lineno)
        raise Damaged(
            f"{document.name}: Python cannot read this file: {problem.msg} (line {problem.lineno}).", where
        ) from None
    except (ValueError, RecursionError, MemoryError):
        raise Damaged(f"{document.name}: Python cannot read this file.") from None
    return Module(document, tree, os.path.dirname(document.name))


#: Worked out once for all the applications of a tree.
_FOLDERS: WeakKeyDictionary[Tree, set[str]] = WeakKeyDictionary()


def _folders(tree: Tree) -> set[str]:
    """Every folder in which a given file lies, at any depth."""
    if tree not in _FOLDERS:
        found: set[str] = set()
        for name in tree.given:
            folder = os.path.dirname(name)
            while folder and folder not in found:
                found.add(folder)
                folder = os.path.dirname(folder) if folder != "/" else ""
        _FOLDERS[tree] = found
    return _FOLDERS[tree]


class Project:
    """The modules that can be had from one root, by file and by import."""

    def __init__(self, tree: Tree, root: Document) -> None:
        self.tree, self.root = tree, root
        self._parsed: dict[str, Module | None] = {}
        self._found: dict[tuple[str, str], Document | None] = {}
        self._opened: dict[str, Document | None] = {}
        self._folders: dict[str, bool] = {}
        self.given_folders = _folders(tree)

    @property
    def modules(self) -> list[Module]:
        """Every module that was read."""
        return [module for module in self._parsed.values() if module is not None]

    def module(self, document: Document) -> Module | None:
        """The parsed module of a document; None where it cannot be read."""
        if document.name not in self._parsed:
            try:
                self._parsed[document.name] = parse(document)
            except Damaged:
                self._parsed[document.name] = None
        return self._parsed[document.name]

    def imported(self, dotted: str, level: int, importer: Module) -> Module | None:
        """The project's module of an import statement, or None for a library's."""
        top = dotted.partition(".")[0]
        if not level and (top in LIBRARIES or top in sys.stdlib_module_names):
            return None
        folder = importer.package
        key = (folder, "." * level + dotted)
        if key not in self._found:
            self._found[key] = self._look(dotted, level, folder)
        document = self._found[key]
        return self.module(document) if document else None

    def _look(self, dotted: str, level: int, folder: str) -> Document | None:
        parts = dotted.split(".") if dotted else []
        bases = [folder]
        if level:
            for _ in range(level - 1):
                bases = [os.path.dirname(bases[0])]
        else:
            for _ in range(HIGHEST):
                bases.append(os.path.dirname(bases[-1]))
        for base in dict.fromkeys(bases):
            if parts and not level and not self._has(base, parts[0]):
                continue
            place = os.path.join(base, *parts)
            for name in (f"{place}.py", os.path.join(place, "__init__.py")):
                found = self._open(name)
                if found is not None:
                    return found
        return None

    def _has(self, base: str, top: str) -> bool:
        """Whether a folder holds a module or package of this name."""
        place = os.path.join(base, top)
        if f"{place}.py" in self.tree.given or place in self.given_folders:
            return True
        if self.root.path is None:
            return False
        if place not in self._folders:
            self._folders[place] = os.path.isdir(place) or os.path.isfile(f"{place}.py")
        return self._folders[place]

    def _open(self, name: str) -> Document | None:
        if name not in self._opened:
            held = self.tree.given.get(name)
            if held is None and self.root.path is not None and os.path.isfile(name):
                opened = self.tree.open(os.path.abspath(name), self.root)
                if isinstance(opened, Document):
                    held = Document(name, opened.text, opened.path, opened.encoding)
            self._opened[name] = held
        return self._opened[name]
