"""The page's Origin against the lists of trusted origins."""

from __future__ import annotations

import pytest

from why401 import checks
from why401.checks.session_origins import trusted
from why401.evidence import Evidence, Source, Text


def weights(setting: str, origin: str) -> dict[str, dict[str, float]]:
    texts = (
        Text(setting, Source(".env"), "settings"),
        Text(f"POST /api/orders\nOrigin: {origin}\n\nHTTP/1.1 403 Forbidden", Source("request.txt")),
    )
    return {finding.id: dict(finding.weights) for finding in checks.run(Evidence(texts=texts))}


@pytest.mark.parametrize(
    ("setting", "cause"),
    [
        ("SANCTUM_STATEFUL_DOMAINS=localhost:3000", "auth-setting-wrong"),
        ("CSRF_TRUSTED_ORIGINS = ['https://shop.example.org']", "csrf-rejected"),
        ("trustedOrigins: [\n  'https://shop.example.org',\n]", "csrf-rejected"),
    ],
)
def test_a_stranger(setting: str, cause: str) -> None:
    assert weights(setting, "https://app.example.com")["origin-not-trusted"][cause] > 0


@pytest.mark.parametrize(
    "setting",
    [
        "SANCTUM_STATEFUL_DOMAINS=localhost:3000,app.example.com",
        "CSRF_TRUSTED_ORIGINS = ['https://*.example.com']",
        "CSRF_TRUSTED_ORIGINS = env('TRUSTED')",
    ],
)
def test_a_friend(setting: str) -> None:
    assert "origin-not-trusted" not in weights(setting, "https://app.example.com")


@pytest.mark.parametrize(
    ("origin", "values", "known"),
    [
        ("https://a.example:8443", "['https://a.example']", False),
        ("https://a.example:8443", "['https://a.example:8443']", True),
        ("https://www.a.example", ".a.example", True),
        ("https://a.example", "*", True),
    ],
)
def test_trusted(origin: str, values: str, known: bool) -> None:
    assert trusted(origin, values) is known


SERVER = "app.use(cors({{ origin: 'https://{}', credentials: true }}));\nres.cookie('sid', id, {{ {} }});\n"
CLIENT = "axios.get('https://api.example.com/me', { withCredentials: true })"


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        (SERVER.format("shop.example.net", "httpOnly: true"), True),
        (SERVER.format("shop.example.net", "sameSite: 'none', secure: true"), False),
        (SERVER.format("www.example.com", "httpOnly: true"), False),
    ],
)
def test_across_sites(server: str, expected: bool) -> None:
    texts = (Text(server, Source("server.js"), "code"), Text(CLIENT, Source("client.js"), "code"))
    found = {finding.id for finding in checks.run(Evidence(texts=texts))}
    assert ("cookie-across-sites" in found) is expected
