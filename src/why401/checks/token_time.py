"""Tokens and clocks: is the token valid at the time the evidence itself gives?

Today's clock proves nothing about a pasted token: only the Date of an answer or the stamp of a log line does.
"""

# Patterns and sentences are read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from why401.checks import check
from why401.checks import token_moments as token_moments  # registers its checks
from why401.checks.token_facts import Facts
from why401.evidence import Evidence
from why401.findings import CLEAR, RULED_OUT, Finding, Where
from why401.protocol.jwt import seconds, span_of, state_at

_TOKEN_WORDS = (
    r"\b(?:tokens?|jwt|bearer|oauth2?|oidc|service ?account|access[-_ ]?key|id[-_ ]token|credentials?)\b"
)
_FRESH = r"\b(?:iat|nbf|issued[-_ ]?at|not[-_ ]?before|IssuedAt|NotBefore|setIssuedAt|withIssuedAt)\b[\"')\]]*\s*[:=,(]"
_OWN_CLOCK = (
    r"self-hosted|own (?:server|machine|runner)|virtual machine|\bVMs?\b|\bWSL|hyper-v|vmware|virtualbox|raspberry"
    r"|docker desktop|after (?:sleep|suspend|hibernat\w+|resume|wak\w+)|laptop|on-?prem|bare metal"
)
_NOW_AND_THEN = r"intermittent|sometimes|now and then|randomly|sporadic|occasional|flaky|every (?:other|few)|once in a while|\d+ (?:in|out of) \d+|one (?:time )?(?:in|out of) \w+"


@check
def at_the_time(evidence: Evidence) -> Iterator[Finding]:
    """exp, nbf and iat against the time of the refusal."""
    facts = Facts(evidence)
    if not facts.moments:
        return
    first, last = facts.moments[0], facts.moments[-1]
    for token in facts.offered:
        if seconds(token.jwt.claims, "exp") is None and seconds(token.jwt.claims, "nbf") is None:
            continue
        early = [s for s in state_at(token.jwt, first) if s.kind in ("not-yet", "issued-in-future")]
        over = [s for s in state_at(token.jwt, last) if s.kind == "expired"]
        if early and early[0].seconds < 86400:
            says = f"By the answer's own date, {early[0].says[0].lower()}{early[0].says[1:]}"
            weights = {"clock-skew": 26.0, "token-expired": RULED_OUT, "no-credentials": RULED_OUT}
            yield Finding("token-from-the-future", says, weights, token.where, "token-time")
        elif over and over[0].seconds < 400 * 86400:
            says = f"At the time of the refusal the token had been over for {span_of(over[0].seconds)}."
            weights = {"token-expired": 20.0, "wrong-audience": -4.0, "no-credentials": RULED_OUT}
            yield Finding("token-over", says, weights, token.where, "token-time")
        elif not over and not early:
            says = "At the time of the refusal the token was within its lifetime."
            yield Finding(
                "token-in-time",
                says,
                {"token-expired": RULED_OUT, "refresh-failed": -6.0},
                token.where,
                "token-time",
            )
        return


@check
def form_of_times(evidence: Evidence) -> Iterator[Finding]:
    """Times that are no NumericDate: milliseconds, or text; an exp before its own iat."""
    for token in Facts(evidence).offered:
        if token.jwt.has("time-in-milliseconds"):
            says = "A time in the token is in milliseconds; it must be in seconds (RFC 7519, section 2)."
            weights = {"malformed-token": 17.0, "token-expired": 4.0, "clock-skew": 6.0}
            yield Finding("token-milliseconds", says, weights, token.where)
        elif token.jwt.has("time-not-number"):
            says = "A time in the token is no number (RFC 7519, section 2)."
            yield Finding("token-time-text", says, {"malformed-token": 15.0}, token.where)
        exp, iat = seconds(token.jwt.claims, "exp"), seconds(token.jwt.claims, "iat")
        if exp is not None and iat is not None and exp <= iat:
            says = "The token expires before it was issued: the issuer computes exp wrongly."
            yield Finding("token-born-dead", says, {"token-expired": 18.0, "clock-skew": 5.0}, token.where)


