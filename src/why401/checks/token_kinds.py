"""The kind and the form of a token: an ID or refresh token for an access token, a path for a content, a cut."""

# Patterns and sentences are read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.checks import check
from why401.checks.token_facts import Facts, Token
from why401.evidence import Evidence
from why401.findings import AGAINST, CLEAR, RULED_OUT, STRONG, Finding, Where
from why401.prefilter import lazy
from why401.protocol.jwt import token_type

_ID_TAKERS = r"securetoken\.google\.com|firebase|kube|oidc-issuer-url|run\.app|\biap\b|verifyIdToken|verify_id_token|GOOG-IAP"
_PATH = lazy(
    r"(?:[\"']?(?P<key>[\w.-]*(?:token|bearer|api_?key|jwt|password|authorization))[\"']?\s*(?:=>|[:=])\s*|Authorization:?[\"', ]+Bearer )"
    r"[\"']?(?P<path>(?:/|\./|~/|[A-Z]:\\)[\w.@ /\\-]{3,200}?)[\"']?\s*(?:[,;)\n]|$)",
    re.I | re.M,
)


@check
def kind(evidence: Evidence) -> Iterator[Finding]:
    """Another kind of token than an API takes."""
    facts = Facts(evidence)
    if facts.says(r"grant_type=refresh_token") and not facts.evidence.contrasts:
        return
    for token in facts.offered:
        found = token_type(token.jwt)
        if found == "refresh-token":
            says = "The token is a refresh token: it renews others and opens nothing itself."
            weights = {"wrong-token-type": 22.0, "no-credentials": RULED_OUT}
            yield Finding("token-is-refresh", says, weights, token.where, "token-kind")
        elif found == "id-token" and not (
            facts.says(_ID_TAKERS) or re.search(_ID_TAKERS, token.issuer or "")
        ):
            yield from _id_token(facts, token)
        elif found == "encrypted":
            says = "The token is encrypted, so an API cannot read it: the tenant gives these out when no audience is asked for."
            weights = {"wrong-token-type": CLEAR, "wrong-audience": 9.0}
            yield Finding("token-encrypted", says, weights, token.where, "token-kind")
        return


def _id_token(facts: Facts, token: Token) -> Iterator[Finding]:
    if facts.says(r"execute-api|CognitoUserPools|cognito:user_pools|cognito_authorizer"):
        return  # a Cognito authorizer without scopes takes just this one
    says = "The token is an ID token: it tells the client who logged in and is not for an API."
    weights = {"wrong-token-type": 15.0 if token.sent else CLEAR, "no-credentials": RULED_OUT}
    yield Finding("token-is-id-token", says, weights, token.where, "token-kind")


@check
def asked_for_id_token(evidence: Evidence) -> Iterator[Finding]:
    """Only an ID token was asked for (OpenID Connect Core, section 3.2.2.1), so there is none for an API."""
    facts = Facts(evidence)
    asked = facts.says(
        r"response_?type[\"']?\s*[=:]\s*[\"'`]?id_token(?![\w+%&]* ?\+?(?:token|code)\b)(?!%20|\+)"
    )
    if asked and not facts.says(_ID_TAKERS):
        says = "The login asks for an ID token alone (response_type=id_token): no access token is given out."
        yield Finding("only-id-token-asked", says, {"wrong-token-type": 9.0}, asked, "token-kind-asked")


