"""Checks of the family `intermediary`: what was lost, replaced or asked for between client and application.

Two facts decide most cases. One: the credential was sent, and the answer is the one for nobody. Two: who
speaks, the application or something in front of it. The response's own fields tell both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from why401.checks import check, intermediary_layers
from why401.evidence import Evidence, Exchange
from why401.findings import AGAINST, CLEAR, FAINT, HINT, NAMED, RULED_OUT, STRONG, Finding, Where
from why401.prefilter import lazy
from why401.protocol import challenges

__all__ = ["intermediary_layers"]

#: What applications say to a request in which they saw no credential (frameworks' own texts).
ANONYMOUS: Final = lazy(
    r"(?i)credentials were not provided|not[ _]logged[ _]in|no (?:auth\w*|access|bearer|jwt)[ _]?(?:token|header)?"
    r"[^\n]{0,20}(?:found|provided|present|supplied)|missing (?:auth\w*|bearer|token|access)|token (?:is )?missing"
    r"|token not (?:found|provided)|(?:auth\w*|token|jwt) (?:is )?required|jwt must be provided|unauthenticated"
    r"|not authenticated|full authentication is required|anonymous|rest_cannot_|rest_forbidden|rest_not_logged_in"
    r"|no credentials|no api ?key|no_auth|missing_auth|header (?:not found|is missing|missing|not set)"
    r"|authentication required|need to sign in|not allowed to (?:do|create|view|edit|list)"
)

#: Fields by which an intermediary shows itself: name, pattern of the value, what it is.
FRONTS: Final = (
    ("via", r".", "a proxy"),
    ("x-cache", r".", "a cache or CDN"),
    ("x-amz-cf-id", r".", "CloudFront"),
    ("cf-ray", r".", "Cloudflare"),
    ("x-served-by", r"cache", "Fastly"),
    ("x-varnish", r".", "Varnish"),
    ("x-envoy-upstream-service-time", r".", "Envoy"),
    ("x-kong-proxy-latency", r".", "Kong"),
    ("x-amzn-requestid", r".", "an AWS gateway"),
    ("apigw-requestid", r".", "API Gateway"),
    ("x-azure-ref", r".", "Azure Front Door"),
    ("x-proxy-cache", r".", "a caching proxy"),
    ("server", r"cloudflare|cloudfront|awselb|akamai|envoy|varnish|kong|istio|gws|openresty", "an edge"),
)

#: Signs of a gateway that passes only part of the fields to the program: PHP, CGI, mod_wsgi behind Apache.
GATEWAYS: Final = (
    ("x-powered-by", r"php|wordpress|phusion|plesk"),
    ("server", r"apache|litespeed|mod_wsgi|wsgi|cgi"),
    ("set-cookie", r"phpsessid|wordpress_|laravel_session|joomla|PrestaShop"),
    ("x-generator", r"drupal|joomla|wordpress"),
    ("link", r"api\.w\.org"),
)

_OWN_PAGE: Final = lazy(
    r"401 Authorization Required|This server could not verify that you|You need a valid user and password"
)
_TOKEN_SCHEMES: Final = frozenset({"bearer", "token", "jwt", "dpop", "apikey", "api-key"})


def _authorization(exchange: Exchange) -> str | None:
    return exchange.request.fields.get("authorization")


def _scheme(exchange: Exchange) -> str:
    return (_authorization(exchange) or "").strip().split(" ", 1)[0].lower()


def _matches(exchange: Exchange, name: str, pattern: str) -> bool:
    values = exchange.response.fields.all(name) if exchange.response else []
    return any(re.search(pattern, value, re.I) for value in values)


def _front(exchange: Exchange) -> str | None:
    """What stands in front of the application, by the response's fields."""
    return next((what for name, pattern, what in FRONTS if _matches(exchange, name, pattern)), None)


def _gateway(exchange: Exchange) -> bool:
    return any(_matches(exchange, name, pattern) for name, pattern in GATEWAYS)


def _challenges(exchange: Exchange) -> Sequence[challenges.Challenge]:
    values = exchange.response.fields.all("www-authenticate") if exchange.response else []
    return challenges.parse(values).challenges


@check
def taken_for_nobody(evidence: Evidence) -> Iterator[Finding]:
    """Authorization was sent, yet the application speaks as to a visitor: who stands between tells who lost it."""
    for exchange in evidence.refused:
        body = exchange.response.body if exchange.response else None
        if not _authorization(exchange) or not body or not ANONYMOUS.search(body):
            continue
        front, gateway = _front(exchange), _gateway(exchange)
        if not front and not gateway:
            continue
        weights = {"no-credentials": -14.0, "wrong-password": AGAINST, "token-expired": AGAINST}
        if gateway:
            weights |= {"gateway-stripped-credentials": CLEAR, "auth-not-wired": FAINT}
        if front:
            weights |= {"proxy-stripped-credentials": CLEAR if not gateway else HINT}
        passed = front or "a web server that hands requests to a program (PHP, CGI, WSGI)"
        yield Finding(
            "taken-for-nobody",
            f"Authorization was sent, the answer is the one for a request without it, and {passed} lies between.",
            weights,
            Where.at(exchange),
            group="anonymous",
        )
        return


