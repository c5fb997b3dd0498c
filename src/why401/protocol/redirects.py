"""What clients drop when they follow a redirect: a credential that was sent, and then was not.

One table, from the sources and manuals of the clients. What a cell means: on this change of place the
client leaves out the Authorization it was given (a hand-written Cookie likewise). Cookies from a jar are
not in it: they follow the rules of cookies.
"""

# A table is read by the line.
# ruff: noqa: E501

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

OTHER_HOST, SUBDOMAIN, OTHER_PORT = "other-host", "subdomain", "other-port"
UPGRADE, DOWNGRADE, SAME = "upgrade", "downgrade", "same-origin"
_PORTS = {"http": 80, "https": 443}

_HOSTS = frozenset({OTHER_HOST, SUBDOMAIN})
_ORIGIN = _HOSTS | {OTHER_PORT, UPGRADE, DOWNGRADE}
_BUT_UPGRADE = _ORIGIN - {UPGRADE}
_ALWAYS = _ORIGIN | {SAME}
_NEVER: frozenset[str] = frozenset()

# Which methods become GET, by status. "post": only POST does; "all": all but GET and HEAD.
_COMMON = {301: "post", 302: "post", 303: "all"}
_REQUESTS = {301: "post", 302: "all", 303: "all"}
_ALL = {301: "all", 302: "all", 303: "all"}


@dataclass(frozen=True, slots=True)
class Client:
    """How one client follows redirects."""

    name: str
    follows: bool  # without being told to
    authorization: frozenset[str]
    cookie: frozenset[str]
    to_get: dict[int, str]
    refuses: frozenset[str] = _NEVER
    note: str = ""


_TABLE = (
    Client("curl", False, _ORIGIN, _ORIGIN, _COMMON, note="-L; --location-trusted keeps them. Before 7.83 the port and scheme did not count."),
    Client("requests", True, _BUT_UPGRADE, _ALWAYS, _REQUESTS, note="A .netrc entry for the new host takes the place of what was dropped."),
    Client("httpx", False, _BUT_UPGRADE, _ALWAYS, _REQUESTS, note="follow_redirects=True"),
    Client("aiohttp", True, _ORIGIN, _ORIGIN, _COMMON, note="A hand-written Cookie was kept by older versions."),
    Client("urllib", True, _NEVER, _NEVER, _COMMON, note="Only GET and HEAD follow 307 and 308. What an auth handler added is dropped and asked for again."),
    Client("go", True, frozenset({OTHER_HOST}), frozenset({OTHER_HOST}), _ALL, note="net/http: subdomains, ports and schemes do not count."),
    Client("browser", True, _ORIGIN, _NEVER, _COMMON, note="fetch: Chromium 119, Firefox 111, Safari 16.1 and later."),
    Client("node-fetch-builtin", True, _ORIGIN, _ORIGIN, _COMMON, note="undici: Node's own fetch."),
    Client("undici", False, _ORIGIN, _ORIGIN, _COMMON, note="request() follows only with the redirect interceptor."),
    Client("axios", True, frozenset({OTHER_HOST, OTHER_PORT, DOWNGRADE}), frozenset({OTHER_HOST, OTHER_PORT, DOWNGRADE}), _COMMON, note="follow-redirects, in Node: subdomains keep them."),
    Client("java", False, _NEVER, _NEVER, _COMMON, frozenset({DOWNGRADE}), "java.net.http: NORMAL follows all but https to http; newer JDKs drop Authorization on another origin."),
    Client("okhttp", True, _ORIGIN, _NEVER, _ALL),
    Client("dotnet", True, _ALWAYS, _NEVER, _COMMON, frozenset({DOWNGRADE}), "HttpClient drops Authorization on every redirect; a CredentialCache answers a new challenge."),
    Client("powershell", True, _ALWAYS, _NEVER, _COMMON, note="-PreserveAuthorizationOnRedirect keeps it."),
    Client("wget", True, _NEVER, _NEVER, _COMMON, note="--header goes to every host (CVE-2021-31879)."),
    Client("httpie", False, _BUT_UPGRADE, _ALWAYS, _REQUESTS, note="--follow; as requests does."),
    Client("postman", True, _HOSTS, _NEVER, _COMMON, note="A setting keeps the Authorization field."),
    Client("git", True, _ORIGIN, _ORIGIN, _COMMON, note="http.followRedirects=initial: only the first request is followed."),
    Client("reqwest", True, _ORIGIN, _ORIGIN, _COMMON),
    Client("guzzle", True, _ORIGIN, _ORIGIN, _COMMON, note="7.4.5 and later."),
)  # fmt: skip
CLIENTS: dict[str, Client] = {client.name: client for client in _TABLE}
_ALIASES = {
    "fetch": "browser", "chromium": "browser", "firefox": "browser", "safari": "browser", "chrome": "browser",
    "node": "node-fetch-builtin", "net/http": "go", "follow-redirects": "axios", "python-requests": "requests",
    "python-httpx": "httpx", "go-http-client": "go", "python-urllib": "urllib", "httpclient": "dotnet",
}  # fmt: skip


def client_named(name: str) -> Client | None:
    low = name.lower()
    return CLIENTS.get(_ALIASES.get(low, low))


def changes(from_url: str, to_url: str) -> frozenset[str]:
    """How the place changes: other-host, subdomain, other-port, upgrade, downgrade; or same-origin."""
    try:
        one, two = urlsplit(from_url), urlsplit(to_url)
        ports = one.port or _PORTS.get(one.scheme), two.port or _PORTS.get(two.scheme)
    except ValueError:
        return frozenset({OTHER_HOST})
    host, other = one.hostname or "", two.hostname or one.hostname or ""
    if two.scheme == "" and two.netloc == "":
        return frozenset({SAME})
    out = set()
    if other != host:
        out.add(SUBDOMAIN if other.endswith("." + host) else OTHER_HOST)
    if one.scheme != two.scheme and two.scheme:
        out.add(UPGRADE if two.scheme == "https" else DOWNGRADE)
    default = ports[0] == _PORTS.get(one.scheme) and ports[1] == _PORTS.get(two.scheme)
    if ports[0] != ports[1] and not default:
        out.add(OTHER_PORT)
    return frozenset(out or {SAME})


def dropped(client: str, from_url: str, to_url: str, status: int, method: str = "GET") -> tuple[str, ...]:
    """What this client leaves out at this redirect: of `redirect`, `authorization`, `cookie`, `method`, `body`.

    `redirect` means that the client does not go there at all. An unknown client drops nothing that we know of.
    """
    known = client_named(client)
    if known is None:
        return ()
    place = changes(from_url, to_url)
    if place & known.refuses:
        return ("redirect",)
    out = [
        what
        for what, where in (("authorization", known.authorization), ("cookie", known.cookie))
        if place & where
    ]
    if method_after(known, status, method) != method.upper():
        out += ["method", "body"]
    return tuple(out)


def method_after(client: Client, status: int, method: str) -> str:
    """The method of the second request (RFC 9110, section 15.4)."""
    method = method.upper()
    rule = client.to_get.get(status)
    if (rule == "post" and method == "POST") or (rule == "all" and method not in ("GET", "HEAD")):
        return "GET"
    return method
