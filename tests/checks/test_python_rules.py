# ruff: noqa: E501  (tables of faults: one a row)
"""Each rule on applications in Python: code that triggers it, and a sound near-miss that does not."""

from __future__ import annotations

from collections.abc import Iterator

import jwt
import pytest

from why401 import checks, layers
from why401.checks import python_rules
from why401.diffs import diff, edited
from why401.evidence import Evidence, Exchange, Fields, Request, Response, Source
from why401.findings import CLEAR, Finding
from why401.layers import Document

SETTINGS = """
SECRET_KEY = "lab-key-of-at-least-thirty-two-bytes"
ROOT_URLCONF = "urls"
INSTALLED_APPS = [
    "rest_framework",
    "rest_framework.authtoken",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
SIMPLE_JWT = {"AUTH_HEADER_NAME": "HTTP_X_TOKEN"}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
}
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_SAMESITE = "None"
"""
VIEWS = """
from rest_framework.authentication import SessionAuthentication
from rest_framework.views import APIView


class Orders(APIView):
    def get(self, request): ...


class Login(APIView):
    permission_classes = []

    def post(self, request): ...


class Pages(APIView):
    authentication_classes = [SessionAuthentication]

    def get(self, request): ...
"""
URLS = """
from django.urls import path
from views import Login, Orders, Pages
urlpatterns = [path("orders/", Orders.as_view()), path("login/", Login.as_view()), path("pages/", Pages.as_view())]
"""
FLASK = """
import secrets
from flask import Flask, request, session
from flask_cors import CORS
from flask_httpauth import HTTPBasicAuth
from flask_login import login_required

app = Flask(__name__)
CORS(app)
app.secret_key = "one-and-the-same"
auth = HTTPBasicAuth()


@auth.verify_password
def verify(name, password):
    return name == "alice" and password == "wonderland"


@app.before_request
def known():
    if request.method == "OPTIONS" or request.endpoint == "login":
        return None
    if "Authorization" not in request.headers:
        return "log in", 401


@app.route("/orders")
@auth.login_required
def orders(): return {}


@app.route("/account")
@login_required
def account(): return {}


@app.post("/login")
def login(): return {}
"""
FASTAPI = """
import jwt
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer

KEY = "lab-key-of-at-least-thirty-two-bytes"
OTHER = "another-key-of-at-least-thirty-two-b"
app = FastAPI()
bearer = HTTPBearer()


@app.middleware("http")
async def gate(request: Request, call_next):
    if request.url.path != "/login" and "Authorization" not in request.headers:
        return JSONResponse({}, 401)
    return await call_next(request)


app.add_middleware(CORSMiddleware, allow_origins=["https://shop.example"])


@app.post("/login")
def login():
    return jwt.encode({"sub": "alice", "aud": "shop", "iss": "us"}, KEY, algorithm="HS256")


def user(given=Depends(bearer)):
    try:
        return jwt.decode(given.credentials, KEY, algorithms=["HS256"], audience="shop", issuer="us")
    except jwt.InvalidTokenError:
        raise HTTPException(401)


@app.get("/orders")
def orders(name=Depends(user)): return {}
"""
CORS = 'app.add_middleware(CORSMiddleware, allow_origins=["https://shop.example"])\n'


def files(**texts: str) -> list[Document]:
    return [Document(f"{name}.py", text) for name, text in texts.items()]


def found(documents: list[Document]) -> list[Finding]:
    evidence = Evidence(layers=layers.read(documents).layers)
    return [f for f in checks.lint(evidence) if max(f.weights.values()) >= CLEAR]


DJANGO = [
    ("settings", '"DEFAULT_AUTHENTICATION_CLASSES"', '"DEFAULT_AUTHENTICATION_CLASS"', "django-key-misspelt"),
    ("settings", '"HTTP_X_TOKEN"', '"X-Token"', "django-jwt-header-name"),
    ("settings", '    "django.contrib.auth.middleware.AuthenticationMiddleware",\n', "", "django-no-authentication-middleware"),
    ("settings", '    "rest_framework.authtoken",\n', "", "django-no-authtoken"),
    ("settings", "SESSION_COOKIE_SECURE = True\n", "", "django-samesite-none"),
    ("settings", '"lab-key-of-at-least-thirty-two-bytes"', "secrets.token_urlsafe()", "python-random-key"),
    ("views", "class Orders(APIView):\n", "class Orders(APIView):\n    authentication_classes = []\n", "django-nobody-authenticates"),
    ("views", "    permission_classes = []\n", "", "django-login-behind-login"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "rule"), DJANGO, ids=[row[3] for row in DJANGO])
def test_django(file: str, old: str, new: str, rule: str) -> None:
    texts = {"settings": "import secrets\n" + SETTINGS, "views": VIEWS, "urls": URLS}
    assert old in texts[file]
    texts[file] = texts[file].replace(old, new)
    assert [f.id for f in found(files(**texts))] == [rule]


