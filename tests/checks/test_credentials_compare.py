"""Checks that compare requests, code and settings: each with evidence that triggers it, and a healthy near-miss."""

# A table of samples is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import pytest

from tests.checks.test_credentials import findings

Files = list[tuple[str, str]]

QUERY = (
    "POST /oauth/token?grant_type=password&username=u&password=pw1{0} HTTP/1.1\nHost: h.example.com\nContent-Length: 0\n\n"
    "HTTP/1.1 401 Unauthorized\nServer: x\n"
)
GOOD_CURL = (
    '$ curl -s -o /dev/null -w "%{http_code}\\n" https://api.example.com/v1/x -H "X-Api-Key: $KEY"\n200\n'
)
BAD_FIELD = "GET /v1/x HTTP/1.1\nHost: api.example.com\nAuthorization: Bearer aaaa1111bbbb\n\nHTTP/1.1 401 Unauthorized\n"
LOGIN = '$ curl -s -X POST http://h:80/login -d \'{"user":"a","password":"b1"}\'\n{"token":"tok-1234"}\n'
PRINTS = (
    'r = httpx.get(url, headers={"Authorization": f"Bearer {t}"})\nprint(r.status_code, r.request.headers)\n'
)
NPM_404 = "npm http fetch GET 404 https://r.example.com/@a%2fb 12ms\n"
ANON_200 = '$ curl -s -o /dev/null -w "%{http_code}\\n" https://r.example.com/@a%2fb\n200\n'
WRAPS = 'auth = Base64.encode64("#{user}:#{token}"){0}\nreq[\'Authorization\'] = "Basic #{auth}"\nputs res.code # 401\n'
ENCODED = (
    "this.auth = Buffer.from(`${user}:${pw}`).toString('base64');\nreturn { Authorization: %sthis.auth };\n"
)
FORM = "$ curl -X POST https://h/login -d username=a -d password=b1\n"

