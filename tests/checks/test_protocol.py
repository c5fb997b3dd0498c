"""The checks of the family `protocol`: each rule with evidence that triggers it, and a near-miss."""

# A table of cases is read a line at a time.
# ruff: noqa: E501

from __future__ import annotations

import base64

import pytest

from tests.checks.test_rejected import ASKS, GOOD, basic, found, get
from why401 import checks, readers
from why401.protocol import digest

BARE = "HTTP/1.1 401 Unauthorized\nServer: x\nContent-Length: 0\n"
DIGEST = 'HTTP/1.1 401 Unauthorized\nServer: x\nWWW-Authenticate: Digest realm="r", nonce="n1"{}\n'
FORM = 'Digest username="al", realm="{realm}", nonce="n1", uri="{uri}", response="{response}"{more}'
NEGOTIATE = "HTTP/1.1 401 Unauthorized\nServer: x\nWWW-Authenticate: Negotiate\n"
NTLM = "HTTP/1.1 401 Unauthorized\nServer: x\nWWW-Authenticate: NTLM\n"
DATES = "$ openssl x509 -in client.pem -noout -dates\nnotAfter=Mar  2 10:11:00 2024 GMT\n$ date\nTue Mar  5 08:20:11 UTC {}\n401"

IIS = "2019-03-02 08:00:01 10.0.0.5 GET /svc - 443 - {} - 401 1 3221225581 3\n"
LINES = 'Authorization: Digest username="al", realm="a", nonce="1"\n401 WWW-Authenticate: Digest realm="{}", nonce="2"'
BY_WORDS = "$ openssl x509 -in client.pem -noout -dates\nnotAfter=May  8 08:00:00 2021 GMT\n"
BEGINS = BY_WORDS.replace("notAfter", "notBefore=May  3 {}:00:00 2021 GMT\nnotAfter")


def answer(realm: str = "r", uri: str = "/a", more: str = "", password: str = "pw12") -> str:
    response = digest.response(user="al", password=password, realm=realm, nonce="n1", uri=uri, method="GET")
    return FORM.format(realm=realm, uri=uri, response=response, more=more)


def ntlm(kind: int) -> str:
    return base64.b64encode(b"NTLMSSP\0" + bytes([kind, 0, 0, 0]) + bytes(20)).decode()


def dance(credentials: str, asks: str = DIGEST.format(""), last: str = DIGEST.format("")) -> str:
    return get(path="/a", answer=asks) + "\n" + get(credentials, path="/a", answer=last)


