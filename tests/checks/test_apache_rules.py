"""The rules of Apache httpd: each with a fault that it names and a sound near-miss that it leaves alone."""

from __future__ import annotations

import hashlib

import pytest

from why401 import checks, layers
from why401.diffs import diff
from why401.evidence import Evidence, Exchange, Fields, Request, Response, Source
from why401.findings import Finding
from why401.layers import Document

WHOLE = "ServerRoot /etc/apache2\nLoadModule authz_core_module m.so\nLoadModule auth_basic_module m.so\n"
WHOLE += "LoadModule auth_digest_module m.so\nLoadModule authn_file_module m.so\nDocumentRoot /srv\n"
LOGIN = 'AuthType Basic\nAuthName "x"\nAuthUserFile /etc/apache2/pw\n'
HASH = hashlib.md5(b"alice:Private:wonderland").hexdigest()
DIGEST = f"alice:Private:{HASH}\n"


def area(text: str, *, name: str = "Directory /srv") -> str:
    return f"{WHOLE}<{name}>\n{text}\n</{name.split()[0]}>\n"


def evidence(text: str, *others: tuple[str, str]) -> Evidence:
    """The main file, with the files that it names as if they lay beside it."""
    return layers.read([Document("/etc/apache2/apache2.conf", text), *(Document(n, t) for n, t in others)])


def linted(text: str, *others: tuple[str, str]) -> list[Finding]:
    return [f for f in checks.lint(evidence(text, *others)) if f.id.startswith("apache-")]


def refused(
    text: str, *others: tuple[str, str], path: str = "/", status: int = 401, host: str = "x", value: str = ""
) -> list[Finding]:
    """What the checks of httpd find for one refused request."""
    fields = [("Host", host)] + ([("Authorization", value)] if value else [])
    request = Request("GET", f"http://x{path}", Fields.of(fields))
    one = Exchange(1, request, Response(status), Source("live", live=True))
    found = checks.run(evidence(text, *others) + Evidence(exchanges=(one,)))
    return [f for f in found if f.id.startswith("apache-") and f.stack == "Apache httpd"]


LINTED = [
    ("apache-no-auth-type", area("Require valid-user"), area(LOGIN + "Require valid-user")),
    ("apache-no-auth-type", area("Require valid-user"), area("Require all granted")),
    (
        "apache-no-auth-name",
        area("AuthType Basic\nAuthUserFile pw\nRequire valid-user"),
        area("AuthUserFile pw\nRequire valid-user") + "AuthType Basic\nAuthName above\n",
    ),
    (
        "apache-no-user-file",
        area("AuthType Basic\nAuthName x\nRequire valid-user"),
        area("AuthType Basic\nAuthName x\nAuthBasicProvider ldap\nAuthLDAPURL ldap://h/\nRequire valid-user")
        + "LoadModule authnz_ldap_module m.so\n",
    ),
    (
        "apache-no-group-file",
        area(LOGIN + "Require group admins"),
        area(LOGIN + "AuthGroupFile g\nRequire group admins"),
    ),
    (
        "apache-module-not-loaded",
        area(LOGIN + "Require valid-user").replace("LoadModule auth_basic_module m.so\n", ""),
        area(LOGIN + "Require valid-user"),
    ),
    (
        "apache-old-rules-beside-new",
        area("Order deny,allow\nDeny from all\nRequire all granted"),
        area("Order deny,allow\nDeny from all\nAllow from 10\nRequire all granted"),
    ),
    (
        "apache-old-rules-beside-new",
        area(f"Order allow,deny\n{LOGIN}Require valid-user"),
        area(f"Order allow,deny\nDeny from all\nSatisfy Any\n{LOGIN}Require valid-user"),
    ),
    (
        "apache-old-rules-beside-new",
        area("Deny from all\nRequire all granted"),
        area("<IfModule !mod_authz_core.c>\nDeny from all\n</IfModule>\nRequire all granted"),
    ),
    (
        "apache-old-rules-beside-new",
        area("Deny from all\nRequire all granted"),
        area("Deny from all\nRequire all denied"),
    ),
]


@pytest.mark.parametrize(("name", "fault", "sound"), LINTED)
def test_without_a_request(name: str, fault: str, sound: str) -> None:
    assert [f.id for f in linted(fault)] == [name]
    assert linted(sound) == []


def test_a_part_of_a_configuration_may_be_completed_elsewhere() -> None:
    part = "<Directory /srv>\nAuthUserFile pw\nRequire valid-user\n</Directory>\n"
    read = layers.read([Document("site.conf", part)])
    assert read.layers
    assert [f.id for f in checks.lint(read)] == []


def test_digest_of_another_realm() -> None:
    text = area('AuthType Digest\nAuthName "{}"\nAuthUserFile /etc/apache2/digest\nRequire valid-user')
    file = ("/etc/apache2/digest", DIGEST)
    (finding,) = linted(text.replace("{}", "Members"), file)
    assert finding.id == "apache-digest-realm"
    assert '+AuthName "Private"' in diff(finding.edits)
    assert HASH not in finding.says
    assert linted(text.replace("{}", "Private"), file) == []


