"""Who may pass an area of Apache httpd: `Require` with its containers, and `Order`, `Allow`, `Deny`, `Satisfy`.

mod_authz_core: the rules of a section are joined by "any"; a later section's rules replace the earlier ones,
unless `AuthMerging` joins them. mod_access_compat has no merging: a later section that has any of its directives
replaces them all. Both have to be met, except with `Satisfy Any`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from why401.layers.model import Directive

_CONTAINERS: Final = {"requireall": "all", "requireany": "any", "requirenone": "none"}
OLD: Final = ("order", "allow", "deny", "satisfy")
#: First words of `Require` that speak of the client's address or of the request, not of a user.
_ADDRESSES: Final = frozenset({"ip", "local", "host", "forward-dns"})
_OTHERS: Final = frozenset({"all", "env", "method", "expr", "ssl", "ssl-verify-client", "unix-file-owner"})


@dataclass(frozen=True)
class Rule:
    """`Require` lines joined by "any", "all" or "none"."""

    joined: str
    items: tuple[Rule | Directive, ...]

    def leaves(self) -> Iterator[Directive]:
        """Every `Require` line, in order."""
        for item in self.items:
            if isinstance(item, Rule):
                yield from item.leaves()
            else:
                yield item

    @property
    def open(self) -> bool:
        """Whether everybody may pass."""
        held = [
            item.open if isinstance(item, Rule) else says(item) == ("all", "granted") for item in self.items
        ]
        return {"any": any(held), "all": bool(held) and all(held), "none": False}[self.joined]

    @property
    def shut(self) -> bool:
        """Whether nobody may pass."""
        held = [
            item.shut if isinstance(item, Rule) else says(item) == ("all", "denied") for item in self.items
        ]
        return bool(held) and (any(held) if self.joined == "all" else all(held)) and self.joined != "none"


def says(require: Directive) -> tuple[str, ...]:
    """The words of a `Require` line, the first (and all that follows `all`) in lower case."""
    first, rest = require.args[0].lower(), require.args[1:]
    return (first, *(word.lower() for word in rest)) if first in ("all", "not") else (first, *rest)


def of_user(require: Directive) -> bool:
    """Whether a `Require` line can be met only by somebody who has logged in."""
    return says(require)[0] not in _ADDRESSES | _OTHERS | {"not"}


def of_address(require: Directive) -> bool:
    """Whether a `Require` line asks for the client's address."""
    words = says(require)
    return (words[1] if words[0] == "not" and len(words) > 1 else words[0]) in _ADDRESSES


def of_request(require: Directive) -> bool:
    """Whether a `Require` line depends on the request in another way: a variable, an expression, a method."""
    return says(require)[0] in _OTHERS - {"all"}


def rule_for(sections: Sequence[Directive], method: str | None) -> Rule | None:
    """The `Require` rules in force for a method; None where there are none."""
    rule: Rule | None = None
    for section in sections:
        own = _of_section(section, method)
        if own is None:
            continue
        merging = section.last("authmerging")
        how = merging.args[0].lower() if merging and merging.args else "off"
        joined = {"and": "all", "or": "any"}.get(how)
        rule = _joined(joined, rule, own) if joined and rule is not None else own
    return rule


def _joined(joined: str, *rules: Rule) -> Rule:
    """Rules joined into one; those that are joined in the same way already lie side by side."""
    items = (item for rule in rules for item in (rule.items if rule.joined == joined else (rule,)))
    return Rule(joined, tuple(items))


def _of_section(section: Directive, method: str | None) -> Rule | None:
    items = tuple(_items(section.block or (), method))
    return Rule("any", items) if items else None


def _items(block: Sequence[Directive], method: str | None) -> Iterator[Rule | Directive]:
    for item in block:
        if item.name == "require" and item.args:
            yield item
        elif item.name in _CONTAINERS:
            yield Rule(_CONTAINERS[item.name], tuple(_items(item.block or (), method)))
        elif item.name in ("limit", "limitexcept") and concerns(item, method):
            yield from _items(item.block or (), method)


