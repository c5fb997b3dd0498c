"""What only Symfony gets wrong: firewalls and rules in an order that hides one, firewalls by which nobody logs in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.checks import check, rule
from why401.evidence import Evidence, Fields, Request
from why401.findings import AGAINST, CLEAR, HINT, NAMED, STRONG, Finding, Where
from why401.layers.applications import authorization
from why401.layers.model import Edit
from why401.layers.nodes import Node
from why401.layers.symfony import HOP, Firewall, Rule, Symfony
from why401.path import Walk, routes, walks
from why401.protocol.jwt import decode

_LOOKALIKES = {"wrong-password": AGAINST, "token-expired": AGAINST}


def _layers(evidence: Evidence) -> Iterator[Symfony]:
    held = {id(route.layer) for route in routes(evidence)}
    for layer in evidence.layers:
        if isinstance(layer, Symfony) and (id(layer) in held or not evidence.exchanges):
            yield layer


def _asked(evidence: Evidence) -> Iterator[tuple[Walk, Symfony, Firewall]]:
    for one in walks(evidence):
        for layer in (route.layer for route in one.routes):
            if isinstance(layer, Symfony) and one.status in (401, 403, None):
                firewall = layer.firewall(one.request)
                if firewall is not None:
                    yield one, layer, firewall


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


@check
def firewall_switched_off(evidence: Evidence) -> Iterator[Finding]:
    """`security: false`: below this firewall there is never a user, whatever the request carries."""
    for one, _, firewall in _asked(evidence):
        if firewall.open and authorization(one.request) is not None:
            yield Finding(
                "symfony-firewall-off",
                f"The firewall {firewall.name} takes this path with security: false: nobody is logged in.",
                {"auth-not-wired": NAMED, **_LOOKALIKES},
                Where.of(firewall.node.at("security").source),
                "firewall-login",
                HOP,
                fix="Narrow its pattern, so that the path comes to the firewall that is meant.",
            )
            return


@check
def token_elsewhere(evidence: Evidence) -> Iterator[Finding]:
    """LexikJWTAuthenticationBundle reads the token from another field, or after another word."""
    for one, layer, firewall in _asked(evidence):
        sent = authorization(one.request)
        if "jwt" not in firewall.logins() or sent is None:
            continue
        name, named = layer.header
        prefix = layer.jwt.at("token_extractors", "authorization_header", "prefix")
        switched = layer.jwt.at("token_extractors", "authorization_header", "enabled")
        if named and name.lower() != "authorization":
            yield _elsewhere(
                named, f"The token is read from the field {name}, not from Authorization.", "wrong-header"
            )
            return
        if prefix and sent[0] != prefix.value.lower():
            word = f"after the word {prefix.value}" if prefix.value else "alone, without a scheme"
            yield _elsewhere(
                prefix, f"The token is read {word}, and the request says {sent[0].title()}.", "wrong-scheme"
            )
            return
        if switched and switched.value.lower() == "false":
            yield _elsewhere(
                switched, "Authorization is not read here; tokens come by cookie or query.", "wrong-header"
            )
            return


def _elsewhere(place: Node, says: str, cause: str) -> Finding:
    weights = {cause: NAMED, **_LOOKALIKES}
    return Finding("symfony-token-elsewhere", says, weights, Where.of(place.source), "token-place", HOP)


@check
def claim_of_the_user(evidence: Evidence) -> Iterator[Finding]:
    """The claim that names the user is not in the token, so no user is found."""
    for one, layer, firewall in _asked(evidence):
        sent = authorization(one.request)
        if "jwt" not in firewall.logins() or sent is None or sent[0] != "bearer":
            continue
        claims = decode(sent[1]).claims
        node = layer.jwt.first("user_id_claim", "user_identity_field")
        claim = node.value or "username"
        if not claim or not claims or claim in claims or not layer.jwt:
            continue
        yield Finding(
            "symfony-claim-of-the-user",
            f"The user is looked up by the claim {claim}, which the token lacks; it has "
            f"{', '.join(sorted(claims)[:6])}.",
            {"auth-setting-wrong": STRONG, "wrong-issuer": HINT, "wrong-token-type": CLEAR, **_LOOKALIKES},
            Where.of((node or layer.jwt).source),
            "token-claim",
            HOP,
            fix="Set user_id_claim to the claim that names the user in these tokens.",
        )
        return


@check
def session_cookie_kept_back(evidence: Evidence) -> Iterator[Finding]:
    """The session's cookie is bound to https, or to another host."""
    for one, layer, _ in _asked(evidence):
        secure, domain = layer.session.at("cookie_secure"), layer.session.at("cookie_domain")
        host = (one.request.split.hostname or "").lower()
        bare = domain.value.lstrip(".").lower()
        if authorization(one.request) is not None:
            continue
        if secure.value.lower() == "true" and one.request.split.scheme == "http":
            says, place, weights = (
                "is marked Secure, and this is plain http",
                secure,
                {"https-required": CLEAR},
            )
        elif bare and "%" not in bare and host and host != bare and not host.endswith("." + bare):
            says, place, weights = (
                f"is for {bare}, and the host here is {host}",
                domain,
                {"cookie-not-sent": HINT},
            )
        else:
            continue
        yield Finding(
            "symfony-session-cookie",
            f"The session's cookie {says}: no browser keeps it.",
            {"cookie-not-stored": STRONG, **weights, "session-expired": AGAINST, "wrong-password": AGAINST},
            Where.of(place.source),
            "session-cookie",
            HOP,
        )
        return
