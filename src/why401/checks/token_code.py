"""Code that makes, checks or sends tokens: two secrets, two algorithms, times in the wrong unit or zone."""

# Patterns and sentences are read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.checks import check
from why401.checks.token_facts import Facts
from why401.evidence import Evidence
from why401.findings import Finding, Where
from why401.prefilter import lazy

_KEY = r"(?P<key>[\w.$\[\]'\"!?-]{3,80})"
_SIGNS = lazy(
    rf"(?:jwt|jsonwebtoken|jws)\.(?:sign|encode)\(\s*(?:\{{[^{{}}]*\}}|[\w.]+)\s*,\s*{_KEY}|JwtModule\.register\w*\(\s*\{{[^}}]*?\bsecret:\s*{_KEY.replace('key', 'other')}",
    re.S,
)
_CHECKS_WITH = lazy(
    rf"(?:jwt|jsonwebtoken|jws)\.(?:verify|decode)\(\s*[\w.\[\]'\"()]+\s*,\s*{_KEY}|secretOrKey:\s*{_KEY.replace('key', 'other')}"
)
_SIGN_ALG = lazy(
    r"(?:\.sign|\.encode)\([^;]{0,400}?\balgorithm[\"']?\s*[:=]\s*[\"'](?P<alg>[A-Z]{2}\d{3})", re.S
)
_CHECK_ALG = lazy(r"algorithms[\"']?\s*[:=]\s*\[(?P<algs>[^\]]*)\]")

#: id, pattern, sentence, weights, mend: habits of code that make a token wrong from its birth.
_HABITS: tuple[tuple[str, str, str, dict[str, float], str], ...] = (
    (
        "code-lifetime-in-milliseconds",
        r"expiresIn[\"']?\s*:\s*[\"']\d+[\"']",
        "expiresIn is a number in quotes: jsonwebtoken reads that as milliseconds, so the token is over at once.",
        {"token-expired": 16.0},
        "Write a number (seconds) or a unit: `expiresIn: 3600` or `expiresIn: '1h'`.",
    ),
    (
        "code-lifetime-too-short",
        r"(?:currentTimeMillis\(\)|Date\.now\(\)|getTime\(\))\s*\+\s*\d{1,5}\b(?!\s*\*)",
        "The lifetime is added in seconds to a time in milliseconds: the token is over after a moment.",
        {"token-expired": 15.0},
        "Add milliseconds: `System.currentTimeMillis() + 3600 * 1000L`.",
    ),
    (
        "code-times-in-milliseconds",
        r"\b(?:exp|iat|nbf)[\"']?\s*:\s*Date\.now\(\)(?!\s*/)|\b(?:exp|iat|nbf)[\"']?\s*[:=]\s*System\.currentTimeMillis\(\)(?!\s*/)|expiresAt\(\s*System\.currentTimeMillis\(\)",
        "A claim is set in milliseconds; tokens count seconds.",
        {"malformed-token": 14.0, "clock-skew": 8.0, "token-expired": 3.0},
        "Divide by 1000 and round down: `Math.floor(Date.now() / 1000)`.",
    ),
    (
        "code-local-time-as-utc",
        r"[\"'](?:exp|iat|nbf)[\"']\s*[:\]]\s*=?\s*(?:datetime\.)?datetime\.now\(\s*\)|datetime\.utcnow\(\)\.timestamp\(\)|DateTime\.Now\b[^\n]{0,60}(?:expires|notBefore|Add\w+\()|(?:expires|notBefore)\s*[:=]\s*DateTime\.Now\b",
        "A claim is made from local time that is taken for UTC: it is off by the time zone.",
        {"clock-skew": 14.0, "token-expired": 9.0},
        "Use an aware time: `datetime.now(timezone.utc)`, `DateTime.UtcNow`.",
    ),
    (
        "code-sends-refresh-token",
        r"(?:Bearer|Authorization)[\"'`]?[^\n]{0,40}(?:\$\{|\+|\()\s*[\w.?\[\]'\"]*refresh_?token\b",
        "Code sends the refresh token as the bearer token.",
        {"wrong-token-type": 18.0},
        "Send the access token; the refresh token goes to the token endpoint only.",
    ),
    (
        "code-leeway-none",
        r"ClockSkew\s*=\s*TimeSpan\.Zero|clockTolerance:\s*0\b|leeway\s*=\s*0\b|clock-skew:\s*0s?\b|JwtTimestampValidator\(Duration\.ZERO\)",
        "The receiver forgives no difference of clocks.",
        {"clock-skew": 8.0, "token-expired": 3.0},
        "Allow a leeway of a minute.",
    ),
)  # fmt: skip


