"""Signing in and out."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, get, post
from litestar.datastructures import State
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotFoundException
from litestar.middleware.rate_limit import RateLimitConfig
from litestar.params import Body
from litestar.response import Redirect, Template

from why401.monitor import groups, users
from why401.monitor.openid import OpenId
from why401.monitor.projects import Unknown
from why401.monitor.store import Store

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
#: Guesses at passwords are slow here, and yet nobody is locked out of their account by others.
_slowly = RateLimitConfig(rate_limit=("minute", 20)).middleware


def _inside(address: str) -> str:
    """A page of this server, never another's."""
    return address if address.startswith("/") and not address.startswith(("//", "/\\")) else "/"


@get("/sign-in", include_in_schema=False)
async def sign_in_page(state: State, next: str = "/") -> Template:
    return _page(state, next)


def _page(state: State, there: str, problem: str = "", name: str = "") -> Template:
    openid: OpenId | None = state.openid
    context = {"next": _inside(there), "viewer": None, "problem": problem, "name": name,
               "provider": openid.name if openid else ""}  # fmt: skip
    return Template("sign_in.html", context=context, status_code=401 if problem else 200)


@post("/sign-in", include_in_schema=False, sync_to_thread=True, middleware=[_slowly])
def sign_in(request: Request[Any, Any, Any], data: Form, store: Store, state: State) -> Template | Redirect:
    name, there = data.get("name", "").strip(), _inside(data.get("next", "/"))
    user: Any = users.sign_in(store, name, data.get("password", ""))
    if user is None:
        return _page(state, there, "Name and password do not fit.", name)
    request.set_session({"user": user.id, "sessions": user.sessions})
    with store.write() as connection:
        groups.note(connection, user.name, "signed in", None, {})
    return Redirect(there, status_code=303)


@get("/sign-in/openid", include_in_schema=False, sync_to_thread=True)
def ask_provider(request: Request[Any, Any, Any], state: State, next: str = "/") -> Template | Redirect:
    openid: OpenId | None = state.openid
    if openid is None:
        raise NotFoundException("No OpenID provider is set up here; see why401 serve --help.")
    try:
        there, kept = openid.start()
    except Unknown as problem:
        return _page(state, next, str(problem))
    request.set_session({"openid": {**kept, "next": _inside(next)}})
    return Redirect(there, status_code=303)


@get("/sign-in/openid/back", include_in_schema=False, sync_to_thread=True, middleware=[_slowly])
def come_back(request: Request[Any, Any, Any], store: Store, state: State) -> Template | Redirect:
    openid: OpenId | None = state.openid
    if openid is None:
        raise NotFoundException("No OpenID provider is set up here; see why401 serve --help.")
    kept = request.session.get("openid") or {}
    request.clear_session()
    try:
        found = openid.finish(kept, dict(request.query_params.items()))
        user: Any = users.by_subject(store, found.subject, found.email)
    except Unknown as problem:
        return _page(state, kept.get("next", "/"), str(problem))
    request.set_session({"user": user.id, "sessions": user.sessions})
    return Redirect(kept["next"], status_code=303)


@post("/sign-out", include_in_schema=False, status_code=303)
async def sign_out(request: Request[Any, Any, Any]) -> Redirect:
    request.clear_session()
    return Redirect("/sign-in", status_code=303)


HANDLERS = (sign_in_page, sign_in, ask_provider, come_back, sign_out)