@check
def field_changed(evidence: Evidence) -> Iterator[Finding]:
    """A hop's configuration or code drops or replaces a field that can carry the credential."""
    for change in evidence.changes:
        # Set-Cookie and the challenges belong to the answer: what drops them is another fault.
        if change.what not in ("drops", "overwrites", "renames") or not re.search(
            r"(?i)^(?!set-|www-|proxy-authenticate).*(?:authorization|cookie|api[-_]?key|token|auth)",
            change.name,
        ):
            continue
        inner = re.search(r"(?i)php|cgi|wsgi|fpm|fcgi|gateway interface", change.hop or "")
        cause = "gateway-stripped-credentials" if inner else "proxy-stripped-credentials"
        verb = {"drops": "removes", "overwrites": "replaces", "renames": "renames"}[change.what]
        yield Finding(
            "field-changed",
            f"{change.hop or 'A hop on the way'} {verb} {change.name} before the request goes on.",
            {cause: NAMED, "no-credentials": AGAINST},
            Where.of(change.source, field=change.name),
            group="field-changed",
        )


def _carried(evidence: Evidence, exchange: Exchange) -> str | None:
    """The Authorization field of a request, or the variable that a command took it from."""
    offers = (o for o in evidence.offers if o.exchange == exchange.number and o.name == "Authorization")
    return _authorization(exchange) or next((o.provenance for o in offers if "shell:" in o.provenance), None)


def _same_request(one: Exchange, other: Exchange) -> bool:
    """The same method and credential, and one path ends like the other (a prefix may differ)."""
    mine, theirs = one.request, other.request
    paths = (mine.path.rstrip("/"), theirs.path.rstrip("/"))
    alike = paths[0].endswith(paths[1]) or paths[1].endswith(paths[0])
    return alike and (mine.method or "GET") == (theirs.method or "GET") and _scheme(one) == _scheme(other)


@check
def lost_on_one_way(evidence: Evidence) -> Iterator[Finding]:
    """The same request with the same credential is accepted at one address and refused at another."""
    for bad in evidence.refused:
        for good in evidence.succeeded:
            if not _carried(evidence, bad) or not _same_request(bad, good):
                continue
            if (bad.request.host or "") == (good.request.host or ""):
                continue
            if _carried(evidence, bad) != _carried(evidence, good):
                continue
            front = _front(bad)
            if front is None and not _direct(good.request.host or ""):
                continue
            yield Finding(
                "lost-on-one-way",
                f"{good.request.host} accepts the very request that {bad.request.host} refuses"
                + (f", and {front} stands in front of the second." if front else ": the way differs."),
                {
                    "proxy-stripped-credentials": STRONG,
                    "wrong-environment": FAINT,
                    "token-expired": RULED_OUT,
                    "wrong-password": RULED_OUT,
                    "credential-revoked": RULED_OUT,
                },
                Where.at(bad),
                group="direct",
            )
            return


def _direct(host: str) -> bool:
    """An address that only stands for the server itself: loopback, private network, bare name or own port."""
    return bool(
        re.match(r"(?:localhost|127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|[\w-]+(?::\d+)?$)", host)
    )


@check
def arrived_before(evidence: Evidence) -> Iterator[Finding]:
    """With Authorization the same path of the same host has succeeded: nothing strips the field there."""
    for good in evidence.succeeded:
        for bad in evidence.refused:
            same = good.request.host == bad.request.host and good.request.path == bad.request.path
            if same and _authorization(good) and _authorization(bad) and _scheme(good) == _scheme(bad):
                weights = dict.fromkeys(
                    ("gateway-stripped-credentials", "proxy-stripped-credentials", "auth-not-wired"),
                    RULED_OUT,
                )
                yield Finding(
                    "arrived-before",
                    "A request with Authorization to the same path succeeded, so the field does arrive.",
                    weights,
                    Where.at(good),
                )
                return


