"""Redirects on which the credentials got lost, and preflights that were asked to log in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import parse_qsl, urljoin, urlsplit

from why401.checks import check
from why401.checks.session_view import lenient, url_of
from why401.evidence import Evidence, Exchange
from why401.findings import CLEAR, HINT, NAMED, STRONG, Finding, Where
from why401.prefilter import lazy
from why401.protocol import redirects

_CREDENTIALS = ("authorization", "cookie", "x-api-key", "private-token", "x-auth-token", "apikey", "api-key")
_LOGIN_PAGE = lazy(r"log-?in|sign-?in|/sso|/oauth|/authorize|/saml|logon|wp-login|/auth/realms", re.I)
_SECRET_QUERY = lazy(r"nonce|token|key|sig|secret|auth|session|ticket|jwt", re.I)


@check
def lost_on_a_redirect(evidence: Evidence) -> Iterator[Finding]:
    """A 30x, and at its target a refusal: what was sent before, what after?"""
    for index, first in enumerate(evidence.exchanges):
        if not 300 < (first.status or 0) < 309 or first.response is None:
            continue
        location = first.response.fields.get("location")
        if (
            location
            and _LOGIN_PAGE.search(urlsplit(location).path)
            and not _LOGIN_PAGE.search(first.request.path)
        ):
            continue
        second = _refused_target(first, location, evidence.exchanges[index + 1 : index + 4], evidence)
        if second is not None:
            yield from _lost(first, second, location, evidence)


def _refused_target(
    first: Exchange, location: str | None, later: tuple[Exchange, ...], evidence: Evidence
) -> Exchange | None:
    target = urljoin(lenient(url_of(first, evidence) or ""), location) if location else None
    for exchange in later:
        url = lenient(url_of(exchange, evidence) or exchange.request.url or "")
        if target is None or urlsplit(url).path.rstrip("/") == urlsplit(target).path.rstrip("/"):
            return exchange if exchange.refused else None
    return None


def _lost(first: Exchange, second: Exchange, location: str | None, evidence: Evidence) -> Iterator[Finding]:
    one = lenient(url_of(first, evidence) or "")
    two = urljoin(one, location or second.request.url or "")
    change = ", ".join(sorted(redirects.changes(one, two)))
    where = Where.at(second)
    gone = [n for n in _CREDENTIALS if n in first.request.fields and n not in second.request.fields]
    kept = [n for n in _CREDENTIALS if n in second.request.fields]
    lost = sorted(_secret_names(one) - _secret_names(two))
    weights = {"redirect-dropped-credentials": STRONG}
    if lost:
        says = f"The redirect left out the query parameter {lost[0]}, by which the request was authenticated."
        weights = {"redirect-dropped-credentials": NAMED, "csrf-rejected": 4.0}
    elif gone and second.request.complete:
        says = f"Before the redirect ({change}) {gone[0]} was sent, at its target it is missing."
        weights = {"redirect-dropped-credentials": NAMED + 3, "no-credentials": -10.0}
    elif "authorization" in kept and first.request.complete:
        says = f"After the redirect ({change}) the credentials are still sent."
        weights = {"redirect-dropped-credentials": -10.0}
    elif first.client and "authorization" in redirects.dropped(first.client, one, two, first.status or 302):
        says = f"On such a redirect ({change}) {first.client} sends no Authorization."
        weights = {"redirect-dropped-credentials": NAMED}
    else:
        says = f"The refusal comes after a redirect ({change}), on which clients may drop credentials."
        weights = {"redirect-dropped-credentials": STRONG if change != redirects.SAME else CLEAR}
    yield Finding("lost-on-redirect", says, weights, where, "redirect")


def _secret_names(url: str) -> set[str]:
    return {name for name, _ in parse_qsl(urlsplit(url).query) if _SECRET_QUERY.search(name)}


_LOGGED = lazy(
    r"\b(?P<method>GET|POST|PUT|PATCH|DELETE|HEAD)\s+(?P<url>(?:https?://[^/\s\"]+)?/[^\s\"'?]*)[^\s\"]*"
    r"(?:\s+HTTP/[\d.]+)?\"?[^\n]{0,40}?(?<![\d.:])(?P<status>[2-5]\d\d)\b"
)


@check
def slash_redirects_in_logs(evidence: Evidence) -> Iterator[Finding]:
    """`POST /x 307`, then `POST /x/ 401`: the framework's slash redirect, and a client that came without."""
    for text in evidence.texts:
        lines = list(_LOGGED.finditer(text.content[:300_000]))
        for one, two in pairwise(lines):
            if one["status"] not in ("301", "302", "307", "308") or two["status"] not in ("401", "403"):
                continue
            first, second = (urlsplit(m["url"]).path for m in (one, two))
            if first == second or first.rstrip("/") != second.rstrip("/"):
                continue
            says = (
                f"{first} is redirected to {second}, where the request is refused: the credentials got lost."
            )
            where = Where.of(text.source.at(text.line_at(two.start())))
            yield Finding(
                "slash-redirect", says, {"redirect-dropped-credentials": NAMED + 3}, where, "redirect"
            )
            return


