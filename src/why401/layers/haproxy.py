"""HAProxy: which frontend and backend take a request, and what their rules demand, change and refuse.

A request passes the `http-request` rules of the frontend in order, then those of the backend that the first
fitting `use_backend` names (configuration.txt, sections 4 and 7). `http-request auth` ends the rules with 401,
`deny` with 403 unless `deny_status` says otherwise; `http_auth(list)` fits where the Basic credentials are
those of a user of the userlist (section 12.2).

Respects beside the common ones: `userlist` (its name).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from why401.evidence import Request
from why401.layers import haproxy_conditions as conditions
from why401.layers import haproxy_tree
from why401.layers.accounts import Account, KeepsAccounts
from why401.layers.haproxy_facts import Facts
from why401.layers.model import Directive, Route
from why401.layers.tree import Document, Tree
from why401.prefilter import lazy
from why401.secret import Secret

HOP = "HAProxy"

_SECTION = lazy(r"(?m)^(?:frontend|backend|listen|userlist|defaults)\b[^\n{};:=]*$")
_OWN = lazy(
    r"(?m)^\s+(?:bind|server|http-request|use_backend|default_backend|acl|mode (?:http|tcp)|"
    r"user \S+ (?:insecure-)?password|timeout (?:client|server|connect))\b"
)
_NOT = (".py", ".js", ".ts", ".md", ".rst", ".html", ".sh", ".yml", ".yaml", ".json", ".lua")


def roots(tree: Tree) -> Iterable[Document]:
    """The first file of each folder that looks like HAProxy's: the program reads all files of its folder as one."""
    looks = [
        d
        for d in tree.given.values()
        if not d.name.lower().endswith(_NOT) and _SECTION.search(d.text) and _OWN.search(d.text)
    ]
    main = [d for d in looks if re.search(r"(?m)^global\b", d.text)]
    return main or looks[:1]


def read(tree: Tree, root: Document) -> HAProxy:
    """The configuration that begins at `root`, with further files that have no `global` of their own."""
    others = [
        d
        for d in tree.given.values()
        if d is not root and d.name.lower().endswith(".cfg") and _SECTION.search(d.text)
        and not re.search(r"(?m)^global\b", d.text)
    ]  # fmt: skip
    return HAProxy(HOP, tree, root, documents=(root, *others))


