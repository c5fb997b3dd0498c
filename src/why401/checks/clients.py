"""Checks of what a client does with its credentials: one that wins over another, one that is out of date.

The order of precedence is each program's own: `requests`, HTTPie, Ansible's `uri` and older httpx put `.netrc`
above an Authorization that was set by hand; curl does not. A cookie often wins over a header on the server.
"""

# A table of patterns is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from why401.checks import check
from why401.checks.credentials_offers import AUTHORIZATION, every, sent, troubled, where
from why401.checks.credentials_places import carried
from why401.evidence import Evidence, Exchange
from why401.findings import HINT, Finding, Where
from why401.prefilter import lazy

_NETRC = r"^\s*default\s+login\s|^\s*machine\s+\S+(?:\s+|\s*\n\s*)(?:login|password|account)\b"
_BY_HAND = r"\bgcloud\b|oauth|authorization|bearer|private[-_]token|api[-_]?(?:key|token)|oauth_token|job[-_]token|access[-_]token"


_TOKEN_WORDS = _BY_HAND + r"|\btokens?\b"
_LETS_NETRC_WIN = r"FAILED! =>|\bplaybook\b|^\s*-?\s*hosts:|\bmise\b|\buv (?:pip|sync|add)|netrc_headers|use_netrc|trust_env|\bpython\b|\brequests\b|httpie|\bhttp (?:GET|POST|https?:)|ansible|httpx|\bpip\b|gcloud|rest-client|\.rb\b|aiohttp|gitlab"


@check
def netrc_over_header(evidence: Evidence) -> Iterator[Finding]:
    """A netrc entry for a host to which a token is sent by hand."""
    found = where(evidence, _NETRC, re.I | re.M)
    by_hand = where(evidence, _BY_HAND)
    if not found or not troubled(evidence):
        return
    weights: Mapping[str, float] = {"credentials-overridden": 23.0, "auth-layers-collide": -6.0}
    curl_only = where(evidence, r"\bcurl\b") and not where(evidence, _LETS_NETRC_WIN)
    if not by_hand or curl_only:
        weights = {
            "credentials-overridden": 3.0,
            "client-config-not-loaded": 6.0,
            "stored-credential-stale": 5.0,
        }
    says = "A netrc file has an entry for a host; many clients let it win over a header set by hand."
    yield Finding(
        "netrc-beside-header",
        says if by_hand else "A netrc file has an entry for a host.",
        weights,
        found[1],
        group="override",
    )


@check
def netrc_in_words(evidence: Evidence) -> Iterator[Finding]:
    """The report names a netrc file beside a client that lets it win."""
    found = where(evidence, r"(?<![\w/])(?:~/|\$HOME/)?\.?_?netrc\b")
    if found and troubled(evidence) and where(evidence, _LETS_NETRC_WIN) and where(evidence, _TOKEN_WORDS):
        says = "The report speaks of a netrc file, and this client lets it win over a token."
        yield Finding("netrc-in-words", says, {"credentials-overridden": 15.0}, found[1], group="override")


@check
def two_values(evidence: Evidence) -> Iterator[Finding]:
    """Two Authorization fields in one request: a server reads the first, the last, or none (RFC 9110, 5.3)."""
    for exchange in evidence.refused:
        for name in AUTHORIZATION:
            values = exchange.request.fields.all(name)
            if len(values) > 1:
                schemes = sorted({value.partition(" ")[0] for value in values})
                says = f"The request has {len(values)} {name.title()} fields ({', '.join(schemes)})."
                weights = {
                    "credentials-overridden": 20.0,
                    "malformed-authorization": 8.0,
                    "auth-layers-collide": 7.0,
                }
                yield Finding(
                    "two-authorization-fields",
                    says,
                    weights,
                    Where.at(exchange, name.title()),
                    group="override",
                )


def _key(exchange: Exchange) -> tuple[str, str]:
    return (exchange.request.method or "GET").upper(), (exchange.request.url or "").partition("#")[0]