_HOP = lazy(
    r"(?<!\d)30[12378]\b[^\n]*(?:\n[^\n]*){0,12}?\blocation[\"']?\s*[:=]\s*[\"']?(?P<to>\S+?)[\"',;]*(?:\s|$)"
    r"(?P<rest>[\s\S]{0,1500}?)(?<![\d.:-])\b(401|403)\b",
    re.I,
)


@check
def redirects_in_notes(evidence: Evidence) -> Iterator[Finding]:
    """The same in loose notes: a status 30x, a Location, and after it a 401."""
    if any(300 < (x.status or 0) < 309 for x in evidence.exchanges):
        return  # then the exchanges are read, and tell more
    for text in evidence.texts:
        match = _HOP.search(text.content[:100_000])
        if match is None or _LOGIN_PAGE.search(match["to"]):
            continue
        asked = re.findall(r"https?://[^\s\"'<>]+", text.content[: match.start()])
        place = redirects.changes(asked[-1], match["to"]) if asked else frozenset({redirects.SAME})
        says = f"A redirect ({', '.join(sorted(place))}) was followed, and the refusal comes from its target."
        weights = {"redirect-dropped-credentials": STRONG}
        if place & {redirects.OTHER_HOST, redirects.SUBDOMAIN}:
            weights = {"redirect-dropped-credentials": NAMED - 2, "wrong-password": -8.0}
        where = Where.of(text.source.at(text.line_at(match.start())))
        yield Finding("redirect-in-notes", says, weights, where, "redirect")
        return


_LOCATION = lazy(
    r"(?<!\d)30[1278]\b[^\n]*(?:\n[^\n]*){0,12}?\blocation[\"']?\s*[:=]\s*[\"']?(?P<to>\S+)", re.I
)


@check
def redirect_elsewhere(evidence: Evidence) -> Iterator[Finding]:
    """One look shows a redirect (to a slash, https or another host), another, which followed it, a 401."""
    if not evidence.search(r"(?<![\d.:])401\b"):
        return
    refused_first = any(x.refused for x in evidence.exchanges)
    for exchange in evidence.exchanges:
        location = exchange.response.fields.get("location") if exchange.response else None
        if location and 300 < (exchange.status or 0) < 309 and not _LOGIN_PAGE.search(location):
            asked = lenient(url_of(exchange, evidence) or "")
            where = Where.at(exchange, "Location")
            yield _seen_elsewhere(where, _dropper(exchange, location, evidence), _leaves(asked, location))
            return
    for text in evidence.texts if not refused_first else ():
        match = _LOCATION.search(text.content[:100_000]) if text.kind not in ("code", "settings") else None
        if match and not _LOGIN_PAGE.search(match["to"]):
            yield _seen_elsewhere(Where.of(text.source.at(text.line_at(match.start()))))
            return


