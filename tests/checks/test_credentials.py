"""The checks of the family `credentials`: each rule with evidence that triggers it, and a healthy near-miss."""

from __future__ import annotations

import base64
from importlib import import_module

import pytest

from why401 import readers
from why401.checks import MODULES
from why401.evidence import Evidence
from why401.findings import Finding

OURS = [name for name in MODULES if name.startswith(("credentials", "clients"))]
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiIsImV4cCI6NDEwMjQ0NDgwMH0.bm90LWEtcmVhbC1zaWduYXR1cmU"


def read(*files: tuple[str, str]) -> Evidence:
    return readers.read([readers.Input(name, text.encode()) for name, text in files])


def findings(*files: tuple[str, str]) -> list[Finding]:
    """What the checks of the two families find; signatures and other families are left out."""
    evidence = read(*files)
    found: list[Finding] = []
    for name in OURS:
        module = import_module(f"why401.checks.{name}")
        for function in vars(module).values():
            if getattr(function, "__module__", "") == module.__name__ and is_check(function):
                found += function(evidence)
    return found


def is_check(function: object) -> bool:
    from why401 import checks

    return function in checks._CHECKS


def weight(cause: str, *files: tuple[str, str]) -> float:
    """The strongest weight for a cause; 0 where nothing speaks for it."""
    return max((f.weights.get(cause, 0.0) for f in findings(*files)), default=0.0)


def basic(pair: str, charset: str = "utf-8") -> str:
    return "Basic " + base64.b64encode(pair.encode(charset)).decode()


def exchange(value: str, challenge: str = "", status: int = 401, field: str = "Authorization") -> str:
    """A raw request with one credential field, and its answer."""
    asked = f"WWW-Authenticate: {challenge}\n" if challenge else ""
    sent = f"{field}: {value}\n" if value else ""
    return f"GET /a HTTP/1.1\nHost: api.example.com\nAccept: */*\n{sent}\nHTTP/1.1 {status} X\n{asked}\n"


HEALTHY = exchange(f"Bearer {JWT}", 'Bearer error="invalid_token"')

VALUES = [
    ("malformed-authorization", f"Bearer Bearer {JWT}"),
    ("malformed-authorization", f"Bearer: {JWT}"),
    ("malformed-authorization", f"Bearer{JWT}"),
    ("malformed-authorization", f'Bearer "{JWT}"'),
    ("malformed-authorization", f"Authorization: Bearer {JWT}"),
    ("wrong-scheme", JWT),
    ("wrong-scheme", f"Basic {JWT}"),
    ("bad-base64", "Basic alice:example-pw"),
    ("bad-base64", basic("no-colon-in-this-key-123456")),
    ("bad-base64", "Basic " + base64.b64encode(base64.b64encode(b"alice:example-pw")).decode()),
    ("stray-whitespace", basic("alice:example-pw\n")),
    ("stray-whitespace", basic("alice :example-pw")),
    ("charset-mismatch", basic("jörg:gänse", "latin-1")),
    ("charset-mismatch", basic("jörg:gänse")),
    ("placeholder-credential", "Bearer undefined"),
    ("placeholder-credential", "Bearer ${TOKEN}"),
    ("placeholder-credential", "Bearer {{token}}"),
    ("placeholder-credential", "Bearer [object Object]"),
    ("placeholder-credential", "Bearer"),
    ("placeholder-credential", basic(":")),
    ("placeholder-credential", basic("undefined:undefined")),
]


@pytest.mark.parametrize(("cause", "value"), VALUES)
def test_value_on_the_wire(cause: str, value: str) -> None:
    assert weight(cause, ("request.http", exchange(value))) >= 10
    assert weight(cause, ("request.http", HEALTHY)) <= 0


@pytest.mark.parametrize(("cause", "value"), VALUES)
def test_value_that_succeeded(cause: str, value: str) -> None:
    if cause != "charset-mismatch":
        assert weight(cause, ("request.http", exchange(value, status=200))) < 10


@pytest.mark.parametrize(
    "value", ["Bearer ***", "Bearer <token>", "Bearer xxx", "Bearer (the same token)", "Basic ..."]
)
def test_blanked_by_the_reporter(value: str) -> None:
    text = ("request.http", exchange(value))
    for cause in ("placeholder-credential", "malformed-authorization", "bad-base64", "stray-whitespace"):
        assert weight(cause, text) < 10, cause


SCHEMES = [
    (basic("alice:example-pw"), 'Bearer realm="api"', "wrong-scheme", True),
    ("Bearer abcdef0123456789", 'Basic realm="x"', "wrong-scheme", True),
    (basic("alice:example-pw"), 'Digest realm="x", nonce="n"', "challenge-not-answered", True),
    (basic("alice:example-pw"), 'Basic realm="x"', "wrong-scheme", False),
    (
        basic("alice:example-pw"),
        'Bearer realm="https://auth.example.com/token",service="r"',
        "wrong-scheme",
        False,
    ),
    ("DPoP abcdef0123456789", 'Bearer realm="x"', "wrong-scheme", False),
]


