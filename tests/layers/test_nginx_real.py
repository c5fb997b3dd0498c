"""What nginx does with a request, by generated configurations: our reading against the real server's answers."""

from __future__ import annotations

import base64
import http.client
import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.stage import free_ports
from tests.live.servers import needs, wait_for
from why401 import layers
from why401.evidence import Fields, Request
from why401.layers import Document, Layer, nginx

WORLDS = 24  # sets of servers, each on a port of its own
HASH = "alice:{PLAIN}wonderland\n"
ALICE = "Basic " + base64.b64encode(b"alice:wonderland").decode()
PREFIXES = ("/", "/a", "/a/", "/a/b", "/a/b/", "/b", "/B", "/a/b/c", "/x.php", "/a b")
REGEXES = (r"\.php$", r"^/a", r"/b/?$", r"^/(?<first>[ab])/", r"^/A/", r"c$", r"(?i)^/b")
PATHS = ("/", "/a", "/a/", "/a/b", "/a/b/", "/a/b/c", "/b", "/B", "/x.php", "/a/x.php", "/A/b", "//a//b", "/%61/b",
         "/a/./b", "/b/../a/b", "/a%20b", "/a/b/..", "/zzz", "/%2e%2e/a", "/a/b?c=/x.php")  # fmt: skip
# "two.test" beside ".two.test" would be a conflict, of which nginx leaves out the later one
NAMES = ("one.test", "*.one.test", ".two.test", "www.one.test", "a.www.one.test", "*.www.one.test",
         "mail.*", "mail.one.*",
         r"~^w+\.", r"~^\D+\.TEST$", r"~^(?P<who>.+)\.two\.test$", "_", ".evil.test")  # fmt: skip
HOSTS = ("one.test", "ONE.test", "two.test", "www.one.test", "a.www.one.test", "x.two.test", "mail.one.test",
         "mail.x", "w.x", "evil.test.com", "evil.test", "other.test", "one.test.", "1.test")  # fmt: skip


def written(chance: random.Random, location: str) -> str:
    """nginx takes a modifier with and without a blank after it."""
    modifier, _, rest = location.partition(" ")
    quoted = f'"{rest}"' if " " in rest else rest
    if not modifier:
        return quoted
    return modifier + quoted if chance.random() < 0.3 and " " not in rest else f"{modifier} {quoted}"


def locations(chance: random.Random, label: str, within: str = "", depth: int = 0) -> list[str]:
    """Locations, nested ones in them, one a line; each says its label."""
    lines: list[str] = []
    seen: set[str] = set()
    for number in range(chance.randint(0, 5 if not depth else 2)):
        regex = chance.random() < 0.35
        pattern = chance.choice(
            REGEXES if regex else [p for p in PREFIXES if p.startswith(within)] or [within]
        )
        modifier = chance.choice(("~", "~*") if regex else ("", "", "", "^~", "="))
        key = f"{modifier.replace('^~', '')} {pattern}"
        if key in seen:
            continue
        seen.add(key)
        own = f"{label}.{number}"
        lines.append(f"location {written(chance, f'{modifier} {pattern}')} {{ # {own}")
        lines.append(f'return 200 "{own}";')
        if depth < 2 and not regex and modifier != "=" and chance.random() < 0.5:
            lines += locations(chance, own, pattern, depth + 1)
        lines.append("}")
    return lines


def world(chance: random.Random, number: int, port: int) -> list[str]:
    """Servers of one port; a server without a fitting location answers 404 with its label in a field."""
    lines: list[str] = []
    default = chance.choice((None, 0, 1, 2))
    names = list(NAMES)
    chance.shuffle(names)
    for at in range(chance.randint(1, 4)):
        label = f"{number}.{at}"
        held = names[at * 3 : at * 3 + chance.randint(1, 3)]
        lines += [
            f"server {{ # {label}",
            f"listen 127.0.0.1:{port}{' default_server' if at == default else ''};",
        ]
        lines += [f"server_name {' '.join(held)};", f'add_header X-Label "{label}" always;']
        lines += [*locations(chance, label), "}"]
    return lines


