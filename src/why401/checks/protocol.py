"""Checks of the family `protocol`: the handshake itself goes wrong, or only looks as if it did.

A 401 must carry a challenge (RFC 9110, section 15.5.2); Negotiate and NTLM need several legs on one connection
(RFC 4559); a client certificate is asked for in the TLS handshake; and a first 401 that is followed by success
is how all of this works.
"""

# A table of patterns is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from why401.checks import check
from why401.checks import protocol_certificates as protocol_certificates  # registers its checks
from why401.checks import protocol_digest as protocol_digest  # registers its checks
from why401.checks import protocol_steps as protocol_steps  # registers its checks
from why401.checks import protocol_windows as protocol_windows  # registers its checks
from why401.checks.credentials_offers import asked, asked_anywhere, sent, troubled, where
from why401.evidence import Evidence, Exchange, Record
from why401.findings import AGAINST, FAINT, HINT, RULED_OUT, Finding, Where
from why401.prefilter import lazy
from why401.protocol import challenges

# Clients that send credentials only when a challenge asks for them.
_WAITING = (
    r"de\.undercouch\.gradle|apache\.(?:hc|http)\b|hc\.client5|HttpClientBuilder|CredentialsProvider|HttpURLConnection|java\.net\.Authenticator|Authenticator\.setDefault"
    r"|NetworkCredential|HttpClientHandler|WebRequest|HTTPBasicAuthHandler|HTTPPasswordMgr|urllib2?\.request|\bwget\b|--anyauth|--auth-no-challenge|maven|libcurl\.ANYAUTH|CURLAUTH_ANY"
    r"|URLCredential|URLAuthenticationChallenge|onReceivedHttpAuthRequest|Invoke-WebRequest|gvfs|davfs|WebClient\b|git credential|authenticator\("
)
_COMPLAINT = (
    r"no authentication challenges? (?:found|received)|authentication challenge is null|challenges? (?:header )?(?:is |was )?(?:missing|null|empty|not found)|www-authenticate[^.\n]{0,40}(?:missing|absent|empty|not (?:present|sent|set|found|included|returned)|required)"
    r"|(?:no|without|missing|lacks?|omits?|does(?: not|n't) (?:send|include|return|set|contain|have))[^.\n]{0,40}www-authenticate|response contains no authentication challenge|no challenge"
)


_NO_PROMPT = (
    r"(?:never|does(?: not|n't)|do(?: not|n't)|not)\s+(?:even )?(?:ask(?:s|ed|ing)?|prompt(?:s|ed|ing)?)\b[^.\n]{0,30}(?:password|credentials|log ?in|user)"
    r"|(?:instead of|rather than)(?: ever| even)? (?:prompt|ask)ing\b|(?:fail\w*|error\w*|refused|stops?|aborts?|ends)\b[^.\n]{0,60}without(?: ever| even)? (?:prompt|ask)ing\b|gives? up (?:at once|immediately|without asking)"
    r"|no (?:log ?in|password|auth\w*|credential)\w* (?:prompt|dialog|pop-?up|window)|(?:prompt|dialog|pop-?up) (?:never|does(?: not|n't)) (?:appear|show|come|open)"
)


@check
def nobody_is_asked(evidence: Evidence) -> Iterator[Finding]:
    """The browser or client shows no login prompt: it saw no challenge that it can answer."""
    if not troubled(evidence) or evidence.search(r"www-authenticate:\s*(?:basic|digest)"):
        return
    found = where(evidence, _NO_PROMPT)
    if found:
        says = "No login prompt appears, as when there is no challenge."
        bare = any(x.response and len(x.response.fields) > 1 and not asked(x) for x in evidence.refused)
        weights = {
            "missing-challenge": 13.0,
            "challenge-not-answered": FAINT if bare else HINT,
            "wrong-password": -5.0,
        }
        yield Finding("no-prompt", says, weights, found[1], group="no-prompt" if bare else "challenge")