def concerns(limit: Directive, method: str | None) -> bool:
    """Whether a `<Limit>` or `<LimitExcept>` is about a method; an unknown method is taken for GET."""
    named = (method or "GET").upper() in {"HEAD" if arg == "HEAD" else arg.upper() for arg in limit.args}
    named = named or ((method or "").upper() == "HEAD" and "GET" in limit.args)
    return named if limit.name == "limit" else not named


@dataclass(frozen=True)
class Old:
    """The rules of mod_access_compat in force: `value` as "allow 10.0.0.0/8, deny all", "" where all may pass;
    None where a rule depends on what the configuration does not show (a name, a variable)."""

    value: str | None
    source: Directive
    satisfy_any: bool
    lines: tuple[Directive, ...]

    @property
    def shut(self) -> bool:
        """Whether every address is refused."""
        return bool(self.value) and str(self.value).partition(", ")[0] == "deny all"


def old_rules(sections: Sequence[Directive], method: str | None) -> Old | None:
    """The 2.2-style rules in force, by the last section that has any of them."""
    for section in reversed(sections):
        own = [d for d in _flat(section, method) if d.name in OLD and d.args]
        if own:
            return _old(own)
    return None


def _flat(section: Directive, method: str | None) -> Iterator[Directive]:
    for item in section.block or ():
        if item.name in ("limit", "limitexcept"):
            yield from (item.block or ()) if concerns(item, method) else ()
        else:
            yield item


def _old(own: list[Directive]) -> Old:
    order = next((d for d in reversed(own) if d.name == "order"), None)
    words = "".join(order.args).lower() if order else "deny,allow"
    allow, deny = _places(own, "allow"), _places(own, "deny")
    satisfy = next((d for d in reversed(own) if d.name == "satisfy"), None)
    allow_first = words == "deny,allow"  # what is looked at last wins, and stands first in our list
    rules = [*allow, *deny, "allow all"] if allow_first else [*deny, *allow, "deny all"]
    source = next((d for d in own if d.name == "deny"), order or own[0])
    value: str | None = ", ".join(rules)
    if any("?" in rule for rule in rules):
        value = None
    elif not any(rule.startswith("deny") for rule in rules[: _first_all(rules) + 1]):
        value = ""
    return Old(value, source, bool(satisfy and satisfy.args[0].lower() == "any"), tuple(own))


def _first_all(rules: list[str]) -> int:
    return next((at for at, rule in enumerate(rules) if rule.endswith(" all")), len(rules))


def _places(own: list[Directive], verb: str) -> list[str]:
    found = []
    for directive in own:
        if directive.name == verb:
            for word in directive.args[1:] if directive.args[0].lower() == "from" else directive.args:
                found.append(f"{verb} {network(word)}")
    return found


def network(word: str) -> str:
    """An address of httpd as a network: "10.1" is 10.1.0.0/16; "all" stays; "?" for a name or a variable."""
    if word.lower() == "all":
        return "all"
    host, slash, mask = word.partition("/")
    if ":" in host:
        return word
    parts = [part for part in host.split(".") if part]
    if not all(part.isdigit() for part in parts):
        return "?"
    whole = ".".join([*parts, *["0"] * (4 - len(parts))])
    return f"{whole}/{mask}" if slash else whole if len(parts) == 4 else f"{whole}/{8 * len(parts)}"


def addresses(rule: Rule) -> tuple[str, Directive] | None:
    """The addresses that `Require` lets in, as "allow A, deny all", and the first line that says so; None where
    no line does, or one of them is a name or lies in a nested container that cannot be flattened."""
    lines = [leaf for leaf in rule.leaves() if of_address(leaf)]
    if not lines or any(
        says(line)[0] in ("host", "forward-dns") or says(line)[1:2] == ("host",) for line in lines
    ):
        return None
    allowed: list[str] = []
    denied: list[str] = []
    for line in lines:
        words = says(line)
        into = denied if words[0] == "not" else allowed
        kind, rest = (words[1], words[2:]) if words[0] == "not" else (words[0], words[1:])
        into += ["127.0.0.0/8", "::1"] if kind == "local" else [network(word) for word in rest]
    rules = [*(f"deny {n}" for n in denied), *(f"allow {n}" for n in allowed)]
    if any("?" in r for r in rules):
        return None
    return ", ".join([*rules, "deny all" if allowed else "allow all"]), lines[0]