@dataclass(eq=False)
class HAProxy(KeepsAccounts):
    """An HAProxy configuration of one file or more."""

    documents: tuple[Document, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        self.sections = list(haproxy_tree.sections(self.documents))
        self.whole = frozenset(d.name for d in self.documents)
        self.fronts = [s for s in self.sections if s.name in ("frontend", "listen") and s.args]
        self.listens = frozenset(a for front in self.fronts for a in _binds(front))
        where = str(Path(self.root.name).resolve())
        self.syntax_check = ("haproxy", "-c", "-f", where)
        self.reload = ("systemctl", "reload", "haproxy")
        self._any: dict[int, Facts] = {}
        self._users: dict[str, list[Account]] = {}
        self._rules = {id(s): conditions.acls([s]) for s in self.sections}
        self._defaults = self._taken_up()
        self.secrets = frozenset(a.stored for name in self.userlists for a in self.accounts_of(name))

    @cached_property
    def userlists(self) -> dict[str, Directive]:
        return {s.args[0]: s for s in self.sections if s.name == "userlist" and s.args}

    @cached_property
    def _named(self) -> dict[str, Directive]:
        return {s.args[0]: s for s in self.sections if s.name in ("backend", "listen") and s.args}

    def _taken_up(self) -> dict[int, Directive]:
        """The `defaults` that each section takes up: the one it names, else the last before it."""
        found: dict[int, Directive] = {}
        last: Directive | None = None
        named: dict[str, Directive] = {}
        for section in self.sections:
            if section.name == "defaults":
                last = section
                named.update({section.args[0]: section} if section.args else {})
                continue
            wanted = section.args[section.args.index("from") + 1] if "from" in section.args[:-1] else ""
            held = named.get(wanted) if wanted else last
            if held is not None:
                found[id(section)] = held
        return found

    def defaults(self, section: Directive) -> Directive | None:
        return self._defaults.get(id(section))

    def acls(self, section: Directive) -> conditions.Known:
        """The named ACLs of a section."""
        return self._rules[id(section)]

    def routes(self) -> Sequence[Route]:
        """One route for each frontend and each backend that it may lead to."""
        return self._all

    @cached_property
    def _all(self) -> list[Route]:
        found: list[Route] = []
        for front in self.fronts:
            backs: list[Directive | None] = [*self._backends(front)]
            found += [self._route(front, back, None) for back in backs or [None]]
        return found

    def meets(self, request: Request) -> tuple[Route, ...]:
        front = self._front(request)
        if front is None:
            return ()
        return (self._route(front, self._backend(front, request), request),)

    def _front(self, request: Request) -> Directive | None:
        try:
            port = request.split.port or {"http": 80, "https": 443}.get(request.split.scheme)
        except ValueError:
            port = None
        there = [f for f in self.fronts if port is None or any(a.endswith(f":{port}") for a in _binds(f))]
        return next(iter(there or (self.fronts if len(self.fronts) == 1 else ())), None)

    def _leads(self, front: Directive) -> Iterator[tuple[Directive, str]]:
        defaults = self.defaults(front)
        for line in front.all("use_backend"):
            if line.args:
                yield line, line.args[0]
        held = front.last("default_backend") or (defaults.last("default_backend") if defaults else None)
        if held is not None and held.args:
            yield held, held.args[0]

    def _backends(self, front: Directive) -> list[Directive]:
        names = dict.fromkeys(name for _, name in self._leads(front))
        found = [self._named[name] for name in names if name in self._named]
        return [*found, front] if front.name == "listen" and front.all("server") else found

    def _backend(self, front: Directive, request: Request) -> Directive | None:
        known = self.acls(front)
        for line, name in self._leads(front):
            fits = line.name == "default_backend" or conditions.holds(line, known, request) is True
            if fits and (name in self._named or "%" not in name):
                return self._named.get(name)
        return front if front.name == "listen" else None

    def _route(self, front: Directive, back: Directive | None, request: Request | None) -> Route:
        sections = [front] if back is None or back is front else [front, back]
        facts = [self._facts(section, request) for section in sections]
        names = [f"{s.name} {s.args[0]}" for s in sections if s.args]
        return Route(
            HOP,
            front.source,
            " → ".join(names),
            tuple(d for f in facts for d in f.demands),
            tuple(c for f in facts for c in f.changes),
            tuple(a for f in facts for a in f.answers),
            facts[-1].upstream(),
            self,
        )

    def _facts(self, section: Directive, request: Request | None) -> Facts:
        """What a section does with a request; that for any request is found once."""
        if request is not None:
            return Facts(self, section, request)
        if id(section) not in self._any:
            self._any[id(section)] = Facts(self, section, None)
        return self._any[id(section)]

    # users

    def accounts_of(self, name: str) -> list[Account]:
        """The users of a userlist with their groups."""
        if name not in self._users:
            self._users[name] = self._read_users(name)
        return self._users[name]

    def _read_users(self, name: str) -> list[Account]:
        section = self.userlists.get(name)
        if section is None:
            return []
        groups: dict[str, set[str]] = {}
        for line in section.all("group"):
            for user in _list(line.args, "users"):
                groups.setdefault(user, set()).add(line.args[0])
        found = []
        for line in section.all("user"):
            for kind, server in (("password", "haproxy"), ("insecure-password", "haproxy-insecure")):
                if kind not in line.args[1:-1]:
                    continue
                own = set(_list(line.args, "groups")) | groups.get(line.args[0], set())
                stored = line.args[line.args.index(kind, 1) + 1]
                written = _cut_off(line, stored)
                found.append(
                    Account(line.args[0], Secret(stored), server, line.source, frozenset(own), written)
                )
        return found

    def accounts(self, route: Route) -> Sequence[Account] | None:
        demand = route.demand("userlist")
        return self.accounts_of(demand.value) if demand and demand.value in self.userlists else None


def _list(args: Sequence[str], word: str) -> list[str]:
    """The names after `users` or `groups`."""
    at = args.index(word) if word in args[1:] else -1
    return args[at + 1].split(",") if 0 < at < len(args) - 1 else []


def _cut_off(line: Directive, stored: str) -> Secret | None:
    """The password as a person wrote it, where a `#` in it begins a comment."""
    text = line.document.lines[line.line - 1]
    if not haproxy_tree.words(text)[1]:
        return None
    start = text.rfind(stored, 0, text.index("#"))
    if start < 0:  # quoted or escaped: whoever wrote it knew what a `#` does
        return None
    rest = text[start:].split()
    return Secret(rest[0]) if rest else None


def _binds(front: Directive) -> list[str]:
    """The addresses of `bind` lines: "127.0.0.1:80", ":443", "unix:/run/x.sock"."""
    found = []
    for line in front.all("bind"):
        for written in line.args[0].split(",") if line.args else ():
            written = re.sub(r"^(?:ipv[46]|quic[46])@", "", written)
            if written.startswith(("/", "unix@")):
                found.append("unix:" + written.removeprefix("unix@"))
            elif re.search(r":\d+$", written):
                found.append(written.replace("*:", ":") if written.startswith("*:") else written)
    return found
