"""Traefik: which router takes a request, through which middlewares."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from tests.checks.code_cases import given, line_of
from why401.evidence import Fields, Request
from why401.layers import Document, toml_tree, traefik, traefik_match
from why401.layers.model import Damaged, Route
from why401.layers.tree import Tree

FILE = """entryPoints:
  web:
    address: ":8080"
  admin:
    address: ":9000"
http:
  routers:
    all:
      rule: Host(`shop.test`)
      service: shop
    api:
      rule: Host(`shop.test`) && PathPrefix(`/api`)
      entryPoints: [web]
      middlewares: [guarded]
      service: shop
      tls:
        options: mutual
  middlewares:
    guarded:
      chain:
        middlewares: [login, plain]
    login:
      basicAuth:
        realm: Shop
        removeHeader: true
        users:
          - alice:$apr1$Lz2gTFXa$GmN4ZvHvO7J1YW5tJh7aE1
    plain:
      headers:
        customRequestHeaders:
          X-API-Key: ""
  services:
    shop:
      loadBalancer:
        servers:
          - url: http://127.0.0.1:8000
tls:
  options:
    mutual:
      clientAuth:
        clientAuthType: RequireAndVerifyClientCert
"""
LABELS = """services:
  traefik:
    image: traefik:v3
    ports: ["80:8080"]
    command:
      - --entrypoints.web.address=:8080
  shop:
    image: shop
    labels:
      - traefik.http.routers.shop.rule=Path(`/a`)
      - traefik.http.routers.shop.middlewares=auth
      - traefik.http.middlewares.auth.forwardauth.address=http://login:4181
      - traefik.http.middlewares.auth.forwardauth.authRequestHeaders=Cookie,X-Key
      - traefik.http.services.shop.loadbalancer.server.port=8000
"""
KUBERNETES = """apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: shop, namespace: prod}
spec:
  entryPoints: [websecure]
  routes:
    - match: Host(`shop.test`)
      kind: Rule
      middlewares:
        - name: auth
      services:
        - name: shop
          port: 8000
  tls:
    options: {name: mutual}
---
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata: {name: auth, namespace: prod}
spec:
  basicAuth:
    secret: users
---
apiVersion: traefik.io/v1alpha1
kind: TLSOption
metadata: {name: mutual, namespace: prod}
spec:
  clientAuth:
    clientAuthType: RequireAnyClientCert
---
apiVersion: v1
kind: Secret
metadata: {name: users, namespace: prod}
stringData:
  users: |
    alice:$apr1$Lz2gTFXa$GmN4ZvHvO7J1YW5tJh7aE1
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: old
  namespace: prod
  annotations:
    traefik.ingress.kubernetes.io/router.middlewares: prod-auth@kubernetescrd
spec:
  rules:
    - host: old.test
      http:
        paths:
          - path: /x
            pathType: Exact
            backend: {service: {name: old, port: {number: 81}}}
