"""Spring Security: filter chains from Java and Kotlin code, settings from application.yml or .properties.

Demands: scheme, login (URL of the form), issuer, keys (URL of a JWK set), audience, algorithm, role, scope,
csrf (`default`: every unsafe request needs the token), field. A route is a rule of a chain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from why401.evidence import Answer, Demand, Request
from why401.layers.applications import Application, Piece, Value, below, flat, folder_of
from why401.layers.model import Route
from why401.layers.spring_chain import Chain, Rule
from why401.layers.syntax import Call, Code, parse, readable, squeezed, text, walk
from why401.layers.tree import Document, Tree
from why401.prefilter import lazy
from why401.secret import Secret, is_sensitive_field

if TYPE_CHECKING:
    from tree_sitter import Node

HOP = "Spring Security"
SUFFIXES = (".java", ".kt")
_CHAIN = lazy(r"\bSecurityFilterChain\s+\w+\s*\(|\)\s*:\s*SecurityFilterChain\b")
_RELATED = lazy(
    r"OncePerRequestFilter|GenericFilterBean|PasswordEncoder|JwtDecoder|UserDetailsService|CrossOrigin|"
    r"GrantedAuthorit|addCorsMappings|SecurityFilterChain|OpaqueTokenIntrospector|JwtAuthenticationConverter"
)
_JWT = "spring.security.oauth2.resourceserver.jwt."
_SETTINGS = {
    "issuer-uri": "issuer",
    "jwk-set-uri": "keys-url",
    "audiences": "audience",
    "jws-algorithms": "algorithm",
}
FREE = ("permitAll", "anonymous")


def roots(tree: Tree) -> Iterable[Document]:
    """The first file with a chain of each project."""
    seen: set[str] = set()
    for document in tree.given.values():
        if (
            readable(document, *SUFFIXES)
            and _CHAIN.search(document.text)
            and "/src/test/" not in document.name
        ):
            folder = folder_of(document.name, "src/main")
            if folder not in seen:
                seen.add(folder)
                yield document


def read(tree: Tree, root: Document) -> Spring:
    """The application to which `root` belongs. Raises Damaged where the grammar of its language is missing."""
    inside = [
        d for d in below(tree, folder_of(root.name, "src/main")) or [root] if "/src/test/" not in d.name
    ]
    codes = [parse(d) for d in inside if readable(d, *SUFFIXES) and _RELATED.search(d.text)]
    files = [
        d
        for d in inside
        if d.name.rpartition("/")[2] in ("application.yml", "application.yaml", "application.properties")
    ]
    settings: dict[str, Value] = {}
    for document in files:
        settings |= flat(document)
    builds = "".join(d.text for d in inside if d.name.endswith(("pom.xml", ".gradle", ".gradle.kts")))
    given = [value for code in codes for call in code.calls("password") if (value := call.string())]
    given += [value.text for key, value in settings.items() if is_sensitive_field(key.rpartition(".")[2])]
    hidden = frozenset(Secret(value) for value in given if value)
    return Spring(HOP, tree, root, secrets=hidden, codes=tuple(codes), settings=settings, build=builds)


@dataclass(eq=False)
class Spring(Application):
    """An application; `settings` are those of its application.yml or .properties, `build` its build files' text."""

    codes: tuple[Code, ...] = ()
    settings: dict[str, Value] = field(default_factory=dict, repr=False)
    build: str = field(default="", repr=False)

    @cached_property
    def chains(self) -> tuple[Chain, ...]:
        """The chains in the order in which they are asked."""
        found = [chain for code in self.codes for chain in _chains(code)]
        return tuple(sorted(found, key=lambda chain: chain.order))

    @cached_property
    def context(self) -> str:
        held = self.settings.get("server.servlet.context-path")
        return held.text.rstrip("/") if held else ""

    def says(self, *names: str) -> bool:
        """Whether any of these names stands anywhere in the application's code."""
        return any(name in code.document.text for code in self.codes for name in names)

    @cached_property
    def filters(self) -> tuple[Filter, ...]:
        """The application's own filters that read a credential."""
        return tuple(one for code in self.codes for one in _filters(code))

    @cached_property
    def _pieces(self) -> tuple[Piece, ...]:
        return tuple(
            Piece(self._route(chain, rule), self._fitting(chain, rule))
            for chain in self.chains
            for rule in chain.rules
        )

    def pieces(self) -> Iterable[Piece]:
        return self._pieces

    def decides(self, request: Request) -> tuple[Chain, Rule] | None:
        """The chain and the rule that decide about a request; None where that cannot be seen."""
        path = request.path
        if self.context:
            if not path.startswith(self.context + "/"):
                return None
            path = path[len(self.context) :]
        for chain in self.chains:
            takes = chain.takes(path)
            if takes is None:
                return None
            if takes:
                rule = chain.rule_for(path, request.method or "GET")
                return (chain, rule) if rule is not None else None
        return None

    def _fitting(self, chain: Chain, rule: Rule) -> Callable[[Request], bool]:
        return lambda request: self.decides(request) == (chain, rule)

    def rule_of(self, route: Route) -> tuple[Chain, Rule] | None:
        return next(((c, r) for c in self.chains for r in c.rules if r.source == route.source), None)

    def _route(self, chain: Chain, rule: Rule) -> Route:
        where = ", ".join(rule.patterns) or rule.method or "any request"
        demands = tuple(self._demands(chain, rule))
        answers = (
            tuple(a for one in self.filters if chain.names(one.name) for a in one.answers) if demands else ()
        )
        return Route(HOP, rule.source, f"{where}: {rule.decision}", demands, answers=answers, layer=self)

    def _demands(self, chain: Chain, rule: Rule) -> Iterator[Demand]:
        if rule.decision in FREE:
            return
        basic, bearer, form = (chain.on(n) for n in ("httpBasic", "oauth2ResourceServer", "formLogin"))
        if basic is not None:
            yield Demand("scheme", "Basic", basic.source, hop=HOP)
        if bearer is not None:
            yield Demand("scheme", "Bearer", bearer.source, hop=HOP)
            yield from self._token()
        if form is not None:
            yield Demand("login", "/login", form.source, hop=HOP)
        for one in self.filters:
            if chain.names(one.name):
                yield from one.demands
        if rule.decision.startswith("has"):
            respect = "scope" if any(a.startswith("SCOPE_") for a in rule.args) else "role"
            yield Demand(respect, " ".join(a.removeprefix("SCOPE_") for a in rule.args), rule.source, hop=HOP)

    def _token(self) -> Iterator[Demand]:
        for name, respect in _SETTINGS.items():
            for key, value in self.settings.items():
                if (key == _JWT + name or key.startswith(f"{_JWT}{name}.")) and "${" not in value.text:
                    yield Demand(respect, value.text, value.source, hop=HOP)


