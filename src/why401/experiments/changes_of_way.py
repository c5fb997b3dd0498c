"""Changes of the way: another URL, cache, proxy, address family, user agent or moment; the credential stays."""

from __future__ import annotations

import dataclasses
import secrets
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from why401.experiments.change import Seen, change
from why401.probes.ask import Ask, without_userinfo
from why401.probes.follow import next_ask

BROWSER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36"
)
LONGEST_WAIT = 20.0  # seconds that a diagnosis waits for a Retry-After


@change("cache-bypassed", "past every cache", "cached-response")
def cache_bypassed(ask: Ask, seen: Seen) -> Iterator[Ask]:
    fields = seen.response.fields
    signs = ("age", "x-cache", "cf-cache-status", "via", "x-varnish", "x-cache-status", "x-proxy-cache")
    if ask.method.upper() == "GET" and any(name in fields for name in signs):
        parts = urlsplit(ask.url)
        query = "&".join(filter(None, (parts.query, f"why401={secrets.token_hex(4)}")))
        fresh = ask.at(parts._replace(query=query).geturl())
        yield fresh.with_field("Cache-Control", "no-cache").with_field("Pragma", "no-cache")


@change(
    "redirect-target",
    "the credential sent to the URL that the redirect points to",
    "redirect-dropped-credentials",
)
def redirect_target(ask: Ask, seen: Seen) -> Iterator[Ask]:
    for exchange in seen.evidence.exchanges:
        onward = next_ask(ask, exchange) if exchange.source.live else None
        if onward is not None and onward.url != ask.url and seen.may_send_to(ask, onward.url):
            yield dataclasses.replace(ask.at(onward.url), follow=False)
            return


@change(
    "query-kept", "the redirect's target with the query that was asked with", "redirect-dropped-credentials"
)
def query_kept(ask: Ask, seen: Seen) -> Iterator[Ask]:
    for exchange in seen.evidence.exchanges:
        first = exchange.request.split
        onward = next_ask(ask.at(first.geturl()), exchange) if exchange.source.live else None
        if onward is None or not first.query or not seen.may_send_to(ask, onward.url):
            continue
        target = urlsplit(onward.url)
        lost = [pair for pair in first.query.split("&") if pair not in target.query.split("&")]
        if lost:
            query = "&".join(filter(None, (target.query, *lost)))
            yield dataclasses.replace(ask.at(target._replace(query=query).geturl()), follow=False)
            return


@change("other-slash", "the URL with, or without, the slash at its end", "wrong-url", neighbour=True)
def other_slash(ask: Ask, seen: Seen) -> Iterator[Ask]:
    parts = urlsplit(ask.url)
    if parts.path not in ("", "/"):
        path = parts.path[:-1] if parts.path.endswith("/") else parts.path + "/"
        yield ask.at(parts._replace(path=path).geturl())


@change("other-case", "the path in lower case", "wrong-url", neighbour=True)
def other_case(ask: Ask, seen: Seen) -> Iterator[Ask]:
    parts = urlsplit(ask.url)
    if parts.path != parts.path.lower():
        yield ask.at(parts._replace(path=parts.path.lower()).geturl())


@change("doubled-slash", "the path without its doubled slash", "wrong-url", neighbour=True)
def doubled_slash(ask: Ask, seen: Seen) -> Iterator[Ask]:
    parts = urlsplit(ask.url)
    if "//" in parts.path:
        path = "/" + "/".join(filter(None, parts.path.split("/")))
        yield ask.at(parts._replace(path=path).geturl())


@change("linked-url", "a URL that the answer itself points to", "wrong-url", neighbour=True)
def linked_url(ask: Ask, seen: Seen) -> Iterator[Ask]:
    import difflib
    import re
    from urllib.parse import urljoin

    path = urlsplit(ask.url).path
    found = re.findall(
        r"""(?:href|src|action|"url"|"path"|"self")["']?\s*[=:]\s*["']([^"'\s<>]+)""",
        seen.response.body or "",
    )
    linked = {urlsplit(urljoin(ask.url, link)).path for link in found[:200]}
    for near in difflib.get_close_matches(path, sorted(linked - {path}), 1, 0.75):
        yield ask.at(urlsplit(ask.url)._replace(path=near).geturl())


@change("https", "the same request over TLS", "https-required", neighbour=True)
def over_tls(ask: Ask, seen: Seen) -> Iterator[Ask]:
    parts = urlsplit(ask.url)
    if parts.scheme != "http":
        return
    for allowed in seen.allowed_origins:
        target = urlsplit(allowed)
        if target.scheme == "https" and target.hostname == parts.hostname:
            yield ask.at(parts._replace(scheme="https", netloc=target.netloc).geturl())


