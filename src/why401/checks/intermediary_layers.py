"""Checks on layers that ask one after the other for the one `Authorization` field (RFC 9110, section 11.6.2).

A field that satisfied the first layer reaches the second unchanged, so two layers agree only when they know the
same users. What shows it: two places of the configuration that each ask for a password, a challenge whose realm
changes once the first one is answered, one scheme accepted and another refused at one origin.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from why401.checks import check
from why401.evidence import Evidence, Exchange, Source
from why401.findings import AGAINST, CLEAR, FAINT, HINT, STRONG, Finding, Where
from why401.protocol import challenges

#: Where products ask for a password: what asks, and how its configuration says so.
_ASKS: Final = (
    ("nginx", r"(?m)^\s*auth_basic\s+(?!off)\S"),
    ("Apache httpd", r"(?m)^\s*AuthType\s+Basic"),
    ("an entry point of Traefik", r"(?i)\[?entryPoints\.[\w.-]+\.auth\.basic|--entrypoints=\S*Auth\.Basic"),
    ("Traefik's middleware", r"(?i)basicauth\.users|^\s*basicAuth:\s*$"),
    ("the ingress rule", r"(?i)ingress\.kubernetes\.io/auth-type[\"']?\s*:\s*[\"']?basic"),
    ("Caddy", r"(?m)^\s*basic_?auth\s*(?:\S+\s*)?\{"),
    ("HAProxy", r"http-request\s+auth\b"),
    ("a plugin of the gateway", r"[\"']basic-auth[\"']\s*:\s*\{|name[\"']?\s*[:=]\s*[\"']?basic-auth\b"),
    ("Envoy", r"envoy\.filters\.http\.basic_auth"),
    ("Spring Security", r"\.httpBasic\s*\("),
    ("Rails", r"http_basic_authenticate_with|authenticate_or_request_with_http_basic"),
    ("a servlet container", r"<auth-method>\s*BASIC\s*<"),
    ("Drupal's Shield", r"(?i)shield_?(?:user|pass)|shield\.settings"),
    ("Express", r"express-basic-auth|basicAuth\(\s*\{"),
    ("Authelia or another portal", r"authn_strategies|Send HTTP-Basic Authentication"),
)
_TOKENS: Final = frozenset({"bearer", "token", "jwt"})


def _scheme(exchange: Exchange) -> str:
    return (exchange.request.fields.get("authorization") or "").strip().split(" ", 1)[0].lower()


def _realms(exchange: Exchange) -> set[str]:
    values = exchange.response.fields.all("www-authenticate") if exchange.response else []
    found = challenges.parse(values).challenges
    return {c.params["realm"] for c in found if c.name == "basic" and "realm" in c.params}


def _asking(evidence: Evidence) -> Iterator[tuple[str, Source]]:
    """Each place that asks for a password, by its configuration or code."""
    for what, pattern in _ASKS:
        for text in evidence.texts:
            match = text.find(pattern, re.MULTILINE)
            if match:
                yield what, text.source.at(text.line_at(match.start()))
                break


@check
def two_layers_ask(evidence: Evidence) -> Iterator[Finding]:
    """Two different layers are each configured to ask for Basic; nothing says that they know the same users."""
    asking = list(_asking(evidence))
    if len(asking) < 2:
        return
    (first, _), (second, where) = asking[:2]
    yield Finding(
        "two-layers-ask",
        f"Both {first} and {second} ask for a password, and both read it from the one Authorization field.",
        {"auth-layers-collide": STRONG + FAINT, "wrong-password": AGAINST, "unknown-user": -4.0},
        Where.of(where),
        group="layers",
        fix="Keep one of the two layers for a path, or give both the same users.",
    )


@check
def another_realm_asks(evidence: Evidence) -> Iterator[Finding]:
    """Once the first challenge is answered, the same URL asks again in the name of another realm."""
    for bare in evidence.refused:
        if _scheme(bare) or not _realms(bare):
            continue
        for tried in evidence.refused:
            same = (tried.request.host, tried.request.path) == (bare.request.host, bare.request.path)
            if same and _scheme(tried) == "basic" and _realms(tried) and not _realms(tried) & _realms(bare):
                yield Finding(
                    "another-realm-asks",
                    "With the credentials for the first realm the same URL asks in the name of another: "
                    "two layers ask in turn.",
                    {"auth-layers-collide": STRONG + HINT, "wrong-password": AGAINST},
                    Where.at(tried, "WWW-Authenticate"),
                    group="layers",
                )
                return


@check
def basic_opens_token_refused(evidence: Evidence) -> Iterator[Finding]:
    """One origin lets Basic in and refuses a token that its own application gave out."""
    opened = next((x for x in evidence.succeeded if _scheme(x) == "basic"), None)
    if opened is None:
        return
    for exchange in evidence.refused:
        if _scheme(exchange) in _TOKENS and exchange.request.host == opened.request.host:
            yield Finding(
                "basic-opens-token-refused",
                "Basic opens this host, and a token in the same field is refused: two layers share the field.",
                {"auth-layers-collide": CLEAR, "wrong-scheme": FAINT},
                Where.at(exchange),
                group="layers",
            )
            return
