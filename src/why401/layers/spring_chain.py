"""One `SecurityFilterChain` of Spring Security, in the Java and the Kotlin DSL: matchers, rules and filters.

Reference, *Authorize HttpServletRequests*: rules are asked in the order in which they stand, the first that
matches decides; filters of authentication come before them and refuse a bad credential on any path.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from why401.evidence import Source
from why401.layers.applications import ant
from why401.layers.syntax import Call, Code, as_call, bare, elements, name_node, squeezed, string, text, walk
from why401.prefilter import lazy

if TYPE_CHECKING:
    from tree_sitter import Node

DECISIONS: Final = (
    "permitAll authenticated fullyAuthenticated hasRole hasAnyRole hasAuthority hasAnyAuthority hasAllRoles"
    " hasAllAuthorities denyAll anonymous access rememberMe hasIpAddress hasScope hasAnyScope not"
).split()
MATCHERS: Final = (
    "requestMatchers antMatchers mvcMatchers regexMatchers anyRequest dispatcherTypeMatchers".split()
)
CHAIN_MATCHERS: Final = ("securityMatcher", "securityMatchers", "antMatcher", "requestMatcher", "mvcMatcher")
#: What can establish who asks; `with` and `apply` may bring anything.
MECHANISMS: Final = (
    "httpBasic formLogin oauth2ResourceServer oauth2Login saml2Login x509 jee rememberMe addFilter addFilterBefore"
    " addFilterAfter addFilterAt with apply oneTimeTokenLogin webAuthn openidLogin oauth2AuthorizationServer"
    " authenticationProvider anonymous passwordManagement authenticationManager securityContext"
).split()
METHODS: Final = frozenset("GET POST PUT DELETE PATCH HEAD OPTIONS TRACE".split())
_METHOD = lazy(r"(?:HttpMethod\.)?(GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS|TRACE)\b")


@dataclass(frozen=True)
class Rule:
    """`requestMatchers(patterns).decision(args)`; `opaque` where it cannot be seen what it matches."""

    decision: str
    args: tuple[str, ...]
    patterns: tuple[str, ...]  # () matches any request
    method: str
    opaque: bool
    call: Call = field(repr=False, compare=False)
    matcher: Call | None = field(repr=False, compare=False, default=None)

    @property
    def source(self) -> Source:
        return self.call.source

    def fits(self, path: str, method: str) -> bool:
        if self.opaque or (self.method and method and self.method != method):
            return False
        return not self.patterns or any(ant(p).match(path) for p in self.patterns)


@dataclass(eq=False)
class Chain:
    """A bean of the type SecurityFilterChain; `body` is the method's."""

    code: Code = field(repr=False)
    node: Node = field(repr=False)
    order: int = 2**31 - 1

    @property
    def source(self) -> Source:
        name = self.node.child_by_field_name("name")
        return self.code.source(name if name is not None else self.node)

    @property
    def name(self) -> str:
        return text(self.node.child_by_field_name("name"))

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        inside = self.code.all_calls
        start, end = self.node.start_byte, self.node.end_byte
        return tuple(c for c in inside if start <= c.node.start_byte and c.node.end_byte <= end)

    @cached_property
    def matches(self) -> tuple[str, ...]:
        """The patterns to which the chain is limited; () any request; ("?",) where they cannot be seen."""
        for call in self.calls:
            if call.name in CHAIN_MATCHERS and call.on in ("http", "", "this") and "authorize" not in call.on:
                found = _patterns(call)
                return tuple(found) or ("?",)
        return ()

    def takes(self, path: str) -> bool | None:
        """Whether the chain is asked for a path; None where that cannot be seen."""
        if self.matches == ("?",):
            return None
        return not self.matches or any(ant(p).match(path) for p in self.matches)

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        found = [rule for call in self.calls if (rule := _rule(call)) is not None]
        return tuple(sorted(found, key=lambda r: _place(r.call)))

    def rule_for(self, path: str, method: str) -> Rule | None:
        """The rule that decides; None where there is none, or one that cannot be seen comes first."""
        for rule in self.rules:
            if rule.opaque and not _harmless(rule):
                return None
            if rule.fits(path, method):
                return rule
        return None

    def on(self, feature: str) -> Call | None:
        """The call that switches a feature on (`httpBasic`), or None; `csrf` and the like may be disabled there."""
        return next((c for c in self.calls if c.name == feature and not self.disabled(c)), None)

    def disabled(self, call: Call) -> bool:
        above = call.node.parent
        after = as_call(call.code, above) if above is not None else None
        inside = "".join(squeezed(arg) for arg in call.args)
        return "disable" in inside or (after is not None and after.name == "disable")

    def off(self, feature: str) -> bool:
        """Whether a feature is switched off in so many words."""
        return any(c.name == feature and self.disabled(c) for c in self.calls)

    @cached_property
    def mechanisms(self) -> list[Call]:
        return [c for c in self.calls if c.name in MECHANISMS and not self.disabled(c)]

    @cached_property
    def stateless(self) -> Node | None:
        """The place that says STATELESS."""
        for node in walk(self.node, "field_access", "navigation_expression", "identifier"):
            if text(node) == "STATELESS":
                return node
        return None

    def names(self, kind: str) -> bool:
        """Whether the chain, or the class it stands in, names a class: a filter that it adds."""
        return kind in self.code.document.text

    @cached_property
    def plain(self) -> bool:
        """Whether the whole chain is built here: nothing that this method calls may add to it."""
        return not any(any(text(arg) == "http" for arg in c.args) for c in self.calls)


