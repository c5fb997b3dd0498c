"""What is read of Apache httpd's configuration against what a real httpd does with it: one server, a folder a case."""

from __future__ import annotations

import base64
import http.client
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live.servers import free_port, needs, running
from why401 import layers
from why401.checks.apache_requests import _lets
from why401.checks.layers_demands import allowed
from why401.evidence import Fields, Request
from why401.layers import Document
from why401.layers.apache import Apache, ApacheRoute

MODULES = (
    "mpm_prefork authn_core authn_file auth_basic authz_core authz_user authz_host authz_groupfile access_compat alias "
    "rewrite setenvif headers cgi dir mime"
).split()
LOGIN = 'AuthType Basic\nAuthName "x"\nAuthUserFile pw\n'

#: Name → what stands in the folder's <Directory>; "|" before what stands in its .htaccess.
ACCESS = {
    "open": "Require all granted",
    "login": LOGIN + "Require valid-user",
    "granted-beside-login": LOGIN + "Require all granted\nRequire valid-user",
    "other-user": LOGIN + "Require user bob",
    "this-user": LOGIN + 'Require user bob "alice"',
    "group": LOGIN + "AuthGroupFile groups\nRequire group staff",
    "other-group": LOGIN + "AuthGroupFile groups\nRequire group admins",
    "address": LOGIN + "Require ip 10.0.0.0/8",
    "own-address": "Require ip 127",
    "local": "Require local",
    "all-with-address": LOGIN + "<RequireAll>\nRequire ip 10.1\nRequire valid-user\n</RequireAll>",
    "all-with-own-address": LOGIN + "<RequireAll>\nRequire ip 127.0.0.1\nRequire valid-user\n</RequireAll>",
    "address-or-login": LOGIN + "Require ip 10.0.0.0/8\nRequire valid-user",
    "own-address-or-login": LOGIN + "Require ip 127.0.0.0/8\nRequire valid-user",
    "not-address": LOGIN + "<RequireAll>\nRequire all granted\nRequire not ip 127.0.0.1\n</RequireAll>",
    "denied": LOGIN + "Require all denied",
    "old-deny": LOGIN + "Order deny,allow\nDeny from all\nRequire valid-user",
    "old-deny-some": LOGIN + "Order allow,deny\nAllow from all\nDeny from 127.0.0.1\nRequire valid-user",
    "old-allow-some": LOGIN + "Order deny,allow\nDeny from all\nAllow from 127.0.0\nRequire valid-user",
    "old-any": LOGIN + "Order deny,allow\nDeny from all\nSatisfy Any\nRequire valid-user",
    "old-any-open": LOGIN + "Order allow,deny\nAllow from all\nSatisfy Any\nRequire valid-user",
    "satisfy-alone": LOGIN + "Require valid-user\nSatisfy Any",
    "limited-method": LOGIN + "<Limit GET>\nRequire valid-user\n</Limit>",
    "limited-to-post": f"{LOGIN}<Limit POST>\nRequire valid-user\n</Limit>\n"
    "<LimitExcept POST>\nRequire all granted\n</LimitExcept>",
    "htaccess": "AllowOverride AuthConfig|" + LOGIN + "Require valid-user",
    "htaccess-ignored": "AllowOverride None|" + LOGIN + "Require valid-user",
    "htaccess-opens": "AllowOverride All\n" + LOGIN + "Require valid-user|Require all granted",
    "continued": "AuthType Basic\nAuthName x\nAuthUserFile \\\n  pw\nRequire \\\n valid-user",
    "upper": LOGIN.upper().replace("PW", "pw") + "REQUIRE valid-user",
    "if-module": "<IfModule mod_auth_basic.c>\n" + LOGIN + "Require valid-user\n</IfModule>",
    "if-not-module": "<IfModule !mod_auth_basic.c>\n" + LOGIN + "Require valid-user\n</IfModule>",
    "if-define": "<IfDefine LOGIN>\n" + LOGIN + "Require ${WHO}\n</IfDefine>",
    "if-version": "<IfVersion >= 2.4>\n" + LOGIN + "Require valid-user\n</IfVersion>",
    "nested/": LOGIN + "Require valid-user",
    "nested/open": "Require all granted",
    "nested/both": "AuthMerging And\nRequire ip 10.0.0.0/8",
    "nested/either": "AuthMerging Or\nRequire ip 127.0.0.1",
    "by-location": "Require all granted",
    "by-files": "Require all granted",
    "by-expression": "Require all granted",
}  # fmt: skip
SECTIONS = (
    f"<Location /by-location>\n{LOGIN}Require valid-user\n</Location>\n"
    f'<Directory ~ "/www/by-exp">\n{LOGIN}Require valid-user\n</Directory>\n'
)

