"""Real tokens of a real OpenID provider, before a small API that checks them with a JOSE library."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.live.servers import openid_provider
from tests.live.sites import GOOD, Answer, Handler, Received, basic, serve
from why401 import live
from why401.probes.from_curl import ask_of


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with openid_provider() as url:
        yield url


def token(issuer: str, resource: str) -> str:
    body = urllib.parse.urlencode(
        {"grant_type": "client_credentials", "resource": resource, "scope": "read"}
    ).encode()
    request = urllib.request.Request(
        f"{issuer}/token", body, {"Authorization": basic("shop", "shop-made-up-secret")}
    )
    with urllib.request.urlopen(request) as answer:
        return str(json.load(answer)["access_token"])


def api(issuer: str, audience: str, *, expected_issuer: str | None = None, terse: bool = False) -> Handler:
    """An API that verifies tokens, and says why it refuses unless it is terse."""
    with urllib.request.urlopen(f"{issuer}/jwks") as answer:
        keys = KeySet.import_key_set(json.load(answer))
    wanted = expected_issuer or issuer

    def fault(value: str) -> str:
        if not value.lower().startswith("bearer "):
            return "no token"
        try:
            claims = jwt.decode(value[7:].strip(), keys, algorithms=["RS256"]).claims
        except Exception as problem:
            return f"The token cannot be verified: {type(problem).__name__}"
        if claims["exp"] < time.time():
            return "The token expired"
        if claims["aud"] != audience:
            return f"The audience '{claims['aud']}' is invalid"
        if claims["iss"] != wanted:
            return f"The issuer '{claims['iss']}' is invalid"
        return ""

    def handler(request: Received) -> Answer:
        why = fault(request.get("authorization") or "")
        if not why:
            return GOOD
        challenge = (
            "Bearer"
            if terse or why == "no token"
            else f'Bearer error="invalid_token", error_description="{why}"'
        )
        return 401, {"WWW-Authenticate": challenge}, ""

    return handler


def first(handler: Handler, *words: str) -> str | None:
    with serve(handler) as site:
        report = live.diagnose(ask_of([*words, f"{site.url}/orders"]))
    cause = report.diagnoses[0].causes[0].cause
    return cause.id if cause else None


def bearer(value: str) -> tuple[str, str]:
    return "-H", f"Authorization: Bearer {value}"


def test_a_good_token_is_no_auth_error(issuer: str) -> None:
    good = token(issuer, "https://api.example.com")
    assert first(api(issuer, "https://api.example.com"), *bearer(good)) == "not-an-auth-error"


@pytest.mark.parametrize("terse", [False, True])
def test_an_expired_token(issuer: str, *, terse: bool) -> None:
    old = token(issuer, "https://short.example.com")
    time.sleep(2.1)
    assert first(api(issuer, "https://short.example.com", terse=terse), *bearer(old)) == "token-expired"


def test_a_token_for_another_audience(issuer: str) -> None:
    other = token(issuer, "https://api.example.com/")
    assert first(api(issuer, "https://api.example.com"), *bearer(other)) == "wrong-audience"


def test_another_issuer(issuer: str) -> None:
    good = token(issuer, "https://api.example.com")
    handler = api(issuer, "https://api.example.com", expected_issuer=issuer.replace("127.0.0.1", "localhost"))
    assert first(handler, *bearer(good)) == "wrong-issuer"


def test_a_cut_token(issuer: str) -> None:
    good = token(issuer, "https://api.example.com")
    assert first(api(issuer, "https://api.example.com"), *bearer(good[:-200])) in (
        "malformed-token",
        "bad-signature",
    )


def test_a_wrong_client_secret(issuer: str) -> None:
    ask = ask_of(["-u", "shop:other-secret", "-d", "grant_type=client_credentials", f"{issuer}/token"])
    cause = live.diagnose(ask).diagnoses[0].causes[0].cause
    assert cause is not None
    assert cause.id == "oauth-client-rejected"
