# ruff: noqa: E501  (configurations, a line each)
"""nginx: which location takes a request (as the real nginx decides), and what is in force there."""

from __future__ import annotations

import itertools
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.live.servers import free_port, needs, wait_for
from why401 import layers
from why401.evidence import Fields, Request
from why401.layers import Document, Tree, nginx
from why401.layers.model import Layer, Route


def layer(*files: tuple[str, str]) -> Layer:
    (found,) = layers.read([Document(name, text) for name, text in files]).layers
    return found


def server(text: str) -> Layer:
    return layer(("nginx.conf", f"events {{}}\nhttp {{\nserver {{ listen 80;\n{text}\n}} }}\n"))


def met(text: str, path: str = "/", method: str = "GET") -> tuple[Route, ...]:
    return server(text).meets(Request(method, f"http://x{path}"))


def respects(route: Route) -> dict[str, str]:
    return {demand.respect: demand.value for demand in route.demands}


LOCATIONS = """
location / { return 200 root; }
location /a { return 200 prefix-a; }
location /a/b { return 200 prefix-ab; location /a/b/c { return 200 nested; } location ~ \\.x$ { return 200 nested-re; } }
location ^~ /firm { return 200 firm; }
location = /exact { return 200 exact; }
location ~ \\.php$ { return 200 php; }
location ~* \\.JPG$ { return 200 jpg; }
location ~ ^/a/(?<id>\\d+)$ { return 200 number; }
location /sp%20ace { return 200 encoded; }
location "/sp ace" { return 200 space; }
"""
PATHS = ("/", "/a", "/a/", "/ab", "/a/b", "/a/b/c", "/a/b/c.x", "/a/b/q.x", "/firm/x.php", "/exact", "/exact/", "/x.php",
         "/p.jpg", "/p.Jpg", "/a/12", "/a/12b", "/sp%20ace", "//a", "/a//b/c", "/%61/b", "/a/b/index.php")  # fmt: skip
SERVERS = """
server { listen 127.0.0.1:PORT; server_name first.test; return 200 first; }
server { listen 127.0.0.1:PORT default_server; server_name _; return 200 default; }
server { listen 127.0.0.1:PORT; server_name *.wild.test www.exact.wild.test; return 200 front; }
server { listen 127.0.0.1:PORT; server_name mail.*; return 200 end; }
server { listen 127.0.0.1:PORT; server_name ~^re\\d+\\.test$; return 200 regex; }
server { listen 127.0.0.1:PORT; server_name .dot.test; return 200 dot; }
server { listen 127.0.0.1:PORT; server_name a.wild.test; return 200 exact; }
"""
HOSTS = ("first.test", "FIRST.test", "other.test", "b.wild.test", "a.wild.test", "wild.test", "mail.example", "re12.test",
         "rex.test", "dot.test", "x.dot.test", "mail.wild.test")  # fmt: skip


@contextmanager
def running(folder: Path, http: str) -> Iterator[int]:
    program, port = needs("nginx"), free_port()
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log;\nevents {{}}\n"
        f"http {{ access_log off;\n{http.replace('PORT', str(port))}\n}}\n"
    )
    process = subprocess.Popen([program, "-p", folder, "-e", folder / "e.log", "-c", folder / "nginx.conf"])
    try:
        wait_for(f"http://127.0.0.1:{port}/", process)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def answer(port: int, path: str, host: str) -> str:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Host": host})
    try:
        return urllib.request.urlopen(request, timeout=5).read().decode()
    except urllib.error.HTTPError as refused:
        return str(refused.code)


def said(route: Route) -> str:
    """What the `return` of a route's own block says, by its line in the file."""
    document = route.layer.root if route.layer else None
    assert document is not None
    words = document.text.splitlines()[(route.source.line or 0) - 1]
    at = words.find(route.name.split()[-1].strip('"')) if " " in route.name else 0
    return words[max(at, 0) :].partition("return 200 ")[2].partition(";")[0]


def test_locations_as_the_real_nginx_chooses_them(tmp_path: Path) -> None:
    with running(tmp_path, f"server {{ listen 127.0.0.1:PORT;\n{LOCATIONS}\n}}") as port:
        name = str(tmp_path / "nginx.conf")
        read = layer((name, Path(name).read_text()))
        for path in PATHS:
            routes = read.meets(Request("GET", f"http://127.0.0.1:{port}{path}"))
            assert said(routes[0]) == answer(port, path, "x"), path


def test_servers_as_the_real_nginx_chooses_them(tmp_path: Path) -> None:
    with running(tmp_path, SERVERS) as port:
        name = str(tmp_path / "nginx.conf")
        read = layer((name, Path(name).read_text()))
        for host in HOSTS:
            request = Request("GET", f"http://127.0.0.1:{port}/", Fields.of([("Host", host)]))
            assert said(read.meets(request)[0]) == answer(port, "/", host), host


def test_the_nearest_block_wins_and_off_ends_it() -> None:
    text = 'auth_basic "a"; auth_basic_user_file f;\nlocation /open { auth_basic off; }\nlocation /in { }\n'
    assert respects(met(text, "/in/x")[0])["scheme"] == "Basic"
    assert "scheme" not in respects(met(text, "/open")[0])
    (route,) = met(text, "/in")
    assert route.demand("password-file") is not None
    assert route.demand("realm").source.line == 4  # type: ignore[union-attr]


