"""Symfony: which firewall and which rule take a request."""

from __future__ import annotations

from hypothesis import given as over
from hypothesis import strategies as st

from tests.checks.code_cases import line_of
from why401 import layers
from why401.evidence import Fields, Request
from why401.layers import Document
from why401.layers.symfony import Symfony

SECURITY = """security:
    firewalls:
        dev:
            pattern: ^/(_profiler|_wdt)/
            security: false
        login:
            pattern: ^/api/login
            stateless: true
            json_login: { check_path: /api/login_check }
        api:
            pattern: ^/api
            stateless: true
            jwt: ~
        main:
            lazy: true
            form_login: { login_path: login }
    access_control:
        - { path: ^/api/login, roles: PUBLIC_ACCESS }
        - { path: ^/api, roles: IS_AUTHENTICATED_FULLY, methods: [POST] }
        - { path: ^/admin, roles: [ROLE_ADMIN, ROLE_OWNER] }
when@test:
    security:
        firewalls:
            main:
                http_basic: ~
"""


def project(**files: str) -> Symfony:
    documents = [Document(f"config/packages/{name}.yaml", text) for name, text in files.items()]
    (found,) = (layer for layer in layers.read(documents).layers if isinstance(layer, Symfony))
    return found


def asked(layer: Symfony, path: str, method: str = "GET") -> list[tuple[str, str]]:
    (route,) = layer.meets(Request(method, f"http://shop.test{path}", Fields()))
    return [(demand.respect, demand.value) for demand in route.demands]


def test_the_first_firewall_and_the_first_rule() -> None:
    layer = project(security=SECURITY)
    assert asked(layer, "/api/login_check", "POST") == [("firewall", "login")]
    assert asked(layer, "/api/orders", "POST") == [
        ("firewall", "api"), ("role", "IS_AUTHENTICATED_FULLY"), ("scheme", "Bearer")
    ]  # fmt: skip
    assert asked(layer, "/api/orders") == [("firewall", "api")]
    assert asked(layer, "/_profiler/x") == [("firewall", "dev")]
    assert asked(layer, "/admin/users") == [
        ("firewall", "main"), ("role", "ROLE_ADMIN ROLE_OWNER"), ("scheme", "Basic"), ("cookie", "PHPSESSID")
    ]  # fmt: skip


def test_lines() -> None:
    (route,) = project(security=SECURITY).meets(Request("POST", "http://shop.test/api/x", Fields()))
    assert route.source.line == line_of(SECURITY, "        api:")
    assert route.demands[1].source.line == line_of(SECURITY, "- { path: ^/api, ")


def test_settings_of_other_files() -> None:
    header = "authorization_header: { name: X-Token, prefix: JWT }"
    jwt = f"lexik_jwt_authentication:\n    token_extractors:\n        {header}\n"
    layer = project(security=SECURITY, jwt=jwt)
    assert (layer.header[0], layer.prefix) == ("X-Token", "JWT")


_LINES = st.sampled_from(
    ["security:", "    firewalls:", "        a:", "            pattern: ^/(", "            jwt: ~",
     "            security: no",
     "    access_control:", "        - { path: ^/, roles: R }", "        - 7", 
     "        - { path: [x], roles: { a: b } }",
     "when@x: &a", "<<: *a", "    firewalls: []", "\t", "            methods: GET", "- x"]
)  # fmt: skip


@over(st.lists(_LINES, max_size=14))
def test_nothing_breaks_it(lines: list[str]) -> None:
    text = "\n".join(["security:", "    firewalls:", *lines])
    for layer in layers.read([Document("config/packages/security.yaml", text)]).layers:
        layer.routes()
        layer.meets(Request("GET", "http://shop.test/api/a", Fields()))
