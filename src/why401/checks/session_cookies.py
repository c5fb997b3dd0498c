"""Was the cookie stored, and does this request get it? (RFC 6265bis, sections 5.7 and 5.8)"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from why401.checks import check
from why401.checks.session_view import (
    Handed,
    clock,
    handed_out,
    is_session_name,
    lenient,
    origin_of,
    sent,
    url_of,
)
from why401.evidence import Evidence, Exchange
from why401.findings import CLEAR, FAINT, HINT, NAMED, STRONG, Finding, Where
from why401.prefilter import lazy
from why401.protocol import cookies

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@check
def refused_by_the_browser(evidence: Evidence) -> Iterator[Finding]:
    """A Set-Cookie that no browser keeps: Secure over http, foreign Domain, prefix, size."""
    for handed in handed_out(evidence):
        if handed.url is None or not handed.parsed.name:
            continue
        jar = cookies.CookieJar(clock(handed.exchange))
        verdict = jar.store(lenient(handed.url), [handed.value])[0]
        if verdict.cookie is not None or verdict.stored:
            continue
        weight = NAMED if is_session_name(handed.parsed.name) else HINT
        weights = {"cookie-not-stored": weight, "no-credentials": -10.0 if weight > HINT else 0.0}
        if verdict.kind in ("secure-over-http", "secure-prefix", "host-prefix"):
            weights["https-required"] = FAINT
        yield Finding(
            "set-cookie-refused",
            f"Browsers refuse it. {verdict.says}",
            weights,
            handed.where,
            "cookie-verdict",
        )


@check
def set_across_sites(evidence: Evidence) -> Iterator[Finding]:
    """A cookie that a page of another site asked for is kept only with SameSite=None and Secure."""
    for handed in handed_out(evidence):
        exchange = handed.exchange
        origin = origin_of(exchange) if exchange else None
        if (
            exchange is None
            or origin is None
            or handed.url is None
            or not is_session_name(handed.parsed.name)
        ):
            continue
        if exchange.request.fields.get("sec-fetch-mode") == "navigate":
            continue
        url = urlsplit(origin).scheme + handed.url[1:] if handed.url.startswith("?") else handed.url
        attribute = handed.parsed.attributes.get("samesite", "").lower()
        if cookies.same_site(url, origin) or attribute == "none":
            continue
        yield _across_sites(handed, url, origin, attribute)


def _across_sites(handed: Handed, url: str, origin: str, attribute: str) -> Finding:
    hosts = {urlsplit(url).hostname or "", urlsplit(origin).hostname or ""}
    said = f"SameSite={attribute}" if attribute else "no SameSite, which counts as Lax"
    says = f"The cookie {handed.parsed.name} has {said}, but a page of another site ({origin}) asked for it."
    if hosts <= _LOOPBACK:
        says += " localhost and 127.0.0.1 are two sites to a browser."
        weights = {"cookie-not-sent": NAMED - 2, "cookie-not-stored": CLEAR}
        return Finding("cookie-loopback-names", says, weights, handed.where, "cookie-verdict")
    weights = {"cookie-not-stored": STRONG, "cookie-not-sent": CLEAR}
    return Finding("set-cookie-cross-site", says, weights, handed.where, "cookie-verdict")


@check
def left_out(evidence: Evidence) -> Iterator[Finding]:
    """A session cookie was handed out, and the refused request does not carry it: by which rule?"""
    held = [h for h in handed_out(evidence) if h.url and is_session_name(h.parsed.name)]
    for exchange in evidence.refused:
        url = url_of(exchange, evidence)
        if not held or url is None:
            continue
        if "authorization" in exchange.request.fields:  # then the login isn't by cookie
            continue
        names = {name for name, _ in sent(exchange).pairs}
        for handed in held:
            if handed.exchange is exchange or handed.parsed.name in names:
                continue
            if _comes_later(handed.exchange, exchange):
                continue
            finding = _left_out(handed, exchange, url)
            # of a request that is not known whole, only a rule about its URL can tell
            if finding is not None and (exchange.request.complete or finding.id == "cookie-left-out-by-rule"):
                yield finding
                return


def _comes_later(one: Exchange | None, other: Exchange) -> bool:
    """Within one source the order is that of time; between files it is chance."""
    return one is not None and one.source.name == other.source.name and one.number >= other.number


def _left_out(handed: Handed, exchange: Exchange, url: str) -> Finding | None:
    assert handed.url is not None
    given, asked = handed.url, url
    if given.startswith("?") or asked.startswith("?"):
        given, asked = lenient(given), "https" + asked[asked.index("://") :]
    jar = cookies.CookieJar(clock(handed.exchange))
    verdict = jar.store(given, [handed.value])[0]
    if verdict.cookie is None or not verdict.stored:
        return None
    origin = origin_of(exchange)
    same = origin is None or cookies.same_site(asked, lenient(origin))
    why = cookies.why_not_sent(verdict.cookie, asked, same_site=same, top_level_navigation=False)
    where = Where.at(exchange, "Cookie")
    name = handed.parsed.name
    if why is not None:
        says = f"The refused request goes without the cookie {name}: {why}."
        weights = {
            "cookie-not-sent": NAMED if same else STRONG,
            "cookie-not-stored": 0.0 if same else HINT,
            "no-credentials": -10.0,
        }
        return Finding("cookie-left-out-by-rule", says, weights, where, "cookie-left-out")
    if origin is not None and urlsplit(origin).netloc != urlsplit(asked).netloc:
        says = (
            f"A page of another origin asks without the cookie {name}, which a browser adds only if told to."
        )
        weights = {"fetch-credentials-omitted": STRONG, "cookie-not-sent": HINT, "no-credentials": -10.0}
        return Finding("cookie-left-out-cross-origin", says, weights, where, "cookie-left-out")
    says = f"The cookie {name} was handed out, yet the refused request does not carry it."
    weights = {
        "cookie-not-sent": STRONG,
        "cookie-not-stored": HINT,
        "fetch-credentials-omitted": FAINT,
        "no-credentials": -10.0,
    }
    return Finding("cookie-not-carried", says, weights, where, "cookie-left-out")


_REFUSED_LINE = lazy(
    r"\b(?:GET|POST|PUT|PATCH|DELETE)\s+(?P<url>https?://[^\s\"']+)[^\n]{0,40}?(?<![\d.:/])(?:401|403)\b"
)


@check
def left_out_in_notes(evidence: Evidence) -> Iterator[Finding]:
    """The same in loose notes, where only a rule of cookies can tell: host, path or scheme."""
    urls = [
        (match["url"], text.source.at(text.line_at(match.start())))
        for text in evidence.texts
        for match in _REFUSED_LINE.finditer(text.content[:200_000])
    ]
    for handed in handed_out(evidence) if urls and not evidence.refused else ():
        if handed.url is None or not is_session_name(handed.parsed.name):
            continue
        cookie = (
            cookies.CookieJar(clock(handed.exchange)).store(lenient(handed.url), [handed.value])[0].cookie
        )
        for url, source in urls:
            why = cookies.why_not_sent(cookie, url) if cookie else None
            if why is not None:
                says = f"The refused request goes without the cookie {handed.parsed.name}: {why}."
                weights = {"cookie-not-sent": STRONG + 3, "no-credentials": -10.0, "upgrade-regression": -4.0}
                yield Finding("cookie-left-out-by-rule", says, weights, Where.of(source), "cookie-left-out")
                return


@check
def strict_from_outside(evidence: Evidence) -> Iterator[Finding]:
    """A SameSite=Strict cookie stays away when a link, a bookmark or a provider of another site leads here."""
    strict = evidence.search(r"samesite\W{1,4}(mode\.)?strict")
    for exchange in evidence.refused if strict else ():
        fields = exchange.request.fields
        if fields.get("sec-fetch-site") in ("cross-site", "none") and "cookie" not in fields:
            says = (
                "The page was opened from another site, where a SameSite=Strict cookie does not come along."
            )
            weights = {"cookie-not-sent": STRONG + 2, "no-credentials": -10.0}
            yield Finding(
                "strict-from-outside", says, weights, Where.at(exchange, "Sec-Fetch-Site"), "samesite"
            )
            return


@check
def cross_origin_without_cookies(evidence: Evidence) -> Iterator[Finding]:
    """What Fetch Metadata tells of a refused browser request without cookies."""
    for exchange in evidence.refused:
        fields = exchange.request.fields
        if not exchange.request.complete or "cookie" in fields or "authorization" in fields:
            continue
        where = Where.at(exchange, "Sec-Fetch-Mode")
        dest, mode = fields.get("sec-fetch-dest") or "", fields.get("sec-fetch-mode") or ""
        if dest in ("manifest", "serviceworker"):
            says = f"The browser fetches the {dest} without credentials unless the page says otherwise."
            yield Finding(
                "fetch-dest-plain", says, {"fetch-credentials-omitted": NAMED - 4}, where, "fetch-mode"
            )
        elif mode == "cors" and fields.get("sec-fetch-site") in ("same-site", "cross-site"):
            says = "A script of another origin asked, and no cookie went along."
            weights = {"fetch-credentials-omitted": CLEAR, "cookie-not-sent": HINT, "cookie-not-stored": HINT}
            yield Finding("fetch-cross-origin-plain", says, weights, where, "fetch-mode")
        elif mode == "cors" and dest in ("script", "style", "font", "image"):
            says = f"The {dest} is loaded with `crossorigin`, so without credentials."
            yield Finding(
                "fetch-crossorigin", says, {"fetch-credentials-omitted": STRONG}, where, "fetch-mode"
            )
