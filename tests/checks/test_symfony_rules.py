"""Rules on Symfony: each with a fault that it names by line, and a sound near-miss."""

from __future__ import annotations

import base64
import json

import pytest

from tests.checks.code_cases import asked, given, line_of, linted
from why401.diffs import edited
from why401.findings import Finding

TOP = "security:\n    firewalls:\n{}    access_control:\n{}"
API = "        api:\n            pattern: ^/api\n            stateless: true\n            jwt: ~\n"
MAIN = "        main:\n            pattern: ^/\n            form_login: ~\n"
ADMIN = "        - { path: ^/admin, roles: ROLE_ADMIN }\n"
CLOSED = "        - { path: ^/api, roles: IS_AUTHENTICATED_FULLY }\n"
OPEN = "        - { path: ^/api/login, roles: PUBLIC_ACCESS }\n"


def security(text: str, **more: str) -> dict[str, Finding]:
    return linted(config__packages__security_dot_yaml=text, **more)


def refused(text: str, jwt: str = "", path: str = "/api/orders", **fields: str) -> dict[str, Finding]:
    more = {"config__packages__lexik_dot_yaml": jwt} if jwt else {}
    return asked(given(config__packages__security_dot_yaml=text, **more), path, **fields)


def token(**claims: str) -> str:
    head, body = (
        base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=")
        for p in ({"alg": "RS256"}, claims)
    )
    return f"Bearer {head}.{body}.c2ln"


def test_firewall_below_one_that_takes_all() -> None:
    fault = TOP.format(MAIN + API, ADMIN)
    found = security(fault)["symfony-firewall-never-reached"]
    assert found.where.line == line_of(fault, "        api:")
    mended = edited(found.edits[0].document, found.edits)
    assert mended == TOP.format(API + MAIN, ADMIN)
    assert security(mended) == {}


def test_opened_below_what_closes_it() -> None:
    fault = TOP.format(API + MAIN, CLOSED + OPEN)
    found = security(fault)["symfony-public-rule-never-reached"]
    assert (found.where.line, found.opens) == (line_of(fault, "- { path: ^/api, "), "/api/login")
    mended = edited(found.edits[0].document, found.edits)
    assert mended == TOP.format(API + MAIN, OPEN + CLOSED)
    assert security(mended) == {}
    by_method = CLOSED.replace(" }", ", methods: [POST] }")
    assert security(TOP.format(API + MAIN, by_method + OPEN)) == {}


def test_firewall_by_which_nobody_logs_in() -> None:
    fault = TOP.format(API.replace("            jwt: ~\n", ""), CLOSED)
    assert security(fault)["symfony-nobody-logs-in"].where.line == line_of(fault, "        api:")
    assert security(TOP.format(API, CLOSED)) == {}
    added = (
        "when@prod:\n    security:\n        firewalls:\n            api:\n                access_token: ~\n"
    )
    assert security(fault + added) == {}
    assert security(fault.replace("stateless: true", "some_bundle: true")) == {}


def test_firewall_that_is_off() -> None:
    text = TOP.format(API.replace("jwt: ~", "security: false"), ADMIN)
    found = refused(text, Authorization=token(username="alice"))["symfony-firewall-off"]
    assert found.where.line == line_of(text, "security: false")
    assert "symfony-firewall-off" not in refused(
        TOP.format(API, ADMIN), Authorization=token(username="alice")
    )


@pytest.mark.parametrize(
    ("setting", "cause"),
    [("name: X-Token", "wrong-header"), ("prefix: JWT", "wrong-scheme"), ("enabled: false", "wrong-header"),
     ("prefix: Bearer", ""), ("name: Authorization", "")],
)  # fmt: skip
def test_token_read_elsewhere(setting: str, cause: str) -> None:
    jwt = f"lexik_jwt_authentication:\n    token_extractors:\n        authorization_header:\n            {setting}\n"
    found = refused(TOP.format(API, CLOSED), jwt, Authorization=token(username="alice")).get(
        "symfony-token-elsewhere"
    )
    assert (
        (found.where.line, max(found.weights, key=found.weights.__getitem__)) == (4, cause)
        if found
        else not cause
    )


def test_claim_that_names_the_user() -> None:
    jwt = "lexik_jwt_authentication:\n    user_id_claim: email\n"
    text = TOP.format(API, CLOSED)
    assert (
        refused(text, jwt, Authorization=token(username="alice"))["symfony-claim-of-the-user"].where.line == 2
    )
    assert "symfony-claim-of-the-user" not in refused(text, jwt, Authorization=token(email="a@shop.test"))
    assert "symfony-claim-of-the-user" not in refused(text, jwt, Authorization="Bearer opaque-token")


def test_cookie_of_the_session() -> None:
    text = TOP.format(MAIN, ADMIN)
    framework = "framework:\n    session:\n        {}\n"
    cases = {
        "cookie_secure: true": True,
        "cookie_domain: other.test": True,
        "cookie_secure: auto": False,
        "cookie_domain: .shop.test": False,
    }
    for setting, faulty in cases.items():
        found = refused(text, framework.format(setting), "/admin")
        assert ("symfony-session-cookie" in found) is faulty
