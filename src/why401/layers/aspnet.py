"""ASP.NET Core: the pipeline, the schemes and the endpoints, from Program.cs or Startup.cs and the controllers.

Demands: scheme, issuer, audience, keys, role, policy, login (URL of the login page). `keys` has the key where it
stands in appsettings.json or in the code. Reference: learn.microsoft.com, *ASP.NET Core Middleware* (order),
*Overview of ASP.NET Core authentication*, *Configure JWT bearer authentication*.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from why401.evidence import Demand, Request, Source
from why401.layers.applications import Application, Piece, Value, ant, below, flat, folder_of
from why401.layers.aspnet_endpoints import Endpoint, endpoints
from why401.layers.model import Route
from why401.layers.syntax import Call, Code, parse, readable, squeezed, string, text, walk
from why401.layers.tree import Document, Tree
from why401.prefilter import lazy
from why401.secret import Secret

if TYPE_CHECKING:
    from tree_sitter import Node

HOP = "ASP.NET Core"
_ROOT = lazy(r"WebApplication\.Create\w*Builder|\bIApplicationBuilder\s+\w+")
_RELATED = lazy(
    r"\[(?:Authorize|AllowAnonymous|ApiController|Http(?:Get|Post|Put|Delete|Patch))\b|SecurityKey|Use\w*Auth"
)
_LISTEN = lazy(r"https?://(?:localhost|\*|\+|127\.0\.0\.1|0\.0\.0\.0):(\d+)")
#: Option or parameter → respect of the demand.
_OPTIONS = {
    "Authority": "issuer",
    "ValidIssuer": "issuer",
    "Audience": "audience",
    "ValidAudience": "audience",
}


def roots(tree: Tree) -> Iterable[Document]:
    """Each file that builds a pipeline."""
    for document in tree.given.values():
        if (
            document.name.lower().endswith(".cs")
            and _ROOT.search(document.text)
            and readable(document, ".cs")
        ):
            yield document


def read(tree: Tree, root: Document) -> AspNet:
    """The application whose pipeline `root` builds. Raises Damaged where the grammar of C# is missing."""
    near = [d for d in below(tree, folder_of(root.name)) if d is not root]
    codes = [
        parse(root),
        *(
            parse(d)
            for d in near
            if readable(d, ".cs") and _RELATED.search(d.text) and not _ROOT.search(d.text)
        ),
    ]
    settings: dict[str, Value] = {}
    for name in ("appsettings.json", "appsettings.Production.json"):
        for document in near:
            if document.name.rpartition("/")[2] == name:
                settings |= flat(document)
    layer = AspNet(HOP, tree, root, codes=tuple(codes), settings=settings)
    layer.keys = dict(layer.found_keys())
    layer.secrets = frozenset(layer.keys.values())
    layer.listens = frozenset(f":{port}" for port in _LISTEN.findall(root.text))
    return layer


