"""OAuth2 Proxy: its options, from a configuration file, the environment or the arguments of a container.

An option has one name in three spellings: `cookie_secret` (file), `OAUTH2_PROXY_COOKIE_SECRET`, and
`--cookie-secret`; lists in the file have a plural (`email_domains`). Arguments win over the environment, that over
the file (docs/configuration/overview.md). Respects beside the common ones: `bearer` (whether it reads tokens).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from why401.evidence import Change, Demand, Request
from why401.layers import compose, kube_objects, toml_tree
from why401.layers.model import Layer, Route
from why401.layers.nodes import Node
from why401.layers.traefik_match import path_of
from why401.layers.tree import Document, Tree
from why401.prefilter import lazy
from why401.secret import Secret

HOP = "oauth2-proxy"
_FILE = lazy(
    r"(?m)^\s*(?:cookie_secret|email_domains|skip_jwt_bearer_tokens|pass_authorization_header|upstreams)\s*="
)
_CONTAINER = lazy(r"oauth2[-_]proxy", 2)
_PLURAL = ("email_domain", "upstream", "cookie_domain", "whitelist_domain", "skip_auth_route", "allowed_group",
           "oidc_extra_audience", "extra_jwt_issuer", "api_route", "allowed_role", "scope", "trusted_ip")  # fmt: skip
_SECRETS = ("cookie_secret", "client_secret", "basic_auth_password", "redis_password")


def roots(tree: Tree) -> Iterable[Document]:
    """Configuration files, and files of containers that run it."""
    for document in tree.given.values():
        name = document.name.lower()
        if (name.endswith((".cfg", ".toml", ".conf", ".example")) and _FILE.search(document.text)) or (
            name.endswith((".yml", ".yaml"))
            and _CONTAINER.search(document.text)
            and any(_containers(document))
        ):
            yield document


def read(tree: Tree, root: Document) -> OAuth2Proxy:
    """The options that one file gives, with those of the file that the container is told to read. Raises Damaged."""
    if not root.name.lower().endswith((".yml", ".yaml")):
        return OAuth2Proxy(HOP, tree, root, options=dict(_filed(toml_tree.document(root))))
    name, container = next(iter(_containers(root)))
    return OAuth2Proxy(HOP, tree, root, options=dict(_given(container)), service=name)


def _containers(document: Document) -> Iterator[tuple[str, Node]]:
    """(name, node) of each container of the program's image, with its arguments and environment."""
    for service in compose.of(document):
        if _CONTAINER.search(service.node.text("image")):
            yield service.name, service.node
    for one in kube_objects.of(document) if kube_objects.looks(document) else ():
        for container in one.spec.each("template", "spec", "containers"):
            if _CONTAINER.search(container.text("image")):
                yield one.name, container


def _name(option: str) -> str:
    """An option's one name."""
    name = option.lower().replace("-", "_")
    return next((single for single in _PLURAL if name == single + "s"), name)


def _filed(top: Node) -> Iterator[tuple[str, Node]]:
    for key, node in top.pairs.items():
        yield _name(key), node


def _given(container: Node) -> Iterator[tuple[str, Node]]:
    """Environment, then arguments: the later one counts."""
    in_compose = "spec" not in container.pairs and not container.at("args")
    for key, value, node in compose.Service("", container).pairs("environment"):
        if key.upper().startswith("OAUTH2_PROXY_"):
            known = compose.interpolated(value)
            if known is not None:
                yield _name(key[13:]), _valued(node, known)
    for item in container.each("env"):
        key = item.text("name")
        if key.upper().startswith("OAUTH2_PROXY_") and item.at("value"):
            yield _name(key[13:]), _valued(item.at("value"), item.text("value"))
    held: dict[str, Node] = {}
    for part in ("command", "args"):
        for item in container.each(part):
            words = re.match(r"--?([\w-]+)(?:=(.*))?$", item.value, re.S)
            known = (
                compose.interpolated(words[2] or "true")
                if words and in_compose
                else words and (words[2] or "true")
            )
            if words and known is not None:
                node = _valued(item, str(known))
                before = held.get(_name(words[1]))
                several = _name(words[1]) in _PLURAL and before is not None
                held[_name(words[1])] = _more(before, node) if several and before else node
    yield from held.items()


def _valued(node: Node, value: str) -> Node:
    return Node(node.document, node.line, value, last=node.last or node.line, quoted=True)


def _more(before: Node, node: Node) -> Node:
    items = (*(before.items or (before,)), node)
    return Node(before.document, before.line, items=items, last=node.last)


