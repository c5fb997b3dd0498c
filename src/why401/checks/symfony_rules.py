"""What only Symfony gets wrong: firewalls and rules in an order that hides one, firewalls by which nobody logs in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.checks import rule
from why401.evidence import Evidence, Fields, Request
from why401.findings import AGAINST, HINT, NAMED, Finding, Where
from why401.layers.model import Edit
from why401.layers.nodes import Node
from why401.layers.symfony import HOP, Firewall, Rule, Symfony
from why401.path import routes

_LOOKALIKES = {"wrong-password": AGAINST, "token-expired": AGAINST}


def _layers(evidence: Evidence) -> Iterator[Symfony]:
    held = {id(route.layer) for route in routes(evidence)}
    for layer in evidence.layers:
        if isinstance(layer, Symfony) and (id(layer) in held or not evidence.exchanges):
            yield layer


def _beginning(pattern: str) -> str | None:
    """The path that a pattern stands for where it is `^` and plain characters, perhaps with `$`; else None."""
    match = re.fullmatch(r"\^(/(?:[\w/-]|\\[./-])*)\$?", pattern)
    return match[1].replace("\\", "") if match else None


def _moved(node: Node, before: Node) -> tuple[Edit, ...]:
    """The edits that move one entry, on lines of its own, above an earlier one of the same file."""
    lines = [text.rstrip("\r\n") for text in node.document.lines]
    if node.document is not before.document or node.line > len(lines):
        return ()
    last = node.line
    while last < len(lines) and _indent(lines[last]) > _indent(lines[node.line - 1]):
        last += 1
    texts = tuple(lines[node.line - 1 : last])
    return (
        Edit(node.document, node.line, last, ()),
        Edit(node.document, before.line, before.line - 1, texts),
    )


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


@rule
def firewall_never_reached(evidence: Evidence) -> Iterator[Finding]:
    """The first firewall that fits takes the request; one with a narrower pattern stands below it."""
    for layer in _layers(evidence):
        for at, later in enumerate(layer.firewalls):
            path = _beginning(later.node.text("pattern"))
            if path is None or later.node.at("host") or later.node.at("methods"):
                continue
            hider = next((one for one in layer.firewalls[:at] if _covers(one, path)), None)
            if hider is None:
                continue
            yield Finding(
                "symfony-firewall-never-reached",
                f"The first firewall that fits takes a request: {hider.name} takes those of {later.name} "
                f"({later.node.text('pattern')}), which is never reached.",
                {"auth-not-wired": NAMED, "wrong-scheme": HINT, **_LOOKALIKES},
                Where.of(later.node.source),
                "firewall-order",
                HOP,
                fix=f"Put {later.name} above {hider.name}.",
                edits=_moved(later.node, hider.node),
            )
            return


def _covers(one: Firewall, path: str) -> bool:
    pattern = one.node.text("pattern")
    own = _beginning(pattern)
    plain = not any(one.node.at(name) for name in ("host", "methods", "request_matcher"))
    return plain and (not pattern or (own is not None and path.startswith(own) and not pattern.endswith("$")))


@rule
def public_rule_never_reached(evidence: Evidence) -> Iterator[Finding]:
    """The first rule that fits decides; one that opens a path stands below one that closes it."""
    for layer in _layers(evidence):
        for at, later in enumerate(layer.rules):
            path = _beginning(later.path)
            if path is None or not later.public or not later.roles:
                continue
            hider = next((r for r in layer.rules[:at] if _hides(r, path)), None)
            if hider is None:
                continue
            yield Finding(
                "symfony-public-rule-never-reached",
                f"The first rule that fits decides: {hider.path} asks for {' '.join(hider.roles)}, so {path}, which is "
                "opened below it, stays closed.",
                {"auth-rule-unintended": NAMED, "no-credentials": AGAINST, **_LOOKALIKES},
                Where.of(hider.node.source),
                "rule-order",
                HOP,
                fix=f"Put the rule for {later.path} above it.",
                edits=_moved(later.node, hider.node),
                opens=path,
            )
            return


def _hides(one: Rule, path: str) -> bool:
    own = _beginning(one.path)
    return (
        one.plain
        and not one.public
        and own is not None
        and path.startswith(own)
        and not one.path.endswith("$")
    )


@rule
def nobody_logs_in(evidence: Evidence) -> Iterator[Finding]:
    """A firewall without any way to log in, and rules that ask for one below it."""
    for layer in _layers(evidence):
        for firewall in layer.firewalls:
            if firewall.open or firewall.logins() or firewall.node.text("context"):
                continue
            asking = [(r, _beginning(r.path)) for r in layer.rules if not r.public]
            hit = next((r for r, path in asking if path and _first(layer, path) is firewall), None)
            if hit is None:
                continue
            yield Finding(
                "symfony-nobody-logs-in",
                f"The firewall {firewall.name} has no way to log in, and {hit.path} asks for "
                f"{' '.join(hit.roles)}: everybody is refused.",
                {"auth-not-wired": NAMED, "no-credentials": AGAINST, **_LOOKALIKES},
                Where.of(firewall.node.source),
                "firewall-login",
                HOP,
                fix="Add what authenticates to it: jwt, access_token, http_basic, json_login, an authenticator.",
            )
            return


def _first(layer: Symfony, path: str) -> Firewall | None:
    return layer.firewall(Request("GET", f"http://localhost{path}", Fields()))