@check
def cognito(evidence: Evidence) -> Iterator[Finding]:
    """A Cognito authorizer takes ID tokens, unless the method lists scopes: then access tokens alone."""
    facts = Facts(evidence)
    authorizer = facts.says(
        r"execute-api|arn:aws:cognito-idp|COGNITO_USER_POOLS|CognitoAuthorizer|CognitoUserPoolsAuthorizer"
    )
    if authorizer is None:
        return
    access = facts.says(
        r"getAccessToken\(\)|accessToken\.jwtToken|getJwtToken|tokens\??\.accessToken"
    ) or next((t.where for t in facts.offered if t.jwt.claims.get("token_use") == "access"), None)
    identity = facts.says(r"getIdToken\(\)|idToken\.jwtToken|tokens\??\.idToken") or next(
        (t.where for t in facts.offered if t.jwt.claims.get("token_use") == "id"), None
    )
    scopes = facts.says(r"authorization_?scopes|scopes:\s*\n\s*-")
    if access and not identity and not scopes:
        says = "An access token goes to a Cognito authorizer without scopes, which takes ID tokens only."
        yield Finding(
            "cognito-access-token",
            says,
            {"wrong-token-type": STRONG, "insufficient-scope": 3.0},
            access,
            "token-kind",
            "aws",
        )
    elif identity and scopes and not access:
        says = "An ID token goes to a Cognito authorizer with scopes, which takes access tokens only."
        yield Finding("cognito-id-token", says, {"wrong-token-type": STRONG}, identity, "token-kind", "aws")


@check
def two_token_systems(evidence: Evidence) -> Iterator[Finding]:
    """The same token works at the product's admin side and is refused by its API: two token systems."""
    offers = [(x, (x.request.fields.get("authorization") or "")) for x in evidence.exchanges]
    works = {
        value
        for x, value in offers
        if value
        and x.status
        and x.status < 300
        and re.search(r"/(?:admin|content-manager|dashboard|management)\b", x.request.path)
    }
    refused = next((x for x, value in offers if x.status == 401 and value and value in works), None)
    text = evidence.search(
        r"(?:admin|dashboard|management|panel|user)[^\n.]{0,40}(?:token|jwt)[^\n.]{0,80}(?:api|rest|content)[^\n.]{0,60}(?:\b401\b|unauthor|refused|fail)"
    )
    if refused is not None:
        says = "The same token is taken by the admin side and refused by the API: the two have tokens of their own."
        yield Finding(
            "token-of-admin-side", says, {"wrong-token-type": 16.0}, Where.at(refused), "token-kind"
        )
    elif (
        text
        or evidence.search(
            r"/(?:content-manager|admin)/[\s\S]{0,600}\b200\b[\s\S]{0,3000}|\bStrapi\b[\s\S]{0,2000}/admin/login"
        )
    ) and evidence.search(r"Missing or invalid credentials|\bStrapi\b|\bDirectus\b|\bPayload\b"):
        says = "A token of the admin panel is used for the API: the two have tokens of their own."
        where = Where.of(text[1]) if text else Where()
        yield Finding("token-of-admin-panel", says, {"wrong-token-type": 13.0}, where, "token-kind")


@check
def form(evidence: Evidence) -> Iterator[Finding]:
    """A token that is cut off, altered, or the path of a file instead of its content."""
    facts = Facts(evidence)
    for text in evidence.texts:
        for match in _PATH.finditer(text.content[:200000]):
            key = (match["key"] or "").lower()
            if re.search(r"file|path|url|uri|endpoint|route|dir", key) or re.search(
                r"oauth|/api/|/auth|/v\d", match["path"]
            ):
                continue
            if re.search(
                r"/(?:var|run|etc|home|secrets?|tmp|mnt|root|opt|usr)/|\.(?:txt|pem|jwt|token|key)$|^[A-Z]:\\",
                match["path"],
            ):
                says = "The path of a file stands where the token itself is wanted."
                weights = {"malformed-token": 19.0, "placeholder-credential": 7.0}
                fix = "Read the file and send its content without the line break at its end."
                yield Finding(
                    "token-is-path",
                    says,
                    weights,
                    Where.of(text.source.at(text.line_at(match.start()))),
                    "token-form",
                    fix=fix,
                )
                break
    for token in facts.tokens:
        broken = [
            p
            for p in token.jwt.problems
            if p.kind in ("not-base64url", "not-json", "parts", "padded", "no-signature", "alg-none")
        ]
        if token.raw and token.sent and broken:
            yield Finding(
                "token-broken",
                f"The token sent is broken: {broken[0].says}",
                {"malformed-token": 15.0},
                token.where,
                "token-form",
            )
            return


