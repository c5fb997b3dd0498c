"""Envoy: which route takes a request, and what the filters before it demand there."""

from __future__ import annotations

import base64
import json
from contextlib import suppress

import pytest
import yaml
from hypothesis import given as over
from hypothesis import strategies as st

from tests.checks.code_cases import given, line_of
from why401.evidence import Fields, Request
from why401.layers import Document, envoy
from why401.layers.model import Damaged, Route
from why401.layers.tree import Tree

JWT = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3."
CONFIG = f"""static_resources:
  listeners:
  - address:
      socket_address: {{ address: 0.0.0.0, port_value: 10000 }}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          http_filters:
          - name: jwt
            typed_config:
              "@type": {JWT}JwtAuthentication
              providers:
                own:
                  issuer: https://issuer.test
                  audiences: [shop]
                  remote_jwks:
                    http_uri: {{ uri: "https://issuer.test/keys", cluster: issuer, timeout: 1s }}
                other:
                  issuer: https://other.test
                  forward: true
                  local_jwks: {{ inline_string: "{{}}" }}
              requirement_map:
                either:
                  requires_any:
                    requirements:
                    - provider_name: own
                    - provider_and_audiences: {{ provider_name: other, audiences: [mobile] }}
              rules:
              - match: {{ prefix: /health }}
              - match: {{ prefix: /api }}
                requires: {{ provider_name: own }}
              - match: {{ path: /maybe }}
                requires:
                  requires_any:
                    requirements:
                    - provider_name: own
                    - allow_missing: {{}}
              - match: {{ path_separated_prefix: /any }}
                requirement_name: either
          - name: basic
            disabled: true
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.basic_auth.v3.BasicAuth
          route_config:
            virtual_hosts:
            - name: long
              domains: ["*.eu.shop.test"]
              request_headers_to_remove: [x-api-key]
              routes:
              - match: {{ prefix: / }}
                route: {{ cluster: app }}
            - name: shop
              domains: ["*.shop.test", shop.test]
              routes:
              - match: {{ prefix: /api/open }}
                route: {{ cluster: app }}
                typed_per_filter_config:
                  jwt: {{ "@type": {JWT}PerRouteConfig, disabled: true }}
              - match: {{ prefix: /named }}
                route: {{ cluster: app }}
                typed_per_filter_config:
                  jwt: {{ "@type": {JWT}PerRouteConfig, requirement_name: either }}
              - match: {{ prefix: / }}
                route: {{ cluster: app }}
  clusters:
  - name: app
    load_assignment:
      endpoints:
      - lb_endpoints:
        - endpoint: {{ address: {{ socket_address: {{ address: 127.0.0.1, port_value: 8000 }} }} }}
"""


def token(issuer: str) -> str:
    parts = ({"alg": "RS256"}, {"iss": issuer})
    held = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return f"Bearer {held[0]}.{held[1]}.c2ln"


def read(text: str = CONFIG, name: str = "envoy_dot_yaml") -> envoy.Envoy:
    (layer,) = given(**{name: text}).layers
    assert isinstance(layer, envoy.Envoy)
    return layer


def met(path: str, host: str = "shop.test", issuer: str = "", layer: envoy.Envoy | None = None) -> Route:
    fields = Fields.of([("Authorization", token(issuer))] if issuer else [])
    (route,) = (layer or read()).meets(Request("GET", f"http://{host}:10000{path}", fields))
    return route


def facts(route: Route) -> dict[str, tuple[str, int | None]]:
    return {d.respect: (d.value, d.source.line) for d in route.demands}


def test_first_rule_and_its_provider() -> None:
    route = met("/api/orders")
    assert facts(route) == {
        "scheme": ("Bearer", line_of(CONFIG, "requires: { provider_name: own }")),
        "issuer": ("https://issuer.test", line_of(CONFIG, "issuer: https://issuer")),
        "audience": ("shop", line_of(CONFIG, "audiences: [shop]")),
        "keys": ("https://issuer.test/keys", line_of(CONFIG, "http_uri")),
    }
    assert [(c.what, c.name) for c in route.changes] == [("drops", "Authorization")]
    assert (route.upstream, read().listens) == ("http://127.0.0.1:8000", {"127.0.0.1:10000"})


