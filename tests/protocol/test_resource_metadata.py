"""Where the metadata of a resource lies (RFC 9728, section 3.1), and whether it is the right one."""

from __future__ import annotations

import pytest

from why401.protocol.resource_metadata import candidates, check, server_candidates, url_for

R = "https://resource.example.com"


@pytest.mark.parametrize(
    ("resource", "url"),
    [
        (R, R + "/.well-known/oauth-protected-resource"),
        (R + "/", R + "/.well-known/oauth-protected-resource"),
        (R + "/resource1", R + "/.well-known/oauth-protected-resource/resource1"),
        (R + "/a?k=v", R + "/.well-known/oauth-protected-resource/a?k=v"),
        ("http://[", "http://["),
    ],
)
def test_url(resource: str, url: str) -> None:
    assert url_for(resource) == url


def test_candidates() -> None:
    assert candidates(R + "/mcp")[1] == R + "/.well-known/oauth-protected-resource"
    assert len(candidates(R)) == 1
    assert server_candidates("https://i.example/t") == (
        "https://i.example/.well-known/oauth-authorization-server/t",
        "https://i.example/.well-known/openid-configuration/t",
        "https://i.example/t/.well-known/openid-configuration",
    )


GOOD = {"resource": R, "authorization_servers": ["https://i.example"]}


@pytest.mark.parametrize(
    ("document", "kinds"),
    [
        (GOOD, []),
        ({**GOOD, "resource": R + "/"}, []),
        ({**GOOD, "resource": "https://other.example"}, ["resource"]),
        ({**GOOD, "resource": R.replace("https", "http")}, ["resource"]),
        ({"authorization_servers": ["https://i.example"]}, ["resource-missing"]),
        ({"resource": R}, ["no-authorization-servers"]),
        ({**GOOD, "authorization_servers": "https://i.example"}, ["authorization-servers"]),
        ({**GOOD, "authorization_servers": ["http://i.example"]}, ["server-not-https"]),
        ({**GOOD, "bearer_methods_supported": ["body"]}, ["no-header-method"]),
        ([], ["not-object"]),
    ],
)
def test_check(document: object, kinds: list[str]) -> None:
    assert [p.kind for p in check(document, resource=R)] == kinds


def test_the_place_counts() -> None:
    assert not check(GOOD, resource=R, fetched_from=url_for(R))
    assert [p.kind for p in check(GOOD, resource=R, fetched_from="https://x.example/y")] == ["place"]
