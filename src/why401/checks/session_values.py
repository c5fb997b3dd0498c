"""Is the cookie that was sent the right one, whole, and still alive? (RFC 6265bis, sections 4.2, 5.5 and 8.5)"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import urlsplit

from why401.checks import check
from why401.checks.session_view import clock, handed_out, is_session_name, lenient, sent, url_of
from why401.evidence import Evidence, Exchange
from why401.findings import AGAINST, CLEAR, FAINT, NAMED, STRONG, Finding, Where
from why401.protocol import cookies


@check
def malformed_cookie(evidence: Evidence) -> Iterator[Finding]:
    """Two cookies of one name, attributes sent back, a comma between, gaps in a cookie kept in pieces."""
    for exchange in evidence.exchanges:
        header = sent(exchange)
        if not header.pairs or (exchange.status is not None and exchange.status < 400):
            continue
        where = Where.at(exchange, "Cookie")
        for says, weight in _oddities(header):
            yield Finding(
                "cookie-odd",
                says,
                {"cookie-corrupted": weight, "malformed-token": FAINT},
                where,
                "cookie-odd",
            )


def _oddities(header: cookies.CookieHeader) -> Iterator[tuple[str, float]]:
    for name in header.duplicates:
        if is_session_name(name):
            yield (
                f"Two cookies named {name} are sent; the server reads one of them, maybe the stale one.",
                20.0,
            )
    for problem in header.problems:
        yield problem.says, STRONG
    names = {name for name, _ in header.pairs}
    chunks: dict[str, set[int]] = defaultdict(set)
    for name in names:
        if match := re.fullmatch(r"(.+)[._-](\d{1,2})", name):
            chunks[match[1]].add(int(match[2]))
    for stem, numbers in chunks.items():
        if is_session_name(stem) and numbers != set(range(min(numbers), min(numbers) + len(numbers))):
            yield f"A piece of the cookie {stem} is missing among those that were sent.", STRONG
        elif is_session_name(stem) and min(numbers) > 1:
            yield f"The first piece of the cookie {stem} is missing.", STRONG
        elif stem in names and is_session_name(stem):
            yield f"The cookie {stem} is sent whole and in pieces: one of them is left from before.", CLEAR
    for says in cookies.limits(header.pairs):
        yield says, CLEAR
    for name, value in header.pairs:
        if is_session_name(name) and value in ("", "undefined", "null", "deleted", "[object Object]", "None"):
            yield f"The cookie {name} holds no session but the word {value or '(nothing)'}.", CLEAR


@check
def one_host_two_applications(evidence: Evidence) -> Iterator[Finding]:
    """Cookies know no ports: two applications on one host overwrite each other's (RFC 6265bis, 8.5)."""
    places: dict[tuple[str, str], set[int | None]] = defaultdict(set)
    for handed in handed_out(evidence):
        parts = urlsplit(lenient(handed.url or ""))
        try:
            port = parts.port
        except ValueError:
            continue
        if parts.hostname and is_session_name(handed.parsed.name):
            places[parts.hostname, handed.parsed.name].add(port)
            if len(places[parts.hostname, handed.parsed.name]) > 1:
                says = f"Two ports of one host set the cookie {handed.parsed.name}; a browser keeps only one."
                yield Finding(
                    "cookie-two-ports",
                    says,
                    {"cookie-corrupted": NAMED, "session-unknown": -4.0},
                    handed.where,
                )
                return


@check
def one_name_two_scopes(evidence: Evidence) -> Iterator[Finding]:
    """One cookie name with two Domains or Paths makes two cookies, and both are sent."""
    scopes: dict[str, tuple[str, str]] = {}
    for handed in handed_out(evidence):
        attributes = handed.parsed.attributes
        if (
            not is_session_name(handed.parsed.name)
            or attributes.get("max-age") == "0"
            or not handed.parsed.value
        ):
            continue
        scope = (attributes.get("domain", "").lstrip(".").lower(), attributes.get("path", ""))
        if scopes.setdefault(handed.parsed.name, scope) != scope:
            says = f"The cookie {handed.parsed.name} is set with two Domains or Paths: a browser keeps and sends both."
            yield Finding("cookie-two-scopes", says, {"cookie-corrupted": CLEAR}, handed.where, "cookie-odd")
            return


