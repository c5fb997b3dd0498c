# ruff: noqa: E501  (configurations as they are written)
"""What is read of Apache httpd's configuration: files, conditions, places, and whatever else is thrown at it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from why401 import layers
from why401.evidence import Evidence, Fields, Request
from why401.layers import Damaged, Document, Tree, apache
from why401.layers.apache import Apache, ApacheRoute
from why401.layers.apache_access import network
from why401.layers.apache_tree import words

LOGIN = 'AuthType Basic\nAuthName "x"\nAuthUserFile /etc/apache2/pw\nRequire valid-user\n'


def read(*documents: tuple[str, str]) -> Evidence:
    return layers.read([Document(name, text) for name, text in documents])


def layer(*documents: tuple[str, str]) -> Apache:
    (found,) = read(*documents).layers
    assert isinstance(found, Apache)
    return found


def route(found: Apache, url: str, *fields: tuple[str, str], method: str = "GET") -> ApacheRoute:
    (met,) = found.meets(Request(method, url, Fields.of(fields)))
    assert isinstance(met, ApacheRoute)
    return met


def respects(met: ApacheRoute) -> dict[str, str]:
    return {demand.respect: demand.value for demand in met.demands}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("a b\tc", ("a", "b", "c")),
        ('"a b" c', ("a b", "c")),
        (r'"say \"x\"" y', ('say "x"', "y")),
        (r'"\.php$"', (r"\.php$",)),
        ("'a b'", ("a b",)),
        ('"open', ("open",)),
        ("", ()),
    ],
)
def test_words(written: str, expected: tuple[str, ...]) -> None:
    assert words(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("10", "10.0.0.0/8"),
        ("10.1.", "10.1.0.0/16"),
        ("192.168.1.7", "192.168.1.7"),
        ("10.0.0.0/255.0.0.0", "10.0.0.0/255.0.0.0"),
        ("::1", "::1"),
        ("all", "all"),
        ("intern.example.org", "?"),
        ("env=let_me_in", "?"),
    ],
)
def test_networks(written: str, expected: str) -> None:
    assert network(written) == expected


def test_every_demand_says_where_it_stands() -> None:
    text = (
        'DocumentRoot /srv/www\n<Directory "/srv/www/private">\n    '
        + LOGIN.replace("\n", "\n    ")
        + "\n</Directory>\n"
    )
    met = route(layer(("apache2.conf", text)), "http://x/private/file")
    assert {d.respect: d.source.line for d in met.demands} == {
        "scheme": 3,
        "realm": 4,
        "password-file": 5,
        "user": 6,
    }
    assert met.name == "<Directory /srv/www/private>"
    assert not route(layer(("apache2.conf", text)), "http://x/public").demands


def test_debian_layout_with_includes_and_variables() -> None:
    found = layer(
        (
            "copy/apache2.conf",
            "ServerRoot /etc/apache2\nIncludeOptional mods-enabled/*.load\nIncludeOptional sites-enabled/*.conf\n",
        ),
        ("copy/mods-enabled/basic.load", "LoadModule auth_basic_module mod_auth_basic.so\n"),
        ("copy/mods-available/x.load", "LoadModule auth_digest_module mod_auth_digest.so\n"),
        (
            "copy/sites-enabled/shop.conf",
            "<VirtualHost *:80>\nServerName shop.test\nErrorLog ${APACHE_LOG_DIR}/e.log\nDocumentRoot /srv\n"
            f"<Location /admin>\n<IfModule mod_auth_basic.c>\n{LOGIN}</IfModule>\n</Location>\n</VirtualHost>\n",
        ),
        (
            "copy/sites-available/other.conf",
            f"<VirtualHost *:80>\n<Location />\n{LOGIN}</Location>\n</VirtualHost>\n",
        ),
        ("copy/envvars", "export APACHE_LOG_DIR=/var/log/apache2$SUFFIX\n"),
    )
    met = route(found, "http://shop.test/admin/x")
    assert met.demands[0].source.name == "copy/sites-enabled/shop.conf"
    assert list(found.parsed.modules) == ["auth_basic"]
    assert found.top.all("virtualhost")[0].first("errorlog").args == ("/var/log/apache2/e.log",)  # type: ignore[union-attr]
    assert len(found.top.all("virtualhost")) == 1


def test_red_hat_layout_with_the_main_file_in_conf() -> None:
    found = layer(
        (
            "copy/conf/httpd.conf",
            "ServerRoot /etc/httpd\nInclude conf.modules.d/*.conf\nIncludeOptional conf.d/*.conf\n",
        ),
        ("copy/conf.modules.d/00.conf", "LoadModule mpm_event_module modules/mod_mpm_event.so\n"),
        ("copy/conf.d/site.conf", f"DocumentRoot /srv\n<Location />\n{LOGIN}</Location>\n"),
    )
    assert respects(route(found, "http://x/"))["scheme"] == "Basic"


def test_a_file_of_the_server_root_that_is_seen_to_be_missing(tmp_path: Path) -> None:
    main = tmp_path / "apache2.conf"
    main.write_text(f"ServerRoot {tmp_path}\nLoadModule a_module a.so\nDocumentRoot /srv\n")
    (tmp_path / "pw").write_text("x:y\n")
    (found,) = layers.read([Document(str(main), main.read_text(), main)]).layers
    assert isinstance(found.open("pw"), Document)
    assert getattr(found.open("pw2"), "kind", "") == "missing"
    assert getattr(found.open("/nowhere/at/all/pw"), "kind", "") == "unseen"


def test_htaccess_counts_only_where_it_may() -> None:
    text = (
        "ServerRoot /etc/apache2\nLoadModule authz_core_module x.so\nDocumentRoot /srv/www\n"
        "<Directory /srv/www>\nAllowOverride {}\n</Directory>\n"
    )
    access = ("/srv/www/private/.htaccess", LOGIN)
    ignored = route(layer(("apache2.conf", text.format("None")), access), "http://x/private/a")
    assert not ignored.demands
    assert ignored.chain.ignored[0].by is not None
    counted = route(layer(("apache2.conf", text.format("AuthConfig")), access), "http://x/private/a")
    assert counted.demands[0].source.name == "/srv/www/private/.htaccess"
    copied = layer(("apache2.conf", text.format("All")), ("www/private/.htaccess", LOGIN))
    assert route(copied, "http://x/private/a").demands


def test_htaccess_files_alone_stand_for_their_folders() -> None:
    found = layer(("site/.htaccess", "RewriteEngine On\n"), ("site/admin/.htaccess", LOGIN))
    assert respects(route(found, "http://x/admin/users"))["scheme"] == "Basic"
    assert not route(found, "http://x/shop").demands


def test_to_where_it_passes_on() -> None:
    text = (
        "<Proxy balancer://pool>\nBalancerMember http://127.0.0.1:9001\n</Proxy>\n"
        "ProxyPass /static !\nProxyPass /api http://127.0.0.1:8000/v1\nProxyPass /pool balancer://pool/\n"
        'ProxyPassMatch "^/(.*\\.php)$" "unix:/run/php.sock|fcgi://localhost/srv/$1"\n'
        "WSGIScriptAlias /wsgi /srv/app.wsgi\nScriptAlias /cgi-bin/ /srv/cgi/\nDocumentRoot /srv\n"
        '<FilesMatch "\\.phtml$">\nSetHandler "proxy:fcgi://127.0.0.1:9000"\n</FilesMatch>\n'
    )
    found = layer(("apache2.conf", text))
    expected = {
        "/static/a": "",
        "/api/orders": "http://127.0.0.1:8000/v1/orders",
        "/apis": "",
        "/pool/x": "http://127.0.0.1:9001",
        "/a.php": "fastcgi:unix:/run/php.sock",
        "/wsgi/x": "wsgi:/srv/app.wsgi",
        "/x.phtml": "fastcgi:127.0.0.1:9000",
        "/cgi-bin/x": "",
    }
    assert {path: route(found, f"http://x{path}").upstream for path in expected} == expected
    assert route(found, "http://x/cgi-bin/x").gateway.kind == "CGI"  # type: ignore[union-attr]


def test_a_folder_does_not_count_for_what_is_passed_on() -> None:
    text = f"ProxyPass / http://127.0.0.1:8000/\nDocumentRoot /srv\n<Directory /srv>\n{LOGIN}</Directory>\n"
    assert not route(layer(("apache2.conf", text)), "http://x/").demands
    text += f"<Location /in>\n{LOGIN}</Location>\n"
    assert route(layer(("apache2.conf", text)), "http://x/in/a").demands


def test_changes_of_what_is_passed_on() -> None:
    text = (
        "ProxyPass / http://127.0.0.1:8000/\nRequestHeader unset Authorization\n"
        "RequestHeader set X-Api-Key 0123456789\n"
        "RequestHeader unset Cookie env=no_cookie\nRequestHeader set Authorization expr=%{HTTP:Authorization}\n"
    )
    met = route(layer(("apache2.conf", text)), "http://x/")
    assert [(c.what, c.name, c.value) for c in met.changes] == [
        ("drops", "Authorization", ""),
        ("overwrites", "X-Api-Key", "a fixed value"),
    ]
    assert met.layer is not None
    assert "0123456789" in {secret.reveal() for secret in met.layer.secrets}
    assert "0123456789" not in repr(met)


def test_a_key_that_a_rewrite_condition_asks_for() -> None:
    text = (
        "DocumentRoot /srv\nRewriteEngine On\nRewriteCond %{HTTP:X-Api-Key} !^s3cr3t-k3y$\n"
        "RewriteRule ^/api/ - [R=401,L]\n"
    )
    met = route(layer(("apache2.conf", text)), "http://x/api/a")
    assert [(a.status, a.source.line) for a in met.answers] == [(401, 4)]
    assert "s3cr3t" not in repr(met)


def test_other_schemes() -> None:
    for kind, expected in (
        ("GSSAPI", ("scheme", "Negotiate")),
        ("openid-connect", ("login", "openid-connect")),
    ):
        text = f"DocumentRoot /srv\n<Location />\nAuthType {kind}\nRequire valid-user\n</Location>\n"
        assert expected in respects(route(layer(("apache2.conf", text)), "http://x/")).items()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("DocumentRoot /srv\n<Directory /srv>\nRequire all granted\n", "<directory> of line 2 is not closed"),
        ("DocumentRoot /srv\n<Directory /srv>\n</Location>\n", "</location> stands on line 3"),
        ("Listen 80\nDocumentRoot /srv\n</Directory>\n", "stands on line 3 without its beginning"),
    ],
)
def test_what_httpd_would_refuse(text: str, says: str) -> None:
    evidence = read(("apache2.conf", text))
    assert not evidence.layers
    assert says in evidence.unreadable[0].says


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("nginx.conf", "server {\n  listen 80;\n  location / { }\n}\n"),
        ("caddy.txt", "Listen up\n"),
        ("README.md", "<Directory /srv>\nRequire all granted\n</Directory>\n"),
        ("squid.conf", "http_port 3128\nacl a src 10.0.0.0/8\n"),
        ("values.conf", "Require more coffee\n"),
    ],
)
def test_other_files_are_left_alone(name: str, text: str) -> None:
    assert not list(apache.roots(Tree([Document(name, text)])))


_LINES = st.sampled_from(
    """<Directory /srv>|</Directory>|<Directory ~ "(">|<VirtualHost *:80>|</VirtualHost>|<Location /a>|</Location>
