"""Kubernetes Ingresses as ingress-nginx reads them: which rule takes a request, and what its annotations demand.

Every Ingress has its own annotations, also where several share a host. A location whose annotations cannot be
carried out (no such Secret) answers 503, not 401 (rootfs/etc/nginx/template/nginx.tmpl, `isLocationAllowed`).
Respects beside the common ones: `secret` (namespace/name of the Secret with the users).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from why401.evidence import Answer, Change, Demand, Request
from why401.layers import kube_objects, yaml_tree
from why401.layers.accounts import Account, KeepsAccounts
from why401.layers.kube_objects import Object
from why401.layers.model import Route
from why401.layers.nodes import Node
from why401.layers.traefik_match import host_of, path_of
from why401.layers.tree import Document, Tree
from why401.prefilter import lazy
from why401.secret import Secret

HOP = "ingress-nginx"
PREFIX = "nginx.ingress.kubernetes.io/"

_INGRESS = lazy(r"(?m)^\s*\"?kind\"?\s*:\s*\"?Ingress\"?,?\s*$")
_OWN = lazy(r"nginx\.ingress\.kubernetes\.io/|ingressClassName:\s*\"?nginx|ingress\.class:\s*\"?nginx")
_SETS = lazy(r"\s*(proxy_set_header|more_set_input_headers)\s+(.*?);")
_CLEARS = lazy(r"\s*more_clear_input_headers\s+(.*?);")
_RETURN = lazy(r"\breturn\s+(401|403)\b")


def _looks(document: Document) -> bool:
    return kube_objects.looks(document) and bool(
        _INGRESS.search(document.text) and _OWN.search(document.text)
    )


def roots(tree: Tree) -> Iterable[Document]:
    """One for all manifests, and each that cannot be read."""
    held = [d for d in tree.given.values() if _looks(d)]
    return [*(d for d in held if not yaml_tree.whole(d)), *[d for d in held if yaml_tree.whole(d)][:1]]


def read(tree: Tree, root: Document) -> Ingresses:
    """The Ingresses of all manifests at hand. Raises Damaged where `root` cannot be read."""
    yaml_tree.documents(root)
    return Ingresses(HOP, tree, root, found=kube_objects.objects(tree, "Ingress", "Secret", "ConfigMap"))


@dataclass(frozen=True, eq=False)
class Path:
    """One path of one rule of an Ingress."""

    ingress: Object
    host: str
    path: str
    kind: str  # "Prefix", "Exact", "ImplementationSpecific"
    node: Node = field(repr=False)


@dataclass(eq=False)
class Ingresses(KeepsAccounts):
    """All Ingresses of one controller."""

    found: list[Object] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        self.ingresses = [one for one in self.found if one.kind == "Ingress" and _class(one) in ("", "nginx")]
        self.paths = [path for one in self.ingresses for path in _paths(one)]
        self._known: dict[int, Route] = {}
        self.secrets = frozenset(
            a.stored for one in self.ingresses for a in self.users(one) or () if len(a.stored.reveal()) > 5
        )

    def routes(self) -> Sequence[Route]:
        return [self._route(path) for path in self.paths]

    def meets(self, request: Request) -> tuple[Route, ...]:
        host, path = host_of(request), path_of(request)
        there = [one for one in self.paths if _host_fits(one.host, host) and _path_fits(one, path)]
        there.sort(key=lambda one: (one.host == host, len(one.host), len(one.path), one.kind == "Exact"))
        return (self._route(there[-1]),) if there else ()

    # users

    def secret(self, ingress: Object) -> Object | None:
        """The Secret that `auth-secret` names, where it is at hand."""
        named = ingress.annotation(PREFIX + "auth-secret").value
        namespace, _, name = named.rpartition("/")
        held = (one for one in self.found if one.kind == "Secret" and one.name == name)
        return next((one for one in held if one.namespace == (namespace or ingress.namespace)), None)

    def users(self, ingress: Object) -> list[Account] | None:
        """The users in the Secret of an Ingress; None where it is not at hand or has none."""
        secret = self.secret(ingress)
        if secret is None or not ingress.annotation(PREFIX + "auth-type"):
            return None
        if ingress.annotation(PREFIX + "auth-secret-type").value == "auth-map":
            names = {**secret.node.at("data").pairs, **secret.node.at("stringData").pairs}
            pairs = [(name, *found) for name in names if (found := kube_objects.held(secret, name))]
            return [Account(user, Secret(text), HOP, node.source) for user, text, node in pairs]
        found = kube_objects.held(secret, "auth")
        if found is None:
            return None
        text, node = found
        lines = [line.partition(":") for line in text.split("\n") if ":" in line and not line.startswith("#")]
        return [Account(user, Secret(stored), HOP, node.source) for user, _, stored in lines]

    def accounts(self, route: Route) -> Sequence[Account] | None:
        path = next((one for one in self.paths if self._known.get(id(one)) is route), None)
        return self.users(path.ingress) if path and route.demand("scheme") else None

    # facts

    def _route(self, path: Path) -> Route:
        if id(path) not in self._known:
            one = path.ingress
            backend = path.node.at("backend", "service") or path.node.at("backend")
            name = backend.text("name") or backend.text("serviceName")
            port = backend.text("port", "number") or backend.text("servicePort") or "80"
            self._known[id(path)] = Route(
                HOP,
                path.node.source,
                f"Ingress {one.name}, {path.host}{path.path}",
                tuple(self._demands(one)),
                tuple(_changes(one)),
                tuple(_answers(one)),
                f"http://{name}:{port}" if name else "",
                self,
            )
        return self._known[id(path)]

    def _demands(self, one: Object) -> Iterator[Demand]:
        held = one.annotation(PREFIX + "auth-type")
        if held.value.lower() in ("basic", "digest"):
            yield Demand("scheme", held.value.capitalize(), held.source, hop=HOP)
            realm, named = one.annotation(PREFIX + "auth-realm"), one.annotation(PREFIX + "auth-secret")
            yield Demand("realm", realm.value, (realm or held).source, hop=HOP)
            if named.value:
                yield Demand("secret", named.value, named.source, hop=HOP)
        yield from self._subrequest(one)
        allowed = one.annotation(PREFIX + "whitelist-source-range") or one.annotation(
            PREFIX + "allowlist-source-range"
        )
        denied = one.annotation(PREFIX + "denylist-source-range")
        rules = [f"deny {part}" for part in denied.strings(split=",")]
        if allowed.value:
            rules += [*(f"allow {part}" for part in allowed.strings(split=",")), "deny all"]
        if rules:
            yield Demand("address", ", ".join(rules), (allowed or denied).source, hop=HOP)
        certificate = one.annotation(PREFIX + "auth-tls-secret")
        if certificate.value and one.annotation(PREFIX + "auth-tls-verify-client").value in ("", "on"):
            yield Demand("certificate", "on", certificate.source, hop=HOP)
        satisfy = one.annotation(PREFIX + "satisfy")
        if satisfy.value == "any":
            yield Demand("satisfy", "any", satisfy.source, hop=HOP)

    def _subrequest(self, one: Object) -> Iterator[Demand]:
        url = one.annotation(PREFIX + "auth-url")
        if url.value:
            yield Demand("subrequest", url.value, url.source, hop=HOP)
        elif one.annotation(PREFIX + "enable-global-auth").value.lower() != "false":
            for config in (o for o in self.found if o.kind == "ConfigMap"):
                held = config.node.at("data", "global-auth-url")
                if held.value:
                    yield Demand("subrequest", held.value, held.source, hop=HOP)
        signin = one.annotation(PREFIX + "auth-signin")
        if signin.value and url.value:
            yield Demand("login", signin.value, signin.source, hop=HOP)


def _changes(one: Object) -> Iterator[Change]:
    """What the snippets and the login's own template do with the fields."""
    held = one.annotation(PREFIX + "auth-type")
    if held.value.lower() in ("basic", "digest"):
        yield Change(
            "drops", "Authorization", held.source, HOP
        )  # nginx.tmpl: proxy_set_header Authorization ""
    listed = one.annotation(PREFIX + "auth-response-headers")
    for name in listed.strings(split=","):
        yield Change("overwrites", name, listed.source, HOP, value="as the login service answers")
    for node, text in _lines(one.annotation(PREFIX + "configuration-snippet")):
        words = _SETS.match(text)
        if words:
            name, _, value = words[2].strip("\"' ").replace(":", " ", 1).partition(" ")
            empty = not value.strip("\"' ")
            if f"$http_{name.lower().replace('-', '_')}" not in value:
                yield Change("drops" if empty else "overwrites", name, node.source, HOP, value=value.strip())
        elif cleared := _CLEARS.match(text):
            for name in cleared[1].replace('"', " ").replace("'", " ").split():
                yield Change("drops", name, node.source, HOP)


