# ruff: noqa: E501  (configurations, a line each)
"""Checks of the owner's layers: each has a fault that it names by line, and a sound near-miss."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from why401 import checks, layers
from why401.evidence import Evidence, Exchange, Fields, Record, Request, Response, Source
from why401.findings import CLEAR, Finding
from why401.layers import Document

BASIC = "Basic YWxpY2U6d29uZGVybGFuZA=="  # alice:wonderland
HASH = "alice:{SHA}tiY7sUhYKUwI5L3866kDY+ENcrQ="  # wonderland
PAGE = ("WWW-Authenticate", 'Basic realm="a"')
LOGIN = 'auth_basic "a"; auth_basic_user_file htpasswd;'


def exchange(
    path: str = "/x",
    *fields: tuple[str, str],
    status: int = 401,
    method: str = "GET",
    host: str = "shop.test",
    answer: tuple[tuple[str, str], ...] = (PAGE,),
) -> Exchange:
    request = Request(method, f"http://{host}{path}", Fields.of([("Host", host), *fields]))
    return Exchange(1, request, Response(status, "", Fields.of(answer)), Source("live", live=True))


def evidence(config: str, one: Exchange | None = None, **files: str) -> Evidence:
    text = f"http {{\nserver {{\nlisten 80;\n{config}\n}}\n}}\n"
    documents = [Document("nginx.conf", text), *(Document(name, held) for name, held in files.items())]
    return layers.read(documents) + Evidence(exchanges=(one,) if one else ())


def found(given: Evidence, slug: str) -> list[Finding]:
    checks._load(checks.LAYERED)
    return [finding for function in checks._CHECKS for finding in function(given) if finding.id == slug]


def linted(given: Evidence) -> Iterator[Finding]:
    return (f for f in checks.lint(given) if max(f.weights.values()) >= CLEAR)


DROPS = 'location / { proxy_pass http://u;\nproxy_set_header Authorization "";\n}'
KEY = 'location / {\nif ($http_x_api_key != "k1") {\nreturn 401;\n}\n}'
FAULTS = [
    # slug, configuration, request, its cause, line
    ("asked-without-credentials", f"location / {{\n{LOGIN}\n}}", exchange(), "no-credentials", 5),
    ("asked-without-credentials", LOGIN, exchange("/healthz"), "auth-rule-unintended", 4),
    (
        "asked-without-credentials",
        LOGIN,
        exchange("/x", ("Origin", "https://a"), ("Access-Control-Request-Method", "GET"), method="OPTIONS"),
        "cors-preflight-rejected",
        4,
    ),
    ("asked-for-another-scheme", LOGIN, exchange("/x", ("Authorization", "Bearer t0ken")), "wrong-scheme", 4),
    (
        "asked-for-another-scheme",
        f"location / {{\n{LOGIN}\nproxy_pass http://u;\n}}",
        exchange("/x", ("Authorization", "Bearer t0ken")),
        "auth-layers-collide",
        5,
    ),
    ("refused-by-return", KEY, exchange(answer=()), "no-credentials", 6),
    ("refused-by-return", KEY, exchange("/x", ("Api-Key", "k1"), answer=()), "wrong-header", 6),
    ("carrier-dropped", DROPS, exchange("/x", ("Authorization", "Bearer t")), "proxy-stripped-credentials", 5),
    (
        "underscore-field-ignored",
        "location / { proxy_pass http://u; }",
        exchange("/x", ("X_Key", "k")),
        "proxy-stripped-credentials",
        2,
    ),
    (
        "host-fits-no-name",
        f"server_name shpo.test;\n}}\nserver {{ listen 80 default_server; {LOGIN}",
        exchange(),
        "wrong-server-answered",
        4,
    ),
    (
        "nginx-subrequest-without-credential",
        'location / {\nauth_request /auth;\n}\nlocation = /auth {\nproxy_pass http://u;\nproxy_set_header Authorization "";\n}',
        exchange("/x", ("Authorization", "Bearer t")),
        "auth-subrequest-rejected",
        9,
    ),
    (
        "nginx-challenge-hidden",
        "location / {\nproxy_pass http://u;\nproxy_hide_header WWW-Authenticate;\n}",
        exchange(answer=()),
        "missing-challenge",
        6,
    ),
    ("answered-by", LOGIN, exchange("/x", ("Authorization", BASIC)), "wrong-password", 4),
]  # fmt: skip


@pytest.mark.parametrize(("slug", "config", "one", "cause", "line"), FAULTS)
def test_fault(slug: str, config: str, one: Exchange, cause: str, line: int) -> None:
    (finding,) = found(evidence(config, one), slug)
    assert max(finding.weights, key=lambda name: finding.weights[name]) == cause
    assert (finding.where.source, finding.where.line) == ("nginx.conf", line)


NEAR = [
    ("asked-without-credentials", "location / { }", exchange()),
    ("asked-without-credentials", LOGIN, exchange("/x", ("Authorization", BASIC))),
    ("asked-for-another-scheme", LOGIN, exchange("/x", ("Authorization", BASIC))),
    ("refused-by-return", KEY, exchange(status=403)),
    ("carrier-dropped", DROPS, exchange("/x", ("X-Api-Key", "k"))),
    ("carrier-dropped", DROPS.replace('"";', "$http_authorization;"), exchange("/x", ("Authorization", "Bearer t"))),
    ("underscore-field-ignored", "underscores_in_headers on;", exchange("/x", ("X_Key", "k"))),
    ("host-fits-no-name", "server_name shop.test;", exchange()),
    ("host-fits-no-name", "server_name *.test;", exchange()),
    ("host-fits-no-name", "server_name intranet.example;", exchange()),
    ("nginx-challenge-hidden", "location / { proxy_hide_header WWW-Authenticate; }", exchange()),
    ("answered-by", LOGIN.replace('"a"', '"b"'), exchange("/x", ("Authorization", BASIC))),
]  # fmt: skip


@pytest.mark.parametrize(("slug", "config", "one"), NEAR)
def test_near_miss(slug: str, config: str, one: Exchange) -> None:
    assert not found(evidence(config, one), slug)


PASSWORDS = [
    (HASH, BASIC, "password-fits-file", ""),
    ("alice:{SHA}AAAAAAAAAAAAAAAAAAAAAAAAAAA=", BASIC, "password-differs", "wrong-password"),
    ("bob:{SHA}tiY7sUhYKUwI5L3866kDY+ENcrQ=", BASIC, "user-not-in-file", "unknown-user"),
    ("carol:x\n#" + HASH, BASIC, "password-file-commented-out", "password-file-problem"),
    ("\ufeff" + HASH, BASIC, "password-file-bom", "password-file-problem"),
]


@pytest.mark.parametrize(("held", "sent", "slug", "proves"), PASSWORDS)
def test_the_password_against_the_file(held: str, sent: str, slug: str, proves: str) -> None:
    given = evidence(LOGIN, exchange("/x", ("Authorization", sent)), htpasswd=held + "\n")
    finding = found(given, slug)[-1]
    assert finding.proves == proves
    assert "wonderland" not in repr(finding)


def test_a_stored_password_is_told_to_the_redactor() -> None:
    given = evidence(LOGIN, exchange("/x", ("Authorization", BASIC)), htpasswd=HASH + "\n")
    found(given, "password-fits-file")
    assert HASH.partition(":")[2] in {secret.reveal() for secret in given.secrets()}


def test_only_a_log_is_at_hand() -> None:
    record = Record("line", Source("access.log", 3), status=401, path="/x", method="GET", user="carol")
    given = evidence(LOGIN, htpasswd=HASH + "\n") + Evidence(records=(record,))
    (finding,) = found(given, "user-not-in-file")
    assert finding.weights["unknown-user"] > CLEAR
    assert not finding.proves


BAD = [
    (LOGIN, {"htpasswd": ""}, "password-file-empty"),
    (LOGIN, {"htpasswd": "alice:$$apr1$$4fJx0sQ1$$Zc6e8Dg0QKbEYCQDUhhEj1\n"}, "password-file-doubled-dollar"),
    (
        "proxy_set_header X-Api-Key k;\nlocation / {\nproxy_pass http://u;\nproxy_set_header Host h;\n}",
        {},
        "nginx-list-not-inherited",
    ),
    (
        'location / { proxy_pass http://127.0.0.1:81;\nproxy_set_header Authorization "";\n}\n}\n'
        f"server {{ listen 81; {LOGIN}",
        {"htpasswd": HASH + "\n"},
        "",
    ),
    (
        "proxy_cache c; proxy_cache_valid 200 401 1m; location / { proxy_pass http://u; }",
        {},
        "refusals-cached",
    ),
]


@pytest.mark.parametrize(("config", "files", "slug"), BAD)
def test_lint_finds(config: str, files: dict[str, str], slug: str) -> None:
    assert [f.id for f in linted(evidence(config, **files))] == ([slug] if slug else [])


SOUND = [
    (LOGIN, {"htpasswd": HASH + "\n"}),
    (LOGIN, {}),  # the file lies elsewhere
    (
        LOGIN + "\nlocation / { proxy_pass http://u; proxy_set_header Authorization ''; }",
        {"htpasswd": HASH + "\n"},
    ),
    (
        "location / { proxy_pass http://u; proxy_set_header Host $host; proxy_set_header Authorization ''; }",
        {},
    ),
    (
        "proxy_set_header Host $host;\nlocation / { proxy_pass http://u; proxy_set_header X-Real-IP $remote_addr; }",
        {},
    ),
    (
        "proxy_cache c; proxy_cache_valid 200 1m; proxy_cache_valid any 1s; location / { proxy_pass http://u; }",
        {},
    ),
    (
        "location / { auth_request /a; proxy_pass http://u; }\nlocation = /a { internal; proxy_pass http://v; }",
        {},
    ),
    (KEY, {}),
]


@pytest.mark.parametrize(("config", "files"), SOUND)
def test_lint_is_silent_on_what_is_sound(config: str, files: dict[str, str]) -> None:
    assert not list(linted(evidence(config, **files)))
