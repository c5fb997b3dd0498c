"""Keys: does a key or secret that stands in the evidence verify the token, and could keys be had at all?

Recomputing a signature is a proof: where the secret verifies the token only when it is read in another
way (base64, hexadecimal), two programs read one setting differently.
"""

# Patterns and sentences are read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from why401.checks import check
from why401.checks.token_facts import Facts, Token
from why401.evidence import Evidence
from why401.findings import AGAINST, CLEAR, HINT, RULED_OUT, Finding, Where
from why401.prefilter import lazy

_SECRET = lazy(
    r"(?P<name>[\w.-]*(?:jwt|token|auth|api|signing|session|app|pgrst|gotrue|shared)[\w.-]*"
    r"(?:secret|signing[-_]?key|secret[-_]?key|key)[\w.-]*)[\"']?\s*(?:[:=]|=>)\s*[\"']?(?P<value>[^\s\"',;]{6,512})",
    re.I,
)
_DOWN = (
    r"timed? ?out|timeout|ECONNREFUSED|connection refused|ENOTFOUND|EAI_AGAIN|no such host|UnknownHost\w*"
    r"|could not resolve|getaddrinfo|unreachable|certificate verify failed|PKIX path|self[- ]signed certificate"
    r"|x509:|connection reset|ECONNRESET|proxyconnect|SSL certificate problem|502 bad gateway|503 service"
)
_KEYS = r"jwks|jwk[-_ ]?set|openid-configuration|\.well-known/|discovery|/certs\b|/keys\b|signing keys?|public keys?|introspect\w*|metadata address|issuer[-_ ]ur[il]"


@check
def offline(evidence: Evidence) -> Iterator[Finding]:
    """Verify an HMAC token with the secrets of the evidence, another with its key set."""
    facts = Facts(evidence)
    signed = [token for token in facts.offered if token.raw and token.jwt.algorithm and token.jwt.parts == 3]
    if not signed:
        return
    secrets = (
        list(_secrets(evidence)) if any((t.jwt.algorithm or "").startswith("HS") for t in signed) else []
    )
    for token in signed[:6]:
        if (token.jwt.algorithm or "").startswith("HS"):
            yield from _with_secrets(token, secrets)
        else:
            yield from _with_key_sets(token, list(_key_sets(evidence)))


def _secrets(evidence: Evidence) -> Iterator[tuple[str, str, Where]]:
    for text in evidence.texts:
        for match in _SECRET.finditer(text.content[:200000]):
            if not match["value"].startswith(("eyJ", "$", "process.", "os.", "xxx", "***")):
                yield match["name"], match["value"], Where.of(text.source.at(text.line_at(match.start())))


def _with_secrets(token: Token, secrets: list[tuple[str, str, Where]]) -> Iterator[Finding]:
    from why401.protocol.jws import verify

    results = [(name, verify(token.raw, value), where) for name, value, where in secrets[:8]]
    for name, result, where in results:
        if result.kind == "verified":
            says = f"The secret {name} verifies the token: its signature is good."
            yield Finding(
                "token-secret-verifies",
                says,
                {"bad-signature": RULED_OUT, "malformed-token": RULED_OUT},
                where,
                "token-offline",
            )
            return
    for name, result, where in results:
        if result.kind == "variant":
            says = f"The token was signed with {result.variant}, where the setting is {name}: two programs read it differently."
            weights = {"bad-signature": 30.0, "secret-rotated": -6.0, "no-credentials": RULED_OUT}
            fix = f"Let both sides read {name} in the same way (as plain text, or decoded), or make the tokens anew."
            yield Finding(
                "token-secret-read-differently",
                says,
                weights,
                where,
                "token-offline",
                proves="bad-signature",
                fix=fix,
            )
            return
    named = next(((name, where) for name, _, where in results if re.search(r"jwt|signing", name, re.I)), None)
    if named:
        says = f"The secret {named[0]} does not verify the token, however it is read."
        yield Finding(
            "token-secret-mismatch",
            says,
            {"bad-signature": HINT, "secret-rotated": 4.0},
            named[1],
            "token-offline",
        )


