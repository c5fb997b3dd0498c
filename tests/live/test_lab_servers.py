"""Real servers with one fault each, in the words in which they answer themselves."""

# A case is read a line at a time, however long the line.
# ruff: noqa: E501, SIM117

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.live.lab import Case, examine, params
from tests.live.real import apache, nginx, squid
from tests.live.sites import GOOD, Answer, Received, Site, serve, wants

KEY = "tok-8f3a9c1e5b7d2f40"
TOKEN = ("-H", f"Authorization: Bearer {KEY}")
ALICE = ("-u", "alice:s3cret-Pw")
BASIC = 'auth_basic "lab"; auth_basic_user_file {dir}/htpasswd;'
LISTEN = "listen 127.0.0.1:{port};"


def one(location: str, *, more: str = "", http: str = "") -> Callable[[], AbstractContextManager[Site]]:
    return lambda: nginx(f"server {{ {LISTEN} location / {{ {location} }} {more} }}", http=http)


def httpd(directory: str, **rest: str) -> Callable[[], AbstractContextManager[Site]]:
    return lambda: apache(directory, **rest)  # type: ignore[arg-type]


def anonymous_words(request: Received) -> Answer:
    """An application that says that it saw no credential."""
    if request.get("authorization") == f"Bearer {KEY}":
        return GOOD
    return (
        401,
        {"WWW-Authenticate": "Bearer", "Content-Type": "application/json"},
        '{"detail": "Authentication credentials were not provided."}',
    )


@contextmanager
def stripping(directives: str = 'proxy_set_header Authorization "";') -> Iterator[Site]:
    """nginx that takes Authorization away from the application behind it; `{app}` is the application itself."""
    with (
        serve(anonymous_words) as app,
        nginx(
            f"server {{ {LISTEN} location / {{ {directives} add_header Via '1.1 edge' always; proxy_pass {app.url}; }} }}"
        ) as front,
    ):
        front.names["app"] = app.url
        yield front


@contextmanager
def two_layers() -> Iterator[Site]:
    """Basic in front, Bearer behind: one field for both."""
    with serve(wants(f"Bearer {KEY}", "Bearer")) as app:
        with nginx(f"server {{ {LISTEN} location / {{ {BASIC} proxy_pass {app.url}; }} }}") as front:
            front.names["app"] = app.url
            yield front


@contextmanager
def cache() -> Iterator[Site]:
    """A proxy that kept the 401 of somebody without a credential."""
    with serve(wants(f"Bearer {KEY}", "Bearer")) as app:
        http = "proxy_cache_path {dir}/c keys_zone=z:1m;"
        location = f"proxy_cache z; proxy_cache_valid 401 10m; proxy_cache_key $request_uri; add_header X-Cache-Status $upstream_cache_status always; proxy_pass {app.url};"
        with nginx(f"server {{ {LISTEN} location / {{ {location} }} }}", http=http) as front:
            import urllib.error
            import urllib.request

            try:
                urllib.request.urlopen(front.url + "/p")
            except urllib.error.HTTPError:
                front.log.write_text("")  # type: ignore[attr-defined]
            yield front


@contextmanager
def behind_squid() -> Iterator[Site]:
    with serve(wants(f"Bearer {KEY}", "Bearer")) as app, squid(app) as site:
        yield site


@contextmanager
def apache_front() -> Iterator[Site]:
    """Apache httpd in front takes Authorization away."""
    with serve(anonymous_words) as app:
        main = f"<Location /api/>\nRequestHeader unset Authorization\nProxyPass {app.url}/\n</Location>"
        with apache("Require all granted", main=main) as front:
            yield front


SUBREQUEST = "auth_request /auth; try_files $uri =404;"
FALLBACK = (
    "server { listen 127.0.0.1:{port} default_server; location / { " + BASIC + " } }"
    "server { listen 127.0.0.1:{port}; server_name api.example; location / { try_files $uri =404; } }"
)
VALID = 'AuthType Basic\nAuthName "lab"\nAuthUserFile {dir}/htpasswd\nRequire valid-user'
DIGEST = 'AuthType Digest\nAuthName "lab"\nAuthDigestProvider file\nAuthUserFile {dir}/htdigest\nRequire valid-user'

