"""Signatures: made by joserfc, checked with keys and with secrets read in other ways."""

from __future__ import annotations

import base64
import subprocess
import sys
from typing import Any

import pytest
from joserfc import jwt as jose
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from why401.protocol.jws import key_for, verify
from why401.protocol.jwt import decode

SECRET = "correct-horse-battery-staple-1234567890"
RSA = RSAKey.generate_key(2048)
KEYS: dict[str, Any] = {
    "RS256": RSA,
    "PS256": RSA,
    "ES256": ECKey.generate_key("P-256"),
    "Ed25519": OKPKey.generate_key("Ed25519"),
}


def made(alg: str, key: Any, **header: Any) -> str:
    return jose.encode({"alg": alg, **header}, {"iss": "a"}, key, algorithms=[alg])


@pytest.mark.parametrize("alg", KEYS)
def test_public_keys(alg: str) -> None:
    key, text = KEYS[alg], made(alg, KEYS[alg], kid="one")
    public = key.as_dict(private=False)
    assert verify(text, public).matches
    assert verify(text, key.as_pem(private=False)).matches
    assert verify(text, {"keys": [{**public, "kid": "one"}]}).matches
    assert verify(text, {"keys": [{**public, "kid": "two"}]}).kind == "no-key"
    assert verify(text[:-8] + "AAAAAAAA", public).kind == "bad-signature"
    assert verify(text, OctKey.import_key("x" * 40).as_dict()).kind == "wrong-key-type"
    assert verify(text, "no key at all").kind == "wrong-key-type"


def test_the_example_of_the_standard() -> None:
    # RFC 7515, appendix A.1
    text = (
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    )
    key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
    assert verify(text, {"kty": "oct", "k": key}).kind == "verified"


@pytest.mark.parametrize(
    ("signed_with", "given", "variant"),
    [
        (SECRET, SECRET, None),
        (SECRET + "\n", SECRET, "line break"),
        (SECRET, SECRET + "\n", "white space"),
        (SECRET, f'"{SECRET}"', "quotes"),
        (SECRET, base64.b64encode(SECRET.encode()).decode(), "base64"),
        (base64.b64encode(SECRET.encode()).decode(), SECRET, "encoded in base64"),
        (SECRET, SECRET.encode().hex(), "hexadecimal"),
        (SECRET.encode().hex(), SECRET, "hexadecimal"),
    ],
)
@pytest.mark.parametrize("alg", ["HS256", "HS512"])
def test_secrets_read_in_another_way(signed_with: str, given: str, variant: str | None, alg: str) -> None:
    found = verify(made(alg, OctKey.import_key(signed_with.ljust(1))), given)
    assert found.matches
    assert found.variant is None if variant is None else variant in (found.variant or "")


def test_another_secret_does_not_verify() -> None:
    found = verify(made("HS256", OctKey.import_key(SECRET)), "another-secret")
    assert (found.matches, found.kind) == (False, "bad-signature")


@pytest.mark.parametrize(
    "text", ["", "a", "a.b", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJYWVoifQ.e30.YQ"]
)
def test_what_is_no_signed_token(text: str) -> None:
    assert verify(text, SECRET).kind in ("malformed", "unsupported")


def test_without_a_kid_the_only_fitting_key_is_taken() -> None:
    jwt = decode(made("RS256", RSA))
    rsa, ec = RSA.as_dict(private=False), KEYS["ES256"].as_dict(private=False)
    assert key_for(jwt, {"keys": [ec, rsa]}) == rsa
    assert key_for(jwt, {"keys": [rsa, {**rsa, "kid": "b"}]}) is None
    assert key_for(jwt, {"keys": "nonsense"}) is None


def test_reading_tokens_loads_no_cryptography() -> None:
    code = (
        "import sys, why401.protocol.jws, why401.protocol.dpop;"
        "print([m for m in sys.modules if m.startswith(('cryptography', 'joserfc'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
