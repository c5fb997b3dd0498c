"""The page's Origin against the origins that the application trusts: lists in settings and code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from urllib.parse import urlsplit

from why401.checks import check
from why401.evidence import Evidence
from why401.findings import CLEAR, HINT, Finding, Where
from why401.prefilter import lazy
from why401.protocol.cookies import same_site


@dataclass(frozen=True, slots=True)
class TrustList:
    """A list of trusted origins: how it is written, what happens to an origin that is not on it."""

    name: str
    pattern: str
    says: str
    weights: dict[str, float]


_VALUES = r"[\"']?\s*(?:=>|[:=(])\s*(?P<values>\[[^\]]{0,2000}\]|\([^)]{0,2000}\)|[^\n]{0,600})"
_LISTS = (
    TrustList(
        "SANCTUM_STATEFUL_DOMAINS",
        r"SANCTUM_STATEFUL_DOMAINS" + _VALUES,
        "is not among Sanctum's stateful domains, so its cookie login is not looked at",
        {"auth-setting-wrong": CLEAR + 2, "cookie-not-sent": HINT, "no-credentials": -6.0},
    ),
    TrustList(
        "CSRF_TRUSTED_ORIGINS",
        r"CSRF_TRUSTED_ORIGINS" + _VALUES,
        "is not among the origins trusted against forgery",
        {"csrf-rejected": CLEAR + 2, "external-url-wrong": 4.0},
    ),
    TrustList(
        "trusted origins",
        r"\b(?:trusted_?origins|TRUSTED_?ORIGINS|trustedOrigins|serverActions[^\n]{0,40}allowedOrigins)"
        + _VALUES,
        "is not among the trusted origins",
        {"csrf-rejected": CLEAR, "external-url-wrong": 4.0},
    ),
)
_ORIGIN = lazy(
    r"(?:^|[\s\"'`(])(?:origin|referer)[\"'`]?\s*[: ]\s*[\"'`]?(?P<url>https?://[\w.:\[\]-]+)", re.I
)


def origins_of(evidence: Evidence) -> set[str]:
    """The origins of the pages whose requests were refused, as far as they are known."""
    found = {x.request.fields.get("origin") or "" for x in evidence.refused}
    if not any(found):
        for text in evidence.texts:
            if text.kind not in ("code", "settings"):
                found |= {match["url"] for match in _ORIGIN.finditer(text.content[:100_000])}
    return {origin for origin in found if origin.startswith("http")}


def trusted(origin: str, values: str) -> bool:
    """Does a list of origins, hosts or patterns hold the origin (or a part that is not known)?"""
    netloc = urlsplit(origin).netloc.lower()
    host = netloc.partition(":")[0]
    entries = re.findall(r"[\w*.:/\[\]-]+", values.lower())
    for entry in entries:
        place = entry.split("://")[-1].strip("/[]")
        if place in (netloc, "*", "**") or ("://" in entry and fnmatch(netloc, place)):
            return True
        if fnmatch(netloc, place) or (place.startswith(".") and host.endswith(place)):
            return True
    return False


@check
def origin_not_trusted(evidence: Evidence) -> Iterator[Finding]:
    """The page's origin is not on a list of those that the application trusts."""
    origins = sorted(origins_of(evidence))
    for rule in _LISTS if origins else ():
        for text in evidence.texts:
            match = text.find(rule.pattern, 0)
            if match is None or not re.search(r"[a-z0-9]\.[a-z]|localhost|127\.|\*", match["values"]):
                continue  # a list that is read from elsewhere tells nothing
            stranger = next((origin for origin in origins if not trusted(origin, match["values"])), None)
            where = Where.of(text.source.at(text.line_at(match.start())))
            if stranger is not None:
                says = f"The page's origin {stranger} {rule.says} ({rule.name})."
                yield Finding("origin-not-trusted", says, rule.weights, where, "trusted-origin")
                return
            weights = {cause: -6.0 for cause, weight in rule.weights.items() if weight >= CLEAR}
            says = f"The page's origin is on the list of {rule.name}."
            yield Finding("origin-trusted", says, weights, where)
            return


_ALLOWED = lazy(
    r"(?:origins?|CORS_\w+|allowedOrigins?|Access-Control-Allow-Origin)[\"']?\s*[:=(,]\s*[\[\"'`(\s]*"
    r"(?P<url>https?://[\w.:-]+)",
    re.I,
)
_CALLED = lazy(
    r"(?:axios(?:\.\w+)?\(|fetch\(|\$http\.\w+\(|\.ajax\(|baseURL:|API_(?:BASE_)?URL\s*[=:]|uri:)\s*[\"'`{\s]*"
    r"(?:url:\s*[\"'`])?(?P<url>https?://[\w.:-]+)"
)
_SETS = (
    r"\b(?:res|response|reply|ctx)\.(?:cookies?|setCookie|set_cookie|cookies\.set)\(|session\(\s*\{"
    r"|Set-Cookie|setcookie\("
)


@check
def cookie_across_sites_in_code(evidence: Evidence) -> Iterator[Finding]:
    """Page and API are on two sites, the calls ask for cookies, and nothing makes the cookie SameSite=None."""
    if not evidence.search(
        r"withCredentials\s*[:=]\s*true|credentials\s*:\s*['\"]include"
    ) or not evidence.search(_SETS):
        return
    if evidence.search(r"same_?site\W{0,8}(?:\w+\.)?none"):
        return
    pages = {m["url"] for text in evidence.texts for m in _ALLOWED.finditer(text.content[:100_000])}
    for text in evidence.texts:
        for match in _CALLED.finditer(text.content[:100_000]):
            page = next((page for page in sorted(pages) if not same_site(match["url"], page)), None)
            if page is not None:
                says = f"{page} and {match['url']} are two sites, and the cookie is not made SameSite=None; Secure."
                weights = {"cookie-not-stored": CLEAR + 6, "cookie-not-sent": HINT, "cookie-not-issued": -6.0}
                weights["fetch-credentials-omitted"] = -6.0
                where = Where.of(text.source.at(text.line_at(match.start())))
                yield Finding("cookie-across-sites", says, weights, where, "cookie-verdict")
                return
