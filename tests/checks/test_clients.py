"""The checks of the family `clients`: each rule with evidence that triggers it, and a healthy near-miss."""

from __future__ import annotations

import base64

import pytest

from tests.checks.test_credentials import JWT, basic, exchange, findings, weight

Files = list[tuple[str, str]]
B = base64.b64encode


def secret(plain: str) -> str:
    return f"kind: Secret\ndata:\n  token: {B(plain.encode()).decode()}\n"


def maven(server: str, repository: str) -> Files:
    return [
        ("settings.xml", f"<settings><servers><server><id>{server}</id></server></servers></settings>"),
        ("pom.xml", f"<repository><id>{repository}</id><url>https://nexus.example.com/r</url></repository>"),
        ("m.log", "status code: 401"),
    ]


def npmrc(path: str) -> Files:
    return [
        (".npmrc", f"@a:registry=https://npm.example.com/x/\n{path}:_authToken=t-1\n"),
        ("l.txt", "npm ERR! code E401"),
    ]


def nuget(element: str) -> Files:
    sources = '<packageSources><add key="feed" value="https://x/"/></packageSources>'
    return [
        (
            "nuget.config",
            f"{sources}<packageSourceCredentials><{element}></{element}></packageSourceCredentials>",
        )
    ]


def said(text: str) -> Files:
    return [("message.txt", text)]


def shell(line: str) -> Files:
    return [("terminal.txt", f"$ {line}\nHTTP/1.1 401 Unauthorized")]


COOKIE = exchange(f"Bearer {JWT}").replace("Accept: */*", "Cookie: wordpress_logged_in_1=x")
LOGIN = 'curl -X POST localhost/login -H \'Content-Type: application/json\' -d \'{"username":"a","password":"b"}\''
SERVER = 'const app = express();\n{0}app.post("/login", passport.authenticate("local"));'

