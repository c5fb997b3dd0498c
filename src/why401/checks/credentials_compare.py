"""Checks that compare two requests, or a request with what its sender meant: the difference tells.

One request is refused and one like it succeeds; what the second carries otherwise (another field, a body for a
query, a token for nothing) is what the server wants. No product is known here.
"""

# A table of patterns is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl

from why401.checks import check
from why401.checks.credentials_offers import LOOKED_AT, troubled, where
from why401.checks.credentials_places import carried
from why401.evidence import Evidence, Exchange
from why401.findings import CLEAR, HINT, Finding, Where
from why401.prefilter import lazy

_LOGIN_KEY = lazy(r"passw|pwd|^pass$|client_secret|grant_type|^user(?:name)?$|^login$|^email$", re.I)
_SECRET_KEY = lazy(r"passw|pwd|^pass$|client_secret|assertion|refresh_token", re.I)


def _query_keys(exchange: Exchange) -> set[str]:
    return {key.lower() for key, _ in parse_qsl(exchange.request.split.query, keep_blank_values=True)}


def _same_place(one: Exchange, other: Exchange) -> bool:
    ours, theirs = one.request, other.request
    hosts = {host for host in (ours.host, theirs.host) if host}
    return ours.path.rstrip("/") == theirs.path.rstrip("/") and len(hosts) < 2


@check
def login_in_query(evidence: Evidence) -> Iterator[Finding]:
    """A login that is posted with its fields in the query and no body; a handler reads the body (RFC 6749, 4.3.2)."""
    for bad in evidence.refused:
        keys = _query_keys(bad)
        if (bad.request.method or "").upper() != "POST" or bad.request.body:
            continue
        if not any(map(_SECRET_KEY.search, keys)) or sum(bool(_LOGIN_KEY.search(key)) for key in keys) < 2:
            continue
        by_body = [
            good for good in evidence.succeeded if _same_place(bad, good) and not _query_keys(good) & keys
        ]
        weights = {"login-body-not-read": 26.0 if by_body else 16.0, "wrong-password": -8.0}
        weights |= {"oauth-client-rejected": -6.0 if by_body else 0.0, "cached-response": -17.0}
        says = "The login's fields stand in the query of a POST without a body"
        says += ", and with them in the body it succeeds." if by_body else "; a login is read from the body."
        yield Finding("login-in-query", says, weights, Where.at(bad), group="login-body")
        return


_NO_FIELDS = frozenset({"body", "query", "userinfo", "cookie"})


@check
def another_field_works(evidence: Evidence) -> Iterator[Finding]:
    """The same host takes the credential in one field and refuses it in another."""
    for one in evidence.succeeded:
        taken = fields(evidence, one)
        for bad in evidence.refused if taken else ():
            hosts = {host for host in (one.request.host, bad.request.host) if host}
            refused = fields(evidence, bad)
            if refused and len(hosts) < 2 and not refused & taken:
                yield _other_field(min(taken), min(refused), Where.at(bad))
                return
        told = _told_field(evidence, taken) if taken else None
        if told:
            yield _other_field(min(taken), told[0], told[1])
            return


def fields(evidence: Evidence, exchange: Exchange) -> set[str]:
    """The fields by which a request brings a credential, also where a shell put the value in."""
    own = {o.name.lower() for o in evidence.offers if o.exchange == exchange.number and o.place == "field"}
    return ({name.lower() for name in carried(exchange)} | own) - _NO_FIELDS


#: A tool or log that says by which field it sends the key.
_TELLS = (
    r"(?:auth(?:entication|orization)?[ _-]?(?:method|type|mode|scheme|header)|(?:sends?|sent|sending|puts?|passes)"
    r"(?: \w+){0,4}? (?:in|as|by|via|with)(?: the| an?)?(?: header)?)[\"'` :=]{1,4}(x-[a-z-]*(?:key|token)|api-key|authorization)\b"
)


def _told_field(evidence: Evidence, taken: set[str]) -> tuple[str, Where] | None:
    found = where(evidence, _TELLS)
    if not found or not troubled(evidence):
        return None
    name = found[0].group(1).lower()
    return (name, found[1]) if name not in taken else None


def _other_field(right: str, wrong: str, at: Where) -> Finding:
    says = f"The credential is taken in the field {right} and refused in {wrong}."
    weights = {
        "wrong-header": 24.0,
        "wrong-scheme": HINT,
        "wrong-environment": -12.0,
        "wrong-password": -12.0,
        "no-credentials": -8.0,
    }
    return Finding("another-field-works", says, weights, at, group="place")


_TOKEN_GIVEN = lazy(
    r"[\"'](?:access_?token|id_?token|auth_?token|jwt(?:_?token)?|token|api_?token|key)[\"']\s*:\s*[\"'][^\"'\n]{4,}",
    re.I,
)
_LOGIN_PATH = lazy(r"/(?:log-?in|sign-?in|authenticate|auth|tokens?|sessions?|jwt|obtain)\b", re.I)