@pytest.mark.parametrize(
    ("file", "old", "new", "rule"), DJANGO[:5] + DJANGO[6:], ids=[r[3] for r in DJANGO[:5] + DJANGO[6:]]
)
def test_the_edits_of_django_mend_it(file: str, old: str, new: str, rule: str) -> None:
    texts = {"settings": "import secrets\n" + SETTINGS, "views": VIEWS, "urls": URLS}
    texts[file] = texts[file].replace(old, new)
    (finding,) = found(files(**texts))
    assert finding.edits, rule
    texts[file] = edited(finding.edits[0].document, finding.edits)
    assert found(files(**texts)) == []


FAULTS = [
    (FLASK, '    if request.method == "OPTIONS" or request.endpoint == "login":', '    if request.endpoint == "login":', "flask-preflight-refused"),
    (FLASK, ' or request.endpoint == "login"', "", "flask-login-behind-login"),
    (FLASK, "@auth.verify_password\n", "", "flask-no-callback"),
    (FLASK, "    return name ==", "    name ==", "flask-callback-never-true"),
    (FLASK, '@app.route("/account")\n@login_required', '@login_required\n@app.route("/account")', "flask-guard-above-route"),
    (FLASK, '"one-and-the-same"', "secrets.token_hex(16)", "python-random-key"),
    (FASTAPI, 'algorithms=["HS256"], audience="shop", issuer="us"', "", "python-decode-without-algorithms"),
    (FASTAPI, "given.credentials, KEY", "given.credentials, OTHER", "python-two-keys"),
    (FASTAPI, 'algorithm="HS256"', 'algorithm="HS512"', "python-two-algorithms"),
    (FASTAPI, 'audience="shop"', 'audience="orders"', "python-two-audiences"),
    (FASTAPI, 'issuer="us"', 'issuer="them"', "python-two-issuers"),
    (FASTAPI, 'request.url.path != "/login" and ', "", "fastapi-login-behind-login"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "old", "new", "rule"), FAULTS, ids=[row[3] for row in FAULTS])
def test_flask_and_fastapi(text: str, old: str, new: str, rule: str) -> None:
    assert old in text
    (finding,) = found(files(app=text.replace(old, new)))
    assert finding.id == rule
    if finding.edits:
        mended = edited(finding.edits[0].document, finding.edits)
        assert found(files(app=mended)) == [], diff(finding.edits)


def test_cors_inside_of_the_check_is_moved_outside() -> None:
    text = FASTAPI.replace(CORS, "").replace("bearer = HTTPBearer()\n", f"bearer = HTTPBearer()\n{CORS}")
    (finding,) = found(files(app=text))
    assert finding.id == "fastapi-preflight-refused"
    mended = edited(finding.edits[0].document, finding.edits)
    assert mended.index("CORSMiddleware,") > mended.index("async def gate")
    assert found(files(app=mended)) == []


@pytest.mark.parametrize(
    "texts", [{"settings": SETTINGS, "views": VIEWS, "urls": URLS}, {"app": FLASK}, {"app": FASTAPI}]
)
def test_sound_code_raises_no_alarm(texts: dict[str, str]) -> None:
    assert found(files(**texts)) == []


def refused(status: int, path: str, documents: list[Document], **fields: str) -> Iterator[Finding]:
    sent = Fields.of((name.replace("_", "-"), value) for name, value in fields.items())
    request = Request("GET", f"http://h{path}", sent)
    exchange = Exchange(1, request, Response(status), Source("live", live=True))
    evidence = Evidence((exchange,)) + layers.read(documents)
    yield from python_rules.refused_by_code(evidence)


def token(key: str = "lab-key-of-at-least-thirty-two-bytes", **claims: object) -> str:
    made = {"sub": "alice", "aud": "shop", "iss": "us"} | claims
    return "Bearer " + jwt.encode(made, key, algorithm="HS256")


@pytest.mark.parametrize(
    ("fields", "cause", "proves"),
    [
        ({"Authorization": token(aud="orders")}, "wrong-audience", "wrong-audience"),
        ({"Authorization": token(iss="them")}, "wrong-issuer", "wrong-issuer"),
        ({"Authorization": token(exp=1)}, "token-expired", "token-expired"),
        ({"Authorization": token("no-such-key-of-thirty-two-bytes-here")}, "bad-signature", "bad-signature"),
        ({"Authorization": "Bearer abc"}, "malformed-token", ""),
        ({"Authorization": "Basic YTpi"}, "wrong-scheme", ""),
        ({}, "no-credentials", ""),
        ({"X_API_Key": "a"}, "wrong-header", ""),
    ],
)
def test_what_refuses_a_request(fields: dict[str, str], cause: str, proves: str) -> None:
    (finding,) = refused(401, "/orders", files(app=FASTAPI), **fields)
    assert max(finding.weights, key=lambda name: finding.weights[name]) == cause
    assert finding.proves == proves


def test_a_good_token_is_not_blamed() -> None:
    assert list(refused(401, "/orders", files(app=FASTAPI), Authorization=token())) == []


def test_white_space_alone() -> None:
    text = "from flask import *\napp = Flask(__name__)\n@app.get('/')\ndef a():\n    if request.headers.get('X-API-Key') != 'k ':\n        abort(401)\n"
    (finding,) = refused(
        401, "/", files(app=text.replace("import *", "import Flask, abort, request")), X_API_Key="k"
    )
    assert "stray-whitespace" in finding.weights
