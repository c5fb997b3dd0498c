"""Apache httpd: which sections a request passes, and what they demand, change and pass on."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from why401.evidence import Request
from why401.layers import apache_match as match
from why401.layers import apache_tree
from why401.layers.apache_chain import Chain, chain, in_force
from why401.layers.apache_facts import HOP as HOP
from why401.layers.apache_facts import Facts
from why401.layers.apache_files import is_htaccess, server_open
from why401.layers.apache_files import roots as roots
from why401.layers.apache_gateway import Gateway, gateway, upstream
from why401.layers.apache_secrets import secrets
from why401.layers.model import Damaged, Directive, Layer, Route
from why401.layers.tree import Absence, Document, Tree

#: Directives by which a section takes part in what this project is about.
_TELLING: Final = (
    *(
        "require",
        "requireall",
        "requireany",
        "requirenone",
        "authtype",
        "authuserfile",
        "order",
        "deny",
        "satisfy",
    ),
    *("sethandler", "proxypass", "rewriteengine", "requestheader", "limit", "limitexcept"),
)


def read(tree: Tree, root: Document) -> Apache:
    """The configuration that begins at `root`. Raises Damaged where httpd itself would refuse it."""
    if not is_htaccess(root):
        return Apache(HOP, tree, root, parsed=apache_tree.parse(tree, root))
    parsed = apache_tree.Parsed(Directive("", (), root, 1, None, []), documents={root.name: root})
    layer = Apache(HOP, tree, root, parsed=parsed)
    folder = posixpath.dirname(root.name)
    for document in tree.given.values():
        if is_htaccess(document) and posixpath.dirname(document.name).startswith(folder):
            inside = posixpath.dirname(document.name)[len(folder) :].strip("/")
            layer.loose.append((layer.part(document), f"/{inside}/" if inside else "/"))
    layer.loose.sort(key=lambda pair: len(pair[1]))
    return layer


@dataclass(frozen=True)
class ApacheRoute(Route):
    """A route of httpd with the sections that made it."""

    chain: Chain = field(default=None, repr=False, compare=False)  # type: ignore[assignment]
    facts: Facts = field(default=None, repr=False, compare=False)  # type: ignore[assignment]
    gateway: Gateway | None = field(default=None, repr=False, compare=False)
    #: Whether a name of the virtual host was asked for; False where it takes what no other one takes.
    by_name: bool = field(default=True, compare=False)


@dataclass(eq=False)
class Apache(Layer):
    """A configuration of httpd, or .htaccess files alone (`loose`, with the URL path that each is taken to mean)."""

    parsed: apache_tree.Parsed = field(default=None, repr=False)  # type: ignore[assignment]
    loose: list[tuple[Directive, str]] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        self.top = self.parsed.top
        self.listens = frozenset(f"{a or ''}:{p}" for a, p in match.listens(self.top))
        self._parts: dict[str, Directive | None] = {}
        self._folders: dict[int, str] = {}
        self.secrets = frozenset(secrets(self.top))
        self.syntax_check = ("apachectl", "-t", "-f", str(Path(self.root.name).absolute()))
        self.reload = ("apachectl", "-k", "graceful", "-f", str(Path(self.root.name).absolute()))

    @property
    def complete(self) -> bool:
        """Whether this is a whole server's configuration, not a part of one."""
        return self.parsed.knows_modules or bool(self.parsed.stated)

    def routes(self) -> Sequence[Route]:
        """One route a place: each section, each virtual host and each .htaccess, as the requests for it meet them."""
        return self._places

    @cached_property
    def _places(self) -> list[Route]:
        found: list[Route] = []
        for virtual in [None, *self.top.all("virtualhost")]:
            block = virtual if virtual is not None else self.top
            paths = dict.fromkeys(p for p in self._paths(block, virtual) if p)
            if not paths or virtual is not None:
                paths = dict.fromkeys(["/", *paths])
            found += [self.route(virtual, path, "GET", "") for path in paths]
        found += [self.route(None, path, "GET", "") for _, path in self.loose]
        return list(dict.fromkeys(found))

    def _paths(self, block: Directive, virtual: Directive | None) -> Iterator[str]:
        """URL paths, one for each section of a block and each address that it hands on to."""
        for section in block.block or ():
            first = section.args[0] if section.args else ""
            if section.name in ("location", "proxypass", "wsgiscriptalias", "alias", "scriptalias"):
                yield first if first.startswith("/") and not re.search(r"[*?\[]", first) else ""
            elif section.name == "directory":
                folder = self._url_of(first.rstrip("/"), virtual) + "/" if first.startswith("/") else ""
                yield folder
                if folder and any(_of_php(inner) for inner in section.block or ()):
                    yield folder + "index.php"
            elif _of_php(section):
                yield "/index.php"
            elif section.name == "files" and not re.search(r"[*?\[~]", first):
                yield f"/{first}"

    def _url_of(self, folder: str, virtual: Directive | None) -> str:
        """The URL path of a folder, by the aliases and the document root."""
        for place in (virtual, self.top):
            for directive in place.all("alias", "scriptalias", "documentroot") if place is not None else ():
                own = directive.args[-1].rstrip("/") if directive.args else "\0"
                if folder == own or folder.startswith(own + "/"):
                    prefix = directive.args[0].rstrip("/") if directive.name != "documentroot" else ""
                    return prefix + folder[len(own) :]
        return ""

    def meets(self, request: Request) -> tuple[Route, ...]:
        virtual, by_name = match.host_for(self.top, request)
        route = self.route(
            virtual, match.path_of(request), request.method, match.host_of(request), by_name=by_name
        )
        return (route,)

    def route(
        self, virtual: Directive | None, path: str, method: str | None, host: str, *, by_name: bool = True
    ) -> ApacheRoute:
        """What a virtual host (None: the main server) does with a path."""
        found = chain(self, virtual, path, method or "GET", host)
        goes = upstream(self, found)
        facts = Facts(self, found, method, goes)
        source = _telling(found)
        demands, answers = tuple(facts.demands()), tuple(facts.answers())
        changes = tuple(facts.changes())
        name = self.name_of(source)
        return ApacheRoute(
            HOP,
            source.source,
            name,
            demands,
            changes,
            answers,
            goes,
            self,
            found,
            facts,
            gateway(self, found),
            by_name,
        )

    def name_of(self, section: Directive) -> str:
        """A section as a person would name it."""
        if section is self.top:
            return "the main server"
        if section.name == "":
            return section.document.name
        if section.name == "virtualhost":
            named = section.first("servername")
            return f"virtual host {named.args[0] if named and named.args else ' '.join(section.args)}"
        written = {"directory": "Directory", "location": "Location", "files": "Files", "proxy": "Proxy"}
        base = section.name.removesuffix("match")
        end = "Match" if section.name.endswith("match") else ""
        return f"<{' '.join((written.get(base, base) + end, *section.args))}>"

    # files

    def htaccess(self, folder: str) -> Directive | None:
        """The .htaccess of a folder of the server, or None; also that of a copy, by the end of its path."""
        if folder not in self._parts:
            self._parts[folder] = None
            found = self.tree.open(posixpath.join(folder, ".htaccess"), self.root)
            document = found if isinstance(found, Document) else self._copied(folder)
            if document is not None:
                self._parts[folder] = self.part(document)
                self._folders[id(self._parts[folder])] = folder
        return self._parts[folder]

    def _copied(self, folder: str) -> Document | None:
        for document in self.tree.given.values():
            own = posixpath.dirname(document.name)
            if is_htaccess(document) and not posixpath.isabs(own) and own and folder.endswith("/" + own):
                return document
        return None

    def part(self, document: Document) -> Directive:
        """An .htaccess as a block; one that httpd would refuse is empty."""
        self.parsed.documents[document.name] = document
        try:
            block = apache_tree.parse_part(document, self.parsed, self.tree)
        except Damaged:
            block = Directive("", (), document, 1, None, [])
        self.secrets |= frozenset(secrets(block))
        return block

    def folder_of(self, section: Directive) -> str | None:
        """The folder that a `<Directory>` or an .htaccess stands for; None for others."""
        for at in section.enclosing():
            if id(at) in self._folders:
                return self._folders[id(at)]
            if at.name == "directory" and at.args:
                return at.args[0]
        return None

    def balanced(self, address: str) -> str:
        """An address with the name of a balancer replaced by its first member's."""
        name = address.partition("|")[2] or address
        if not name.startswith("balancer://"):
            return address
        for place in [self.top, *self.top.all("virtualhost")]:
            for section in place.all("proxy"):
                member = section.first("balancermember")
                if section.args and name.startswith(section.args[0].rstrip("/")) and member and member.args:
                    return member.args[0]
        return address

    def open(self, name: str) -> Document | Absence:
        """A file that a directive names: below the ServerRoot where the name is relative."""
        if name in self.parsed.documents:
            return self.parsed.documents[name]
        return server_open(self.tree, self.root, self.parsed.server_root, name, self.parsed.stated)


def _of_php(section: Directive) -> bool:
    """Whether a section is about the files of PHP."""
    return section.name in ("files", "filesmatch") and bool(re.search(r"\.\(?ph", " ".join(section.args)))


def _telling(found: Chain) -> Directive:
    """The innermost section that says anything of access or of a handler."""
    telling = next((s for s in reversed(found.sections) if s.all(*_TELLING) and s.args), None)
    part = next((s for s in reversed(found.sections) if s.all(*_TELLING)), found.sections[0])
    by = in_force(found.sections, "require", "authtype")
    return by.parent if by is not None and by.parent in found.sections else telling or part