CASES: list[tuple[str, Files, Files]] = [
    # one credential over another
    (
        "credentials-overridden",
        [
            ("a.py", 'requests.get(u, headers={"Authorization": "Bearer "+t}) # 401'),
            (".netrc", "machine x.example.com login a password b"),
        ],
        [
            ("a.sh", 'curl -H "Authorization: Bearer $T" https://x.example.com # 401'),
            (".netrc", "machine x.example.com login a password b"),
        ],
    ),
    ("credentials-overridden", [("r.http", COOKIE)], [("r.http", exchange(f"Bearer {JWT}"))]),
    (
        "credentials-overridden",
        [("r.http", exchange(f"Bearer {JWT}").replace("Accept: */*", "Authorization: " + basic("a:b")))],
        [("r.http", exchange(f"Bearer {JWT}"))],
    ),
    (
        "credentials-overridden",
        said("401: the environment variable takes precedence over the config file"),
        said("401: I put it into the environment variable and into the config file"),
    ),
    # saved logins
    (
        "stored-credential-stale",
        said("401 since I changed my password; git credential.helper=store and it never asks again"),
        said("401 since the server was moved"),
    ),
    (
        "stored-credential-stale",
        said("The public image cannot be pulled: token has expired"),
        said("The token has expired"),
    ),
    # not attached
    ("client-config-not-loaded", maven("nexus", "releases"), maven("releases", "releases")),
    ("client-config-not-loaded", npmrc("//npm.example.com/y/"), npmrc("//npm.example.com/x/")),
    ("client-config-not-loaded", npmrc("https://npm.example.com/x/"), npmrc("//npm.example.com/")),
    ("client-config-not-loaded", nuget("other"), nuget("feed")),
    (
        "client-config-not-loaded",
        [("b.sbt", 'credentials += Credentials("Realm", "https://x.example.com/r", "u", "p")')],
        [("b.sbt", 'credentials += Credentials("Nexus", "x.example.com", "u", "p")')],
    ),
    (
        "client-config-not-loaded",
        [("t.txt", "$ docker login r.example.com\n$ sudo docker pull r.example.com/a\nunauthorized")],
        [("t.txt", "$ sudo docker login r.example.com\n$ sudo docker pull r.example.com/a\nunauthorized")],
    ),
    (
        "client-config-not-loaded",
        [("a.ini", "username = a\npassword = b"), ("r.http", exchange("", 'Basic realm="x"'))],
        [("a.ini", "username = a\npassword = b"), ("r.http", exchange(basic("a:b"), 'Basic realm="x"'))],
    ),
    # the shell and addresses
    (
        "unescaped-userinfo",
        shell("docker login -u robot$ci r.example.com"),
        shell("docker login -u 'robot$ci' r.example.com"),
    ),
    (
        "unescaped-userinfo",
        shell('curl -u "a:pa$word" https://x.example.com'),
        shell('curl -u "$USER:$PASS" https://x.example.com'),
    ),
    (
        "unescaped-userinfo",
        shell("git clone https://a:p@ss@x.example.com/r"),
        shell("git clone https://a:p%40ss@x.example.com/r"),
    ),
    (
        "unescaped-userinfo",
        shell("git clone https://a:p#ss@x.example.com/r"),
        shell("npm i https://x.example.com:8080/@scope/p@1.2"),
    ),
    (
        "unescaped-userinfo",
        [("c.yml", 'api_password: "a+b"'), ("l.log", "GET /s?api_password=x 401")],
        [("c.yml", 'api_password: "ab"'), ("l.log", "GET /s?api_password=x 401")],
    ),
    # how it was made
    ("stray-whitespace", [("s.yaml", secret("t-1234\n"))], [("s.yaml", secret("t-1234"))]),
    ("stray-whitespace", shell("echo a:b | base64"), shell("echo -n a:b | base64")),
    (
        "stray-whitespace",
        [("a.py", 't = open("token.txt").read() # 401')],
        [("a.py", 't = open("token.txt").read().strip() # 401')],
    ),
    (
        "bad-base64",
        [("A.java", "Base64.encodeToString(b, Base64.DEFAULT) // 401")],
        [("A.java", "Base64.encodeToString(b, Base64.NO_WRAP) // 401")],
    ),
    (
        "bad-base64",
        [("a.js", "`Basic ${user}:${pass}` // 401")],
        [("a.js", "`Basic ${btoa(user + ':' + pass)}` // 401")],
    ),
    (
        "charset-mismatch",
        said("401 as soon as the password has an umlaut"),
        said("401 as soon as the password is long"),
    ),
    (
        "malformed-authorization",
        [("a.js", "'Bearer: ' + token // 401")],
        [("a.js", "'Bearer ' + token // 401")],
    ),
    (
        "malformed-authorization",
        [("a.js", "'Bearer' + token // 401")],
        [("a.js", "'Bearer ' + token // 401")],
    ),
    (
        "malformed-authorization",
        [(".env", "API_TOKEN=Bearer abc"), ("a.js", "`Bearer ${t}` // 401")],
        [(".env", "API_TOKEN=abc"), ("a.js", "`Bearer ${t}` // 401")],
    ),
    # waiting for a challenge
    (
        "challenge-not-answered",
        [
            ("A.java", "Authenticator.setDefault(a)"),
            ("r.txt", 'HTTP/1.1 401 X\nWWW-Authenticate: Basic realm="x", charset="UTF-8"\n'),
        ],
        [("A.java", "Authenticator.setDefault(a)"), ("r.http", exchange(basic("a:b"), 'Basic realm="x"'))],
    ),
    (
        "challenge-not-answered",
        [("m.go", "req.SetBasicAuth(u, p)"), ("r.http", exchange("", 'Digest realm="x", nonce="n"'))],
        [("m.go", "req.SetBasicAuth(u, p)"), ("r.http", exchange("", 'Basic realm="x"'))],
    ),
    # user names beside tokens
    (
        "wrong-user-name-for-token",
        [(".pypirc", "[pypi]\nusername = anna\npassword = pypi-AgE\n"), ("l.txt", "403 Forbidden")],
        [(".pypirc", "[pypi]\nusername = __token__\npassword = pypi-AgE\n"), ("l.txt", "403 Forbidden")],
    ),
    (
        "wrong-user-name-for-token",
        shell("docker login -u me 1.dkr.ecr.eu-west-1.amazonaws.com"),
        shell("docker login -u AWS 1.dkr.ecr.eu-west-1.amazonaws.com"),
    ),
    (
        "wrong-user-name-for-token",
        shell("curl -u anna:$T https://a.atlassian.net/rest/api/3/myself"),
        shell("curl -u anna@example.com:$T https://a.atlassian.net/rest/api/3/myself"),
    ),
    # needless, and bodies nobody reads
    (
        "needless-credential-rejected",
        [("bad.http", exchange(f"Bearer {JWT}")), ("good.http", exchange("", status=200))],
        [
            ("bad.http", exchange("", 'Bearer realm="x"')),
            ("good.http", exchange(f"Bearer {JWT}", status=200)),
        ],
    ),
    (
        "needless-credential-rejected",
        [("v.py", "permission_classes = [AllowAny]"), ("r.http", exchange("Token 00aa11bb22cc"))],
        [("v.py", "permission_classes = [IsAuthenticated]"), ("r.http", exchange("Token 00aa11bb22cc"))],
    ),
    (
        "login-body-not-read",
        [("s.js", SERVER.format("")), ("t.txt", f"$ {LOGIN}\nHTTP/1.1 401 X")],
        [("s.js", SERVER.format("app.use(express.json());\n")), ("t.txt", f"$ {LOGIN}\nHTTP/1.1 401 X")],
    ),
    (
        "login-body-not-read",
        shell('curl https://x.example.com/login -d \'{"user":"a","password":"b"}\''),
        shell("curl https://x.example.com/login -d 'user=a&password=b'"),
    ),
    (
        "login-body-not-read",
        [("m.py", "form: OAuth2PasswordRequestForm = Depends()"), ("t.txt", f"$ {LOGIN}\nHTTP/1.1 401 X")],
        [
            ("m.py", "form: OAuth2PasswordRequestForm = Depends()"),
            ("t.txt", "$ curl localhost/login -d 'username=a&password=b'\nHTTP/1.1 401 X"),
        ],
    ),
]


@pytest.mark.parametrize(("cause", "bad", "good"), CASES)
def test_rule(cause: str, bad: Files, good: Files) -> None:
    assert weight(cause, *bad) >= 10
    assert weight(cause, *good) < 10


def test_cookie_that_wins() -> None:
    """The strongest contrast: the same Authorization, with and without the cookie."""
    works = exchange(f"Bearer {JWT}", status=200)
    assert weight("credentials-overridden", ("bad.http", COOKIE), ("good.http", works)) >= 20


def test_healthy_evidence_is_silent() -> None:
    """Settings that nobody complains about, and a request that succeeds."""
    files = [
        ("pom.xml", "<id>a</id>"),
        (".npmrc", "registry=https://registry.npmjs.org/"),
        ("r.http", exchange(basic("a:b"), status=200)),
    ]
    assert not [f for f in findings(*files) if max(f.weights.values(), default=0) >= 10]