@pytest.mark.parametrize(("value", "challenge", "cause", "fires"), SCHEMES)
def test_scheme_against_challenge(value: str, challenge: str, cause: str, fires: bool) -> None:
    assert (weight(cause, ("request.http", exchange(value, challenge))) >= 10) is fires


PLACES = [
    ("wrong-header", exchange(f"Bearer {JWT}", field="Authentication"), exchange(f"Bearer {JWT}")),
    (
        "wrong-header",
        exchange(basic("a:b"), status=407).replace(
            "\nHTTP/1.1 407 X\n", '\nHTTP/1.1 407 X\nProxy-Authenticate: Basic realm="p"\n'
        ),
        exchange(basic("a:b"), 'Basic realm="p"'),
    ),
    ("no-credentials", exchange("", 'Bearer realm="x"'), HEALTHY),
    ("no-credentials", exchange("", 'Bearer realm="x"'), exchange("k-1", field="X-Api-Key")),
]


@pytest.mark.parametrize(("cause", "bad", "good"), PLACES)
def test_place(cause: str, bad: str, good: str) -> None:
    assert weight(cause, ("request.http", bad)) >= 10
    assert weight(cause, ("request.http", good)) < 10


FILES = [
    (
        "wrong-header",
        [
            ("main.py", 'key = APIKeyHeader(name="X-API-Key")'),
            ("t.txt", '$ curl -H "Authorization: Bearer k-12345678" http://x/\nHTTP/1.1 401 X'),
        ],
        [
            ("main.py", 'key = APIKeyHeader(name="X-API-Key")'),
            ("t.txt", '$ curl -H "X-API-Key: k-12345678" http://x/\nHTTP/1.1 401 X'),
        ],
    ),
    (
        "wrong-scheme",
        [("s.py", 'SIMPLE_JWT = {"AUTH_HEADER_TYPES": ("JWT",)}'), ("r.http", exchange(f"Bearer {JWT}"))],
        [("s.py", 'SIMPLE_JWT = {"AUTH_HEADER_TYPES": ("Bearer",)}'), ("r.http", exchange(f"Bearer {JWT}"))],
    ),
    (
        "wrong-scheme",
        [
            ("a.py", "from rest_framework.authtoken.models import Token"),
            ("r.http", exchange("Bearer 9944b09199c62bcf")),
        ],
        [
            ("a.py", "from rest_framework.authtoken.models import Token"),
            ("r.http", exchange("Token 9944b09199c62bcf")),
        ],
    ),
    (
        "placeholder-credential",
        [(".env", "API_KEY=your_api_key_here"), ("m.txt", "The service answers 401.")],
        [(".env", "API_KEY=k-8f3a99e1d2"), ("m.txt", "The service answers 401.")],
    ),
    (
        "placeholder-credential",
        [("t.txt", "$ curl -H 'Authorization: Bearer $TOKEN' https://x.example.com/\nHTTP/1.1 401 X")],
        [("t.txt", '$ curl -H "Authorization: Bearer $TOKEN" https://x.example.com/\nHTTP/1.1 401 X')],
    ),
    (
        "placeholder-credential",
        [("a.log", "POST https://login.example.com/%7Btenant%7D/token 401")],
        [("a.log", "POST https://login.example.com/acme/token 401")],
    ),
    (
        "client-config-not-loaded",
        [("a.js", "const t = process.env.API_KEY; // 401"), (".env", "API_TOKEN=k-123456")],
        [("a.js", "const t = process.env.API_KEY; // 401"), (".env", "API_KEY=k-123456")],
    ),
    (
        "client-config-not-loaded",
        [("m.txt", "401 Bad credentials, only in pull requests that Dependabot opens.")],
        [("m.txt", "401 Bad credentials in every build of the main branch.")],
    ),
]


@pytest.mark.parametrize(("cause", "bad", "good"), FILES)
def test_files(cause: str, bad: list[tuple[str, str]], good: list[tuple[str, str]]) -> None:
    assert weight(cause, *bad) >= 10
    assert weight(cause, *good) < 10


def test_anonymous_words_with_and_without_an_offer() -> None:
    words = ("r.txt", "401: Authentication credentials were not provided.")
    assert weight("no-credentials", words) > 0
    assert min(f.weights.get("no-credentials", 0) for f in findings(("r.http", HEALTHY), words)) < 0


def test_findings_quote_no_credential() -> None:
    text = exchange(basic("alice:s3cr3t-example\n"), 'Bearer realm="x"')
    for finding in findings(("request.http", text)):
        assert "s3cr3t" not in finding.says
        assert "czNjcjN0" not in finding.says
