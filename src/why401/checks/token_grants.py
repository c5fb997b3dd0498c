"""Token endpoints: the client's own login, the renewal of tokens, and proofs of possession."""

# Patterns and sentences are read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from urllib.parse import parse_qs

from why401.checks import check
from why401.checks import token_clients as token_clients  # registers its checks
from why401.checks.token_facts import Facts, Token
from why401.evidence import Evidence, Exchange
from why401.findings import CLEAR, RULED_OUT, Finding, Where
from why401.prefilter import lazy

_TOKEN_PATH = lazy(
    r"/(?:oauth2?|connect|openid-connect|oidc|auth|login|v\d|realms)\b.*token/?$|/(?:access_)?token/?$", re.I
)
_SPECIAL = lazy(r"[^A-Za-z0-9._~-]")


def _to_token_endpoint(exchange: Exchange) -> bool:
    return bool(_TOKEN_PATH.search(exchange.request.path)) and "grant_type" in (exchange.request.body or "")


@check
def client_login(evidence: Evidence) -> Iterator[Finding]:
    """How the client logged in at the token endpoint: encoding, method, twice."""
    for exchange in evidence.exchanges:
        if not _to_token_endpoint(exchange) or exchange.status not in (400, 401, 403):
            continue
        form = parse_qs(exchange.request.body or "")
        grant = (form.get("grant_type") or [""])[0]
        if grant == "refresh_token":
            says = "The request that was refused is the renewal of a token."
            yield Finding(
                "refused-refresh-request", says, {"refresh-failed": 12.0}, Where.at(exchange), "token-grant"
            )
        elif exchange.status == 401 and grant != "password":
            says = (
                "The token endpoint answers 401: it refuses the client, not a user (RFC 6749, section 5.2)."
            )
            yield Finding(
                "refused-at-token-endpoint",
                says,
                {"oauth-client-rejected": CLEAR, "no-credentials": -6.0},
                Where.at(exchange),
                "token-client",
            )
        yield from _basic(exchange, bool(form.get("client_secret")))


def _basic(exchange: Exchange, twice: bool) -> Iterator[Finding]:
    value = exchange.request.fields.get("authorization") or ""
    if not value.lower().startswith("basic "):
        return
    pair = _pair(value[6:])
    if pair is None:
        return
    user, _, secret = pair.partition(":")
    if (_SPECIAL.search(secret) and not re.search(r"%[0-9A-F]{2}", secret, re.I)) or _SPECIAL.search(
        user.replace("%", "")
    ):
        says = "The client's id or secret has special characters, and Basic carries them unencoded (RFC 6749, section 2.3.1)."
        weights = {"oauth-client-rejected": 16.0, "wrong-password": -4.0}
        fix = "Form-encode the id and the secret before the base64 step, or send them in the body (client_secret_post)."
        yield Finding(
            "client-secret-unencoded",
            says,
            weights,
            Where.at(exchange, "Authorization"),
            "client-login",
            fix=fix,
        )
    if twice:
        says = "The client logs in twice, in the field and in the body; only one way is allowed (RFC 6749, section 2.3)."
        yield Finding(
            "client-login-twice", says, {"oauth-client-rejected": 14.0}, Where.at(exchange), "client-login"
        )


