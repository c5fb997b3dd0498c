"""Rules on Squid: each with a fault that it names by line, and a sound near-miss."""

from __future__ import annotations

import pytest

from tests.checks.code_cases import asked, given, line_of
from why401.diffs import edited
from why401.evidence import Evidence, Exchange, Fields, Request, Response, Source
from why401.findings import Finding

LOGIN = "Basic YWxpY2U6d29uZGVybGFuZA=="  # alice
HEAD = "http_port 3128\nauth_param basic program /usr/lib/squid/basic_ncsa_auth /etc/squid/users\n"
PEER = "cache_peer 127.0.0.1 parent 8000 0 no-query originserver"
ACCEL = "http_port 80 accel defaultsite=shop.test no-vhost\n{peer}\nhttp_access allow all\n"


def proxied(config: str, status: int, **fields: str) -> dict[str, Finding]:
    """A request by way of the forward proxy, and what it answered."""
    from why401 import checks

    held = Fields.of([(name.replace("_", "-"), value) for name, value in fields.items()])
    answered = Fields.of([("X-Squid-Error", "ERR_ACCESS_DENIED 0"), ("Via", "1.1 proxy.example (squid/5.7)")])
    request = Request("GET", "http://shop.test/", held)
    whole = given(squid_dot_conf=config) + Evidence(
        exchanges=(Exchange(1, request, Response(status, "", answered), Source("live", live=True)),)
    )
    checks._load(checks.LAYERED)
    return {finding.id: finding for function in checks._CHECKS for finding in function(whole)}


ASKS = HEAD + "acl people proxy_auth REQUIRED\nhttp_access allow people\nhttp_access deny all\n"
NAMES = HEAD + "acl people proxy_auth bob carol\nhttp_access allow people\nhttp_access deny all\n"


def test_the_proxy_asks_for_a_login_of_its_own() -> None:
    found = proxied(ASKS, 407, Authorization=LOGIN)["squid-asks"]
    assert found.where.line == line_of(ASKS, "http_access allow people")
    assert "only Authorization" in found.says
    assert "squid-asks" not in proxied(ASKS, 407, Proxy_Authorization=LOGIN)
    assert "squid-asks" not in proxied(ASKS, 401)
    assert "squid-user-not-listed" not in proxied(NAMES, 407, Proxy_Authorization=LOGIN)


def test_a_user_whom_the_acl_does_not_name() -> None:
    found = proxied(NAMES, 403, Proxy_Authorization=LOGIN)["squid-user-not-listed"]
    assert found.where.line == line_of(NAMES, "proxy_auth bob")
    assert "squid-user-not-listed" not in proxied(
        NAMES.replace("bob", "alice"), 403, Proxy_Authorization=LOGIN
    )
    assert "squid-user-not-listed" not in proxied(ASKS, 403, Proxy_Authorization=LOGIN)


def test_a_line_above_denies() -> None:
    fault = HEAD + "acl others dstdomain .test\nhttp_access deny others\nacl people proxy_auth REQUIRED\n"
    fault += "http_access allow people\nhttp_access deny all\n"
    found = proxied(fault, 403, Proxy_Authorization=LOGIN)["squid-denies"]
    assert found.where.line == line_of(fault, "http_access deny others")
    elsewhere = fault.replace(".test", ".example")
    assert "squid-denies" not in proxied(elsewhere, 403, Proxy_Authorization=LOGIN)


@pytest.mark.parametrize("said", ["", " login=shop:secret"])
def test_the_origin_is_not_passed_the_login(said: str) -> None:
    fault = ACCEL.format(peer=PEER + said)
    found = asked(given(squid_dot_conf=fault), "/", Authorization=LOGIN)["squid-login-not-passed"]
    assert found.where.line == line_of(fault, "cache_peer")
    assert f"{PEER} login=PASS\n" in edited(found.edits[0].document, found.edits)


@pytest.mark.parametrize("said", [" login=PASS", " login=PASSTHRU"])
def test_the_origin_is_passed_the_login(said: str) -> None:
    sound = ACCEL.format(peer=PEER + said)
    assert "squid-login-not-passed" not in asked(given(squid_dot_conf=sound), "/", Authorization=LOGIN)
    assert "squid-login-not-passed" not in asked(given(squid_dot_conf=ACCEL.format(peer=PEER)), "/")
