"""Was this the URL that was meant, and the server? (family `url`)"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from why401.checks import cache, check, url_notes, url_redirects, url_settings
from why401.checks.session_view import lenient, url_of
from why401.evidence import Evidence, Exchange
from why401.findings import CLEAR, FAINT, HINT, STRONG, Finding, Where
from why401.prefilter import lazy

__all__ = ["cache", "url_notes", "url_redirects", "url_settings"]

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", ""})


# -------------------------------------------------------------------------------------- the URL's form

_ODD_PATHS: tuple[tuple[str, str, float], ...] = (
    (r"^(?:/[^/]+)*//", "The path holds a doubled slash.", CLEAR),
    (r"/(?P<piece>[A-Za-z][\w.-]*)/(?P=piece)(?:/|$)", "A piece of the path stands twice in a row.", STRONG),
    (r"/(?:undefined|null|NaN|None)(?:/|$)", "The path holds an unfilled value.", STRONG),
    (r"\{\{?\w+\}?\}|%7B\w+%7D|/:[A-Za-z]\w+|<\w+>", "The path holds an unfilled parameter.", STRONG),
    (r"%20(?:/|$)|%0[aAdD]|\s$", "The path holds a blank or a line break.", CLEAR),
    (r"https?[:%]", "A URL stands within the path.", CLEAR),
)


@check
def odd_paths(evidence: Evidence) -> Iterator[Finding]:
    """A refused URL whose form alone is suspect."""
    for exchange in evidence.refused:
        path = exchange.request.split.path
        if re.search(r"redirect|proxy|callback", path):
            continue
        for pattern, says, weight in _ODD_PATHS:
            if re.search(pattern, path):
                yield Finding("odd-path", says, {"wrong-url": weight}, Where.at(exchange), "url-form")
                break


def relation(good: str, bad: str) -> str | None:
    """How two paths of one intent differ: by slash, case, prefix, version, a doubled slash or a typing error."""
    if good == bad:
        return None
    if good.rstrip("/") == bad.rstrip("/"):
        return "a slash at the end"
    if good.lower() == bad.lower():
        return "upper and lower case"
    if re.sub(r"/{2,}", "/", good) == re.sub(r"/{2,}", "/", bad):
        return "a doubled slash"
    one, two = ([p for p in path.split("/") if p] for path in (good, bad))
    if one and two and (_tail(one, two) or _tail(two, one)):
        return "a prefix"
    if len(one) == len(two):
        pairs = [(a, b) for a, b in zip(one, two, strict=True) if a != b]
        if len(pairs) == 1:
            return _segment(*pairs[0])
    return None


def _tail(longer: list[str], shorter: list[str]) -> bool:
    """Does one path begin with at most two pieces more than the other, and go on the same?"""
    extra = len(longer) - len(shorter)
    return 0 < extra <= 2 and longer[extra:] == shorter and len("".join(shorter)) >= 4


def _segment(one: str, two: str) -> str | None:
    if re.fullmatch(r"v\d+([._-]?\w+)?", one) and re.fullmatch(r"v\d+([._-]?\w+)?", two):
        return "the version"
    if any(char.isdigit() for char in one + two) or min(len(one), len(two)) < 4:
        return None
    return "one or two letters" if near(one, two) else None


def near(one: str, two: str) -> bool:
    """Are two words at most one insertion, deletion, change or swap apart, or singular and plural?"""
    if abs(len(one) - len(two)) > 1:
        return False
    start = 0
    while start < min(len(one), len(two)) and one[start] == two[start]:
        start += 1
    a, b = one[start:], two[start:]
    swapped = len(a) > 1 and len(b) > 1 and a[:2] == b[1::-1] and a[2:] == b[2:]
    return a[1:] == b or a == b[1:] or a[1:] == b[1:] or swapped


@check
def one_path_works_its_like_does_not(evidence: Evidence) -> Iterator[Finding]:
    """At one host a path succeeds and one that is nearly the same is refused."""
    for bad in evidence.refused:
        for good in evidence.succeeded:
            if (bad.request.host or "") != (good.request.host or "") or not _same_login(bad, good):
                continue
            how = relation(good.request.split.path or "/", bad.request.split.path or "/")
            if how:
                says = f"{good.request.path} succeeds, {bad.request.path} is refused: they differ by {how}."
                yield Finding("like-path-works", says, {"wrong-url": STRONG + 2}, Where.at(bad), "url-like")
                return


def _same_login(one: Exchange, two: Exchange) -> bool:
    """Neither shows credentials that the other lacks."""
    names = ("authorization", "cookie", "x-api-key")
    return all((n in one.request.fields) == (n in two.request.fields) for n in names)


@check
def near_a_known_route(evidence: Evidence) -> Iterator[Finding]:
    """The refused path is a typing error away from a route that the code or the manual names."""
    texts = [t.content[:60_000] for t in evidence.texts if t.kind in ("code", "settings", "message")]
    routes = {
        m[1]
        for content in texts
        for m in re.finditer(r"[\"'`\s(](/[A-Za-z][\w/.-]{3,80})[\"'`\s),]", content)
    }
    for exchange in evidence.refused:
        path = exchange.request.split.path
        if len(path) < 6 or path in routes:
            continue
        for route in sorted(routes):
            how = relation(route, path)
            if how in ("one or two letters", "upper and lower case", "the version"):
                says = f"The refused path {path} is not the route {route}: they differ by {how}."
                yield Finding("near-route", says, {"wrong-url": CLEAR}, Where.at(exchange), "url-like")
                return


# ----------------------------------------------------------------------------------------- the server


@check
def other_server(evidence: Evidence) -> Iterator[Finding]:
    """Two exchanges with one host are answered by unlike servers."""
    for bad in evidence.refused:
        refuser = _server(bad)
        for good in evidence.succeeded:
            server = _server(good)
            if refuser and server and refuser != server and good.request.host == bad.request.host:
                says = f"The refusal comes from {refuser}, the success from {server}."
                weights = {"wrong-server-answered": HINT, "edge-protection": FAINT}
                yield Finding("other-server", says, weights, Where.at(bad, "Server"))
                return


@check
def two_servers_on_loopback(evidence: Evidence) -> Iterator[Finding]:
    """`localhost` may be ::1, where another process listens than on 127.0.0.1."""
    for bad in evidence.refused:
        for good in evidence.succeeded:
            one, two = bad.request.split, good.request.split
            names = {one.hostname or "", two.hostname or ""}
            alike = one.path == two.path and one.netloc.rpartition(":")[2] == two.netloc.rpartition(":")[2]
            if len(names) == 2 and names <= _LOOPBACK - {""} and alike and _same_login(bad, good):
                says = f"The same path is answered well at {two.hostname} and refused at {one.hostname}: two processes."
                weights = {"wrong-server-answered": STRONG + 3, "no-credentials": -8.0}
                yield Finding("two-loopback-servers", says, weights, Where.at(bad), "elsewhere")
                return


def _server(exchange: Exchange) -> str:
    value = exchange.response.fields.get("server") if exchange.response else None
    return re.split(r"[/\s(]", value or "")[0].lower()


@check
def other_host_field(evidence: Evidence) -> Iterator[Finding]:
    """The Host field names another host than the URL: the server picks the site by the field."""
    for exchange in evidence.refused:
        field, host = exchange.request.fields.get("host"), exchange.request.split.hostname
        if (
            field
            and host
            and field.rpartition(":")[0] != host
            and field != host
            and field.split(":")[0] != host
        ):
            says = f"The request goes to {host}, but its Host field names {field}."
            yield Finding("host-field", says, {"wrong-server-answered": CLEAR}, Where.at(exchange, "Host"))


@check
def not_a_registry(evidence: Evidence) -> Iterator[Finding]:
    """A container registry answers /v2/ with {} or a challenge and names its API version."""
    for exchange in evidence.exchanges:
        response = exchange.response
        if (
            response is None
            or not re.fullmatch(r"/v2/?", exchange.request.split.path)
            or not response.complete
        ):
            continue
        body = (response.body or "").strip()
        html = body[:1] == "<" or "html" in (response.fields.get("content-type") or "")
        stranger = (exchange.status == 200 and body not in ("", "{}")) or html
        if stranger and "docker-distribution-api-version" not in response.fields:
            says = "What answers at /v2/ does not speak as a container registry does."
            yield Finding(
                "not-a-registry", says, {"wrong-server-answered": STRONG}, Where.at(exchange), "registry"
            )


_ASKED_V2 = lazy(r"curl\b[^\n]*/v2/?[\"']?\s*\n+(?P<answer>[^\n]+)")


@check
def not_a_registry_in_notes(evidence: Evidence) -> Iterator[Finding]:
    """The same where only the body stands below a curl of /v2/."""
    for text in evidence.texts:
        for match in _ASKED_V2.finditer(text.content[:100_000]):
            answer = match["answer"].strip()
            if re.match(r"\{\s*\}|\{\s*\"errors|HTTP/|[<>*$#]|curl|\d|-", answer) and not answer.startswith(
                "<!"
            ):
                continue
            says = "What answers at /v2/ does not speak as a container registry does ({} or a challenge)."
            where = Where.of(text.source.at(text.line_at(match.start("answer"))))
            yield Finding("not-a-registry", says, {"wrong-server-answered": STRONG}, where, "registry")
            return


@check
def page_for_api(evidence: Evidence) -> Iterator[Finding]:
    """An API path is answered with a web page that is no login or protection page."""
    for exchange in evidence.exchanges:
        response = exchange.response
        kind = response.fields.get("content-type") or "" if response else ""
        if (
            not re.match(r"/(api|v\d|rest|graphql|wp-json)\b", exchange.request.split.path)
            or "html" not in kind
        ):
            continue
        if exchange.status == 200:
            says = "An API path is answered 200 with a web page: a fall-back site took it."
            yield Finding(
                "page-for-api", says, {"wrong-server-answered": CLEAR, "wrong-url": HINT}, Where.at(exchange)
            )
            return


# ----------------------------------------------------------------------------------------------- TLS


@check
def works_over_tls(evidence: Evidence) -> Iterator[Finding]:
    """The same path is refused over http and succeeds over https."""
    good = {
        (urlsplit(url).hostname, urlsplit(url).path)
        for x in evidence.succeeded
        if (url := url_of(x, evidence) or "").startswith("https:")
    }
    for exchange in evidence.refused:
        parts = urlsplit(url_of(exchange, evidence) or "")
        if parts.scheme == "http" and (parts.hostname, parts.path) in good:
            says = "Over https the same path succeeds."
            yield Finding(
                "works-over-tls", says, {"https-required": STRONG + 3}, Where.at(exchange), "https-said"
            )


@check
def already_over_tls(evidence: Evidence) -> Iterator[Finding]:
    """All refused requests went over https: then TLS is not what lacks."""
    urls = [url_of(x, evidence) or "?" for x in evidence.refused]
    if urls and all(lenient(u).startswith("https:") and not u.startswith("?") for u in urls):
        yield Finding(
            "over-tls",
            "The refused request went over https.",
            {"https-required": -12.0},
            Where.at(evidence.refused[0]),
        )
    elif urls and all(urlsplit(u).scheme == "http" and urlsplit(u).hostname not in _LOOPBACK for u in urls):
        says = "The refused request went over plain http to another machine."
        yield Finding("over-plain-http", says, {"https-required": 2.5}, Where.at(evidence.refused[0]))
