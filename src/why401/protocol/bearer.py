"""Bearer and OAuth errors: what the codes mean (RFC 6750, 6749, 8707, 9449, 9470, 9728).

Only meanings; which cause a code suggests is for the checks to say.
"""

# A table is read by the line.
# ruff: noqa: E501

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from .challenges import Challenge


@dataclass(frozen=True, slots=True)
class Code:
    """An error code: the status it goes with, what it means, and where that is written."""

    status: int | None
    means: str
    rfc: str


CODES: dict[str, Code] = {
    "invalid_request": Code(400, "the request lacks a parameter, repeats one or sends the token in two ways", "RFC 6750, 3.1"),
    "invalid_token": Code(401, "the token is expired, revoked, malformed or not valid here", "RFC 6750, 3.1"),
    "insufficient_scope": Code(403, "the token is good, but its scope does not reach this far", "RFC 6750, 3.1"),
    "insufficient_user_authentication": Code(401, "the user has to log in again, more recently or more strongly", "RFC 9470, 3"),
    "invalid_dpop_proof": Code(401, "the DPoP proof is missing, malformed or not for this request", "RFC 9449, 7.1"),
    "use_dpop_nonce": Code(401, "the proof must hold the nonce that this answer gives", "RFC 9449, 9"),
    "invalid_client": Code(401, "the client could not be authenticated at the token endpoint", "RFC 6749, 5.2"),
    "invalid_grant": Code(400, "the code, refresh token or password is wrong, expired, used or another client's", "RFC 6749, 5.2"),
    "unauthorized_client": Code(400, "this client may not use this grant type", "RFC 6749, 5.2"),
    "unsupported_grant_type": Code(400, "the server does not know this grant type", "RFC 6749, 5.2"),
    "invalid_scope": Code(400, "the scope asked for is unknown, malformed or more than was granted", "RFC 6749, 5.2"),
    "invalid_target": Code(400, "the resource asked for is unknown or not allowed", "RFC 8707, 2"),
    "access_denied": Code(None, "the user or the server has said no", "RFC 6749, 4.1.2.1"),
    "unsupported_token_type": Code(400, "this type of token cannot be revoked here", "RFC 7009, 2.2.1"),
    "authorization_pending": Code(400, "the user has not yet answered: ask again later", "RFC 8628, 3.5"),
    "slow_down": Code(400, "the client asks too often", "RFC 8628, 3.5"),
    "expired_token": Code(400, "the device code has expired", "RFC 8628, 3.5"),
    "login_required": Code(None, "the user must log in, but no dialogue was allowed", "OpenID Connect Core, 3.1.2.6"),
    "interaction_required": Code(None, "the user must do something, but no dialogue was allowed", "OpenID Connect Core, 3.1.2.6"),
    "consent_required": Code(None, "the user must consent, but no dialogue was allowed", "OpenID Connect Core, 3.1.2.6"),
    "temporarily_unavailable": Code(503, "the server is overloaded or being maintained", "RFC 6749, 4.1.2.1"),
    "server_error": Code(500, "the server met something unexpected", "RFC 6749, 4.1.2.1"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class OAuthError:
    """What a challenge or a JSON answer says about a refusal; absent parts are None."""

    code: str | None
    description: str | None = None
    uri: str | None = None
    realm: str | None = None
    scope: tuple[str, ...] = ()
    resource_metadata: str | None = None
    authorization_uri: str | None = None
    acr_values: tuple[str, ...] = ()
    max_age: int | None = None
    claims: str | None = None
    algs: tuple[str, ...] = ()

    @property
    def known(self) -> Code | None:
        return CODES.get(self.code) if self.code is not None else None


def parse_error(source: Challenge | Mapping[str, object] | str | bytes) -> OAuthError | None:
    """Read a challenge, a JSON object, or the text of one. None when it holds no OAuth error at all."""
    if isinstance(source, Challenge):
        return _from(source.params)
    if isinstance(source, Mapping):
        return _from(source) if _is_error(source) else None
    try:
        found = json.loads(source)
    except (ValueError, RecursionError):
        return None
    return _from(found) if isinstance(found, dict) and _is_error(found) else None


def _is_error(found: Mapping[str, object]) -> bool:
    return isinstance(found.get("error"), str)


def _from(found: Mapping[str, object]) -> OAuthError:
    def text(name: str) -> str | None:
        value = found.get(name)
        return value if isinstance(value, str) else None

    def words(name: str) -> tuple[str, ...]:
        return tuple((text(name) or "").split())

    max_age = text("max_age") or ""
    return OAuthError(
        code=text("error"),
        description=text("error_description"),
        uri=text("error_uri"),
        realm=text("realm"),
        scope=words("scope"),
        resource_metadata=text("resource_metadata"),
        authorization_uri=text("authorization_uri") or text("authorization"),
        acr_values=words("acr_values"),
        max_age=int(max_age) if max_age.isascii() and max_age.isdigit() and len(max_age) < 12 else None,
        claims=text("claims"),
        algs=words("algs"),
    )
