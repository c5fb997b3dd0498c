"""The checks of the family `permission`: each rule with evidence that triggers it, and a near-miss."""

# A table of cases is read a line at a time.
# ruff: noqa: E501

from __future__ import annotations

import pytest

from tests.checks.test_rejected import ASKS, GOOD, basic, found, get, token

SCOPE = 'HTTP/1.1 403 Forbidden\nServer: x\nWWW-Authenticate: Bearer error="{}", scope="orders:write"\n'
FLOW = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n{}    steps:\n      - uses: actions/checkout@v4\n      - run: git push\n"
S403 = "HTTP/1.1 403 Forbidden\nServer: x\n\n"
HUB = 'HTTP/1.1 401 Unauthorized\nWWW-Authenticate: Bearer realm="https://auth.example/token",scope="{}"\n'

RULES: tuple[tuple[str, dict[str, str], dict[str, str]], ...] = (
    ("scope-in-challenge", {"a_http": get("Bearer tok", answer=SCOPE.format("insufficient_scope"))}, {"a_http": get("Bearer tok", answer=SCOPE.format("invalid_token"))}),
    ("github-scopes", {"c_txt": "HTTP/2 404\nx-oauth-scopes: gist\nx-accepted-oauth-scopes: admin:org\n"}, {"c_txt": "HTTP/2 404\nx-oauth-scopes: repo\nx-accepted-oauth-scopes: repo\n"}),
    ("workflow-permissions", {"f_yml": FLOW.format(""), "m_txt": "error: 403"}, {"f_yml": FLOW.format("    permissions:\n      contents: write\n"), "m_txt": "error: 403"}),
    ("scopes-asked", {"a_py": 'auth = O(scope="user-read-email")', "m_txt": "401 for https://api.spotify.com/v1/me/top/artists"}, {"a_py": 'auth = O(scope="user-top-read")', "m_txt": "401 for https://api.spotify.com/v1/me/top/artists"}),
    ("scope-required", {"a_http": get(token(scope="read")), "a_java": 'x.hasAuthority("SCOPE_write")'}, {"a_http": get(token(scope="read write")), "a_java": 'x.hasAuthority("SCOPE_write")'}),
    ("some-paths-allowed", {"a_http": get(basic("al:pw12"), path="/a"), "b_http": get(basic("al:pw12"), path="/b", answer=GOOD)}, {"a_http": get(basic("al:pw12"), path="/a"), "b_http": get(path="/b", answer=GOOD)}),
    ("access-rule", {"site_conf": "AuthType Basic\nRequire group staff\n", "m_txt": "401"}, {"site_conf": "AuthType Basic\nRequire valid-user\n", "m_txt": "401"}),
    ("forbidden", {"a_http": get(basic("al:pw12"), answer=S403)}, {"a_http": get(basic("al:pw12"), answer=ASKS)}),
    ("name-misspelt", {"m_txt": "pull access denied for acme/werbserver, the page of acme/webserver is there"}, {"m_txt": "pull access denied for acme/webserver, the page of acme/database is there"}),
    ("registry-scope", {"a_http": get("Bearer tok", answer=HUB.format("repository:acme/app:pull"))}, {"a_http": get("Bearer tok", answer=HUB.format("registry:catalog:*"))}),
    ("told-read-works", {"m_txt": "Pull works, push fails with 401."}, {"m_txt": "Pull and push fail with 401."}),
    ("told-admin-works", {"m_txt": "As admin it works, other users get 401."}, {"m_txt": "Every user gets the login page and a 401."}),
    ("told-private", {"m_txt": "401 for a private repository"}, {"m_txt": "401 for a public repository"}),
    ("told-valid-user-works", {"m_txt": "401. With valid-user in place of the group it works."}, {"m_txt": "401. With the group it fails."}),
)  # fmt: skip


@pytest.mark.parametrize(("rule", "triggers", "near"), RULES, ids=[rule[0] for rule in RULES])
def test_rule(rule: str, triggers: dict[str, str], near: dict[str, str]) -> None:
    assert rule in found(**triggers)
    assert rule not in found(**near)