@check
def without_it_works(evidence: Evidence) -> Iterator[Finding]:
    """The same request succeeds with fewer credentials: what was left out is what is refused."""
    for bad in evidence.refused:
        for good in evidence.succeeded:
            if _key(bad)[0] != _key(good)[0] or not _same_target(bad, good):
                continue
            more = {name.lower() for name in carried(bad)}
            less = {name.lower() for name in carried(good)}
            if good.request.complete and not less and more:
                says = f"Without {', '.join(sorted(more))} the same request succeeds."
                weights = {
                    "needless-credential-rejected": 22.0,
                    "credentials-overridden": 6.0,
                    "no-credentials": -12.0,
                }
                yield Finding("works-without", says, weights, Where.at(bad), group="works-without")
            elif "cookie" in more - less and "authorization" in more & less:
                says = "With the same Authorization and without the cookie the request succeeds."
                weights = {
                    "credentials-overridden": 22.0,
                    "wrong-password": -10.0,
                    "needless-credential-rejected": 4.0,
                }
                yield Finding("cookie-wins", says, weights, Where.at(bad, "Cookie"), group="works-without")


def _same_target(one: Exchange, other: Exchange) -> bool:
    ours, theirs = one.request, other.request
    return ours.path == theirs.path and (ours.host is None or theirs.host is None or ours.host == theirs.host)


_SESSION = lazy(
    r"wordpress_logged_in|wordpress_sec|oc_sessionpassphrase|nc_session|nc_username|oc[a-z0-9]{9,}=|sessionid=|jsessionid="
    r"|laravel_session|phpsessid|connect\.sid|_session(?:_id)?=|ssess[0-9a-f]+|sess[0-9a-f]{32}|\.aspnet(?:core)?\.|grafana_session|gitlab_session|remember",
    re.I,
)


@check
def cookie_beside_header(evidence: Evidence) -> Iterator[Finding]:
    """A login session and an Authorization in one refused request: the server may heed the cookie."""
    for exchange in evidence.refused:
        cookie = exchange.request.fields.get("cookie") or ""
        value = exchange.request.fields.get("authorization")
        if value and _SESSION.search(cookie):
            weight = 13.0 if re.search(r"wordpress_logged_in|oc_session|nc_username", cookie, re.I) else 7.0
            says = "A session cookie rides along with the Authorization; many servers heed the cookie first."
            weights = {"credentials-overridden": weight, "csrf-rejected": HINT}
            yield Finding(
                "cookie-beside-header", says, weights, Where.at(exchange, "Cookie"), group="works-without"
            )
            return


@check
def other_scheme_than_configured(evidence: Evidence) -> Iterator[Finding]:
    """Code or settings give a token, and the wire shows another scheme: something replaced it."""
    given = {
        m.group(1).lower()
        for m, _ in every(evidence, r"authorization[\"']?\]?\s*[:=,(]\s*f?[\"'`]?(Bearer|Basic|Token)\b")
        if m
    }
    wire = [one for one in sent(evidence) if one.seen == "wire" and one.exchange is not None and one.refused]
    intended = given - {one.parsed.name for one in wire}
    for one in wire:
        if (
            intended
            and one.parsed.name in ("basic", "bearer", "digest", "negotiate")
            and _in_code(evidence, intended)
        ):
            says = f"The client's code sets {sorted(intended)[0].title()}, and {one.parsed.scheme} went out: something replaced it."
            yield Finding(
                "replaced-on-the-way-out", says, {"credentials-overridden": 16.0}, one.where, group="override"
            )
            return


def _in_code(evidence: Evidence, schemes: set[str]) -> bool:
    return any(
        text.kind in ("code", "settings") and any(re.search(rf"\b{s}\b", text.content, re.I) for s in schemes)
        for text in evidence.texts
    )


_INTERCEPTORS = (
    r"interceptors\.request\.use|HttpInterceptor\b|intercept\(\s*(?:req|request|chain)|addInterceptor\(|axios\.defaults\.headers|"
    r"DelegatingHandler|RequestInterceptor|\$httpProvider\.interceptors|ajaxSetup\(|ClientHttpRequestInterceptor|default_headers\[|session\.headers\.update"
)


