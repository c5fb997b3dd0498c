"""Caddy: which site takes a request, and what its directives demand, change and answer, in Caddy's own order.

Directives of a site and of `handle` are sorted by the order of the documentation, then by the length of their
path; those of `route` stand as written. Of several `handle` only the first that fits counts. `respond` comes
before `reverse_proxy` and `file_server` whatever the order in the file (caddyfile/directives, "Directive order").

Respects beside the common ones: none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from why401.evidence import Request, Source
from why401.layers import caddy_match, caddy_tree
from why401.layers.accounts import Account, KeepsAccounts
from why401.layers.caddy_facts import Facts, accounts_in
from why401.layers.model import Directive, Route
from why401.layers.tree import Document, Tree
from why401.prefilter import lazy

HOP = "Caddy"

_OWN = lazy(
    r"(?m)^\s*(?:reverse_proxy|file_server|basic_?auth|forward_auth|php_fastcgi|respond|handle(?:_path)?|encode|"
    r"request_header|redir|root|import|tls)\b[^\n;=:()]*(?:[^;\s]\s*)$"
)
_SITE = lazy(r"(?m)^[^\s#{}][^\n{}=;]*\{\s*$")


def roots(tree: Tree) -> Iterable[Document]:
    """Files named Caddyfile, or `*.caddyfile` where there is none; imported ones are read with them."""
    named = [d for d in tree.named("Caddyfile", "Caddyfile.*") if _looks(d)]
    return named or [d for d in tree.named("*.caddyfile", "*.caddy") if _looks(d)]


def _looks(document: Document) -> bool:
    return bool(_OWN.search(document.text)) or bool(_SITE.search(document.text))


def read(tree: Tree, root: Document) -> Caddy:
    """The Caddyfile at `root`. Raises Damaged where a block is not closed."""
    try:
        top = caddy_tree.parse(tree, root)
    except RecursionError:
        from why401.layers.model import Damaged

        raise Damaged(f"{root.name}: blocks are nested too deeply to be read.") from None
    return Caddy(HOP, tree, root, top=top)


@dataclass(eq=False)
class Caddy(KeepsAccounts):
    """A Caddyfile; `top` is its nameless outermost block."""

    top: Directive = field(default=None, repr=False)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        self.sites = self.top.all("site")
        self.logins: dict[Source, Directive] = {
            d.source: d for site in self.sites for d in site.walk() if d.name in ("basicauth", "basic_auth")
        }
        self.listens = frozenset(
            f"{a[1]}:{port}"
            for site in self.sites
            for a in caddy_match.addresses(site)
            for port in caddy_match.ports(a)
        )
        self.whole = frozenset({self.root.name} | {d.document.name for d in self.top.walk()})
        where = str(Path(self.root.name).resolve())
        self.syntax_check = ("caddy", "validate", "--adapter", "caddyfile", "--config", where)
        self.reload = ("caddy", "reload", "--adapter", "caddyfile", "--config", where)
        self.secrets = frozenset(a.stored for d in self.logins.values() for a in accounts_in(d))

    def order(self) -> list[str]:
        """`order X before Y` of the global options."""
        return [" ".join(d.args) for block in self.top.all("{") for d in block.all("order")]

    def routes(self) -> Sequence[Route]:
        """A route for each address that a site passes on to, or one for a site that passes nothing on."""
        return self._all

    @cached_property
    def _all(self) -> list[Route]:
        found: list[Route] = []
        for site in self.sites:
            facts = Facts(self, site, None)
            found += [self._route(site, facts, upstream) for upstream in facts.upstreams or [""]]
        return found

    def meets(self, request: Request) -> tuple[Route, ...]:
        site = caddy_match.site_for(self.sites, request)
        if site is None:
            return ()
        facts = Facts(self, site, request)
        return (self._route(site, facts, next(iter(facts.upstreams), "")),)

    def _route(self, site: Directive, facts: Facts, upstream: str) -> Route:
        name = f"site {', '.join(site.args)}" if site.args else "the site"
        demands, changes, answers = tuple(facts.demands), tuple(facts.changes), tuple(facts.answers)
        return Route(HOP, site.source, name, demands, changes, answers, upstream, self)

    def accounts(self, route: Route) -> Sequence[Account] | None:
        scheme = route.demand("scheme")
        login = self.logins.get(scheme.source) if scheme else None
        return accounts_in(login) if login is not None else None

    def all(self, *names: str) -> Iterator[Directive]:
        """Every directive of these names in any site."""
        for site in self.sites:
            yield from (d for d in site.walk() if d.name in names)
