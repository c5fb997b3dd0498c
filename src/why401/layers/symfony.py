"""Symfony's security: which firewall takes a request, how it lets one log in, and what access control asks for.

The first firewall whose pattern fits takes the request; the first rule of `access_control` that fits decides. What
stands below `when@prod` and the like is added to each firewall, as it may be in force. Sources: symfony.com/doc,
"Security", "How Does the Security access_control Work?"; LexikJWTAuthenticationBundle, "Configuration reference".

Respects beside the common ones: `firewall` (its name), `role`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from why401.evidence import Demand, Request
from why401.layers import yaml_tree
from why401.layers.applications import Application, Piece, folder_of
from why401.layers.model import Damaged, Route
from why401.layers.nodes import Node
from why401.layers.tree import Document, Tree
from why401.prefilter import lazy

HOP = "Symfony"
_OWN = lazy(r"(?m)^(?:\s+|when@\w+:\s+)?security:\s*$")
_FIREWALLS = lazy(r"(?m)^\s+firewalls:\s*$")
#: Keys of a firewall that let somebody log in → the scheme that they read from Authorization ("" for none).
LOGINS = {
    "http_basic": "Basic", "http_digest": "Digest", "jwt": "Bearer", "access_token": "Bearer", "oauth2": "Bearer",
    "form_login": "", "json_login": "", "login_link": "", "remember_me": "", "x509": "", "remote_user": "",
    "form_login_ldap": "", "json_login_ldap": "", "http_basic_ldap": "Basic", "custom_authenticator": "",
    "custom_authenticators": "", "guard": "", "oauth": "", "saml": "", "refresh_jwt": "", "simple_preauth": "",
    "two_factor": "", "entry_point": "", "anonymous": "",
}  # fmt: skip
_NO_LOGIN = frozenset({"remember_me", "entry_point", "anonymous", "two_factor"})
#: What a firewall may hold that is no way to log in.
_OTHERS = frozenset(
    "pattern host methods security stateless lazy provider context logout switch_user user_checker request_matcher "
    "login_throttling access_denied_url access_denied_handler required_badges not_full_fledged_handler".split()
)
PUBLIC = frozenset({"PUBLIC_ACCESS", "IS_AUTHENTICATED_ANONYMOUSLY"})


def roots(tree: Tree) -> Iterable[Document]:
    """The first file with firewalls of each project."""
    seen: set[str] = set()
    for document in tree.given.values():
        if not document.name.endswith(yaml_tree.SUFFIXES) or not _OWN.search(document.text):
            continue
        folder = folder_of(document.name, "config", "app/config")
        if _FIREWALLS.search(document.text) and folder not in seen:
            seen.add(folder)
            yield document


def read(tree: Tree, root: Document) -> Symfony:
    """The security of the project. Raises Damaged."""
    tops = yaml_tree.documents(root)
    return Symfony(HOP, tree, root, top=tops[0] if tops else Node(root, 1))


@dataclass(frozen=True)
class Firewall:
    """One firewall; `parts`: its mapping, and what `when@ENV` adds to it."""

    name: str
    parts: tuple[Node, ...]

    @property
    def node(self) -> Node:
        return self.parts[0]

    @property
    def open(self) -> bool:
        """Whether it asks nobody (`security: false`)."""
        return any(part.text("security").lower() == "false" for part in self.parts)

    def fits(self, request: Request) -> bool:
        host, methods = self.node.text("host"), self.node.strings("methods")
        if methods and (request.method or "GET") not in methods:
            return False
        if host and not _found(host, request.split.hostname or ""):
            return False
        return not self.node.at("request_matcher") and _found(self.node.text("pattern"), request.path)

    def logins(self) -> dict[str, Node]:
        """Its ways to log in; a key that is not known counts, since bundles add their own."""
        found = {key: node for part in self.parts for key, node in part.pairs.items() if key not in _OTHERS}
        return {
            key: node for key, node in found.items() if key not in _NO_LOGIN and node.value.lower() != "false"
        }


@dataclass(frozen=True)
class Rule:
    """One entry of `access_control`."""

    node: Node

    @property
    def path(self) -> str:
        return self.node.text("path")

    @property
    def roles(self) -> list[str]:
        roles = self.node.first("roles", "role", "allow_if")
        return [one for item in roles.items or (roles,) for one in re.split(r",\s*", item.value) if one]

    @property
    def public(self) -> bool:
        return bool(set(self.roles) & PUBLIC) or not self.roles

    @property
    def plain(self) -> bool:
        """Whether it looks at nothing but the path."""
        return not set(self.node.pairs) - {"path", "roles", "role", "requires_channel"}

    def fits(self, request: Request) -> bool:
        methods = [one.upper() for one in self.node.strings("methods")]
        if methods and (request.method or "GET") not in methods:
            return False
        return _found(self.path, request.path) and not self.node.first(
            "ips", "ip", "host", "route", "attributes"
        )


def _found(pattern: str, text: str) -> bool:
    """As Symfony's ChainRequestMatcher looks: anywhere, unless the pattern is anchored; "" fits all."""
    if not pattern:
        return True
    try:
        return re.search(pattern.replace("(?<", "(?P<") if "(?<" in pattern and "(?<=" not in pattern else pattern,
                         text.partition("?")[0]) is not None  # fmt: skip
    except re.error:
        return False