@check
def interceptor(evidence: Evidence) -> Iterator[Finding]:
    """Code that sets Authorization for every request, and a call that sets its own."""
    found = where(evidence, _INTERCEPTORS)
    if not found or not troubled(evidence):
        return
    sets = len(list(every(evidence, r"Authorization[\"'`]?\]?\s*[:=,]|bearerAuth|\bauth\s*[:=]\s*[{(]")))
    if sets > 1:
        says = "An interceptor or default sets the credential for every request, and a call sets its own."
        yield Finding(
            "interceptor-beside-call",
            says,
            {"credentials-overridden": 16.0 if _two_schemes(evidence) else 10.0},
            found[1],
            group="override",
        )


def _two_schemes(evidence: Evidence) -> bool:
    """Does the code set Authorization in two schemes?"""
    return len({m.group(1) for m, _ in every(evidence, r"[\"'`](Basic|Bearer|Token) ")}) > 1


#: What people write when the shell's variable beats the file, or one credential another. → weight
_BEATS = (
    (
        r"(?-i:\b[A-Z][A-Z0-9_]{5,}) (?:was|is|were) (?:still|already|also) (?:set|exported|defined|there)|(?-i:\b[A-Z][A-Z0-9_]{5,})[^.\n]{0,30}\bleft (?:over )?in\b",
        17.0,
    ),
    (
        r"(?:env(?:ironment)?(?: ?var(?:iable)?)?s?|shell)\b[^.\n]{0,60}\b(?:takes? (?:precedence|priority)|overrid(?:es?|den|ing)|wins?|beats?|is used instead|instead of (?:the|my))",
        14.0,
    ),
    (
        r"\b(?:unset|Remove-Item env:|del env:)\s*\$?[A-Z_]*(?:TOKEN|KEY|SECRET|PASSWORD|PROFILE|CREDENTIALS)\b",
        12.0,
    ),
    (r"persist-credentials|http\.[^\s]*extraheader", 13.0),
    (
        r"(?:uses?|using|sends?|sending|sent|picks? up|picked up|shows?) (?:the |an |my )?(?:other|wrong|different|another)\b[^.\n]{0,20}\b(?:token|key|account|credentials?|user|password|profile|header)",
        8.0,
    ),
    (
        r"(?:my|the|our) (?:own )?(?:authorization )?(?:header|token)[^.\n]{0,30}(?:is|was|gets?|being) (?:replaced|overwritten|overridden|ignored)",
        15.0,
    ),
    (r"two authorization headers|authorization(?: header)? (?:twice|is duplicated|appears twice)", 15.0),
)


@check
def told_override(evidence: Evidence) -> Iterator[Finding]:
    """The reporter or the tool says that one credential replaces another."""
    if not troubled(evidence):
        return
    for pattern, weight in _BEATS:
        found = where(evidence, pattern)
        if found:
            says = "By the words given, one credential takes the place of another."
            yield Finding(
                "told-override", says, {"credentials-overridden": weight}, found[1], group="override-told"
            )
            return


