"""Checks of the place and scheme of a credential: none at all, another header, another scheme.

The demand comes from the server's words, its configuration or code, or from what is known of the product;
it is compared with what the requests and the client's code offer.
"""

# A table of patterns is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.checks import check
from why401.checks.credentials_offers import LOOKED_AT, Sent, anywhere, asked, every, sent, troubled
from why401.checks.credentials_products import ANONYMOUS, HEADERS
from why401.evidence import Evidence, Exchange
from why401.findings import CLEAR, FAINT, HINT, STRONG, Finding, Where
from why401.prefilter import lazy

# Fields that carry a credential, by name.
_KEYLIKE = lazy(
    r"^(?!x-csrf|x-xsrf|csrf|x-request|idempotency|sec-|x-amz-(?!security))(?:.*(?:api-?_?key|apikey|auth|token|secret"
    r"|password|credential|jwt|access-?_?key|subscription-key|session).*|key|dpop|cookie|x-user-email)$",
    re.I,
)
_IN_QUERY = lazy(
    r"[?&](?:[\w-]*(?:token|api_?key|key|secret|password|auth|jwt|sig(?:nature)?)[\w-]*|X-Amz-Signature|code)=[^&\s]+",
    re.I,
)
_LOGIN = lazy(r"/(?:log-?in|sign-?in|sign-?up|register|auth|authenticate|oauth2?|token|sessions?)\b", re.I)


def carried(exchange: Exchange) -> list[str]:
    """The names of what may be a credential in a request."""
    request = exchange.request
    names = [f.name for f in request.fields if f.name.lower() == "authorization" or _KEYLIKE.match(f.name)]
    if "@" in request.split.netloc:
        names.append("userinfo")
    if _IN_QUERY.search(request.url or ""):
        names.append("query")
    if request.body and re.search(
        r"password|client_secret|assertion|refresh_token|api_?key", request.body, re.I
    ):
        names.append("body")
    return names


@check
def nothing_offered(evidence: Evidence) -> Iterator[Finding]:
    """A whole request without any credential is refused, and no later one brings one."""
    bare = [x for x in evidence.refused if x.request.complete and x.request.fields and not carried(x)]
    bare = [x for x in bare if (x.request.method or "GET").upper() != "OPTIONS" and x.status != 407]
    if not bare:
        return
    offered = any(carried(x) for x in evidence.exchanges) or bool(evidence.offers) or bool(sent(evidence))
    weights = {"no-credentials": 5.0 if offered else 15.0, "wrong-password": -8.0, "token-expired": -8.0}
    weights |= {
        "client-config-not-loaded": HINT,
        "challenge-not-answered": HINT if any(map(asked, bare)) else FAINT,
    }
    says = "The refused request carries no credential at all."
    yield Finding("nothing-offered", says, weights, Where.at(bare[0]), group="offered-nothing")


@check
def anonymous_words(evidence: Evidence) -> Iterator[Finding]:
    """The server says that it saw no credential: compare with what was offered."""
    found = anywhere(evidence, ANONYMOUS)
    if not found:
        return
    at = Where.of(found[1])
    values = [one for one in sent(evidence) if one.refused]
    whole = [x for x in evidence.refused if x.request.complete and x.request.fields]
    other = sorted(
        {
            n
            for x in evidence.refused
            for n in carried(x)
            if n.lower() not in ("authorization", "cookie", "body")
        }
    )
    other += [
        m.group(1)
        for m, _ in every(evidence, r"(?:-H|--header)[ =]?[\"']\s*([\w-]+):")
        if _KEYLIKE.match(m.group(1))
    ]
    other = [name for name in other if name.lower() not in ("authorization", "cookie")]
    if values:
        weights = {"no-credentials": -8.0, "wrong-header": 4.0, "wrong-scheme": 5.0, "wrong-password": -6.0}
        weights |= {
            "gateway-stripped-credentials": 5.0,
            "proxy-stripped-credentials": 5.0,
            "auth-not-wired": 3.0,
        }
        says = "The server says that it saw no credential, and an Authorization field was sent."
    elif other:
        weights = {"wrong-header": 14.0, "no-credentials": -2.0, "wrong-password": -8.0}
        says = f"The server says that it saw no credential, and one was sent in {other[0]}."
    elif whole or _client_code(evidence):
        weights = {"no-credentials": 9.0, "wrong-password": -8.0, "token-expired": -8.0}
        says = "The server says that it saw no credential, and none is to be seen in the request."
    else:
        weights = {"no-credentials": 6.0, "wrong-password": -6.0, "token-expired": -6.0}
        says = "The server says that it saw no credential."
    yield Finding("server-saw-none", says, weights, at, group="anonymous")


