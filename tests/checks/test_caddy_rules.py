"""Rules on Caddy: each with a fault that it names by line, and a sound near-miss."""

from __future__ import annotations

from tests.checks.code_cases import asked, given, line_of, linted
from why401.diffs import edited


def site(*lines: str) -> str:
    return ":80 {\n" + "".join(f"\t{line}\n" for line in lines) + "}\n"


PROXY = "reverse_proxy 127.0.0.1:8000"


def test_respond_before_every_handler() -> None:
    fault = site(PROXY, "respond 401")
    found = linted(Caddyfile=fault)["caddy-shadowed-by-respond"]
    assert found.where.line == line_of(fault, "respond")
    mended = edited(found.edits[0].document, found.edits)
    assert mended.index("route {") < mended.index(PROXY) < mended.index("respond")
    assert linted(Caddyfile=mended) == {}


def test_respond_that_is_meant() -> None:
    assert linted(Caddyfile=site("respond /private/* 401", PROXY)) == {}
    assert linted(Caddyfile=site("@anon not header Authorization *", "respond @anon 401", PROXY)) == {}
    assert linted(Caddyfile=site("respond 401")) == {}  # a site that is closed
    assert linted(Caddyfile=site("respond ok 200", PROXY)) == {}
    ordered = "{\n\torder respond after reverse_proxy\n}\n" + site(PROXY, "respond 401")
    assert linted(Caddyfile=ordered) == {}
    assert linted(Caddyfile=site("handle /app/* {", PROXY, "}", "handle {", "respond 401", "}")) == {}


def test_a_login_service_decides() -> None:
    text = site("forward_auth 127.0.0.1:9091 {", "uri /api/verify", "}", PROXY)
    found = asked(given(Caddyfile=text), "/")["caddy-forward-auth-decides"]
    assert found.where.line == line_of(text, "forward_auth")
    assert "caddy-forward-auth-decides" not in asked(given(Caddyfile=text), "/", status=407)
    assert "caddy-forward-auth-decides" not in asked(given(Caddyfile=site(PROXY)), "/")
    elsewhere = text.replace("forward_auth ", "forward_auth /admin/* ")
    assert "caddy-forward-auth-decides" not in asked(given(Caddyfile=elsewhere), "/orders")
