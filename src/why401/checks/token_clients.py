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
from why401.prefilter import lazy

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


_LOCAL_REDIRECT = (
    r"(?:redirect_ur[il]|callback)[\w-]*[\"']?\s*[=:]\s*[\"']?http(?:s?(?:://|%3A%2F%2F))"
    r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\]|[\w-]+(?=:\d|%3A\d))"
)
_DEPLOYED = (
    r"deploy\w*|production|\bvps\b|behind|reverse[- ]proxy|nginx|traefik|caddy|docker|kubernetes|ingress"
    r"|live (?:site|server)|locally (?:ok|works|fine)|works locally|public (?:url|host|domain)"
)


@check
def local_redirect(evidence: Evidence) -> Iterator[Finding]:
    """A deployed application hands out a redirect URI of its inside: localhost, or a bare name with a port."""
    facts = Facts(evidence)
    local = facts.says(_LOCAL_REDIRECT)
    if local and facts.says(_DEPLOYED) and facts.says(r"redirect|callback"):
        says = "The redirect URI names the application's inner address: it does not know its public URL."
        weights = {"external-url-wrong": 20.0, "oauth-client-rejected": -9.0}
        yield Finding("redirect-uri-inner", says, weights, local, "redirect-uri-inner")


_STAGES = ("prod", "live", "stag", "sandbox", "test", "dev", "uat", "qa", "preprod", "integration")
_STAGE = lazy(rf"(?i)(?<![a-z])(?P<stage>{'|'.join(_STAGES)})[a-z]{{0,7}}(?![a-z])")
_TARGET = lazy(
    r"(?im)(?:^\W*(?:server|base_?url|api_?url|endpoint|host|url)\b[\"']?\s*[:=]\s*[\"']?|\bcurl\b[^\n]{0,200}?)"
    r"https?://(?P<host>[\w.-]+)"
)


@check
def stages(evidence: Evidence) -> Iterator[Finding]:
    """The token's issuer and the server that is called name different stages: staging against production."""
    hosts = [x.request.host or "" for x in evidence.refused]
    hosts += [m["host"] for text in evidence.texts for m in _TARGET.finditer(text.content[:100_000])]
    called = {m["stage"].lower() for host in hosts if (m := _STAGE.search(host))}
    for token in Facts(evidence).offered:
        made = _STAGE.search(token.issuer or "")
        if made and called and made["stage"].lower() not in called:
            says = f"The token is of {token.issuer}, and the server that is called is of another stage."
            weights = {"wrong-environment": 17.0, "wrong-issuer": 6.0, "no-credentials": RULED_OUT}
            yield Finding("token-of-other-stage", says, weights, token.where, "token-stage")
        return


_PROOF_SENT = r"[\"'`]DPoP (?:\$?\{|[\"'`]\s*\+)|Authorization: DPoP |\bDPoP[\"']?\s*:\s"


@check
def bound_sent_as_bearer(evidence: Evidence) -> Iterator[Finding]:
    """The token endpoint said token_type DPoP, and the token is sent as a bearer token (RFC 9449, section 7.1)."""
    facts = Facts(evidence)
    bound = facts.says(r"token_type[\"']?\s*[:=]\s*[\"']?DPoP\b")
    if bound and facts.says(r"\bBearer[ `'\"]") and not facts.says(_PROOF_SENT):
        says = "The token was given out as DPoP-bound and is sent as a bearer token, without a proof."
        weights = {"proof-missing": 20.0, "wrong-scheme": 5.0, "no-credentials": RULED_OUT}
        yield Finding("dpop-token-as-bearer", says, weights, bound, "token-proof")
