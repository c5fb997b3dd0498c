"""Istio: what RequestAuthentication and AuthorizationPolicy ask of a request to a workload.

A token that is there must be good (401); that one is there only an AuthorizationPolicy demands (403). A policy
holds for the workloads with its selector's labels in its namespace, without a selector for all of them, in the
root namespace for the mesh (istio.io: "RequestAuthentication", "AuthorizationPolicy", "Implicit enablement").
Respects beside the common ones: `request-principal` (a pattern of issuer/subject), `jwt-rule` (an
issuer whose tokens are read), `inline-keys`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from why401.evidence import Answer, Change, Demand, Request
from why401.layers import kube_objects, yaml_tree
from why401.layers.envoy_facts import issuer_of, token
from why401.layers.kube_objects import Object
from why401.layers.model import Layer, Route
from why401.layers.nodes import Node
from why401.layers.traefik_match import host_of, path_of
from why401.layers.tree import Document, Tree
from why401.prefilter import lazy
from why401.protocol.jwt import decode

HOP = "Istio"
ROOT_NAMESPACE = "istio-system"
_OWN = lazy(r"(?m)^\s*\"?apiVersion\"?:\s*\"?security\.istio\.io/")
_KINDS = (
    "RequestAuthentication",
    "AuthorizationPolicy",
    "Deployment",
    "StatefulSet",
    "Service",
    "VirtualService",
)


def roots(tree: Tree) -> Iterable[Document]:
    """One for all manifests, and each that cannot be read."""
    held = [
        d for d in tree.given.values() if d.name.lower().endswith(yaml_tree.SUFFIXES) and _OWN.search(d.text)
    ]
    return [*(d for d in held if not yaml_tree.whole(d)), *[d for d in held if yaml_tree.whole(d)][:1]]


def read(tree: Tree, root: Document) -> Istio:
    """The policies of all manifests at hand. Raises Damaged where `root` cannot be read."""
    yaml_tree.documents(root)
    return Istio(HOP, tree, root, found=kube_objects.objects(tree, *_KINDS))


@dataclass(frozen=True)
class Workload:
    """A name, its namespace and the labels of its pods."""

    name: str
    namespace: str
    labels: tuple[tuple[str, str], ...]


@dataclass(eq=False)
class Istio(Layer):
    """The security policies of a mesh."""

    found: list[Object] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        self.workloads = list(dict.fromkeys(self._workloads()))
        self._known: dict[tuple[Workload, str, str, str], Route] = {}

    def _of(self, kind: str, workload: Workload) -> Iterator[Object]:
        """The policies of a kind that hold for a workload."""
        for one in self.found:
            wanted = one.spec.at("selector", "matchLabels").pairs.items()
            here = one.kind == kind and one.namespace in (workload.namespace, ROOT_NAMESPACE)
            refs = [*one.spec.each("targetRefs"), *one.spec.each("targetRef")]
            here &= not refs or workload.name in [ref.text("name") for ref in refs]
            if here and all((key, node.value) in workload.labels for key, node in wanted):
                yield one

    def _workloads(self) -> Iterator[Workload]:
        """Those whose manifests are at hand, else those that selectors name."""
        for one in self.found:
            if one.kind in ("Deployment", "StatefulSet"):
                yield Workload(one.name, one.namespace, tuple(one.labels().items()))
        if any(one.kind in ("Deployment", "StatefulSet") for one in self.found):
            return
        for one in self.found:
            labels = one.spec.at("selector", "matchLabels").pairs
            if one.kind in _KINDS[:2]:
                pairs = tuple((key, node.value) for key, node in labels.items())
                yield Workload(pairs[0][1] if pairs else "", one.namespace, pairs)

    def routes(self) -> Sequence[Route]:
        return [self._route(workload, "", "", "") for workload in self.workloads]

    def meets(self, request: Request) -> tuple[Route, ...]:
        workload = self._asked(request)
        if workload is None:
            return ()
        return (self._route(workload, issuer_of(request), path_of(request), request.method or "GET"),)

    def _asked(self, request: Request) -> Workload | None:
        """The workload by the name of the host (a Service is called so), by a VirtualService, or the only one."""
        host = host_of(request)
        names = {host.partition(".")[0]}
        for one in self.found:
            if one.kind == "VirtualService" and host in one.spec.strings("hosts"):
                names |= {n.text("host").partition(".")[0] for n in one.spec.walk() if n.at("host")}
        selectors = [
            one.spec.at("selector").pairs for one in self.found if one.kind == "Service" and one.name in names
        ]
        for workload in self.workloads:
            picked = any(all((k, n.value) in workload.labels for k, n in s.items()) for s in selectors if s)
            if workload.name in names or picked:
                return workload
        labelled = [workload for workload in self.workloads if workload.labels]
        alone = labelled or self.workloads
        return alone[0] if len(alone) == 1 else None

    def _route(self, workload: Workload, issuer: str, path: str, method: str) -> Route:
        key = workload, issuer, path, method
        if key not in self._known:
            rules = [
                r for one in self._of("RequestAuthentication", workload) for r in one.spec.each("jwtRules")
            ]
            own = [rule for rule in rules if rule.text("issuer") == issuer]
            facts: list[Demand | Change] = [
                Demand("jwt-rule", r.text("issuer"), r.source, hop=HOP) for r in rules
            ]
            for rule in own or (rules if len(rules) == 1 else ()):
                facts += [*token(rule, HOP), *_dropped(rule)]
            policies = list(self._of("AuthorizationPolicy", workload))
            demands = [fact for fact in facts if isinstance(fact, Demand)]
            demands += _principals(policies, path, method)
            start = policies[0].node if policies else rules[0] if rules else Node(self.root, 1)
            self._known[key] = Route(
                HOP,
                start.source,
                f"workload {workload.name or 'of ' + workload.namespace}",
                tuple(demands),
                tuple(fact for fact in facts if isinstance(fact, Change)),
                tuple(_denied(policies)),
                f"http://{workload.name or 'workload'}",
                self,
            )
        return self._known[key]

    def misfits(self) -> Iterator[tuple[str, Node, list[str]]]:
        """(policy, principal, issuers) where a policy with no other principals names an issuer that is not read."""
        for one in self.found:
            if one.kind != "AuthorizationPolicy" or one.spec.text("action", default="ALLOW") != "ALLOW":
                continue
            rules = [r for a in self.found if a.kind == "RequestAuthentication"
                     and a.namespace in (one.namespace, ROOT_NAMESPACE) for r in a.spec.each("jwtRules")]  # fmt: skip
            issuers = [rule.text("issuer") for rule in rules]
            named = [n for n, _ in _sources(one)]
            if issuers and all(issuers) and named and not any(_begins(n.value, issuers) for n in named):
                yield one.name, named[0], issuers


def _begins(principal: str, issuers: list[str]) -> bool:
    """Whether a principal can be of one of these issuers."""
    bare = principal.rstrip("*")
    return principal.startswith("*") or any(
        principal.startswith(i + "/") or ((i + "/").startswith(bare) and principal.endswith("*"))
        for i in issuers
    )


def _sources(one: Object) -> Iterator[tuple[Node, Node]]:
    """(principal, rule) of each requestPrincipals of a policy."""
    for rule in one.spec.each("rules"):
        for source in rule.each("from"):
            for item in source.each("source", "requestPrincipals"):
                yield item, rule


def _allows(one: Object) -> bool:
    return one.kind == "AuthorizationPolicy" and one.spec.text("action", default="ALLOW") == "ALLOW"


def _principals(policies: Sequence[Object], path: str, method: str) -> Iterator[Demand]:
    """The principals that the ALLOW policies name, where no rule of any lets the request in without one (one rule
    that fits is enough), and those whom alone a DENY policy spares."""
    rules = [
        r for one in policies if _allows(one) for r in one.spec.each("rules") if _operation(r, path, method)
    ]
    sources = [_of_caller(rule, "requestPrincipals") for rule in rules]
    for item in (item for held in sources for item in held) if all(sources) else ():
        yield Demand("request-principal", item.value, item.source, hop=HOP)
    for one in policies:
        for rule in one.spec.each("rules") if one.spec.text("action") == "DENY" else ():
            spared = _of_caller(rule, "notRequestPrincipals", alone=True)
            for item in spared if not rule.at("when") and _operation(rule, path, method) else ():
                yield Demand("request-principal", item.value, item.source, hop=HOP)


def _of_caller(rule: Node, name: str, *, alone: bool = False) -> list[Node]:
    """The patterns of this name in a rule's sources; none where a source goes without (or, `alone`, has others)."""
    held = [source.at("source") for source in rule.each("from")]
    if not all(source.at(name) and not (alone and len(source.pairs) > 1) for source in held):
        return []
    return [item for source in held for item in source.each(name)]


