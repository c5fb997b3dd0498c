"""The check for `not-an-auth-error`: nothing in the evidence was refused.

It must be sure: a 401 may hide in a body, a log or a sentence, and a 400, 404 or 500 may be a refusal by
another name. So it speaks only where an outcome is known and no word of a refusal is found anywhere.
"""

# A table of patterns is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.checks import check
from why401.evidence import REFUSALS, Evidence
from why401.findings import RULED_OUT, Finding, Where
from why401.prefilter import lazy

# Any of these may be a refusal, whatever the status says.
_REFUSAL = lazy(
    r"\b40[137]\b|\b49[56]\b|unauthori[sz]ed|unauthenticated|not[ _-](?:authori[sz]ed|authenticated|logged[ _-]in)"
    r"|forbidden|(?:access|permission)[ _]?(?:is )?denied|authenticat\w+[ _](?:failed|required|error|problem)"
    r"|invalid[ _-](?:token|credential|api[ _-]?key|grant|client|signature|password|login)|token[ _](?:has )?expired"
    r"|login[ _](?:failed|required)|(?:wrong|incorrect|bad)[ _](?:password|credentials|username)|AADSTS|expiredtoken"
    r"|client certificate|certificate required|required ssl certificate|too many (?:requests|attempts|login)"
    r"|logged out|locked out|banned|csrf|session expired|SignatureDoesNotMatch|insufficient",
    re.I,
)
# Failures of the way there, before anybody could be refused.
_NETWORK = lazy(
    r"could ?n[o']t resolve host|could not resolve|name or service not known|getaddrinfo|ENOTFOUND|EAI_AGAIN"
    r"|connection refused|ECONNREFUSED|connection (?:timed out|reset)|ETIMEDOUT|ECONNRESET|no route to host"
    r"|failed to connect to|operation timed out|ssl certificate problem|certificate verify failed|self[- ]signed certificate"
    r"|unable to get local issuer|SSL_ERROR_|ERR_CERT_|ERR_NAME_NOT_RESOLVED|ERR_CONNECTION_|x509: certificate"
    r"|PKIX path building failed|hostname mismatch|wrong version number|empty reply from server|no such host|dial tcp|i/o timeout|context deadline exceeded|network is unreachable",
    re.I,
)
_OTHER_STATUS = lazy(
    r"\b(?:HTTP/[\d.]+\"?|status(?: ?code)?[:= ]*|returned(?: error)?:?|error|code|->|=>|answers?|says|gives|gets?|got)\s*"
    r"(?:is |an? )?(2\d\d|30\d|404|405|410|415|422|5\d\d)\b",
    re.I,
)  # fmt: skip


@check
def nothing_refused(evidence: Evidence) -> Iterator[Finding]:
    """An outcome is known, and it is no refusal."""
    refused = evidence.refused or any(record.status in REFUSALS for record in evidence.records)
    if refused:
        yield Finding("something-refused", "A request was refused.", {"not-an-auth-error": RULED_OUT})
        return
    word = next((m for text in evidence.searchable if (m := _REFUSAL.search(text.content))), None)
    if word is not None:
        yield Finding("refusal-in-words", "A refusal is spoken of.", {"not-an-auth-error": -9.0})
        return
    outcome, where = _outcome(evidence)
    if outcome:
        says = f"{outcome}; nothing in the evidence was refused."
        weights = {"not-an-auth-error": 40.0}
        yield Finding("nothing-refused", says, weights, where)


def _outcome(evidence: Evidence) -> tuple[str, Where]:
    """What is known of the outcome, in words, or an empty text."""
    answered = [exchange for exchange in evidence.exchanges if exchange.status is not None]
    if answered:
        statuses = ", ".join(str(s) for s in sorted({x.status for x in answered if x.status is not None}))
        return f"The answers are {statuses}", Where.at(answered[-1])
    records = [record for record in evidence.records if record.status is not None]
    if records:
        return f"{len(records)} answers are logged, none of them 401, 403 or 407", Where.of(records[0].source)
    for pattern, says in (
        (_NETWORK, "The connection failed before any answer"),
        (_OTHER_STATUS, "Another status is told"),
    ):
        found = evidence.search(pattern.pattern)
        if found is not None:
            return says, Where.of(found[1])
    return "", Where()
