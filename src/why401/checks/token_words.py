"""What an answer says of a token in its own words, whatever the library (RFC 6750, section 3.1: error_description).

Each library has its own sentences, which stand in `signatures/`; but they all name the part of the token and say
that it is bad, and so does what people write themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.checks import check
from why401.evidence import Evidence, Exchange
from why401.findings import AGAINST, NAMED, Finding, Where
from why401.prefilter import lazy
from why401.protocol import challenges

_BAD = (
    r"(?:invalid|wrong|mismatch\w*|unexpected|unknown|untrusted|incorrect|bad|disallowed|unsupported|unacceptable"
    r"|(?:not|n't|never) (?:be )?(?:allowed|trusted|accepted|valid|permitted|match\w*|supported|expected|recogni[sz]ed))"
)


def _of(noun: str) -> str:
    """The noun near a word for bad, in either order, within a sentence."""
    return rf"\b(?:{noun})\b[^.\n]{{0,40}}{_BAD}|{_BAD}[^.\n]{{0,25}}\b(?:{noun})\b"


#: The first that matches counts: a sentence about a key id may name the signature too.
_WORDS: tuple[tuple[str, str], ...] = (
    ("unknown-signing-key", r"\b(?:no|unknown|unable to find|could not find|cannot find)\b[^.\n]{0,30}\b(?:kid|key id|signing key|matching key|key)\b[^.\n]{0,20}(?:kid|found|match|token|jwks|\bset\b)|\bkid\b[^.\n]{0,30}(?:unknown|not found|missing from|not in)"),
    ("wrong-algorithm", _of(r"alg(?:orithm)?")),
    ("wrong-issuer", _of(r"iss(?:uer)?")),
    ("wrong-audience", _of(r"aud(?:ience)?")),
    ("clock-skew", r"\bnot (?:yet )?(?:valid|active)(?: yet)?\b[^.\n]{0,20}(?:nbf|iat|before|future|yet)|\bnot yet (?:valid|active)|issued in the future|used before (?:its )?(?:nbf|issu)"),
    ("token-expired", r"\b(?:token|jwt|exp)\b[^.\n]{0,20}\bexpired\b|\bexpired (?:access )?(?:token|jwt)"),
    ("credential-revoked", r"\b(?:token|key|credential)s?\b[^.\n]{0,20}\brevoked\b"),
    ("bad-signature", r"\bsignature\b[^.\n]{0,30}(?:invalid|fail|mismatch|not (?:be )?(?:verif|valid|match)|wrong|bad)|(?:invalid|bad|wrong) signature"),
    ("malformed-token", r"\b(?:token|jwt)\b[^.\n]{0,25}(?:malformed|not well[- ]formed|could not be (?:decoded|parsed)|truncated)|not enough segments|malformed (?:token|jwt)"),
)  # fmt: skip
# ruff: noqa: E501
_COMPILED = tuple((cause, lazy(pattern, re.I)) for cause, pattern in _WORDS)


@check
def said_of_the_token(evidence: Evidence) -> Iterator[Finding]:
    """A short answer to a token names what is wrong with it."""
    for exchange in evidence.refused:
        offered = exchange.request.fields.get("authorization") or ""
        scheme = offered.partition(" ")[0].lower()
        if scheme not in ("bearer", "dpop", "jwt", "token"):
            continue
        said = _said(exchange)
        cause = next((cause for cause, pattern in _COMPILED if pattern.search(said)), None)
        if cause is not None:
            says = "The answer says in its own words what is wrong with the token."
            weights = {cause: NAMED, "no-credentials": AGAINST}
            yield Finding(f"token-said-{cause}", says, weights, Where.at(exchange), group="token-said")
            return


def _said(exchange: Exchange) -> str:
    """The description of the challenge, and a body that is short enough to be about this alone."""
    response = exchange.response
    if response is None:
        return ""
    asked = challenges.parse(response.fields.all("www-authenticate")).challenges
    told = [c.params["error_description"] for c in asked if "error_description" in c.params]
    body = response.body or ""
    if len(body) < 600 and not re.match(r"\s*<(?:!doctype|html)", body, re.I):
        told.append(body)
    return "\n".join(told)
