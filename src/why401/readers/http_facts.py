"""What an exchange says: the credentials it offers, what is demanded of it, and which product answered.

The one place for this, used by every reader and by the live side, so that a pasted transcript, a HAR and a
request sent now speak alike.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qsl, unquote

from why401.evidence import Answer, Demand, Evidence, Exchange, Field, Offer, Source
from why401.prefilter import lazy
from why401.protocol import challenges, credentials
from why401.readers.http_products import product_of
from why401.secret import SENSITIVE_NAME, Secret


def _set(words: str) -> frozenset[str]:
    """The words of a text, for tables that read as text."""
    return frozenset(words.split())


#: What stands where a credential was taken out before the text was shared.
REDACTED: Final = lazy(
    r"""(?ix)[\[<(]?\s*(?:redacted|masked|hidden|removed|omitted|filtered|snip(?:ped)?|stripped|suppressed
    |the\s+same\s+\w+|same\s+(?:token|as\s+above|key)|██+)[^\])>]*[\])>]?
    | [*•x·.…#_\-█]{3,} | <[^<>]*> | \[[A-Za-z][^\[\]]*\] | \([A-Za-z][^()]*\) """
)
#: Field names that carry a credential under a name of their own, beside the standard ones.
_KEY_FIELD: Final = lazy(
    r"(?i)(?:^|[-_])(?:api[-_]?key|apikey|auth|authentication|auth[-_]token|access[-_]token|token|secret|jwt|"
    r"subscription[-_]key|private[-_]token|session[-_]id|signature|assertion|password|key|user[-_]token)$"
)
_NOT_CREDENTIAL: Final = _set(
    """
    x-csrf-token x-xsrf-token csrf-token x-csrftoken x-wp-nonce idempotency-key sec-websocket-key
    sec-websocket-accept x-idempotency-key surrogate-key x-cache-key etag
    """
)
_QUERY_KEY: Final = lazy(
    r"(?i)^(?:access_?token|token|auth_?token|api_?key|apikey|key|sig|signature|x-amz-signature|oauth_signature|"
    r"oauth_consumer_key|consumer_key|consumer_secret|password|passwd|pwd|jwt|code|auth|appid|client_secret|"
    r"private_token|subscription-key|session|sid|secret|ck|cs|sas|_wpnonce|api_password)$"
)
_SCHEME_FIELDS: Final = {"authorization": "field", "proxy-authorization": "field"}


def facts(exchange: Exchange, provenance: str = "request") -> Evidence:
    """Offers, demands and the answering product of one exchange (not the exchange itself)."""
    return Evidence(
        offers=tuple(_offers(exchange, provenance)),
        demands=tuple(_demands(exchange)),
        answers=tuple(_answers(exchange)),
    )


def known(value: str) -> bool:
    """Whether a credential's value is really there, not taken out before the text was shared."""
    return not REDACTED.fullmatch(value.strip())


def _offers(exchange: Exchange, provenance: str) -> Iterator[Offer]:
    request = exchange.request
    for item in request.fields:
        at = exchange.source.at(item.line) if item.line is not None else exchange.source
        lower = item.name.lower()
        if lower in _SCHEME_FIELDS:
            yield authorization(item, at, exchange.number, provenance)
        elif lower == "cookie":
            yield from _cookies(item.text, at, exchange.number, provenance)
        elif lower not in _NOT_CREDENTIAL and _KEY_FIELD.search(lower):
            value = Secret(item.text) if known(item.text) else None
            yield Offer("field", item.name, None, value, at, exchange.number, provenance)
    yield from _url_offers(exchange, provenance)
    yield from _body_offers(exchange, provenance)