@check
def challenge_missing(evidence: Evidence) -> Iterator[Finding]:
    """A complete 401 without a challenge that can be used."""
    refused = [x for x in evidence.refused if x.status == 401 and x.response is not None]
    complaint = evidence.search(_COMPLAINT)
    if complaint is not None:
        says = "The client or the report says that the challenge is missing."
        yield Finding(
            "challenge-complaint",
            says,
            {"missing-challenge": 19.0},
            Where.of(complaint[1]),
            group="challenge",
        )
    with_field = [x for x in refused if x.response is not None and "www-authenticate" in x.response.fields]
    if with_field and len(with_field) == len(refused):
        unusable = next((x for x in with_field if not _usable(x)), None)
        if unusable is not None:
            says = "WWW-Authenticate is there and holds no challenge that a client can answer."
            yield Finding(
                "challenge-unusable",
                says,
                {"missing-challenge": 14.0, "challenge-not-answered": HINT},
                Where.at(unusable, "WWW-Authenticate"),
                group="challenge",
            )
        elif complaint is None:
            yield Finding(
                "challenge-there",
                "The 401 carries a challenge.",
                {"missing-challenge": RULED_OUT},
                Where.at(with_field[0], "WWW-Authenticate"),
            )
        return
    bare = next(
        (
            x
            for x in refused
            if x not in with_field and x.response and x.response.complete and len(x.response.fields) >= 2
        ),
        None,
    )
    waiting = evidence.search(_WAITING)
    if bare is not None:
        says = "The 401 carries no WWW-Authenticate field, which RFC 9110 (section 15.5.2) demands."
        # A client that waits for a challenge sends nothing without one: that is the effect, not the cause.
        weights = {"missing-challenge": 3.0}
        if waiting:
            weights = {"missing-challenge": 15.0, "challenge-not-answered": FAINT, "no-credentials": AGAINST}
        yield Finding(
            "challenge-absent",
            says,
            weights,
            Where.at(bare),
            group="challenge",
        )
    elif waiting and not asked_anywhere(evidence) and evidence.search(r"\b401\b"):
        says = "The client waits for a challenge before it sends credentials."
        yield Finding(
            "client-waits",
            says,
            {"missing-challenge": 11.0, "challenge-not-answered": 8.0},
            Where.of(waiting[1]),
            group="challenge",
        )


def _usable(exchange: Exchange) -> bool:
    read = challenges.parse(exchange.response.fields.all("www-authenticate") if exchange.response else [])
    return any(
        c.name not in ("xbasic", "none", "formbased", "null", "x-basic", "cookie") for c in read.challenges
    )


_WINDOWS = ("negotiate", "ntlm", "kerberos")
_IP = lazy(r"^\[?[\d.:a-fA-F]+\]?$")


@check
def handshake_refused(evidence: Evidence) -> Iterator[Finding]:
    """Negotiate or NTLM was tried and refused: which message was sent tells why."""
    for one in sent(evidence):
        exchange = one.exchange
        if one.parsed.name not in _WINDOWS or exchange is None or not exchange.refused:
            continue
        kind = _ntlm_type(one.parsed.rest)
        offered = [c for c in one.asked if c.name in _WINDOWS]
        if kind == 1 and any(c.token68 for c in offered):
            continue  # the second leg: the server answered with its own message
        fits = one.parsed.name == "negotiate" and kind is not None
        if fits:
            yield _windows(
                "negotiate-holds-ntlm",
                "The Negotiate answer holds NTLM: the client has no Kerberos ticket for this name.",
                17.0,
                one.where,
            )
        elif kind == 3:
            says = "The last message of the NTLM handshake was refused: password, domain, or a connection that was not kept."
            yield Finding(
                "ntlm-refused",
                says,
                {"negotiate-failed": 14.0, "wrong-password": 11.0},
                one.where,
                group="handshake",
            )
        else:
            yield _windows(
                "handshake-refused", f"A {one.parsed.scheme} token was sent and refused.", 16.0, one.where
            )
        return


def _windows(id: str, says: str, weight: float, at: Where) -> Finding:
    return Finding(id, says, {"negotiate-failed": weight, "no-credentials": AGAINST}, at, group="handshake")


def _ntlm_type(token: str) -> int | None:
    """The type of an NTLM message (1, 2 or 3), or None where the token is none."""
    try:
        octets = base64.b64decode(token + "=" * (-len(token) % 4), validate=True)
    except ValueError:
        return None
    return octets[8] if octets.startswith(b"NTLMSSP\0") and len(octets) > 8 else None


@check
def windows_authentication(evidence: Evidence) -> Iterator[Finding]:
    """Kerberos or NTLM is asked for or configured, and the refusal stays."""
    if not troubled(evidence):
        return
    schemes = {c.name for x in evidence.refused for c in asked(x)}
    if schemes and schemes <= {*_WINDOWS} and not evidence.succeeded:
        exchange = next(x for x in evidence.refused if asked(x))
        host = (exchange.request.host or "").partition(":")[0]
        address = bool(host) and bool(_IP.match(host))
        says = "Only Negotiate or NTLM is offered" + (
            ", and the host is an address, for which no ticket can be had." if address else "."
        )
        yield Finding(
            "only-windows",
            says,
            {"negotiate-failed": 15.0 if address else 9.0, "challenge-not-answered": 5.0},
            Where.at(exchange, "WWW-Authenticate"),
            group="windows",
        )
    words = where(
        evidence,
        r"(?:\b|_)(?:kerberos|spnego|kinit|klist|krb5\w*|keytab|setspn|\bSPN\b|GSSAPI|Gssapi\w+|auth_gss|sspi|mod_auth_kerb|NTLM\w*|Windows ?Authentication|UseDefaultCredentials|IntegratedSecurity|negotiate-auth)\b|--negotiate|--ntlm",
    )
    if words:
        says = "Kerberos or NTLM is in use."
        yield Finding("windows-words", says, {"negotiate-failed": 9.0}, words[1], group="windows")