RULES: tuple[tuple[str, dict[str, str], dict[str, str]], ...] = (
    ("challenge-complaint", {"l_log": "java.io.IOException: No authentication challenges found"}, {"l_log": "java.io.IOException: timeout"}),
    ("challenge-absent", {"a_http": get(answer=BARE)}, {"a_http": get(answer=ASKS)}),
    ("challenge-there", {"a_http": get(answer=ASKS)}, {"a_http": get(answer=BARE)}),
    ("challenge-unusable", {"a_http": get(answer=ASKS.replace("Basic", "xBasic"))}, {"a_http": get(answer=ASKS)}),
    ("client-waits", {"b_gradle": "import de.undercouch.gradle.tasks.download.Download", "m_txt": "status code 401"}, {"b_gradle": "plugins { id 'java' }", "m_txt": "status code 401"}),
    ("digest-realm", {"a_http": dance(answer(realm="other"))}, {"a_http": dance(answer())}),
    ("digest-uri", {"a_http": dance(answer(uri="/b"))}, {"a_http": dance(answer())}),
    ("digest-qop-not-offered", {"a_http": dance(answer(more=', qop=auth, nc=00000001, cnonce="c"'))}, {"a_http": dance(answer())}),
    ("digest-undefined-value", {"a_http": dance(answer(more=', opaque="undefined"'))}, {"a_http": dance(answer())}),
    ("digest-missing-with-qop", {"a_http": dance(answer(more=", qop=auth"))}, {"a_http": dance(answer())}),
    ("digest-in-form", {"a_http": dance(answer())}, {"a_http": dance(answer(uri="/b"))}),
    ("stale", {"a_http": dance(answer(), last=DIGEST.format(", stale=true"))}, {"a_http": dance(answer())}),
    ("digest-words", {"m_txt": "401. Digest with qop and a nonce, SHA-256."}, {"m_txt": "401. Digest."}),
    ("negotiate-holds-ntlm", {"a_http": get("Negotiate " + ntlm(1), answer=NEGOTIATE)}, {"a_http": get("Negotiate YIIabc0=", answer=NEGOTIATE)}),
    ("ntlm-refused", {"a_http": get("NTLM " + ntlm(3), answer=NTLM)}, {"a_http": get("NTLM " + ntlm(3), answer=GOOD)}),
    ("handshake-refused", {"a_http": get("Negotiate YIIabc0=", answer=NEGOTIATE)}, {"a_http": get("Negotiate YIIabc0=", answer=GOOD)}),
    ("only-windows", {"a_http": get(answer=NEGOTIATE)}, {"a_http": get(answer=ASKS)}),
    ("windows-words", {"m_txt": "401. kinit was done, the keytab is there."}, {"m_txt": "401. The login was done."}),
    ("certificate-wanted", {"n_conf": "ssl_verify_client on;", "m_txt": "401"}, {"n_conf": "ssl_verify_client off;", "m_txt": "401"}),
    ("certificate-asked", {"c_txt": "* TLSv1.3 (IN), TLS handshake, Request CERT (13):\n< HTTP/1.1 401 Unauthorized"}, {"c_txt": "* TLSv1.3 (IN), TLS handshake, Server hello (2):\n< HTTP/1.1 401 Unauthorized"}),
    ("certificate-ended", {"t_txt": DATES.format(2024)}, {"t_txt": DATES.format(2023)}),
    ("certificate-good", {"t_txt": DATES.format(2023)}, {"t_txt": DATES.format(2024)}),
    ("challenge-answered", {"a_http": dance(answer(), last=GOOD)}, {"a_http": dance(answer())}),
    ("told-success-follows", {"m_txt": "Why is the first request always a 401 and then the second is 200?"}, {"m_txt": "Why is every request a 401?"}),
    ("ntlm-through-proxy", {"m_txt": "NTLM behind nginx: 401 again and again, directly it works"}, {"m_txt": "Basic behind nginx: 401 again and again, directly it works"}),
    ("kerberos-other-name", {"m_txt": "Kerberos: 401 with the CNAME, with the real name it works"}, {"m_txt": "LDAP: 401 with the CNAME, with the real name it works"}),
    ("code-without-challenge", {"a_js": "res.status(401).send('no')", "m_txt": "git clone never prompts"}, {"a_js": "res.set('WWW-Authenticate', 'Basic').status(401).send('no')", "m_txt": "git clone never prompts"}),
    ("loopback-in-log", {"iis_log": IIS.format("10.0.0.5"), "m_txt": "Windows authentication"}, {"iis_log": IIS.format("10.0.0.9"), "m_txt": "Windows authentication"}),
    ("loopback-in-words", {"m_txt": "NTLM: 401 when I browse from the server itself, from another machine it works"}, {"m_txt": "NTLM: 401 from my laptop, from another machine it works"}),
    ("handshake-steps", {"n_txt": "GET /a 401 NTLM\nGET /a 401\nGET /a 200\n"}, {"n_txt": "GET /a 401 NTLM\nGET /a 401\nGET /b 200\n"}),
    ("handshake-wondered-at", {"m_txt": "NTLM: why are there two 401s? The third request works."}, {"m_txt": "NTLM: a 401 and no request works."}),
    ("digest-other-realm", {"l_log": LINES.format("b")}, {"l_log": LINES.format("a")}),
    ("digest-answered", {"l_log": LINES.format("b")}, {"l_log": '401 WWW-Authenticate: Digest realm="a", nonce="1"'}),
    ("certificate-ended", {"c_txt": BY_WORDS, "m_txt": "Today is 9 May 2021, 401"}, {"c_txt": BY_WORDS, "m_txt": "Today is 2 May 2021, 401"}),
    ("certificate-ended", {"c_txt": BY_WORDS, "k_log": "I0509 10:00:00 Response Status: 401 Unauthorized"}, {"c_txt": BY_WORDS, "k_log": "I0502 10:00:00 Response Status: 401 Unauthorized"}),
    ("certificate-over-by-now", {"c_txt": BY_WORDS, "m_txt": "401"}, {"c_txt": BY_WORDS.replace("2021", "2121"), "m_txt": "401"}),
    ("certificate-not-yet", {"c_txt": BEGINS.format("09"), "m_txt": "2021-05-03 08:10:00 401"}, {"c_txt": BEGINS.format("08"), "m_txt": "2021-05-03 08:10:00 401"}),
)  # fmt: skip


@pytest.mark.parametrize(("rule", "triggers", "near"), RULES, ids=[rule[0] for rule in RULES])
def test_rule(rule: str, triggers: dict[str, str], near: dict[str, str]) -> None:
    assert rule in found(**triggers)
    assert rule not in found(**near)


def test_a_failure_after_a_good_handshake_is_none() -> None:
    text = dance(answer(), last=GOOD) + "\n" + get(basic("al:no"), path="/b")
    assert "challenge-answered" not in found(a_http=text)


def test_recomputed_response_proves_another_reading() -> None:
    """The client hashed a line break after the password that its command line shows."""
    command = "$ curl --digest -u al:pw12 http://a.example.org/a\n"
    raw = dance(answer(password="pw12\n"))
    inputs = [readers.Input("a.http", raw.encode()), readers.Input("c.txt", command.encode())]
    proved = [f.proves for f in checks.run(readers.read(inputs)) if f.id == "digest-variant"]
    assert proved == ["stray-whitespace"]