@contextmanager
def serving(folder: Path, lines: list[str], port: int) -> Iterator[Layer]:
    """A real nginx with these lines in its http block, and what we read of the same file."""
    conf = folder / "nginx.conf"
    (folder / "htpasswd").write_text(HASH)
    (folder / "index.html").write_text("page\n")
    for path in (folder, *folder.parents[:2]):
        path.chmod(0o755)
    conf.write_text(
        f"daemon off;\npid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\nhttp {{\naccess_log off;\n"
        "server_names_hash_bucket_size 128;\n" + "\n".join(lines) + "\n}\n"
    )
    command = [needs("nginx"), "-p", str(folder), "-e", str(folder / "e.log"), "-c", str(conf)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/", process)
        held = layers.read([Document.of(str(conf), conf.read_bytes(), conf)]).layers
        (read,) = (layer for layer in held if layer.hop == nginx.HOP)
        yield read
    finally:
        process.terminate()
        process.wait(10)


@dataclass
class Answered:
    status: int
    body: str
    label: str


def ask(port: int, path: str, host: str = "x", login: str = "", method: str = "GET") -> Answered:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.putrequest(method, path, skip_host=True)
        for name, value in (("Host", host), ("Authorization", login)):
            if value:
                connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return Answered(answer.status, answer.read().decode(), answer.getheader("X-Label") or "")
    finally:
        connection.close()


def label_of(read: Layer, port: int, path: str, host: str) -> str:
    """The label that stands in the comment of the line at which the route begins."""
    request = Request("GET", f"http://127.0.0.1:{port}{path}", Fields.of([("Host", host)]))
    met = read.meets(request)
    return read.root.lines[(met[0].source.line or 0) - 1].partition("# ")[2].strip() if met else ""


def test_the_server_and_location_that_answer(tmp_path: Path) -> None:
    chance = random.Random(401)
    ports = free_ports(WORLDS)
    lines = [line for at, port in enumerate(ports) for line in world(chance, at, port)]
    wrong = []
    with serving(tmp_path, lines, ports[0]) as read:
        for port in ports:
            asked = [(p, "one.test") for p in PATHS] + [("/a/b", host) for host in HOSTS]
            for path, host in asked:
                real = ask(port, path, host)
                if real.status == 400:  # nginx refuses the request line itself
                    continue
                wanted = real.body if real.status == 200 else real.label
                if label_of(read, port, path, host) != wanted:
                    wrong.append((port, path, host, wanted, label_of(read, port, path, host)))
    assert not wrong, f"{len(wrong)}: {wrong[:5]}"


LISTENS = (
    "server { # first\nlisten 127.0.0.1:A;\nlisten 127.0.0.1:B;\n%s}",
    "server { # default of A alone\nlisten 127.0.0.1:A default_server;\nlisten 127.0.0.1:B;\n%s}",
    "server { # all addresses of C\nlisten C default_server;\n%s}",
    "server { # loopback of C\nlisten 127.0.0.1:C;\n%s}",
)


def test_the_default_is_one_of_an_address_and_port(tmp_path: Path) -> None:
    ports = dict(zip("ABC", free_ports(3), strict=True))
    lines = []
    for text in LISTENS:
        label = text.partition("# ")[2].partition("\n")[0]
        body = text % f'add_header X-Label "{label}" always;\n'
        for name, port in ports.items():
            body = body.replace(f":{name}", f":{port}").replace(f"listen {name} ", f"listen {port} ")
        lines.append(body)
    with serving(tmp_path, lines, ports["A"]) as read:
        for port in ports.values():
            assert label_of(read, port, "/none", "x") == ask(port, "/none").label, port


LOGIN = 'auth_basic "a"; auth_basic_user_file htpasswd;'
#: Bodies of a server, and the paths that are asked without and with a login.
ACCESS = {
    "no file": ('location / { auth_basic "a"; }', "/"),
    "empty realm": ('location / { auth_basic ""; auth_basic_user_file htpasswd; }', "/"),
    "return before access": (f"location / {{ {LOGIN} return 200 x; }}", "/"),
    "return of the server": (f"{LOGIN} return 200 x;", "/"),
    "return of the server over a location": (f"return 200 x; location / {{ {LOGIN} }}", "/"),
    "conditional return": (f"location / {{ {LOGIN} if ($arg_x) {{ return 200 x; }} }}", "/"),
    "rewrite leaves the login behind": (
        f"location /old {{ {LOGIN} rewrite ^/old(.*)$ /new$1 last; }} location /new {{ }}",
        "/old/index.html",
    ),
    "rewrite leads to a login": (
        f"location /old {{ rewrite ^ /new last; }} location /new {{ {LOGIN} }}",
        "/old",
    ),
    "rewrite with break stays": (f"location /old {{ {LOGIN} rewrite ^/old(.*)$ /$1 break; }}", "/old/index.html"),
    "rewrite of the server": (f"rewrite ^/old /new last; location /new {{ {LOGIN} }}", "/old"),
    "rewrite of the server over a location": (
        f"rewrite ^/old /new last; location /old {{ }} location /new {{ {LOGIN} }}",
        "/old",
    ),
    "rewrite without flag": (
        f"location /old {{ rewrite ^/old /mid; rewrite ^/mid /new; }} location /new {{ {LOGIN} }}",
        "/old",
    ),
    "rewrite to another host": (f"location / {{ {LOGIN} rewrite ^ https://x/; }}", "/"),
    "return before the rewrite": (
        f"location /old {{ return 200 x; rewrite ^ /new last; }} location /new {{ {LOGIN} }}",
        "/old",
    ),
    "rewrite before the return": (
        f"location /old {{ rewrite ^ /new last; return 200 x; }} location /new {{ {LOGIN} }}",
        "/old",
    ),
    "rewrite that fits not": (
        f"location /old {{ {LOGIN} rewrite ^/older /new last; }} location /new {{ }}",
        "/old",
    ),
    "try_files asks first": (f"location / {{ {LOGIN} try_files $uri /index.html; }}", "/none"),
    "try_files leads to a login": (
        f"location / {{ try_files /none @app; }} location @app {{ {LOGIN} }}",
        "/none",
    ),
    "inherited": (f"{LOGIN} location /a {{ location /a/b {{ }} }}", "/a/b"),
    "switched off": (f"{LOGIN} location / {{ auth_basic off; }}", "/"),
    "switched on again": (f'{LOGIN} location /a {{ auth_basic off; location /a/b {{ auth_basic "b"; }} }}', "/a/b"),
    "file of the inner block": (f"{LOGIN} location / {{ auth_basic_user_file htpasswd; }}", "/"),
    "limit_except": (f"location / {{ limit_except GET {{ {LOGIN} }} }}", "/"),
    "limit_except and return": (f"location / {{ limit_except POST {{ {LOGIN} }} return 200 x; }}", "/"),
    "limit_except and condition": (
        "location / { limit_except POST { allow all; } if ($http_authorization = '') { return 401; } }",
        "/",
    ),
    "limit_except and rewrite": (
        f"location /old {{ limit_except POST {{ allow all; }} rewrite ^ /new last; }} location /new {{ {LOGIN} }}",
        "/old",
    ),
    "limit_except of another": (f"location / {{ limit_except POST {{ {LOGIN} }} }}", "/"),
    "condition around nested": (
        "location /a { if ($http_authorization = '') { return 401; } location /a/b { } }",
        "/a/b",
    ),
    "condition of the server": ("if ($http_authorization = '') { return 401; } location / { }", "/"),
    "condition of a map": ("if ($nobody) { return 401; } location / { }", "/"),
    "condition of the address": ("satisfy any; deny all; location / { auth_basic off; }", "/"),
    "subrequest": ("location / { auth_request /auth; } location = /auth { return 401; }", "/"),
    "subrequest off": (
        "auth_request /auth; location / { auth_request off; } location = /auth { return 401; }",
        "/",
    ),
    "subrequest and return": (
        "location / { auth_request /auth; return 200 x; } location = /auth { return 401; }",
        "/",
    ),
}  # fmt: skip


def asks_for_a_login(read: Layer, request: Request) -> bool:
    """Whether a route that the request meets demands or refuses what a request without a login lacks."""
    return any(
        route.demand("scheme") or route.demand("subrequest") or route.demand("field")
        for route in read.meets(request)
    )


@pytest.fixture(scope="module")
def accessed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Layer, dict[str, int]]]:
    ports = dict(zip(ACCESS, free_ports(len(ACCESS)), strict=True))
    folder = tmp_path_factory.mktemp("access")
    lines = ["map $http_authorization $nobody { '' 1; default 0; }"]
    for name, (body, _) in ACCESS.items():
        lines.append(f"server {{\nlisten 127.0.0.1:{ports[name]};\nroot {folder};\n{body}\n}}")
    with serving(folder, lines, next(iter(ports.values()))) as read:
        yield read, ports


@pytest.mark.parametrize("name", ACCESS)
def test_where_a_login_is_asked_for(name: str, accessed: tuple[Layer, dict[str, int]]) -> None:
    read, ports = accessed
    path = ACCESS[name][1]
    real = ask(ports[name], path).status == 401
    request = Request("GET", f"http://127.0.0.1:{ports[name]}{path}", Fields.of([("Host", "x")]))
    assert asks_for_a_login(read, request) == real
