"""Decorators that guard Flask views: Flask-Login, Flask-HTTPAuth, Flask-JWT-Extended.

What each refuses follows its source: flask_login/utils.py and login_manager.py (`unauthorized` answers 401 where
no `login_view` is set, else a redirect); flask_httpauth.py (`get_auth`, `authenticate`); flask_jwt_extended
(`JWT_HEADER_NAME`, `JWT_HEADER_TYPE`, 401 for a missing field, 422 for a bad one).
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from why401.evidence import Source
from why401.layers.python_app import Asking, Refusal
from why401.layers.python_define import Wrapped
from why401.layers.python_scopes import Flow
from why401.layers.python_values import UNKNOWN, Function, Sent, Thing, truth

if TYPE_CHECKING:
    from why401.layers.flask_app import Flask


def decorated(app: Flask, asking: Asking, view: Function) -> None:
    """Take a request through the decorators of a view, outermost first, then through the view. Raises Refused."""
    for by in view.decorators:
        if isinstance(by, Thing):
            _guard(app, asking, by)
    inner = next((by.function for by in view.decorators if isinstance(by, Wrapped)), None)
    if inner is not None:
        for by in inner.decorators:
            if isinstance(by, Thing):
                _guard(app, asking, by)
    asking.run(view)


def _guard(app: Flask, asking: Asking, by: Thing) -> None:
    owner = by.owner if isinstance(by.owner, Thing) else None
    kind = by.kind
    if kind == "login_required" and owner is not None and owner.package == "flask_httpauth":
        _http_auth(asking, owner, by)
    elif kind in ("login_required", "fresh_login_required") and by.package == "flask_login":
        _login(app, asking, by)
    elif kind in ("jwt_required", "fresh_jwt_required") and by.package == "flask_jwt_extended":
        _jwt(app, asking, by)


def scheme_of(auth: Thing) -> str:
    """The scheme that an object of Flask-HTTPAuth asks for."""
    if auth.kind == "HTTPBasicAuth":
        given = auth.argument("scheme", 0)
        return str(given) if isinstance(given, str) else "Basic"
    if auth.kind == "HTTPDigestAuth":
        return "Digest"
    given = auth.argument("scheme", 0)
    return str(given) if isinstance(given, str) else "Bearer"


def _http_auth(asking: Asking, auth: Thing, by: Thing) -> None:
    wanted, header = scheme_of(auth), auth.argument("header", 2 if auth.kind == "HTTPTokenAuth" else 99)
    if auth.kind == "MultiAuth":
        return
    if isinstance(header, str) and header.lower() != "authorization":
        value = asking.reading.field(header)
        reads = tuple(asking.reading.reads[-1:])
        if value is None or value is UNKNOWN:
            asking.refuse(
                Refusal(401, by.source, value is None, (), reads, wants=("field", header), guard=by.kind)
            )
            return
        _verified(asking, auth, by, [value])
        return
    value = asking.reading.field("Authorization")
    reads = tuple(asking.reading.reads[-1:])
    if value is UNKNOWN:
        asking.refuse(Refusal(401, by.source, False, (), reads, wants=("scheme", wanted), guard=by.kind))
        return
    scheme, _, rest = value.partition(" ") if value else ("", "", "")
    if scheme.lower() != wanted.lower() or not rest:
        asking.refuse(Refusal(401, by.source, True, (), reads, wants=("scheme", wanted), guard=by.kind))
    origin = "the Authorization field"
    if auth.kind == "HTTPBasicAuth":
        try:
            user, _, password = base64.b64decode(rest).decode().partition(":")
        except (binascii.Error, ValueError):
            return
        _verified(asking, auth, by, [Sent.of(user, origin), Sent.of(password, origin)])
    elif auth.kind == "HTTPTokenAuth":
        _verified(asking, auth, by, [Sent.of(rest, origin)])


def _verified(asking: Asking, auth: Thing, by: Thing, args: list[Any]) -> None:
    """Ask the callback; what it returns that is false means 401."""
    callback = next((use.target for use in auth.used("verify_password", "verify_token")), None)
    if isinstance(callback, Function):
        compared = len(asking.reading.comparisons)
        flows = asking.run(callback, args)
        for flow in flows:
            _false(asking, flow, callback, compared)
        return
    given = next((use.target for use in auth.used("get_password")), None)
    if isinstance(given, Function) and len(args) == 2:
        for flow in asking.run(given, args[:1]):
            value = flow.value if flow.kind == "returns" else None
            if value is None or (isinstance(value, str) and value != args[1]):
                where = flow.source if flow.kind == "returns" else given.source
                found = Refusal(
                    401,
                    where,
                    flow.sure,
                    flow.because,
                    comparisons=((None, value, args[1]),),
                    guard=given.name,
                )
                asking.refuse(found)


def _false(asking: Asking, flow: Flow, callback: Function, compared: int) -> None:
    value = flow.value if flow.kind == "returns" else None
    held = truth(value)
    if held is True:
        return
    end = callback.node.body[-1].lineno if isinstance(callback.node.body, list) else callback.source.line
    where = flow.source if flow.kind == "returns" else Source(callback.source.name, end)
    comparisons = tuple(asking.reading.comparisons[compared:])
    sure = flow.sure and held is False
    exception = flow.scope.names.get("@handled")
    asking.refuse(Refusal(401, where, sure, flow.because, (), comparisons, exception, None, callback.name))


def _login(app: Flask, asking: Asking, by: Thing) -> None:
    managers = [made for made in app.program.made if made.kind == "LoginManager"]
    loaders = [use for manager in managers for use in manager.used("request_loader", "unauthorized_handler")]
    if loaders or any("login_view" in manager.places for manager in managers):
        return
    cookies = asking.reading.cookies()
    names = (asking.reading.session_cookie, app.config.text("REMEMBER_COOKIE_NAME") or "remember_token")
    unknown = not asking.reading.request.complete or any(name in cookies for name in names)
    reads = () if unknown else (asking.reading.reads[-1:] or ())
    asking.refuse(
        Refusal(401, by.source, not unknown, (), tuple(reads), wants=("cookie", names[0]), guard=by.kind)
    )


def _jwt(app: Flask, asking: Asking, by: Thing) -> None:
    places = app.config.get("JWT_TOKEN_LOCATION")
    if by.kwargs.get("optional") is True or (places is not None and "headers" not in _names(places)):
        return
    name = app.config.text("JWT_HEADER_NAME") or "Authorization"
    configured = app.config.get("JWT_HEADER_TYPE")
    wanted = "Bearer" if configured is None else str(configured) if isinstance(configured, str) else ""
    value = asking.reading.field(name)
    reads = tuple(asking.reading.reads[-1:])
    wants = ("scheme", wanted) if name == "Authorization" and wanted else ("field", name)
    source = app.config.places.get(
        "JWT_HEADER_TYPE" if wants[0] == "scheme" else "JWT_HEADER_NAME", by.source
    )
    if value is UNKNOWN:
        asking.refuse(Refusal(401, by.source, False, (), reads, wants=wants, guard=by.kind))
    elif value is None or (wanted and value.partition(" ")[0] != wanted):
        asking.refuse(
            Refusal(401, source if value else by.source, True, (), reads, wants=wants, guard=by.kind)
        )


def _names(value: Any) -> list[Any]:
    return (
        [value]
        if isinstance(value, str)
        else list(value)
        if isinstance(value, (list, tuple))
        else ["headers"]
    )