#: id of the finding, cause that it speaks for, evidence that triggers it, healthy near-miss
RULES: list[tuple[str, str, Files, Files]] = [
    ("login-in-query", "login-body-not-read", [("r.http", QUERY.format(""))], [("r.http", QUERY.format("").replace("401 Unauthorized", "200 OK"))]),
    ("another-field-works", "wrong-header", [("c.txt", GOOD_CURL), ("r.http", BAD_FIELD)], [("c.txt", GOOD_CURL), ("r.http", BAD_FIELD.replace("Authorization: Bearer", "X-Api-Key:"))]),
    ("another-field-works", "wrong-header", [("c.txt", GOOD_CURL), ("e.log", "error 401 Auth method: api-key (key 12ab)")], [("c.txt", GOOD_CURL), ("e.log", "error 401 Auth method: x-api-key (key 12ab)")]),
    ("another-field-works", "wrong-header", [("c.txt", GOOD_CURL), ("a.py", 'headers = {"Authorization": "Bearer " + key}\nraise E("401")\n')], [("c.txt", GOOD_CURL), ("a.py", 'headers = {"X-Api-Key": key}\nraise E("401")\n')]),
    ("token-not-brought", "no-credentials", [("c.txt", LOGIN + "$ curl -i http://h:80/me\nHTTP/1.1 401 Unauthorized\nServer: x\n")], [("c.txt", LOGIN + '$ curl -i http://h:80/me -H "Authorization: Bearer tok-1234"\nHTTP/1.1 401 Unauthorized\nServer: x\n')]),
    ("other-scheme-went-out", "credentials-overridden", [("a.py", PRINTS), ("output.txt", "401 {'User-Agent': 'x', 'Authorization': 'Basic dTpw'}")], [("a.py", PRINTS), ("output.txt", "401 {'User-Agent': 'x', 'Authorization': 'Bearer aa11'}")]),
    ("hidden-by-not-found", "needless-credential-rejected", [(".npmrc", "_auth=dTpw\n"), ("n.log", NPM_404), ("c.txt", ANON_200)], [("n.log", NPM_404), ("c.txt", ANON_200)]),
    ("fields-after-blank", "no-credentials", [("a.http", "GET https://h.example.com/x\n\nAuthorization: Bearer aa11\n"), ("m.txt", "I get 401")], [("a.http", "GET https://h.example.com/x\nAuthorization: Bearer aa11\n"), ("m.txt", "I get 401")]),
    ("form-works-json-sent", "login-body-not-read", [("a.js", "axios.post('/login', {username, password}) // 401\n"), ("c.txt", FORM)], [("a.js", "axios.post('/login', new URLSearchParams({username, password})) // 401\n"), ("c.txt", FORM)]),
    ("token-kept-not-sent", "no-credentials", [("a.js", 'localStorage.setItem("token", t);\nconst r = await fetch(u); // 401\n')], [("a.js", 'localStorage.setItem("token", t);\nconst r = await fetch(u, { headers: h }); // 401\n')]),
    ("one-name-two-values", "credentials-overridden", [(".env", "ACME_API_KEY=new-key-2222\n"), ("t.txt", "$ export ACME_API_KEY=old-key-1111\n$ run\n401 Unauthorized\n")], [(".env", "ACME_API_KEY=new-key-2222\n"), ("t.txt", "$ export ACME_API_KEY=new-key-2222\n$ run\n401 Unauthorized\n")]),
    ("field-in-value", "malformed-authorization", [("s.json", '{"token": "X-Acme-Key: 0123456789ab"}'), ("m.txt", "401")], [("s.json", '{"token": "0123456789ab"}'), ("m.txt", "401")]),
    ("example-beside-code", "credentials-overridden", [("a.cs", 'Client.Config.ApiKey = "k81msd0a";\nClient.Go(); // 401\n'), ("app.config", '<acme apiKey="API_KEY_HERE" />')], [("a.cs", 'Client.Config.ApiKey = "k81msd0a";\nClient.Go(); // 401\n'), ("app.config", '<acme apiKey="k81msd0a" />')]),
    ("encoder-wraps", "bad-base64", [("a.rb", WRAPS.replace("{0}", ""))], [("a.rb", WRAPS.replace("{0}", ".strip.gsub('\\n', '')"))]),
    ("encoder-wraps", "bad-base64", [("a.sh", 'auth=$(printf "%s:%s" "$u" "$p" | base64)\ncurl -H "Authorization: Basic $auth" https://h/x # 401\n')], [("a.sh", 'auth=$(printf "%s:%s" "$u" "$p" | base64 -w0)\ncurl -H "Authorization: Basic $auth" https://h/x # 401\n')]),
    ("encoder-wraps", "bad-base64", [("A.m", "[d base64EncodedStringWithOptions:NSDataBase64Encoding76CharacterLineLength] // Authorization, 401")], [("A.m", "[d base64EncodedStringWithOptions:0] // Authorization, 401")]),
    ("long-ones-fail", "bad-base64", [("m.txt", "Basic auth answers 401 with long tokens, a short password works.")], [("m.txt", "Basic auth answers 401 with every token.")]),
    ("basic-word-missing", "wrong-scheme", [("a.js", ENCODED % ""), ("e.txt", "401")], [("a.js", ENCODED % "'Basic ' + "), ("e.txt", "401")]),
    ("white-space-in-quotes", "stray-whitespace", [("f.txt", '40/live,{"apiKey":"owa_8c1f0b52d7 "}\n401 Invalid API key')], [("f.txt", '40/live,{"apiKey":"owa_8c1f0b52d7"}\n401 Invalid API key')]),
    ("secret-as-name", "placeholder-credential", [("a.py", 'key = os.environ.get("Xy12ab-Cd34EF_gh56.Kl78mn")')], [("a.py", 'key = os.environ.get("MAIL_API_KEY_2")')]),
    ("protected-variable", "client-config-not-loaded", [("v.txt", "DEPLOY_TOKEN   Protected, Masked\n"), ("j.log", "merge request pipeline: 401 Unauthorized")], [("v.txt", "DEPLOY_TOKEN   Masked\n"), ("j.log", "merge request pipeline: 401 Unauthorized")]),
    ("cookie-wins-told", "credentials-overridden", [("r.http", BAD_FIELD), ("m.txt", "Without the tracking cookies the same call works.")], [("r.http", BAD_FIELD), ("m.txt", "The page sets tracking cookies.")]),
    ("credential-of-manual", "placeholder-credential", [("r.http", BAD_FIELD.replace("aaaa1111bbbb", "YourTokenBV3tua4BXNw"))], [("r.http", BAD_FIELD)]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "cause", "files", "healthy"),
    RULES,
    ids=[f"{number}-{rule[0]}" for number, rule in enumerate(RULES)],
)
def test_rule(name: str, cause: str, files: Files, healthy: Files) -> None:
    hits = [finding for finding in findings(*files) if finding.id == name]
    assert hits
    assert hits[0].weights[cause] > 0
    assert name not in {finding.id for finding in findings(*healthy)}


def test_no_secret_is_said() -> None:
    """A sentence quotes names, never values."""
    for _, _, files, _ in RULES:
        for finding in findings(*files):
            assert not any(secret in finding.says for secret in ("1111", "owa_", "0123456789ab"))
