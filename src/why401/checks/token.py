"""Tokens against what is demanded of them: issuer, audience, algorithm, key, kind.

Weights follow from how exact the comparison is: two values that differ in a way that people overlook
(a slash, a scheme, `api://`) are nearly always the cause; two unlike values may belong to different things.
"""

# Patterns and sentences are read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from why401.checks import check
from why401.checks.token_facts import Facts, Token, Wanted
from why401.evidence import Evidence
from why401.findings import AGAINST, CLEAR, RULED_OUT, STRONG, Finding
from why401.prefilter import lazy
from why401.protocol.identifiers import near

_IN_WORDS = {
    "trailing-slash": "a slash at the end",
    "scheme": "http against https",
    "host": "the host name",
    "port": "the port",
    "version": "the version (v1 against v2.0)",
    "path": "the path",
    "case": "upper and lower case",
    "api-prefix": "the api:// in front of the id",
    "no-scheme": "the missing https://",
    "percent-encoding": "percent-encoding",
    "whitespace": "white space",
    "query": "the query",
    "realm-host": "the host name by which the issuer was reached",
    "entra-version": "the version of Entra's endpoint (v1 tokens name sts.windows.net)",
}
_ENTRA = lazy(r"(?:login\.microsoftonline\.com|sts\.windows\.net)/(?P<tenant>[^/]+)", re.I)
_GRAPH = ("00000003-0000-0000-c000-000000000000", "https://graph.microsoft.com", "https://graph.windows.net")


@check
def issuer(evidence: Evidence) -> Iterator[Finding]:
    """The token's `iss` against the issuers that are demanded."""
    facts = Facts(evidence)
    demands = facts.wants("issuer", "authority")
    for token in facts.offered:
        if token.issuer is None or not demands:
            continue
        if any(_same_issuer(token.issuer, one) for one in demands):
            says = "The token's issuer is the one that is demanded."
            yield Finding(
                "token-issuer-fits", says, {"wrong-issuer": AGAINST, "wrong-environment": -4.0}, token.where
            )
            return
        kinds = [(kind, one) for one in demands if (kind := _issuer_difference(token.issuer, one.value))]
        if kinds:
            kind, one = kinds[0]
            says = f"The token's issuer {token.issuer} and the one demanded, {one.value}, differ in {_IN_WORDS[kind]}."
            weights = {"wrong-issuer": 22.0, "token-expired": AGAINST, "no-credentials": RULED_OUT}
            yield Finding("token-issuer-near", says, weights, one.where, "token-issuer")
        else:
            says = f"The token's issuer is {token.issuer}; demanded is {demands[0].value}."
            weights = {"wrong-issuer": CLEAR, "wrong-environment": 4.0, "no-credentials": AGAINST}
            yield Finding("token-issuer-differs", says, weights, demands[0].where, "token-issuer")
        return


def _same_issuer(iss: str, one: Wanted) -> bool:
    """Is this demand met? An authority is where metadata is read, so its own slash does not count."""
    if iss == one.value:
        return True
    if one.respect == "authority":
        entra = _ENTRA.search(one.value)
        if entra and "/v2.0" not in one.value:
            return "sts.windows.net" in iss or iss.rstrip("/").removesuffix("/v2.0") == one.value.rstrip("/")
        return iss.rstrip("/") == one.value.rstrip("/")
    return False


def _issuer_difference(iss: str, demanded: str) -> str | None:
    kind = near(iss, demanded)
    if kind:
        return kind
    mine, theirs = _ENTRA.search(iss), _ENTRA.search(demanded)
    if mine and theirs:
        return (
            "entra-version"
            if mine["tenant"] == theirs["tenant"] or theirs["tenant"] in ("common", "organizations")
            else None
        )
    try:
        one, two = urlsplit(iss), urlsplit(demanded)
    except ValueError:
        return None
    same = one.path.rstrip("/") == two.path.rstrip("/") and len(one.path) > 2
    return "realm-host" if same and one.netloc and two.netloc else None