def _key_sets(evidence: Evidence) -> Iterator[tuple[dict[str, Any], Where]]:
    for text in evidence.searchable:
        for match in re.finditer(r"\{\s*\"keys\"\s*:\s*\[", text.content[:500000]):
            try:
                found, _ = json.JSONDecoder().raw_decode(text.content, match.start())
            except ValueError:
                continue
            yield found, Where.of(text.source.at(text.line_at(match.start())))


def _with_key_sets(token: Token, sets: list[tuple[dict[str, Any], Where]]) -> Iterator[Finding]:
    from why401.protocol.jws import verify

    for found, where in sets[:3]:
        keys = [key for key in found.get("keys", []) if isinstance(key, dict)]
        if not keys:
            says = "The key set is empty."
            yield Finding(
                "key-set-empty",
                says,
                {"unknown-signing-key": 15.0, "keys-unreachable": CLEAR},
                where,
                "token-kid",
            )
            continue
        if token.kid is not None and token.kid not in {key.get("kid") for key in keys}:
            says = "The token's kid is not among the keys of the set."
            weights = {"unknown-signing-key": 22.0, "wrong-environment": 3.0, "wrong-algorithm": -6.0}
            yield Finding(
                "token-kid-unknown", says, weights, where, "token-kid", proves="unknown-signing-key"
            )
            continue
        says = "The token's kid is in the key set."
        yield Finding("token-kid-known", says, {"unknown-signing-key": -10.0}, where, "token-kid")
        result = verify(token.raw, found)
        if result.kind == "verified":
            says = "A key of the set verifies the token: its signature is good."
            yield Finding("token-key-verifies", says, {"bad-signature": RULED_OUT}, where, "token-offline")
        elif result.kind == "bad-signature":
            yield Finding("token-key-mismatch", result.says, {"bad-signature": CLEAR}, where, "token-offline")


@check
def unreachable(evidence: Evidence) -> Iterator[Finding]:
    """A failed connection next to the address of keys, metadata or introspection."""
    pattern = rf"(?:{_KEYS})[^\n]{{0,200}}(?:{_DOWN})|(?:{_DOWN})[^\n]{{0,120}}(?:{_KEYS})"
    for text in evidence.searchable:
        if text.kind in ("code", "settings"):
            continue
        hit = re.search(pattern, text.content, re.I)
        if hit:
            says = "Fetching the issuer's keys or metadata failed."
            weights = {"keys-unreachable": 20.0, "unknown-signing-key": -4.0, "token-expired": -10.0}
            yield Finding(
                "keys-fetch-failed",
                says,
                weights,
                Where.of(text.source.at(text.line_at(hit.start()))),
                "token-verdict",
            )
            return


@check
def key_of_each_start(evidence: Evidence) -> Iterator[Finding]:
    """Signing keys that are made anew at each start, or fetched once and never again."""
    facts = Facts(evidence)
    temporary = facts.says(
        r"AddDeveloperSigningCredential|AddDeveloperIdentityServer|AddTemporarySigningCredential|AddEphemeral(?:Signing|Encryption)\w+|AddDevelopment(?:Signing|Encryption)\w+"
    )
    if temporary:
        says = "The signing key is a developer's one, made anew by each start or each node."
        yield Finding(
            "signing-key-temporary", says, {"unknown-signing-key": 12.0, "secret-rotated": 10.0}, temporary
        )
    rotated = facts.says(
        r"(?:\bkid\b|jwks|signing (?:keys?|certificates?)|(?:realm|public|provider'?s?) keys?)[^\n]{0,60}\b(?:rotat\w+|roll(?:ed)?[- ]?over|regenerat\w+|renewed|replaced)|rotat\w+[^\n]{0,60}\b(?:signing|jwks|realm|public) keys?"
    )
    if rotated and facts.says(r"\b401\b|unauthorized|invalid_token"):
        says = "The signing keys were rotated."
        yield Finding(
            "signing-key-rotated", says, {"unknown-signing-key": 10.0, "secret-rotated": 4.0}, rotated
        )
    stale = facts.says(
        r"(?:restart\w*|redeploy\w*)[^\n]{0,80}(?:fixes|helps|works again|solves|cures)|works again after (?:a |the )?restart"
    )
    if stale and facts.says(r"jwks|\bkid\b|signing key|rotat"):
        says = "A restart of the receiver helps: it kept an old key set."
        yield Finding("key-set-stale", says, {"unknown-signing-key": 11.0}, stale)


