"""Python read without being run: values, imports, ways through a function, and what a request decides there."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from why401.evidence import Fields, Request
from why401.layers import Document, Tree, django_app, fastapi_app, flask_app
from why401.layers.model import Damaged
from why401.layers.python_app import Application
from why401.layers.python_execute import Program
from why401.layers.python_modules import Project
from why401.layers.python_values import UNKNOWN, Configured


def values(text: str, **others: str) -> dict[str, object]:
    """The names of a module; `others` are the modules beside it."""
    documents = [Document("app/main.py", text), *(Document(f"app/{n}.py", t) for n, t in others.items())]
    program = Program(Project(Tree(documents), documents[0]))
    module = program.project.module(documents[0])
    assert module is not None
    return program.space(module).names


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x = 'a' + 'b'", "ab"),
        ("x = [1]\nx += [2]\nx.append(3)", [1, 2, 3]),
        ("d = {'a': 1}\nd.update({'b': 2})\nd['c'] = 3\nx = d", {"a": 1, "b": 2, "c": 3}),
        ("class A:\n    k = 'one'\nclass B(A):\n    pass\nx = B.k", "one"),
        ("def f(a, b=2):\n    return a + b\nx = f(1)", 3),
        ("import os\nx = os.environ.get('KEY', 'dev')", "dev"),
        ("import os\nx = os.environ.get('KEY') or 'dev'", "dev"),
        ("import os\nif os.environ.get('A'):\n    x = 1\nelse:\n    x = 2", UNKNOWN),
        ("x = f'{1}-{\"a\"}'", "1-a"),
        ("x = [n.upper() for n in ('a', 'b')]", ["A", "B"]),
        ("try:\n    from nowhere import y\nexcept ImportError:\n    pass\nx = 1", 1),
        ("x = 'a' * 10**9", UNKNOWN),
        ("def f(): return f()\nx = f()", UNKNOWN),
    ],
)
def test_values(text: str, value: object) -> None:
    assert values(text)["x"] == value


def test_what_the_environment_may_change_is_marked() -> None:
    assert isinstance(values("import os\nx = os.getenv('KEY', 'dev')")["x"], Configured)


@pytest.mark.parametrize(
    "imports", ["from .other import K", "from app.other import K", "from app.other import *"]
)
def test_names_come_from_the_modules_beside(imports: str) -> None:
    assert values(f"{imports}\nx = K", other="K = 'key'")["x"] == "key"


FLASK = """
from flask import Flask, abort, request
app = Flask(__name__)
def load():
{body}
@app.get("/orders")
def orders():
    load()
    return "orders"
"""


def refusals(body: str, **fields: str) -> list[tuple[int | None, bool]]:
    """Status and certainty of what refuses a request with these fields."""
    text = FLASK.format(body="\n".join(f"    {line}" for line in body.splitlines()))
    app = flask_app.read(Tree([document := Document("app.py", text)]), document)
    sent = Fields.of((name.replace("_", "-"), value) for name, value in fields.items())
    return [(r.status, r.sure) for r in app.refusals(Request("GET", "http://h/orders", sent))]


@pytest.mark.parametrize(
    ("body", "fields", "found"),
    [
        ("if not request.headers.get('X-Key'): abort(401)", {}, [(401, True)]),
        ("if not request.headers.get('X-Key'): abort(401)", {"X_Key": "1"}, []),
        ("if 'X-Key' not in request.headers: abort(403)", {}, [(403, True)]),
        ("if request.headers['Authorization'].split()[1] != 'a': abort(401)", {"Authorization": "Bearer a"}, []),
        ("a = request.authorization\nif a.username != 'bob': abort(401)", {"Authorization": "Basic Ym9iOng="}, []),
        ("a = request.authorization\nif a is None: abort(401)", {}, [(401, True)]),
        ("if unknown(): abort(401)", {}, [(401, False)]),
        ("try:\n    check()\nexcept Exception:\n    abort(401)", {}, [(401, False)]),
        ("try:\n    raise KeyError('a')\nexcept LookupError:\n    abort(401)", {}, [(401, True)]),
        ("try:\n    raise KeyError('a')\nexcept ValueError:\n    abort(401)", {}, []),
        ("for p in ('/static', '/login'):\n    if request.path.startswith(p): return\nabort(401)", {}, [(401, True)]),
    ],
)  # fmt: skip
def test_ways_through_a_function(body: str, fields: dict[str, str], found: list[tuple[int, bool]]) -> None:
    assert refusals(body, **fields) == found


def test_a_field_that_may_have_been_sent_decides_nothing() -> None:
    text = FLASK.format(body="    if not request.headers.get('X-Key'): abort(401)")
    app = flask_app.read(Tree([document := Document("app.py", text)]), document)
    found = app.refusals(Request("GET", "http://h/orders", complete=False))
    assert [(r.status, r.sure) for r in found] == [(401, False)]


def test_conditions_show_no_secret() -> None:
    text = FLASK.format(body="    if request.headers.get('X-Key') != 'hush-hush': abort(401)")
    app = flask_app.read(Tree([document := Document("app.py", text)]), document)
    words = " ".join(answer.words for route in app.routes() for answer in route.answers)
    assert "X-Key" in words
    assert "hush" not in words


HEADS = {
    django_app: "INSTALLED_APPS = []\n",
    fastapi_app: "from fastapi import FastAPI\napp = FastAPI()\n",
    flask_app: "from flask import Flask\napp = Flask(__name__)\n",
}
BROKEN = [
    "x = FastAPI(",
    "def f(:",
    "\0",
    "(" * 500,
    "INSTALLED_APPS = [",
    "x = [][0]",
    "a, b = (1,)",
    "from . import *",
]


@pytest.mark.parametrize("module", HEADS)
@given(text=st.text() | st.sampled_from(BROKEN))
@settings(max_examples=60, deadline=None)
def test_any_text_is_read_or_refused_in_one_sentence(module: Any, text: str) -> None:
    tree = Tree([Document("app.py", HEADS[module] + text)])
    for root in module.roots(tree):
        with suppress(Damaged):
            app: Application = module.read(tree, root)
            app.routes()
