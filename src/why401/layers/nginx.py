"""nginx: which location takes a request, and what it demands, changes and passes on.

Inheritance (ngx_http_core_module and the modules' pages): a directive holds in inner blocks until one of the
same name stands there; directives that may be repeated (`proxy_set_header`, `allow`/`deny`, `error_page`) are
inherited only as a whole: one of them in the inner block replaces all of the outer ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePath

from why401.evidence import Request, Source
from why401.layers import nginx_facts, nginx_match, nginx_rewrite, nginx_tree
from why401.layers.model import Damaged, Directive, Edit, Layer, Route
from why401.layers.tree import Absence, Document, Tree
from why401.prefilter import lazy

HOP = "nginx"

_MAIN = lazy(r"(?m)(?:^|[;}])\s*http\s*\{")
_PART = lazy(r"(?m)(?:^|[;{}])\s*(?:server\s*\{|location\s+[^{};\n]+\{|upstream\s+[\w.-]+\s*\{)")
_OWN = lazy(
    r"(?m)(?:^|[;{}])\s*(?:listen|server_name|proxy_pass|fastcgi_pass|uwsgi_pass|auth_basic|auth_request|root|alias|return|"
    r"try_files|proxy_set_header|worker_connections|include)\s[^\n]*;"
)
_NOT = (".py", ".js", ".ts", ".md", ".tf", ".hcl", ".nomad", ".sh", ".rst", ".html", ".json", ".yaml", ".yml")
LONGEST_CHAIN = 5


def roots(tree: Tree) -> Iterable[Document]:
    """The main files; where none was given, each file with servers or locations that no other one includes."""
    looks = [d for d in tree.given.values() if _looks(d)]
    main = [d for d in looks if _MAIN.search(d.text)]
    if main:
        return main
    named = {part for d in looks for part in re.findall(r"(?m)^\s*include\s+([^;\s]+)\s*;", d.text)}
    return [d for d in looks if not any(_included(d.name, pattern) for pattern in named)]


def _looks(document: Document) -> bool:
    if document.name.lower().endswith(_NOT) or not _PART.search(document.text):
        return bool(document.name.endswith("nginx.conf") and _MAIN.search(document.text))
    return bool(_OWN.search(document.text))


def _included(name: str, pattern: str) -> bool:
    from fnmatch import fnmatchcase

    return fnmatchcase(PurePath(name).name, PurePath(pattern).name)


def read(tree: Tree, root: Document) -> Nginx:
    """The configuration that begins at `root`. Raises Damaged where nginx itself would refuse it."""
    try:
        top = nginx_tree.parse(tree, root)
    except RecursionError:
        raise Damaged(f"{root.name}: blocks are nested too deeply to be read.") from None
    return Nginx(HOP, tree, root, top=top)


@dataclass(eq=False)
class Nginx(Layer):
    """An nginx configuration; `top` is its nameless outermost block."""

    top: Directive = field(default=None, repr=False)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        http = self.top.first("http") or self.top
        self.http = http
        self.names = frozenset(directive.name for directive in self.top.walk())
        #: Whether all of it is at hand, so that a directive that is not found is not there.
        self.complete = http is not self.top and "include" not in self.names
        self.servers = http.all("server") or [http]
        heard = {f"{a}:{p}" if p else a for s in self.servers for a, p, _ in nginx_match.listens(s)}
        self.listens = frozenset(heard)
        self._known: dict[int, Route] = {}
        self._known_blocks: list[Directive] = []
        if self.top.first("http"):
            self.whole = frozenset({self.root.name, *(d.document.name for d in self.top.walk())})

    @cached_property
    def upstreams(self) -> dict[str, list[str]]:
        """The addresses of each `upstream` block, by name."""
        blocks = (d for d in self.http.block or () if d.name == "upstream" and d.args)
        return {d.args[0]: [s.args[0] for s in d.all("server") if s.args] for d in blocks}

    def routes(self) -> Sequence[Route]:
        """One route a location, and one for each server without any."""
        return [self.route(block) for server in self.servers for block in _blocks(server)]

    def meets(self, request: Request) -> tuple[Route, ...]:
        server = nginx_match.server_for(self.servers, request)
        if server is None:
            return ()
        return tuple(
            self.route(block)
            for block in self._chain(server, nginx_match.path_of(request), request.method or "GET")
        )

    def _chain(self, server: Directive, path: str, method: str) -> Iterator[Directive]:
        """The blocks that the request passes: internal redirects lead from one to the next."""
        turn, path = nginx_rewrite.rewritten(server, path)
        block = (nginx_match.location_for(server, path) if turn != "answers" else None) or server
        seen: set[int] = set()
        while id(block) not in seen and len(seen) < LONGEST_CHAIN:
            seen.add(id(block))
            held = _limited(block, method)
            turn, path = nginx_rewrite.rewritten(held, path) if held is not server else ("stays", path)
            named = None
            if turn != "leaves":
                yield held
                target = nginx_rewrite.goes_on(block) if turn == "stays" else ""
                if not target:
                    return
                named = next((d for d in server.all("location") if d.args == (target,)), None)
                path = target.partition("?")[0] if target.startswith("/") else path
            block = named or nginx_match.location_for(server, path) or server

    def route(self, block: Directive) -> Route:
        """What a location (or a server without one) does with a request."""
        if id(block) not in self._known:
            self._known_blocks.append(block)
            facts = nginx_facts.Facts(self, block)
            self._known[id(block)] = Route(
                HOP,
                block.source,
                " ".join((block.name, *block.args)) or "the whole configuration",
                tuple(facts.demands()),
                tuple(facts.changes()),
                tuple(facts.answers()),
                facts.upstream(),
                self,
            )
        return self._known[id(block)]

    @cached_property
    def names_served(self) -> Mapping[str, Source]:
        named = (d for server in self.servers for d in server.all("server_name"))
        return {
            arg.lower(): d.source for d in named for arg in d.args if arg not in ("_", "") and arg[0] != "~"
        }

    def freed(self, route: Route) -> tuple[Edit, ...]:
        block = next((b for b in self._known_blocks if self._known[id(b)] is route), None)
        own = block is not None and block.name == "location" and not block.all("auth_basic", "auth_request")
        if block is None or not own or not block.document.lines[block.line - 1].rstrip().endswith("{"):
            return ()
        indent = re.match(r"\s*", block.document.lines[block.line - 1])
        off = ("auth_basic off;",) if route.demand("scheme") else ("auth_request off;",)
        lines = tuple(f"{indent.group() if indent else ''}    {line}" for line in off)
        return (Edit(block.document, block.line + 1, block.line, lines),)

    def asked(self, route: Route, uri: str) -> Route | None:
        """The route that a subrequest for `uri` from `route` meets."""
        block = next((b for b in self._known_blocks if self._known[id(b)] is route), None)
        server = next((b for b in block.enclosing() if b in self.servers), None) if block else None
        if server is None:
            return None
        found = nginx_match.location_for(server, uri.partition("?")[0])
        return self.route(found) if found is not None else None

    def commands(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """With the options of the running master where one has this configuration, as its prefix counts; and a
        signal to that master, since its pid file may be named on its command line alone."""
        path = str(Path(self.root.name).resolve())
        number, options = running("nginx: master process", path)
        check = ("nginx", *(options or ("-c", path)), "-t", "-q")
        return check, ("kill", "-HUP", number) if number else ("nginx", "-s", "reload", "-c", path)

    def open(self, name: str) -> Document | Absence:
        """A file that a directive names; relative names stand below the configuration's folder."""
        return self.tree.open(name, self.root, usual=nginx_tree.USUAL)


def running(title: str, path: str) -> tuple[str, tuple[str, ...]]:
    """The number and the options of a running process whose command line has this title and names this file."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if title in line and path in line:
            # The title joins the words without quotes, so only options whose value is a path are read.
            words = tuple(word for pair in re.findall(r"(-[pce]) (\S+)", line) for word in pair)
            return file.parent.name, words
    return "", ()


def _limited(block: Directive, method: str) -> Directive:
    """The block, or the `limit_except` in it where the method is not among those that it excepts."""
    limit = block.first("limit_except")
    excepted = {name.upper() for name in limit.args} if limit else set()
    if "GET" in excepted:
        excepted.add("HEAD")  # "allowing the GET method makes the HEAD method also allowed"
    return limit if limit is not None and method.upper() not in excepted else block


def _blocks(server: Directive) -> list[Directive]:
    return nginx_match.locations([server]) or [server]
