"""Rules on Kong: each with a fault that it names by line, and a sound near-miss."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from contextlib import suppress

from hypothesis import given as over
from hypothesis import strategies as st

from tests.checks.code_cases import asked, given, line_of, linted
from why401.evidence import Request
from why401.findings import Finding
from why401.layers import Document, kong
from why401.layers.model import Damaged
from why401.layers.tree import Tree

SECRET = "0123456789abcdef0123456789abcdef"
CONFIG = f"""_format_version: "3.0"
services:
- name: shop
  url: http://127.0.0.1:9000
  routes:
  - name: keys
    paths: [/keys]
    plugins:
    - name: key-auth
      config:
        key_names: [x-key]
    - name: acl
      config:
        allow: [staff]
  - name: tokens
    paths: [/tokens]
    plugins:
    - name: jwt
      config:
        key_claim_name: iss
  - name: both
    paths: [/both]
    plugins:
    - name: basic-auth
    - name: key-auth
consumers:
- username: alice
  keyauth_credentials:
  - key: alice-key
  jwt_secrets:
  - key: issuer
    secret: {SECRET}
  acls:
  - group: staff
- username: bob
  keyauth_credentials:
  - key: bob-key
"""


def token(key: bytes = SECRET.encode(), alg: str = "HS256", **claims: str) -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in ({"alg": alg}, claims)
    ]
    signed = ".".join(parts)
    held = base64.urlsafe_b64encode(hmac.digest(key, signed.encode(), hashlib.sha256)).decode().rstrip("=")
    return f"Bearer {signed}.{held}"


def found(path: str, text: str = CONFIG, status: int = 401, **fields: str) -> dict[str, Finding]:
    held = asked(given(kong_dot_yml=text), path, "GET", status, **fields)
    return {id: finding for id, finding in held.items() if id.startswith("kong-")}


def line(held: dict[str, Finding], id: str) -> int | None:
    return held[id].where.line


def test_keys() -> None:
    assert line(found("/keys", X_Key="other"), "kong-key-unknown") == line_of(CONFIG, "- key: alice-key")
    assert line(found("/keys", apikey="alice-key"), "kong-key-elsewhere") == line_of(CONFIG, "key_names")
    assert line(found("/keys"), "kong-key-missing") == line_of(CONFIG, "key_names")
    assert found("/keys", X_Key="alice-key") == {}
    assert found("/keys?x-key=alice-key") == {}
    body = CONFIG.replace("[x-key]", "[x-key]\n        key_in_body: true")
    assert found("/keys", body) == {}


def test_groups() -> None:
    held = found("/keys", status=403, X_Key="bob-key")
    assert line(held, "kong-group-missing") == line_of(CONFIG, "allow:")
    assert found("/keys", status=403, X_Key="alice-key") == {}


def test_tokens() -> None:
    assert line(found("/tokens", Authorization=token(sub="a")), "kong-claim-missing") == line_of(
        CONFIG, "key_claim"
    )
    unknown = found("/tokens", Authorization=token(iss="other"))
    assert line(unknown, "kong-no-credential") == line_of(CONFIG, "- key: issuer")
    algorithm = found("/tokens", Authorization=token(alg="HS384", iss="issuer"))
    assert line(algorithm, "kong-algorithm") == line_of(CONFIG, "- key: issuer")
    forged = found("/tokens", Authorization=token(b"x" * 32, iss="issuer"))
    assert line(forged, "kong-signature") == line_of(CONFIG, "secret:")
    assert set(found("/tokens", Authorization=token(iss="issuer"))) == {"kong-signature-fits"}


def test_secret_decoded() -> None:
    text = CONFIG.replace("key_claim_name: iss", "secret_is_base64: true")
    held = found("/tokens", text, Authorization=token(iss="issuer"))
    assert line(held, "kong-secret-base64") == line_of(text, "secret_is_base64")
    right = token(base64.b64decode(SECRET), iss="issuer")
    assert set(found("/tokens", text, Authorization=right)) == {"kong-signature-fits"}


def test_several_logins() -> None:
    held = found("/both", apikey="alice-key")
    second = CONFIG[CONFIG.index("name: both") :]
    shift = CONFIG[: CONFIG.index("name: both")].count("\n")
    assert line(held, "kong-several-logins") == shift + line_of(second, "- name: key-auth")
    either = CONFIG.replace("- name: basic-auth", "- name: basic-auth\n      config: {anonymous: guest}")
    assert "kong-several-logins" not in found("/both", either, apikey="alice-key")


def test_anonymous_not_there() -> None:
    text = CONFIG.replace("key_claim_name: iss", "anonymous: guest")
    held = linted(kong_dot_yml=text)
    assert line(held, "kong-anonymous-not-there") == line_of(text, "anonymous: guest")
    assert linted(kong_dot_yml=text.replace("anonymous: guest", "anonymous: bob")) == {}
    assert linted(kong_dot_yml=CONFIG) == {}


def test_narrowest_plugin_counts() -> None:
    everywhere = CONFIG + "plugins:\n- name: key-auth\n  config: {key_names: [z-key]}\n"
    (layer,) = given(kong_dot_yml=everywhere).layers
    (own,) = layer.meets(Request("GET", "http://a:8000/keys/1"))
    (other,) = layer.meets(Request("GET", "http://a:8000/tokens"))
    assert [d.value for d in own.all("key-name")] == ["x-key"]
    assert [d.value for d in other.all("key-name")] == ["z-key"]
    assert layer.meets(Request("GET", "http://a:8000/none")) == ()


@over(st.integers(0, len(CONFIG)), st.text(max_size=40))
def test_reads_or_says_why_not(at: int, noise: str) -> None:
    tree = Tree([Document("kong.yml", CONFIG[:at] + noise + CONFIG[at:])])
    for root in kong.roots(tree):
        with suppress(Damaged):
            layer = kong.read(tree, root)
            layer.routes()
            layer.meets(Request("GET", "http://a/keys"))
