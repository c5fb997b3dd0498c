"""Istio: which policies hold for a workload, and what they ask of a request."""

from __future__ import annotations

import base64
import json
from contextlib import suppress

import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from tests.checks.code_cases import given, line_of
from why401.evidence import Fields, Request
from why401.layers import Document, istio
from why401.layers.model import Damaged, Route
from why401.layers.tree import Tree

LOGIN = """apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: login, namespace: shop}
spec:
  selector: {matchLabels: {app: orders}}
  jwtRules:
  - issuer: https://issuer.test
    audiences: [orders]
    jwksUri: https://issuer.test/keys
---
"""
POLICY = """apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: who, namespace: shop}
spec:
  selector: {matchLabels: {app: orders}}
  action: ALLOW
  rules:
  - from:
    - source:
        requestPrincipals: ["https://issuer.test/*"]
    to:
    - operation: {paths: ["/orders*"], methods: [GET]}
  - to:
    - operation: {paths: ["/health"]}
---
"""
DEPLOYED = """apiVersion: apps/v1
kind: Deployment
metadata: {name: orders, namespace: shop}
spec: {template: {metadata: {labels: {app: orders}}}}
---
apiVersion: v1
kind: Service
metadata: {name: front, namespace: shop}
spec: {selector: {app: orders}}
---
"""


def policy(spec: str, namespace: str = "shop", name: str = "other") -> str:
    return (
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n"
        f"metadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n---\n"
    )


def met(
    text: str, path: str = "/orders/1", host: str = "front", method: str = "GET", **claims: str
) -> Route | None:
    (layer,) = given(mesh_dot_yaml=text).layers
    assert isinstance(layer, istio.Istio)
    parts = [base64.urlsafe_b64encode(json.dumps(p).encode()).decode() for p in ({"alg": "RS256"}, claims)]
    fields = Fields.of([("Authorization", f"Bearer {parts[0]}.{parts[1]}.c2ln")] if claims else [])
    found = layer.meets(Request(method, f"http://{host}{path}", fields))
    return found[0] if found else None


def facts(route: Route | None) -> dict[str, tuple[str, int | None]]:
    assert route is not None
    return {d.respect: (d.value, d.source.line) for d in route.demands}


def test_rules_and_their_places() -> None:
    text = LOGIN + POLICY + DEPLOYED
    route = met(text)
    assert facts(route) == {
        "jwt-rule": ("https://issuer.test", line_of(text, "- issuer:")),
        "issuer": ("https://issuer.test", line_of(text, "issuer:")),
        "audience": ("orders", line_of(text, "audiences:")),
        "keys": ("https://issuer.test/keys", line_of(text, "jwksUri:")),
        "request-principal": ("https://issuer.test/*", line_of(text, "requestPrincipals:")),
    }
    assert route is not None
    assert [(c.what, c.name, c.source.line) for c in route.changes] == [
        ("drops", "Authorization", line_of(text, "- issuer:"))
    ]
    kept = text.replace("    audiences", "    forwardOriginalToken: true\n    audiences")
    forwarded = met(kept)
    assert forwarded is not None
    assert forwarded.changes == ()


def test_who_is_asked_depends_on_the_operation() -> None:
    text = LOGIN + POLICY + DEPLOYED
    assert "request-principal" not in facts(met(text, "/health"))
    assert "request-principal" not in facts(met(text, method="POST"))


def test_one_policy_that_lets_in_is_enough() -> None:
    text = LOGIN + POLICY + DEPLOYED
    assert "request-principal" not in facts(met(text + policy("{rules: [{}]}")))
    elsewhere = policy("{rules: [{}]}", namespace="billing")
    assert "request-principal" in facts(met(text + elsewhere))
    spaces = text.replace('/*"]\n', '/*"]\n    - source: {namespaces: [billing]}\n')
    assert "request-principal" not in facts(met(spaces))


def test_deny_of_all_without_a_token() -> None:
    who = '{from: [{source: {notRequestPrincipals: ["*"]}}], to: [{operation: {paths: ["/a"]}}]}'
    deny = f"{{action: DENY, rules: [{who}]}}"
    text = LOGIN + policy(deny) + DEPLOYED
    assert facts(met(text, "/a"))["request-principal"] == ("*", line_of(text, "spec: {action: DENY"))
    assert "request-principal" not in facts(met(text, "/b"))
    narrowed = text.replace('"*"]}', '"*"], ipBlocks: [10.0.0.0/8]}')
    assert "request-principal" not in facts(met(narrowed, "/a"))


def test_nothing_is_allowed_only_where_no_policy_allows() -> None:
    nothing = policy("{}")
    alone = met(DEPLOYED + nothing)
    assert alone is not None
    assert [a.status for a in alone.answers] == [403]
    both = met(DEPLOYED + nothing + POLICY)
    assert both is not None
    assert both.answers == ()


@pytest.mark.parametrize(("namespace", "holds"), [("shop", True), ("istio-system", True), ("billing", False)])
def test_namespaces(namespace: str, holds: bool) -> None:
    route = met(DEPLOYED + policy("{}", namespace))
    assert route is not None
    assert bool(route.answers) is holds


def test_a_policy_of_a_gateway_is_not_of_the_workloads() -> None:
    route = met(DEPLOYED + policy("{targetRefs: [{kind: Gateway, name: edge}]}"))
    assert route is not None
    assert route.answers == ()


def test_of_several_issuers_that_of_the_token() -> None:
    text = LOGIN.replace("---\n", "  - issuer: https://two.test\n---\n") + DEPLOYED
    assert "issuer" not in facts(met(text))
    assert facts(met(text, iss="https://two.test"))["issuer"][0] == "https://two.test"


def test_workload_by_its_virtual_service() -> None:
    other = DEPLOYED.replace("orders", "stock").replace("front", "back")
    virtual = (
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v, namespace: shop}\n"
        "spec: {hosts: [shop.test], http: [{route: [{destination: {host: front}}]}]}\n---\n"
    )
    text = LOGIN + DEPLOYED + other
    assert met(text, host="shop.test") is None
    assert "issuer" in facts(met(text + virtual, host="shop.test"))
    assert facts(met(text + virtual, host="back.shop.svc")) == {}


@over(st.integers(0, len(LOGIN + POLICY)), st.text(max_size=60))
def test_reads_or_says_why_not(at: int, noise: str) -> None:
    text = LOGIN + POLICY
    tree = Tree([Document("mesh.yaml", text[:at] + noise + text[at + len(noise) :])])
    for root in istio.roots(tree):
        with suppress(Damaged):
            layer = istio.read(tree, root)
            layer.routes()
            list(layer.misfits())
            layer.meets(Request("GET", "http://orders/orders"))