#: Stores of credentials, as commands, settings and people name them → weight.
_STORES = (
    (
        r"(?:keeps?|still|goes on|continues?|continued) (?:sending|using|to (?:send|use)|sends?|uses?|trying)\b[^.\n]{0,12}\b(?:old|previous|former|cached|stale|first)\b",
        15.0,
    ),
    (r"(?:set|chose|got|have|made) (?:a |my )?new (?:one|password|token|key)|password (?:had )?expired", 8.0),
    (r"\"cred(?:sStore|Helpers)\"|docker-credential-\w+|docker-credential", 9.0),
    (
        r"git config[^\n]*credential|credential\.helper\s*=?\s*\S+|git credential[- ](?:manager|store|cache|reject|fill|osxkeychain)|\.git-credentials",
        9.0,
    ),
    (
        r"windows (?:credential manager|vault)|credential manager|cmdkey|keychain(?: access)?|gnome-keyring|kwallet|secret ?service|libsecret|\bkeyring\b",
        9.0,
    ),
    (
        r"(?:saved|stored|cached|remembered|remembers?|old|previous|stale) (?:\w+ ){0,2}(?:password|credentials?|login|token|key|basic auth)",
        10.0,
    ),
    (
        r"(?:changed|rotated|reset|renewed|updated|replaced|regenerated|revoked)[^.\n]{0,30}\b(?:password|token|key|pat|credentials?)\b[^.\n]{0,80}(?:still|keeps?|but|no longer|never asks?|since|now)",
        10.0,
    ),
    (
        r"(?:never|no longer|does(?:n't| not)|not) (?:even )?(?:ask|prompt)(?:s|ed|ing)?(?: me)? (?:for|again)",
        8.0,
    ),
    (
        r"(?:private|incognito) (?:window|mode|tab|browsing)[^.\n]{0,60}(?:works?|fine|ok|asks|prompts|logs in)|(?:works?|fine|asks|prompts)[^.\n]{0,60}(?:private|incognito)",
        6.0,
    ),
    (r"(?:docker|podman|helm registry|npm|gh auth|az acr|gcloud auth) (?:logout|revoke)\b", 8.0),
    (
        r"(?:reused|self-hosted|persistent|shared|long-lived) (?:\w+ )?(?:runner|agent|build (?:machine|server|node)|node)s?|reused from (?:run|build|job) to",
        7.0,
    ),
)
_PUBLIC = r"\b(?:public|anonymous(?:ly)?)\b[^.\n]{0,40}\b(?:image|repo(?:sitory)?|registry|package|pull|index|gallery)|(?:image|repo(?:sitory)?|package|registry)[^.\n]{0,30}\b(?:is|are) public|public\.ecr\.aws|mcr\.microsoft\.com|docker\.elastic\.co"


@check
def stored(evidence: Evidence) -> Iterator[Finding]:
    """A store of credentials is in play; more so where the resource is public or a password was changed."""
    if not troubled(evidence):
        return
    found = [(weight, at[1]) for pattern, weight in _STORES if (at := where(evidence, pattern))]
    if not found:
        return
    weight = max(w for w, _ in found) + 3.0 * (len(found) - 1)
    weights = {"stored-credential-stale": min(weight, 19.0), "credential-revoked": 2.0}
    says = "A store of saved credentials is in play, which may hold an old one."
    yield Finding("stored-credential", says, weights, found[0][1], group="stored")


@check
def refused_though_public(evidence: Evidence) -> Iterator[Finding]:
    """A public resource needs no login: a refusal comes from a credential that rides along."""
    public = where(evidence, _PUBLIC)
    spoiled = where(
        evidence,
        r"token (?:has |is )?expired|reauthenticate|expired|invalid (?:token|credentials)|unauthori[sz]ed|\b40[13]\b|denied",
    )
    if public and spoiled:
        weights = {
            "stored-credential-stale": 13.0,
            "needless-credential-rejected": 11.0,
            "resource-hidden": 4.0,
        }
        says = "The resource is public, so what is refused is a credential that was sent along."
        yield Finding("refused-though-public", says, weights, public[1], group="public")


@check
def persisted_by_checkout(evidence: Evidence) -> Iterator[Finding]:
    """actions/checkout leaves an extraheader in git's configuration, which beats a token in the address."""
    checkout = where(evidence, r"uses:\s*actions/checkout@")
    own_token = where(
        evidence,
        r"https://[^\s/@]*(?:\$\{\{?[^}]*\}\}?|\$\w+|\*{3})@github\.com|git remote set-url[^\n]*@github\.com",
    )
    if (
        checkout
        and own_token
        and troubled(evidence)
        and not where(evidence, r"persist-credentials:\s*[\"']?false")
    ):
        says = "The workflow pushes with a token of its own, and the header that actions/checkout left in git beats it."
        weights = {"credentials-overridden": 25.0, "insufficient-scope": -8.0}
        yield Finding("persisted-by-checkout", says, weights, own_token[1], group="override")
