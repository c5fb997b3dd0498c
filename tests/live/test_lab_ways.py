"""Faults of the way: the URL, redirects, caches, hosts, walls, bans, methods, preflights and sessions."""

# A case is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import gzip
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.live.lab import Case, examine, params
from tests.live.sites import GOOD, Answer, Handler, Received, Site, basic, serve, wants

KEY = "tok-8f3a9c1e5b7d2f40"
BEARER = f"Bearer {KEY}"
TOKEN = ("-H", f"Authorization: {BEARER}")
ALICE = ("-u", "alice:s3cret-Pw")
GUARDED = wants(BEARER, "Bearer")


def site(handler: Handler, **names: str) -> Callable[[], AbstractContextManager[Site]]:
    return lambda: serve(handler, names=names)


def only_at(path: str) -> Handler:
    """Guarded everywhere, and the credential counts at one path only."""
    return lambda r: (
        GUARDED(r) if r.path.partition("?")[0] == path else (401, {"WWW-Authenticate": "Bearer"}, "no")
    )


@contextmanager
def elsewhere(status: int = 302, path: str = "/v1/orders", handler: Handler = GUARDED) -> Iterator[Site]:
    """Redirects to another port, where the API is."""
    with serve(handler) as target, serve(lambda _: (status, {"Location": target.url + path}, "")) as front:
        front.names["target"] = target.url
        front.received, front.answered = target.received, target.answered
        yield front


@contextmanager
def other_name(status: int = 301) -> Iterator[Site]:
    """Redirects 127.0.0.1 to localhost, as a site does from its bare name to www."""

    def handler(request: Received) -> Answer:
        if host_of(request).startswith("127.0.0.1"):
            return (
                status,
                {"Location": f"http://localhost:{request.fields['host'].rpartition(':')[2]}{request.path}"},
                "",
            )
        return GUARDED(request)

    with serve(handler) as running:
        running.names["target"] = running.url.replace("127.0.0.1", "localhost")
        yield running


def host_of(request: Received) -> str:
    return request.get("host") or ""


def by_host(request: Received) -> Answer:
    """The API is at its address; another Host falls back to a guarded default site."""
    if host_of(request).startswith("127.0.0.1"):
        return GUARDED(request)
    return 401, {"WWW-Authenticate": 'Basic realm="default"', "Server": "nginx"}, "default site"


def signed_query(request: Received) -> Answer:
    if request.path.startswith("/old"):
        return 302, {"Location": "/files/report.pdf"}, ""
    if "sig=good-0123456789" in request.path:
        return GOOD
    return 401, {}, '{"error": "signature missing"}'


def login_redirect(request: Received) -> Answer:
    if request.path.startswith("/login"):
        page = '<form method="post"><input name="user"><input type="password" name="password"></form>'
        return 200, {"Content-Type": "text/html"}, page
    if "sid=good-1" in (request.get("cookie") or ""):
        return GOOD
    return 302, {"Location": "/login?next=" + request.path}, ""


def cached(request: Received) -> Answer:
    if "?" not in request.path:
        return 401, {"Age": "1200", "X-Cache": "HIT", "WWW-Authenticate": "Bearer"}, "Unauthorized"
    return GUARDED(request)


def silently_cached(request: Received) -> Answer:
    """A cache that shows only by a Cache-Control that lets it store."""
    if "?" not in request.path:
        fields = {"Cache-Control": "public, max-age=600", "Age": "33", "WWW-Authenticate": "Bearer"}
        return 401, fields, "Unauthorized"
    return GUARDED(request)


def preflight(request: Received) -> Answer:
    if request.method == "OPTIONS":
        return 401, {"WWW-Authenticate": "Bearer"}, ""
    return GUARDED(request)


def limited(wait: int) -> Handler:
    begun = time.time()

    def handler(request: Received) -> Answer:
        if time.time() < begun + wait:
            return 401, {"Retry-After": str(wait), "WWW-Authenticate": "Bearer"}, "too many failed logins"
        return GUARDED(request)

    return handler


def wall(request: Received) -> Answer:
    if "Mozilla" not in (request.get("user-agent") or ""):
        return 403, {"Server": "cloudflare", "CF-RAY": "8f-FRA"}, "<title>Attention Required!</title>"
    return GUARDED(request)


def csrf(request: Received) -> Answer:
    if request.method == "GET":
        return GOOD
    if request.get("x-csrf-token") != "n0nce-1":
        return 403, {}, '{"detail": "CSRF Failed: CSRF token missing."}'
    return GOOD