CASES = [
    Case("nginx-no-credentials", one(BASIC), ("{url}/p",), ("no-credentials",), False, own_failed=0),
    Case("nginx-wrong-password", one(BASIC), ("-u", "alice:other-Pw1", "{url}/p"), ("wrong-password",), False, ("other-Pw1",)),
    Case("nginx-newline", one(BASIC), ("-u", "alice:s3cret-Pw\n", "{url}/p"), ("stray-whitespace",), True, ("s3cret-Pw",)),
    Case("nginx-bearer", one(BASIC), (*TOKEN, "{url}/p"), ("wrong-scheme", "auth-layers-collide"), False, (KEY,)),
    Case("nginx-missing-file", one('auth_basic "lab"; auth_basic_user_file {dir}/nowhere;'), (*ALICE, "{url}/p"), ("password-file-problem",), False, status=1),
    Case("nginx-rate-limit", one("limit_req zone=l; " + BASIC, http="limit_req_zone $binary_remote_addr zone=l:1m rate=1r/m; limit_req_status 429;"), (*ALICE, "{url}/p"), ("too-many-attempts",), False, own_failed=0),
    Case("nginx-address-denied", one("allow 10.0.0.0/8; deny all; " + BASIC), (*ALICE, "{url}/p"), ("client-banned", "not-permitted"), False),
    Case("nginx-agent-denied", one('if ($http_user_agent ~* "curl") { return 403; } ' + BASIC), (*ALICE, "{url}/p"), ("edge-protection", "client-banned"), True),
    Case("nginx-subrequest", one(SUBREQUEST, more="location = /auth { internal; return 401; }"), (*TOKEN, "{url}/p"), ("auth-subrequest-rejected",), None, (KEY,)),
    Case("nginx-vhost", lambda: nginx(FALLBACK), ("-H", "Host: wrong.example", *TOKEN, "{url}/p"), ("wrong-server-answered", "wrong-scheme", "auth-layers-collide"), None, (KEY,)),
    Case("nginx-strips", stripping, (*TOKEN, "{url}/o"), ("proxy-stripped-credentials",), False, (KEY,)),
    Case("nginx-strips-origin", stripping, ("--origin", "{app}", *TOKEN, "{url}/o"), ("proxy-stripped-credentials",), True, (KEY,)),
    Case("two-layers-basic", two_layers, (*ALICE, "{url}/o"), ("auth-layers-collide",), None),
    Case("two-layers-bearer", two_layers, (*TOKEN, "{url}/o"), ("auth-layers-collide", "wrong-scheme"), None, (KEY,)),
    Case("two-layers-origin", two_layers, ("--origin", "{app}", *TOKEN, "{url}/o"), ("auth-layers-collide",), True, (KEY,)),
    Case("nginx-cached", cache, (*TOKEN, "{url}/p"), ("cached-response",), True, (KEY,)),
    Case("apache-bearer", httpd(VALID), (*TOKEN, "{url}/p"), ("wrong-scheme", "auth-layers-collide"), False, (KEY,)),
    Case("apache-doubled", httpd(VALID), ("-H", "Authorization: Basic Basic YWxpY2U6czNjcmV0LVB3", "{url}/p"), ("malformed-authorization",), True),
    Case("apache-digest-for-basic", httpd(DIGEST), (*ALICE, "{url}/p"), ("wrong-scheme",), True),
    Case("apache-digest-wrong", httpd(DIGEST), ("--digest", "-u", "alice:other-Pw1", "{url}/p"), ("wrong-password", "digest-mismatch"), False, ("other-Pw1",)),
    Case("apache-digest-other-realm", httpd(DIGEST.replace('"lab"', '"other"')), ("--digest", *ALICE, "{url}/p"), ("wrong-password", "digest-mismatch"), False),
    Case("apache-digest-url", httpd(DIGEST), ("curl", "--digest", "http://alice:s3cret-Pw@127.0.0.1:{port}/p",), ("expected-challenge",), False),
    Case("apache-group", httpd(VALID.replace("valid-user", "group staff") + "\nAuthGroupFile {dir}/groups"), (*ALICE, "{url}/p"), ("not-permitted", "wrong-password"), False),
    Case("apache-denied", httpd("Require ip 10.0.0.0/8"), (*ALICE, "{url}/p"), ("client-banned", "not-permitted"), False),
    Case("apache-htaccess", httpd("", htaccess=VALID), ("{url}/p",), ("no-credentials",), False, own_failed=0),
    Case("apache-missing-file", httpd(VALID.replace("htpasswd", "nowhere")), (*ALICE, "{url}/p"), ("password-file-problem",), False, status=1),
    Case("apache-cgi", httpd("Require all granted"), (*TOKEN, "{url}/cgi/app"), ("gateway-stripped-credentials",), None, (KEY,)),
    Case("apache-proxy-strips", apache_front, (*TOKEN, "{url}/api/o"), ("proxy-stripped-credentials", "gateway-stripped-credentials"), None, (KEY,)),
    Case("squid-without", behind_squid, ("-x", "{proxy}", *TOKEN, "{url}/o"), ("proxy-authentication-required",), None, (KEY,)),
    Case("squid-wrong", behind_squid, ("-x", "http://alice:nope-Pw1@{proxyhost}", *TOKEN, "{url}/o"), ("proxy-authentication-required",), None, ("nope-Pw1",)),
    Case("squid-in-authorization", behind_squid, ("-x", "{proxy}", "-u", "alice:pr0xy-Pw", "{url}/o"), ("proxy-authentication-required",), None, ("pr0xy-Pw",)),
    Case("squid-tunnel", behind_squid, ("-x", "{proxy}", *TOKEN, "https://{host}/o"), ("proxy-authentication-required",), None, (KEY,)),
]  # fmt: skip


