"""How a client logs in at the token endpoint (RFC 6749, section 2.3.1): in Basic, in the form, not as the other wants.

The server's side of the comparison is the challenge of its 401 or its metadata
(`token_endpoint_auth_methods_supported`, RFC 8414); the client's is its request or its setting.
"""

# Patterns and sentences are read a line at a time, however long the line.

from __future__ import annotations

from collections.abc import Iterator

from why401.checks import check
from why401.checks.token_facts import Facts
from why401.evidence import Evidence
from why401.findings import RULED_OUT, Finding, Where

# The client's secret in the form: on the wire, in a log of the form, or by a setting that says so.
_IN_FORM = (
    r"grant_type[^\n]{0,400}\bclient_secret\b|\bclient_secret\b[^\n]{0,400}\bgrant_type"
    r"|client[-_]?authentication[-_]?(?:scheme|method)[\"']?\s*[:=]\s*[\"']?(?:form|query|post|client_secret_post|ClientSecretPost)\b"
    r"|(?:token_endpoint_auth_method|auth_?method|client_auth|clientAuth\w*)[\"']?\s*[:=]\s*[\"']?(?:client_secret_post|post|body|request_body)\b"
)
_IN_BASIC = (
    r"client[-_]?authentication[-_]?(?:scheme|method)[\"']?\s*[:=]\s*[\"']?(?:header|basic|client_secret_basic|ClientSecretBasic)\b"
    r"|(?:token_endpoint_auth_method|auth_?method|client_auth|clientAuth\w*)[\"']?\s*[:=]\s*[\"']?(?:client_secret_basic|basic|header)\b"
    r"|Authorization: Basic[^\n]*\n(?:[^\n]*\n){0,12}?[^\n]*grant_type=|-u [^\n]{1,200}grant_type="
)
# A Basic challenge that speaks of clients, as a token endpoint has it.
_CLIENT_CHALLENGE = r"www-authenticate:\s*basic realm=\"?[^\"\n]*\b(?:client|oauth2?|token|uaa|oidc|connect)"
_SUPPORTED = r"token_endpoint_auth_methods_supported[\"']?\s*[:=]\s*\[(?P<methods>[^\]]{0,400})\]"


@check
def way_of_login(evidence: Evidence) -> Iterator[Finding]:
    """The client's way of login against the one that the token endpoint asks for."""
    facts = Facts(evidence)
    form, basic = facts.says(_IN_FORM), facts.says(_IN_BASIC)
    challenge = facts.says(_CLIENT_CHALLENGE)
    if form and not basic and challenge:
        says = "The client logs in within the form, and the token endpoint asks for Basic."
        fix = "Set the client's authentication method to client_secret_basic (header)."
        yield _way("client-form-for-basic", says, 20.0, form, fix)
    supported = evidence.search(_SUPPORTED)
    if supported is None:
        return
    methods = supported[0]["methods"]
    for used, method in ((form, "client_secret_post"), (basic, "client_secret_basic")):
        if used and (form is None or basic is None) and method not in methods:
            says = f"The client logs in by {method}, which the server's metadata does not list."
            yield _way("client-method-not-listed", says, 21.0, used, "Use a method that the metadata lists.")


def _way(id: str, says: str, weight: float, at: Where, fix: str) -> Finding:
    weights = {
        "oauth-client-rejected": weight,
        "no-credentials": RULED_OUT,
        "wrong-password": -6.0,
        "challenge-not-answered": -6.0,
    }
    return Finding(id, says, weights, at, "client-login", fix=fix)
