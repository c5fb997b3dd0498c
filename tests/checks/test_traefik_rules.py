"""Rules on Traefik: each with a fault that it names by line, and a sound near-miss."""

from __future__ import annotations

from tests.checks.code_cases import asked, given, line_of, linted
from why401.diffs import edited

HASH = "$apr1$Lz2gTFXa$GmN4ZvHvO7J1YW5tJh7aE1"
BASIC = "Basic YWxpY2U6d3Jvbmc="

LABELS = f"""services:
  shop:
    image: shop
    labels:
      - traefik.enable=true
      - traefik.http.routers.shop.rule=PathPrefix(`/`)
      - traefik.http.routers.shop.middlewares=auth
      - traefik.http.middlewares.auth.basicauth.users=alice:{HASH.replace("$", "$$")}
"""
FILE = f"""http:
  routers:
    shop:
      rule: PathPrefix(`/`)
      middlewares: [auth]
      service: shop
  middlewares:
    auth:
      basicAuth:
        users:
          - alice:{HASH}
  services:
    shop:
      loadBalancer:
        servers:
          - url: http://127.0.0.1:8000
"""


def test_hash_eaten_by_compose() -> None:
    fault = LABELS.replace("$$", "$")
    found = linted(compose_dot_yml=fault)["traefik-hash-eaten-by-compose"]
    assert found.where.line == line_of(fault, "basicauth.users")
    assert edited(found.edits[0].document, found.edits) == LABELS
    assert linted(compose_dot_yml=LABELS) == {}


def test_hash_doubled_in_a_file() -> None:
    fault = FILE.replace(HASH, HASH.replace("$", "$$"))
    found = linted(dynamic_dot_yml=fault)["traefik-hash-doubled"]
    assert found.where.line == line_of(fault, "- alice")
    assert edited(found.edits[0].document, found.edits) == FILE
    assert linted(dynamic_dot_yml=FILE) == {}


def test_middleware_of_another_provider() -> None:
    routed = "\n".join(line for line in LABELS.splitlines() if "basicauth" not in line) + "\n"
    found = linted(compose_dot_yml=routed, dynamic_dot_yml=FILE)["traefik-middleware-of-another-provider"]
    assert found.where.line == line_of(routed, "middlewares=auth")
    sound = edited(found.edits[0].document, found.edits)
    assert "middlewares=auth@file" in sound
    assert linted(compose_dot_yml=sound, dynamic_dot_yml=FILE) == {}
    assert linted(compose_dot_yml=routed) == {}  # it may stand in a file that is not at hand


def test_middleware_of_an_ingress_without_its_provider() -> None:
    text = """apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations:
    traefik.ingress.kubernetes.io/router.middlewares: {}
spec:
  rules:
    - http: {{paths: [{{path: /, backend: {{service: {{name: shop, port: {{number: 80}}}}}}}}]}}
---
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata:
  name: auth
spec:
  basicAuth: {{realm: Shop, secret: users}}
"""
    found = linted(a_dot_yaml=text.format("default-auth"))["traefik-middleware-of-another-provider"]
    assert found.where.line == line_of(text, "router.middlewares")
    mended = edited(found.edits[0].document, found.edits)
    assert mended == text.format("default-auth@kubernetescrd")
    assert linted(a_dot_yaml=mended) == {}


def test_switch_misspelt() -> None:
    fault = LABELS.replace("traefik.enable=", "traefik.enabled=")
    found = linted(compose_dot_yml=fault)["traefik-switch-misspelt"]
    assert found.where.line == line_of(fault, "traefik.enabled")
    assert edited(found.edits[0].document, found.edits) == LABELS
    other = fault.replace("traefik.enabled", "shop.enabled")
    assert linted(compose_dot_yml=other) == {}


def test_password_taken_away() -> None:
    nginx = (
        "server {\n listen 8000;\n location / {\n auth_basic Shop;\n auth_basic_user_file /etc/u;\n"
        " proxy_pass http://127.0.0.1:9;\n }\n}\n"
    )
    fault = FILE.replace("        users:", "        removeHeader: true\n        users:")
    found = asked(given(dynamic_dot_yml=fault, nginx_dot_conf=nginx), "/", Authorization=BASIC)
    assert found["traefik-removes-password"].where.line == line_of(fault, "removeHeader")
    kept = asked(given(dynamic_dot_yml=FILE, nginx_dot_conf=nginx), "/", Authorization=BASIC)
    assert "traefik-removes-password" not in kept
    alone = asked(given(dynamic_dot_yml=fault), "/", Authorization=BASIC)
    assert "traefik-removes-password" not in alone


def test_login_service_gets_too_few_fields() -> None:
    text = FILE.replace(
        f"      basicAuth:\n        users:\n          - alice:{HASH}\n",
        "      forwardAuth:\n        address: http://login:4181\n        authRequestHeaders:\n          - Cookie\n",
    )
    found = asked(given(dynamic_dot_yml=text), "/", Authorization="Bearer abcdefgh")[
        "login-service-without-field"
    ]
    assert found.where.line == line_of(text, "authRequestHeaders")
    mended = edited(found.edits[0].document, found.edits)
    assert "          - Authorization\n" in mended
    sound = asked(given(dynamic_dot_yml=mended), "/", Authorization="Bearer abcdefgh")
    assert "login-service-without-field" not in sound
    assert sound["login-service-decides"].where.line == line_of(mended, "address:")
    every = text.replace("        authRequestHeaders:\n          - Cookie\n", "")  # then all are handed on
    assert "login-service-without-field" not in asked(given(dynamic_dot_yml=every), "/", Authorization=BASIC)