@check
def another_value_came_back(evidence: Evidence) -> Iterator[Finding]:
    """The cookie that was handed out last is not the one that is sent."""
    values: dict[tuple[str, str], str] = {}
    for exchange in evidence.exchanges:
        host = _host(lenient(url_of(exchange, evidence) or ""))
        for name, value in sent(exchange).pairs:
            given = values.get((host, name))
            if exchange.refused and given and not _alike(given, value):
                says = f"The cookie {name} that is sent is not the one that the server handed out last."
                weights = {"cookie-corrupted": CLEAR, "cookie-not-stored": FAINT}
                yield Finding("cookie-other-value", says, weights, Where.at(exchange, "Cookie"), "cookie-odd")
        for line in exchange.response.fields.all("set-cookie") if exchange.response else ():
            parsed = cookies.parse_set_cookie(line)
            if is_session_name(parsed.name) and parsed.value:
                values[host, parsed.name] = parsed.value


def _alike(one: str, two: str) -> bool:
    """Are two values the same as far as they are shown? Reports shorten them with dots or stars."""
    head, other = (re.split(r"\.{2,}|…|\*{2,}|<", value)[0] for value in (one, two))
    return head.startswith(other) or other.startswith(head)


@check
def carried_and_refused(evidence: Evidence) -> Iterator[Finding]:
    """The refused request does carry a session cookie, so neither the browser nor the client lost it."""
    for exchange in evidence.refused:
        names = [name for name, value in sent(exchange).pairs if is_session_name(name) and value]
        if not names or exchange.status == 407:
            continue
        says = f"The refused request carries the session cookie {names[0]}."
        weights = {
            "session-unknown": 6.0,
            "session-expired": 4.0,
            "secret-rotated": 4.0,
            "cookie-corrupted": 4.0,
            "cookie-not-stored": -12.0,
            "cookie-not-sent": -9.0,
            "fetch-credentials-omitted": -14.0,
            "cookie-not-issued": -12.0,
            "no-credentials": -10.0,
        }
        yield Finding("session-cookie-carried", says, weights, Where.at(exchange, "Cookie"))
        yield from _renewed(exchange, set(names))


def _renewed(exchange: Exchange, names: set[str]) -> Iterator[Finding]:
    """The refusal sets the same cookie anew or deletes it: the server did not know the session."""
    for line in exchange.response.fields.all("set-cookie") if exchange.response else ():
        verdict = cookies.CookieJar(clock(exchange)).store("https://host.example/", [line])[0]
        if verdict.parsed.name not in names:
            continue
        gone = verdict.kind in ("deleted", "expired")
        does = "deletes" if gone else "replaces"
        says = f"With the refusal the server {does} the cookie {verdict.parsed.name}: it did not accept it."
        weights = {
            "session-unknown": 9.0,
            "session-expired": 8.0,
            "secret-rotated": 6.0,
            "csrf-rejected": -4.0,
        }
        yield Finding("session-cookie-replaced", says, weights, Where.at(exchange, "Set-Cookie"))


@check
def outlived(evidence: Evidence) -> Iterator[Finding]:
    """The refused request comes after the lifetime of the cookie that was handed out."""
    dated = [x for x in evidence.exchanges if x.time and x.time.tzinfo]
    for first, second in pairwise(dated):
        for line in first.response.fields.all("set-cookie") if first.response else ():
            stored = cookies.CookieJar(clock(first)).store("https://host.example/", [line])[0].cookie
            late = stored and stored.expires and second.time and second.time > stored.expires
            if stored and late and second.refused and is_session_name(stored.name):
                says = f"The refused request was made after the cookie {stored.name} had expired."
                weights = {"session-expired": 20.0, "session-unknown": AGAINST}
                yield Finding("session-cookie-outlived", says, weights, Where.at(second))


def _host(url: str) -> str:
    """The host of a URL; empty where it cannot be read, such as an address with a broken bracket."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
