"""The sections of Apache httpd that a request passes, merged in their order, with .htaccess where it counts."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from why401.layers import apache_match as match
from why401.layers.apache_match import Target
from why401.layers.apache_rewrite import Facts, Outcome, follow, rules
from why401.layers.maybe import Maybe
from why401.layers.model import Directive

if TYPE_CHECKING:
    from why401.layers.apache import Apache


NOWHERE: Final = Target("file", None)


@dataclass(frozen=True)
class Ignored:
    """An .htaccess that does not count, and the `AllowOverride` that says so (None for the default)."""

    block: Directive
    by: Directive | None


@dataclass(frozen=True)
class Chain:
    """What a path meets. `sections` decide on access, in the order of merging, later ones win; `handling` are those
    of `resource`, the URL path after internal redirects, and decide by which program it is answered."""

    virtual: Directive | None
    path: str
    target: Target
    sections: tuple[Directive, ...]
    ignored: tuple[Ignored, ...] = ()
    resource: str = ""
    rewritten: tuple[Outcome, ...] = ()
    final: Target = NOWHERE
    handling: tuple[Directive, ...] = ()

    def last(self, *names: str) -> Directive | None:
        """The directive in force: that of the latest section which has one."""
        return in_force(self.sections, *names)

    def every(self, *names: str) -> Iterator[Directive]:
        """All directives of these names, in the order of merging."""
        for section in self.sections:
            yield from section.all(*names)


def in_force(sections: Sequence[Directive], *names: str) -> Directive | None:
    """The directive that holds: that of the latest section which has one."""
    return next((d for s in reversed(sections) if (d := s.last(*names)) is not None), None)


def chain(layer: Apache, virtual: Directive | None, asked: str, method: str = "GET", host: str = "") -> Chain:
    """The sections for a path, followed through mod_rewrite and DirectoryIndex to what answers in the end."""
    places = [layer.top, *([virtual] if virtual is not None else [])]
    exists = _exists(layer, places[::-1], asked)
    outcomes: list[Outcome] = []
    path = asked
    if rules(places[-1]):
        outcomes.append(follow(places[-1], Facts(path, method, host, exists), None))
        path = outcomes[0].path
    passed = outcomes[0].passed if outcomes else None
    first = _sections(layer, places, path, Target("proxy", *passed) if passed else None)
    inner = _rewriting(places, first)
    if inner is not None:
        outcomes.append(follow(inner, Facts(path, method, host, exists), folder_url(layer, first, inner)))
        path, passed = outcomes[-1].path, outcomes[-1].passed
    resource = path if passed else _indexed(layer, first, path)
    last = first if resource == first.path else _sections(layer, places, resource, None)
    final = Target("proxy", *passed) if passed else last.target
    return replace(
        first,
        path=asked,
        resource=resource,
        rewritten=tuple(outcomes),
        final=final,
        handling=last.sections,
        virtual=virtual,
    )


def _sections(layer: Apache, places: Sequence[Directive], path: str, passed: Target | None) -> Chain:
    located = list(match.locations(places, path))
    target = passed or match.target_for(places[::-1], path, located)
    found: list[Directive] = []
    ignored: list[Ignored] = []
    if target.kind == "proxy":
        found += match.proxies(places, target.value or "")
    elif target.value is not None:
        found += _walked(layer, places, target.value, ignored)
        found += match.expressions(places, "directory", target.value.rpartition("/")[0] + "/")
    else:
        found += (block for block, folder in layer.loose if match.below(path, folder))
    if target.kind != "proxy":
        found += match.files([*places, *found], (target.value or path).rpartition("/")[2])
    sections = (*places, *found, *located)
    there = (inner for section in sections for inner in section.all("if") if _if_there(inner))
    return Chain(None, path, target, (*sections, *there), tuple(ignored))


def _if_there(section: Directive) -> bool:
    """Whether an `<If>` asks for no more than that the file is there, as those round a handler of PHP do."""
    return " ".join(section.args).strip("\"' ") in ("-f %{REQUEST_FILENAME}", "-f %{SCRIPT_FILENAME}")


def _walked(
    layer: Apache, places: Sequence[Directive], file: str, ignored: list[Ignored]
) -> Iterator[Directive]:
    """`<Directory>` sections and .htaccess files from / down to the file's folder."""
    override: Directive | None = None
    for folder in match.folders(file):
        sections = list(match.directories(places, folder))
        yield from sections
        override = next((d for s in reversed(sections) if (d := s.last("allowoverride"))), override)
        block = layer.htaccess(folder)
        if block is None:
            continue
        if _counts(layer, override):
            yield block
        else:
            ignored.append(Ignored(block, override))


def _counts(layer: Apache, override: Directive | None) -> bool:
    """Whether .htaccess counts; where nothing is said, a whole configuration means None (the default of 2.4)."""
    if override is None:
        return not layer.complete
    return [arg.lower() for arg in override.args] != ["none"]


def _rewriting(places: Sequence[Directive], found: Chain) -> Directive | None:
    """The section whose rewrite rules are in force for the file: the latest with a RewriteEngine."""
    inner = [s for s in found.sections if s not in places]
    section = next((s for s in reversed(inner) if s.last("rewriteengine")), None)
    return section if section is not None and rules(section) else None


def folder_url(layer: Apache, found: Chain, section: Directive) -> str:
    """The URL path of the folder that a `<Directory>` or an .htaccess stands for."""
    loose = next((folder for block, folder in layer.loose if block is section), None)
    if loose is not None:
        return loose
    folder = layer.folder_of(section)
    file, path = found.target.value or "", found.path
    if folder is None or not file.endswith(path.rstrip("/")):
        return "/"
    root = file[: len(file) - len(path)] if path != "/" else file.rstrip("/")
    inside = folder.rstrip("/").removeprefix(root.rstrip("/"))
    return inside + "/" if folder.startswith(root) and inside.startswith("/") else "/"


def _exists(layer: Apache, places: Sequence[Directive], asked: str) -> Callable[[str], Maybe]:
    """Whether a URL's path is a file or folder: by this disk where the document root is on it, else by its name."""

    def exists(path: str) -> Maybe:
        file = match.target_for(places, path).value
        root = match.target_for(places, "/").value
        if file and root and layer.root.path is not None and Path(root).is_dir():
            return Path(file).exists()
        return path.endswith(".php") if path != asked or path.endswith(".php") else False

    return exists


def _indexed(layer: Apache, found: Chain, path: str) -> str:
    """The path with the index file that DirectoryIndex names, or the one of FallbackResource."""
    fallback = found.last("fallbackresource")
    file = found.target.value or ""
    here = layer.root.path is not None and Path(file).is_dir()
    if path.endswith("/"):
        index = found.last("directoryindex")
        for name in index.args if index else ("index.html",):
            if here and Path(file, name).exists():
                return path + name
        if index and index.args and not here:
            return path + index.args[0]
    if fallback and fallback.args and fallback.args[0] != "disabled" and "." not in path.rpartition("/")[2]:
        return posixpath.join("/", fallback.args[0])
    return path