"""


def read(**files: str) -> traefik.Traefik:
    layer = next(x for x in given(**files).layers if x.hop == "Traefik")
    assert isinstance(layer, traefik.Traefik)
    return layer


def met(layer: traefik.Traefik, url: str, method: str = "GET", **fields: str) -> Route | None:
    found = layer.meets(Request(method, url, Fields.of(fields.items())))
    return found[0] if found else None


def facts(route: Route | None) -> list[tuple[str, str, int | None]]:
    assert route is not None
    return [(d.respect, d.value, d.source.line) for d in route.demands]


def test_longest_rule_chain_and_places() -> None:
    layer = read(dynamic_dot_yml=FILE)
    api = met(layer, "http://shop.test:8080/api/x")
    assert api is not None
    assert api.name == "router api@file"
    assert api.source.line == line_of(FILE, "rule: Host(`shop.test`) && ")
    assert facts(api) == [
        ("scheme", "Basic", line_of(FILE, "basicAuth")),
        ("realm", "Shop", line_of(FILE, "realm")),
        ("certificate", "on", line_of(FILE, "clientAuthType")),
    ]
    assert [(c.what, c.name, c.source.line) for c in api.changes] == [
        ("drops", "Authorization", line_of(FILE, "removeHeader")),
        ("drops", "X-API-Key", line_of(FILE, "X-API-Key")),
    ]
    assert api.upstream == "http://127.0.0.1:8000"
    accounts = layer.accounts(api)
    assert accounts
    assert accounts[0].source.line == line_of(FILE, "- alice")


def test_entry_point_and_host_decide() -> None:
    layer = read(dynamic_dot_yml=FILE)
    admin = met(layer, "http://shop.test:9000/api/x")  # `api` is not on this entry point
    assert admin is not None
    assert (admin.name, admin.demands) == ("router all@file", ())
    assert met(layer, "http://other.test:8080/api") is None


def test_priority_goes_before_length() -> None:
    text = FILE.replace("rule: Host(`shop.test`)\n", "rule: Host(`shop.test`)\n      priority: 900\n")
    found = met(read(dynamic_dot_yml=text), "http://shop.test:8080/api")
    assert found is not None
    assert found.name == "router all@file"


def test_default_options_of_tls() -> None:
    text = (
        FILE.replace("options: mutual", "{}")
        .replace("        {}\n", "")
        .replace("      tls:\n", "      tls: {}\n")
    )
    assert "certificate" not in {
        r for r, _, _ in facts(met(read(a_dot_yml=text), "http://shop.test:8080/api"))
    }
    default = text.replace("    mutual:\n", "    default:\n")
    layer = read(a_dot_yml=default)
    assert "certificate" in {r for r, _, _ in facts(met(layer, "http://shop.test:8080/api"))}
    assert facts(met(layer, "http://shop.test:9000/")) == []  # not over TLS


def test_labels() -> None:
    layer = read(compose_dot_yml=LABELS)
    assert layer.listens == {"traefik:8080", "127.0.0.1:8080", "127.0.0.1:80"}
    found = met(layer, "http://127.0.0.1/a")
    fields = line_of(LABELS, "authRequestHeaders")
    assert facts(found) == [
        ("subrequest", "http://login:4181", line_of(LABELS, "forwardauth.address")),
        ("subrequest-field", "Cookie", fields),
        ("subrequest-field", "X-Key", fields),
    ]
    assert found is not None
    assert found.upstream == "http://shop:8000"
    assert met(layer, "http://127.0.0.1/ab") is None


def test_kubernetes_resources() -> None:
    layer = read(shop_dot_yaml=KUBERNETES)
    found = met(layer, "https://shop.test/")
    assert found is not None
    assert found.upstream == "http://shop:8000"
    assert facts(found)[0] == ("scheme", "Basic", line_of(KUBERNETES, "basicAuth"))
    assert facts(found)[-1] == ("certificate", "on", line_of(KUBERNETES, "clientAuthType"))
    accounts = layer.accounts(found)
    assert accounts
    assert [a.user for a in accounts] == ["alice"]
    ingress = met(layer, "http://old.test/x")
    assert ingress is not None
    assert ingress.upstream == "http://old:81"
    assert facts(ingress)[0] == ("scheme", "Basic", line_of(KUBERNETES, "basicAuth"))
    assert met(layer, "http://old.test/x/y") is None


@pytest.mark.parametrize(
    ("rule", "fits"),
    [
        ("Host(`shop.test`)", True),
        ("Host(`SHOP.test`) && !PathPrefix(`/api`)", False),
        ("(Path(`/a`) || Path(`/api/x`)) && Method(`POST`)", True),
        ("Path(`/api`)", False),
        ("PathRegexp(`^/api/[a-z]$`)", True),
        ("HostRegexp(`{name:.+}.test`)", True),
        ("Header(`X-A`, `1`)", True),
        ("Header(`X-A`, `2`)", False),
        ("Host(`${HOST}`)", None),
        ("ClientIP(`10.0.0.0/8`)", None),
        ("Host(`a`", None),
    ],
)
def test_rules(rule: str, fits: bool | None) -> None:
    request = Request("POST", "http://shop.test:8080/api/x?y=1", Fields.of([("X-A", "1")]))
    assert traefik_match.fits(rule, request) is fits


def test_a_template_is_called_so() -> None:
    text = "[http.routers.a]\n{{ range $i }}\n[http.routers.b]\n{{ end }}\n"
    evidence = given(dynamic_dot_toml=text)
    assert not evidence.layers
    assert "template" in evidence.unreadable[0].says


def test_files_are_read_once_however_many_routers(monkeypatch: pytest.MonkeyPatch) -> None:
    original, count = toml_tree.document, 0

    def counted(document: Document) -> object:
        nonlocal count
        count += 1
        return original(document)

    monkeypatch.setattr(toml_tree, "document", counted)
    texts = {
        f"f{n}_dot_toml": f'[http.routers.r{n}]\nrule = "Path(`/{n}`)"\n[http.routers.r{n}.tls]\noptions = "o"\n'
        for n in range(30)
    }
    assert len(read(**texts).routes()) == 30
    assert count <= 3 * len(texts) + 1


@over(st.text(max_size=300) | st.sampled_from([FILE, LABELS, KUBERNETES]).flatmap(
    lambda text: st.integers(0, len(text)).map(lambda at: text[:at] + "\n  - : [" + text[at:])
), st.sampled_from(["a.yml", "a.toml"]))  # fmt: skip
def test_reads_or_says_why_not(text: str, name: str) -> None:
    tree = Tree([Document(name, "http:\n  routers:\n" + text)])
    for root in traefik.roots(tree):
        with suppress(Damaged):
            layer = traefik.read(tree, root)
            layer.routes()
            layer.meets(Request("GET", "http://a/b"))