@change(
    "browser-agent",
    "the same request with a browser's User-Agent",
    "edge-protection",
    "client-banned",
    scout=True,
)
def browser_agent(ask: Ask, seen: Seen) -> Iterator[Ask]:
    if "mozilla/" not in (ask.get("user-agent") or "").lower():
        yield ask.with_field("User-Agent", BROWSER)


def retry_after(seen: Seen) -> float:
    """Seconds to wait by the response's Retry-After, or -1 where there is none or it is too long."""
    value = seen.response.fields.get("retry-after") or ""
    seconds = float(value) if value.isdigit() else -1.0
    return seconds + 0.5 if 0 <= seconds <= LONGEST_WAIT else -1.0


@change("after-retry-after", "the same request after the Retry-After", "too-many-attempts", wait=retry_after)
def after_retry_after(ask: Ask, seen: Seen) -> Iterator[Ask]:
    if retry_after(seen) >= 0:
        yield ask


@change("http1", "over HTTP/1.1, which connection-bound schemes need", "challenge-not-answered")
def http1(ask: Ask, seen: Seen) -> Iterator[Ask]:
    bound = {"ntlm", "negotiate"} & set(seen.schemes)
    if bound and (seen.exchange.request.version or "").startswith(("HTTP/2", "HTTP/3")):
        kept = tuple(pair for pair in ask.transport if not pair[0].startswith("http"))
        yield dataclasses.replace(ask, transport=(*kept, ("http1.1", "")))


@change(
    "without-proxy",
    "the same request without the proxy",
    "proxy-stripped-credentials",
    "proxy-authentication-required",
    "not-permitted",
)
def without_proxy(ask: Ask, seen: Seen) -> Iterator[Ask]:
    if any(option == "proxy" for option, _ in ask.transport):
        kept = tuple(pair for pair in ask.transport if not pair[0].startswith("proxy"))
        yield dataclasses.replace(ask, transport=(*kept, ("noproxy", "*")))


@change("own-host", "without the changed Host or address", "wrong-server-answered")
def own_host(ask: Ask, seen: Seen) -> Iterator[Ask]:
    turned = ("resolve", "connect-to")
    if ask.get("host") or any(option in turned for option, _ in ask.transport):
        kept = tuple(pair for pair in ask.transport if pair[0] not in turned)
        yield dataclasses.replace(ask.without(["host"]), transport=kept)


@change("other-family", "over the other address family", "wrong-server-answered", "client-banned", scout=True)
def other_family(ask: Ask, seen: Seen) -> Iterator[Ask]:
    if any(option in ("ipv4", "ipv6", "proxy", "resolve", "connect-to") for option, _ in ask.transport):
        return
    try:
        found = {
            info[0] for info in socket.getaddrinfo(ask.origin[1], ask.origin[2], type=socket.SOCK_STREAM)
        }
    except OSError:
        return
    if {socket.AF_INET, socket.AF_INET6} <= found:
        for family in ("ipv4", "ipv6"):
            yield dataclasses.replace(ask, transport=(*ask.transport, (family, "")))


@change(
    "origin",
    "the application asked directly, past what stands in front",
    "proxy-stripped-credentials",
    "auth-layers-collide",
    "edge-protection",
    "auth-subrequest-rejected",
    "cached-response",
    "client-banned",
    "wrong-server-answered",
    neighbour=True,
    kind="origin",
)
def at_origin(ask: Ask, seen: Seen) -> Iterator[Ask]:
    if seen.origin:
        there, here = urlsplit(seen.origin), urlsplit(without_userinfo(ask.url))
        url = here._replace(scheme=there.scheme, netloc=there.netloc, path=there.path.rstrip("/") + here.path)
        direct = dataclasses.replace(
            ask.at(url.geturl()), transport=_without(ask, "proxy", "resolve", "connect-to")
        )
        yield direct
        yield direct.with_field("Host", ask.get("host") or here.netloc)


@change(
    "via",
    "the same request through the named proxy",
    "client-banned",
    "edge-protection",
    "wrong-server-answered",
    "proxy-authentication-required",
)
def via_proxy(ask: Ask, seen: Seen) -> Iterator[Ask]:
    if seen.via:
        yield dataclasses.replace(ask, transport=(*_without(ask, "proxy", "noproxy"), ("proxy", seen.via)))


def _without(ask: Ask, *options: str) -> tuple[tuple[str, str], ...]:
    return tuple(pair for pair in ask.transport if pair[0] not in options)
