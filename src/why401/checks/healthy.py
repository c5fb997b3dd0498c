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
from why401.findings import AGAINST, RULED_OUT, Finding, Where
from why401.prefilter import lazy

# Any of these may be a refusal, whatever the status says.
_REFUSAL = lazy(
    r"(?<![\d.])40[137](?!\d|\.\d)|\b49[56]\b|unauthori[sz]ed|unauthenticated|not[ _-](?:authori[sz]ed|authenticated|logged[ _-]in)"
    r"|forbidden|(?:access|permission)[ _]?(?:is )?denied|authenticat\w+[ _]?(?:failed|required|error|problem|exception)"
    r"|invalid[ _-](?:token|credential|api[ _-]?key|grant|client|signature|password|login)|token[ _](?:has )?expired"
    r"|login[ _](?:failed|required)|(?:wrong|incorrect|bad)[ _](?:password|credentials|username)|AADSTS|expiredtoken"
    r"|client certificate|certificate required|required ssl certificate|too many (?:requests|attempts|login)"
    r"|logged out|locked out|banned|csrf|session expired|SignatureDoesNotMatch|insufficient",
    re.I,
)
# The words of a refusal in another trade: no request was refused for want of a login.
_ANOTHER_TRADE: tuple[tuple[str, str, str], ...] = (
    (r"urn:(?:ietf:params:)?acme:error:unauthorized|acme-challenge\S*\]?:? [^\n]*\b404\b|incorrect validation certificate for tls-(?:sni|alpn)|(?:incorrect|no) txt record[^\n]*_acme-challenge",
     r"acme-challenge[^\n]{0,120}\b(?:401|403|forbidden)\b|urn:(?:ietf:params:)?acme:error:(?:unauthorized|malformed) ?:: ?(?:account|no registration|jws)|unknown account",
     "An ACME server says unauthorized when its proof of control over the name fails (RFC 8555, section 6.7); it is no login"),
    (r"UnauthorizedAccessException|EACCES:? permission denied|\[Errno 13\] Permission denied|open\([^)\n]*\) failed: Permission denied|permission denied while trying to connect to the docker(?: daemon socket| api)",
     r"\b401\b|www-authenticate|\b403\b",
     "The operating system refuses a file or socket; no request was refused"),
    (r"AuthenticationException: (?:The remote certificate|A call to SSPI failed, see inner|Authentication failed, see inner exception|Authentication failed because the remote party)|The remote certificate (?:is invalid|was rejected)",
     r"\b40[137]\b|negotiate|ntlm|client certificate",
     ".NET calls a failed TLS handshake an authentication failure; nobody's login was refused"),
    (r"Access denied for user '[^'\n]*'@'|password authentication failed for user \"|ORA-01017|Login failed for user '|NOAUTH Authentication required|WRONGPASS invalid username|MongoServerError: Authentication failed",
     r"\b40[137]\b|www-authenticate|unauthori[sz]ed",
     "A database refuses its login; that is no HTTP request"),
    (r"Permission denied \(publickey|Host key verification failed|Too many authentication failures",
     r"\b40[137]\b|https://|unauthori[sz]ed",
     "SSH refuses its login; that is no HTTP request"),
    (r"\b(?:550|553|554|530|535)[ -]\d\.\d\.\d+ |relay access denied",
     r"\b40[137]\b|www-authenticate|unauthori[sz]ed",
     "A mail server refuses; that is no HTTP request"),
)  # fmt: skip


@check
def words_of_another_trade(evidence: Evidence) -> Iterator[Finding]:
    """Unauthorized, denied or not authenticated, said of something else than an HTTP request."""
    if evidence.refused or any(record.status in REFUSALS for record in evidence.records):
        return
    for pattern, real, says in _ANOTHER_TRADE:
        found = evidence.search(pattern)
        if found is not None and evidence.search(real) is None:
            weights = {"not-an-auth-error": 33.0, "wrong-password": AGAINST, "not-permitted": -14.0}
            weights["insufficient-scope"] = -12.0
            yield Finding("another-trade", f"{says}.", weights, Where.of(found[1]), group="another-trade")
            return


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
        doubt = _doubt(evidence)
        says = f"{outcome}; nothing in the evidence was refused{', by its status' if doubt else ''}."
        weights = {"not-an-auth-error": 5.0 if doubt else 40.0}
        yield Finding("nothing-refused", says, weights, where)


_LOGIN = lazy(
    r"(?i)/(?:log-?in|sign-?in|auth\w*|sessions?|oauth2?|tokens?|users?/(?:login|sign_in))(?:[/?.]|$)"
)
_TELLS_LOGIN = lazy(
    r"(?i)\b(?:log(?:ging)?[ -]?in|sign(?:ing)?[ -]?in|login|credentials?|password|token|auth(?:entication|ori[sz]ation)?)\b"
    r"[^.\n]{0,50}\b(?:fail\w*|refused|rejected|not (?:work|accept)\w*|invalid|ignored|denied)\b"
)


def _doubt(evidence: Evidence) -> bool:
    """A refusal by another status: a login that ends in 400, 404 or 422, a page that sends back to the login,
    a name that is there for one request and not for the other."""
    good = {(x.request.host, x.request.path) for x in evidence.succeeded}
    for x in evidence.exchanges:
        target = x.response.fields.get("location") or "" if x.response else ""
        if x.status in (400, 404, 422) and (
            _LOGIN.search(x.request.path) or (x.request.host, x.request.path) in good
        ):
            return True
        if x.status in (301, 302, 303, 307) and _LOGIN.search(target):
            return True
    server = any(x.status is not None and x.status >= 500 for x in evidence.exchanges)
    return not server and bool(_TELLS_LOGIN.search(evidence.prose))


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