@dataclass(eq=False)
class OAuth2Proxy(Layer):
    """One proxy and its options."""

    options: Mapping[str, Node] = field(default_factory=dict, repr=False)
    service: str = ""

    def __post_init__(self) -> None:
        listen = self.text("http_address") or "127.0.0.1:4180"
        port = listen.rpartition(":")[2]
        self.listens = frozenset({f"127.0.0.1:{port}", f"{self.service or 'oauth2-proxy'}:{port}"})
        held = (self.options[name].value for name in _SECRETS if name in self.options)
        self.secrets = frozenset(Secret(value) for value in held if len(value) > 5)
        self._known: dict[bool, Route] = {}

    def node(self, name: str) -> Node | None:
        return self.options.get(name)

    def text(self, name: str) -> str:
        found = self.options.get(name)
        return found.value or (found.items[0].value if found.items else "") if found else ""

    def on(self, name: str, default: bool = False) -> bool:
        found = self.options.get(name)
        return found.true(default=default) if found else default

    def listed(self, name: str) -> list[str]:
        found = self.options.get(name)
        return found.strings(split=",") if found else []

    def routes(self) -> Sequence[Route]:
        return [self._route(False)]

    def meets(self, request: Request) -> tuple[Route, ...]:
        return (self._route(self.skipped(request)),)

    def skipped(self, request: Request) -> bool:
        """Whether a `skip_auth_routes` (`METHOD=regex`, `!=` for the others) or preflight lets it pass unasked."""
        method, path = (request.method or "GET").upper(), path_of(request)
        if method == "OPTIONS" and self.on("skip_auth_preflight"):
            return True
        for written in [*self.listed("skip_auth_route"), *self.listed("skip_auth_regex")]:
            verb, sign, pattern = re.match(r"(?:([A-Z]+)(!?=))?(.*)", written, re.S).groups()  # type: ignore[union-attr]
            try:
                hit = re.search(pattern, path) is not None
            except re.error:
                continue
            if (verb is None and hit) or (verb == method and hit != (sign == "!=")):
                return True
        return False

    def _route(self, skipped: bool) -> Route:
        if skipped not in self._known:
            first = next(iter(self.options.values()), Node(self.root, 1))
            upstream = self.text("upstream")
            self._known[skipped] = Route(
                HOP,
                first.source,
                "skip_auth_routes" if skipped else "every path",
                () if skipped else tuple(self._demands()),
                tuple(self._changes()),
                (),
                upstream if upstream.startswith("http") else "",
                self,
            )
        return self._known[skipped]

    def _demands(self) -> Iterator[Demand]:
        cookie = self.text("cookie_name") or "_oauth2_proxy"
        place = self.options.get("cookie_name") or next(iter(self.options.values()), Node(self.root, 1))
        yield Demand("cookie", cookie, place.source, hop=HOP)
        if not self.on("skip_jwt_bearer_tokens"):
            return
        yield Demand("bearer", "on", self.options["skip_jwt_bearer_tokens"].source, hop=HOP)
        issuer, own = self.options.get("oidc_issuer_url"), self.options.get("client_id")
        if issuer is not None and issuer.value and "extra_jwt_issuer" not in self.options:
            yield Demand("issuer", issuer.value, issuer.source, hop=HOP)
            values = [self.text("client_id"), *self.listed("oidc_extra_audience")]
            place = self.options.get("oidc_extra_audience") or own or issuer
            if all(values) and "oidc_audience_claim" not in self.options:
                yield Demand("audience", " ".join(values), place.source, hop=HOP)

    def _changes(self) -> Iterator[Change]:
        """Authorization as the upstream gets it (pkg/apis/options/legacy_options.go, getRequestHeaders)."""
        if self.on("pass_authorization_header"):
            place = self.options["pass_authorization_header"]
            yield Change("adds", "Authorization", place.source, HOP, value="the ID token")
        elif self.on("pass_basic_auth", default=True) and self.text("basic_auth_password"):
            place = self.options["basic_auth_password"]
            yield Change(
                "overwrites", "Authorization", place.source, HOP, value="Basic with basic_auth_password"
            )


def secret_length(text: str) -> int:
    """How many bytes a cookie secret counts (pkg/encryption/utils.go, SecretBytes)."""
    bare = text.rstrip("=")
    try:
        if "+" in bare or "/" in bare:  # Go's URL encoding does not know them; Python would take them too
            raise ValueError
        decoded = base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    return len(decoded) if len(decoded) in (16, 24, 32) else len(text.encode("utf-8", "replace"))