def test_a_list_is_inherited_only_as_a_whole() -> None:
    outer = "proxy_set_header X-Api-Key k;\nlocation / { proxy_pass http://u; %s }\n"
    lost = [c for c in met(outer % "proxy_set_header Host h;")[0].changes if c.name == "X-Api-Key"]
    kept = [c for c in met(outer % "")[0].changes if c.name == "X-Api-Key"]
    assert [c.what for c in lost] == ["drops"]
    assert [c.what for c in kept] == ["overwrites"]


@pytest.mark.parametrize(
    ("words", "respect", "value"),
    [
        ("auth_request /auth;", "subrequest", "/auth"),
        ("allow 10.0.0.0/8; deny all;", "address", "allow 10.0.0.0/8, deny all"),
        ("satisfy any;", "satisfy", "any"),
        ("limit_req zone=a; limit_req_status 401;", "rate", "401"),
        ("ssl_verify_client on;", "certificate", "on"),
        ('if ($http_x_api_key != "k") { return 401; }', "field", "X-Api-Key"),
        ('auth_digest "r"; auth_digest_user_file f;', "scheme", "Digest"),
        ('auth_jwt "r"; auth_jwt_key_file k;', "keys", "k"),
    ],
)
def test_demands(words: str, respect: str, value: str) -> None:
    assert respects(met(f"location / {{ {words} }}")[0])[respect] == value


def test_a_condition_shows_no_value() -> None:
    (route,) = met('location / { if ($http_x_api_key != "k-secret-1") { return 401; } }')
    assert "k-secret-1" not in repr(route)
    assert route.answers[0].words == "$http_x_api_key != •••"


def test_methods_that_limit_except_leaves() -> None:
    text = 'location / { limit_except GET { auth_basic "w"; auth_basic_user_file f; } proxy_pass http://u; }'
    assert not respects(met(text)[0])
    assert not respects(met(text, method="HEAD")[0])
    post = met(text, method="POST")[0]
    assert respects(post)["scheme"] == "Basic"
    assert post.upstream == "http://u"


def test_an_internal_redirect_leads_on() -> None:
    text = "location / { try_files $uri /index.php?$args; }\nlocation ~ \\.php$ { fastcgi_pass unix:/run/p.sock; }"
    first, second = met(text, "/orders")
    assert first.name == "location /"
    assert second.upstream == "fastcgi:unix:/run/p.sock"


def test_includes_of_a_copy() -> None:
    files = (
        ("copy/nginx.conf", "http { include /etc/nginx/conf.d/*.conf; }"),
        (
            "copy/conf.d/a.conf",
            'server { listen 80; location / { auth_basic "a"; auth_basic_user_file f; } }',
        ),
        ("copy/sites-available/b.conf", "server { listen 80; location / { return 401; } }"),
    )
    (route,) = layer(*files).meets(Request("GET", "http://x/"))
    assert route.source.name == "copy/conf.d/a.conf"


def test_a_broken_file_is_said_in_one_sentence() -> None:
    found = layers.read([Document("nginx.conf", "http { server { listen 80; location / { return 401; }")])
    assert not found.layers
    assert "nginx.conf" in found.unreadable[0].says


def test_files_that_include_each_other_are_said_at_once(tmp_path: Path) -> None:
    for name, text in (
        ("nginx.conf", "http { include *.inc; }"),
        ("a.inc", "include *.inc;"),
        ("b.inc", "include a.inc;"),
    ):
        (tmp_path / name).write_text(text)
    root = tmp_path / "nginx.conf"
    found = layers.read([Document.of(str(root), root.read_bytes(), root)])
    assert "includes itself" in found.unreadable[0].says


def test_a_file_that_many_include_is_no_cycle() -> None:
    site = "server { listen 80; server_name %s; include login.inc; location / { include login.inc; } }"
    files = (
        ("nginx.conf", f"http {{ {site % 'a.test'} {site % 'b.test'} }}"),
        ("login.inc", 'auth_basic "a"; auth_basic_user_file f;'),
    )
    assert [route.source.name for route in layer(*files).meets(Request("GET", "http://b.test/"))] == [
        "nginx.conf"
    ]
    assert all(respects(route)["realm"] == "a" for route in layer(*files).routes())


def test_an_include_that_is_not_at_hand_may_name_the_file() -> None:
    text = 'http { server { listen 80; location / { auth_basic "a"; %s } } }'
    unknown = layer(("nginx.conf", text % "include snippets/login.conf;"))
    assert respects(unknown.meets(Request("GET", "http://x/"))[0])["scheme"] == "Basic"
    whole = layer(("nginx.conf", text % ""))
    assert not respects(whole.meets(Request("GET", "http://x/"))[0])


WORDS = 'http server location listen 80; / { } ; auth_basic "a" off; if ($x = 1) return 401; include * ~ ( ^~ = @n'.split()


@given(st.lists(st.sampled_from([*WORDS, "\n", "'", '"', "proxy_pass", "\\"]), max_size=40))
@settings(max_examples=60, deadline=None)
def test_any_text_is_read_or_refused(words: list[str]) -> None:
    document = Document("nginx.conf", "http {\nserver { listen 80; root /x;\n" + " ".join(words))
    for read in layers.read([document]).layers:
        for route, path in itertools.product(read.routes(), ("/", "/a")):
            assert route.hop == nginx.HOP
            read.meets(Request("GET", f"http://x{path}"))


def test_sniffing_leaves_others_alone() -> None:
    others = [
        Document("Caddyfile", "example.com {\n reverse_proxy :8080\n}\n"),
        Document("main.hcl", 'server {\n enabled = true\n}\nlocation "a" {\n}\n'),
        Document("notes.md", "```\nserver {\n listen 80;\n}\n```\n"),
    ]
    assert not list(nginx.roots(Tree(others)))