@params(CASES)
def test_a_fault_of_a_real_server(case: Case, record_property: Callable[[str, object], None]) -> None:
    examine(case, record_property)


SOUND = [
    Case("nginx-basic", one(BASIC), (*ALICE, "{url}/p"), ("not-an-auth-error",), False),
    Case("nginx-basic-in-url", one(BASIC), ("http://alice:s3cret-Pw@127.0.0.1:{port}/p",), ("not-an-auth-error",), False),
    Case("nginx-public", one(""), ("{url}/p",), ("not-an-auth-error",), False),
    Case("nginx-404", one(""), (*TOKEN, "{url}/nowhere"), ("not-an-auth-error",), False),
    Case("nginx-500", one("return 500;"), (*TOKEN, "{url}/p"), ("not-an-auth-error",), False),
    Case("nginx-anyauth", one(BASIC), ("curl", "--anyauth", *ALICE, "{url}/p"), ("expected-challenge", "not-an-auth-error"), False),
    Case("apache-basic", httpd(VALID), (*ALICE, "{url}/p"), ("not-an-auth-error",), False),
    Case("apache-digest", httpd(DIGEST), ("--digest", *ALICE, "{url}/p"), ("expected-challenge", "not-an-auth-error"), False),
    Case("squid-good", behind_squid, ("-x", "http://alice:pr0xy-Pw@{proxyhost}", *TOKEN, "{url}/o"), ("not-an-auth-error",), False),
    Case("two-layers-public", one("try_files $uri =404;"), (*TOKEN, "{url}/p"), ("not-an-auth-error",), False),
]  # fmt: skip


@params(SOUND)
def test_a_sound_server(case: Case, record_property: Callable[[str, object], None]) -> None:
    examine(case, record_property)