@check
def token_not_brought(evidence: Evidence) -> Iterator[Finding]:
    """A login hands out a token, and the next request does not bring it: HTTP remembers nothing."""
    given: Exchange | None = None
    for exchange in evidence.exchanges:
        if exchange.status in (None, 200, 201) and exchange.response and _hands_out(exchange):
            given = exchange
        elif given is not None and exchange.refused and _brings_nothing(evidence, exchange):
            says = "A login handed out a token, and the refused request after it carries none."
            weights = {"no-credentials": 30.0, "cookie-not-sent": -4.0, "wrong-password": -10.0}
            yield Finding("token-not-brought", says, weights, Where.at(exchange), group="offered-nothing")
            return


def _hands_out(exchange: Exchange) -> bool:
    body = (exchange.response.body if exchange.response else None) or ""
    return bool(_TOKEN_GIVEN.search(body, 0, LOOKED_AT)) and (
        (exchange.request.method or "POST").upper() == "POST"
        or bool(_LOGIN_PATH.search(exchange.request.path))
    )


def _brings_nothing(evidence: Evidence, exchange: Exchange) -> bool:
    """Is the whole request known, or its command, and nothing in it that may be a credential?"""
    own = any(offer.exchange == exchange.number for offer in evidence.offers)
    method = (exchange.request.method or "GET").upper()
    return exchange.request.complete and not own and not carried(exchange) and method != "OPTIONS"


_PRINTS_REQUEST = (
    r"(?:response|res|resp|r|e|error|request)\.(?:request|config)\b[^\n]{0,40}headers|curlify|toCurl|to_curl"
)
_OUTPUT_NAME = lazy(r"(?:^|/)[^/]*(?:output|stdout|\blog|trace|debug|wire|dump|capture|sniff)[^/]*$", re.I)
_SET_IN_CODE = lazy(
    r"authorization[\"'`]?\]?\s*(?:=>|[:=,(])\s*[frb]?[\"'`](Bearer|Basic|Token|Digest)\b|AuthenticationHeaderValue\(\s*\"(\w+)\"",
    re.I,
)
_WENT_OUT = lazy(
    r"(?:^|[\s\"'`{,>(\[])b?[\"']?authorization[\"']?\s*[:=]\s*\[?\s*b?[\"'<]?(Bearer|Basic|Token|Digest|Negotiate|NTLM)\b",
    re.I | re.M,
)


@check
def other_scheme_went_out(evidence: Evidence) -> Iterator[Finding]:
    """The code sets one scheme, and what the program printed of the request it sent shows another."""
    if not troubled(evidence):
        return
    code = [text for text in evidence.texts if text.kind == "code"]
    meant = {
        (m.group(1) or m.group(2)).lower()
        for text in code
        for m in _SET_IN_CODE.finditer(text.content, 0, LOOKED_AT)
    }
    prints = any(text.find(_PRINTS_REQUEST) for text in code)
    for text in evidence.texts:
        shown = (
            text.kind == "log" or _OUTPUT_NAME.search(text.source.name) or (prints and text.kind != "code")
        )
        for match in _WENT_OUT.finditer(text.content, 0, LOOKED_AT) if meant and shown else ():
            if match.group(1).lower() not in meant:
                says = f"The code sets {min(meant).title()}, and the request that went out carries {match.group(1).title()}."
                weights = {
                    "credentials-overridden": 22.0,
                    "wrong-scheme": -4.0,
                    "placeholder-credential": -6.0,
                    "malformed-authorization": -4.0,
                }
                at = Where.of(text.source.at(text.line_at(match.start(1))))
                yield Finding("other-scheme-went-out", says, weights, at, group="override")
                return


_STORED_KEY = lazy(
    r"^[ \t]*(?:(?://[^\s=]+:)?_auth(?:Token)?|_password|machine\s+\S+[ \t]+login|password|token|api[_-]?key|[A-Z_]*TOKEN)[ \t]*[=: ][ \t]*\S",
    re.M,
)


@check
def hidden_by_not_found(evidence: Evidence) -> Iterator[Finding]:
    """A tool with a stored credential gets 404 where an anonymous request gets 200: 404 is how registries refuse."""
    missing = [x for x in evidence.exchanges if x.status == 404]
    for bad in missing:
        for good in evidence.succeeded:
            bare = good.request.complete and not carried(good)
            if not bare or carried(bad) or bad.request.complete or not _same_place(bad, good):
                continue
            text = next((t for t in evidence.texts if _STORED_KEY.search(t.content, 0, LOOKED_AT)), None)
            if text is None:
                continue
            says = (
                "Without a credential the address answers 200; the tool, which has one stored, is told 404."
            )
            weights = {
                "needless-credential-rejected": 26.0,
                "stored-credential-stale": CLEAR,
                "resource-hidden": HINT,
                "not-an-auth-error": -45.0,
            }
            yield Finding("hidden-by-not-found", says, weights, Where.at(bad), group="works-without")
            return