def _dropper(exchange: Exchange, location: str, evidence: Evidence) -> str | None:
    """The client among those that were refused which drops Authorization on this redirect."""
    one = lenient(url_of(exchange, evidence) or "")
    for refused in evidence.refused:
        what = redirects.dropped(refused.client or "", one, urljoin(one, location), exchange.status or 302)
        if "authorization" in what:
            return refused.client
    return None


def _leaves(asked: str, location: str) -> bool:
    """Does the redirect lead to another origin, where browsers, fetch and most clients send no Authorization?"""
    try:
        place = redirects.changes(asked, urljoin(asked, location))
    except ValueError:
        return False
    return bool(place - {redirects.SAME, redirects.UPGRADE})


#: It is the redirect that refuses: the address is let in, and so are the account and the route.
_REDIRECTED = {"client-banned": -12.0, "too-many-attempts": -8.0, "edge-protection": -4.0}


def _seen_elsewhere(where: Where, client: str | None = None, leaves: bool = False) -> Finding:
    says = "The URL is answered with a redirect; a client that follows it may leave its credentials behind."
    if client is None:
        weights = {"redirect-dropped-credentials": STRONG + 2 if leaves else CLEAR + 1, **_REDIRECTED}
        return Finding("redirect-seen", says, weights, where, "redirect")
    says = f"The URL is answered with a redirect, on which {client} sends no Authorization."
    weights = {"redirect-dropped-credentials": NAMED, "proxy-stripped-credentials": -6.0, **_REDIRECTED}
    return Finding("redirect-seen", says, weights, where, "redirect")


# ------------------------------------------------------------------------------------------- preflights


@check
def preflight(evidence: Evidence) -> Iterator[Finding]:
    """OPTIONS is refused, although it can carry no credentials; or it is allowed, and the fault lies further on."""
    for exchange in evidence.exchanges:
        if (exchange.request.method or "").upper() != "OPTIONS":
            continue
        asks = "access-control-request-method" in exchange.request.fields
        where = Where.at(exchange)
        if exchange.refused:
            says = f"The preflight is answered {exchange.status}: it is asked to log in, which it can't."
            yield Finding(
                "preflight-refused",
                says,
                {"cors-preflight-rejected": 28.0 if asks else 20.0},
                where,
                "preflight",
            )
        elif exchange.status is not None and exchange.status < 300 and evidence.refused:
            says = f"The preflight is answered {exchange.status}, so it is not what is refused."
            yield Finding("preflight-passes", says, {"cors-preflight-rejected": -14.0}, where)


@check
def preflights_in_records(evidence: Evidence) -> Iterator[Finding]:
    """The same in an access log."""
    for record in evidence.records:
        if record.method == "OPTIONS" and record.status in (401, 403):
            says = f"The log shows OPTIONS {record.path} answered {record.status}."
            weights = {"cors-preflight-rejected": 22.0}
            yield Finding("preflight-logged", says, weights, Where.of(record.source), "preflight")
            return


@check
def open_only_with_login(evidence: Evidence) -> Iterator[Finding]:
    """CORS is set up, every path demands a login, and no rule lets OPTIONS through."""
    found = evidence.search(
        r"anyRequest\(\)\s*\.authenticated\(\)|auth_basic\s+[\"']|AuthType\s+Basic|IsAuthenticated\b"
    )
    asked = evidence.search(r"\bOPTIONS\b|preflight", re.ASCII)
    open_too = evidence.search(
        r"HttpMethod\.OPTIONS|limit_except\s+OPTIONS|\$request_method\s*=\s*['\"]?OPTIONS|LimitExcept"
    )
    if found and asked and not open_too:
        says = "The rule demands a login for every method, and none lets the preflight's OPTIONS through."
        yield Finding("no-rule-for-options", says, {"cors-preflight-rejected": HINT}, Where.of(found[1]))