def form_login(request: Received) -> Answer:
    form = request.get("content-type") == "application/x-www-form-urlencoded"
    good = form and request.body == b"username=alice&password=s3cret-Pw"
    return GOOD if good else (401, {}, '{"error": "missing username or password"}')


def json_login(request: Received) -> Answer:
    import json

    try:
        given = json.loads(request.body) if "json" in (request.get("content-type") or "") else {}
    except ValueError:
        given = {}
    good = given == {"username": "alice", "password": "s3cret-Pw"}
    return GOOD if good else (401, {}, '{"error": "invalid credentials"}')


def session(request: Received) -> Answer:
    if "sid=good-1234567890" in (request.get("cookie") or ""):
        return GOOD
    if request.get("cookie"):
        return 401, {"Set-Cookie": "sid=; Max-Age=0"}, '{"error": "session expired"}'
    return 401, {}, '{"error": "not logged in"}'


JAR = "# Netscape HTTP Cookie File\n{rows}\n"


def row(
    domain: str,
    path: str = "/",
    secure: str = "FALSE",
    end: int = 0,
    name: str = "sid",
    value: str = "good-1234567890",
) -> str:
    return "\t".join((domain, "FALSE", path, secure, str(end), name, value))


def jar(*rows: str) -> Callable[[], AbstractContextManager[Site]]:
    @contextmanager
    def start() -> Iterator[Site]:
        with tempfile.TemporaryDirectory() as folder, serve(session) as running:
            path = Path(folder, "jar.txt")
            path.write_text("# Netscape HTTP Cookie File\n" + "\n".join(rows) + "\n")
            running.names["jar"] = str(path)
            yield running

    return start


def gzipped(_: Received) -> Answer:
    body = gzip.compress(b'{"error": "invalid_token", "error_description": "The access token expired"}')
    return 401, {"Content-Encoding": "gzip", "WWW-Authenticate": "Bearer"}, body


def huge(_: Received) -> Answer:
    return (
        401,
        {"WWW-Authenticate": 'Bearer error="invalid_token", error_description="token expired"'},
        "x" * 3_000_000,
    )


def behind(_: Received) -> Answer:
    """A proxy that takes Authorization away from the application behind it."""
    return (
        401,
        {"Via": "1.1 edge", "Server": "awselb/2.0"},
        '{"detail": "Authentication credentials were not provided."}',
    )