@check
def after_a_while(evidence: Evidence) -> Iterator[Finding]:
    """It works, and after a time that tokens live it does not."""
    facts = Facts(evidence)
    span = r"(?:about |exactly |roughly |around |~)?(?:an?|one|two|few|\d+|some) ?-?(?:hours?|h|minutes?|min|days?|weeks?|while)\b"
    end = r"(?:\b401\b|unauthori\w+|fail\w*|stop\w*|expire\w*|refused|rejected|logged out|log in again|dies)"
    aged = facts.says(
        rf"\b(?:works?|fine|valid|runs?|lasts?)\b[^\n.]{{0,50}}\b(?:for|until|the first)\s+{span}"
        rf"|\bafter\s+{span}[^\n]{{0,80}}{end}|{end}[^\n.]{{0,60}}\b(?:after|every)\s+{span}"
    )
    contrast = next((c for c in evidence.contrasts if c.axis == "age"), None)
    if (aged or contrast) and facts.says(_TOKEN_WORDS):
        says = "It works at first and is refused after a time: a token's lifetime, if nothing renews it."
        where = aged or facts.says(_TOKEN_WORDS)
        weights = {
            "token-expired": 9.0,
            "refresh-failed": 5.0,
            "wrong-audience": -6.0,
            "wrong-issuer": -6.0,
            "bad-signature": -6.0,
            "wrong-algorithm": -8.0,
        }
        if where is not None:
            yield Finding("token-works-for-a-while", says, weights, where, "works-for-an-hour")
    once = facts.says(
        r"kubernetes[^\n]{0,60}(?:before|<|older than|prior to)\s*(?:version )?(?:v?1[0-2]|v?\d\.)|token (?:is )?(?:read|loaded|cached|fetched) (?:only )?(?:once|at (?:start|boot))|(?:never|not|doesn'?t|does not) (?:re-?read|reload|refresh|renew)\w*[^\n]{0,40}token"
    )
    if once and (aged or contrast or facts.says(r"\b401\b|unauthorized")):
        says = "The token is read once and kept, though it is replaced on disk while the program runs."
        yield Finding("token-read-once", says, {"token-expired": 15.0}, once)


@check
def clock(evidence: Evidence) -> Iterator[Finding]:
    """A token made by the local clock, refused now and then or on some machines only."""
    facts = Facts(evidence)
    made = facts.says(_FRESH)
    uneven = next((c for c in evidence.contrasts if c.axis in ("frequency", "host")), None)
    irregular = facts.says(_NOW_AND_THEN) or (uneven and facts.says(_TOKEN_WORDS))
    if made and irregular and not facts.says(r"refresh[_ -]?token"):
        says = "The token takes its times from this machine's clock, and it is refused now and then or on some machines."
        yield Finding("clock-fresh-token", says, {"clock-skew": 14.0}, made, "clock-signs")
        machine = facts.says(_OWN_CLOCK)
        if machine:
            says = "It happens on machines whose clock nobody may be keeping."
            yield Finding("clock-own-machine", says, {"clock-skew": 6.0}, machine)
    yield from _set_back(facts)


def _set_back(facts: Facts) -> Iterator[Finding]:
    """Two answers, or an answer and a local stamp, that tell different times."""
    ahead = facts.says(
        r"(?:date|clock|time)\b[^\n]{0,60}\b\d+ ?(?:s|sec\w*|min\w*|hours?) (?:off|ahead|behind|fast|slow|in the (?:future|past))|wrong (?:time ?zone|date|system time)|(?:timedatectl|ntpdate|hwclock|chronyc|w32tm)\b"
    )
    if ahead:
        says = "The evidence speaks of a clock that is off."
        yield Finding("clock-off", says, {"clock-skew": CLEAR}, ahead, "clock-words")


@check
def signed_date(evidence: Evidence) -> Iterator[Finding]:
    """The date within a signed request against the Date of the answer."""
    facts = Facts(evidence)
    hit = evidence.search(r"x-amz-date[\"']?\s*[:=]\s*[\"']?(\d{8}T\d{6})Z", re.I)
    stamp = datetime.strptime(hit[0].group(1), "%Y%m%dT%H%M%S").replace(tzinfo=UTC) if hit else None
    if stamp is None:
        hit = evidence.search(r"oauth_timestamp=\\?\"?(\d{10})(?!\d)")
        stamp = datetime.fromtimestamp(int(hit[0].group(1)), UTC) if hit else None
    if stamp is None or hit is None or not facts.moments:
        return
    off = min(abs((stamp - moment).total_seconds()) for moment in facts.moments)
    if 300 < off < 30 * 86400:
        says = f"The signed date is {span_of(off)} from the date of the answer."
        yield Finding(
            "signed-date-off", says, {"clock-skew": 19.0, "request-signature-mismatch": 3.0}, Where.of(hit[1])
        )
    elif off <= 300:
        says = "The signed date is that of the answer: the clocks agree."
        yield Finding("signed-date-fits", says, {"clock-skew": -14.0}, Where.of(hit[1]))
