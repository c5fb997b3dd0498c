"""Checks of a credential that nobody asked for: a public route that refuses the stale token riding along.

Most frameworks authenticate before they ask whether the route needs it, and a bad credential ends the request.
"""

# A table of patterns is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.checks import check
from why401.checks.credentials_offers import anywhere, sent, troubled, where
from why401.checks.credentials_places import carried
from why401.evidence import Evidence
from why401.findings import CLEAR, FAINT, HINT, Finding, Where

_OPEN = r"AllowAny\b|permitAll\(\)|\[AllowAnonymous\]|@Public\(\)|@PermitAll|IsAuthenticatedOrReadOnly|authentication_classes\s*=\s*[\[(]\s*[\])]|skip_before_action :authenticate|auth:\s*false|\bpublic (?:route|endpoint|page|view|api|url|resource|view)s?\b|(?:route|endpoint|view|resource|page)s? (?:is|are|should be) (?:public|open|for everybody)|no (?:auth(?:entication)?|login) (?:is )?(?:needed|required|necessary)"
_SPOILS = r"without (?:the |any |an )?(?:authorization|auth(?:entication)?|token|header|cookie|bearer|credentials?|jwt)[^.\n]{0,40}(?:works?|ok|fine|200|succe|passes|returns)|(?:remov|omit|delet|clear|dropp?|leav)\w*[^.\n]{0,40}(?:authorization|header|token|cookie|credentials?)[^.\n]{0,60}(?:works?|ok|fine|200|succe|return)|(?:works?|fine|ok|200)\b[^.\n]{0,40}(?:when|if|once|after|as soon as|as long as)[^.\n]{0,30}(?:no |not |without |remov|omit|log(?:ged)? ?out|not logged)[^.\n]{0,30}(?:token|header|authorization|cookie|logged|auth|credential)?|only one auth mechanism allowed"

_COOKIE_SPOILS = r"without (?:\w+ ){0,3}cookies?\b[^.\n]{0,50}(?:works?|\b200\b|fine|ok\b|succe)|(?:delet|clear|remov|strip|dropp)\w* (?:\w+ ){0,3}cookies?\b[^.\n]{0,40}(?:works?|\b200\b|fine|help|fix|succe)"


@check
def needless(evidence: Evidence) -> Iterator[Finding]:
    """A public route refuses a request because of a stale or bogus credential that rides along."""
    if not troubled(evidence):
        return
    open_route, spoils = where(evidence, _OPEN), anywhere(evidence, _SPOILS)
    rides = [
        x for x in evidence.refused if {name.lower() for name in carried(x)} & {"authorization", "cookie"}
    ]
    told_token = where(
        evidence,
        r"(?:expired|invalid|stale|old|bad|bogus|wrong|malformed)[^.\n]{0,20}(?:token|jwt|cookie|authorization|header|credential)",
    )
    if open_route and (rides or told_token):
        weights = {"needless-credential-rejected": 18.0, "token-expired": -2.0, "auth-rule-unintended": FAINT}
        says = "The route is open to everybody, and the refused request carries a credential all the same."
        yield Finding("needless-on-open-route", says, weights, open_route[1], group="needless")
    if spoils:
        weights = {
            "needless-credential-rejected": 17.0,
            "no-credentials": -6.0,
            "credentials-overridden": HINT,
        }
        yield Finding(
            "needless-told",
            "By the words given it works without the credential.",
            weights,
            Where.of(spoils[1]),
            group="needless-told",
        )
    cookie_told = where(evidence, _COOKIE_SPOILS)
    if cookie_told and (any("authorization" in x.request.fields for x in rides) or sent(evidence)):
        says = "By the words given it works once the cookie is left out: the server heeds the cookie before the field."
        weights = {
            "credentials-overridden": 18.0,
            "needless-credential-rejected": HINT,
            "cookie-corrupted": 3.0,
        }
        yield Finding("cookie-wins-told", says, weights, cookie_told[1], group="works-without")
    for exchange in rides:
        path = exchange.request.path
        if (
            re.search(r"/(?:log-?in|sign-?in|sign-?up|register|refresh|forgot|reset)[\w-]*/?$", path, re.I)
            and (exchange.request.method or "").upper() == "POST"
            and "authorization" in exchange.request.fields
        ):
            value = exchange.request.fields.get("authorization") or ""
            if value.lower().startswith(("bearer", "token", "jwt")):
                weights = {"needless-credential-rejected": CLEAR}
                says = "A token is sent along with the login or registration itself, which needs none."
                yield Finding(
                    "token-on-login", says, weights, Where.at(exchange, "Authorization"), group="needless"
                )
                return