@dataclass(eq=False)
class AspNet(Application):
    """An application; the first of `codes` builds the pipeline, `settings` are those of production."""

    codes: tuple[Code, ...] = ()
    settings: dict[str, Value] = field(default_factory=dict, repr=False)

    @property
    def code(self) -> Code:
        return self.codes[0]

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """The calls of the file with the pipeline, in the order in which they stand."""
        return tuple(sorted(self.code.all_calls, key=lambda c: c.node.end_byte))

    def call(self, *names: str) -> Call | None:
        return next((call for call in self.calls if call.name in names), None)

    @cached_property
    def options(self) -> dict[str, Node]:
        """What AddJwtBearer is told: the values by the name of the option or parameter."""
        jwt = self.call("AddJwtBearer")
        found: dict[str, Node] = {}
        for node in walk(jwt.node, "assignment_expression") if jwt is not None else ():
            if jwt is not None and any(a.start_byte <= node.start_byte < a.end_byte for a in jwt.args):
                left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
                if right is not None:
                    found[text(left).rpartition(".")[2]] = right
        return found

    def value(self, node: Node | None, depth: int = 0) -> Value | None:
        """The value of an expression: a string, or what the settings say where it reads them."""
        if node is None or depth > 6:
            return None
        held = string(node)
        if held is not None:
            return Value(held, self.code.source(node), self.code.document)
        if node.type in ("postfix_unary_expression", "binary_expression"):
            return self.value(node.named_children[0], depth + 1)
        key = self._key(node)
        if key is not None:
            return self.settings.get(key.replace(":", "."))
        if node.type == "identifier":
            return self.value(self.variable(text(node)), depth + 1)
        return None

    def variable(self, name: str) -> Node | None:
        """The expression that a local variable is given where it is declared."""
        for node in walk(self.code.root, "variable_declarator"):
            if (
                text(node.child_by_field_name("name") or node.named_children[0]) == name
                and node.named_child_count > 1
            ):
                return node.named_children[-1]
        return None

    def _key(self, node: Node) -> str | None:
        """The name of the setting that an expression reads: `Configuration["Jwt:Key"]`, `GetSection(…)["Key"]`."""
        said = squeezed(node)
        match = re.fullmatch(r'(.*?)(?:\[|\.GetValue<string>\()"([\w:.-]+)"[\])]!?', said)
        if not match:
            return None
        owner, name = match[1], match[2]
        if owner.isidentifier() and not owner.lower().endswith(("configuration", "config")):
            owner = squeezed(self.variable(owner))
        section = re.search(r'\.GetSection\("([\w:.-]+)"\)$', owner)
        return f"{section[1]}:{name}" if section else name if re.search(r"(?i)config", owner) else None

    @cached_property
    def key_node(self) -> Node | None:
        """The expression of which the symmetric key is made."""
        key = self.options.get("IssuerSigningKey")
        if key is not None and key.type == "identifier":
            key = self.variable(text(key))
        if key is None or "SymmetricSecurityKey" not in squeezed(key):
            return None
        inner = next((c for c in self.code.calls("GetBytes", within=key) if c.args), None)
        return inner.args[0] if inner is not None else None

    def found_keys(self) -> Iterator[tuple[Source, Secret]]:
        value = self.value(self.key_node)
        if value is not None and self.key_node is not None:
            yield self.code.source(self.key_node), Secret(value.text)

    @cached_property
    def schemes(self) -> dict[str, Call]:
        """The schemes of HTTP that are added, by the call that adds them."""
        added = {
            "AddJwtBearer": "Bearer",
            "AddMicrosoftIdentityWebApi": "Bearer",
            "AddBearerToken": "Bearer",
            "AddNegotiate": "Negotiate",
        }
        found = {name: call for call in self.calls if (name := added.get(call.name))}
        basic = next((c for c in self.calls if c.name == "AddScheme" and "Basic" in text(c.node)), None)
        return found | ({"Basic": basic} if basic is not None else {})

    @cached_property
    def endpoints(self) -> tuple[Endpoint, ...]:
        return tuple(endpoints(self.codes))

    @cached_property
    def _pieces(self) -> tuple[Piece, ...]:
        return tuple(Piece(self._route(one), one.fits) for one in self.endpoints if one.path is not None)

    def pieces(self) -> Iterable[Piece]:
        return self._pieces

    def meets(self, request: Request) -> tuple[Route, ...]:
        """The endpoint that takes the request; of several the one with the fewest parameters."""
        found = [
            (one, piece)
            for one, piece in zip(
                (e for e in self.endpoints if e.path is not None), self._pieces, strict=True
            )
            if piece.fits(request)
        ]
        found.sort(key=lambda held: ((held[0].path or "").count("{"), "**" in (held[0].path or "")))
        return tuple(piece.route for _, piece in found[:1])

    def _route(self, one: Endpoint) -> Route:
        return Route(
            HOP, one.source, f"{one.method or 'any'} {one.path}", tuple(self._demands(one)), layer=self
        )

    def _demands(self, one: Endpoint) -> Iterator[Demand]:
        if not (one.guarded or (one.open is None and self.fallback is not None)):
            return
        for name, call in self.schemes.items():
            yield Demand("scheme", name, call.source, hop=HOP)
        if not self.schemes and self.call("AddCookie", "AddIdentity", "AddDefaultIdentity") is not None:
            yield Demand("login", "/Account/Login", one.source, hop=HOP)
        for option, respect in _OPTIONS.items():
            value = self.value(self.options.get(option))
            if value is not None:
                yield Demand(respect, value.text, value.source, hop=HOP)
        if self.key_node is not None:
            yield Demand("keys", squeezed(self.key_node), self.code.source(self.key_node), hop=HOP)
        for role in one.roles:
            yield Demand("role", role, one.source, hop=HOP)

    @cached_property
    def fallback(self) -> Node | None:
        """Where a policy is set for all endpoints that say nothing."""
        for node in walk(self.code.root, "assignment_expression"):
            if text(node.child_by_field_name("left")).endswith("FallbackPolicy") and "null" not in text(
                node.child_by_field_name("right")
            ):
                return node
        call = self.call("SetFallbackPolicy")
        return call.node if call is not None else None


__all__ = ["HOP", "AspNet", "Endpoint", "ant", "read", "roots"]
