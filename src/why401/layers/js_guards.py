"""What a middleware or handler written in JavaScript demands, and where and when it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from why401.evidence import Answer, Demand, Request, Source
from why401.layers.js_conditions import caught, conditions
from why401.layers.js_modules import FUNCTIONS, Held, Module
from why401.layers.js_values import UNKNOWN, Constant, Reader, constant, cookie_of, field_of
from why401.layers.syntax import Call, Code, bare, elements, members, squeezed, string, text, walk

if TYPE_CHECKING:
    from tree_sitter import Node

REFUSALS: Final = {"401": 401, "403": 403, "407": 407}
_ANSWERS: Final = (
    "status",
    "sendStatus",
    "writeHead",
    "createError",
    "throw",
    "code",
    "HttpError",
    "json",
    "Response",
)
_NAMED: Final = {
    "UnauthorizedException": 401,
    "ForbiddenException": 403,
    "Unauthorized": 401,
    "Forbidden": 403,
}


@dataclass(frozen=True)
class Refusal:
    """A place that answers 401 or 403; `conditions` have all to hold (or, where False, not to hold) for it."""

    status: int
    source: Source
    conditions: tuple[tuple[Node, bool], ...] = field(repr=False)
    caught: bool  # reached because something before it failed, as a token that does not verify

    def reached(self, reader: Reader) -> bool | None:
        """Whether a request comes here; None where that cannot be told."""
        answers = [(reader.value(node), wanted) for node, wanted in self.conditions]
        if any(held is not UNKNOWN and bool(held) is not wanted for held, wanted in answers):
            return False
        return None if self.caught or any(held is UNKNOWN for held, _ in answers) else True


@dataclass(frozen=True)
class Verified:
    """A call that verifies a token: `jwt.verify(token, key, options)`."""

    call: Call
    token: Node | None
    key: Constant | None
    options: dict[str, Node]
    module: Module = field(repr=False)

    def option(self, name: str) -> list[tuple[str, Source]]:
        """The constant values of an option, a list or one."""
        node = self.options.get(name)
        items = (elements(node) or [node]) if node is not None else []
        found = [(constant(self.module, item), item) for item in items]
        return [(c.text, self.module.code.source(n)) for c, n in found if c is not None and c.text]


@dataclass(eq=False)
class Guard:
    """A function (`node`) of a module, as a handler."""

    module: Module
    node: Node
    name: str = ""

    @property
    def code(self) -> Code:
        return self.module.code

    @cached_property
    def refusals(self) -> tuple[Refusal, ...]:
        """Each place that refuses, in the order of the text."""
        found = [(node, status) for node, status in _refusing(self)]
        return tuple(
            Refusal(
                status, self.code.source(node), tuple(conditions(node, self.node)), caught(node, self.node)
            )
            for node, status in found
        )

    @cached_property
    def fields(self) -> list[tuple[str, Node]]:
        """The request's fields that are read, by the name as written, and where."""
        kinds = ("member_expression", "subscript_expression", "call_expression")
        found = [(name, node) for node in walk(self.node, *kinds) if (name := field_of(node)) is not None]
        for node in walk(self.node, "variable_declarator"):
            if squeezed(node.child_by_field_name("value")).endswith(("req.headers", "request.headers")):
                for part in walk(node, "shorthand_property_identifier_pattern"):
                    found.append((text(part), part))
        return found

    @cached_property
    def cookies(self) -> list[tuple[str, Node]]:
        nodes = walk(self.node, "member_expression", "subscript_expression")
        return [(name, node) for node in nodes if (name := cookie_of(node)) is not None]

    @cached_property
    def reads(self) -> str:
        """The function's text without white space, for what it mentions."""
        return squeezed(self.node)

    @cached_property
    def schemes(self) -> list[tuple[str, Source]]:
        """The schemes that the Authorization field has to begin with."""
        found: dict[str, Source] = {}
        if not any(name.lower() == "authorization" for name, _ in self.fields):
            return []
        for call in self.code.calls("startsWith", within=self.node):
            value = (call.string() or "").strip()
            if value.isalpha():
                found.setdefault(value, call.source)
        for node in walk(self.node, "binary_expression"):
            for side in ("left", "right"):
                value = string(node.child_by_field_name(side)) or ""
                if value.strip().lower() in ("bearer", "basic", "token", "jwt", "apikey", "digest"):
                    found.setdefault(
                        value.strip().capitalize() if value.islower() else value.strip(),
                        self.code.source(node),
                    )
        if (
            not found
            and self.verified
            and any("split" in c.name for c in self.code.calls("split", within=self.node))
        ):
            found["Bearer"] = self.code.source(self.fields[0][1])
        return list(found.items())

    @cached_property
    def verified(self) -> list[Verified]:
        """Each token that is verified by jsonwebtoken or jose."""
        return [
            one
            for call in self.code.calls("verify", "jwtVerify", "verifyAsync", within=self.node)
            if (one := verified(self.module, call)) is not None
        ]

    def demands(self, hop: str) -> Iterator[Demand]:
        for scheme, source in self.schemes:
            yield Demand("scheme", scheme, source, hop=hop)
        for name, node in self.fields:
            if name.lower() not in _NO_CREDENTIALS:
                yield Demand(
                    "field", name.title() if name.islower() else name, self.code.source(node), hop=hop
                )
        for name, node in self.cookies:
            yield Demand("cookie", name, self.code.source(node), hop=hop)
        for one in self.verified:
            yield from token_demands(one, hop)

    def answers(self, request: Request, hop: str) -> tuple[Answer, ...]:
        """The refusals that the request comes to: the sure one alone, or all that cannot be ruled out."""
        reader = Reader(self.module, request)
        found = [(one, one.reached(reader)) for one in self.refusals]
        sure = next((one for one, held in found if held), None)
        possible = [one for one, held in found if held is not False]
        before = possible[: possible.index(sure) + 1] if sure is not None else possible
        return tuple(Answer(hop, one.status, one.source, words=words(self, one)) for one in before)


