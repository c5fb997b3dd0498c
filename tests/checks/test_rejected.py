"""The checks of the family `rejected`: each rule with evidence that triggers it, and a near-miss."""

# A table of cases is read a line at a time.
# ruff: noqa: E501

from __future__ import annotations

import base64
import json

import pytest

from why401 import checks, readers

ASKS = 'HTTP/1.1 401 Unauthorized\nServer: x\nWWW-Authenticate: Basic realm="r"\n'
GOOD = "HTTP/1.1 200 OK\nContent-Length: 0\n"


def found(**files: str) -> dict[str, dict[str, float]]:
    """The findings on files by id; a name's last underscore stands for the dot (`access_log`)."""
    inputs = [readers.Input(".".join(name.rsplit("_", 1)), text.encode()) for name, text in files.items()]
    return {finding.id: dict(finding.weights) for finding in checks.run(readers.read(inputs))}


def basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()


def get(authorization: str = "", host: str = "a.example.org", path: str = "/", answer: str = ASKS) -> str:
    """One exchange as raw HTTP."""
    line = f"Authorization: {authorization}\n" if authorization else ""
    return f"GET {path} HTTP/1.1\nHost: {host}\nAccept: */*\n{line}\n{answer}"


def token(**claims: object) -> str:
    parts = [{"alg": "HS256", "typ": "JWT"}, claims]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return "Bearer " + ".".join([*encoded, "c2lnbmF0dXJlc2lnbmF0dXJl"])


SCOPE = "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLEEXAMPLE00/20240302/{}/s3/aws4_request, SignedHeaders=host, Signature=00"
KUBE = "current-context: x\nclusters:\n- cluster:\n    server: https://a\n  name: prod\n- cluster:\n    server: https://b\n  name: stage\ncontexts:\n- context:\n    cluster: prod\n    user: {}-admin\n  name: x\n"
S403 = "HTTP/1.1 403 Forbidden\nServer: x\n"

#: rule, evidence that triggers it, evidence that does not
RULES: tuple[tuple[str, dict[str, str], dict[str, str]], ...] = (
    ("well-formed-and-refused", {"a_http": get(basic("al:pw12"))}, {"a_http": get(basic("al:pw12"), answer=GOOD)}),
    ("same-credential-accepted", {"a_http": get(basic("al:pw12")), "b_http": get(basic("al:pw12"), path="/b", answer=GOOD)}, {"a_http": get(basic("al:pw12")), "b_http": get(basic("al:other"), path="/b", answer=GOOD)}),
    ("user-not-in-file", {"a_http": get(basic("al:pw12")), "htpasswd_txt": "bo:$apr1$aaaaaaaa$bbbbbbbbbbbbbbbbbbbbbb\n"}, {"a_http": get(basic("al:pw12")), "htpasswd_txt": "al:$apr1$aaaaaaaa$bbbbbbbbbbbbbbbbbbbbbb\n"}),
    ("password-not-taken", {"a_http": get(basic("al@x.org:Sommer99"), host="acme.atlassian.net")}, {"a_http": get(basic("al@x.org:Sommer99"), host="jira.example.org")}),
    ("user-for-a-key", {"a_http": get(basic("admin:pw12"), path="/wp-json/wc/v3/orders")}, {"a_http": get(basic("ck_0123:cs_0123"), path="/wp-json/wc/v3/orders")}),
    ("told-web-login-works", {"m_txt": "401 from the app. Logging in on the web page works."}, {"m_txt": "401 from the app and on the web page."}),
    ("told-leaked", {"m_txt": "401. I committed the token to the repository."}, {"m_txt": "401. I set the token in the settings."}),
    ("told-incident", {"m_txt": "401 since the security incident."}, {"m_txt": "401 since Monday."}),
    ("told-person-left", {"m_txt": "401. The key was made by somebody who left the company."}, {"m_txt": "401. The key was made by me."}),
    ("told-new-one-works", {"m_txt": "401. With a new token it works."}, {"m_txt": "401. I have a token."}),
    ("told-new-one-fails", {"m_txt": "401. A brand-new key gives the same answer."}, {"m_txt": "401. The key is two years old."}),
    ("told-another-account-works", {"m_txt": "401. Another user can log in."}, {"m_txt": "401. Nobody gets in."}),
    ("told-unpaid", {"m_txt": "401. Our subscription expired."}, {"m_txt": "401. Our subscription is new."}),
    ("live-key-trial-host", {"s_env": "LIVE_API_KEY=abc\nURL=https://sandbox.pay.example.com/v1\n", "m_txt": "401 Unauthorized"}, {"s_env": "SANDBOX_API_KEY=abc\nURL=https://sandbox.pay.example.com/v1\n", "m_txt": "401 Unauthorized"}),
    ("trial-key-live-host", {"s_env": "KEY=sk_test_abc\n", "m_txt": "401 from the live endpoint."}, {"s_env": "KEY=sk_live_abc\n", "m_txt": "401 from the live endpoint."}),
    ("mode-unknown", {"s_env": "PAYPAL_MODE=production\n", "m_txt": "PayPal: 401"}, {"s_env": "PAYPAL_MODE=live\n", "m_txt": "PayPal: 401"}),
    ("region-of-signature", {"a_http": get(SCOPE.format("us-east-1"), host="s3.eu-west-1.amazonaws.com", answer=S403)}, {"a_http": get(SCOPE.format("eu-west-1"), host="s3.eu-west-1.amazonaws.com", answer=S403)}),
    ("other-tenant", {"a_http": get(token(tid="11111111-1111-1111-1111-111111111111")), "s_env": "AZURE_TENANT_ID=22222222-2222-2222-2222-222222222222"}, {"a_http": get(token(tid="22222222-2222-2222-2222-222222222222")), "s_env": "AZURE_TENANT_ID=22222222-2222-2222-2222-222222222222"}),
    ("issuer-environment", {"a_http": get(token(iss="https://id.staging.shop.example"), host="api.shop.example")}, {"a_http": get(token(iss="https://id.shop.example"), host="api.shop.example")}),
    ("token-of-another-service", {"a_http": get("Bearer sk-ant-00000000000000000000", host="api.openai.com")}, {"a_http": get("Bearer sk-ant-00000000000000000000", host="llm-proxy.example.org")}),
    ("told-environment-0", {"m_txt": "401. It works fine in the sandbox but not in production."}, {"m_txt": "401. It fails everywhere."}),
    ("kubeconfig-crossed", {"k_yaml": KUBE.format("stage"), "m_txt": "401"}, {"k_yaml": KUBE.format("prod"), "m_txt": "401"}),
)  # fmt: skip


