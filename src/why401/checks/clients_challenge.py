"""Checks of clients that send credentials only in answer to a challenge, or cannot answer the one they get.

Most Java, .NET and Python stacks first ask without credentials and wait for a 401 with a challenge they can
read (RFC 9110, section 11.6.1); where it is missing or of another scheme, the credentials are never sent.
"""

# A table of patterns is read a line at a time, however long the line.

# A table of patterns is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Iterator, Mapping

from why401.checks import check
from why401.checks.credentials_offers import asked_anywhere, sent, troubled, where
from why401.evidence import Evidence
from why401.findings import CLEAR, HINT, STRONG, Finding

_WAITING = (
    (
        r"Authenticator\.setDefault|PasswordAuthentication\(|java\.net\.Authenticator",
        "java.net.Authenticator",
    ),
    (r"CredentialsProvider|UsernamePasswordCredentials", "Apache HttpClient's credentials provider"),
    (r"HTTPBasicAuthHandler|HTTPPasswordMgr", "urllib's password manager"),
    (r"NetworkCredential\(|\.Credentials\s*=|UseDefaultCredentials", ".NET's network credentials"),
    (r"\.authenticator\(|setAuthenticator", "OkHttp's authenticator"),
    (r"\bwget\b[^\n]*--(?:http-)?user", "wget"),
    (r"URLCredential|didReceive(?:Authentication)?Challenge", "URLSession's challenge handler"),
    (
        r"RestTemplateBuilder\(\)[\s\S]{0,80}basicAuth|WebServiceTemplate|HttpComponentsMessageSender",
        "Spring's HttpComponents client",
    ),
    (r"repositories\s*\{[\s\S]{0,600}credentials\s*[({]", "Gradle"),
    (r"\bsbt\b|coursier|DirectCredentials|Credentials\(", "sbt"),
    (r"libcurl[\s\S]{0,80}CURLAUTH_ANY|--anyauth", "curl with --anyauth"),
)
#: What in a challenge makes some clients give up → why.
_STUMBLE = {
    "charset": "the charset parameter (RFC 7617) trips parsers that expect the realm alone",
    "several": "several challenges at once: some clients read only the first",
    "digest-alg": "a Digest algorithm other than MD5, which older clients do not know",
}


@check
def waits_for_challenge(evidence: Evidence) -> Iterator[Finding]:
    """A client that answers challenges only, and a challenge that is missing or that it may not read."""
    if not troubled(evidence) or any(one.exchange and one.refused for one in sent(evidence)):
        return
    client = next(((at[1], name) for pattern, name in _WAITING if (at := where(evidence, pattern))), None)
    if not client:
        return
    seen = asked_anywhere(evidence)
    answered = [x for x in evidence.refused if x.response and x.response.complete and x.response.fields]
    weights: Mapping[str, float] = {"challenge-not-answered": HINT}
    says = f"{client[1]} sends the credentials only when a challenge asks for them"
    stumble = _stumbling(seen)
    if stumble:
        weights, says = {"challenge-not-answered": 17.0, "software-bug": 5.0}, f"{says}; {_STUMBLE[stumble]}"
    elif answered and not seen:
        weights = {"challenge-not-answered": 11.0, "missing-challenge": 14.0}
        says += ", and the answer has none"
    elif seen:
        weights = {"challenge-not-answered": CLEAR}
        says += f", and the server asks for {seen[0].scheme}"
    yield Finding("waits-for-challenge", says + ".", weights, client[0], group="waits")


def _stumbling(seen: tuple[object, ...]) -> str | None:
    params = [getattr(challenge, "params", {}) for challenge in seen]
    if any("charset" in one for one in params):
        return "charset"
    if any(one.get("algorithm", "MD5").upper() not in ("MD5", "MD5-SESS") for one in params):
        return "digest-alg"
    return "several" if len({getattr(challenge, "name", "") for challenge in seen}) > 1 else None


_NO_DIGEST = (
    (r"net/http|http\.NewRequest|SetBasicAuth", "Go's net/http"),
    (r"\bfetch\(|axios|XMLHttpRequest", "fetch and axios"),
    (
        r"rest_command|generic camera|platform: (?:rest|mjpeg|generic)",
        "Home Assistant's generic integrations",
    ),
    (r"auth\s*=\s*\(|HTTPBasicAuth\(|aiohttp\.BasicAuth|BasicAuth\(", "HTTP Basic as configured"),
    (r"basic_auth\s*:|basicAuth\s*:|httpBasic|http_basic", "a Basic-only setting"),
)


