"""Checks of the scheme of a credential against what a product, a server's settings or its code want.

What the challenge asks for is compared in `credentials`; many services send no challenge, or one that does not
name the scheme that they really read.
"""

# A table of patterns is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.checks import check
from why401.checks.credentials_offers import REDACTED, anywhere, every, sent, troubled, where
from why401.checks.credentials_products import SCHEMES
from why401.evidence import Evidence, Source
from why401.findings import CLEAR, HINT, Finding, Where
from why401.protocol import basic


def _by_name(evidence: Evidence, marker: str) -> tuple[re.Match[str], Source] | None:
    """The marker in the name of an input, such as `bitbucket.py` or `netbox.yml`."""
    named = ((re.search(marker, text.source.name, re.I), text.source) for text in evidence.texts)
    return next(((match, source) for match, source in named if match), None)


@check
def scheme_of_product(evidence: Evidence) -> Iterator[Finding]:
    """A product that takes another scheme than the one that is sent."""
    if not troubled(evidence):
        return
    schemes = {one.parsed.name for one in sent(evidence) if one.parsed.scheme and one.refused}
    in_code = {
        m.group(1).lower()
        for m, _ in every(evidence, r"[\"'`](Bearer|Basic|Token|JWT|ApiKey)[ ]+[\"'`$%{<\w]")
    }
    offered = {name for name in schemes | in_code if name}
    if not offered:
        return
    for marker, wanted, product in SCHEMES:
        found = anywhere(evidence, marker) or _by_name(evidence, marker)
        if found and not offered & set(wanted) and not _jwt_sent(evidence):
            says = f"{product} takes {wanted[0].title()}, and {sorted(offered)[0].title()} is sent."
            weights = {"wrong-scheme": 15.0, "wrong-token-type": HINT}
            yield Finding("scheme-of-product", says, weights, Where.of(found[1]), group="scheme")
            return


def _jwt_sent(evidence: Evidence) -> bool:
    return any(basic.token_shape(one.parsed.rest) == "a JWT" for one in sent(evidence))


_PREFIX = (
    r"(?:\[0\]|\bscheme|\bprefix|authType|auth_type|\bkind)\)?\s*(?:!==?|===?|\.equals(?:IgnoreCase)?\(|\beq\b)\s*[\"'](\w+) ?[\"']",
    r"AUTH_HEADER_TYPES[\"']?\s*[:=]\s*[\[(]\s*[\"'](\w+)[\"']",
    r"(?:JWT_AUTH_HEADER_PREFIX|JWT_HEADER_TYPE|fromAuthHeaderWithScheme|authScheme|auth_scheme|tokenType|token_prefix|keyword)"
    r"[\"']?\s*[(:=]+\s*[\"'](\w+)[\"']",
    r"(?:startsWith|startswith|starts_with|StartsWith|HasPrefix|start_with\?|strpos|split|replace|removePrefix|TrimPrefix)"
    r"\([^\n)]{0,40}[\"'](\w+) [\"']",
)


@check
def scheme_in_settings(evidence: Evidence) -> Iterator[Finding]:
    """The server's settings or code name the scheme word that it compares with."""
    offered = {
        one.parsed.name: one
        for one in sent(evidence)
        if one.parsed.scheme and one.refused and one.parsed.rest
    }
    offered_words = {name for name in offered if name}
    if not offered_words:
        return
    for pattern in _PREFIX:
        for match, at in every(evidence, pattern):
            wanted = match.group(1)
            if wanted.lower() not in offered_words and wanted.lower() in (
                "bearer",
                "token",
                "jwt",
                "basic",
                "apikey",
                "api",
            ):
                says = (
                    f"The server's settings want the scheme {wanted}, and {sorted(offered_words)[0]} is sent."
                )
                yield Finding("scheme-in-settings", says, {"wrong-scheme": 19.0}, at, group="scheme")
                return
            same = [one for one in offered.values() if one.parsed.name == wanted.lower()]
            if same and same[0].parsed.scheme != wanted:
                says = f"The server compares the scheme with {wanted} by letter case, and {same[0].parsed.scheme} is sent."
                weights = {"wrong-scheme": CLEAR, "malformed-authorization": CLEAR}
                yield Finding("scheme-case", says, weights, at, group="scheme")
                return


@check
def bare_in_code(evidence: Evidence) -> Iterator[Finding]:
    """Code that sets Authorization to a token with no scheme before it."""
    if not troubled(evidence) or any(one.parsed.scheme for one in sent(evidence)):
        return
    pattern = (
        r"[\"']?Authorization[\"']?\]?\s*[:=,]\s*(?:[a-z_$][\w.$]*(?:token|jwt|key)[\w.$]*(?:\(\))?|`\$\{[\w.]*(?:token|jwt)[\w.]*\}`"
        r"|f?[\"']\{[\w.]*(?:token|jwt)[\w.]*\}[\"'])\s*[,;})\n]"
    )
    found = where(evidence, pattern, re.I)
    if found and not REDACTED.search(found[0].group()):
        says = "The code sets Authorization to the token alone, with no scheme (Bearer) before it."
        yield Finding(
            "bare-token-in-code",
            says,
            {"wrong-scheme": 10.0, "malformed-authorization": HINT},
            found[1],
            group="scheme",
        )
