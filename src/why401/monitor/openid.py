"""Signing in by OpenID Connect: the authorization code flow with PKCE (OpenID Connect Core 1.0, section 3.1; RFC 7636).

Authlib speaks with the provider, joserfc checks the ID token. Who the user is here is decided elsewhere.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from why401.monitor.projects import Unknown

#: Signatures by a key of the provider's own; never `none`, nor by the secret that both share.
ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "Ed25519",
    "EdDSA",
)
TIMEOUT = 10.0
LEEWAY = 60  #: seconds by which the provider's clock may differ


@dataclass(frozen=True)
class Provider:
    """Whom to ask, and as whom."""

    issuer: str
    client: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Identity:
    """Whom the provider vouches for. `subject`: of issuer and subject together; `email`: "" unless it is verified."""

    subject: str
    email: str


class OpenId:
    """One provider. Raises Unknown, in one sentence, where it does not do its part."""

    def __init__(self, provider: Provider, base: str) -> None:
        self._provider = provider
        self._back = f"{base}/sign-in/openid/back"
        self._lock = threading.Lock()
        self._known: dict[str, Any] = {}

    @property
    def name(self) -> str:
        """The provider, as the page names it."""
        return urlsplit(self._provider.issuer).netloc

    def start(self) -> tuple[str, dict[str, str]]:
        """(where the browser is sent, what its session keeps until it comes back)."""
        from authlib.common.security import generate_token

        kept = {"nonce": generate_token(32), "verifier": generate_token(64)}
        with self._client() as client:
            to, kept["state"] = client.create_authorization_url(
                self._metadata()["authorization_endpoint"],
                nonce=kept["nonce"],
                code_verifier=kept["verifier"],
            )
        return to, kept

    def finish(self, kept: dict[str, str], said: dict[str, str]) -> Identity:
        """Who came back. `said`: the parameters of the address."""
        if not kept.get("state") or said.get("state") != kept["state"]:
            raise Unknown("This sign-in was not begun here, or too long ago; begin again.")
        if "code" not in said:
            why = said.get("error_description") or said.get("error") or "no reason"
            raise Unknown(f"{self.name} did not sign you in: {why[:200]}")
        metadata = self._metadata()
        try:
            with self._client() as client:
                token = client.fetch_token(
                    metadata["token_endpoint"], code=said["code"], code_verifier=kept["verifier"]
                )
                claims = self._claims(token.get("id_token", ""), kept["nonce"], client)
                claims |= self._told(client, metadata, claims)
        except Unknown:
            raise
        except Exception as problem:
            raise Unknown(f"{self.name} could not be asked who you are: {_first(problem)}") from None
        email = claims.get("email") if claims.get("email_verified") is True else None
        return Identity(
            f"{self._provider.issuer} {claims['sub']}"[:400], email if isinstance(email, str) else ""
        )

    def _client(self) -> Any:
        from authlib.integrations.requests_client import OAuth2Session

        return OAuth2Session(
            self._provider.client, self._provider.secret, scope="openid email", redirect_uri=self._back,
            code_challenge_method="S256", default_timeout=TIMEOUT,
        )  # fmt: skip

    def _metadata(self) -> dict[str, Any]:
        """OpenID Connect Discovery 1.0; asked for once."""
        import requests

        with self._lock:
            if not self._known:
                where = f"{self._provider.issuer.rstrip('/')}/.well-known/openid-configuration"
                try:
                    found = _json(requests.get(where, timeout=TIMEOUT))
                except (requests.RequestException, ValueError) as problem:
                    raise Unknown(f"{self.name} cannot be reached: {_first(problem)}") from None
                if found.get("issuer") != self._provider.issuer:
                    raise Unknown(
                        f"{where} is of another issuer, {found.get('issuer')}; give that one to --openid."
                    )
                self._known = found
            return self._known

    def _claims(self, id_token: str, nonce: str, client: Any) -> dict[str, Any]:
        """Those of an ID token that is sound, and meant for us (OpenID Connect Core 1.0, section 3.1.3.7)."""
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        keys = _json(client.get(self._metadata()["jwks_uri"], withhold_token=True))
        try:
            found = jwt.decode(id_token, KeySet.import_key_set(keys), algorithms=list(ALGORITHMS)).claims
            must: dict[str, Any] = {
                "iss": {"essential": True, "value": self._provider.issuer},
                "aud": {"essential": True, "value": self._provider.client},
                "nonce": {"essential": True, "value": nonce},
                "exp": {"essential": True},
                "sub": {"essential": True},
            }
            jwt.JWTClaimsRegistry(leeway=LEEWAY, **must).validate(found)
        except (JoseError, ValueError) as problem:
            raise Unknown(f"The ID token of {self.name} is not sound: {_first(problem)}") from None
        return dict(found)

    def _told(self, client: Any, metadata: dict[str, Any], claims: dict[str, Any]) -> dict[str, Any]:
        """What the UserInfo endpoint adds; only of the same subject (section 5.3.2)."""
        where = metadata.get("userinfo_endpoint")
        if "email" in claims or not where:
            return {}
        more = _json(client.get(where))
        if more.get("sub") != claims["sub"]:
            raise Unknown(f"{self.name} told of somebody else.")
        return {name: more[name] for name in ("email", "email_verified") if name in more}


def _json(answer: Any) -> Any:
    answer.raise_for_status()
    return answer.json()


def _first(problem: Exception) -> str:
    return (str(problem) or type(problem).__name__).partition("\n")[0][:200]