Require|Require all granted|Require not|Require not ip|<RequireAll>|</RequireAll>|<Limit GET>|</Limit>|AuthType
AuthType Basic|RewriteEngine On|RewriteRule ( $1|RewriteRule ^ /x [L]|RewriteRule . - [E=HTTP_AUTHORIZATION:%{HTTP:Authorization}]
RewriteCond %{REQUEST_URI} ^/a [OR]|RewriteCond x|ProxyPass|ProxyPass /a|ProxyPass / http://x|ProxyPassMatch ( x
Alias /a|Alias /a /srv|DocumentRoot|DocumentRoot /srv|ServerName|ServerName x|SetHandler|SetHandler proxy:fcgi://|Define
<IfModule x>|</IfModule>|<IfModule !x>|<IfVersion 2>|</IfVersion>|Include|Include *|AddHandler|AddHandler x
RequestHeader|RequestHeader unset|Order|Order x|Allow from|Deny from all|Satisfy|Listen|Listen x|Listen [::]:80|AllowOverride|\\
<Files|<>|</>|<VirtualHost>|Redirect 401|AuthMerging|AuthUserFile|Require group|SetEnvIf|SetEnvIf Authorization
WSGIScriptAlias /|\
""".replace("\n", "|").split("|")
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(_LINES | st.text(max_size=12), max_size=12),
    st.sampled_from(["apache2.conf", ".htaccess", "site.conf"]),
)
def test_nothing_breaks_it(lines: list[str], name: str) -> None:
    tree = Tree([Document(name, "\n".join(lines))])
    for root in apache.roots(tree):
        try:
            found = apache.read(tree, root)
        except Damaged:
            continue
        found.routes()
        found.meets(Request("GET", "http://x:80/a/b.php", Fields.of([("Host", "x")])))
        found.meets(Request(None, "/a", Fields()))


def test_files_that_include_each_other_are_damaged() -> None:
    evidence = read(
        ("apache2.conf", "Listen 80\nInclude a.conf\nInclude a.conf\n"), ("a.conf", "Include apache2.conf\n")
    )
    assert "which is being read already" in evidence.unreadable[0].says
    assert evidence.unreadable[0].source.name == "a.conf"
    twice = read(("apache2.conf", "Listen 80\nInclude a.conf\nInclude a.conf\n"), ("a.conf", "SetEnv A 1\n"))
    assert not twice.unreadable


def test_many_includes_end() -> None:
    files = [(f"{n}.conf", f"Include {n + 1}.conf\nInclude {n + 1}.conf\n") for n in range(30)]
    assert layer(("apache2.conf", "Listen 80\nInclude 0.conf\n"), *files)
    alone = layer((".htaccess", "Include .htaccess\nInclude *\nRequire all granted\n"))
    assert alone.loose


def test_a_large_configuration_is_read_fast() -> None:
    site = (
        "<VirtualHost *:80>\nServerName s{0}.test\nDocumentRoot /srv/{0}\n<Directory /srv/{0}>\nAllowOverride None\n"
        + LOGIN + "</Directory>\n" + "SetEnv X 1\n" * 55 + "</VirtualHost>\n"
    )  # fmt: skip
    files = [(f"a/sites-enabled/{n:03}.conf", site.format(n)) for n in range(300)]
    start = time.process_time()
    found = layer(("a/apache2.conf", "ServerRoot /a\nInclude sites-enabled/*.conf\n"), *files)
    assert len(found.routes()) > 300
    assert time.process_time() - start < 3  # about 1 s where nothing else runs


PHP = '<FilesMatch "\\.php$">\nSetHandler "proxy:fcgi://127.0.0.1:9000"\n</FilesMatch>\n'
CONTROLLER = "RewriteEngine On\nRewriteCond %{REQUEST_FILENAME} !-f\nRewriteRule . /index.php [L]\n"
SYMFONY = (
    "RewriteEngine On\nRewriteCond %{REQUEST_URI}::$0 ^(/.+)/(.*)::\\2$\nRewriteRule .* - [E=BASE:%1]\n"
    "RewriteCond %{REQUEST_FILENAME} !-f\nRewriteRule ^ %{ENV:BASE}/index.php [L]\n"
)


@pytest.mark.parametrize(
    "leads", [CONTROLLER, SYMFONY, "FallbackResource /index.php\n", "FallbackResource index.php\n"]
)
@pytest.mark.parametrize(
    "php",
    [
        PHP,
        PHP.replace("\\.php$", "\\.(php|phar)$"),
        PHP.replace("Set", '<If "-f %{REQUEST_FILENAME}">\nSet').replace("</F", "</If>\n</F"),
    ],
)
def test_a_path_of_a_front_controller_reaches_php(php: str, leads: str) -> None:
    text = f"ServerRoot /srv\nListen 8080\nDocumentRoot /srv/www\n{php}<Directory /srv/www>\n{leads}</Directory>\n"
    found = layer(("/srv/httpd.conf", text))
    met = route(found, "http://x:8080/api/users", ("Authorization", "Bearer x"))
    assert met.upstream == "fastcgi:127.0.0.1:9000"
    assert met.gateway is not None
    assert met.gateway.passes is None
    assert "fastcgi:127.0.0.1:9000" in {place.upstream for place in found.routes()}


def test_a_file_of_its_own_does_not_reach_php() -> None:
    text = f"ServerRoot /srv\nListen 8080\nDocumentRoot /srv/www\n{PHP}FallbackResource disabled\n"
    assert route(layer(("/srv/httpd.conf", text)), "http://x:8080/api/users").upstream == ""