@pytest.mark.parametrize(("rule", "triggers", "near"), RULES, ids=[rule[0] for rule in RULES])
def test_rule(rule: str, triggers: dict[str, str], near: dict[str, str]) -> None:
    assert rule in found(**triggers)
    assert rule not in found(**near)


def test_what_works_elsewhere_is_no_wrong_password() -> None:
    weights = found(a_http=get(basic("al:pw12")), b_http=get(basic("al:pw12"), path="/b", answer=GOOD))
    assert weights["same-credential-accepted"]["wrong-password"] <= -20


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("401: user 'bob' does not exist", "unknown-user"),
        ("401: password is incorrect", "wrong-password"),
        ("401: your account has been suspended", "account-disabled"),
        ("401: the token was revoked", "credential-revoked"),
        ("401: two-factor authentication is enabled on the account", "password-login-disabled"),
        ("401: insufficient scope", "insufficient-scope"),
        ("401: too many failed login attempts", "too-many-attempts"),
        ("403: your IP address has been blocked", "client-banned"),
        ("401: maximum number of sessions reached", "connection-limit"),
        ("401: repository not found or you do not have access", "resource-hidden"),
        ("401: AcceptSecurityContext error, data 52e", "wrong-password"),
        ("401: AADSTS50057: The user account is disabled", "account-disabled"),
    ],
)
def test_words(text: str, cause: str) -> None:
    assert max((weights.get(cause, 0) for weights in found(m_txt=text).values()), default=0) >= 12


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("401: the account is not locked", "account-disabled"),
        ("401: the token was not revoked", "credential-revoked"),
        ("401: the key is new", "credential-revoked"),
        ("401 with a user name or password field missing", "wrong-password"),
    ],
)
def test_words_that_say_otherwise(text: str, cause: str) -> None:
    ruled = [weights for id, weights in found(m_txt=text).items() if not id.startswith("words-like")]
    assert max((weights.get(cause, 0) for weights in ruled), default=0) < 12


@pytest.mark.parametrize(
    ("files", "id"),
    [
        (
            {
                "tool_py": "HOST = 'https://acme.atlassian.net'\nAUTH = ('jo@example.com', 'oak-tree-77')\n",
                "e_log": "401 Client Error",
            },
            "password-configured",
        ),
        ({"e_txt": "https://api.eu.opsgenie.com/v2/alerts: 401, the api key is invalid"}, "regional-service"),
        ({"m_txt": "401 since today. I removed a few old tokens yesterday."}, "told-deleted"),
        ({"m_txt": "It says 401 since we changed the passwords of the accounts."}, "told-accounts-changed"),
    ],
)
def test_mechanisms(files: dict[str, str], id: str) -> None:
    assert id in found(**files)


@pytest.mark.parametrize(
    ("files", "id"),
    [
        (
            {
                "tool_py": "HOST = 'https://jira.example.com'\nAUTH = ('jo@example.com', 'oak-tree-77')\n",
                "e_log": "401 Client Error",
            },
            "password-configured",
        ),
        ({"e_txt": "https://api.eu.opsgenie.com/v2/alerts: 200 OK"}, "regional-service"),
        ({"m_txt": "401 for a token that nobody touched."}, "told-deleted"),
    ],
)
def test_mechanisms_that_are_not_there(files: dict[str, str], id: str) -> None:
    assert id not in found(**files)


def test_two_passwords_of_one_user() -> None:
    server = '<user username="deploy" password="oak-tree-1" roles="x"/>'
    client = "<username>deploy</username><password>oak-tree</password>"
    assert found(users_xml=server, settings_xml=client, e_log="401 Unauthorized")["two-passwords"]
    same = client.replace("oak-tree", "oak-tree-1")
    assert "two-passwords" not in found(users_xml=server, settings_xml=same, e_log="401 Unauthorized")


def test_names_of_twins() -> None:
    assert "twin-names" in found(m_txt="401: users live in lumen-dev, the release asks lumen-prod")
    assert "twin-names" not in found(m_txt="401: users live in lumen-prod, the release asks lumen-prod")