def test_not_allowed_in_htaccess() -> None:
    text = area("AllowOverride {}\nRequire all granted", name="Directory /srv/private")
    access = ("/srv/private/.htaccess", LOGIN + "Require valid-user\n")
    (finding,) = linted(text.replace("{}", "FileInfo"), access)
    assert finding.id == "apache-not-allowed-in-htaccess"
    assert finding.where.source == access[0]
    assert "+AllowOverride FileInfo AuthConfig" in diff(finding.edits)
    for sound in ("AuthConfig", "All", "None", "FileInfo AuthConfig Limit"):
        assert linted(text.replace("{}", sound), access) == []


def test_a_user_that_require_leaves_out() -> None:
    value = "Basic YWxpY2U6d29uZGVybGFuZA=="
    (finding,) = refused(area(LOGIN + "Require user bob"), value=value)
    assert finding.id == "apache-user-not-required"
    assert "+Require user bob alice" in diff(finding.edits)
    assert refused(area(LOGIN + "Require user bob alice"), value=value) == []
    assert refused(area(LOGIN + "Require user bob\nRequire ldap-group staff"), value=value) == []
    assert refused(area(LOGIN + "Require valid-user"), value=value) == []


def test_a_user_in_no_group_of_require() -> None:
    value = "Basic YWxpY2U6d29uZGVybGFuZA=="
    text = area(LOGIN + "AuthGroupFile /etc/apache2/groups\nRequire group admins")
    (finding,) = refused(text, ("/etc/apache2/groups", "staff: alice\nadmins: bob\n"), value=value)
    assert "+admins: bob alice" in diff(finding.edits)
    assert refused(text, ("/etc/apache2/groups", "admins: bob alice\n"), value=value) == []
    assert refused(text, value=value) == []  # the file is not at hand


def test_taken_by_the_first_virtual_host() -> None:
    text = WHOLE + (
        f"<VirtualHost *:80>\nServerName intern.test\n<Location />\n{LOGIN}"
        "Require valid-user\n</Location>\n</VirtualHost>\n"
        "<VirtualHost *:80>\nServerName shop.test\n</VirtualHost>\n"
    )
    (finding,) = refused(text, host="www.shop.test")
    assert finding.id == "apache-first-host-took-it"
    assert "+ServerAlias www.shop.test" in diff(finding.edits)
    assert refused(text, host="intern.test") == []
    assert refused(text, host="127.0.0.1") == []


def test_location_is_merged_after_directory() -> None:
    text = WHOLE + (
        f"<Location /private>\n{LOGIN}Require valid-user\n</Location>\n"
        "<Directory {}>\nRequire all granted\n</Directory>\n"
    )
    (finding,) = refused(text.replace("{}", "/srv/private/hook"), path="/private/hook/a")
    assert finding.id == "apache-location-overrides"
    assert finding.opens == "/private/hook/"
    assert refused(text.replace("{}", "/srv"), path="/private/hook/a") == []


def test_no_section_lets_anybody_in() -> None:
    text = (
        WHOLE
        + "<Directory />\nRequire all denied\n</Directory>\n<Directory {}>\nRequire all granted\n</Directory>\n"
    )
    (finding,) = refused(text.replace("{}", "/var/www"), path="/a", status=403)
    assert finding.id == "apache-nothing-granted"
    assert finding.opens
    assert refused(text.replace("{}", "/srv"), path="/a", status=403) == []


def test_authorization_removed_early() -> None:
    text = area(LOGIN + "Require valid-user")
    found = refused(text + "RequestHeader unset Authorization early\n", value="Basic eA==")
    assert "apache-removed-early" in {f.id for f in found}
    found = refused(text + "RequestHeader unset Authorization\n", value="Basic eA==")
    assert "apache-removed-early" not in {f.id for f in found}


PHP = '<FilesMatch "\\.php$">\nSetHandler "proxy:unix:/run/php.sock|fcgi://localhost"\n{}</FilesMatch>\n'
WSGI = "WSGIScriptAlias / /srv/app.wsgi\n{}"


@pytest.mark.parametrize(
    ("fault", "sound", "mend"),
    [
        (PHP.format(""), PHP.format("CGIPassAuth On\n"), "+CGIPassAuth On"),
        (
            "ProxyPassMatch ^/(.*)$ fcgi://127.0.0.1:9000/srv/$1\n<Directory /srv>\nCGIPassAuth On\n</Directory>\n",
            "ProxyPassMatch ^/(.*)$ fcgi://127.0.0.1:9000/srv/$1\n<Location />\nCGIPassAuth On\n</Location>\n",
            "+    CGIPassAuth On",
        ),
        (WSGI.format(""), WSGI.format("WSGIPassAuthorization On\n"), "+WSGIPassAuthorization On"),
        (
            WSGI.format("WSGIPassAuthorization Off\n"),
            WSGI.format("CGIPassAuth Off\nWSGIPassAuthorization On\n"),
            "",
        ),
    ],
)
def test_authorization_does_not_reach_the_program(fault: str, sound: str, mend: str) -> None:
    (finding,) = refused(WHOLE + fault, path="/a.php", value="Bearer abc.def.ghi")
    assert finding.id == "apache-gateway-strips"
    assert mend in diff(finding.edits)
    assert refused(WHOLE + sound, path="/a.php", value="Bearer abc.def.ghi") == []
    assert refused(WHOLE + fault, path="/a.php") == []  # nothing was sent that could be lost
    assert linted(WHOLE + fault) == []  # nobody knows that the program wants the field
