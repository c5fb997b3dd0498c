"""Each rule of the family `session`: one evidence that sets it off, and a healthy near-miss that does not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from why401 import checks
from why401.checks.session_code import _arguments
from why401.evidence import Evidence, Exchange, Fields, Request, Response, Setting, Source, Text

SOURCE = Source("test")
Pairs = dict[str, str]


def exchange(
    line: str,
    status: int,
    sent: Pairs | None = None,
    given: Pairs | None = None,
    body: str = "",
    time: str = "",
) -> Exchange:
    """An exchange from "METHOD URL", a status and fields."""
    method, url = line.split(" ", 1)
    return Exchange(
        0,
        Request(method, url, Fields.of((sent or {}).items())),
        Response(status, "", Fields.of((given or {}).items()), body),
        SOURCE,
        datetime.fromisoformat(time).replace(tzinfo=UTC) if time else None,
    )


def evidence(*items: Exchange | str, settings: dict[str, str] | None = None, code: str = "") -> Evidence:
    """Evidence of exchanges (numbered in order), messages and settings."""
    exchanges = [item for item in items if isinstance(item, Exchange)]
    numbered = [
        Exchange(n, x.request, x.response, x.source, x.time, x.hop, x.client)
        for n, x in enumerate(exchanges, 1)
    ]
    texts = [Text(item, SOURCE) for item in items if isinstance(item, str)]
    if code:
        texts.append(Text(code, Source("app.js"), "code", "javascript"))
    found = tuple(Setting(key.rstrip("+"), value, SOURCE) for key, value in (settings or {}).items())
    return Evidence(tuple(numbered), tuple(texts), settings=found)


def ids(given: Evidence) -> set[str]:
    return {finding.id for finding in checks.run(given)}


HTTPS, HTTP = "https://app.example.com", "http://192.0.2.7:8080"
LOGIN = exchange(f"POST {HTTPS}/login", 200, given={"Set-Cookie": "sid=abc; Path=/; Secure"})
REFUSED = exchange(f"GET {HTTPS}/api/me", 401)
CARRIED = exchange(f"GET {HTTPS}/api/me", 401, {"Cookie": "sid=abc"})


def login(url: str, cookie: str, **sent: str) -> Exchange:
    return exchange(
        f"POST {url}/login", 200, {k.replace("_", "-"): v for k, v in sent.items()}, {"Set-Cookie": cookie}
    )


RULES = [
    ("set-cookie-refused", evidence(login(HTTP, "sid=a; Secure")), evidence(login(HTTPS, "sid=a; Secure"))),
    (
        "set-cookie-refused",
        evidence(login(HTTPS, "sid=a; Domain=b.example")),
        evidence(login(HTTPS, "sid=a")),
    ),
    (
        "set-cookie-refused",
        evidence("Host: 192.0.2.9\nSet-Cookie: auth=x; Secure", "opened as http://192.0.2.9"),
        evidence("Host: 192.0.2.9\nSet-Cookie: auth=x; Secure", "opened as https://192.0.2.9"),
    ),
    (
        "set-cookie-cross-site",
        evidence(login(HTTPS, "sid=a; Secure", origin="https://other.example")),
        evidence(login(HTTPS, "sid=a; Secure; SameSite=None", origin="https://other.example")),
    ),
    (
        "set-cookie-cross-site",
        evidence(login(HTTPS, "sid=a; Secure", origin="https://other.example")),
        evidence(login(HTTPS, "sid=a; Secure", origin="https://www.example.com")),
    ),
    (
        "cookie-loopback-names",
        evidence(login("http://127.0.0.1:5000", "session=a", origin="http://localhost:3000")),
        evidence(login("http://localhost:5000", "session=a", origin="http://localhost:3000")),
    ),
    (
        "cookie-left-out-by-rule",
        evidence(login(HTTPS, "sid=a; Path=/auth"), REFUSED),
        evidence(login(HTTPS, "sid=a; Path=/"), CARRIED),
    ),
    (
        "cookie-left-out-cross-origin",
        evidence(
            login(HTTPS, "sid=a; Secure; SameSite=None"),
            exchange(f"GET {HTTPS}/api", 401, {"Origin": "https://www.example.com"}),
        ),
        evidence(LOGIN, CARRIED),
    ),
    ("cookie-not-carried", evidence(LOGIN, REFUSED), evidence(LOGIN, CARRIED)),
    ("cookie-not-carried", evidence(LOGIN, REFUSED), evidence(REFUSED, LOGIN)),
    (
        "fetch-dest-plain",
        evidence(exchange(f"GET {HTTPS}/m", 401, {"Sec-Fetch-Dest": "manifest"})),
        evidence(exchange(f"GET {HTTPS}/m", 401, {"Sec-Fetch-Dest": "document"})),
    ),
    (
        "fetch-cross-origin-plain",
        evidence(exchange(f"GET {HTTPS}/a", 401, {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "cross-site"})),
        evidence(
            exchange(f"GET {HTTPS}/a", 401, {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"})
        ),
    ),
    (
        "fetch-crossorigin",
        evidence(exchange(f"GET {HTTPS}/a", 401, {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "script"})),
        evidence(exchange(f"GET {HTTPS}/a", 401, {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"})),
    ),
    (
        "cookie-odd",
        evidence(exchange(f"GET {HTTPS}/a", 401, {"Cookie": "sid=a; sid=b"})),
        evidence(exchange(f"GET {HTTPS}/a", 401, {"Cookie": "sid=a; theme=b"})),
    ),
    (
        "cookie-odd",
        evidence(exchange(f"GET {HTTPS}/a", 401, {"Cookie": "session-token.0=a; session-token.2=b"})),
        evidence(exchange(f"GET {HTTPS}/a", 401, {"Cookie": "session-token.0=a; session-token.1=b"})),
    ),
    (
        "cookie-two-ports",
        evidence(login("http://192.0.2.7:3000", "sid=a"), login("http://192.0.2.7:3001", "sid=b")),
        evidence(login("http://192.0.2.7:3000", "sid=a"), login("http://192.0.2.7:3001", "other_sid=b")),
    ),
    (
        "cookie-two-scopes",
        evidence(login(HTTPS, "sid=a; Domain=example.com"), login(HTTPS, "sid=b")),
        evidence(login(HTTPS, "sid=a; Domain=example.com"), login(HTTPS, "sid=b; Domain=.example.com")),
    ),
    (
        "cookie-other-value",
        evidence(LOGIN, exchange(f"GET {HTTPS}/a", 401, {"Cookie": "sid=zzz"})),
        evidence(LOGIN, exchange(f"GET {HTTPS}/a", 401, {"Cookie": "sid=a..."})),
    ),
    (
        "session-cookie-carried",
        evidence(CARRIED),
        evidence(exchange(f"GET {HTTPS}/a", 401, {"Cookie": "theme=1"})),
    ),
    (
        "session-cookie-replaced",
        evidence(exchange(f"GET {HTTPS}/a", 401, {"Cookie": "sid=a"}, {"Set-Cookie": "sid=b"})),
        evidence(exchange(f"GET {HTTPS}/a", 401, {"Cookie": "sid=a"}, {"Set-Cookie": "lang=b"})),
    ),
    (
        "session-cookie-outlived",
        evidence(
            exchange(
                f"POST {HTTPS}/login", 200, given={"Set-Cookie": "sid=a; Max-Age=60"}, time="2024-01-01T10:00"
            ),
            exchange(f"GET {HTTPS}/a", 401, {"Cookie": "sid=a"}, time="2024-01-01T11:00"),
        ),
        evidence(
            exchange(
                f"POST {HTTPS}/login",
                200,
                given={"Set-Cookie": "sid=a; Max-Age=9999"},
                time="2024-01-01T10:00",
            ),
            exchange(f"GET {HTTPS}/a", 401, {"Cookie": "sid=a"}, time="2024-01-01T11:00"),
        ),
    ),
    (
        "login-without-cookie",
        evidence(
            exchange(f"POST {HTTPS}/login", 200, given={"Via": "1", "X": "1"}), code="passport.session()"
        ),
        evidence(
            exchange(f"POST {HTTPS}/login", 200, given={"Via": "1", "X": "1"}, body='{"token":"eyJ"}'),
            code="passport.session()",
        ),
    ),
    (
        "login-sets-cookie",
        evidence(LOGIN, code="passport.session()"),
        evidence(REFUSED, code="passport.session()"),
    ),
    (
        "anonymous-after-login",
        evidence("POST /api/login 200\nGET /api/me 401\n"),
        evidence("GET /api/me 401\nPOST /api/login 200\nGET /api/me 200\n"),
    ),
    (
        "reads-but-may-not-write",
        evidence(
            exchange(f"GET {HTTPS}/a", 200, {"Cookie": "sid=a"}),
            exchange(f"POST {HTTPS}/a", 403, {"Cookie": "sid=a"}),
        ),
        evidence(
            exchange(f"GET {HTTPS}/a", 401, {"Cookie": "sid=a"}),
            exchange(f"POST {HTTPS}/a", 403, {"Cookie": "sid=a"}),
        ),
    ),
    (
        "token-without-session",
        evidence(
            exchange(f"GET {HTTPS}/crumbIssuer/api/json", 200),
            exchange(f"POST {HTTPS}/job", 403, {"Jenkins-Crumb": "x"}),
        ),
        evidence(
            exchange(f"GET {HTTPS}/crumbIssuer/api/json", 200),
            exchange(f"POST {HTTPS}/job", 403, {"Jenkins-Crumb": "x", "Cookie": "JSESSIONID=1"}),
        ),
    ),
    ("mixed-answers", evidence("200\n401\n200\n401\n401\n"), evidence("401\n401\n401\n200\n200\n")),
    (
        "worked-then-refused",
        evidence("200\n200\n200\n200\n401\n401\n"),
        evidence("200\n200\n200\n401\n200\n200\n"),
    ),
    (
        "strict-from-outside",
        evidence(exchange(f"GET {HTTPS}/", 401, {"Sec-Fetch-Site": "cross-site"}), code="sameSite: 'strict'"),
        evidence(
            exchange(f"GET {HTTPS}/", 401, {"Sec-Fetch-Site": "same-origin"}), code="sameSite: 'strict'"
        ),
    ),
    (
        "secret-two-values",
        evidence(settings={"a.SECRET_KEY": "one-value", "b.SECRET_KEY": "two-value"}),
        evidence(settings={"a.SECRET_KEY": "one-value", "b.SECRET_KEY": "one-value"}),
    ),
    (
        "refused-since-restart",
        evidence("GET /a 200\nRestarting...\nGET /a 401\n"),
        evidence("Restarting...\nGET /a 200\nGET /b 200\n"),
    ),
    (
        "secret-fixed",
        evidence(settings={"JWT_SECRET": "always-this"}),
        evidence(settings={"JWT_SECRET": "${JWT}"}),
    ),
    (
        "server-side-fetch",
        evidence("session cookie; 401", code="export async function load() { return fetch(api('/me')) }"),
        evidence("session cookie; 401", code="export async function load({ fetch }) { return fetch('/me') }"),
    ),
    (
        "python-requests-no-session",
        evidence(code="requests.post(u + '/login', json=c)\nrequests.get(u + '/me')"),
        evidence(code="s = requests.Session()\ns.post(u + '/login')\nrequests.get(u + '/me')"),
    ),
    (
        "browser-code-asks-for-no-cookies",
        evidence("app.use(cors()) and a session cookie", code="fetch('https://api.example.com/me')"),
        evidence("app.use(cors()) and a session cookie", code="fetch(u, { credentials: 'include' })"),
    ),
    (
        "some-calls-ask",
        evidence(code="axios.post(u, b, { withCredentials: true }); axios.get(u)"),
        evidence(code="axios.post(u, b, { withCredentials: true }); axios.get(u, { withCredentials: true })"),
    ),
    (
        "same-origin-only",
        evidence(code="fetch('https://a.example', { credentials: 'same-origin' })"),
        evidence(code="fetch('https://a.example', { credentials: 'include' })"),
    ),
    (
        "two-loopback-names",
        evidence("VITE_API=http://127.0.0.1:5000\nopened http://localhost:3000, session cookie"),
        evidence("proxy_pass http://127.0.0.1:5000;\nopened http://localhost:3000, session cookie"),
    ),
    (
        "express-secure-no-trust-proxy",
        evidence(code="app.use(session({ cookie: { secure: true } }))"),
        evidence(code="app.set('trust proxy', 1); app.use(session({ cookie: { secure: true } }))"),
    ),
    (
        "secret-made-at-start",
        evidence(code="app.secret_key = os.urandom(24)"),
        evidence(code="app.secret_key = os.environ['SECRET_KEY']"),
    ),
    (
        "jenkins-crumb",
        evidence("HTTP ERROR 403 No valid crumb was included in the request"),
        evidence("HTTP ERROR 403 alice is missing the Job/Build permission"),
    ),
    (
        "firefox-cookie-nonhttps-secure",
        evidence("Cookie “sid” has been rejected because a non-HTTPS cookie can’t be set as “secure”."),
        evidence("Cookie “sid” has been set"),
    ),
]


@pytest.mark.parametrize(("rule", "sick", "healthy"), RULES, ids=[f"{n}-{r[0]}" for n, r in enumerate(RULES)])
def test_rule(rule: str, sick: Evidence, healthy: Evidence) -> None:
    assert rule in ids(sick)
    assert rule not in ids(healthy)


def test_findings_quote_no_credentials() -> None:
    given = evidence(
        login(HTTP, "sid=hidden-value-1; Secure"),
        exchange(f"GET {HTTP}/a", 401, {"Cookie": "sid=hidden-value-2"}),
    )
    assert not any("hidden-value" in finding.says for finding in checks.run(given))


@pytest.mark.parametrize(("code", "inside"), [("a, { b: (c) }) d", "a, { b: (c) }"), ("a", "a")])
def test_arguments(code: str, inside: str) -> None:
    assert _arguments(code, 0) == inside
