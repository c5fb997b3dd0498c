"""lighttpd: which settings hold for a request, by the conditions around them, and what they demand and pass on.

A setting of a later condition that holds replaces the earlier one as a whole (`+=` adds to it). `auth.require`
is searched for the first prefix that the path begins with (mod_auth.c, mod_auth_uri_handler).

Respects beside the common ones: `plain-file` (the file of the backend "plain": user:password lines).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from why401.evidence import Request, Source
from why401.layers import lighttpd_tree
from why401.layers.accounts import Account, KeepsAccounts
from why401.layers.lighttpd_facts import Facts
from why401.layers.lighttpd_tree import Block
from why401.layers.maybe import Maybe, every, opposite
from why401.layers.model import Damaged, Route
from why401.layers.passwords import parse as parse_passwords
from why401.layers.tree import Absence, Document, Tree
from why401.prefilter import lazy

HOP = "lighttpd"

_OWN = lazy(
    r"(?m)^\s*(?:server\.(?:modules|document-root|port|bind|errorlog|username)|auth\.(?:require|backend)|"
    r'\$HTTP\["[a-z-]+"\]|proxy\.server|fastcgi\.server|setenv\.\S+)\s*(?:\+?=|:=|[!=][~=])'
)
_NOT = (".py", ".js", ".ts", ".md", ".rst", ".html", ".json", ".yaml", ".yml", ".sh", ".properties", ".log")


def roots(tree: Tree) -> Iterable[Document]:
    """The main files (those that say which modules, root or port); else each file that looks like lighttpd's."""
    looks = [
        d for d in tree.given.values() if not d.name.lower().endswith(_NOT) and _OWN.search(d.text) and _no_ini(d)
    ]  # fmt: skip
    main = [d for d in looks if re.search(r"(?m)^\s*server\.(?:document-root|port)\s*=", d.text)]
    return main or looks


def _no_ini(document: Document) -> bool:
    """Spring's application.properties has `server.port=8080` too, but nothing with quotes or brackets."""
    return bool(re.search(r"(?m)^\s*[\w.$\[\]\"-]+\s*(?:\+?=|:=|[!=][~=])\s*(?:\(|\")", document.text))


def read(tree: Tree, root: Document) -> Lighttpd:
    """The configuration that begins at `root`. Raises Damaged where it cannot be read."""
    try:
        top, documents = lighttpd_tree.parse(tree, root)
    except RecursionError:
        raise Damaged(f"{root.name}: brackets are nested too deeply to be read.") from None
    return Lighttpd(HOP, tree, root, top=top, documents=tuple(documents))


@dataclass(eq=False)
class Lighttpd(KeepsAccounts):
    """A lighttpd configuration; `top` is what stands outside of all conditions."""

    top: Block = field(default_factory=Block, repr=False)
    documents: tuple[Document, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        self.whole = frozenset(d.name for d in self.documents)
        self.listens = frozenset(self._listens())
        where = str(Path(self.root.name).resolve())
        self.syntax_check = ("lighttpd", "-tt", "-f", where)
        self.reload = ("systemctl", "reload", "lighttpd")

    def _listens(self) -> Iterable[str]:
        port, bind = self.top.own("server.port"), self.top.own("server.bind")
        host = (bind.value.text or "") if bind else ""
        yield f"{host}:{port.value.text}" if port and port.value.text else f"{host}:80"
        for block in self.top.walk():
            if block.subject == "socket" and block.sign == "==":
                yield block.pattern

    def routes(self) -> Sequence[Route]:
        """One route for each prefix of each `auth.require`, and one for each block that passes on."""
        return self._all

    @cached_property
    def _all(self) -> list[Route]:
        found: list[Route] = []
        for block in self.top.walk():
            for facts in Facts.of_block(self, block):
                found.append(self._route(facts, block.source))
        return found or [self._route(Facts(self, [self.top], None), self.top.source)]

    def meets(self, request: Request) -> tuple[Route, ...]:
        facts = Facts(self, list(self._holding(self.top, request)), request)
        return (self._route(facts, facts.place or self.top.source),)

    def _route(self, facts: Facts, source: Source) -> Route:
        facts.read()
        demands, changes, answers = tuple(facts.demands), tuple(facts.changes), tuple(facts.answers)
        return Route(HOP, source, facts.name, demands, changes, answers, facts.upstream(), self)

    def _holding(self, block: Block, request: Request) -> Iterable[Block]:
        yield block
        for inner in block.statements:
            if isinstance(inner, Block) and holds(inner, request) is True:
                yield from self._holding(inner, request)

    def undecided(self, request: Request) -> list[Block]:
        """Blocks whose condition the request does not decide (addresses), where those around them hold."""
        return [b for b in self.top.walk() if b.subject and holds(b, request) is None]

    def accounts(self, route: Route) -> Sequence[Account] | None:
        demand = route.demand("plain-file")
        document = self.open(demand.value) if demand else None
        if not isinstance(document, Document):
            return None
        return [
            Account(e.user, e.stored, "lighttpd-plain", Source(document.name, e.line))
            for e in parse_passwords(document.text).entries
        ]

    def open(self, name: str) -> Document | Absence:
        name = os.path.normpath(name) if name else name
        return self.tree.open(name, self.root, usual="/etc/lighttpd")


def holds(block: Block, request: Request) -> Maybe:
    """Whether a block's own condition holds, and none of those that it is the `else` of."""
    return every([*(opposite(_decided(other, request)) for other in block.earlier), _decided(block, request)])


def _decided(block: Block, request: Request) -> Maybe:
    if not block.subject:
        return True
    text = _text(block.subject, request)
    if text is None:
        return None
    try:
        if block.sign in ("=~", "!~"):
            return (re.search(block.pattern, text) is not None) is (block.sign == "=~")
    except re.error:
        return None
    compared = {
        "==": text == block.pattern,
        "!=": text != block.pattern,
        "=^": text.startswith(block.pattern),
        "=$": text.endswith(block.pattern),
    }
    return compared.get(block.sign)


def _text(name: str, request: Request) -> str | None:
    """What a condition compares; None where the request does not tell."""
    parts = request.split
    if name == "host":
        return request.fields.get("host") or parts.netloc.rpartition("@")[2] or None
    if name == "url":
        return request.path
    if name == "querystring":
        return parts.query
    if name == "request-method":
        return request.method
    if name == "scheme":
        return parts.scheme or None
    if name == "socket":
        try:
            return f":{parts.port}" if parts.port else None
        except ValueError:
            return None
    if name.startswith("request-header:") or name in ("useragent", "cookie", "referer"):
        field = name.rpartition(":")[2].replace("useragent", "user-agent")
        return request.fields.get(field) or ("" if request.complete else None)
    return None
