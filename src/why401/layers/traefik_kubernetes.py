"""Kubernetes resources as Traefik reads them: IngressRoute, Middleware, TLSOption, and Ingress with its annotations.

Source: the pages "Kubernetes IngressRoute" and "Kubernetes Ingress" of Traefik's documentation,
pkg/provider/kubernetes/{crd,ingress}.
"""

from __future__ import annotations

from collections.abc import Iterator

from why401.layers import kube_objects
from why401.layers.kube_objects import Object
from why401.layers.nodes import Node
from why401.layers.tree import Tree

ANNOTATION = "traefik.ingress.kubernetes.io/router."


def parts(tree: Tree) -> Iterator[tuple[str, str, str, Node]]:
    """(kind, provider, name, settings) of each router, middleware and set of options of TLS."""
    known = kube_objects.objects(tree, "IngressRoute", "Middleware", "TLSOption", "Ingress", "Secret")
    secrets = {(o.namespace, o.name): o for o in known if o.kind == "Secret"}
    for one in known:
        own = f"{one.namespace}-{one.name}"
        if one.kind == "Middleware":
            yield "middlewares", "kubernetescrd", own, _with_users(one, secrets)
        elif one.kind == "TLSOption":
            yield "options", "kubernetescrd", own, one.spec
        elif one.kind == "IngressRoute":
            for number, route in enumerate(one.spec.each("routes")):
                yield "routers", "kubernetescrd", f"{own}-{number}", _route(one.namespace, one, route)
        elif one.kind == "Ingress" and _own(one):
            for number, node in enumerate(_ingress(one)):
                yield "routers", "kubernetes", f"{own}-{number}", node


def _own(one: Object) -> bool:
    """Whether an Ingress is meant for Traefik."""
    named = one.spec.text("ingressClassName") or one.annotation("kubernetes.io/ingress.class").value
    keys = one.node.at("metadata", "annotations").pairs
    return "traefik" in named or (not named and any(key.startswith(ANNOTATION) for key in keys))


def _ingress(one: Object) -> Iterator[Node]:
    """Each path of an Ingress as a router of a file would stand there."""
    for rule in one.spec.each("rules"):
        for item in rule.each("http", "paths"):
            host, path = rule.text("host"), item.text("path", default="/")
            matcher = (
                "Path"
                if item.text("pathType") == "Exact"
                else one.annotation(ANNOTATION + "pathmatcher").value
            )
            parts = [f"Host(`{host}`)"] if host else []
            text = " && ".join([*parts, f"{matcher or 'PathPrefix'}(`{path}`)"])
            backend = item.at("backend", "service")
            port = Node(item.document, item.line, backend.text("port", "number", default="80"))
            pairs = {
                "rule": Node(item.document, item.line, text, last=item.line),
                "upstreams": Node(item.document, item.line, items=(
                    Node(item.document, item.line, pairs={"name": backend.at("name"), "port": port}),)),
            }  # fmt: skip
            for key in ("middlewares", "entryPoints", "priority"):
                held = one.annotation(ANNOTATION + key.lower())
                if held:
                    pairs[key] = held
            if one.spec.at("tls") or one.annotation(ANNOTATION + "tls").true():
                pairs["tls"] = one.spec.at("tls") or one.annotation(ANNOTATION + "tls")
            yield Node(item.document, item.line, pairs=pairs, last=item.last)


def _route(namespace: str, one: Object, route: Node) -> Node:
    """A route of an IngressRoute as a router of a file would stand there."""
    names = []
    for item in route.each("middlewares"):
        text = item.text("name")
        full = text if "@" in text else f"{item.text('namespace', default=namespace)}-{text}"
        names.append(Node(route.document, item.line, full, last=item.line))
    pairs = {
        "rule": route.at("match"),
        "middlewares": Node(route.document, route.line, items=tuple(names), last=route.line),
        "upstreams": route.at("services"),
    }
    for key, node in (
        ("priority", route.at("priority")),
        ("entryPoints", one.spec.at("entryPoints")),
        ("tls", _tls(namespace, one.spec.at("tls"))),
    ):
        if node:
            pairs[key] = node
    return Node(route.document, route.line, pairs=pairs, last=route.last)


def _tls(namespace: str, tls: Node) -> Node:
    """The settings of TLS with the name of its options as a router of a file would write it."""
    named = tls.at("options")
    if not named.text("name"):
        return tls
    full = f"{named.text('namespace', default=namespace)}-{named.text('name')}"
    options = Node(named.document, named.line, full, last=named.last)
    return Node(tls.document, tls.line, pairs={**tls.pairs, "options": options}, last=tls.last)


def _with_users(one: Object, secrets: dict[tuple[str, str], Object]) -> Node:
    """A Middleware's spec, with the users of its Secret in their place."""
    name = one.spec.text("basicAuth", "secret")
    secret = secrets.get((one.namespace, name)) if name else None
    found = kube_objects.held(secret, "users") if secret else None
    if found is None:
        return one.spec
    text, node = found
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    users = tuple(Node(node.document, node.line, line, last=node.line) for line in lines)
    held = one.spec.at("basicAuth")
    inner = Node(
        held.document, held.line, pairs={**held.pairs, "users": Node(node.document, node.line, items=users)}
    )
    return Node(one.spec.document, one.spec.line, pairs={**one.spec.pairs, "basicAuth": inner})