@check
def audience(evidence: Evidence) -> Iterator[Finding]:
    """The token's `aud` against the audiences that are demanded, and against the server it was sent to."""
    facts = Facts(evidence)
    demands = facts.wants("audience")
    for token in facts.offered:
        held = token.jwt.audiences
        if not held:
            yield from _no_audience(token, demands)
            continue
        if demands:
            yield from _audience(token, held, demands)
        else:
            yield from _audience_by_code(facts, token, held)
        yield from _for_graph(facts, token, held)
        return


def _audience(token: Token, held: tuple[str, ...], demands: list[Wanted]) -> Iterator[Finding]:
    if any(one.value in held for one in demands):
        says = "The token's audience is the one that is demanded."
        yield Finding("token-audience-fits", says, {"wrong-audience": AGAINST}, token.where)
        return
    differing = [(k, one) for one in demands for aud in held if (k := near(aud, one.value))]
    kind, one = differing[0] if differing else ("", demands[0])
    detail = f" They differ in {_IN_WORDS.get(kind, kind)}." if kind else ""
    says = f"The token is for {', '.join(held)}; demanded is {one.value}.{detail}"
    weights = {
        "wrong-audience": 22.0 if kind else 15.0,
        "token-expired": AGAINST,
        "no-credentials": RULED_OUT,
    }
    yield Finding("token-audience-differs", says, weights, one.where, "token-audience")


def _no_audience(token: Token, demands: list[Wanted]) -> Iterator[Finding]:
    if demands and token.jwt.claims and token.raw:
        says = f"The token names no audience; demanded is {demands[0].value}."
        yield Finding(
            "token-audience-missing",
            says,
            {"wrong-audience": CLEAR, "wrong-token-type": 6.0},
            token.where,
            "token-audience",
        )


def _audience_by_code(facts: Facts, token: Token, held: tuple[str, ...]) -> Iterator[Finding]:
    """Code or settings that demand the client's id, where the token names an URL (or `api://` and that id)."""
    symbol = facts.says(
        r"\b(?:aud(?:ience)?s?|ValidAudience)[\"']?\s*[:=(]+\s*\[?\s*[\w.$!\[\]'\"]*client[-_]?id\b"
    )
    if symbol and all(re.match(r"https?://", aud) for aud in held):
        says = f"The check demands the client's id as audience, and the token is for {held[0]}."
        yield Finding(
            "token-audience-client-id",
            says,
            {"wrong-audience": 18.0, "no-credentials": RULED_OUT},
            symbol,
            "token-audience",
        )
    client = facts.evidence.search(r"client_?id[\"']?\s*[:=]\s*[\"']?([0-9a-f]{8}-[0-9a-f-]{27})")
    if client and f"api://{client[0].group(1)}" in held:
        says = "The token is for api:// and the client id; the settings name the bare client id."
        yield Finding(
            "token-audience-api-prefix",
            says,
            {"wrong-audience": 18.0, "no-credentials": RULED_OUT},
            token.where,
            "token-audience",
        )


def _for_graph(facts: Facts, token: Token, held: tuple[str, ...]) -> Iterator[Finding]:
    """A token for Microsoft Graph can be used nowhere else; its signature does not even verify elsewhere."""
    hosts = [x.request.host or "" for x in facts.evidence.refused]
    if (
        any(aud.rstrip("/") in _GRAPH for aud in held)
        and not any("graph.microsoft" in host for host in hosts)
        and (hosts or facts.wants("audience", "authority", "issuer"))
    ):
        says = "The token is for Microsoft Graph, not for the API it was sent to."
        yield Finding(
            "token-audience-graph",
            says,
            {"wrong-audience": 20.0, "bad-signature": -4.0},
            token.where,
            "token-audience",
        )