_CALL = lazy(
    r"\bfetch\(|axios[.(]|requests\.(?:get|post|put|patch|delete|request)\(|\bcurl\b(?![^\n]*(?:/keys\b|/certs\b|jwks|\.well-known/))|HttpClient|http\.(?:get|post)\(|\$\.ajax|urlopen\(|Invoke-(?:RestMethod|WebRequest)",
    re.I,
)
_ANY = lazy(
    r"authorization|bearer|\bauth\b|api[_-]?key|token|password|credential|-u\s|--user|cookie|session|netrc",
    re.I,
)


def _client_code(evidence: Evidence) -> bool:
    """Code or a command that sends a request, with no word of a credential in it."""
    heads = [t.content[:LOOKED_AT] for t in evidence.texts]
    texts = [head for head in heads if _CALL.search(head)]
    return bool(texts) and not any(_ANY.search(text) for text in texts)


@check
def command_without_credentials(evidence: Evidence) -> Iterator[Finding]:
    """A command or a piece of code calls a protected address and names no credential anywhere."""
    if troubled(evidence) and not sent(evidence) and not evidence.offers and _client_code(evidence):
        everything = "\n".join(
            text.content[:LOOKED_AT]
            for text in evidence.texts
            if text.kind in ("code", "terminal", "message")
        )
        if not _ANY.search(re.sub(r"(?i)www-authenticate.*|authorization required.*", "", everything)):
            says = "What sends the request names no credential."
            yield Finding("call-without-credential", says, {"no-credentials": 13.0}, group="offered-nothing")


# A name that is meant to be Authorization, or that a guide calls so, but is another field.
_MISNAMED = lazy(
    r"^(?:authentication|authenticate|authorisation|authori[sz]aton|authorizations|autorization|authorizarion|authorzation"
    r"|autherization|authrization|authoriztion|authoization|bearer|x-authentication|http_authorization)$",
    re.I,
)


@check
def misnamed(evidence: Evidence) -> Iterator[Finding]:
    """`Authentication: Bearer …`: a field that no server reads."""
    pairs = [
        (f.name, f.text, Where.at(x, f.name))
        for x in evidence.exchanges
        if not _good(x)
        for f in x.request.fields
    ]
    quoted = r"[\"'](?:-H )?([A-Za-z_-]{5,20})[\"']?\s*[\]:,=]\]?>?\s*[\"'`f]*\s*(?:Bearer|Basic|Token)\b"
    pairs += [(m.group(1), "", at) for m, at in every(evidence, quoted)]
    pairs += [
        (m.group(1), "", at)
        for m, at in every(evidence, r"^[<>*| \t]*([A-Za-z_-]{5,20})[ \t]*:[ \t]*(?:Bearer|Basic|Token) \S")
    ]
    if any(_correct(name) for name, _, _ in pairs):
        return
    for name, _, at in pairs:
        if _MISNAMED.match(name):
            says = f"The credential is sent in the field {name}; servers read Authorization."
            yield Finding(
                "field-misnamed", says, {"wrong-header": 22.0, "no-credentials": FAINT}, at, group="place"
            )
            return


def _good(exchange: Exchange) -> bool:
    return exchange.status is not None and 200 <= exchange.status < 400


def _correct(name: str) -> bool:
    return name.lower() == "authorization"


@check
def proxy_credentials_in_wrong_field(evidence: Evidence) -> Iterator[Finding]:
    """A proxy asks (407) and the credentials stand in Authorization (RFC 9110, section 11.7.2), or the reverse."""
    for exchange in evidence.refused:
        fields = exchange.request.fields
        pair = ("authorization", "proxy-authorization")
        if exchange.status == 407 and pair[0] in fields and pair[1] not in fields:
            says = "The proxy asks with 407 and reads Proxy-Authorization; the credentials were sent in Authorization."
            weights = {"wrong-header": 24.0, "proxy-authentication-required": HINT}
            yield Finding("proxy-field", says, weights, Where.at(exchange, "Authorization"), group="place")
        elif exchange.status == 401 and pair[1] in fields and pair[0] not in fields:
            says = "The origin asks with 401 and reads Authorization; the credentials were sent in Proxy-Authorization."
            yield Finding("proxy-field", says, {"wrong-header": STRONG}, Where.at(exchange), group="place")