@pytest.mark.parametrize("path", ["/health", "/else", "/api/open/x", "/anything"])
def test_places_without_a_requirement(path: str) -> None:
    assert met(path).demands == ()  # also the filter that is disabled says nothing


def test_missing_token_is_let_in_where_that_is_allowed() -> None:
    assert set(facts(met("/maybe"))) == {"issuer", "audience", "keys"}


@pytest.mark.parametrize("path", ["/any", "/any/x", "/named"])
def test_of_several_providers_that_of_the_tokens_issuer(path: str) -> None:
    assert set(facts(met(path))) == {"scheme"}
    route = met(path, issuer="https://other.test")
    assert facts(route)["audience"] == ("mobile", line_of(CONFIG, "provider_and_audiences"))
    assert route.changes == ()  # forward: true


def test_longest_domain_first() -> None:
    route = met("/", "a.eu.shop.test")
    assert [(c.what, c.name, c.source.line) for c in route.changes] == [
        ("drops", "x-api-key", line_of(CONFIG, "request_headers_to_remove"))
    ]
    text = CONFIG.replace('"*.eu.shop.test"', '"*"')
    assert met("/", "a.eu.shop.test", layer=read(text)).changes == ()


def test_token_in_a_field_of_its_own() -> None:
    text = CONFIG.replace("audiences: [shop]", "from_headers: [{ name: x-jwt }]")
    assert [c.name for c in met("/api", layer=read(text)).changes] == ["x-jwt"]


def camel(value: object) -> object:
    if isinstance(value, dict):
        return {camel(k) if not k.startswith("@") else k: camel(v) for k, v in value.items()}
    if isinstance(value, list):
        return [camel(item) for item in value]
    if isinstance(value, str) and "_" in value and "/" not in value:
        head, *rest = value.split("_")
        return head + "".join(word.capitalize() for word in rest)
    return value


@pytest.mark.parametrize("indent", [None, 1])
def test_as_json_with_camel_case(indent: int | None) -> None:
    text = json.dumps(camel(yaml.safe_load(CONFIG)), indent=indent)
    route = met("/api/x", layer=read(text, "envoy_dot_json"))
    assert {k: v for k, (v, _) in facts(route).items()} == {
        k: v for k, (v, _) in facts(met("/api/x")).items()
    }


def test_ext_authz_and_basic_auth() -> None:
    text = CONFIG.replace("disabled: true\n            typed", "typed").replace(
        "v3.BasicAuth\n",
        "v3.BasicAuth\n              users:\n                inline_string: |-\n                  alice:{SHA}t0DSdg==\n"
        '          - name: ext\n            typed_config:\n              "@type": x/y.ExtAuthz\n'
        "              http_service:\n                server_uri: { uri: http://login:9000 }\n"
        "                authorization_request: { allowed_headers: { patterns: [{ exact: cookie }] } }\n",
    )
    layer = read(text)
    route = met("/", layer=layer)
    assert facts(route)["subrequest"] == ("http://login:9000", line_of(text, "server_uri"))
    assert [d.value for d in route.all("subrequest-field")] == ["Authorization", "cookie"]
    accounts = layer.accounts(route)
    assert accounts
    assert (accounts[0].user, accounts[0].source.line) == ("alice", line_of(text, "alice:"))


@over(st.integers(0, len(CONFIG)), st.text(max_size=60))
def test_reads_or_says_why_not(at: int, noise: str) -> None:
    tree = Tree([Document("envoy.yaml", CONFIG[:at] + noise + CONFIG[at + len(noise) :])])
    for root in envoy.roots(tree):
        with suppress(Damaged):
            layer = envoy.read(tree, root)
            layer.routes()
            layer.meets(Request("GET", "http://shop.test/api"))
