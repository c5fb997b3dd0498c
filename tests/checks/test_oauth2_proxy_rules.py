"""Rules on OAuth2 Proxy: each with a fault that it names by line, and a sound near-miss."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from tests.checks.code_cases import asked, given, line_of, linted
from why401.diffs import edited
from why401.evidence import Request
from why401.layers import Document, oauth2_proxy
from why401.layers.model import Damaged
from why401.layers.tree import Tree

CONFIG = """http_address = "0.0.0.0:4180"
cookie_secret = "0123456789abcdef0123456789abcdef"
client_id = "shop"
oidc_issuer_url = "https://issuer.test"
email_domains = ["*"]
upstreams = ["http://127.0.0.1:8000/"]
skip_auth_routes = ["GET=^/public", "POST!=^/form"]
"""
TOKEN = "Bearer aaaaaaaa.bbbbbbbb.cccccccc"


@pytest.mark.parametrize(
    ("secret", "length"),
    [
        ("0123456789abcdef", 16),
        ("YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY=", 32),
        ("-_-_ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY", 32),
        ("+/+/ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY=", 44),  # only the URL alphabet is decoded
        ("short", 5),
    ],
)
def test_secret_counts_as_the_program_counts(secret: str, length: int) -> None:
    assert oauth2_proxy.secret_length(secret) == length


def test_cookie_secret_length() -> None:
    fault = CONFIG.replace("0123456789abcdef0123", "0123456789abcdef")
    found = linted(oauth2_dot_cfg=fault)["oauth2-proxy-cookie-secret-length"]
    assert found.where.line == line_of(fault, "cookie_secret")
    assert linted(oauth2_dot_cfg=CONFIG) == {}
    assert linted(oauth2_dot_cfg=CONFIG.replace("0123456789abcdef0123", "CHANGE-ME")) == {}


def test_secure_cookie_over_http() -> None:
    fault = CONFIG + 'redirect_url = "http://shop.test/oauth2/callback"\n'
    found = linted(oauth2_dot_cfg=fault)["oauth2-proxy-secure-cookie-over-http"]
    assert found.where.line == line_of(fault, "redirect_url")
    assert linted(oauth2_dot_cfg=fault + "cookie_secure = false\n") == {}
    assert linted(oauth2_dot_cfg=fault.replace("shop.test", "localhost:4180")) == {}
    assert linted(oauth2_dot_cfg=fault.replace("http://shop", "https://shop")) == {}


def test_token_not_read() -> None:
    found = asked(given(oauth2_dot_cfg=CONFIG), "/orders", Authorization=TOKEN)["oauth2-proxy-token-not-read"]
    mended = edited(found.edits[0].document, found.edits)
    sound = given(oauth2_dot_cfg=mended)
    assert "oauth2-proxy-token-not-read" not in asked(sound, "/orders", Authorization=TOKEN)
    off = CONFIG + "skip_jwt_bearer_tokens = false\n"
    placed = asked(given(oauth2_dot_cfg=off), "/orders", Authorization=TOKEN)["oauth2-proxy-token-not-read"]
    assert placed.where.line == line_of(off, "skip_jwt")
    skipped = asked(given(oauth2_dot_cfg=CONFIG), "/public/x", Authorization=TOKEN)
    assert "oauth2-proxy-token-not-read" not in skipped


def test_token_not_handed_on() -> None:
    envoy = (
        "static_resources:\n  listeners:\n  - address: {socket_address: {port_value: 8000}}\n    filter_chains:\n"
        '    - filters: [{typed_config: {"@type": x, http_filters: [{typed_config: {"@type": x.JwtAuthentication, '
        "providers: {p: {issuer: i}}, rules: [{match: {prefix: /}, requires: {provider_name: p}}]}}], "
        'route_config: {virtual_hosts: [{domains: ["*"], routes: [{match: {prefix: /}}]}]}}}]\n'
    )
    session = {"Cookie": "_oauth2_proxy=abcdef"}
    text = CONFIG + "pass_authorization_header = false\n"
    found = asked(given(oauth2_dot_cfg=text, envoy_dot_yaml=envoy), "/orders", **session)
    assert found["oauth2-proxy-token-not-handed-on"].where.line == line_of(text, "pass_authorization")
    sound = given(oauth2_dot_cfg=text.replace("header = false", "header = true"), envoy_dot_yaml=envoy)
    assert "oauth2-proxy-token-not-handed-on" not in asked(sound, "/orders", **session)


@pytest.mark.parametrize(
    ("method", "path", "asks"),
    [("GET", "/public", False), ("POST", "/public", False), ("POST", "/form", True), ("GET", "/x", True)],
)
def test_routes_that_are_skipped(method: str, path: str, asks: bool) -> None:
    (layer,) = given(oauth2_dot_cfg=CONFIG).layers
    (route,) = layer.meets(Request(method, f"http://shop.test{path}"))
    assert bool(route.demands) is asks
    assert route.upstream == "http://127.0.0.1:8000/"


def test_arguments_win_over_the_environment() -> None:
    text = """services:
  login:
    image: quay.io/oauth2-proxy/oauth2-proxy:v7
    environment:
      OAUTH2_PROXY_COOKIE_NAME: env
      OAUTH2_PROXY_SKIP_JWT_BEARER_TOKENS: "true"
    command: ["--cookie-name=argument", "--http-address=0.0.0.0:4181"]
"""
    (layer,) = given(compose_dot_yml=text).layers
    (route,) = layer.routes()
    assert [(d.respect, d.value, d.source.line) for d in route.demands] == [
        ("cookie", "argument", line_of(text, "command")),
        ("bearer", "on", line_of(text, "SKIP_JWT")),
    ]
    assert "login:4181" in layer.listens


@over(st.integers(0, len(CONFIG)), st.text(max_size=40))
def test_reads_or_says_why_not(at: int, noise: str) -> None:
    tree = Tree([Document("oauth2.cfg", CONFIG[:at] + noise + CONFIG[at:])])
    for root in oauth2_proxy.roots(tree):
        with suppress(Damaged):
            layer = oauth2_proxy.read(tree, root)
            layer.routes()
            layer.meets(Request("GET", "http://a/b"))
