"""What the applications' layers share: pieces that a request meets, keys, flat settings, and where a project ends."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

from why401.evidence import Request, Source
from why401.layers.model import Layer, Route
from why401.layers.tree import Document, Tree
from why401.secret import Secret

if TYPE_CHECKING:
    from why401.layers.js_modules import Module

#: Paths at which one logs in: they cannot ask for the login themselves.
LOGIN_PATH = r"(?i)(?:^|/)(?:log-?in|sign-?in|sign-?up|register|authenticate|token|refresh(?:-token)?)/?$"


@dataclass(frozen=True)
class Piece:
    """A route, and which requests meet it."""

    route: Route
    fits: Callable[[Request], bool] = field(repr=False)


@dataclass(eq=False)
class Application(Layer):
    """An application read from its code; `pieces` stand in the order in which a request passes them."""

    kind: Literal["server", "application"] = "application"
    #: Keys that verify tokens, by the place of the demand `keys` that they belong to.
    keys: Mapping[Source, Secret] = field(default_factory=dict, repr=False)

    def pieces(self) -> Iterable[Piece]:
        raise NotImplementedError

    def routes(self) -> Sequence[Route]:
        return [piece.route for piece in self.pieces()]

    def meets(self, request: Request) -> tuple[Route, ...]:
        return tuple(piece.route for piece in self.pieces() if piece.fits(request))


@dataclass(eq=False)
class NodeApplication(Application):
    """An application in JavaScript or TypeScript."""

    @property
    def modules(self) -> Sequence[Module]:
        """The modules that are part of it."""
        raise NotImplementedError


@dataclass(frozen=True)
class Value:
    """A value of a settings file, with its place."""

    text: str = field(repr=False)
    source: Source
    document: Document = field(repr=False, compare=False)


def flat(document: Document) -> dict[str, Value]:
    """The settings of a YAML, JSON, properties or .env file by dotted key, lists counted from 0; {} where it
    cannot be read. A YAML file of several documents gives those of the first."""
    if document.name.endswith((".yml", ".yaml", ".json")):
        return dict(_composed(document))
    found: dict[str, Value] = {}
    for number, line in enumerate(document.text.splitlines(), 1):
        match = re.match(r"\s*(?:export\s+)?([\w.\[\]-]+)\s*[=:]\s*(.*?)\s*$", line)
        if match and not line.lstrip().startswith(("#", "!")):
            key = re.sub(r"\[(\d+)\]", r".\1", match[1])
            found[key] = Value(match[2].strip("\"'"), Source(document.name, number), document)
    return found


def _composed(document: Document) -> Iterator[tuple[str, Value]]:
    import yaml

    text = document.text.lstrip("\ufeff")
    if document.name.endswith(".json"):
        text = re.sub(r"(?m)^(\s*)//.*$", r"\1", text).replace("\t", "  ")
    try:
        node = next(iter(yaml.compose_all(text, Loader=yaml.SafeLoader)), None)
        yield from _below(node, "", document)
    except (yaml.YAMLError, RecursionError, ValueError):
        return


def _below(node: Any, prefix: str, document: Document) -> Iterator[tuple[str, Value]]:
    kind = getattr(node, "id", "")
    if kind == "mapping":
        for key, value in node.value:
            yield from _below(value, f"{prefix}.{key.value}" if prefix else str(key.value), document)
    elif kind == "sequence":
        for number, value in enumerate(node.value):
            yield from _below(value, f"{prefix}.{number}", document)
    elif kind == "scalar":
        yield prefix, Value(str(node.value), Source(document.name, node.start_mark.line + 1), document)


def folder_of(name: str, *inner: str) -> str:
    """The folder of the project that a file belongs to: that above the first of the folders `inner` in its name,
    else the one in which it lies."""
    parts = PurePosixPath(name).parts[:-1]
    for at in range(len(parts)):
        for folder in inner:
            wanted = PurePosixPath(folder).parts
            if parts[at : at + len(wanted)] == wanted:
                return str(PurePosixPath(*parts[:at]))
    return str(PurePosixPath(*parts))


def projects(documents: Iterable[Document], *inner: str) -> dict[str, list[Document]]:
    """Documents by the folder of their project."""
    found: dict[str, list[Document]] = {}
    for document in documents:
        found.setdefault(folder_of(document.name, *inner), []).append(document)
    return found


def below(tree: Tree, folder: str) -> list[Document]:
    """The given documents below a folder ("." is every one with a relative name)."""
    if folder == ".":
        return [d for d in tree.given.values() if not d.name.startswith(("/", "../"))]
    return [d for d in tree.given.values() if d.name.startswith(folder.rstrip("/") + "/")]


def ant(pattern: str) -> re.Pattern[str]:
    """A path pattern of Spring and ASP.NET (`/api/**`, `/users/*`, `/users/{id}`) as a regular expression."""
    parts = re.split(r"(/?\*\*|\*|\?|\{[^{}]*\})", pattern)
    found = ""
    for part in parts:
        if part in ("/**", "/{*path}"):
            found += "(?:/.*)?"
        elif part == "**":
            found += ".*"
        elif part == "?":
            found += "[^/]"
        elif part.startswith("{") and ("**" in part or part.startswith("{*")):
            found += ".*"
        elif part == "*" or part.startswith("{"):
            found += "[^/]*"
        else:
            found += re.escape(part)
    return re.compile(found + r"\Z")


def authorization(request: Request) -> tuple[str, str] | None:
    """Scheme in lower case and the rest of the Authorization field; None where there is none."""
    value = request.fields.get("Authorization")
    if value is None:
        return None
    scheme, _, rest = value.strip().partition(" ")
    return scheme.lower(), rest.strip()
