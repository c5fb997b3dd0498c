"""What Kong's plugins make of a request's credential, by the consumers of the declarative configuration."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

from why401.checks import check, rule
from why401.evidence import Evidence, Request
from why401.findings import AGAINST, CLEAR, HINT, NAMED, PROVED, STRONG, Finding, Where
from why401.layers.kong import HOP, LOGINS, Credential, Entry, Kong, key_names
from why401.layers.model import Route
from why401.layers.nodes import Node
from why401.path import Walk, routes, walks
from why401.protocol.jws import verify
from why401.protocol.jwt import decode
from why401.secret import is_sensitive_field


def _met(evidence: Evidence) -> Iterator[tuple[Walk, Route, Kong, Entry, dict[str, Node]]]:
    for one in walks(evidence):
        for route in one.routes:
            entry = route.layer.entry(route) if isinstance(route.layer, Kong) else None
            if isinstance(route.layer, Kong) and entry is not None and one.status in (401, 403, None):
                yield one, route, route.layer, entry, route.layer.plugins(entry)


def _finding(id: str, says: str, cause: str, node: Node, **more: Any) -> Finding:
    weights = {cause: PROVED, "no-credentials": AGAINST, "wrong-password": AGAINST}
    weights[cause] = PROVED
    return Finding(id, says, weights, Where.of(node.source), "kong-credential", HOP, **more)


@check
def key_compared(evidence: Evidence) -> Iterator[Finding]:
    """Where key-auth looks for a key, and whether a consumer has it."""
    for one, _, layer, _, plugins in _met(evidence):
        plugin = plugins.get("key-auth")
        if plugin is None or plugin.text("config", "anonymous"):
            continue
        names = key_names(plugin)
        place = plugin.at("config", "key_names") or plugin
        given = _key(one.request, plugin, names)
        if given is None and plugin.true("config", "key_in_body"):
            return  # it may stand there
        if given is None:
            yield from _elsewhere(one.request, names, place)
            return
        held = layer.credentials("key-auth")
        if held and not any(hmac.compare_digest(c.node.text("key").encode(), given.encode()) for c in held):
            says = (
                f"No consumer has the key that was sent in {', '.join(names)} ({len(held)} keys are known)."
            )
            where = held[0].node
            stripped = any(c.node.text("key") == given.strip("\"' \r\n") for c in held)
            cause = "stray-whitespace" if stripped and given != given.strip() else "wrong-password"
            weights = {cause: PROVED, "no-credentials": AGAINST}
            yield Finding(
                "kong-key-unknown", says, weights, Where.of(where.source), "kong-credential", HOP, cause
            )
        return


def _key(request: Request, plugin: Node, names: list[str]) -> str | None:
    for name in names:
        held = request.fields.get(name) if plugin.true("config", "key_in_header", default=True) else None
        query = parse_qs(request.split.query) if plugin.true("config", "key_in_query", default=True) else {}
        found = held if held is not None else next(iter(query.get(name, ())), None)
        if found is not None:
            return found
    return None


def _elsewhere(request: Request, names: list[str], place: Node) -> Iterator[Finding]:
    """No key at any of the names: it stands elsewhere, or nowhere."""
    other = next((f.name for f in request.fields if is_sensitive_field(f.name)), None)
    if other is None:
        other = next(
            (n for n in parse_qs(request.split.query) if "key" in n.lower() or "token" in n.lower()), None
        )
    listed = " or ".join(names)
    if other is not None:
        says = f"key-auth looks for the key in {listed}; the request carries a credential in {other}."
        yield _finding("kong-key-elsewhere", says, "wrong-header", place, fix=f"Send the key in {names[0]}.")
    elif request.complete:
        says = f"key-auth looks for a key in {listed}, and the request has none there."
        weights = {"no-credentials": NAMED, "wrong-password": AGAINST}
        yield Finding("kong-key-missing", says, weights, Where.of(place.source), "kong-credential", HOP)


@check
def token_compared(evidence: Evidence) -> Iterator[Finding]:
    """The steps of the jwt plugin: the credential by its claim, the algorithm, the signature."""
    for one, _, layer, _, plugins in _met(evidence):
        scheme, _, raw = (one.request.fields.get("authorization") or "").partition(" ")
        plugin, jwt = plugins.get("jwt"), decode(raw.strip())
        if (
            plugin is None
            or scheme.lower() != "bearer"
            or not jwt.claims
            or plugin.text("config", "anonymous")
        ):
            continue
        claim = plugin.text("config", "key_claim_name", default="iss")
        key = jwt.claims.get(claim) or jwt.header.get(claim)
        held = layer.credentials("jwt")
        place = plugin.at("config", "key_claim_name") or plugin
        own = next((c for c in held if c.node.text("key") == key), None)
        if not isinstance(key, str):
            says = f"The jwt plugin looks for the credential by the claim {claim}, which the token does not have."
            yield _finding("kong-claim-missing", says, "malformed-token", place)
        elif own is None and held:
            cause = "wrong-issuer" if claim == "iss" else "unknown-signing-key"
            says = f"No consumer has a JWT credential whose key is the token's {claim} ({key[:80]})."
            fix = (
                f"Give a consumer a jwt_secret with the key {key[:80]}, or issue tokens with a known {claim}."
            )
            yield _finding("kong-no-credential", says, cause, held[0].node, fix=fix)
        elif own is not None:
            yield from _signed(raw.strip(), jwt.algorithm, plugin, own)
        return


def _signed(raw: str, algorithm: str | None, plugin: Node, own: Credential) -> Iterator[Finding]:
    wanted = own.node.text("algorithm", default="HS256")
    if algorithm != wanted:
        says = f"The token is signed with {algorithm}, the credential is for {wanted} only."
        yield _finding("kong-algorithm", says, "wrong-algorithm", own.node.at("algorithm") or own.node)
        return
    name = "secret" if wanted.startswith("HS") else "rsa_public_key"
    node = own.node.at(name)
    encoded = name == "secret" and plugin.true("config", "secret_is_base64")
    key = _decoded(node.value) if encoded else node.value
    if not node.value or key is None or node.value.startswith(("{vault", "${")):
        return
    result = verify(raw, key)
    if result.matches and result.variant is None:
        says = "The credential verifies the token's signature."
        weights = {"bad-signature": -20.0, "wrong-issuer": -20.0, "unknown-signing-key": -20.0}
        yield Finding("kong-signature-fits", says, weights, Where.of(node.source), "kong-credential", HOP)
        return
    other = None if name != "secret" else node.value if encoded else _decoded(node.value)
    swapped = other is not None and verify(raw, other).kind == "verified"
    switch = plugin.at("config", "secret_is_base64")
    if swapped or (result.matches and result.variant):
        says = "The token is signed with this secret read in another way: " + (
            "as it stands, while secret_is_base64 has it decoded." if encoded else "decoded from base64."
        )
        yield _finding("kong-secret-base64", says, "bad-signature", switch or node, proves="bad-signature")
    else:
        says = "The secret of this credential does not verify the token's signature."
        yield _finding("kong-signature", says, "bad-signature", node, proves="bad-signature")


def _decoded(text: str) -> str | bytes | None:
    try:
        return base64.b64decode(
            text + "=" * (-len(text) % 4), altchars=b"-_" if "_" in text or "-" in text else None
        )
    except (binascii.Error, ValueError):
        return None


@check
def group_missing(evidence: Evidence) -> Iterator[Finding]:
    """The consumer is known by its credential, and is in none of the groups that acl allows."""
    for one, route, layer, _, plugins in _met(evidence):
        wanted = route.all("group")
        consumer = _consumer(one.request, layer, plugins) if wanted else None
        if consumer is not None and not layer.groups(consumer) & {d.value for d in wanted}:
            groups = ", ".join(sorted(layer.groups(consumer))) or "none"
            says = f"The acl plugin lets {' or '.join(d.value for d in wanted)} in; this consumer's groups: {groups}."
            weights = {"not-permitted": PROVED, "insufficient-scope": CLEAR, "wrong-password": AGAINST}
            where = Where.of(wanted[0].source)
            yield Finding("kong-group-missing", says, weights, where, "kong-acl", HOP, "not-permitted",
                          fix=f"Give the consumer the group {wanted[0].value} (acls).")  # fmt: skip
            return


def _consumer(request: Request, layer: Kong, plugins: dict[str, Node]) -> str | None:
    """The consumer whose key or password the request carries."""
    from why401.checks.layers_passwords import credentials

    if "key-auth" in plugins:
        given = _key(request, plugins["key-auth"], key_names(plugins["key-auth"]))
        return next((c.consumer for c in layer.credentials("key-auth") if c.node.text("key") == given), None)
    pair = credentials(request) if "basic-auth" in plugins else None
    for c in layer.credentials("basic-auth"):
        if pair and (c.node.text("username"), c.node.text("password")) == pair:
            return c.consumer
    return None


@check
def several_logins(evidence: Evidence) -> Iterator[Finding]:
    """Two authentication plugins are in force and none has `anonymous`: the request must satisfy both."""
    for _, _, _, _, plugins in _met(evidence):
        asking = [p for name, p in plugins.items() if name in LOGINS and not p.text("config", "anonymous")]
        if len(asking) > 1:
            names = " and ".join(p.text("name") for p in asking)
            yield Finding(
                "kong-several-logins",
                f"{names} are both in force here, and neither has `anonymous`: a request must satisfy both.",
                {"auth-layers-collide": STRONG, "wrong-scheme": HINT},
                Where.of(asking[1].source),
                "kong-several",
                HOP,
                fix="Give each `anonymous` with a consumer that request-termination refuses: then one will do.",
            )
            return


@rule
def anonymous_not_there(evidence: Evidence) -> Iterator[Finding]:
    """`anonymous` names a consumer that the file does not have: Kong answers 500 where nobody logs in."""
    seen: set[int] = set()
    for route in routes(evidence):
        entry = route.layer.entry(route) if isinstance(route.layer, Kong) else None
        if not isinstance(route.layer, Kong) or entry is None:
            continue
        consumers = route.layer.top.each("consumers")
        known = {c.text(key) for c in consumers for key in ("username", "custom_id", "id")}
        for name, plugin in route.layer.plugins(entry).items():
            node = plugin.at("config", "anonymous")
            if (
                name in LOGINS
                and node.value
                and consumers
                and node.value not in known
                and id(node) not in seen
            ):
                seen.add(id(node))
                yield Finding(
                    "kong-anonymous-not-there",
                    f"`anonymous` of {name} names the consumer {node.value}, which is not there.",
                    {"auth-setting-wrong": STRONG},
                    Where.of(node.source),
                    "kong-anonymous",
                    HOP,
                    fix="Name a consumer of this file by its id or user name.",
                )
