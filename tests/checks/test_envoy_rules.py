"""Rules on Envoy and Istio: each with a fault that it names by line, and a sound near-miss."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

from tests.checks.code_cases import asked, given, line_of, linted
from tests.layers.test_envoy import CONFIG
from tests.layers.test_istio import DEPLOYED, LOGIN, POLICY
from why401.diffs import edited

ISSUER = """  - name: issuer
    load_assignment:
      endpoints:
      - lb_endpoints:
        - endpoint: { address: { socket_address: { address: issuer.test, port_value: 443 } } }
"""
TLS = "    transport_socket: { name: tls }\n"
SOUND = CONFIG + ISSUER + TLS


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def token(key: bytes, **claims: str) -> str:
    head = {"alg": "HS256", "kid": "one"}
    signed = f"{encoded(json.dumps(head).encode())}.{encoded(json.dumps(claims).encode())}"
    return f"Bearer {signed}.{encoded(hmac.digest(key, signed.encode(), hashlib.sha256))}"


def test_provider_not_there() -> None:
    fault = SOUND.replace("requires: { provider_name: own }", "requires: { provider_name: ownn }")
    found = linted(envoy_dot_yaml=fault)["envoy-provider-not-there"]
    assert found.where.line == line_of(fault, "ownn")
    assert edited(found.edits[0].document, found.edits) == SOUND
    assert linted(envoy_dot_yaml=SOUND) == {}


def test_keys_out_of_reach() -> None:
    plain = CONFIG + ISSUER
    found = linted(envoy_dot_yaml=plain)["envoy-keys-out-of-reach"]
    assert found.where.line == line_of(plain, "- name: issuer")
    nowhere = linted(envoy_dot_yaml=CONFIG)["envoy-keys-out-of-reach"]
    assert nowhere.where.line == line_of(CONFIG, "cluster: issuer")
    served = CONFIG + "dynamic_resources:\n  cds_config: {ads: {}}\n"  # clusters come from elsewhere
    assert linted(envoy_dot_yaml=served) == {}
    other_port = (CONFIG + ISSUER).replace("port_value: 443", "port_value: 8443")  # TLS may begin behind it
    assert linted(envoy_dot_yaml=other_port) == {}


def test_token_against_inline_keys() -> None:
    key = b"0123456789abcdef0123456789abcdef"
    keys = json.dumps({"keys": [{"kty": "oct", "kid": "one", "alg": "HS256", "k": encoded(key)}]})
    text = SOUND.replace('inline_string: "{}"', f"inline_string: '{keys}'")
    evidence = given(envoy_dot_yaml=text)
    claims = {"iss": "https://other.test", "aud": "mobile"}
    wrong = asked(evidence, "/any", Host="shop.test", Authorization=token(b"x" * 32, **claims))
    found = wrong["token-against-inline-keys"]
    assert (found.proves, found.where.line) == ("bad-signature", line_of(text, "inline_string"))
    right = asked(evidence, "/any", Host="shop.test", Authorization=token(key, **claims))
    assert "token-against-inline-keys" not in right


def test_policy_without_login() -> None:
    fault = POLICY + DEPLOYED
    found = asked(given(mesh_dot_yaml=fault), "/orders/1", status=403, Host="front")
    assert found["istio-policy-without-login"].where.line == line_of(fault, "requestPrincipals")
    other = LOGIN.replace("app: orders", "app: order") + fault
    assert "istio-policy-without-login" in asked(
        given(mesh_dot_yaml=other), "/orders/1", status=403, Host="front"
    )
    sound = given(mesh_dot_yaml=LOGIN + fault)
    assert "istio-policy-without-login" not in asked(sound, "/orders/1", status=403, Host="front")
    open_path = asked(given(mesh_dot_yaml=fault), "/health", status=403, Host="front")
    assert "istio-policy-without-login" not in open_path


def test_two_issuers_read_the_token_all_the_same() -> None:
    two = LOGIN.replace("---\n", "  - issuer: https://two.test\n---\n") + POLICY + DEPLOYED
    found = asked(given(mesh_dot_yaml=two), "/orders/1", status=403, Host="front")
    assert "istio-policy-without-login" not in found


def test_principal_not_let_in() -> None:
    text = LOGIN + POLICY.replace("issuer.test/*", "issuer.test/alice") + DEPLOYED
    evidence = given(mesh_dot_yaml=text)
    bob = token(b"k", iss="https://issuer.test", sub="bob")
    found = asked(evidence, "/orders/1", status=403, Host="front", Authorization=bob)[
        "istio-principal-not-let-in"
    ]
    assert found.where.line == line_of(text, "requestPrincipals")
    alice = token(b"k", iss="https://issuer.test", sub="alice")
    sound = asked(evidence, "/orders/1", status=403, Host="front", Authorization=alice)
    assert "istio-principal-not-let-in" not in sound


def test_principals_of_no_issuer() -> None:
    fault = LOGIN + POLICY.replace("https://issuer.test/*", "https://issuer.example/*") + DEPLOYED
    found = linted(mesh_dot_yaml=fault)["istio-principals-of-no-issuer"]
    assert found.where.line == line_of(fault, "requestPrincipals")
    assert edited(found.edits[0].document, found.edits) == LOGIN + POLICY + DEPLOYED
    assert linted(mesh_dot_yaml=LOGIN + POLICY + DEPLOYED) == {}
    everyone = fault.replace("https://issuer.example/*", "*")
    assert linted(mesh_dot_yaml=everyone) == {}
    second = LOGIN.replace("https://issuer.test", "https://issuer.example").replace(
        "app: orders", "version: v2"
    )
    assert linted(mesh_dot_yaml=fault + second) == {}  # another selector may fit the same pods


def test_ext_authz_gets_too_few_fields() -> None:
    text = SOUND.replace(
        "          - name: basic\n",
        '          - name: ext\n            typed_config:\n              "@type": x/y.ExtAuthz\n'
        "              http_service: { server_uri: { uri: http://login:9000 } }\n          - name: basic\n",
    )
    found = asked(given(envoy_dot_yaml=text), "/", Host="shop.test", Cookie="sid=1")
    assert found["login-service-without-field"].where.line == line_of(text, "http_service")
    passed = text.replace(
        "9000 } }", "9000 } }\n              allowed_headers: { patterns: [{ exact: cookie }] }"
    )
    sound = asked(given(envoy_dot_yaml=passed), "/", Host="shop.test", Cookie="sid=1")
    assert "login-service-without-field" not in sound
