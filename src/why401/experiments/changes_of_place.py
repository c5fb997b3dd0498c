"""Changes of the place of a credential: another field, the query, the cookie file, a login anew."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from why401.experiments.change import Seen, change
from why401.path import walks
from why401.probes.ask import Ask, is_credential_field
from why401.secret import SENSITIVE_NAME

_MISNAMED = re.compile(
    r"(?i)^(authentication|authorisation|x-authorization|auth|autorization|authorizaton|authorized)$"
)
_KEY_FIELDS = ("X-API-Key", "Api-Key", "X-Auth-Token", "X-Access-Token", "Private-Token", "apikey")
_NAMED = re.compile(r"(?i)\b(x-[a-z-]*(?:key|token)|api-key|apikey|private-token|authorization)\b")
_PARAMETER = r"[\"'`]?\b([a-z_]{0,20}(?:key|token)[a-z_]{0,12})\b"
_IN_QUERY = re.compile(
    rf"(?i)\b(?:query|url)[ -]?(?:string|param\w{{0,12}})[^\w\n]{{1,6}}(?:named |called )?{_PARAMETER}"
    rf"|[?&]{_PARAMETER}=|{_PARAMETER}[\"'`]? (?:query|url) param"
)


@change("other-place", "the same credential in the field that the server reads", "wrong-header")
def other_place(ask: Ask, seen: Seen) -> Iterator[Ask]:
    for name, value in ask.fields:
        if _MISNAMED.match(name):
            yield ask.without([name]).with_field("Authorization", value)
            return
    held = next(((n, v) for n, v in ask.fields if is_credential_field(n) and n.lower() != "cookie"), None)
    if held is not None:
        yield from _from_field(ask, seen, *held)
    else:
        yield from _from_query(ask, seen)


def _from_field(ask: Ask, seen: Seen, name: str, value: str) -> Iterator[Ask]:
    token = value.rpartition(" ")[2]
    bare = ask.without([name])
    for wanted in _fields_named(seen):
        if wanted.lower() != name.lower():
            yield _with_token(bare, wanted, token)
            return
    if in_query := _IN_QUERY.search(seen.response.body or ""):
        parameter = next(filter(None, in_query.groups()))
        yield bare.at(_with_query(ask.url, parameter, token))
    elif name.lower() != "authorization" and "bearer" in seen.schemes:
        yield _with_token(bare, "Authorization", token)
    elif name.lower() == "authorization" and "api" in seen.words and "key" in seen.words:
        yield _with_token(bare, _KEY_FIELDS[0], token)


def _from_query(ask: Ask, seen: Seen) -> Iterator[Ask]:
    """A key in the query, where the server reads a field (RFC 6750, section 2.3: most do not read the query)."""
    parts = urlsplit(ask.url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    held = next((value for name, value in pairs if SENSITIVE_NAME.search(name) and value), None)
    if held is None or ask.has_credentials:
        return
    rest = urlencode([pair for pair in pairs if pair[1] != held])
    bare = ask.at(parts._replace(query=rest).geturl())
    named = _fields_named(seen) or (["Authorization"] if "bearer" in seen.schemes else [_KEY_FIELDS[0]])
    yield _with_token(bare, named[0], held)


def _fields_named(seen: Seen) -> list[str]:
    """The fields that the answer or other evidence names as those that are read."""
    routes = (route for one in walks(seen.evidence) for route in one.routes)
    named = [demand.value for route in routes for demand in route.all("field")]
    named += [match.group(1) for match in _NAMED.finditer(seen.response.body or "")]
    named += [demand.value for demand in seen.evidence.demands if demand.respect == "field"]
    return list(dict.fromkeys(named))


def _with_token(ask: Ask, name: str, token: str) -> Ask:
    return ask.with_field(name, f"Bearer {token}" if name.lower() == "authorization" else token)


def _with_query(url: str, name: str, value: str) -> str:
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, f"{name}={quote(value, safe='')}")))
    return parts._replace(query=query).geturl()


@change(
    "fresh-token", "a token that was fetched anew", "token-expired", "credential-revoked", "session-expired"
)
def fresh_token(ask: Ask, seen: Seen) -> Iterator[Ask]:
    token = seen.fresh() if seen.fresh is not None else None
    if token is None:
        return
    scheme = (ask.get("authorization") or "Bearer x").partition(" ")[0]
    bare = dataclasses.replace(ask, user=None, bearer=None)
    yield bare.with_field("Authorization", f"{scheme} {token.reveal()}")
