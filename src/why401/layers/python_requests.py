"""What a request tells the code that reads it: fields, cookies, query, method, path, in three frameworks.

Sources: Flask and Werkzeug (`flask.request`), Starlette (`Request`), Django (`HttpRequest`). What was read is
kept, in order, so that a refusal can be traced to the value that was missing or wrong.
"""

from __future__ import annotations

import ast
import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from why401.evidence import Request, Source
from why401.layers.python_scopes import Hooks
from why401.layers.python_values import UNKNOWN, Sent, Thing

#: The request as each framework names it, and as this package names it where it is an argument.
REQUESTS = ("flask.request", "@starlette", "@django", "@websocket")
_READS = {
    "headers": "field",
    "META": "meta",
    "environ": "meta",
    "args": "query",
    "query_params": "query",
    "GET": "query",
    "cookies": "cookie",
    "COOKIES": "cookie",
    "session": "session",
}


@dataclass(frozen=True)
class Read:
    """Something that code read of the request: a field, cookie, query parameter or the session."""

    place: str
    name: str
    found: bool
    value: str | None = None


class Reading(Hooks):
    """What one request tells; `endpoint` is the name of the view that Flask would call."""

    def __init__(
        self, request: Request, path: str, endpoint: str = "", session_cookie: str = "session"
    ) -> None:
        self.request, self.path, self.endpoint = request, path, endpoint
        self.session_cookie = session_cookie
        self.reads: list[Read] = []
        self.asked: list[tuple[str, str]] = []  # place and name of what would be read, where it is not known
        self.comparisons: list[tuple[ast.AST, Any, Any]] = []
        self.extra: list[Callable[[Thing, list[Any], dict[str, Any], Source], Any]] = []

    # what was sent

    def field(self, name: str, default: Any = None) -> Any:
        """A field of the request: text, `default` where it is absent, UNKNOWN where that is not known."""
        value = self.request.fields.get(name)
        return self._had("field", name, value, default, f"the {name} field")

    def cookie(self, name: str, default: Any = None) -> Any:
        return self._had("cookie", name, self.cookies().get(name), default, f"the cookie {name}")

    def query(self, name: str, default: Any = None) -> Any:
        if self.request.url is None:
            return UNKNOWN
        values = parse_qs(self.request.split.query, keep_blank_values=True).get(name)
        self.reads.append(Read("query", name, bool(values), values[0] if values else None))
        return Sent.of(values[0], f"the query parameter {name}") if values else default

    def cookies(self) -> dict[str, str]:
        """The cookies that the request carries."""
        try:
            found = SimpleCookie("; ".join(self.request.fields.all("cookie")))
        except CookieError:
            return {}
        return {name: morsel.value for name, morsel in found.items()}

    def _had(self, place: str, name: str, value: str | None, default: Any, origin: str) -> Any:
        if value is None and not self.request.complete:
            self.asked.append((place, name))
            return UNKNOWN
        self.reads.append(Read(place, name, value is not None, value))
        return default if value is None else Sent.of(value, origin)

    @property
    def session(self) -> bool:
        """Whether there may be a session: without its cookie there is none."""
        return self.session_cookie in self.cookies() or not self.request.complete

    # hooks

    def attribute(self, thing: Thing, name: str) -> Any:
        if thing.name in REQUESTS:
            return self._of_request(thing, name)
        if thing.name in ("flask_login.current_user", "@django.user"):
            return self._of_user(name)
        if thing.name == "@authorization":
            return (thing.attributes.get(name),)
        return None

    def _of_request(self, thing: Thing, name: str) -> Any:
        if name == "method":
            method = self.request.method
            return (method if method else UNKNOWN,)
        if name in ("path", "path_info"):
            return (self.path,)
        if name == "endpoint" and self.endpoint:
            return (self.endpoint,)
        if name == "blueprint" and self.endpoint:
            return (self.endpoint.rpartition(".")[0] or None,)
        if name == "authorization" and thing.name == "flask.request":
            return (self._authorization(),)
        if name == "url" and thing.name == "@starlette":
            return (Thing("@url", attributes={"path": self.path}),)
        return None

    def _of_user(self, name: str) -> Any:
        if name in ("is_authenticated", "is_anonymous") and not self.session:
            self.reads.append(Read("cookie", self.session_cookie, found=False))
            return (name == "is_anonymous",)
        return (UNKNOWN,)

    def _authorization(self) -> Any:
        """`request.authorization` of Werkzeug 2.3 and later: None without the field or where it cannot be read."""
        value = self.field("Authorization")
        if not isinstance(value, str):
            return value
        scheme, _, rest = value.partition(" ")
        made = Thing(
            "@authorization", attributes={"@true": True, "type": Sent.of(scheme.lower(), "the scheme")}
        )
        made.attributes |= {"username": None, "password": None, "token": None}
        if scheme.lower() == "basic":
            try:
                user, colon, password = base64.b64decode(rest).decode().partition(":")
            except (binascii.Error, ValueError):
                return None
            if not colon:
                return None
            origin = "the Authorization field"
            made.attributes |= {"username": Sent.of(user, origin), "password": Sent.of(password, origin)}
        else:
            made.attributes["token"] = Sent.of(rest.strip(), "the Authorization field")
        return made

    def subscript(self, thing: Thing, key: Any) -> Any:
        base, _, part = thing.name.rpartition(".")
        if isinstance(key, str) and base in REQUESTS and part in _READS:
            return (self._read(_READS[part], key, UNKNOWN),)
        if thing.name == "flask.session" and isinstance(key, str):
            return (self._read("session", key, UNKNOWN),)
        return None

    def contains(self, thing: Thing, name: str) -> bool | None:
        base, _, part = thing.name.rpartition(".")
        place = "session" if thing.name == "flask.session" else _READS.get(part) if base in REQUESTS else None
        if place is None:
            return None
        found = self._read(place, name, None)
        return None if found is UNKNOWN else found is not None

    def _read(self, place: str, name: str, default: Any) -> Any:
        if place == "field":
            return self.field(name, default)
        if place == "meta":
            if not name.startswith("HTTP_"):
                return UNKNOWN
            return self.field(name[5:].replace("_", "-").title(), default)
        if place == "query":
            return self.query(name, default)
        if place == "cookie":
            return self.cookie(name, default)
        if self.session:
            return UNKNOWN
        self.reads.append(Read("cookie", self.session_cookie, found=False))
        return default

    def call(self, thing: Thing, args: list[Any], kwargs: dict[str, Any], source: Source) -> Any:
        holder, _, method = thing.name.rpartition(".")
        base, _, part = holder.rpartition(".")
        if method == "get" and args and isinstance(args[0], str):
            place = "session" if holder == "flask.session" else _READS.get(part) if base in REQUESTS else None
            if place is not None:
                default = args[1] if len(args) > 1 else kwargs.get("default")
                return (self._read(place, args[0], default),)
        if thing.name == "@django.user.has_perm":
            return (UNKNOWN,)
        for extra in self.extra:
            found = extra(thing, args, kwargs, source)
            if found is not None:
                return found
        return None

    def compared(self, node: ast.AST, left: Any, right: Any) -> None:
        self.comparisons.append((node, left, right))
