"""Broken tokens: expired, for another, badly signed, not yet valid; with the server's words and without."""

# A case is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.live.lab import Case, ask, examine, params
from tests.live.sites import GOOD, Answer, Received, serve
from tests.live.tokens import api, token

NOW = int(time.time())
HEAVY = "tok-opaque-8f3a9c1e5b7d"


def bearer(value: str) -> tuple[str, ...]:
    return ("-H", f"Authorization: Bearer {value}", "{url}/v1/orders")


def opaque(request: Received) -> Answer:
    """A token that is known, and may read but not write."""
    if request.get("authorization") == f"Bearer {HEAVY}":
        challenge = 'Bearer error="insufficient_scope", scope="orders:write"'
        return 403, {"WWW-Authenticate": challenge}, ""
    return 401, {"WWW-Authenticate": "Bearer"}, ""


def revoked(request: Received) -> Answer:
    challenge = 'Bearer error="invalid_token", error_description="The token was revoked"'
    return 401, {"WWW-Authenticate": challenge if request.get("authorization") else "Bearer"}, ""


def keys_down(request: Received) -> Answer:
    if request.get("authorization"):
        return 401, {"WWW-Authenticate": "Bearer"}, '{"error": "failed to fetch JWKS: connection refused"}'
    return 401, {"WWW-Authenticate": "Bearer"}, ""


def bound(_: Received) -> Answer:
    challenge = 'DPoP algs="ES256", error="invalid_dpop_proof", error_description="DPoP proof is missing"'
    return 401, {"WWW-Authenticate": challenge}, ""


FAULTS: list[tuple[str, str, str]] = [
    ("expired", token(exp=NOW - 7200, iat=NOW - 10800), "token-expired"),
    ("just-expired", token(exp=NOW - 45, iat=NOW - 3645), "token-expired"),
    ("audience", token(aud="https://invoices.example"), "wrong-audience"),
    ("issuer", token(iss="https://login.example/"), "wrong-issuer"),
    ("algorithm", token(header={"alg": "HS512"}), "wrong-algorithm"),
    ("algorithm-none", token(header={"alg": "none"}), "wrong-algorithm"),
    ("kid", token(header={"kid": "k0-old"}), "unknown-signing-key"),
    ("signature", token(key=b"another-made-up-key"), "bad-signature"),
    ("cut", token()[:-30].rpartition(".")[0], "malformed-token"),
]
TERSE: list[tuple[str, str, tuple[str, ...]]] = [
    ("expired", token(exp=NOW - 7200, iat=NOW - 10800), ("token-expired",)),
    ("cut", token()[:-30].rpartition(".")[0], ("malformed-token",)),
    ("cut-signature", token()[:-20], ("malformed-token", "bad-signature")),
    ("ellipsis", token()[:60] + "...", ("malformed-token",)),
    ("not-yet", token(nbf=NOW + 1800, iat=NOW + 1800, exp=NOW + 5400), ("clock-skew",)),
    ("id-token", token(aud="shop-spa", nonce="n1", at_hash="x1", token_use="id", scope=None), ("wrong-token-type",)),
    ("refresh-token", token(typ="Refresh", token_use="refresh", scope=None), ("wrong-token-type",)),
]  # fmt: skip

CASES = [
    *(Case(f"{n}-told", lambda: serve(api()), bearer(t), (c,), None, (t,)) for n, t, c in FAULTS),
    *(Case(f"{n}-terse", lambda: serve(api(terse=True)), bearer(t), c, None, (t,)) for n, t, c in TERSE),
    Case("expired-no-challenge", lambda: serve(api(terse=True, challenge=False)), bearer(TERSE[0][1]), ("token-expired",)),
    Case("scope", lambda: serve(api(scope="orders:write")), bearer(token()), ("insufficient-scope",), None),
    Case("opaque-scope", lambda: serve(opaque), bearer(HEAVY), ("insufficient-scope",), None, (HEAVY,)),
    Case("server-clock-ahead", lambda: serve(api(terse=True, clock=5400)), bearer(token(exp=NOW + 1800)), ("clock-skew",), None),
    Case("server-clock-behind", lambda: serve(api(terse=True, clock=-5400)), bearer(token(nbf=NOW - 5)), ("clock-skew",), None),
    Case("server-clock-behind-told", lambda: serve(api(clock=-900)), bearer(token(nbf=NOW - 5)), ("clock-skew",), None),
    Case("server-clock-ahead-told", lambda: serve(api(clock=5400)), bearer(token(exp=NOW + 1800)), ("clock-skew",), None),
    Case("revoked", lambda: serve(revoked), bearer(HEAVY), ("credential-revoked",), False, (HEAVY,)),
    Case("keys-unreachable", lambda: serve(keys_down), bearer(token()), ("keys-unreachable",), False),
    Case("dpop", lambda: serve(bound), bearer(token(cnf={"jkt": "abc"})), ("proof-missing",), False),
]  # fmt: skip


@params(CASES)
def test_a_broken_token(case: Case, record_property: Callable[[str, object], None]) -> None:
    examine(case, record_property)


TWINS = [
    ("good", token()),
    ("nearly-over", token(exp=NOW + 1200)),
    ("long-lived", token(exp=NOW + 10**8)),
]


@pytest.mark.parametrize("value", [value for _, value in TWINS], ids=[name for name, _ in TWINS])
def test_a_sound_token(value: str) -> None:
    with serve(api()) as site:
        result = ask(*site.words(bearer(value)))
        assert (result.first["id"], result.status, site.asked()) == ("not-an-auth-error", 0, 1)


def test_a_skewed_clock_alone_is_no_fault() -> None:
    with serve(lambda _: (200, {"Date": "Mon, 01 Jan 2024 00:00:00 GMT"}, GOOD[2])) as site:
        assert ask(*site.words(bearer(token()))).status == 0
