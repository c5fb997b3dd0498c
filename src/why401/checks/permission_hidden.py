"""Checks of `resource-hidden`: the answer is the same for what is missing and what is private.

So a typing error in a name looks like a failed login (RFC 9110, section 15.5.4, allows to hide a resource).
"""

# A table of patterns is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from why401.checks import check
from why401.checks.credentials_offers import asked, troubled, where
from why401.evidence import Evidence, Exchange
from why401.findings import CLEAR, Finding, Where
from why401.prefilter import lazy

_NAME = lazy(
    r"(?<![\w./@-])((?:[\w-]+(?:\.[\w-]+)*(?::\d+)?/)?[\w-]{2,}/[\w.-]{2,}|@[\w-]+/[\w.-]+)(?![\w/])"
)
_HIDES = lazy(
    r"(?i)pull access denied|repository|not found|does not exist|denied|/v2/|registry|docker|image|package|huggingface|clone"
)


@check
def name_misspelt(evidence: Evidence) -> Iterator[Finding]:
    """Two names of a repository or image that are nearly alike: one is a typing error."""
    prose = "\n".join(t.content for t in evidence.texts)
    if not troubled(evidence) and not re.search(r"(?i)denied", prose):
        return
    if not _HIDES.search(prose):
        return
    names = sorted({m.group(1).lower().rstrip(".") for m in _NAME.finditer(prose) if len(m.group(1)) > 6})[
        :200
    ]
    for number, one in enumerate(names):
        for other in names[number + 1 :]:
            if _nearly(one, other):
                found = where(evidence, re.escape(one))
                says = f"Two names are nearly alike, {one} and {other}: one may be a typing error."
                yield Finding(
                    "name-misspelt",
                    says,
                    {"resource-hidden": 13.0, "wrong-url": 9.0},
                    found[1] if found else Where(),
                )
                return


def _nearly(one: str, other: str) -> bool:
    """Alike but for one or two letters; versions and numbers may differ freely."""
    if abs(len(one) - len(other)) > 2 or re.sub(r"[\d.]+", "", one) == re.sub(r"[\d.]+", "", other):
        return False
    if one.split("/")[0] != other.split("/")[0] and one.split("/")[-1] != other.split("/")[-1]:
        return False
    return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio() >= 0.88


@check
def registry_scope_refused(evidence: Evidence) -> Iterator[Finding]:
    """The registry asked for a token and refused the one it got: missing, private, or no right."""
    for exchange in evidence.refused:
        if _token_was_sent(exchange) and any(
            "repository:" in c.params.get("scope", "") for c in asked(exchange)
        ):
            says = "The registry's own token was sent for this repository and refused: it is missing, private or not allowed."
            yield Finding(
                "registry-scope",
                says,
                {"resource-hidden": CLEAR, "not-permitted": 10.0, "insufficient-scope": 5.0},
                Where.at(exchange),
            )
            return


_COPIED = r"(?i)\b(?:copied|copy(?:ing)?|pasted|taken|took|as (?:written|shown|given|described)|command|line|url|name|tag|image)\b[^.\n]{0,30}\b(?:from|in|by|of) (?:the |its |their |your |this )?(?:\w+ ){0,2}(?:read ?me|docs?|documentation|guide|tutorial|wiki|instructions?|blog|notebook|example)\b"
_BARE_DENIAL = r"(?i)/(?:manifests|blobs|v2)/[^\n]*(?:denied|unauthorized|name unknown)|pull access denied|repository not found|denied: requested access|E404|does not exist"


@check
def name_was_copied(evidence: Evidence) -> Iterator[Finding]:
    """The name comes from a page, others pull it or call it public, and the registry denies it: look at the name."""
    copied = where(evidence, _COPIED)
    if copied is None or not evidence.search(_BARE_DENIAL):
        return
    says = "The name was copied from a page, and the registry answers alike for a name that is not there."
    yield Finding("name-copied", says, {"resource-hidden": 10.0, "wrong-url": 7.0}, copied[1])


def _token_was_sent(exchange: Exchange) -> bool:
    return (exchange.request.fields.get("authorization") or "").lower().startswith("bearer ")