@check
def algorithm(evidence: Evidence) -> Iterator[Finding]:
    """The token's `alg` against the algorithms the receiver is set to, or its decoder's default."""
    facts = Facts(evidence)
    demands = facts.wants("algorithm")
    for token in facts.offered:
        alg = token.jwt.algorithm
        if alg is None:
            continue
        if demands and alg not in {one.value for one in demands}:
            says = f"The token is signed with {alg}; the receiver is set to {demands[0].value}."
            weights = {
                "wrong-algorithm": STRONG,
                "bad-signature": 3.0,
                "no-credentials": RULED_OUT,
                "auth-setting-wrong": AGAINST,
            }
            yield Finding("token-algorithm-differs", says, weights, demands[0].where, "token-algorithm")
        elif demands:
            yield Finding(
                "token-algorithm-fits",
                f"The token's algorithm, {alg}, is allowed.",
                {"wrong-algorithm": AGAINST},
                token.where,
            )
        yield from _by_default(facts, alg)
        yield from _secret_for_public(facts, alg)
        return


def _by_default(facts: Facts, alg: str) -> Iterator[Finding]:
    """Nimbus in Spring verifies RS256 alone until told otherwise (jwsAlgorithm)."""
    decoder = facts.says(r"NimbusJwtDecoder|NimbusReactiveJwtDecoder|jwk-set-uri|resourceserver[.:\s]+jwt")
    if decoder and alg != "RS256" and not facts.says(r"jws-?algorithms?\b"):
        says = f"The token is signed with {alg}, and the decoder is told no algorithm: without it, it takes RS256 only."
        weights = {"wrong-algorithm": 19.0, "unknown-signing-key": -4.0}
        fix = f"Tell the decoder: `.jwsAlgorithm(SignatureAlgorithm.{alg})`, or `spring.security.oauth2.resourceserver.jwt.jws-algorithms: {alg}`."
        yield Finding("token-algorithm-default", says, weights, decoder, "token-algorithm", "spring", fix=fix)


def _secret_for_public(facts: Facts, alg: str) -> Iterator[Finding]:
    """A shared secret where the token has a public-key signature, or a key set where it has an HMAC."""
    if alg.startswith("HS"):
        keys = facts.says(
            r"jwks[-_]?ur[il]|jwk-set-uri|jwksRsa|createRemoteJWKSet|PyJWKClient|BEGIN PUBLIC KEY|rsa_public_key"
        )
        if keys and not facts.says(r"(?:jwt|token)[-_]?secret\b|shared secret"):
            says = f"The token is signed with a shared secret ({alg}), and the receiver has public keys."
            yield Finding("token-hmac-for-keys", says, {"wrong-algorithm": 14.0}, keys, "token-algorithm")
    elif alg[:2] in ("RS", "ES", "PS", "Ed"):
        secret = facts.says(
            r"\b(?:JWT|TOKEN|AUTH)_?SECRET(?:_KEY)?\b\s*[=:]|secretOrKey\s*:|SymmetricSecurityKey|hmacShaKeyFor"
        )
        if secret and not facts.says(r"jwks|jwk-set|public[-_ ]?key|discovery|well-known|authority"):
            says = f"The token has a signature of a private key ({alg}), and the receiver checks with a shared secret."
            yield Finding(
                "token-key-for-hmac",
                says,
                {"wrong-algorithm": 15.0, "bad-signature": 5.0},
                secret,
                "token-algorithm",
            )


@check
def sent_at_all(evidence: Evidence) -> Iterator[Finding]:
    """A refused token is no missing credential: a small push to the family, none to a cause."""
    facts = Facts(evidence)
    token = next((one for one in facts.tokens if one.sent), None)
    if token is not None:
        weights = {
            "no-credentials": -10.0,
            "placeholder-credential": -6.0,
            "client-config-not-loaded": -8.0,
            "challenge-not-answered": -8.0,
            "wrong-password": -8.0,
            "wrong-token-type": 1.0,
        }
        yield Finding("token-sent", "A JSON Web Token was sent.", weights, token.where)
