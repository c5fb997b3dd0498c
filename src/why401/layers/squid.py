"""Squid: which line of `http_access` decides on a request, whom it asks for a login, and what a peer is passed.

`http_access` lines are tried in order; the first whose ACLs all fit decides, and without any the opposite of the
last line. A line that comes to an ACL of users asks for a login: 407 and Proxy-Authorization in a forward proxy,
401 and Authorization in an accelerator (client_side_request.cc, clientAccessCheckDone). To a peer that is an
`originserver` Authorization is passed on only with login=PASS, PASSTHRU or PROXYPASS (http.cc).

Respects beside the common ones: `proxy-scheme`, `proxy-realm` and `proxy-password-file`, as the common ones for
Proxy-Authorization.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from why401.evidence import Request, Source
from why401.layers import squid_tree
from why401.layers.accounts import Account, KeepsAccounts
from why401.layers.model import Directive, Route
from why401.layers.passwords import parse as parse_passwords
from why401.layers.squid_facts import Facts
from why401.layers.tree import Absence, Document, Tree
from why401.prefilter import lazy

HOP = "Squid"

_OWN = lazy(
    r"(?m)^(?:http_access\s+(?:allow|deny)|http_port\s+\S*\d|cache_peer\s+\S+\s+(?:parent|sibling)|auth_param\s+\w+)"
)
_MAIN = lazy(r"(?m)^(?:http_port|https_port)\s")


def roots(tree: Tree) -> Iterable[Document]:
    """The files with `http_port`; else those with `http_access` or `auth_param`."""
    looks = [
        d for d in tree.given.values() if d.name.lower().endswith((".conf", "squid")) and _OWN.search(d.text)
    ]
    main = [d for d in looks if _MAIN.search(d.text)]
    return main or looks


def read(tree: Tree, root: Document) -> Squid:
    """The configuration that begins at `root`."""
    return Squid(HOP, tree, root, top=squid_tree.parse(tree, root))


@dataclass(eq=False)
class Squid(KeepsAccounts):
    """A Squid configuration; `top` holds its directives."""

    top: Directive = field(default=None, repr=False)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        ports = self.top.all("http_port", "https_port")
        self.accel = any({"accel", "vhost"} & set(p.args) or _option(p, "defaultsite=") for p in ports)
        self.listens = frozenset(a if ":" in a else f":{a}" for p in ports for a in p.args[:1])
        self.whole = frozenset({self.root.name} | {d.document.name for d in self.top.block or ()})
        where = str(Path(self.root.name).resolve())
        self.syntax_check = ("squid", "-k", "parse", "-f", where)
        self.reload = ("squid", "-k", "reconfigure", "-f", where)

    @property
    def peer(self) -> Directive | None:
        """The first peer that requests go to."""
        return next((p for p in self.top.all("cache_peer") if p.args[1:2] == ("parent",)), None)

    def passes_login(self) -> str:
        """What `login=` of an origin server's peer says: "PASS" and the like pass Authorization on; "" is unsaid.

        Where requests go to no such peer, Authorization always passes.
        """
        if self.peer is None or "originserver" not in self.peer.args:
            return "PASS"
        return _option(self.peer, "login=")

    def routes(self) -> Sequence[Route]:
        return [self._route(None)]

    def meets(self, request: Request) -> tuple[Route, ...]:
        return (self._route(request),)

    def _route(self, request: Request | None) -> Route:
        facts = Facts(self, request)
        facts.read()
        demands, changes, answers = tuple(facts.demands), tuple(facts.changes), tuple(facts.answers)
        place = facts.place or Source(self.root.name, 1)
        return Route(HOP, place, "http_access", demands, changes, answers, facts.upstream(), self)

    def accounts(self, route: Route) -> Sequence[Account] | None:
        """The users of a forward proxy's file (that of an accelerator is compared as any password file)."""
        demand = route.demand("proxy-password-file")
        document = self.open(demand.value) if demand else None
        if not isinstance(document, Document):
            return None
        entries = reversed(parse_passwords(document.text).entries)  # the last line of a user counts
        return [Account(e.user, e.stored, "squid", Source(document.name, e.line)) for e in entries]

    def open(self, name: str) -> Document | Absence:
        return self.tree.open(name, self.root, usual="/etc/squid")


def _option(directive: Directive, head: str) -> str:
    return next((a[len(head) :] for a in directive.args if a.startswith(head)), "")