HAND_ON = "RewriteRule .* - [E=HTTP_AUTHORIZATION:%{HTTP:Authorization}]\n"
FRONT = "RewriteCond %{REQUEST_FILENAME} !-f\nRewriteRule . index.cgi [L]\n"
#: Name → directives; whether Authorization reaches the program is what httpd and the layer have to agree on.
GATEWAYS = {
    "plain": "",
    "cgipassauth": "CGIPassAuth On",
    "cgipassauth-off": "CGIPassAuth Off",
    "setenvif": 'SetEnvIf Authorization "(.+)" HTTP_AUTHORIZATION=$1',
    "setenvif-other": 'SetEnvIf X-Authorization "(.+)" HTTP_AUTHORIZATION=$1',
    "rewrite": "RewriteEngine On\n" + HAND_ON,
    "rewrite-off": "RewriteEngine Off\n" + HAND_ON,
    "rewrite-unset": HAND_ON,
    "rewrite-with-condition": "RewriteEngine On\nRewriteCond %{HTTP:Authorization} ^(.+)$\n"
    "RewriteRule . - [E=HTTP_AUTHORIZATION:%1]\n",
    "first": "RewriteEngine On\n" + HAND_ON + FRONT,
    "last": "RewriteEngine On\n" + FRONT + HAND_ON,
    "behind-a-stop": "RewriteEngine On\nRewriteRule ^index\\.cgi$ - [L]\n" + FRONT + HAND_ON,
    "between": "RewriteEngine On\nRewriteRule ^index\\.cgi$ - [L]\n" + HAND_ON + FRONT,
    "before-end": "RewriteEngine On\n" + HAND_ON + FRONT.replace("[L]", "[END]"),
    "behind-end": "RewriteEngine On\n" + FRONT.replace("[L]", "[END]") + HAND_ON,
    "fallback": "FallbackResource /cgi-fallback/index.cgi\nCGIPassAuth On",
}  # fmt: skip

HOSTS = """
<VirtualHost *:@PORT@>
    ServerName first.test
    Redirect 403 /first
</VirtualHost>
<VirtualHost *:@PORT@>
    ServerName second.test
    ServerAlias *.second.test zweite.test
    Redirect 403 /second
</VirtualHost>
"""


@dataclass
class Real:
    """A running httpd and what is read of its configuration."""

    port: int
    layer: Apache

    def asks(self, path: str, user: str = "", host: str = "", method: str = "GET") -> tuple[int, str]:
        """Status and body of a request to the running server."""
        fields = {"Host": host} if host else {}
        if user:
            fields["Authorization"] = "Basic " + base64.b64encode(f"{user}:secret".encode()).decode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, headers=fields)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def route(self, path: str, host: str = "") -> ApacheRoute:
        fields = Fields.of([("Host", host)] if host else [])
        route = self.layer.meets(Request("GET", f"http://127.0.0.1:{self.port}{path}", fields))[0]
        assert isinstance(route, ApacheRoute)
        return route


@pytest.fixture(scope="module")
def real() -> Iterator[Real]:
    program, port = needs("apache2"), free_port()
    modules = Path("/usr/lib/apache2/modules")
    if not (modules / "mod_cgi.so").exists():
        pytest.skip("the modules of Apache httpd are not where Debian has them")
    with tempfile.TemporaryDirectory(prefix="httpd-") as name:
        folder = Path(name)
        written(folder, port, modules)
        subprocess.run(
            [needs("htpasswd"), "-bcB", "-C", "4", folder / "pw", "alice", "secret"],
            check=True,
            capture_output=True,
        )
        (folder / "pw").chmod(0o644)
        folder.chmod(0o755)
        main = folder / "httpd.conf"
        with running([program, "-X", "-f", str(main)], f"http://127.0.0.1:{port}/open/", folder):
            evidence = layers.read([Document(str(main), main.read_text(), main)])
            assert not evidence.unreadable
            (layer,) = evidence.layers
            assert isinstance(layer, Apache)
            yield Real(port, layer)


