"""The URL of the settings against the one that was asked."""

from __future__ import annotations

import pytest

from why401 import checks, readers
from why401.readers import Input

LOCK = (
    '{{"lockfileVersion": 3, "packages": {{"node_modules/a": {{"resolved": "https://{}/a/-/a-1.0.0.tgz"}}}}}}'
)
NPMRC = "registry=https://nexus.example.com/npm/\n"
REFUSED = "npm ERR! 401 Unauthorized - GET https://{}/a/-/a-1.0.0.tgz\n"
Files = dict[str, str]


def found(files: Files) -> set[str]:
    inputs = [Input(name, content.encode()) for name, content in files.items()]
    return {finding.id for finding in checks.run(readers.read(inputs))}


@pytest.mark.parametrize(
    ("rule", "bad", "good"),
    [
        (
            "lock-other-registry",
            {
                ".npmrc": NPMRC,
                "package-lock.json": LOCK.format("old.example.net"),
                "npm.log": REFUSED.format("old.example.net"),
            },
            {
                ".npmrc": NPMRC,
                "package-lock.json": LOCK.format("nexus.example.com"),
                "npm.log": REFUSED.format("nexus.example.com"),
            },
        ),
        (
            "lock-not-asked",
            {"package-lock.json": LOCK.format("a.example.net"), "npm.log": REFUSED.format("b.example.net")},
            {"package-lock.json": LOCK.format("a.example.net"), "npm.log": REFUSED.format("a.example.net")},
        ),
        (
            "base-url-not-found",
            {".env": "BASE_URL=https://x.example/rest\n", "a.log": "POST /rest 404\nGET /rest/me 401\n"},
            {".env": "BASE_URL=https://x.example/rest\n", "a.log": "POST /rest 200\nGET /rest/me 401\n"},
        ),
        (
            "doubled-slash",
            {".env": "HOST=https://x.example/\n", "a.log": "ERROR GET https://x.example//status: 401\n"},
            {".env": "HOST=https://x.example/\n", "a.log": "ERROR GET https://x.example/status: 401\n"},
        ),
    ],
)
def test_rules(rule: str, bad: Files, good: Files) -> None:
    assert rule in found(bad)
    assert rule not in found(good)