def _answers(one: Object) -> Iterator[Answer]:
    for node, text in _lines(one.annotation(PREFIX + "configuration-snippet")):
        found = _RETURN.search(text)
        if found:
            yield Answer(HOP, int(found[1]), node.source, words="")


def _lines(node: Node) -> Iterator[tuple[Node, str]]:
    """The lines of a snippet, each with its place where it is written as a block."""
    text = node.document.lines[node.line - 1] if node.value else ""
    block = bool(re.search(r"[|>][+-]?\d?\s*(?:#.*)?$", text.rstrip()))
    for number, line in enumerate(node.value.split("\n")):
        at = node.line + 1 + number if block else node.line
        yield Node(node.document, at, line, last=at), line


def _class(one: Object) -> str:
    """The class of an Ingress: "nginx" by its name or its annotations, "" where none is named."""
    named = one.spec.text("ingressClassName") or one.annotation("kubernetes.io/ingress.class").value
    own = any(key.startswith(PREFIX) for key in one.node.at("metadata", "annotations").pairs)
    return "nginx" if "nginx" in named or own else named


def _paths(one: Object) -> Iterator[Path]:
    for rule in one.spec.each("rules"):
        for item in rule.each("http", "paths"):
            kind = item.text("pathType", default="Prefix")
            regex = one.annotation(PREFIX + "use-regex").value == "true"
            regex |= bool(one.annotation(PREFIX + "rewrite-target")) and kind == "ImplementationSpecific"
            yield Path(
                one, rule.text("host"), item.text("path", default="/"), "Regex" if regex else kind, item
            )
    backend = one.spec.at("defaultBackend")
    if backend:
        node = Node(backend.document, backend.line, pairs={"backend": backend}, last=backend.last)
        yield Path(one, "", "/", "Prefix", node)


def _host_fits(written: str, host: str) -> bool:
    """A wildcard stands for one label (Ingress API, "Hostname wildcards")."""
    if not written or written == host or not host:
        return True
    return written.startswith("*.") and host.partition(".")[2] == written[2:]


def _path_fits(one: Path, path: str) -> bool:
    if one.kind == "Exact":
        return path == one.path
    if one.kind == "Regex":
        try:
            return re.match(one.path, path, re.I) is not None
        except re.error:
            return False
    prefix = one.path.rstrip("/")
    return (
        path == prefix
        or path.startswith(prefix + "/")
        or (one.kind != "Prefix" and path.startswith(one.path))
    )
