"""What Envoy's HTTP filters demand and change: jwt_authn, ext_authz, basic_auth.

Source: api/envoy/extensions/filters/http/{jwt_authn,ext_authz,basic_auth}/v3 and the pages of these filters.
Field names are protobuf's: snake_case or camelCase.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.evidence import Change, Demand, Request
from why401.layers.accounts import Account
from why401.layers.nodes import Node
from why401.protocol.jwt import decode
from why401.secret import Secret

HOP = "Envoy"
Fact = Demand | Change


def proto(node: Node, *path: str | int) -> Node:
    """The node at a path of protobuf names, as written or in camelCase."""
    for part in path:
        if isinstance(part, str):
            head, *rest = part.split("_")
            node = node.first(part, head + "".join(word.capitalize() for word in rest))
        else:
            node = node.at(part)
    return node


def issuer_of(request: Request | None) -> str:
    """The `iss` of the request's bearer token, "" without one."""
    scheme, _, value = ((request and request.fields.get("authorization")) or "").partition(" ")
    claimed = decode(value.strip()).claims.get("iss") if scheme.lower() == "bearer" else None
    return claimed if isinstance(claimed, str) else ""


def matches(match: Node, path: str) -> bool:
    """Whether a RouteMatch takes a path (fields and queries are not looked at)."""
    prefix, exact = proto(match, "prefix"), proto(match, "path")
    separated, regex = proto(match, "path_separated_prefix"), proto(match, "safe_regex", "regex")
    if prefix:
        return path.startswith(prefix.value)
    if exact:
        return path == exact.value
    if separated:
        return path == separated.value or path.startswith(separated.value + "/")
    try:
        return bool(regex) and re.fullmatch(regex.value, path) is not None
    except re.error:
        return False


def jwt_rule(settings: Node, path: str) -> Node | None:
    """The `requires` of the first rule that takes the path; None where none does or it asks for nothing."""
    for rule in proto(settings, "rules").items:
        if matches(proto(rule, "match"), path):
            named = proto(rule, "requirement_name").value
            found = proto(settings, "requirement_map", named) if named else proto(rule, "requires")
            return found or None
    return None


def names(requires: Node) -> list[Node]:
    """The nodes that name providers in a requirement."""
    return [name for _, name in _naming(requires)]


def optional(requires: Node) -> bool:
    """Whether a request without a token passes."""
    text = {key.lower().replace("_", "") for inner in requires.walk() for key in inner.pairs}
    return bool(text & {"allowmissing", "allowmissingorfailed"})


def jwt(settings: Node, requires: Node, issuer: str) -> Iterator[Fact]:
    """What a requirement asks of the token; where several providers will do, that of the token's issuer."""
    known = proto(settings, "providers")
    providers = [(inner, known.at(n.value)) for inner, n in _naming(requires)]
    if not optional(requires):
        yield Demand("scheme", "Bearer", requires.source, hop=HOP)
    own = [p for p in providers if proto(p[1], "issuer").value == issuer]
    if len(own or providers) != 1:
        return
    naming, provider = (own or providers)[0]
    narrowed = proto(naming, "audiences")
    for fact in token(provider, HOP):
        if not (narrowed and fact.respect == "audience"):
            yield fact
    if narrowed:
        yield Demand("audience", " ".join(naming.strings("audiences")), narrowed.source, hop=HOP)
    if proto(provider, "forward").value.lower() != "true":
        for name in _read_from(provider):
            yield Change("drops", name, (proto(provider, "forward") or provider).source, HOP)


def _naming(requires: Node) -> Iterator[tuple[Node, Node]]:
    """(mapping, name) of each provider that a requirement names; the mapping may have audiences of its own."""
    for inner in requires.walk():
        name = proto(inner, "provider_name")
        if name:
            yield inner, name


def _read_from(provider: Node) -> list[str]:
    """The fields in which a provider looks for a token (JwtProvider.from_headers)."""
    named = [proto(item, "name").value for item in proto(provider, "from_headers").items]
    return named or (
        [] if proto(provider, "from_params") or proto(provider, "from_cookies") else ["Authorization"]
    )


def token(provider: Node, hop: str) -> Iterator[Demand]:
    """Issuer, audiences and keys of a provider of Envoy, or a JWT rule of Istio."""
    issuer, audiences = proto(provider, "issuer"), proto(provider, "audiences")
    if issuer.value:
        yield Demand("issuer", issuer.value, issuer.source, hop=hop)
    if audiences.items or audiences.value:
        yield Demand("audience", " ".join(provider.strings("audiences")), audiences.source, hop=hop)
    uri = proto(provider, "remote_jwks", "http_uri", "uri") or proto(provider, "jwks_uri")
    if uri.value:
        yield Demand("keys", uri.value, uri.source, hop=hop)
    inline = proto(provider, "local_jwks", "inline_string") or proto(provider, "jwks")
    if inline.value:
        yield Demand("inline-keys", inline.value, inline.source, hop=hop)


def ext_authz(settings: Node) -> Iterator[Fact]:
    """The service that is asked. Over HTTP it gets Authorization, and beside it only the fields that are allowed."""
    http = proto(settings, "http_service")
    uri = proto(http, "server_uri", "uri")
    cluster = proto(settings, "grpc_service", "envoy_grpc", "cluster_name")
    if uri.value or cluster.value:
        yield Demand("subrequest", uri.value or cluster.value, (uri or cluster).source, hop=HOP)
    if not uri.value:
        return
    allowed = proto(settings, "allowed_headers") or proto(http, "authorization_request", "allowed_headers")
    patterns = proto(allowed, "patterns")
    if any(not proto(item, "exact") for item in patterns.items):
        return
    yield Demand("subrequest-field", "Authorization", (allowed or http).source, hop=HOP)
    for item in patterns.items:
        yield Demand("subrequest-field", proto(item, "exact").value, item.source, hop=HOP)


def users(settings: Node) -> list[Account] | None:
    """The users of basic_auth that stand inline; None where they stand elsewhere."""
    held = proto(settings, "users", "inline_string")
    if not held:
        return None
    parts = [line.strip().partition(":") for line in held.value.splitlines() if ":" in line]
    first = held.line + (1 if len(held.value.splitlines()) > 1 or held.last > held.line else 0)
    lines = held.document.lines
    found = []
    for user, _, stored in parts:
        line = next(
            (n for n in range(first, held.last + 1) if stored in "".join(lines[n - 1 : n])), held.line
        )
        source = Node(held.document, line).source
        found.append(Account(user, Secret(stored), "envoy", source))
    return found