def _place(call: Call) -> int:
    return (name_node(call.node) or call.node).start_byte


def _rule(call: Call) -> Rule | None:
    if call.name == "authorize":  # Kotlin: authorize(pattern, decision)
        return _kotlin_rule(call)
    if call.name not in DECISIONS or call.receiver is None:
        return None
    matcher = as_call(call.code, call.receiver)
    if matcher is not None and matcher.name == "not":
        return None
    if matcher is None or matcher.name not in MATCHERS:
        return None
    args = tuple(call.strings()) or tuple(squeezed(arg) for arg in call.args)
    method = next((m[1] for arg in matcher.args if (m := _METHOD.fullmatch(squeezed(arg)))), "")
    patterns = _patterns(matcher)
    opaque = matcher.name not in ("anyRequest",) and (
        matcher.name in ("regexMatchers", "dispatcherTypeMatchers")
        or (not patterns and not method)
        or None in patterns
    )
    return Rule(call.name, args, tuple(p for p in patterns if p), method, bool(opaque), call, matcher)


def _kotlin_rule(call: Call) -> Rule | None:
    if len(call.args) < 2:
        return None
    decision = as_call(call.code, call.args[-1])
    name = decision.name if decision is not None else text(call.args[-1])
    patterns = [string(arg) for arg in call.args[:-1] if string(arg) is not None]
    anything = text(call.args[0]) == "anyRequest"
    method = next((m[1] for arg in call.args[:-1] if (m := _METHOD.fullmatch(squeezed(arg)))), "")
    known = tuple(p for p in patterns if p)
    args = tuple(decision.strings()) if decision is not None else ()
    return Rule(name, args, known, method, not (known or anything or method), call, call)


def _harmless(rule: Rule) -> bool:
    """Whether what cannot be seen is static files, error dispatches or management endpoints."""
    said = squeezed(rule.matcher.node) if rule.matcher is not None else ""
    return any(word in said for word in ("toStaticResources", "dispatcherTypeMatchers", "EndpointRequest"))


def _patterns(matcher: Call) -> list[str]:
    """The path patterns of a matcher, also those of constants in the same file; [] where none can be seen."""
    found: list[str] = []
    for arg in matcher.args:
        if _METHOD.fullmatch(squeezed(arg)):
            continue
        values = _strings_of(arg, matcher.code)
        if not values:
            return []
        found += values
    return found


def _strings_of(arg: Node, code: Code) -> list[str]:
    node = bare(arg)
    value = string(node)
    if value is not None:
        return [value]
    listed = elements(node)
    if listed is not None:
        return [v for item in listed for v in _strings_of(item, code)]
    if node.type in ("identifier", "field_access"):
        held = constant(code, text(node).rpartition(".")[2])
        return _strings_of(held, code) if held is not None and squeezed(held) != squeezed(node) else []
    call = as_call(code, node)
    if call is not None and ("Matcher" in call.name or call.name in ("matcher", "pattern")):
        if any(_METHOD.fullmatch(squeezed(inner)) for inner in call.args):
            return []
        return [v for inner in call.args for v in _strings_of(inner, code)]
    return []


def constant(code: Code, name: str) -> Node | None:
    """The value of a constant or a variable of the file that is given a value once, where it is declared."""
    for node in walk(code.root, "variable_declarator"):
        if text(node.child_by_field_name("name")) == name:
            return node.child_by_field_name("value")
    return None