@check
def habits(evidence: Evidence) -> Iterator[Finding]:
    """What makes a token wrong from its birth."""
    facts = Facts(evidence)
    for slug, pattern, says, weights, fix in _HABITS:
        hit = facts.says(pattern)
        if hit is not None:
            yield Finding(slug, says, weights, hit, fix=fix)


@check
def two_secrets(evidence: Evidence) -> Iterator[Finding]:
    """The expression that signs and the one that checks are not the same."""
    signs, checks_with, where = set[str](), set[str](), Where()
    for text in evidence.texts:
        for pattern, held in ((_SIGNS, signs), (_CHECKS_WITH, checks_with)):
            for match in pattern.finditer(text.content[:200000]):
                key = (match["key"] or match["other"] or "").rstrip("!,?.")
                if re.search(r"secret|key|['\"]", key, re.I) and not re.search(
                    r"public|private|cert|pem|jwks", key, re.I
                ):
                    held.add(key)
                    where = Where.of(text.source.at(text.line_at(match.start())))
    if signs and checks_with and not signs & checks_with:
        says = (
            "The token is signed with one secret and checked with another: the two places of the code differ."
        )
        yield Finding("code-two-secrets", says, {"bad-signature": 15.0, "no-credentials": -6.0}, where)


@check
def two_algorithms(evidence: Evidence) -> Iterator[Finding]:
    """The algorithm that signs is not in the list of the one that checks."""
    for text in evidence.texts:
        made = _SIGN_ALG.search(text.content[:200000])
        for other in evidence.texts:
            taken = _CHECK_ALG.search(other.content[:200000])
            if (
                made
                and taken
                and made["alg"] not in taken["algs"]
                and re.search(r"[A-Z]{2}\d{3}", taken["algs"])
            ):
                says = (
                    f"The token is made with {made['alg']}, which is not in the list of the one who checks."
                )
                where = Where.of(other.source.at(other.line_at(taken.start())))
                yield Finding(
                    "code-two-algorithms", says, {"wrong-algorithm": 19.0}, where, "token-algorithm"
                )
                return


@check
def fresh_refused(evidence: Evidence) -> Iterator[Finding]:
    """A new token is refused at first and taken a moment later: its time is ahead of the receiver's clock."""
    fresh = r"(?:newly|freshly|just|immediately|right after|first (?:use|call|request))\b[^\n.]{0,60}\b(?:token|jwt|login|logged in|issued|created|generated)"
    again = r"(?:second (?:attempt|try|time|call|request)|retry\w*|try again|a (?:few )?(?:second|moment)s? later|wait\w* (?:a|one|two|\d+) seconds?|sleep)[^\n.]{0,60}\b(?:works?|ok|200|succe\w+|fine|helps?)"
    hit = Facts(evidence).says(rf"{fresh}[\s\S]{{0,300}}{again}")
    if hit is not None:
        says = "A token just made is refused at first and taken a moment later."
        yield Finding(
            "token-fresh-refused",
            says,
            {
                "clock-skew": 14.0,
                "token-expired": -6.0,
                "software-bug": -8.0,
                "client-config-not-loaded": -6.0,
            },
            hit,
            "clock-signs",
        )