CASES = [
    Case("missing-slash", site(only_at("/orders/")), (*TOKEN, "{url}/orders"), ("wrong-url",), True, (KEY,)),
    Case("needless-slash", site(only_at("/orders")), (*TOKEN, "{url}/orders/"), ("wrong-url",), True, (KEY,)),
    Case("capitals-in-path", site(only_at("/v1/orders")), (*TOKEN, "{url}/V1/Orders"), ("wrong-url",), True, (KEY,)),
    Case("doubled-slash", site(only_at("/v1/orders")), (*TOKEN, "{url}/v1//orders"), ("wrong-url",), True, (KEY,)),
    Case("redirect-other-port", elsewhere, (*TOKEN, "{url}/v1/orders"), ("redirect-dropped-credentials",), None, (KEY,), own_requests=2),
    Case("redirect-other-port-allowed", elsewhere, ("--send-credentials-to", "{target}", *TOKEN, "{url}/v1/orders"), ("redirect-dropped-credentials",), True, (KEY,), own_requests=2),
    Case("redirect-other-name", other_name, ("curl", "-L", *TOKEN, "{url}/v1/orders"), ("redirect-dropped-credentials",), None, (KEY,), own_requests=2),
    Case("redirect-user", lambda: elsewhere(handler=wants(basic("alice", "s3cret-Pw"))), ("curl", "-L", *ALICE, "{url}/x"), ("redirect-dropped-credentials",), None, own_requests=2),
    Case("redirect-not-followed", other_name, ("curl", *TOKEN, "{url}/v1/orders"), ("not-an-auth-error",), None, own_failed=0),
    Case("signed-query-dropped", site(signed_query), ("{url}/old/report.pdf?sig=good-0123456789",), ("redirect-dropped-credentials",), True, ("good-0123456789",), own_requests=2),
    Case("login-redirect", site(login_redirect), (*TOKEN, "{url}/account"), ("no-credentials", "wrong-header", "cookie-not-sent", "auth-not-wired", "wrong-scheme"), False, own_requests=2, status=1),
    Case("login-redirect-stale-cookie", site(login_redirect), ("-b", "sid=old-123456", "{url}/account"), ("session-expired", "session-unknown"), False, own_requests=2, status=1),
    Case("cached-401", site(cached), (*TOKEN, "{url}/o"), ("cached-response",), True, (KEY,)),
    Case("cached-by-age", site(silently_cached), (*TOKEN, "{url}/o"), ("cached-response",), True, (KEY,)),
    Case("other-host", site(by_host), (*TOKEN, "-H", "Host: api.example", "{url}/o"), ("wrong-server-answered",), True, (KEY,)),
    Case("resolve-to-fallback", site(by_host), (*TOKEN, "--resolve", "api.example:{port}:127.0.0.1", "http://api.example:{port}/o"), ("wrong-server-answered", "wrong-scheme"), None, (KEY,)),
    Case("agent-wall", site(wall), (*TOKEN, "{url}/o"), ("edge-protection",), True, (KEY,)),
    Case("retry-after", lambda: serve(limited(2)), (*TOKEN, "{url}/o"), ("too-many-attempts",), True, (KEY,)),
    Case("retry-after-long", lambda: serve(limited(900)), (*TOKEN, "{url}/o"), ("too-many-attempts",), False, (KEY,)),
    Case("rate-429", site(lambda _: (429, {"Retry-After": "300", "X-RateLimit-Remaining": "0"}, "slow down")), (*TOKEN, "{url}/o"), ("too-many-attempts",), False, status=1),
    Case("preflight-by-origin", site(preflight), ("-H", "Origin: https://app.example", *TOKEN, "{url}/o"), ("cors-preflight-rejected",), True, (KEY,), status=1),
    Case("preflight-by-hand", site(preflight), ("-X", "OPTIONS", "-H", "Origin: https://app.example", "-H", "Access-Control-Request-Method: GET", "-H", "Access-Control-Request-Headers: authorization", "{url}/o"), ("cors-preflight-rejected",), None, own_failed=0),
    Case("session-expired", site(session), ("-b", "sid=old-1234567890", "{url}/me"), ("session-expired",), False, ("old-1234567890",)),
    Case("cookie-twice", site(lambda r: GOOD if r.get("cookie") == "sid=new-0123456789" else (401, {}, "no session")), ("-b", "sid=old-0123456789; sid=new-0123456789", "{url}/o"), ("cookie-corrupted",), True),
    Case("jar-other-domain", jar(row("shop.example")), ("curl", "-b", "{jar}", "{url}/me"), ("cookie-not-sent",), None, ("good-1234567890",), own_failed=0),
    Case("jar-other-path", jar(row("127.0.0.1", "/admin")), ("curl", "-b", "{jar}", "{url}/me"), ("cookie-not-sent",), None, ("good-1234567890",), own_failed=0),
    Case("jar-secure", jar(row("127.0.0.1", secure="TRUE")), ("curl", "-b", "{jar}", "{url}/me"), ("cookie-not-sent", "https-required"), None, ("good-1234567890",), own_failed=0),
    Case("jar-over", jar(row("127.0.0.1", end=1_600_000_000)), ("curl", "-b", "{jar}", "{url}/me"), ("session-expired", "cookie-not-sent"), None, ("good-1234567890",), own_failed=0),
    Case("csrf", site(csrf), ("-b", "sid=good-1", "-X", "POST", "-d", "a=1", "{url}/o"), ("csrf-rejected",), None),
    Case("login-json-for-form", site(form_login), ("curl", "--json", '{"username": "alice", "password": "s3cret-Pw"}', "{url}/login"), ("login-body-not-read",), False, ("s3cret-Pw",)),
    Case("login-json-for-form-replayed", site(form_login), ("--replay-unsafe", "curl", "--json", '{"username": "alice", "password": "s3cret-Pw"}', "{url}/login"), ("login-body-not-read",), True, ("s3cret-Pw",)),
    Case("login-form-for-json-replayed", site(json_login), ("--replay-unsafe", "-d", "username=alice&password=s3cret-Pw", "{url}/login"), ("login-body-not-read",), True, ("s3cret-Pw",)),
    Case("head", site(wants(basic("alice", "s3cret-Pw"))), ("-I", "-u", "alice:s3cret-Pw ", "{url}/p"), ("stray-whitespace",), True),
    Case("gzip-body", site(gzipped), (*TOKEN, "{url}/o"), ("token-expired",), False),
    Case("huge-body", site(huge), (*TOKEN, "{url}/o"), ("token-expired",), False),
    Case("behind-a-stripping-edge", site(behind), (*TOKEN, "{url}/o"), ("proxy-stripped-credentials",), False, (KEY,)),
]  # fmt: skip


@params(CASES)
def test_a_fault_of_the_way(case: Case, record_property: Callable[[str, object], None]) -> None:
    examine(case, record_property)
