"""FastAPI: routers, dependencies, security schemes and middleware, in the order in which a request passes them."""

from __future__ import annotations

import pytest

from why401.evidence import Fields, Request
from why401.layers import Document, Tree, fastapi_app
from why401.layers.fastapi_app import FastApi

TEXT = """
from typing import Annotated
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Request
from fastapi.security import APIKeyHeader, HTTPBasic, HTTPBearer, OAuth2PasswordBearer
from fastapi.responses import JSONResponse

app = FastAPI()
bearer = HTTPBearer()
basic = HTTPBasic()
oauth2 = OAuth2PasswordBearer(tokenUrl="token", auto_error=False)
key = APIKeyHeader(name="X-Shop-Key")


async def known(token: Annotated[str | None, Depends(oauth2)]):
    if token is None:
        raise HTTPException(status_code=401, detail="who are you?")
    return token


def admin(user: Annotated[str, Depends(known)], x_role: Annotated[str | None, Header()] = None):
    if x_role != "admin":
        raise HTTPException(403)


router = APIRouter(prefix="/admin", dependencies=[Depends(admin)])


@router.get("/users/{name}")
def users(name: str): ...


app.include_router(router, prefix="/v1")


@app.get("/bearer", dependencies=[Depends(bearer)])
def with_bearer(): ...


@app.get("/basic")
def with_basic(user=Depends(basic)): ...


@app.get("/key")
def with_key(given: str = Depends(key)): ...


@app.get("/open/{rest:path}")
def everybody(rest: str): ...
"""


def app(text: str = TEXT) -> FastApi:
    (root,) = fastapi_app.roots(tree := Tree([Document("main.py", text), Document("test_main.py", text)]))
    return fastapi_app.read(tree, root)


def ask(
    path: str, text: str = TEXT, method: str = "GET", **fields: str
) -> list[tuple[int | None, int | None, bool]]:
    sent = Fields.of((name.replace("_", "-"), value) for name, value in fields.items())
    found = app(text).refusals(Request(method, f"http://h{path}", sent))
    return [(r.status, r.source.line, r.sure) for r in found]


def line(words: str, text: str = TEXT) -> int:
    return next(at for at, one in enumerate(text.splitlines(), 1) if words in one)


@pytest.mark.parametrize(
    ("path", "fields", "at"),
    [
        ("/bearer", {}, "bearer = HTTPBearer"),
        ("/bearer", {"Authorization": "Basic YTpi"}, "bearer = HTTPBearer"),
        ("/bearer", {"Authorization": "bearer x"}, None),
        ("/basic", {"Authorization": "Basic !"}, "basic = HTTPBasic"),
        ("/basic", {"Authorization": "Basic YTpi"}, None),
        ("/key", {"X_API_Key": "a"}, "key = APIKeyHeader"),
        ("/key", {"X_Shop_Key": "a"}, None),
        ("/v1/admin/users/bob", {}, "who are you?"),
        ("/v1/admin/users/bob", {"Authorization": "Bearer a"}, "HTTPException(403)"),
        ("/v1/admin/users/bob", {"Authorization": "Bearer a", "X_Role": "admin"}, None),
        ("/open/a/b", {}, None),
    ],
)
def test_the_line_that_refuses(path: str, fields: dict[str, str], at: str | None) -> None:
    assert [(where, sure) for _, where, sure in ask(path, **fields)] == ([(line(at), True)] if at else [])


def test_the_route_says_what_is_asked_for() -> None:
    (route,) = app().meets(Request("GET", "http://h/bearer"))
    assert [(d.respect, d.value, d.source.line) for d in route.demands] == [("scheme", "Bearer", 8)]
    assert app().meets(Request("GET", "http://h/nowhere")) == ()


def test_a_prefix_that_a_proxy_takes_off_is_forgiven() -> None:
    assert app().meets(Request("GET", "http://h/api/bearer"))[0].name == "with_bearer"


def test_factories_are_followed() -> None:
    lines = (
        "from fastapi import FastAPI",
        "def make():",
        "    app = FastAPI()",
        "    @app.get('/a')",
        "    def a(): ...",
    )
    text = "\n".join((*lines, "    return app"))
    assert [e.path for e in app(text).endpoints] == ["/a"]