@dataclass(frozen=True)
class Filter:
    """A filter class of the application: the fields it reads and where it refuses."""

    name: str
    demands: tuple[Demand, ...]
    answers: tuple[Answer, ...]


def _chains(code: Code) -> Iterator[Chain]:
    for node in walk(code.root, "method_declaration", "function_declaration"):
        kinds = [node.child_by_field_name("type"), *(c for c in node.named_children if c.type == "user_type")]
        if next((text(kind) for kind in kinds if kind is not None), "") == "SecurityFilterChain":
            yield Chain(code, node, _order(node))


def _order(node: Node) -> int:
    """The value of @Order; an unnamed or unknown one, as no annotation, is the last."""
    for mark in walk(node, "annotation"):
        said = squeezed(mark)
        if said.startswith("@Order("):
            value = said[7:-1].removeprefix("value=")
            if value.lstrip("-").isdigit():
                return int(value)
            if "HIGHEST_PRECEDENCE" in value:
                return -(2**31)
    return 2**31 - 1


def _filters(code: Code) -> Iterator[Filter]:
    for node in walk(code.root, "class_declaration"):
        head = squeezed(node).partition("{")[0]
        if "OncePerRequestFilter" not in head and "GenericFilterBean" not in head:
            continue
        name = text(node.child_by_field_name("name") or node.named_children[0])
        demands: list[Demand] = []
        answers: list[Answer] = []
        for call in code.calls("getHeader", "startsWith", "sendError", "setStatus", within=node):
            given = call.string()
            if call.name == "getHeader" and given:
                demands.append(Demand("field", given, call.source, hop=HOP))
            elif call.name == "getHeader" and "AUTHORIZATION" in "".join(text(a) for a in call.args):
                demands.append(Demand("field", "Authorization", call.source, hop=HOP))
            elif call.name == "startsWith" and given and given.strip().isalpha():
                demands.append(Demand("scheme", given.strip(), call.source, hop=HOP))
            elif call.name in ("sendError", "setStatus") and _refuses(call):
                words = f"{name} does not accept it"
                answers.append(Answer(HOP, _refuses(call), call.source, words=words))
        if demands:
            yield Filter(name, tuple(demands), tuple(answers))


def _refuses(call: Call) -> int:
    said = squeezed(call.args[0]) if call.args else ""
    if said == "401" or "UNAUTHORIZED" in said:
        return 401
    return 403 if said == "403" or "FORBIDDEN" in said else 0
