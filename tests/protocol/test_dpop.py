"""DPoP proofs for this request, and for another."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from why401.protocol.dpop import check, thumbprint, token_hash

NOW = datetime(2026, 1, 1, tzinfo=UTC)
JWK = {
    "kty": "EC",
    "crv": "P-256",
    "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
    "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
}
HEADER = {"typ": "dpop+jwt", "alg": "ES256", "jwk": JWK}
URL = "https://resource.example.org/protectedresource"
CLAIMS = {"jti": "a", "htm": "GET", "htu": URL, "iat": int(NOW.timestamp())}


def proof(header: Any = None, **claims: Any) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    merged = {k: v for k, v in {**CLAIMS, **claims}.items() if v is not None}
    return f"{part({**HEADER, **(header or {})})}.{part(merged)}.c2ln"


def test_the_hash_of_the_standard() -> None:
    # RFC 9449, section 7.1
    assert (
        token_hash("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU")
        == "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"
    )


def test_the_thumbprint_of_the_standard() -> None:
    assert thumbprint(JWK) == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"  # RFC 9449, section 6.1
    assert thumbprint({"kty": "EC"}) is None


def test_a_sound_proof() -> None:
    text = proof(ath=token_hash("opaque"), nonce="n")
    assert check(text, method="GET", url=URL + "?x=1", access_token="opaque", nonce="n", now=NOW) == ()


@pytest.mark.parametrize(
    ("header", "claims", "kind"),
    [
        ({"typ": "JWT"}, {}, "typ"),
        ({"alg": "HS256"}, {}, "alg"),
        ({"jwk": None}, {}, "jwk"),
        ({"jwk": {**JWK, "d": "x"}}, {}, "private-key"),
        ({}, {"htm": "POST"}, "htm"),
        ({}, {"htm": "get"}, "htm"),
        ({}, {"htu": "https://other.example/"}, "htu"),
        ({}, {"htu": URL + "?x=1"}, "htu-query"),
        ({}, {"htu": URL.replace("https", "http")}, "htu"),
        ({}, {"jti": None}, "jti-missing"),
        ({}, {"iat": int(NOW.timestamp()) - 600}, "iat-old"),
        ({}, {"iat": int(NOW.timestamp()) + 600}, "iat-future"),
        ({}, {"nonce": None}, "nonce-missing"),
        ({}, {"nonce": "old"}, "nonce"),
        ({}, {"ath": None}, "ath-missing"),
        ({}, {"ath": "other"}, "ath"),
    ],
)
def test_each_fault(header: dict[str, Any], claims: dict[str, Any], kind: str) -> None:
    text = proof(header, **{"ath": token_hash("opaque"), "nonce": "n", **claims})
    found = check(text, method="GET", url=URL, access_token="opaque", nonce="n", now=NOW)
    assert [problem.kind for problem in found] == [kind]


def test_the_binding_of_the_token() -> None:
    bound = proof(cnf={"jkt": thumbprint(JWK)})
    other = proof(cnf={"jkt": "x"})
    for token, kinds in ((bound, []), (other, ["jkt"]), (proof(), ["not-bound"])):
        found = check(proof(ath=token_hash(token)), method="GET", url=URL, access_token=token)
        assert [problem.kind for problem in found] == kinds


def test_default_ports_do_not_count() -> None:
    assert check(proof(htu="https://resource.example.org:443/protectedresource"), method="GET", url=URL) == ()


@pytest.mark.parametrize(
    "text", ["", "a.b.c", "eyJ", "\u00e9", proof(htu=1, htm=2, iat="x", ath=[], nonce={})]
)
def test_never_raises(text: str) -> None:
    assert check(text, method="GET", url="http://[", access_token="\u00e9", nonce="n", now=NOW)
