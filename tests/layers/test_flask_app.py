"""Flask: blueprints, hooks, decorators of extensions and of the application's own."""

from __future__ import annotations

import base64

import pytest

from why401.evidence import Fields, Request
from why401.layers import Document, Tree, flask_app
from why401.layers.flask_app import Flask

TEXT = """
from functools import wraps
from flask import Blueprint, Flask, jsonify, request, session
from flask_httpauth import HTTPBasicAuth, HTTPTokenAuth
from flask_jwt_extended import jwt_required
from flask_login import LoginManager, login_required

app = Flask(__name__)
app.config.update(SECRET_KEY="lab", JWT_HEADER_TYPE="JWT")
login = LoginManager(app)
tokens = HTTPTokenAuth(scheme="Token")
users = HTTPBasicAuth()


@tokens.verify_token
def token(value):
    return value == "good"


@users.verify_password
def password(name, value):
    if name == "alice":
        return value == "wonderland"
    return None


def session_needed(view):
    @wraps(view)
    def inner(*args, **kwargs):
        if "user" not in session:
            return jsonify(error="log in"), 401
        return view(*args, **kwargs)
    return inner


api = Blueprint("api", __name__, url_prefix="/api")


@api.before_request
def gate():
    if request.headers.get("X-Gate") is None:
        return {"error": "gate"}, 403


@api.get("/orders/<int:number>")
def order(number): return {}


app.register_blueprint(api)


@app.route("/token")
@tokens.login_required
def with_token(): return {}


@app.route("/basic")
@users.login_required
def with_basic(): return {}


@app.route("/jwt")
@jwt_required()
def with_jwt(): return {}


@app.route("/login-required")
@login_required
def with_login(): return {}


@app.route("/session")
@session_needed
def with_session(): return {}
"""


def app() -> Flask:
    (root,) = flask_app.roots(tree := Tree([Document("app.py", TEXT)]))
    return flask_app.read(tree, root)


def line(words: str) -> int:
    return next(at for at, one in enumerate(TEXT.splitlines(), 1) if words in one)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("path", "fields", "at"),
    [
        ("/api/orders/1", {}, '"error": "gate"'),
        ("/api/orders/1", {"X-Gate": "1"}, None),
        ("/token", {"Authorization": "Bearer good"}, "@tokens.login_required"),
        ("/token", {"Authorization": "Token bad"}, 'value == "good"'),
        ("/token", {"Authorization": "Token good"}, None),
        ("/basic", {}, "@users.login_required"),
        ("/basic", {"Authorization": basic("bob", "x")}, "    return None"),
        ("/basic", {"Authorization": basic("alice", "x")}, 'value == "wonderland"'),
        ("/basic", {"Authorization": basic("alice", "wonderland")}, None),
        ("/jwt", {"Authorization": "Bearer a.b.c"}, "app.config.update"),
        ("/jwt", {"Authorization": "JWT a.b.c"}, None),
        ("/login-required", {}, "@login_required"),
        ("/session", {}, 'error="log in"'),
    ],
)
def test_the_line_that_refuses(path: str, fields: dict[str, str], at: str | None) -> None:
    found = app().refusals(Request("GET", f"http://h{path}", Fields.of(fields.items())))
    assert [(r.source.line, r.sure) for r in found] == ([(line(at), True)] if at else [])


def test_a_session_that_may_exist_decides_nothing() -> None:
    request = Request("GET", "http://h/session", Fields.of([("Cookie", "session=abc")]))
    assert [r.sure for r in app().refusals(request)] == [False]


def test_keys_are_secrets() -> None:
    secrets = {secret.reveal() for secret in app().secrets}
    assert secrets <= {"lab"}
