"""Each rule of the family `server-config`: evidence that triggers it, and a healthy near-miss that does not."""

from __future__ import annotations

import pytest

from why401.checks import server_config
from why401.evidence import Evidence, Exchange, Fields, Record, Request, Response, Source, Text

AT = Source("case")


def exchange(
    url: str, got: list[tuple[str, str]], body: str = "", status: int = 401, method: str = "GET"
) -> Exchange:
    return Exchange(1, Request(method, url), Response(status, "", Fields.of(got), body), AT)


@pytest.mark.parametrize(
    ("url", "realm", "fires"),
    [
        ("https://hub.example.com/v2/", "http://hub.example.com/token", True),
        ("https://hub.example.com/v2/", "http://registry-core:8080/token", True),
        ("https://hub.example.com/v2/", "https://10.1.2.3/token", True),
        ("https://hub.example.com:8443/v2/", "https://hub.example.com/token", True),
        ("https://hub.example.com/v2/", "https://hub.example.com/token", False),
        ("https://hub.example.com/v2/", "https://auth.example.com/token", False),
        ("http://localhost:5000/v2/", "http://localhost:5001/token", False),
        ("https://hub.example.com/v2/", "Restricted", False),
    ],
)
def test_inner_address_in_challenge(url: str, realm: str, fires: bool) -> None:
    asked = exchange(url, [("WWW-Authenticate", f'Bearer realm="{realm}",service="x"')])
    assert bool(list(server_config.inner_address_handed_out(Evidence((asked,))))) is fires


@pytest.mark.parametrize(
    ("to", "fires"),
    [("http://app.example.com/login", True), ("https://app.example.com/login", False), ("/login", False)],
)
def test_inner_address_in_redirect(to: str, fires: bool) -> None:
    moved = exchange("https://app.example.com/", [("Location", to)], status=302)
    assert bool(list(server_config.inner_address_handed_out(Evidence((moved,))))) is fires


@pytest.mark.parametrize(
    ("path", "body", "fires"),
    [
        ("/auth/login", '{"message":"Full authentication is required to access this resource"}', True),
        ("/auth/login", '{"message":"Bad credentials"}', False),
        ("/healthz", "", True),
        ("/.well-known/acme-challenge/x", "", True),
        ("/orders", "", False),
    ],
)
def test_public_path_refused(path: str, body: str, fires: bool) -> None:
    refused = exchange(f"https://api.example.com{path}", [], body)
    assert bool(list(server_config.public_path_refused(Evidence((refused,))))) is fires


def test_public_path_in_log() -> None:
    record = Record("x", AT, status=401, method="GET", path="/robots.txt")
    assert list(server_config.public_path_refused(Evidence(records=(record,))))
    assert not list(
        server_config.public_path_refused(
            Evidence(records=(Record("x", AT, status=200, path="/robots.txt"),))
        )
    )


@pytest.mark.parametrize(
    ("name", "path", "fires"),
    [
        ("wp-admin/.htaccess", "/wp-admin/admin-ajax.php", True),
        ("wp-admin/.htaccess", "/contact/", False),
        (".htaccess", "/contact/", False),
    ],
)
def test_folder_rule_hits_more(name: str, path: str, fires: bool) -> None:
    rule = Text("AuthType Basic\nRequire valid-user\n", Source(name), "settings")
    record = Record("x", AT, status=401, method="POST", path=path)
    found = list(server_config.folder_rule_hits_more(Evidence(texts=(rule,), records=(record,))))
    assert bool(found) is fires


@pytest.mark.parametrize(
    ("name", "content", "fires"),
    [
        (".env", "HASH='$$apr1$$abc$$def'", True),
        (".env", "HASH='$apr1$abc$def'", False),
        ("docker-compose.yml", "services:\n  a:\n    labels:\n      - x=u:$apr1$abc$def", True),
        ("docker-compose.yml", "services:\n  a:\n    labels:\n      - x=u:$$apr1$$abc$$def", False),
        ("users.htpasswd", "u:$2y$05$abc", False),
    ],
)
def test_hash_with_wrong_dollars(name: str, content: str, fires: bool) -> None:
    text = Text(content, Source(name), "settings")
    assert bool(list(server_config.hash_with_wrong_dollars(Evidence(texts=(text,))))) is fires


@pytest.mark.parametrize(
    ("entry", "other", "fires"),
    [
        ("anna:$apr1$abc$def", "image: registry:2", True),
        ("anna:$2y$05$abc", "image: registry:2", False),
        ("anna:$apr1$abc$def", "nginx", False),
    ],
)
def test_hash_of_wrong_kind(entry: str, other: str, fires: bool) -> None:
    texts = (Text(entry + "\n", Source("auth/htpasswd"), "settings"), Text(other, AT))
    assert bool(list(server_config.hash_of_wrong_kind(Evidence(texts=texts)))) is fires


@pytest.mark.parametrize(
    ("path", "words", "fires"),
    [
        ("/api/auth/login", '{"message":"Unauthenticated."}', True),
        ("/api/auth/login", '{"message":"Bad credentials"}', False),
        ("/api/orders", '{"message":"Unauthenticated."}', False),
    ],
)
def test_login_refused_as_to_visitor(path: str, words: str, fires: bool) -> None:
    called = Exchange(1, Request("POST", f"http://localhost:8000{path}"), None, AT)
    found = list(
        server_config.login_refused_as_to_visitor(Evidence((called,), texts=(Text(words, AT, "body"),)))
    )
    assert bool(found) is fires