@check
def digest_unsupported(evidence: Evidence) -> Iterator[Finding]:
    """The server asks for Digest, NTLM or Negotiate only, and the client can do Basic alone."""
    names = {challenge.name for challenge in asked_anywhere(evidence)}
    if not names or names & {"basic", "bearer"}:
        return
    client = next(((at[1], name) for pattern, name in _NO_DIGEST if (at := where(evidence, pattern))), None)
    if client:
        says = f"The server asks for {'/'.join(sorted(names))}, which {client[1]} cannot answer."
        weights = {"challenge-not-answered": STRONG, "wrong-scheme": CLEAR, "wrong-password": -8.0}
        yield Finding("scheme-unsupported-by-client", says, weights, client[0], group="scheme")


_SCHEME = r"(?:http )?(?:basic|digest|ntlm|negotiate|kerberos|windows|sha-?256|sha-?512)(?:[ -]auth\w*)?"
#: Words that tell that client and server have no scheme in common, or that the client waits → weights.
_TOLD: tuple[tuple[str, Mapping[str, float]], ...] = (
    (
        rf"(?:only|just|merely) (?:supports?|does|knows?|accepts?|offers?|uses?|speaks?|allows?|implements?|has) {_SCHEME}\b",
        {"challenge-not-answered": 15.0, "wrong-scheme": 10.0},
    ),
    (
        rf"(?:supports?|does|knows?|accepts?|offers?|uses?|speaks?|allows?|implements?|requires?|needs?|has) only {_SCHEME}\b",
        {"challenge-not-answered": 15.0, "wrong-scheme": 10.0},
    ),
    (
        r"(?:basic\w*|BasicAuth) (?:auth\w* )?instead (?:of )?(?:the )?digest|digest (?:auth\w* )?(?:is )?(?:required|needed|wanted|expected|demanded)",
        {"challenge-not-answered": 15.0, "wrong-scheme": 11.0},
    ),
    (
        rf"\b{_SCHEME} (?:is |are |was )?(?:not|n't|un)[ -]?(?:yet )?(?:be )?(?:supported|implemented|available|possible)",
        {"challenge-not-answered": 17.0, "wrong-scheme": 8.0},
    ),
    (
        rf"(?:does|do|did|can|is)(?:n't| not|not) (?:yet )?(?:support|do|handle|speak|implement|know|understand) (?:\w+ )?{_SCHEME}",
        {"challenge-not-answered": 17.0, "wrong-scheme": 8.0},
    ),
    (
        r"pre-?emptive(?:ly)?|(?:sends?|sent|sending) (?:the |its )?(?:credentials|authorization|user and password)[^.\n]{0,40}(?:only )?(?:after|when|once|in (?:answer|response) to)[^.\n]{0,20}(?:401|challenge)|waits? for (?:a |the )?(?:401|challenge)",
        {"challenge-not-answered": 14.0, "missing-challenge": 4.0},
    ),
    (
        r"(?:first|initial) request[^.\n]{0,40}(?:without|no) (?:credentials|authorization|auth)",
        {"challenge-not-answered": 9.0, "expected-challenge": 3.0},
    ),
)
_OVER_HTTP2 = r"HTTP/2(?:\.0)?\b|http2|Version20|h2\b"
_WINDOWS = r"\bNTLM\b|\bNegotiate\b|Windows[- ]?auth\w*|DefaultCredentials|DefaultNetworkCredentials"


@check
def told(evidence: Evidence) -> Iterator[Finding]:
    """The words say that client and server have no scheme in common."""
    if not troubled(evidence):
        return
    for pattern, weights in _TOLD:
        found = where(evidence, pattern)
        if found:
            yield Finding(
                "scheme-not-in-common",
                "By the words, the client cannot or does not answer the challenge.",
                weights,
                found[1],
                group="scheme-told",
            )
            return


@check
def windows_over_http2(evidence: Evidence) -> Iterator[Finding]:
    """NTLM and Negotiate bind to a connection and do not work over HTTP/2 (Microsoft, "HTTP/2 on IIS")."""
    found = where(evidence, _OVER_HTTP2)
    if found and troubled(evidence) and where(evidence, _WINDOWS):
        says = "Windows authentication is asked for over HTTP/2, where it does not work."
        weights = {"challenge-not-answered": 17.0, "negotiate-failed": 9.0}
        yield Finding("windows-over-http2", says, weights, found[1], group="http2")