@dataclass(eq=False)
class Symfony(Application):
    """One project; `top` is the outermost mapping of the file with its firewalls."""

    top: Node = field(default=None, repr=False)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        own = self.top.at("security") or self.top
        added = [
            node.at("security", "firewalls")
            for key, node in self.top.pairs.items()
            if key.startswith("when@")
        ]
        found = own.at("firewalls").pairs
        self.firewalls = [
            Firewall(name, (node, *(more.at(name) for more in added if more.at(name))))
            for name, node in found.items()
        ]
        self.rules = [Rule(node) for node in own.at("access_control").items if node.pairs]
        self.jwt = self._beside("lexik_jwt_authentication")
        self.session = self._beside("framework").at("session")

    def _beside(self, key: str) -> Node:
        """The mapping `key` of any of the project's files."""
        for document in self.tree.given.values():
            if document.name.endswith(yaml_tree.SUFFIXES) and re.search(rf"(?m)^{key}:", document.text):
                try:
                    tops = yaml_tree.documents(document)
                except Damaged:
                    continue  # said where that file is read
                if tops and tops[0].at(key):
                    return tops[0].at(key)
        return Node(self.root, 1, present=False)

    def firewall(self, request: Request) -> Firewall | None:
        """The firewall that takes a request."""
        return next((one for one in self.firewalls if one.fits(request)), None)

    def rule(self, request: Request) -> Rule | None:
        """The rule of `access_control` that decides on it."""
        return next((one for one in self.rules if one.fits(request)), None)

    def pieces(self) -> Iterable[Piece]:
        for one in self.firewalls:
            yield Piece(self._route(one, None), one.fits)

    def routes(self) -> Sequence[Route]:
        return [self._route(one, None) for one in self.firewalls]

    def meets(self, request: Request) -> tuple[Route, ...]:
        firewall = self.firewall(request)
        return (self._route(firewall, self.rule(request)),) if firewall is not None else ()

    def _route(self, firewall: Firewall, rule: Rule | None) -> Route:
        demands = tuple(self._demands(firewall, rule))
        return Route(HOP, firewall.node.source, f"the firewall {firewall.name}", demands, layer=self)

    def _demands(self, firewall: Firewall, rule: Rule | None) -> Iterator[Demand]:
        yield Demand("firewall", firewall.name, firewall.node.source, hop=HOP)
        if rule is None or rule.public or firewall.open:
            return
        place = rule.node.source
        yield Demand("role", " ".join(rule.roles), place, hop=HOP)
        for key in firewall.logins():
            if LOGINS.get(key):
                yield Demand("scheme", self.prefix if key == "jwt" else LOGINS[key], place, hop=HOP)
        if "form_login" in firewall.logins():
            yield Demand("cookie", self.session.text("name") or "PHPSESSID", place, hop=HOP)

    @property
    def header(self) -> tuple[str, Node]:
        """The field from which the JWT is read."""
        node = self.jwt.at("token_extractors", "authorization_header", "name")
        return node.value or "Authorization", node

    @property
    def prefix(self) -> str:
        """The scheme before the JWT."""
        node = self.jwt.at("token_extractors", "authorization_header", "prefix")
        return node.value if node else "Bearer"