def written(folder: Path, port: int, modules: Path) -> None:
    """The configuration with a folder a case, half of the sections in an included file."""
    lines = [f"LoadModule {m}_module {modules}/mod_{m}.so" for m in MODULES]
    lines += [
        f"ServerRoot {folder}",
        "ServerName 127.0.0.1",
        "PidFile p.pid",
        "DefaultRuntimeDir .",
        "User www-data",
    ]
    lines += ["Group www-data", f"Listen 127.0.0.1:{port}", "ErrorLog error.log", f"Define WWW {folder}/www"]
    lines += [
        "TypesConfig /dev/null",
        "Define LOGIN",
        "Define WHO valid-user",
        "DocumentRoot ${WWW}",
        "DirectoryIndex index.html",
    ]
    lines += [
        "AddHandler cgi-script .cgi",
        "<Directory />",
        "AllowOverride None",
        "Require all granted",
        "</Directory>",
    ]
    for name, text in ACCESS.items():
        directives, _, htaccess = text.partition("|")
        place = folder / "www" / name
        place.mkdir(parents=True, exist_ok=True)
        (place / "index.html").write_text("in\n")
        if htaccess:
            (place / ".htaccess").write_text(htaccess)
        lines += [f"<Directory ${{WWW}}/{name}>", directives, "</Directory>"]
    (folder / "www/by-files/secret.html").write_text("in\n")
    parts = [
        f'<Files "secret.*">\n{LOGIN}Require valid-user\n</Files>',
        SECTIONS,
        HOSTS.replace("@PORT@", str(port)),
    ]
    for name, text in GATEWAYS.items():
        place = folder / "www" / f"cgi-{name}"
        place.mkdir(parents=True)
        for script in ("index.cgi", "t.cgi"):
            (place / script).write_text(
                '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\n<$HTTP_AUTHORIZATION>"\n'
            )
            (place / script).chmod(0o755)
        (place / ".htaccess").write_text(text)
        parts.append(
            f"<Directory ${{WWW}}/cgi-{name}>\nAllowOverride All\nOptions +ExecCGI +FollowSymLinks\n</Directory>"
        )
    (folder / "extra").mkdir()
    (folder / "extra/parts.conf").write_text("\n".join(parts))
    (folder / "groups").write_text("admins: bob\nstaff: carol alice\n")
    (folder / "httpd.conf").write_text("\n".join([*lines, "IncludeOptional extra/*.conf", ""]))


def expected(route: ApacheRoute, user: str) -> int:
    """The status that the facts of a route amount to, for a client on loopback with the right password."""
    if any(answer.status == 403 for answer in route.answers):
        return 403
    address = route.demand("address")
    inside = address is None or allowed(address.value, "127.0.0.1")
    if route.demand("satisfy") and inside:
        return 200
    if not inside and not route.demand("satisfy"):
        return 403
    if route.demand("scheme") is None:
        return 200
    rule = route.facts.rule
    return 200 if user and rule is not None and _lets(rule, user, route) is not False else 401


@pytest.mark.parametrize("path", [*(f"/{name.rstrip('/')}/" for name in ACCESS), "/by-files/secret.html"])
@pytest.mark.parametrize("user", ["", "alice"])
def test_who_may_pass(real: Real, path: str, user: str) -> None:
    # the virtual hosts have no document root of their own, so they share the main server's
    assert expected(real.route(path, "first.test"), user) == real.asks(path, user, "first.test")[0]


@pytest.mark.parametrize("name", GATEWAYS)
@pytest.mark.parametrize("file", ["t.cgi", "any/thing"])
def test_whether_authorization_reaches_the_program(real: Real, name: str, file: str) -> None:
    path = f"/cgi-{name}/{file}"
    status, body = real.asks(path, "alice", "first.test")
    gateway = real.route(path, "first.test").gateway
    if status == 200:
        assert gateway is not None
        assert (gateway.passes is not None) is ("Basic" in body)
        if gateway.lost is not None:
            assert gateway.passes is None
    else:
        assert gateway is None


@pytest.mark.parametrize(
    "host", ["first.test", "second.test", "www.second.test", "ZWEITE.test", "other.test", "second.test:80"]
)
@pytest.mark.parametrize("path", ["/first", "/second/x"])
def test_which_virtual_host(real: Real, host: str, path: str) -> None:
    refused = real.asks(path, host=host)[0] == 403
    assert any(answer.status == 403 for answer in real.route(path, host).answers) is refused
    named = real.route(path, host).by_name
    assert named is (host != "other.test")