# Where a server's words, code or configuration name the header that it reads.
_DEMANDED = (
    r"(?:req|request|ctx\.request|ctx|event|r)\.(?:headers?|Header)\.?(?:get)?[\[(.]\s*[\"']([\w-]+)[\"']",
    r"(?:getHeader|header|Header\.Get|headers\.get|get_header|getHeaderLine)\(\s*[\"']([\w-]+)[\"']",
    r"\$_SERVER\[\s*[\"']HTTP_([A-Z_]+)[\"']",
    r"request\.(?:META|env)(?:\.get\()?\[?\s*[\"']HTTP_([A-Z_]+)[\"']",
    r"APIKeyHeader\(\s*name\s*=\s*[\"']([\w-]+)[\"']",
    r"(?:fromHeader|headerName|header_name|AUTH_HEADER_NAME|auth_header|HeaderName|apiKeyHeader|API_KEY_HEADER)[\"']?\s*[(:=]+\s*[\"']?(?:HTTP_)?([\w-]+)",
    r"(?:key_names|header_names)[\"']?\s*[:=]\s*\[\s*[\"']([\w-]+)[\"']",
    r"(?:missing|provide|required?|expected|no|invalid)\b[^.\n]{0,30}?\b(?:header[: ]+)?[\"'`]?((?:x-[a-z][\w-]+|api-key|private-token))\b[\"'`]?",
    r"[\"'`]?((?:x-[a-z][\w-]+|api-key|private-token))[\"'`]? (?:header|is required|is missing|must be)",
)
_NOT_DEMANDS = lazy(
    r"^(?:x-forwarded|x-real|x-requested|x-request-id|x-csrf|x-xsrf|content|accept|user-agent|host|origin|x-powered|x-frame|x-content|cookie|referer|remote|x-www)",
    re.I,
)


@check
def header_demanded(evidence: Evidence) -> Iterator[Finding]:
    """The server reads one header by name, and the credential is offered in another."""
    if not troubled(evidence):
        return
    offered = {name.lower() for name in _offered_names(evidence)}
    for pattern in _DEMANDED:
        for match, at in every(evidence, pattern):
            # The field reaches CGI and WSGI as HTTP_X_API_KEY, in code that is not the client's.
            wanted = match.group(1).replace("_", "-").lower()
            if _NOT_DEMANDS.match(wanted) or not _KEYLIKE.match(wanted) or wanted == "cookie":
                continue
            if wanted in offered or not offered:
                continue
            one = sorted(offered)[0]
            says = f"The server reads the header {wanted}, and the credential is sent in {one}."
            yield Finding(
                "header-demanded",
                says,
                {"wrong-header": 20.0, "wrong-scheme": FAINT, "no-credentials": -4.0},
                at,
                group="place",
            )
            return


def _offered_names(evidence: Evidence) -> set[str]:
    """The names of the fields that carry a credential, in exchanges, commands and client code."""
    names = {
        n for x in evidence.exchanges if not _good(x) for n in carried(x) if n not in ("body", "userinfo")
    }
    names |= {m.group(1) for m, _ in every(evidence, r"(?:-H|--header)[ =]?[\"']\s*([\w-]+)\s*:")}
    names |= {one.name for one in sent(evidence)}
    # A header that a client sets beside a credential in the same code: 'X-Key': value
    pattern = r"headers?[\"']?\s*[:=(]\s*(?:\{|new Headers\(\{)\s*[\"']?([\w-]+)[\"']?\s*:"
    names |= {m.group(1) for m, _ in every(evidence, pattern)}
    query = {"query"} if any(_IN_QUERY.search(t.content[:LOOKED_AT]) for t in evidence.texts) else set()
    return query | {
        name
        for name in names
        if name.lower() == "authorization" or (_KEYLIKE.match(name) and name.lower() != "cookie")
    }


@check
def header_of_product(evidence: Evidence) -> Iterator[Finding]:
    """A product that reads its key from a header of its own, and a key sent elsewhere."""
    if not troubled(evidence):
        return
    offered = {name.lower() for name in _offered_names(evidence)} - _taken(evidence)
    if not offered:
        return
    for marker, wanted, product in HEADERS:
        found = anywhere(evidence, marker)
        if not found or offered & set(wanted):
            continue
        if any(
            re.search(rf"\b{re.escape(name)}\b", text.content, re.I)
            for text in evidence.texts
            for name in wanted
        ):
            weight = CLEAR  # the name is known to the reporter
        else:
            weight = 20.0 if r"\." in marker else 13.0  # a host says more than a product's name
        if any(_fits(one, marker) for one in sent(evidence)):
            continue
        says = f"{product[0].upper() + product[1:]} reads its key from {wanted[0]}; it was sent in {sorted(offered)[0]}."
        yield Finding("header-of-product", says, {"wrong-header": weight}, Where.of(found[1]), group="place")


def _taken(evidence: Evidence) -> set[str]:
    """The fields by which a request that succeeded brought its credential: those are right."""
    good = {x.number for x in evidence.succeeded}
    shell = {o.name.lower() for o in evidence.offers if o.exchange in good and o.place == "field"}
    return shell | {name.lower() for x in evidence.succeeded for name in carried(x)}


def _fits(one: Sent, marker: str) -> bool:
    """An OAuth token does travel in Authorization, and a product that one hosts oneself may take Basic."""
    if one.parsed.name == "basic" and r"\." not in marker:
        return True
    return bool(re.match(r"eyJ|sk-ant-oat|ya29\.", one.parsed.rest))
