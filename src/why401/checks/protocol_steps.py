"""The steps of a handshake as a short list shows them: request lines and statuses, hardly any field.

Network panels, proxies and summaries write `GET /a 401`, `GET /a 401`, `GET /a 200`. Two refusals before the
answer are what NTLM needs on a new connection (RFC 4559; MS-NLMP): one without, one with the first message.
"""

# Patterns and sentences are read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.checks import check
from why401.checks.credentials_offers import where
from why401.evidence import Evidence, Exchange
from why401.findings import AGAINST, RULED_OUT, Finding, Where

_SCHEMES = r"\b(?:ntlm|negotiate|digest|spnego|kerberos)\b|www-authenticate|windows[- ](?:integrated )?auth"
_SECOND_MESSAGE = r"\b(?:NTLM|Negotiate) TlRMTVNTUAAC"
_WHY_TWO = (
    r"\b(?:why|always|every|each|first)\b[^\n.]{0,40}\b(?:two|2|double|a pair of)\b[^\n.]{0,30}(?:\b401|refus|unauthori|challenge)"
    r"|\b(?:two|2|double)\b (?:times )?(?:401|unauthori)[^\n.]{0,60}\b(?:then|before|followed|until|and)\b|one 401[^\n]{0,40}why (?:two|2|the second|another)"
    r"|\b401\b[^\n.]{0,50}\b(?:twice|two times)\b[^\n.]{0,50}\b(?:then|before|and)\b|401[,; >-]+401[,; >-]+20[0-7]"
    r"|(?:normal|expected|by design)(?: behaviou?r)?\s*\?"
)
_MOST = 2  # refusals that a handshake needs


@check
def steps_of_a_handshake(evidence: Evidence) -> Iterator[Finding]:
    """Each refusal is followed at once by the success of the same request, and a handshake is spoken of."""
    refused = [x for x in evidence.refused if x.request.method and x.request.url]
    if not refused or len(refused) != len(evidence.refused):
        return
    if not all(_leads_to_success(x, evidence.exchanges) for x in refused) or any(map(_told_more, refused)):
        return
    scheme = where(evidence, _SCHEMES)
    if scheme is None:
        return
    legs = evidence.search(_SECOND_MESSAGE)
    says = "Each refusal is followed at once by success for the same request, as the legs of a handshake are."
    weights = {
        "expected-challenge": 26.0 if legs else 18.0,
        "negotiate-failed": RULED_OUT,
        "wrong-password": AGAINST,
    }
    yield Finding("handshake-steps", says, weights, Where.at(refused[0]), group="expected")


def _told_more(exchange: Exchange) -> bool:
    """What the request offered is known, so that other rules can compare, or the input says that it is at fault."""
    return "authorization" in exchange.request.fields or exchange.label in ("fails", "works")


def _leads_to_success(refused: Exchange, exchanges: tuple[Exchange, ...]) -> bool:
    """Whether the next requests of the same source are the same one, and end in success."""
    later = [x for x in exchanges if x.number > refused.number and x.source.name == refused.source.name]
    for step in later[:_MOST]:
        if (step.request.method, step.request.path) != (refused.request.method, refused.request.path):
            return False
        if step.status is not None and step.status < 400:
            return step.label != "works"
    return False


@check
def why_two(evidence: Evidence) -> Iterator[Finding]:
    """The report asks about refusals before a success: whether that is normal, or why there are two."""
    found = re.search(rf"(?i){_WHY_TWO}", evidence.prose)
    windows = where(evidence, _SCHEMES)
    if found and windows and re.search(r"(?i)\b20[0-7]\b|works?\b|succe|resolve", evidence.prose):
        says = "The report asks why there are refusals before the answer comes: a handshake has them."
        yield Finding(
            "handshake-wondered-at", says, {"expected-challenge": 12.0}, windows[1], group="expected-words"
        )


# Code that answers 401 itself; the field would stand beside it.
_BARE_IN_CODE = r"status\(401\)\.(?:send|json|end)\(|sendStatus\(401\)|writeHead\(401[,)]|http\.Error\(\w+,[^\n]{0,80}(?:401|StatusUnauthorized)|HttpResponse\([^\n]{0,60}status=401|setStatus\(401\)|sendError\(401|http_response_code\(401\)|status=401\)|abort\(401\)"
_PROMPTING = r"\bgit (?:clone|push|pull|fetch)\b|gvfs|davfs|finder|webdav|browser|prompt|dialog|pop-?up|asking for (?:user|password)|maven|svn\b|HttpURLConnection|wget"


@check
def answered_without_challenge(evidence: Evidence) -> Iterator[Finding]:
    """Code answers 401 without a challenge, to a client that would ask its user for one."""
    bare = where(evidence, _BARE_IN_CODE)
    if bare and where(evidence, _PROMPTING) and not evidence.search(r"www-?_?authenticate"):
        says = "The code answers 401 without WWW-Authenticate, so a client cannot ask its user."
        yield Finding(
            "code-without-challenge", says, {"missing-challenge": 14.0}, bare[1], group="challenge-code"
        )
