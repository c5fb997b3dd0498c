"""Rules on Tomcat: each with a fault that it names by line, and a sound near-miss."""

from __future__ import annotations

import hashlib

from tests.checks.code_cases import asked, given, line_of, linted
from why401.diffs import edited
from why401.evidence import Evidence
from why401.findings import Finding

WEB, SERVER, USERS = "webapps/ROOT/WEB-INF/web.xml", "conf/server.xml", "conf/tomcat-users.xml"
LOGIN = "Basic YWxpY2U6d29uZGVybGFuZA=="  # alice:wonderland
CONSTRAINT = """  <security-constraint>
    <web-resource-collection><url-pattern>/reports/*</url-pattern></web-resource-collection>
    <auth-constraint><role-name>reader</role-name></auth-constraint>
  </security-constraint>
"""
CONFIG = "  <login-config>\n    <auth-method>BASIC</auth-method>\n  </login-config>\n"
REALM = '<Realm className="org.apache.catalina.realm.UserDatabaseRealm" resourceName="UserDatabase" />'
DIGESTS = "org.apache.catalina.realm.MessageDigestCredentialHandler"
HANDLER = f'<CredentialHandler className="{DIGESTS}" algorithm="SHA-256" />'


def web(config: str = CONFIG) -> str:
    head = '<?xml version="1.0"?>\n<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0">\n'
    return f"{head}{CONSTRAINT}{config}</web-app>\n"


def server(realm: str = REALM, valve: str = "") -> str:
    return (
        '<?xml version="1.0"?>\n<Server port="-1">\n  <GlobalNamingResources>\n'
        '    <Resource name="UserDatabase" type="org.apache.catalina.UserDatabase" pathname="conf/tomcat-users.xml"'
        ' factory="org.apache.catalina.users.MemoryUserDatabaseFactory" />\n  </GlobalNamingResources>\n'
        '  <Service name="Catalina">\n    <Connector port="80" protocol="HTTP/1.1" />\n'
        '    <Engine name="Catalina" defaultHost="localhost">\n'
        f'      {realm}\n      <Host name="localhost" appBase="webapps">\n        {valve}\n      </Host>\n'
        "    </Engine>\n  </Service>\n</Server>\n"
    )


def users(password: str = "wonderland") -> str:
    user = f'<user username="alice" password="{password}" roles="reader" />'
    return f'<?xml version="1.0"?>\n<tomcat-users>\n  <role rolename="reader" />\n  {user}\n</tomcat-users>\n'


def install(**files: str) -> Evidence:
    held = {"web": web(), "server": server(), "users": users(), **files}
    return given(**{WEB: held["web"], SERVER: held["server"], USERS: held["users"]})


def refused(evidence: Evidence, status: int = 401) -> dict[str, Finding]:
    found = asked(evidence, "/reports/may.html", status=status, Authorization=LOGIN)
    return {name: finding for name, finding in found.items() if name.startswith("tomcat-")}


def test_a_role_that_nobody_can_log_in_for() -> None:
    fault = web("")
    found = linted(**{WEB: fault})["tomcat-roles-without-login"]
    assert found.where.line == line_of(fault, "<role-name>")
    assert "tomcat-roles-without-login" not in linted(**{WEB: web()})
    mended = refused(install(web=fault), 403)["tomcat-roles-without-login"]
    assert "<auth-method>BASIC</auth-method>" in edited(mended.edits[0].document, mended.edits)


def test_a_digest_that_the_realm_does_not_read() -> None:
    digest = hashlib.sha256(b"wonderland").hexdigest()
    old = server(REALM.replace(" />", ' digest="SHA-256" />'))
    found = refused(install(server=old, users=users(digest)))["tomcat-realm-digest-ignored"]
    assert found.where.line == line_of(old, "UserDatabaseRealm")
    handled = server(REALM.replace(" />", f">{HANDLER}</Realm>"))
    assert "tomcat-realm-digest-ignored" not in refused(install(server=handled, users=users(digest)))
    assert "tomcat-realm-digest-ignored" not in refused(install())
    other = hashlib.sha256(b"another password").hexdigest()
    assert "tomcat-realm-digest-ignored" not in refused(install(server=old, users=users(other)))


def test_an_address_that_the_valve_does_not_allow() -> None:
    valve = '<Valve className="org.apache.catalina.valves.RemoteAddrValve" allow="{}" />'
    fault = server(valve=valve.format(r"10\.1\.\d+\.\d+"))

    def found(text: str, origin: str = "http://127.0.0.1", status: int = 403) -> dict[str, Finding]:
        return asked(
            install(server=text), "/reports/may.html", status=status, origin=origin, Authorization=LOGIN
        )

    assert found(fault)["tomcat-address-not-allowed"].where.line == line_of(fault, "RemoteAddrValve")
    assert "tomcat-address-not-allowed" not in found(server(valve=valve.format(r"127\.\d+\.\d+\.\d+|::1")))
    assert "tomcat-address-not-allowed" not in found(fault, status=404)
    assert "tomcat-address-not-allowed" not in found(fault, "http://shop.test"), (
        "the client's address is unknown"
    )


def test_locked_out_after_failures() -> None:
    locked = f'<Realm className="org.apache.catalina.realm.LockOutRealm">{REALM}</Realm>'
    found = refused(install(server=server(locked)))["tomcat-locked-out"]
    assert found.where.line == line_of(server(locked), "LockOutRealm")
    assert "tomcat-locked-out" not in refused(install())
    assert "tomcat-locked-out" not in refused(install(server=server(locked), users=users("changed")))