def _pair(text: str) -> str | None:
    try:
        return base64.b64decode(text.strip() + "=" * (-len(text.strip()) % 4), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None


@check
def client_words(evidence: Evidence) -> Iterator[Finding]:
    """Special characters, an expired secret, another way of login, in plain words or curl commands."""
    facts = Facts(evidence)
    if not facts.says(r"invalid_client|client[-_ ]secret|/token\b|grant_type"):
        return
    body_works = facts.says(
        r"(?:in the (?:request )?body|client_secret_post|form (?:body|parameters?))[^\n.]{0,80}\b(?:works|ok|200|succe\w+)|works[^\n.]{0,60}(?:in the (?:request )?body|client_secret_post)"
    )
    if body_works:
        says = "The same client is taken when its secret travels in the body, and refused in Basic."
        yield Finding(
            "client-secret-in-body-works", says, {"oauth-client-rejected": 15.0}, body_works, "client-login"
        )
    shape = facts.says(
        r"(?:-F|--form)\s+[\"']?(?:client_id|grant_type)|/token\?[\w=&%.-]*(?:grant_type|client_id)=|(?:application/json|JSON\.stringify\()[\s\S]{0,300}grant_type"
    )
    if shape:
        says = "The token request is not sent as a form (RFC 6749, section 4.1.3): its client was not read."
        fix = "Send it as application/x-www-form-urlencoded, in the body."
        weights = {"oauth-client-rejected": 10.0, "login-body-not-read": 10.0}
        yield Finding("token-request-no-form", says, weights, shape, "token-request", fix=fix)
    basic = evidence.search(r"Authorization: Basic ([A-Za-z0-9+/=]{8,})[\s\S]{0,400}grant_type")
    pair = _pair(basic[0].group(1)) if basic else None
    if basic and pair and _SPECIAL.search(pair.partition(":")[2]) and facts.says("invalid_client"):
        says = "The client's secret has special characters, and Basic carries them unencoded (RFC 6749, section 2.3.1)."
        yield Finding(
            "client-secret-unencoded",
            says,
            {"oauth-client-rejected": 16.0},
            Where.of(basic[1]),
            "client-login",
        )


@check
def refresh(evidence: Evidence) -> Iterator[Finding]:
    """Several renewals at once, of tokens that may be used once."""
    facts = Facts(evidence)
    if not facts.says(r"refresh(?:ed|ing|es)?\b"):
        return
    race = facts.says(
        r"(?:two|both|several|multiple|parallel|concurrent\w*|simultaneous\w*|at the same time|race|second)\b[^\n.]{0,120}\b(?:refresh\w*|process\w*|tabs?|instances?|requests?|workers?|replicas?)"
        r"|refresh\w*[^\n.]{0,80}\b(?:in parallel|at once|at the same time|simultaneously|concurrently|twice)\b|Promise\.all\("
    )
    tokens = facts.says(r"refresh[-_ ]?tokens?")
    if race and tokens:
        says = "Several renewals run at once; where a refresh token may be used once, the second one fails."
        yield Finding("refresh-race", says, {"refresh-failed": 13.0}, race, "refresh-race")
    loop = facts.says(
        r"(?:POST|GET)\s+\S*refresh\S*[^\n]{0,80}\b(?:400|401|403)\b|\b(?:400|401)\b[^\n]{0,60}(?:POST )?\S*/refresh\b"
    )
    if loop:
        says = "The request that renews the token is refused itself."
        yield Finding("refresh-refused", says, {"refresh-failed": 14.0}, loop, "token-grant")
    for exchange in evidence.refused:
        if re.search(r"refresh", exchange.request.path, re.I):
            says = "The refused request is the one that renews the token."
            yield Finding(
                "refresh-path-refused", says, {"refresh-failed": 13.0}, Where.at(exchange), "token-grant"
            )
            return


@check
def proof(evidence: Evidence) -> Iterator[Finding]:
    """A token that is bound to a key (cnf) needs a proof of that key with every request."""
    facts = Facts(evidence)
    for token in facts.offered:
        bound = token.jwt.claims.get("cnf")
        if not isinstance(bound, dict):
            yield from _needless(facts, token)
            continue
        if "jkt" in bound:
            dpop = evidence.search(r"^[<>* \t-]*(?:-H [\"'])?DPoP: ?\S|Authorization: DPoP ", re.I | re.M)
            if dpop is None:
                says = "The token is bound to a key (cnf.jkt) and was sent without a DPoP proof."
                weights = {"proof-missing": 22.0, "no-credentials": RULED_OUT}
                yield Finding("token-bound-no-proof", says, weights, token.where, "token-proof")
        elif "x5t#S256" in bound:
            cert = facts.says(r"--cert\b|ssl_client|client_?cert|pfx|keystore|mTLS")
            says = "The token is bound to a TLS client certificate (cnf.x5t#S256)."
            yield Finding(
                "token-bound-mtls", says, {"proof-missing": 9.0 if cert else 17.0}, token.where, "token-proof"
            )
        return


def _needless(facts: Facts, token: Token) -> Iterator[Finding]:
    """An ordinary token behind the word DPoP, where the challenge asks for Bearer."""
    word = facts.says(r"Authorization: DPoP ")
    if (
        word
        and token.sent
        and facts.says(r"www-authenticate: Bearer")
        and not facts.says(r"www-authenticate: DPoP")
    ):
        says = "The token is bound to no key, and was sent with the scheme DPoP to a server that asks for Bearer."
        yield Finding(
            "token-not-bound", says, {"wrong-scheme": 15.0, "proof-missing": -8.0}, word, "token-proof"
        )


@check
def dpop(evidence: Evidence) -> Iterator[Finding]:
    """A proof that was sent, against its request (RFC 9449, section 4.3)."""
    from why401.protocol.dpop import check as problems_of

    for exchange in evidence.refused:
        value = exchange.request.fields.get("dpop")
        if not value:
            continue
        url = exchange.request.url or ""
        token = re.sub(r"^\w+\s+", "", exchange.request.fields.get("authorization") or "") or None
        nonce = exchange.response.fields.get("dpop-nonce") if exchange.response else None
        faults = problems_of(
            value,
            method=exchange.request.method or "GET",
            url=url,
            access_token=token,
            nonce=nonce,
            now=exchange.time,
        )
        serious = [p for p in faults if p.kind not in ("not-bound", "alg")]
        if serious:
            says = f"The DPoP proof does not fit the request: {serious[0].says}"
            yield Finding(
                "dpop-proof-wrong", says, {"proof-missing": 20.0}, Where.at(exchange, "DPoP"), "token-proof"
            )
            return