def authorization(item: Field, source: Source, number: int | None, provenance: str) -> Offer:
    """The offer of an Authorization or Proxy-Authorization field."""
    read = credentials.parse(item.text)
    hidden = bool(read.rest) and not known(read.rest)
    whole = Secret(item.text) if read.scheme is None else Secret(read.rest)
    user = None
    if read.scheme is not None and not hidden:
        user = basic_user(read.rest) if read.scheme.lower() == "basic" else read.params.get("username")
    if not known(item.text):
        return Offer("field", item.name, None, None, source, number, provenance)
    return Offer("field", item.name, read.scheme, None if hidden else whole, source, number, provenance, user)


def basic_user(token68: str) -> str | None:
    """The user name of a Basic credential, where it can be read."""
    text = token68.strip()
    try:
        octets = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    user, colon, _ = octets.partition(b":")
    if not colon:
        return None
    try:
        return user.decode("utf-8")
    except UnicodeDecodeError:
        return user.decode("latin-1")


def _cookies(text: str, source: Source, number: int, provenance: str) -> Iterator[Offer]:
    for pair in text.split(";"):
        name, equals, value = pair.strip().partition("=")
        if equals and name:
            secret = Secret(value) if known(value) else None
            yield Offer("cookie", name, None, secret, source, number, provenance)


def _url_offers(exchange: Exchange, provenance: str) -> Iterator[Offer]:
    parts = exchange.request.split
    source, number = exchange.source, exchange.number
    userinfo, at, _ = parts.netloc.rpartition("@")
    if at:
        user, colon, password = userinfo.partition(":")
        secret = Secret(unquote(password)) if colon and known(password) else None
        yield Offer("userinfo", "url", "Basic", secret, source, number, provenance, unquote(user))
    for name, value in _pairs(parts.query):
        if _QUERY_KEY.match(name):
            secret = Secret(value) if known(value) else None
            yield Offer("query", name, None, secret, source, number, provenance)


def _body_offers(exchange: Exchange, provenance: str) -> Iterator[Offer]:
    """Passwords, secrets and tokens of a login body, form-encoded or flat JSON."""
    body = exchange.request.body
    if not body or len(body) > 200_000:
        return
    found = dict(_JSON_MEMBER.findall(body)) if body.lstrip()[:1] in "{[" else dict(_pairs(body))
    user = next((v for k, v in found.items() if re.search(r"(?i)user|e-?mail|login|client_id", k)), None)
    for name, value in found.items():
        if SENSITIVE_NAME.search(name.lower()):
            secret = Secret(value) if known(value) else None
            yield Offer("body", name, None, secret, exchange.source, exchange.number, provenance, user)


_JSON_MEMBER: Final = lazy(r'"([^"\\]{1,80})"\s*:\s*"((?:[^"\\]|\\.)*)"')


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, max_num_fields=2000)
    except ValueError:
        return []


def _demands(exchange: Exchange) -> Iterator[Demand]:
    response = exchange.response
    if response is None:
        return
    hop = product_of(response)
    for name, who in (("WWW-Authenticate", None), ("Proxy-Authenticate", "proxy")):
        for item in response.fields:
            if item.name.lower() == name.lower():
                at = exchange.source.at(item.line) if item.line is not None else exchange.source
                yield from _challenged(item.text, at, exchange, who or hop)


def _challenged(text: str, source: Source, exchange: Exchange, hop: str | None) -> Iterator[Demand]:
    for challenge in challenges.parse([text]).challenges:
        yield Demand("scheme", challenge.scheme, source, exchange.number, hop, exchange.request.path)
        for name in (
            "realm",
            "scope",
            "algorithm",
            "qop",
            "charset",
            "service",
            "error",
            "resource_metadata",
        ):
            if name in challenge.params:
                yield Demand(
                    name, challenge.params[name], source, exchange.number, hop, exchange.request.path
                )


def _answers(exchange: Exchange) -> Iterator[Answer]:
    if exchange.response is None:
        return
    hop = product_of(exchange.response)
    if hop is not None:
        words = (exchange.response.body or "")[:200]
        yield Answer(hop, exchange.response.status, exchange.source, exchange.number, words)
