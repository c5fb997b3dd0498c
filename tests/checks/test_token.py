"""The checks of the family `token`: each rule with evidence that triggers it, and a healthy near-miss."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from importlib import import_module
from typing import Any

import pytest

from why401 import checks, readers
from why401.checks import MODULES
from why401.evidence import Evidence, Exchange, Fields, Request, Response, Source
from why401.findings import Finding

OURS = [*(name for name in MODULES if name.startswith("token")), "token_moments", "token_clients"]
DATE = "HTTP/1.1 401 Unauthorized\nDate: Wed, 01 May 2024 09:00:00 GMT\n"  # 1714554000
GOOD: dict[str, Any] = {
    "iss": "https://id.example.com/",
    "aud": "api://orders",
    "iat": 1714552200,
    "exp": 1714555800,
}
HEX = "4f1c9a7b33d0e85526c17fbb0a9e6d3f"


def part(value: dict[str, Any] | bytes) -> str:
    octets = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def token(
    alg: str = "RS256", secret: bytes = b"made-up", header: dict[str, Any] | None = None, **claims: Any
) -> str:
    """A made-up token: the good claims with changes; a real HMAC for HS256, noise for the others."""
    signed = f"{part({'alg': alg, **(header or {})})}.{part({**GOOD, **claims})}"
    mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{part(mac if alg == 'HS256' else mac * 8)}"


def sent(value: str) -> str:
    return f"GET / HTTP/1.1\nAuthorization: Bearer {value}\n\n{DATE}"


def findings(evidence: Evidence) -> set[str]:
    """The ids of what the checks of the family find; signatures and other families are left out."""
    found: list[Finding] = []
    for name in OURS:
        module = import_module(f"why401.checks.{name}")
        for function in vars(module).values():
            if getattr(function, "__module__", "") == module.__name__ and function in checks._CHECKS:
                found += function(evidence)
    return {finding.id for finding in found}


def read(**files: str) -> Evidence:
    return readers.read(
        [readers.Input(name.replace("__", "."), text.encode()) for name, text in files.items()]
    )


SET = '{"keys":[{"kty":"RSA","kid":"new","n":"sXch","e":"AQAB"}]}'
COGNITO = "arn:aws:cognito-idp:eu-west-1:1:userpool/x"
RULES: list[tuple[str, dict[str, str], dict[str, str]]] = [
    (
        "token-issuer-near",
        {"a__http": sent(token()), "b__yml": "issuer: https://id.example.com"},
        {"a__http": sent(token()), "b__yml": "issuer: https://id.example.com/"},
    ),
    (
        "token-issuer-differs",
        {"a__http": sent(token()), "b__yml": "issuer: https://other.example.net/x"},
        {"a__http": sent(token()), "b__yml": "authority: https://id.example.com"},
    ),
    (
        "token-audience-differs",
        {
            "a__http": sent(token()),
            "b__py": 'jwt.decode(t, k, audience="orders")'.replace("orders", "orders-api"),
        },
        {"a__http": sent(token()), "b__py": 'jwt.decode(t, k, audience="api://orders")'},
    ),
    (
        "token-audience-client-id",
        {"a__http": sent(token(aud="https://mcp.example.com")), "b__js": "audience: config.clientId,"},
        {"a__http": sent(token(aud="client-7")), "b__js": "audience: config.clientId,"},
    ),
    (
        "token-algorithm-differs",
        {"a__http": sent(token("ES256")), "b__py": 'algorithms=["RS256"]'},
        {"a__http": sent(token("ES256")), "b__py": 'algorithms=["ES256"]'},
    ),
    (
        "token-algorithm-default",
        {"a__http": sent(token("ES384")), "B__java": "NimbusJwtDecoder.withJwkSetUri(uri).build()"},
        {
            "a__http": sent(token("ES384")),
            "B__java": "NimbusJwtDecoder.withJwkSetUri(uri).jwsAlgorithm(ES384)",
        },
    ),
    (
        "token-key-for-hmac",
        {"a__http": sent(token()), "__env": "JWT_SECRET=made-up-secret"},
        {"a__http": sent(token()), "__env": "JWT_SECRET=made-up-secret\nJWKS_URI=https://x/jwks"},
    ),
    ("token-over", {"a__http": sent(token(exp=1714553000))}, {"a__http": sent(token())}),
    ("token-in-time", {"a__http": sent(token())}, {"a__http": "Authorization: Bearer " + token()}),
    (
        "token-from-the-future",
        {"a__http": sent(token(nbf=1714554002))},
        {"a__http": sent(token(nbf=1714554000))},
    ),
    ("token-milliseconds", {"a__http": sent(token(exp=1714555800000))}, {"a__http": sent(token())}),
    ("token-born-dead", {"a__http": sent(token(exp=1714552200))}, {"a__http": sent(token())}),
    (
        "token-works-for-a-while",
        {"m__txt": "The token works for one hour, then 401."},
        {"m__txt": "The token is 401 from the start."},
    ),
    (
        "clock-fresh-token",
        {"a__js": "jwt.sign({ iat: now })", "m__txt": "It fails intermittently on self-hosted machines."},
        {"a__js": "jwt.sign({ iat: now })", "m__txt": "It fails always."},
    ),
    (
        "signed-date-off",
        {"a__http": "X-Amz-Date: 20240501T080000Z\n\n" + DATE},
        {"a__http": "X-Amz-Date: 20240501T085900Z\n\n" + DATE},
    ),
    (
        "token-secret-read-differently",
        {"a__http": sent(token("HS256", bytes.fromhex(HEX))), "__env": f"JWT_SECRET={HEX}"},
        {"a__http": sent(token("HS256", HEX.encode())), "__env": f"JWT_SECRET={HEX}"},
    ),
    (
        "token-kid-unknown",
        {"a__http": sent(token(header={"kid": "old"})), "jwks__json": SET},
        {"a__http": sent(token(header={"kid": "new"})), "jwks__json": SET},
    ),
    (
        "keys-fetch-failed",
        {"e__log": "JWKS fetch failed: connect ECONNREFUSED 10.0.0.1:443 https://id/jwks"},
        {"e__log": "JWKS fetched from https://id/jwks\nThe database said ECONNREFUSED"},
    ),
    (
        "signing-key-temporary",
        {"S__cs": "services.AddIdentityServer().AddDeveloperSigningCredential();"},
        {"S__cs": "services.AddIdentityServer().AddSigningCredential(cert);"},
    ),
    (
        "token-is-refresh",
        {"a__http": sent(token(token_type="refresh"))},
        {"a__http": sent(token(token_type="access"))},
    ),
    (
        "token-is-id-token",
        {"a__http": sent(token(nonce="n", at_hash="h"))},
        {"a__http": sent(token(nonce="n", iss="https://securetoken.google.com/p"))},
    ),
    (
        "cognito-access-token",
        {"s__yml": COGNITO, "a__js": "session.getAccessToken().getJwtToken()"},
        {"s__yml": COGNITO, "a__js": "session.getIdToken().getJwtToken()"},
    ),
    (
        "token-is-path",
        {"c__php": "'token' => '/var/run/secrets/kubernetes.io/serviceaccount/token',"},
        {"c__php": "'token_file' => '/var/run/secrets/kubernetes.io/serviceaccount/token',"},
    ),
    (
        "token-stringified",
        {"a__js": "localStorage.setItem('t', JSON.stringify(res.token))"},
        {"a__js": "localStorage.setItem('t', res.token)"},
    ),
    (
        "token-bound-no-proof",
        {"a__http": sent(token(cnf={"jkt": "x"}))},
        {"a__http": "DPoP: eyJ\n" + sent(token(cnf={"jkt": "x"}))},
    ),
    (
        "refresh-race",
        {"m__txt": "Two tabs refresh at the same time with one refresh token."},
        {"m__txt": "I refresh the page in two tabs."},
    ),
    (
        "sigv4-default-port",
        {"l__log": "s3 canonical request\nhost:127.0.0.1:80\nSignatureDoesNotMatch"},
        {"l__log": "s3 canonical request\nhost:127.0.0.1:9000\nSignatureDoesNotMatch"},
    ),
    (
        "sigv4-region",
        {"l__log": "Credential=AKIAMADEUP/20240501/us-east-1/s3/aws4_request\ns3.eu-west-1.amazonaws.com"},
        {"l__log": "Credential=AKIAMADEUP/20240501/eu-west-1/s3/aws4_request\ns3.eu-west-1.amazonaws.com"},
    ),
    (
        "oauth1-signed",
        {"a__http": "GET /?oauth_signature=abc HTTP/1.1"},
        {"a__http": "GET /?signature_pad=abc HTTP/1.1"},
    ),
    (
        "request-signed-in-code",
        {"a__js": "const signature = crypto.createHmac('sha256', key)"},
        {"a__js": "jsonwebtoken; crypto.createHmac('sha256', key)"},
    ),
    (
        "code-lifetime-in-milliseconds",
        {"a__js": "jwt.sign(p, k, { expiresIn: '3600' })"},
        {"a__js": "jwt.sign(p, k, { expiresIn: '1h' })"},
    ),
    (
        "code-lifetime-too-short",
        {"A__java": "new Date(System.currentTimeMillis() + 3600)"},
        {"A__java": "new Date(System.currentTimeMillis() + 3600 * 1000L)"},
    ),
    (
        "code-times-in-milliseconds",
        {"a__js": "const claims = { exp: Date.now() + ttl }"},
        {"a__js": "const claims = { exp: Math.floor(Date.now() / 1000) + ttl }"},
    ),
    (
        "code-local-time-as-utc",
        {"a__py": "claims = {'exp': datetime.now() + delta}"},
        {"a__py": "claims = {'exp': datetime.now(timezone.utc) + delta}"},
    ),
    (
        "code-sends-refresh-token",
        {"a__js": "Authorization: `Bearer ${auth.refreshToken}`"},
        {"a__js": "Authorization: `Bearer ${auth.accessToken}`"},
    ),
    (
        "code-two-secrets",
        {"a__js": "jwt.sign({ id }, 'secret-one')", "b__js": "jwt.verify(token, process.env.JWT_SECRET)"},
        {
            "a__js": "jwt.sign({ id }, process.env.JWT_SECRET)",
            "b__js": "jwt.verify(token, process.env.JWT_SECRET)",
        },
    ),
    (
        "code-two-algorithms",
        {"a__py": 'jwt.encode(p, k, algorithm="HS512")', "b__py": 'jwt.decode(t, k, algorithms=["HS256"])'},
        {"a__py": 'jwt.encode(p, k, algorithm="HS256")', "b__py": 'jwt.decode(t, k, algorithms=["HS256"])'},
    ),
    (
        "token-fresh-refused",
        {"m__txt": "A newly issued token gets 401, the second attempt works."},
        {"m__txt": "A newly issued token gets 401, and so does the second."},
    ),
    (
        "presigned-field",
        {"m__txt": "s3 presigned URL with Content-Type: SignatureDoesNotMatch"},
        {"m__txt": "s3 presigned URL: SignatureDoesNotMatch"},
    ),
    (
        "token-request-no-form",
        {"c__txt": "curl -F grant_type=client_credentials https://x/token gives invalid_client"},
        {"c__txt": "curl -d grant_type=client_credentials https://x/token gives invalid_client"},
    ),
    (
        "token-ahead-of-lines",
        {
            "a__txt": f"09:00:00 GET /a 401\n09:02:00 GET /a 200\n{token('HS256', iat=1772355660, exp=1772359200)}"
        },
        {
            "a__txt": f"09:02:10 GET /a 401\n09:03:00 GET /a 401\n{token('HS256', iat=1772355660, exp=1772359200)}"
        },
    ),
    (
        "token-taken-later",
        {"a__txt": "10:00:00 POST /login 200\n10:00:02 GET /me 401\n10:01:00 GET /me 200"},
        {
            "a__txt": "10:00:00 POST /login 200\n10:00:02 GET /me 401\n10:00:50 POST /login 200\n10:01:00 GET /me 200"
        },
    ),
    (
        "kid-published",
        {"a__log": "Unable to find key with kid: abc123\n401", "b__txt": "$ curl https://x/keys\nabc123\n"},
        {"a__log": "Unable to find key with kid: abc123\n401", "b__txt": "$ curl https://x/keys\nabc999\n"},
    ),
    (
        "only-id-token-asked",
        {"a__txt": "https://x/authorize?response_type=id_token&scope=openid then 401"},
        {"a__txt": "https://x/authorize?response_type=id_token%20token&scope=openid then 401"},
    ),
    (
        "token-is-id-token",
        {
            "a__json": '{"iss":"https://x/","sub":"1","aud":"spa","nonce":"n","exp":1,"auth_time":1}',
            "m__txt": "401",
        },
        {
            "a__json": '{"iss":"https://x/","sub":"1","aud":"spa","nonce":"n","exp":1,"scp":"read"}',
            "m__txt": "401",
        },
    ),
    (
        "client-form-for-basic",
        {"a__log": 'grant_type=code&client_secret=made-up\nWWW-Authenticate: Basic realm="oauth2/client"'},
        {"a__log": 'grant_type=authorization_code\nWWW-Authenticate: Basic realm="oauth2/client"'},
    ),
    (
        "client-method-not-listed",
        {
            "a__txt": 'auth_method: client_secret_post\n"token_endpoint_auth_methods_supported":["client_secret_basic"]'
        },
        {
            "a__txt": 'auth_method: client_secret_post\n"token_endpoint_auth_methods_supported":["client_secret_post"]'
        },
    ),
    (
        "dpop-token-as-bearer",
        {"a__json": '{"token_type":"DPoP"}', "b__js": "h = { Authorization: `Bearer ${t}` }"},
        {"a__json": '{"token_type":"Bearer"}', "b__js": "h = { Authorization: `Bearer ${t}` }"},
    ),
    (
        "redirect-uri-inner",
        {"m__txt": "deployed behind nginx: redirect_uri=http%3A%2F%2Flocalhost%3A3000%2Fcb is refused"},
        {"m__txt": "deployed behind nginx: redirect_uri=https%3A%2F%2Fapp.example.org%2Fcb is refused"},
    ),
    (
        "token-of-other-stage",
        {
            "a__txt": "curl https://api.prod.example/x\n401",
            "b__json": '{"iss":"https://id.staging.example","sub":"1"}',
        },
        {
            "a__txt": "curl https://api.prod.example/x\n401",
            "b__json": '{"iss":"https://id.example","sub":"1"}',
        },
    ),
    (
        "code-sends-id-token",
        {"a__js": "headers: { Authorization: 'Bearer ' + tokens.id_token }"},
        {"a__js": "headers: { Authorization: 'Bearer ' + tokens.access_token }"},
    ),
    (
        "key-name-for-value",
        {"a__sh": "export GRAF_API_KEY=ci-reader", "b__txt": "Name        Role\nci-reader   Viewer\n401"},
        {"a__sh": "export GRAF_API_KEY=glsa-made-up", "b__txt": "Name        Role\nci-reader   Viewer\n401"},
    ),
    (
        "issuer-not-reached",
        {
            "a__log": "connect ECONNREFUSED 127.0.0.1:8080",
            "b__env": "OIDC_ISSUER=http://localhost:8080/realms/x",
        },
        {
            "a__log": "connect ECONNREFUSED 127.0.0.1:5432",
            "b__env": "OIDC_ISSUER=http://localhost:8080/realms/x",
        },
    ),
]


@pytest.mark.parametrize(("rule", "triggers", "near_miss"), RULES, ids=[rule for rule, _, _ in RULES])
def test_rule(rule: str, triggers: dict[str, str], near_miss: dict[str, str]) -> None:
    assert rule in findings(read(**triggers))
    assert rule not in findings(read(**near_miss))


def exchange(
    url: str, fields: list[tuple[str, str]], body: str = "", status: int = 401, method: str = "POST"
) -> Evidence:
    request = Request(method, url, Fields.of(fields), body)
    return Evidence((Exchange(1, request, Response(status), Source("test")),))


def basic(pair: str) -> list[tuple[str, str]]:
    return [("Authorization", "Basic " + base64.b64encode(pair.encode()).decode())]


TOKEN_URL = "https://sso.example.com/oauth2/token"
GRANT = "grant_type=client_credentials"


@pytest.mark.parametrize(
    ("rule", "triggers", "near_miss"),
    [
        (
            "client-secret-unencoded",
            (TOKEN_URL, basic("app:a+b/c="), GRANT),
            (TOKEN_URL, basic("app:a%2Bb"), GRANT),
        ),
        (
            "client-login-twice",
            (TOKEN_URL, basic("a:b"), GRANT + "&client_secret=b"),
            (TOKEN_URL, basic("a:b"), GRANT),
        ),
        ("refused-at-token-endpoint", (TOKEN_URL, [], GRANT), (TOKEN_URL, [], "grant_type=password")),
        ("refused-refresh-request", (TOKEN_URL, [], "grant_type=refresh_token"), (TOKEN_URL, [], GRANT)),
        (
            "refresh-path-refused",
            ("https://a/api/refresh", [], "refresh"),
            ("https://a/api/orders", [], "refresh"),
        ),
    ],
)
def test_token_endpoint(rule: str, triggers: tuple[Any, ...], near_miss: tuple[Any, ...]) -> None:
    evidence = exchange(*triggers) + read(m__txt="The refresh of the page fails.")
    assert rule in findings(evidence)
    assert rule not in findings(exchange(*near_miss) + read(m__txt="The refresh of the page fails."))


def test_a_variant_is_a_proof() -> None:
    """A secret that verifies a token only when decoded is a recomputation, so it proves the cause."""
    evidence = read(a__http=sent(token("HS256", bytes.fromhex(HEX))), __env=f"JWT_SECRET={HEX}")
    proofs = [f.proves for f in checks.run(evidence) if f.id == "token-secret-read-differently"]
    assert proofs == ["bad-signature"]


def test_findings_quote_no_credential() -> None:
    value = token("HS256", bytes.fromhex(HEX))
    for finding in checks.run(read(a__http=sent(value), __env=f"JWT_SECRET={HEX}")):
        assert HEX not in finding.says
        assert value.rpartition(".")[2] not in finding.says