#: A key that was looked for and not found, with its kid.
_KID_SOUGHT = (
    r"(?:unable|could ?n[o']t|can ?not|can't|not? (?:such |matching |suitable )?|not found|missing|unknown|invalid|failed)"
    r"[^\n]{0,60}?\b(?:kid|key ?id|key with id)\b[\s:='\"(\[]{1,4}(?P<kid>[\w=+/.-]{5,100})"
    r"|\b(?:kid|key ?id)\b[\s:='\"(\[]{1,4}(?P<late>[\w=+/.-]{5,100})[\s'\")\]]{1,3}(?:was |is )?(?:not found|unknown|not (?:in|among|present)|does(?: not|n't) (?:exist|match))"
)


@check
def kid_published(evidence: Evidence) -> Iterator[Finding]:
    """The kid that the receiver cannot find stands in the published key set: the receiver's copy is old."""
    sought = evidence.search(_KID_SOUGHT)
    if sought is None:
        return
    kid = (sought[0]["kid"] or sought[0]["late"]).rstrip(".,")
    says = "The receiver looked for the key that the token names and did not have it."
    weights = {"unknown-signing-key": 20.0, "no-credentials": RULED_OUT, "wrong-password": -8.0}
    yield Finding("kid-sought", says, weights, Where.of(sought[1]), "token-kid")
    listed = re.compile(
        rf"^[ \t>*-]*[\"']?{re.escape(kid)}[\"']?,?[ \t]*$|[\"']kid[\"']\s*:\s*[\"']{re.escape(kid)}[\"']",
        re.M,
    )
    for text in evidence.searchable:
        match = listed.search(text.content[:500_000])
        if match and re.search(
            r"keys|jwks|certs", text.content[max(0, match.start() - 2000) : match.end()], re.I
        ):
            says = "That key is in the published set now: the receiver keeps an older copy of the set."
            at = Where.of(text.source.at(text.line_at(match.start())))
            fix = "Let the receiver fetch the key set again when it meets an unknown kid; a restart helps for once."
            yield Finding(
                "kid-published", says, {"unknown-signing-key": 9.0, "software-bug": 3.0}, at, fix=fix
            )
            return


_NOT_CONNECTED = r"(?:ECONNREFUSED|connection refused|failed to connect to|dial tcp)[^\n]{0,40}?(?P<host>localhost|\d+\.\d+\.\d+\.\d+|\[?::1\]?|[\w-]+(?:\.[\w-]+)*):(?P<port>\d{2,5})"
_LOCAL = ("localhost", "127.0.0.1", "::1", "[::1]", "0.0.0.0")


@check
def issuer_not_reached(evidence: Evidence) -> Iterator[Finding]:
    """The address that could not be connected to is that of the issuer."""
    failed = evidence.search(_NOT_CONNECTED)
    if failed is None:
        return
    host, port = failed[0]["host"].lower(), failed[0]["port"]
    names = _LOCAL if host in _LOCAL else (host,)
    issuers = r"(?:issuer|authority|jwks|oidc|keycloak|auth_?server|idp|introspect|openid)[^\n]{0,60}https?://(?:NAMES):PORT\b"
    where = Facts(evidence).says(
        issuers.replace("NAMES", "|".join(map(re.escape, names))).replace("PORT", port)
    )
    if where is not None:
        says = f"The issuer's address ({host}, port {port}) could not be connected to from the receiver."
        fix = "Give the receiver an address of the issuer that it can reach; in a container, localhost is the container."
        weights = {"keys-unreachable": 20.0, "auth-backend-unreachable": 6.0, "wrong-issuer": AGAINST}
        yield Finding("issuer-not-reached", says, weights, where, "keys-down", fix=fix)