_BLANK_FIRST = lazy(
    r"^(?:GET|POST|PUT|PATCH|DELETE) \S+[^\n]*\n[ \t]*\n(?:[A-Z][\w-]*: [^\n]*\n)*?(?:Proxy-)?Authorization:",
    re.M | re.I,
)


@check
def fields_after_blank(evidence: Evidence) -> Iterator[Finding]:
    """In a `.http` file what stands after the first blank line is the body, so the field is not sent as one."""
    for text in evidence.texts:
        if not re.search(r"\.(?:http|rest)$", text.source.name) or re.search(
            r"(?m)^HTTP/\d", text.content[:LOOKED_AT]
        ):
            continue
        match = _BLANK_FIRST.search(text.content, 0, LOOKED_AT)
        if match:
            says = "A blank line stands before the Authorization field: an HTTP file's client takes it for the body."
            weights = {"no-credentials": CLEAR, "malformed-authorization": HINT}
            yield Finding(
                "fields-after-blank", says, weights, Where.of(text.source.at(text.line_at(match.start())))
            )
            return


_FORM_LOGIN = r"curl\b[^\n]*(?:-d|--data(?:-urlencode)?|-F|--form)[ =]?[\"']?_?(?:user(?:name)?|login|email)=|\bhttp (?:--form|-f)\b[^\n]*(?:user\w*|login|email)="
_JSON_CODE = r"\$http\.post\(|axios\.post\(|http\.post\(|JSON\.stringify\(|\bjson\s*=\s*[{\w]|jsonEncode\(|PostAsJsonAsync|\.send_json\("
_FORM_CODE = r"URLSearchParams|new FormData|x-www-form-urlencoded|qs\.stringify|FormUrlEncodedContent|\$\.param\(|httpParamSerializer|transformRequest"


@check
def form_works_code_sends_json(evidence: Evidence) -> Iterator[Finding]:
    """The login works as a form from a command, and the program sends JSON."""
    command = where(evidence, _FORM_LOGIN)
    code = [text for text in evidence.texts if text.kind == "code" and text.find(_JSON_CODE, stop=LOOKED_AT)]
    if not command or not code or where(evidence, _FORM_CODE) or not troubled(evidence):
        return
    if command[0].string[command[0].start() : command[0].start() + 400].lower().find("application/json") >= 0:
        return
    says = "The login works from a command that sends a form, and the program sends JSON."
    weights = {"login-body-not-read": 22.0, "wrong-password": -12.0, "unknown-user": -6.0}
    yield Finding("form-works-json-sent", says, weights, command[1], group="login-body")


_KEEPS_TOKEN = r"(?:local|session)Storage\.setItem\(\s*[\"'`][\w-]*(?:token|jwt|auth)|\b(?:set|save|store)\w*Token\(|\btoken\s*=\s*(?:await\s+)?[\w.]*(?:data|body|json\(\))[\w.\[\]\"']*token"
_CALLS = r"\bfetch\(|axios(?:\.(?:get|put|delete|patch|post))?\(|requests\.(?:get|put|delete|post)\(|http\.(?:get|put|delete)\(|\$\.(?:get|ajax)\("
_ATTACHES = r"authorization|headers?\b|interceptor|withCredentials|credentials\s*:|bearer|setAuth|\bauth\s*[=:]|cookie"


@check
def token_kept_and_not_sent(evidence: Evidence) -> Iterator[Finding]:
    """The code keeps the token of the login, and nothing in it puts the token into a request."""
    code = [text for text in evidence.texts if text.kind == "code"]
    keeps = next((t for t in code if t.find(_KEEPS_TOKEN, stop=LOOKED_AT)), None)
    calls = next((t for t in code if t.find(_CALLS, stop=LOOKED_AT)), None)
    if keeps and calls and troubled(evidence) and not any(t.find(_ATTACHES, stop=LOOKED_AT) for t in code):
        says = "The code keeps the token that the login gives, and no request of it carries the token."
        yield Finding(
            "token-kept-not-sent",
            says,
            {"no-credentials": 19.0},
            Where.of(calls.source),
            group="offered-nothing",
        )


@check
def code_uses_another_field(evidence: Evidence) -> Iterator[Finding]:
    """A command succeeds with one field, and the program's code sets another."""
    taken = {name for one in evidence.succeeded for name in fields(evidence, one)}
    offers = [o for o in evidence.offers if o.provenance == "code" and o.place == "field"]
    if not taken or not offers or (evidence.refused and any(fields(evidence, x) for x in evidence.refused)):
        return
    if not {o.name.lower() for o in offers} & taken and troubled(evidence):
        yield _other_field(min(taken), offers[0].name.lower(), Where.of(offers[0].source))
