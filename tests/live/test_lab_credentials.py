"""Broken credentials: what travels is not what the server reads."""

# A case is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.live.lab import Case, examine, params
from tests.live.sites import GOOD, Answer, Handler, Received, Site, basic, serve, wants

PW = "s3cret-Pw"
ALICE = basic("alice", PW)
KEY = "tok-8f3a9c1e5b7d2f40"
BEARER = f"Bearer {KEY}"


def site(handler: Handler, **names: str) -> Callable[[], AbstractContextManager[Site]]:
    return lambda: serve(handler, names=names)


def keyed(field: str, words: str = "") -> Handler:
    """An API that reads a key in one field, and says so where `words` does."""

    def handler(request: Received) -> Answer:
        if request.get(field) == KEY:
            return GOOD
        return 401, {"Content-Type": "application/json"}, f'{{"message": "{words or "Unauthorized"}"}}'

    return handler


def key_in_query(request: Received) -> Answer:
    if f"api_key={KEY}" in request.path:
        return GOOD
    return 401, {}, '{"error": "API key missing: pass it as the query parameter api_key"}'


def digest(
    *, realm: str = "lab", algorithm: str = "MD5", want_uri: str = "", stale: bool = False
) -> Callable[[], AbstractContextManager[Site]]:
    """Digest (RFC 7616) written out; `want_uri` is a path that a proxy made of the one asked for."""
    hash_ = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm]

    def h(text: str) -> str:
        return hash_(text.encode()).hexdigest()

    def handler(request: Received) -> Answer:
        given = request.get("authorization") or ""
        nonce = "n0nce-of-the-lab"
        challenge = f'Digest realm="{realm}", nonce="{nonce}", algorithm={algorithm}, qop="auth"'
        if given.startswith("Digest "):
            import re

            p = dict(re.findall(r'(\w+)="?([^",]+)"?', given))
            uri = want_uri or p.get("uri", "")
            ha1, ha2 = h(f"alice:{realm}:{PW}"), h(f"{request.method}:{uri}")
            want = h(":".join((ha1, p.get("nonce", ""), p.get("nc", ""), p.get("cnonce", ""), "auth", ha2)))
            if want == p.get("response") and not stale:
                return GOOD
            if stale:
                challenge += ", stale=true"
        return 401, {"WWW-Authenticate": challenge}, "Unauthorized"

    return lambda: serve(handler)


def open_to_curl_only(request: Received) -> Answer:
    return GOOD if request.get("authorization") == ALICE else (401, {}, "Unauthorized")


NETRC_USER = "machine 127.0.0.1\nlogin bob\npassword other-Pw9\n"


@contextmanager
def with_file(handler: Handler, content: str, name: str) -> Iterator[Site]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder, serve(handler) as running:
        path = Path(folder, name)
        path.write_text(content.replace("{port}", running.url.rpartition(":")[2]))
        running.names["file"] = str(path)
        yield running


WEB = ("-H", f"Authorization: {BEARER}")
BEARER_SITE = site(wants(BEARER, 'Bearer realm="orders"'))
BASIC_SITE = site(wants(ALICE))

