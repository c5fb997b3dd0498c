"""The packages that Express applications authenticate with: what their options say.

By the README of each package: express-jwt, express-basic-auth, express-oauth2-jwt-bearer, passport and its
strategies (passport-jwt, passport-http, passport-http-bearer, passport-local).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from why401.evidence import Demand, Source
from why401.layers.js_modules import Module
from why401.layers.js_values import constant
from why401.layers.syntax import Call, as_call, elements, members, string, text

if TYPE_CHECKING:
    from tree_sitter import Node

#: (package, export) → the short name used here; "*" is any export.
PACKAGES: Final = {
    ("express-jwt", "expressjwt"): "express-jwt",
    ("express-jwt", ""): "express-jwt",
    ("express-basic-auth", ""): "express-basic-auth",
    ("express-oauth2-jwt-bearer", "auth"): "oauth2-jwt-bearer",
    ("express-openid-connect", "auth"): "openid-connect",
    ("passport", "authenticate"): "passport",
    ("passport", "default.authenticate"): "passport",
    ("passport", "initialize"): "passport.initialize",
    ("passport", "session"): "passport.session",
    ("cors", "*"): "cors",
    ("helmet", "*"): "helmet",
    ("morgan", "*"): "morgan",
    ("express-session", "*"): "session",
    ("cookie-session", "*"): "session",
    ("cookie-parser", "*"): "cookie-parser",
    ("body-parser", "*"): "body-parser",
    ("express", "json"): "body-parser",
    ("express", "urlencoded"): "body-parser",
    ("express", "static"): "static",
    ("express-rate-limit", "*"): "rate-limit",
    ("csurf", "*"): "csrf",
    ("csrf-csrf", "*"): "csrf",
    ("lusca", "*"): "csrf",
}
_OPTIONS: Final = {
    "issuer": "issuer",
    "issuerBaseURL": "issuer",
    "audience": "audience",
    "algorithms": "algorithm",
}
#: Strategy class → name under which it registers itself, and its scheme.
_STRATEGIES: Final = {
    "passport-jwt": ("jwt", "Bearer"),
    "passport-http-bearer": ("bearer", "Bearer"),
    "passport-local": ("local", ""),
}


@dataclass(frozen=True)
class Strategy:
    """A strategy of passport as it is registered."""

    name: str
    origin: str
    scheme: str
    call: Call = field(repr=False)
    module: Module = field(repr=False)


def options(call: Call, module: Module) -> dict[str, Node]:
    """The options a handler is made with: the object among its arguments."""
    for arg in call.args:
        held = module.resolve(arg)
        if held is not None and held.node.type == "object":
            return members(held.node)
    return {}


def strategies(module: Module) -> Iterator[Strategy]:
    """The strategies registered in a module, and in those that it imports."""
    near = (module.near(held.origin) for held in module.imports.values() if held.origin.startswith("."))
    calls = (call for call in module.code.calls("require") if (call.string() or "").startswith("."))
    imports = [
        string(n.child_by_field_name("source")) or ""
        for n in module.code.root.named_children
        if n.type == "import_statement"
    ]
    bare_imports = (
        module.near(name)
        for name in [c.string() or "" for c in calls] + [i for i in imports if i.startswith(".")]
    )
    for one in dict.fromkeys([module, *(m for m in [*near, *bare_imports] if m is not None)]):
        for call in one.code.calls("use"):
            if call.on == "passport":
                yield from _strategy(one, call)


def _strategy(module: Module, call: Call) -> Iterator[Strategy]:
    made = as_call(module.code, next((a for a in call.args if string(a) is None), None))
    held = module.package(made.node.child_by_field_name("constructor")) if made is not None else None
    if made is None or held is None:
        return
    name, scheme = _STRATEGIES.get(held.origin, (held.origin, ""))
    if held.origin == "passport-http":
        name, scheme = ("digest", "Digest") if "Digest" in held.name else ("basic", "Basic")
    if held.origin == "passport-jwt":
        scheme = _extracted(options(made, module).get("jwtFromRequest"), module)
    yield Strategy(call.string() or name, held.origin, scheme, made, module)


def _extracted(node: Node | None, module: Module) -> str:
    """The scheme that passport-jwt's extractor asks for; "" for another place."""
    call = as_call(module.code, node)
    if call is None or call.name == "fromAuthHeaderAsBearerToken":
        return "Bearer" if call is not None else ""
    return call.string() or "" if call.name == "fromAuthHeaderWithScheme" else ""


def package_demands(
    package: str, call: Call, module: Module, known: Sequence[Strategy], hop: str
) -> Iterator[Demand]:
    """What a package's handler asks for."""
    held = options(call, module)
    if package == "express-basic-auth":
        yield Demand("scheme", "Basic", call.source, hop=hop)
    elif package in ("express-jwt", "oauth2-jwt-bearer"):
        if text(held.get("credentialsRequired")) != "false" and "getToken" not in held:
            yield Demand("scheme", "Bearer", call.source, hop=hop)
        yield from _token(held, module, hop)
    elif package == "openid-connect":
        yield Demand("login", "/login", call.source, hop=hop)
    elif package == "passport":
        names = [
            value for arg in call.args[:1] for item in (elements(arg) or [arg]) if (value := string(item))
        ]
        for one in known:
            if one.name in names:
                if one.scheme:
                    yield Demand("scheme", one.scheme, call.source, hop=hop)
                inner = options(one.call, one.module)
                yield from _place(inner.get("jwtFromRequest"), one.module, hop)
                yield from _token(inner, one.module, hop)


def _place(node: Node | None, module: Module, hop: str) -> Iterator[Demand]:
    call = as_call(module.code, node)
    if call is not None and call.name == "fromHeader" and call.string():
        yield Demand("field", call.string() or "", call.source, hop=hop)


def _token(held: dict[str, Node], module: Module, hop: str) -> Iterator[Demand]:
    for name, respect in _OPTIONS.items():
        node = held.get(name)
        items = (elements(node) or [node]) if node is not None else []
        values = [c.text for item in items if (c := constant(module, item)) is not None and c.text]
        if node is not None and values:
            yield Demand(respect, " ".join(values), module.code.source(node), hop=hop)
    for name in ("secret", "secretOrKey"):
        if name in held:
            value = constant(module, held[name])
            yield Demand("keys", value.name if value else name, module.code.source(held[name]), hop=hop)


def key_nodes(
    package: str, call: Call | None, module: Module, known: Sequence[Strategy]
) -> Iterator[tuple[Module, Node, Source]]:
    """The expressions that give the key by which a handler verifies tokens."""
    makers = [(call, module)] if package == "express-jwt" and call is not None else []
    if package == "passport" and call is not None:
        makers = [(s.call, s.module) for s in known if s.name in call.strings()]
    for maker, home in makers:
        held = options(maker, home)
        for name in ("secret", "secretOrKey"):
            if name in held:
                yield home, held[name], home.code.source(held[name])