@check
def altered_in_code(evidence: Evidence) -> Iterator[Finding]:
    """Code that cuts or decorates the token between the store and the field."""
    facts = Facts(evidence)
    encoded = facts.says(r"JSON\.stringify\((?:\w+\.)*(?:token|access_?token|jwt)\)")
    if encoded:
        says = "JSON.stringify puts quotes round the token."
        yield Finding(
            "token-stringified",
            says,
            {"malformed-token": 16.0, "malformed-authorization": 10.0},
            encoded,
            "token-form",
        )
    short = facts.says(
        r"(?:VARCHAR|varchar|CharField\(max_length=|max_length=|String\()\s*\(?(?:64|100|128|191|200|250|255)\)?[^\n]{0,60}(?:token|jwt)|(?:token|jwt)\w*[`\"']?\s*(?::|=|\s)\s*(?:models\.)?(?:VARCHAR|varchar|CharField\(max_length=|String\()\s*\(?(?:64|100|128|191|200|250|255)"
    )
    if short:
        says = "The token is kept in a column that is shorter than the token."
        yield Finding("token-column-short", says, {"malformed-token": 15.0}, short, "token-form")
    sliced = facts.says(
        r"(?:token|jwt|authorization)\w*(?:\.(?:slice|substr(?:ing)?)\(\s*\d+|\[\s*\d+\s*:)|substr\(\$\w*(?:token|auth)\w*,\s*\d+"
    )
    if sliced and facts.says(r"malformed|segments|invalid token|decode|two dots|3 parts"):
        says = "Code cuts the field's value at a fixed place before the token is parsed."
        yield Finding("token-sliced", says, {"malformed-token": 8.0, "auth-not-wired": 3.0}, sliced)


_SENDS_ID_TOKEN = r"(?:Bearer|Authorization)[\"'`]?[^\n]{0,60}?(?:\$?\{|\+|\(|,)\s*[\w.?\[\]'\"]*\bid_?token\b|(?:Bearer|Authorization)[\"'`]?[^\n]{0,60}?\b(?:getIdToken|rawIdToken|idToken\.rawIdToken|\w+\.idToken)\b"


@check
def id_token_in_code(evidence: Evidence) -> Iterator[Finding]:
    """Code puts the ID token behind Bearer, for an API that is none of those that take it."""
    facts = Facts(evidence)
    sends = facts.says(_SENDS_ID_TOKEN)
    if sends and not facts.says(rf"{_ID_TAKERS}|cognito|execute-api"):
        says = "Code sends the ID token as the bearer token; an API wants the access token."
        weights = {"wrong-token-type": 17.0, "wrong-audience": 6.0, "wrong-password": AGAINST}
        fix = "Send the access token that came with it, got with the scopes or audience of the API."
        yield Finding("code-sends-id-token", says, weights, sends, "token-kind", fix=fix)


_KEY_SETTING = lazy(
    r"(?im)^\W*(?:export |set |\$ ?|-e )*[\w.-]*(?:api[_-]?key|token|secret)[\w.-]*[\"']?\s*[=:]\s*[\"']?(?P<value>[A-Za-z][\w.-]{3,60})[\"']?\s*$"
)


@check
def name_for_value(evidence: Evidence) -> Iterator[Finding]:
    """What is set as the key or token is the name under which a list shows it."""
    for text in evidence.texts:
        for match in _KEY_SETTING.finditer(text.content[:100_000]):
            listed = re.compile(
                rf"^[ \t|]*(?:key |token )?name\b[^\n]*\n(?:[^\n]*\n){{0,40}}?[ \t|]*{re.escape(match['value'])}[ \t]*(?:\||\t|  |$)",
                re.I | re.M,
            )
            if any(listed.search(other.content[:100_000]) for other in evidence.texts):
                says = "What is set as the key is the name under which it is listed, not its secret value."
                at = Where.of(text.source.at(text.line_at(match.start())))
                weights = {"malformed-token": 17.0, "placeholder-credential": 13.0, "wrong-header": AGAINST}
                yield Finding("key-name-for-value", says, weights, at, "token-form")
                return