CASES = [
    Case("nothing-sent-basic", BASIC_SITE, ("{url}/private",), ("no-credentials",), False, own_failed=0),
    Case("nothing-sent-bearer", BEARER_SITE, ("curl", "{url}/v1/orders"), ("no-credentials",), False, own_failed=0),
    Case("password-with-newline", BASIC_SITE, ("-u", f"alice:{PW}\n", "{url}/p"), ("stray-whitespace",), True, (PW,)),
    Case("token-with-trailing-space", BEARER_SITE, ("-H", f"Authorization: Bearer {KEY}\u00a0", "{url}/p"), ("stray-whitespace",), True, (KEY,)),
    Case("token-quoted", BEARER_SITE, ("-H", f'Authorization: Bearer "{KEY}"', "{url}/p"), ("malformed-authorization",), True, (KEY,)),
    Case("token-single-quoted", BEARER_SITE, ("-H", f"Authorization: Bearer '{KEY}'", "{url}/p"), ("malformed-authorization",), True, (KEY,)),
    Case("scheme-doubled", BEARER_SITE, ("-H", f"Authorization: Bearer Bearer {KEY}", "{url}/p"), ("malformed-authorization",), True, (KEY,)),
    Case("colon-after-scheme", BEARER_SITE, ("curl", "-H", f"Authorization: Bearer: {KEY}", "{url}/p"), ("malformed-authorization",), True, (KEY,)),
    Case("equals-after-scheme", BEARER_SITE, ("curl", "-H", f"Authorization: Bearer={KEY}", "{url}/p"), ("malformed-authorization",), True, (KEY,)),
    Case("no-space-after-scheme", BEARER_SITE, ("curl", "-H", f"Authorization: Bearer{KEY}", "{url}/p"), ("malformed-authorization",), True, (KEY,)),
    Case("oauth2-bearer-doubled", BEARER_SITE, ("curl", "--oauth2-bearer", f"Bearer {KEY}", "{url}/p"), ("malformed-authorization",), True, (KEY,)),
    Case("field-name-in-value", BEARER_SITE, ("-H", f"Authorization: Authorization: Bearer {KEY}", "{url}/p"), ("malformed-authorization",), True, (KEY,)),
    Case("bare-token", BEARER_SITE, ("-H", f"Authorization: {KEY}", "{url}/p"), ("wrong-scheme",), True, (KEY,)),
    Case("token-for-bearer", BEARER_SITE, ("-H", f"Authorization: Token {KEY}", "{url}/p"), ("wrong-scheme",), True, (KEY,)),
    Case("bearer-for-token", site(wants(f"Token {KEY}", 'Token realm="api"')), ("-H", f"Authorization: Bearer {KEY}", "{url}/p"), ("wrong-scheme",), True, (KEY,)),
    Case("bearer-for-basic", BASIC_SITE, ("-H", "Authorization: Bearer " + ALICE[6:], "{url}/p"), ("wrong-scheme",), True, (ALICE[6:],)),
    Case("basic-user-token-for-bearer", BEARER_SITE, ("-u", f"alice:{KEY}", "{url}/p"), ("wrong-scheme",), None, (KEY,)),
    Case("plain-basic", BASIC_SITE, ("-H", f"Authorization: Basic alice:{PW}", "{url}/p"), ("bad-base64",), True, (PW,)),
    Case("basic-twice-encoded", BASIC_SITE, ("-H", "Authorization: Basic " + base64.b64encode(ALICE[6:].encode()).decode(), "{url}/p"), ("bad-base64",), True),
    Case("basic-encoded-newline", BASIC_SITE, ("-H", "Authorization: Basic " + base64.b64encode(f"alice:{PW}\n".encode()).decode(), "{url}/p"), ("stray-whitespace", "bad-base64"), True),
    Case("latin1-expected", site(wants(basic("jörg", "grün-9-Pw", "latin-1"))), ("-u", "jörg:grün-9-Pw", "{url}/p"), ("charset-mismatch",), True, ("grün-9-Pw",)),
    Case("utf8-expected", site(wants(basic("jörg", "grün-9-Pw"), 'Basic realm="lab", charset="UTF-8"')), ("-H", "Authorization: " + basic("jörg", "grün-9-Pw", "latin-1"), "{url}/p"), ("charset-mismatch",), True),
    Case("userinfo-percent", site(wants(basic("alice", "a%41b+c9"))), ("http://alice:a%41b+c9@{host}/p",), ("unescaped-userinfo",), True, ("a%41b+c9",)),
    Case("userinfo-at", site(wants(basic("alice@corp.example", PW))), (f"http://alice%2540corp.example:{PW}@{{host}}/p",), ("unescaped-userinfo",), None, (PW,)),
    Case("misnamed-field", BEARER_SITE, ("-H", f"Authentication: {BEARER}", "{url}/p"), ("wrong-header",), True, (KEY,)),
    Case("key-in-wrong-field", site(keyed("x-api-key", "Missing X-API-Key header")), ("-H", f"X-Auth-Token: {KEY}", "{url}/p"), ("wrong-header",), True, (KEY,)),
    Case("key-as-bearer", site(keyed("x-api-key", "No API key found in request")), (*WEB, "{url}/p"), ("wrong-header",), True, (KEY,)),
    Case("bearer-as-key", BEARER_SITE, ("-H", f"X-Api-Key: {KEY}", "{url}/p"), ("wrong-header",), True, (KEY,)),
    Case("key-in-query-wanted", site(key_in_query), ("-H", f"X-Api-Key: {KEY}", "{url}/p"), ("wrong-header",), True, (KEY,)),
    Case("key-in-query-ignored", site(keyed("x-api-key", "Missing header X-API-Key")), (f"{{url}}/p?api_key={KEY}",), ("wrong-header",), True, (KEY,)),
    Case("token-in-query-ignored", BEARER_SITE, (f"{{url}}/p?access_token={KEY}",), ("wrong-header",), True, (KEY,)),
    Case("placeholder", BEARER_SITE, ("-H", "Authorization: Bearer undefined", "{url}/p"), ("placeholder-credential",), False),
    Case("placeholder-empty", BEARER_SITE, ("-H", "Authorization: Bearer ", "{url}/p"), ("placeholder-credential",), False),
    Case("placeholder-braces", BEARER_SITE, ("-H", "Authorization: Bearer {{token}}", "{url}/p"), ("placeholder-credential",), False),
    Case("placeholder-your-key", site(keyed("x-api-key")), ("-H", "X-API-Key: YOUR_API_KEY", "{url}/p"), ("placeholder-credential",), False),
    Case("wrong-password", BASIC_SITE, ("-u", "alice:other-Pw1", "{url}/p"), ("wrong-password",), False, ("other-Pw1",)),
    Case("pypi-user", site(wants(basic("__token__", "pypi-AgEIcHlwaS5vcmc"))), ("-u", "alice:pypi-AgEIcHlwaS5vcmc", "{url}/p"), ("wrong-user-name-for-token",), True, ("pypi-AgEIcHlwaS5vcmc",)),
    Case("two-authorizations", site(wants(BEARER, "Bearer")), ("curl", "-u", "alice:old-Pw1", "-H", f"Authorization: {BEARER}", "-H", "Authorization: Bearer stale-1234567", "{url}/p"), ("credentials-overridden",), True, (KEY,)),
    Case("netrc-over-header", lambda: with_file(netrc_wins, NETRC_USER, "netrc"), ("curl", "--netrc-file", "{file}", "-b", "sid=x1", "-H", "X-A: b", "{url}/p"), ("credentials-overridden", "stored-credential-stale", "wrong-password"), None, ("other-Pw9",)),
    Case("netrc-stale", lambda: with_file(wants(ALICE), NETRC_USER.replace("bob", "alice"), "netrc"), ("curl", "--netrc-file", "{file}", "{url}/p"), ("stored-credential-stale",), None, ("other-Pw9",)),
    Case("netrc-beats-userless-token", lambda: with_file(api_of_cookie, NETRC_USER, "netrc"), ("curl", "--netrc-file", "{file}", "-b", "sid=good-1234567", "{url}/p"), ("credentials-overridden",), True, ("other-Pw9",)),
    Case("digest-wanted", digest(), ("-u", f"alice:{PW}", "{url}/p"), ("wrong-scheme",), True, (PW,)),
    Case("digest-sha256-wanted", digest(algorithm="SHA-256"), ("-u", f"alice:{PW}", "{url}/p"), ("wrong-scheme",), True, (PW,)),
    Case("digest-uri-rewritten", digest(want_uri="/internal/p"), ("--digest", "-u", f"alice:{PW}", "{url}/p"), ("digest-mismatch", "wrong-password"), False, (PW,), own_requests=2),
    Case("digest-always-stale", digest(stale=True), ("--digest", "-u", f"alice:{PW}", "{url}/p"), ("digest-mismatch",), None, (PW,), own_requests=2, own_failed=2),
    Case("digest-wrong-password", digest(), ("--digest", "-u", "alice:other-Pw1", "{url}/p"), ("wrong-password",), False, ("other-Pw1",)),
    Case("digest-asked-basic-offered", BASIC_SITE, ("curl", "--digest", "-u", f"alice:{PW}", "{url}/p"), ("wrong-scheme", "challenge-not-answered"), True, (PW,)),
    Case("anyauth-no-challenge", site(open_to_curl_only), ("curl", "--anyauth", "-u", f"alice:{PW}", "{url}/p"), ("missing-challenge", "challenge-not-answered"), True, (PW,), own_failed=0),
    Case("needless-bearer", site(lambda r: (401, {"WWW-Authenticate": "Bearer"}, "bad token") if r.get("authorization") else GOOD), (*WEB, "{url}/public"), ("needless-credential-rejected",), True, (KEY,)),
    Case("needless-cookie", site(lambda r: (401, {}, "bad session") if r.get("cookie") else GOOD), ("-b", "sid=stale-12345", "{url}/public"), ("needless-credential-rejected",), True),
    Case("token-user-swapped", site(wants(basic(KEY, ""))), ("-u", f"alice:{KEY}", "{url}/p"), ("wrong-user-name-for-token", "wrong-password"), None, (KEY,)),
]  # fmt: skip


def netrc_wins(request: Received) -> Answer:
    """Takes the cookie alone; a bad login beside it is refused."""
    return GOOD if request.get("cookie") == "sid=x1" and not request.get("authorization") else (401, {}, "no")


def api_of_cookie(request: Received) -> Answer:
    good = request.get("cookie") == "sid=good-1234567" and not request.get("authorization")
    return GOOD if good else (401, {"WWW-Authenticate": 'Basic realm="api"'}, "no")


@params(CASES)
def test_a_broken_credential(case: Case, record_property: Callable[[str, object], None]) -> None:
    examine(case, record_property)
