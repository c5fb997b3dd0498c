"""IIS: which schemes a path asks for, whom its rules let in, and to what it passes the request on.

Read are applicationHost.config (sites, applications, locations) and web.config files; `iis_chain` says which of their
settings are in force. Whoever is not logged on is anonymous while `anonymousAuthentication` is on; IIS asks for a login
only where it is off, or a rule denies `?`. Sources: Microsoft, IIS configuration reference ("security",
"authentication", "authorization", "ipSecurity", "access"), ASP.NET "authorization Element", "aspNetCore".

Respects beside the common ones: `providers` (of Windows authentication, in order).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

from why401.evidence import Request
from why401.layers import xml_lines
from why401.layers.iis_chain import Chain, Part, fits, parts_of
from why401.layers.iis_facts import Facts
from why401.layers.model import Layer, Route
from why401.layers.tree import Document, Tree
from why401.layers.xml_lines import Element
from why401.prefilter import lazy

HOP = "IIS"
_OWN = lazy(r"<(?:system\.webServer|system\.web|system\.applicationHost)\b")


def roots(tree: Tree) -> Iterable[Document]:
    """applicationHost.config; without it each web.config that does not lie below another one."""
    hosts = [d for d in tree.named("applicationhost.config") if _OWN.search(d.text)]
    if hosts:
        return hosts[:1]
    found = {_folder(d): d for d in tree.named("web.config") if _OWN.search(d.text)}
    return [d for folder, d in found.items() if not any(_inside(folder, other) for other in found)]


def read(tree: Tree, root: Document) -> IIS:
    """The server with the web.config files given. Raises Damaged."""
    return IIS(HOP, tree, root, top=xml_lines.parse(root))


def _folder(document: Document) -> str:
    return str(PurePosixPath(document.name.replace("\\", "/")).parent)


def _inside(folder: str, other: str) -> bool:
    return folder != other and (other == "." or folder.startswith(other.rstrip("/") + "/"))


@dataclass(eq=False)
class IIS(Layer):
    """One IIS; `top` is the outermost element of its root file."""

    top: Element = field(default=None, repr=False)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        self.listens = frozenset(self._listens())
        self._routes: dict[str, Route] = {}

    def _listens(self) -> Iterator[str]:
        for element in self.top.walk():
            if element.name == "binding" and element.parent is not None and element.parent.name == "bindings":
                address, _, rest = (
                    element.attributes.get("bindingInformation", "").rpartition(":")[0].rpartition(":")
                )
                if rest.isdecimal():
                    yield f"{address if address != '*' else ''}:{rest}"

    @cached_property
    def parts(self) -> list[Part]:
        """The parts of all files, the more general first."""
        hosts = self.top.all("system.applicationHost")
        site = next((e.attributes.get("name", "") for h in hosts for e in h.walk() if e.name == "site"), "")
        first = [Part(_without(part.path, site), part.element) for part in parts_of(self.top, "")]
        below = [d for d in self.tree.named("web.config") if d is not self.root and _OWN.search(d.text)]
        if not hosts:
            below = [d for d in below if _inside(_folder(d), _folder(self.root))]
        base = _shortest(below) if hosts else _folder(self.root)
        others = [part for d in below for part in parts_of(xml_lines.parse(d), _prefix(_folder(d), base))]
        return [*first, *sorted(others, key=lambda part: part.path.count("/"))]

    def chain(self, path: str) -> Chain:
        """What is in force for a path."""
        found = [part for part in self.parts if fits(part.path, path)]
        return Chain(sorted(found, key=lambda part: part.path.count("/")))

    def routes(self) -> Sequence[Route]:
        """A route for the whole, and one for each path that a file says something of."""
        return [self._route(path) for path in dict.fromkeys(part.path for part in self.parts)]

    def meets(self, request: Request) -> tuple[Route, ...]:
        path = request.path.partition("?")[0]
        places = [part.path for part in self.parts if fits(part.path, path)]
        return (self._route(max(places, key=len), request.method or ""),)

    def _route(self, path: str, method: str = "") -> Route:
        key = f"{method} {path}"
        if key not in self._routes:
            facts = Facts(self.chain(path), method)
            place = next((p.element for p in self.parts if p.path == path), self.top)
            self._routes[key] = Route(
                HOP,
                facts.place or place.source,
                f'location path="{path.lstrip("/")}"' if path else "the site",
                tuple(facts.demands),
                tuple(facts.changes),
                tuple(facts.answers),
                facts.upstream,
                self,
            )
        return self._routes[key]


def _without(path: str, site: str) -> str:
    """The path within a site, of a location that begins with the site's name."""
    return path[len(site) + 1 :] if site and fits("/" + site, path) else path


def _shortest(documents: list[Document]) -> str:
    return min(map(_folder, documents), key=len, default=".")


def _prefix(folder: str, base: str) -> str:
    inner = folder[len(base) :].strip("/") if base != "." else folder.strip("./")
    return f"/{inner}" if inner else ""