@check
def challenge_then_success(evidence: Evidence) -> Iterator[Finding]:
    """Every refusal is the first leg of a request that succeeds: that is how it works."""
    legs = [x for x in evidence.refused if _answered(x, evidence)]
    if legs and len(legs) == len(evidence.refused):
        says = "Each 401 is a challenge that the client answered with success in the next request: a normal step."
        yield Finding(
            "challenge-answered",
            says,
            {
                "expected-challenge": 34.0,
                "missing-challenge": RULED_OUT,
                "negotiate-failed": RULED_OUT,
                "no-credentials": AGAINST,
            },
            Where.at(legs[0]),
            group="expected",
        )
        return
    twice = evidence.search(_TWICE)
    if twice is not None and len(evidence.refused) <= _count_twice(evidence):
        says = "The client's log shows the same request again right after the 401, and it succeeds."
        weights = {"expected-challenge": 22.0, "wrong-password": AGAINST}
        yield Finding("challenge-answered-client-log", says, weights, Where.of(twice[1]), group="expected")
        return
    pair = _logged_pair(evidence.records)
    if pair is not None and not evidence.refused:
        says = "In the log each 401 is followed at once by a success for the same path and client: a normal challenge."
        yield Finding(
            "challenge-answered-log",
            says,
            {"expected-challenge": 24.0},
            Where.of(pair.source),
            group="expected",
        )


# The same request line twice in a client's log (urllib3, http.client): first 401, then success.
_TWICE = r'"((?:GET|POST|PUT|HEAD|PROPFIND|REPORT) \S[^"\n]*?) HTTP/[\d.]+" 401\b[^\n]*\n[^\n]*"\1 HTTP/[\d.]+" 2\d\d'


def _count_twice(evidence: Evidence) -> int:
    return sum(len(re.findall(_TWICE, text.content)) for text in evidence.texts)


def _answered(refused: Exchange, evidence: Evidence) -> bool:
    """Whether a later request of the same source, method and URL, with (other) credentials, succeeds."""
    before = refused.request.fields.get("authorization")
    schemes = {c.name for c in asked(refused)}
    if not schemes or (before and not re.match(r"(?i)negotiate|ntlm|digest", before)):
        return False
    for later in evidence.exchanges:
        same = later.request.path == refused.request.path and later.request.method == refused.request.method
        if later.number <= refused.number or later.source.name != refused.source.name or not same:
            continue
        after = later.request.fields.get("authorization") or ""
        known = not later.request.complete or after.split(" ")[0].lower() in schemes
        if known and later.status is not None and later.status < 400 and later.label != "works":
            return True
    return False


def _late(refused: Record, answered: Record) -> bool:
    """Whether more time went by than the next leg of a handshake takes (a person's password prompt included)."""
    if refused.time is None or answered.time is None:
        return False
    return (answered.time - refused.time).total_seconds() > 60


def _logged_pair(records: tuple[Record, ...]) -> Record | None:
    """The first 401 of a log in which each is followed by a success for the same path and client."""
    refused = [(n, r) for n, r in enumerate(records) if r.status == 401 and r.path]
    for number, record in refused:
        later = records[number + 1 : number + 6]
        good = any(
            r.path == record.path
            and r.address == record.address
            and r.method == record.method
            and r.status is not None
            and r.status < 400
            and not _late(record, r)
            for r in later
        )
        again = any(r.path == record.path and r.status == 401 for r in later[:2])
        if not good and not again:
            return None
    return refused[0][1] if refused else None


_WORKS_ANYWAY = (
    r"(?:first|initial|one|always|every request)[^.\n]{0,60}\b401\b[^.\n]{0,80}\b(?:then|followed|second|next|before|and (?:the|a))\b[^.\n]{0,60}\b(?:200|20[1467]|ok|succe\w+|works?)\b"
    r"|\b401\b[^.\n]{0,40}\b(?:then|followed by|before|and then|immediately)\b[^.\n]{0,30}\b20[0-7]\b"
    r"|(?:works?|succeed\w*|fine|no problem|everything (?:is )?(?:ok|fine)|connect\w* (?:ok|fine))[^\n]{0,80}(?:but|yet|however|still|although|why)[^\n]{0,80}(?:log|trace|wireshark|network tab|devtools|console|fiddler|monitor)[^\n]{0,60}401"
    r"|(?:logs?|trace|wireshark|network tab|fiddler)[^\n]{0,80}401[^\n]{0,100}(?:even though|although|but|despite|yet)[^\n]{0,60}(?:works?|succe\w+|fine)"
)


@check
def told_that_it_works(evidence: Evidence) -> Iterator[Finding]:
    """The report itself says that success follows."""
    found = re.search(rf"(?i){_WORKS_ANYWAY}", evidence.prose)
    if found:
        says = "The report says that the request succeeds in the end."
        yield Finding(
            "told-success-follows",
            says,
            {"expected-challenge": 14.0, "wrong-password": AGAINST},
            Where(),
            group="expected",
        )
