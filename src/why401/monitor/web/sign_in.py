"""Signing in and out."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, get, post
from litestar.enums import RequestEncodingType
from litestar.middleware.rate_limit import RateLimitConfig
from litestar.params import Body
from litestar.response import Redirect, Template

from why401.monitor import groups, users
from why401.monitor.store import Store

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
#: Guesses at passwords are slow here, and yet nobody is locked out of their account by others.
_slowly = RateLimitConfig(rate_limit=("minute", 20)).middleware


def _inside(address: str) -> str:
    """A page of this server, never another's."""
    return address if address.startswith("/") and not address.startswith(("//", "/\\")) else "/"


@get("/sign-in", include_in_schema=False)
async def sign_in_page(next: str = "/") -> Template:
    return Template("sign_in.html", context={"next": _inside(next), "viewer": None, "problem": ""})


@post("/sign-in", include_in_schema=False, sync_to_thread=True, middleware=[_slowly])
def sign_in(request: Request[Any, Any, Any], data: Form, store: Store) -> Template | Redirect:
    name, there = data.get("name", "").strip(), _inside(data.get("next", "/"))
    user: Any = users.sign_in(store, name, data.get("password", ""))
    if user is None:
        context = {"next": there, "viewer": None, "problem": "Name and password do not fit.", "name": name}
        return Template("sign_in.html", context=context, status_code=401)
    request.set_session({"user": user.id, "sessions": user.sessions})
    with store.write() as connection:
        groups.note(connection, user.name, "signed in", None, {})
    return Redirect(there, status_code=303)


@post("/sign-out", include_in_schema=False, status_code=303)
async def sign_out(request: Request[Any, Any, Any]) -> Redirect:
    request.clear_session()
    return Redirect("/sign-in", status_code=303)


HANDLERS = (sign_in_page, sign_in, sign_out)