_NO_CREDENTIALS: Final = frozenset(
    "host origin referer user-agent accept content-type content-length x-forwarded-for x-forwarded-proto x-request-id"
    " x-real-ip accept-language if-none-match cookie x-forwarded-host x-csrf-token x-xsrf-token upgrade".split()
)


def token_demands(one: Verified, hop: str) -> Iterator[Demand]:
    """What a verification asks of the token, each with the place of its value."""
    for name in ("audience", "issuer"):
        for value, source in one.option(name)[:1]:
            yield Demand(name, value, source, hop=hop)
    algorithms = one.option("algorithms")
    if algorithms:
        yield Demand("algorithm", " ".join(value for value, _ in algorithms), algorithms[0][1], hop=hop)
    if one.key is not None:
        yield Demand("keys", one.key.name, one.call.source, hop=hop)


def verified(module: Module, call: Call) -> Verified | None:
    """The call as a verification of a token, where it is one."""
    held = module.package(call.receiver) if call.receiver is not None else module.imports.get(call.name)
    known = held is not None and held.origin in ("jsonwebtoken", "jose", "@nestjs/jwt")
    if not known and call.on not in ("jwt", "this.jwtService", "this.jwt"):
        return None
    key = call.args[1] if len(call.args) > 1 else None
    options = members(call.args[2]) if len(call.args) > 2 and bare(call.args[2]).type == "object" else {}
    return Verified(call, call.args[0] if call.args else None, constant(module, key), options, module)


def guard_of(held: Held | None, name: str = "") -> Guard | None:
    """The function as a guard; of a function that returns a function (`requireRole("admin")`), the inner one."""
    if held is None or held.node.type not in FUNCTIONS:
        return None
    return Guard(held.module, held.node, name)


def inner_function(held: Held | None) -> Held | None:
    """The function that a function returns, where it makes handlers."""
    if held is None or held.node.type not in FUNCTIONS:
        return None
    body = held.node.child_by_field_name("body")
    if body is not None and body.type in FUNCTIONS:
        return Held(held.module, body)
    for node in body.named_children if body is not None else ():
        value = node.named_children[0] if node.type == "return_statement" and node.named_children else None
        if value is not None:
            made = held.module.resolve(value)
            return made if made is not None and made.node.type in FUNCTIONS else None
    return None


def _refusing(guard: Guard) -> Iterator[tuple[Node, int]]:
    for call in guard.code.all_calls:
        inside = guard.node.start_byte <= call.node.start_byte and call.node.end_byte <= guard.node.end_byte
        if inside and call.name in _NAMED:
            yield call.node, _NAMED[call.name]
        elif inside and call.name in _ANSWERS and call.args:
            given = [text(call.args[0])] + [text(members(arg).get("status")) for arg in call.args]
            status = next((REFUSALS[g] for g in given if g in REFUSALS), None)
            if status is not None:
                yield call.node, status
    for node in walk(guard.node, "assignment_expression"):
        left, value = text(node.child_by_field_name("left")), text(node.child_by_field_name("right"))
        if left.endswith((".statusCode", ".status")) and value in REFUSALS:
            yield node, REFUSALS[value]


def words(guard: Guard, one: Refusal) -> str:
    """When a refusal is reached, in words as far as there are any for it."""
    if one.caught:
        return "the token does not verify" if guard.verified else "the check before it fails"
    if not one.conditions:
        return ""
    node, wanted = one.conditions[0]
    said = " ".join(text(node).split()).removeprefix("(").removesuffix(")")
    names = [name.title() for name, _ in guard.fields]
    if wanted and said.startswith("!") and said[1:].replace("?", "").isidentifier() and names:
        return f"{names[0]} is missing or not of the form that is read (`{said}`)"
    return f"`{said}`" if wanted else f"`{said}` does not hold"


__all__ = ["Guard", "Refusal", "Verified", "guard_of", "inner_function", "token_demands", "verified", "words"]