def _operation(rule: Node, path: str, method: str) -> bool:
    """Whether a rule's `to` takes a path and method; where they are unknown it may."""
    held = rule.each("to")
    if not held or not path:
        return True
    for item in held:
        paths, methods = item.strings("operation", "paths"), item.strings("operation", "methods")
        if (not paths or fits(paths, path)) and (not methods or fits(methods, method)):
            return True
    return False


def fits(patterns: Sequence[str], text: str) -> bool:
    """Exact, `prefix*`, `*suffix` or `*` (AuthorizationPolicy, "Rule")."""
    return any(
        p == "*"
        or p == text
        or (p.endswith("*") and text.startswith(p[:-1]))
        or (p[:1] == "*" and text.endswith(p[1:]))
        for p in patterns
    )


def principal_of(request: Request) -> str:
    """`iss/sub` of the request's bearer token; "" where it has none."""
    scheme, _, value = (request.fields.get("authorization") or "").partition(" ")
    claims = decode(value.strip()).claims if scheme.lower() == "bearer" else {}
    iss, sub = claims.get("iss"), claims.get("sub")
    return f"{iss}/{sub}" if isinstance(iss, str) and isinstance(sub, str) else ""


def _dropped(rule: Node) -> Iterator[Change]:
    """The token is kept from the workload unless `forwardOriginalToken` says otherwise."""
    kept = rule.at("forwardOriginalToken")
    if kept.value.lower() != "true" and not rule.at("fromHeaders") and not rule.at("fromParams"):
        yield Change("drops", "Authorization", (kept or rule).source, HOP)


def _denied(policies: Sequence[Object]) -> Iterator[Answer]:
    """ALLOW policies without rules let nothing in, unless another one does."""
    allowing = [one for one in policies if _allows(one)]
    if allowing and not any(one.spec.each("rules") for one in allowing):
        yield Answer(HOP, 403, (allowing[0].node.at("spec") or allowing[0].node).source)
