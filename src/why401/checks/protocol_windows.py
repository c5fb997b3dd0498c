"""Windows and its loopback check: a server that calls itself by another name than its own is refused.

Since Windows Server 2003 SP1 NTLM logins of a machine to itself are refused where the name in the URL is not the
machine's (Microsoft KB 896861); IIS logs 401.1 with the status 0xC000006D, whatever the password.
"""

# Patterns and sentences are read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Iterator

from why401.checks import check
from why401.checks.credentials_offers import troubled, where
from why401.evidence import Evidence, Text
from why401.findings import Finding, Where
from why401.prefilter import lazy

# The default fields of an IIS log: date, time, the server's address, method, path, query, port, user, the client's.
_LOGGED = lazy(
    r"(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (?P<server>[\d.]{7,15}|[\da-f:]+) [A-Z]+ \S+ \S+ \d+ \S+ (?P<client>[\d.]{7,15}|[\da-f:]+) [^\n]{0,1500}?\b401 [12] \d+"
)
_WINDOWS = r"ntlm|kerberos|negotiate|windows[- ]?(?:integrated )?auth|UseDefaultCredentials|IntegratedSecurity|sspi|\biis\b|sharepoint"
_SELF = (
    r"\b(?:same|this|own|itself)\b[^\n.]{0,30}\b(?:server|machine|box|iis|host|computer|vm)\b|(?:call\w*|request\w*|connect\w*|talks?) (?:to )?itself"
    r"|\b(?:on|from|at) the (?:web ?)?server (?:itself|console)|from the (?:server|iis)(?: itself)?,? (?:i|it|we|the)\b|hosts? file[^\n]{0,80}127\.0\.0\.1|127\.0\.0\.1\s+[a-z][\w.-]+\.[a-z]{2,}"
)
_ELSEWHERE = (
    r"\b(?:another|other|different|remote|separate|any other|my)\b[^\n.]{0,30}\b(?:server|machine|box|host|computer|pc|workstation|desktop|laptop|client)s?\b[^\n.]{0,80}\b(?:works?|succe\w+|fine|ok|200|no problem|prompts?)"
    r"|\b(?:works?|succe\w+|fine|ok)\b[^\n.]{0,60}\b(?:from|on|elsewhere|to)\b[^\n.]{0,20}\b(?:another|other|different|remote|separate|all other|my)\b[^\n.]{0,30}\b(?:server|machine|box|host|computer|pc|workstation|desktop|laptop|client)"
)


@check
def loopback(evidence: Evidence) -> Iterator[Finding]:
    """The caller and the called are one Windows machine, and Windows authentication is refused."""
    windows = where(evidence, _WINDOWS)
    if windows is None or not troubled(evidence):
        return
    fix = "Add the host name to BackConnectionHostNames (HKLM\\SYSTEM\\CurrentControlSet\\Control\\Lsa\\MSV1_0), or call the machine by its own name."
    for text in evidence.texts:
        for match in _LOGGED.finditer(text.content[:500_000]):
            if match["server"] == match["client"]:
                says = "The server was called from its own address: Windows refuses such logins under another name (loopback check)."
                yield _loopback("loopback-in-log", says, 25.0, text, match.start(), fix)
                return
    itself = where(evidence, _SELF)
    if itself and evidence.search(_ELSEWHERE):
        says = (
            "On the machine itself Windows authentication is refused, from others it is not (loopback check)."
        )
        weights = {"negotiate-failed": 18.0, "challenge-not-answered": -6.0, "wrong-password": -8.0}
        yield Finding("loopback-in-words", says, weights, itself[1], "loopback", "iis", fix=fix)


def _loopback(id: str, says: str, weight: float, text: Text, offset: int, fix: str) -> Finding:
    weights = {"negotiate-failed": weight, "challenge-not-answered": -10.0, "wrong-password": -8.0}
    return Finding(
        id, says, weights, Where.of(text.source.at(text.line_at(offset))), "loopback", "iis", fix=fix
    )


_ALIAS = r"\bCNAME\b|\b(?:dns )?alias\w*\b|(?:short|full|real|canonical|other) (?:host ?)?name|load[- ]?balanced name|A[- ]record|by (?:its )?(?:ip|ip address|(?:host|computer) ?name)"
_SCHEME_USED = r"kerberos|spnego|negotiate|\bSSO\b|sspi|gssapi|windows[- ](?:integrated )?auth"


@check
def another_name(evidence: Evidence) -> Iterator[Finding]:
    """Kerberos, and the name by which the server is called decides: tickets are for one name (RFC 4559, section 4.1)."""
    alias, used = where(evidence, _ALIAS), where(evidence, _SCHEME_USED)
    if (
        alias
        and used
        and evidence.search(r"\b(?:works?|succe\w+|logs? (?:me |us )?in|fine|ok)\b")
        and troubled(evidence)
    ):
        says = "By one name of the server the login works and by another it does not: the ticket's SPN is for a name."
        weights = {"negotiate-failed": 13.0, "no-credentials": -10.0, "challenge-not-answered": -6.0}
        fix = "Register the SPN for the name in use (`setspn -S HTTP/name account`), or call the server by the registered one."
        yield Finding("kerberos-other-name", says, weights, alias[1], "windows-name", fix=fix)


_PROXIED = r"proxy_pass\b|ProxyPass\b|reverse[- ]?proxy|behind (?:an? )?(?:nginx|apache|haproxy|traefik|proxy|load)|(?:nginx|haproxy|traefik|load balancer)\b[^\n.]{0,40}\bin front"


@check
def through_a_proxy(evidence: Evidence) -> Iterator[Finding]:
    """NTLM logs a connection in, not a request: a proxy that shares or renews connections breaks it (MS-NTHT)."""
    proxied, used = where(evidence, _PROXIED), where(evidence, r"\bNTLM\b|windows[- ](?:integrated )?auth")
    layer = any(c.axis == "layer" for c in evidence.contrasts) or evidence.search(
        r"\bdirect(?:ly)?\b[^\n.]{0,40}\bworks|\bworks\b[^\n.]{0,40}\bdirect"
    )
    if (
        proxied
        and used
        and layer
        and not evidence.search(r"^\s*ntlm;|proxy_http_version 1\.1[\s\S]{0,400}keepalive")
    ):
        says = "NTLM is used through a proxy, which has to keep one connection for each client's login."
        fix = "Use Kerberos or log in at the proxy; with nginx the upstream needs `ntlm;` (commercial) and keepalive."
        weights = {"negotiate-failed": 17.0, "proxy-stripped-credentials": -6.0}
        yield Finding("ntlm-through-proxy", says, weights, used[1], "ntlm-proxy", fix=fix)