@check
def basic_asked_of_token(evidence: Evidence) -> Iterator[Finding]:
    """A token was sent and the answer asks for Basic: a layer in front asks, the application wants the token."""
    for exchange in evidence.refused:
        asked = _challenges(exchange)
        if _scheme(exchange) not in _TOKEN_SCHEMES or not asked:
            continue
        if any(challenge.name != "basic" for challenge in asked):
            continue
        body = exchange.response.body if exchange.response else None
        own = bool(body and _OWN_PAGE.search(body)) or _matches(
            exchange, "server", "nginx|apache|traefik|caddy"
        )
        yield Finding(
            "basic-asked-of-token",
            f"The request brings {_scheme(exchange).title()}, the answer asks for Basic"
            + (", and it is the web server's own answer." if own else "."),
            {
                "auth-layers-collide": STRONG if own else CLEAR,
                "wrong-scheme": HINT if own else CLEAR,
                "token-expired": AGAINST,
                "bad-signature": AGAINST,
                "no-credentials": RULED_OUT,
            },
            Where.at(exchange, "WWW-Authenticate"),
            group="layers",
        )
        return


@check
def basic_taken_by_application(evidence: Evidence) -> Iterator[Finding]:
    """Basic passed the server in front, and the application behind rejects it as its own login or token."""
    front = [
        d for d in evidence.demands if d.respect == "scheme" and d.value.lower() == "basic" and not d.exchange
    ]
    for exchange in evidence.refused:
        body = exchange.response.body if exchange.response else None
        if _scheme(exchange) != "basic" or not body or _OWN_PAGE.search(body) or not front:
            continue
        if body.lstrip()[:1] in "{[":
            yield Finding(
                "basic-taken-by-application",
                f"{front[0].hop or 'The server in front'} asks for Basic, and the application itself refuses in JSON.",
                {"auth-layers-collide": STRONG},
                Where.at(exchange),
                group="layers",
            )
            return


@check
def proxy_asks(evidence: Evidence) -> Iterator[Finding]:
    """407 and Proxy-Authenticate are a proxy's words, never the origin's (RFC 9110, section 15.5.8)."""
    for exchange in evidence.exchanges:
        fields = exchange.response.fields if exchange.response else ()
        if exchange.status == 407 or (exchange.refused and "proxy-authenticate" in fields):
            yield Finding(
                "proxy-asks",
                "The answer is a proxy's: it asks for credentials of its own (Proxy-Authenticate).",
                {"proxy-authentication-required": NAMED + HINT, "no-credentials": AGAINST},
                Where.at(exchange, "Proxy-Authenticate"),
                group="407",
            )
            return
    if any(record.status == 407 for record in evidence.records):
        record = next(r for r in evidence.records if r.status == 407)
        yield Finding(
            "proxy-asks",
            "The log has answers with status 407: a proxy asks for its own credentials.",
            {"proxy-authentication-required": NAMED},
            Where.of(record.source),
            group="407",
        )


#: Redirects to a login that is not the application's.
_GATES: Final = (
    (r"cloudflareaccess\.com", "Cloudflare Access"),
    (r"vercel\.com/sso-api", "Vercel's deployment protection"),
    (r"accounts\.google\.com/o/oauth2.*iap", "Google's Identity-Aware Proxy"),
    (r"/outpost\.goauthentik\.io/", "Authentik's outpost"),
    (r"/oauth2/(?:start|sign_in)", "oauth2-proxy"),
    (r"[?&]rd=https?(?:%3A|:)", "a forward-auth portal"),
)


@check
def gate_in_front(evidence: Evidence) -> Iterator[Finding]:
    """A redirect leads to the login of a gate in front, so the application was never asked."""
    for exchange in evidence.exchanges:
        to = exchange.response.fields.get("location") if exchange.response else None
        for pattern, gate in _GATES:
            if to and re.search(pattern, to):
                inner = gate in ("Authentik's outpost", "oauth2-proxy", "a forward-auth portal")
                cause = "auth-subrequest-rejected" if inner else "edge-protection"
                yield Finding(
                    "gate-in-front",
                    f"The answer leads to the login of {gate}: the application was not asked.",
                    {cause: STRONG},
                    Where.at(exchange, "Location"),
                    group="gate",
                )
                return


@check
def own_page_unchallenged(evidence: Evidence) -> Iterator[Finding]:
    """nginx's own 401 page without a challenge: its Basic always challenges, so a subrequest or a rule said 401."""
    for exchange in evidence.refused:
        body = (exchange.response.body if exchange.response else None) or ""
        page = exchange.status == 401 and "401 Authorization Required" in body and "nginx" in body
        if (
            page
            and exchange.response is not None
            and exchange.response.complete
            and not _challenges(exchange)
        ):
            yield Finding(
                "own-page-unchallenged",
                "The 401 is nginx's own page and has no challenge: its auth subrequest, or a rule, said so.",
                {"auth-subrequest-rejected": STRONG, "missing-challenge": FAINT, "wrong-password": AGAINST},
                Where.at(exchange),
                group="subrequest",
            )
            return
