"""The configuration of IIS that is in force for a path: applicationHost.config, then web.config folder by folder.

In each file the general part comes first, then what `<location path="…">` says of the path; the more exact path comes
later, and an attribute set later wins. Collections are added to, and `<clear/>` empties them. Source: Microsoft,
"Configuration Inheritance" and "location Element (IIS Settings Schema)".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from why401.layers.xml_lines import Element

#: What IIS assumes where no file says otherwise (the schema's defaults; `security/authentication`).
DEFAULTS = {
    ("anonymousAuthentication", "enabled"): "true",
    ("windowsAuthentication", "useKernelMode"): "true",
}


@dataclass(frozen=True)
class Part:
    """One file's settings that are in force below `path` ("" for all)."""

    path: str
    element: Element


@dataclass(frozen=True)
class Chain:
    """The parts in force for one request, the more exact later."""

    parts: Sequence[Part]

    def sections(self, *path: str) -> list[Element]:
        """The elements of a section in every part, in order."""
        return [found for part in self.parts for found in _below(part.element, path)]

    def said(self, section: Sequence[str], name: str) -> tuple[str, Element | None]:
        """(value in force, element that says so) of an attribute; the default and None where nothing says it."""
        for element in reversed(self.sections(*section)):
            for key, value in element.attributes.items():
                if key.lower() == name.lower():
                    return value, element
        return DEFAULTS.get((section[-1], name), ""), None

    def on(self, section: Sequence[str], name: str = "enabled") -> tuple[bool, Element | None]:
        """Whether an attribute in force says true, and where."""
        value, where = self.said(section, name)
        return value.lower() == "true", where

    def items(self, *section: str) -> list[Element]:
        """The entries of a collection, in order, without those before a `<clear/>`."""
        found: list[Element] = []
        for element in self.sections(*section):
            for child in element.children:
                found = [] if child.name == "clear" else [*found, child]
        return found


def _below(element: Element, path: Sequence[str]) -> Iterator[Element]:
    at = [element]
    for name in path:
        at = [child for one in at for child in one.children if child.name.lower() == name.lower()]
    yield from at


def parts_of(root: Element, prefix: str) -> Iterator[Part]:
    """The parts of one file that lies at the path `prefix` of the site ("" or "/admin")."""
    yield Part(prefix, root)
    for location in root.all("location"):
        path = location.attributes.get("path", "").strip("/")
        yield Part(f"{prefix}/{path}".rstrip("/") if path not in ("", ".") else prefix, location)


def fits(part: str, path: str) -> bool:
    """Whether what is said of `part` holds for a path; IIS compares without regard to case."""
    part, path = part.lower(), path.lower()
    return not part or path == part or path.startswith(part + "/")
