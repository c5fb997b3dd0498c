"""Node.js: attributes of session cookies with which a browser does not keep them, or not for long.

References: README of express-session (`cookie.secure`, `trust proxy`), RFC 6265bis (SameSite=None needs Secure).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from why401.checks import rule
from why401.checks.code_questions import applications
from why401.evidence import Evidence
from why401.findings import CLEAR, HINT, STRONG, Finding, Where
from why401.layers.applications import NodeApplication
from why401.layers.express_packages import options
from why401.layers.js_modules import Module
from why401.layers.syntax import Call, bare, members, string, text

if TYPE_CHECKING:
    from tree_sitter import Node

HOP = "Express"


def cookies(layer: NodeApplication) -> Iterator[tuple[Module, Call, dict[str, Node], bool]]:
    """Each cookie that the application sets: the call, its attributes, and whether it is express-session's."""
    for module in layer.modules:
        for call in module.code.all_calls:
            held = module.package(call.node.child_by_field_name("function"))
            if held is not None and held.origin in ("express-session", "cookie-session"):
                given = options(call, module)
                own = held.origin == "express-session"
                yield (
                    module,
                    call,
                    members(given["cookie"]) if own and "cookie" in given else {} if own else given,
                    own,
                )
            elif call.name == "cookie" and call.on in ("res", "response") and len(call.args) == 3:
                yield module, call, members(call.args[2]), False


@rule
def secure_over_plain_http(evidence: Evidence) -> Iterator[Finding]:
    """express-session sends no cookie marked `secure` where it takes the connection for plain http."""
    for layer in applications(evidence, NodeApplication):
        if any(module.code.calls("createServer", "createSecureServer") for module in layer.modules):
            continue
        trusts = any(
            "trust proxy" in call.strings() for m in layer.modules for call in m.code.calls("set", "enable")
        )
        listens = any(module.code.calls("listen") for module in layer.modules)
        for module, call, cookie, own in cookies(layer):
            proxied = text(options(call, module).get("proxy")) == "true"
            if own and text(cookie.get("secure")) == "true" and listens and not trusts and not proxied:
                yield Finding(
                    "node-secure-over-http",
                    "The session cookie is marked secure, and the application, which listens in plain http and trusts "
                    "no proxy, never sends it.",
                    {"cookie-not-issued": STRONG, "cookie-not-stored": HINT, "https-required": HINT},
                    Where.of(module.code.source(cookie["secure"])),
                    group="cookie-secure",
                    stack=HOP,
                    fix="Behind a proxy that ends TLS: app.set('trust proxy', 1), and X-Forwarded-Proto in the proxy.",
                )


@rule
def none_without_secure(evidence: Evidence) -> Iterator[Finding]:
    """Browsers refuse a cookie with SameSite=None that is not Secure."""
    for layer in applications(evidence, NodeApplication):
        for module, _, cookie, _ in cookies(layer):
            site = (string(cookie.get("sameSite")) or "").lower()
            if (
                site == "none"
                and text(cookie.get("secure")) in ("", "false")
                and "secure" not in _spread(cookie)
            ):
                yield Finding(
                    "node-none-without-secure",
                    "The cookie has SameSite=None without Secure: browsers refuse it.",
                    {"cookie-not-stored": STRONG},
                    Where.of(module.code.source(cookie["sameSite"])),
                    group="cookie-same-site",
                    stack=HOP,
                    fix="Set secure: true as well, and serve over https.",
                    edits=module.code.replaced(cookie["secure"], "true") if "secure" in cookie else (),
                )


def _spread(cookie: dict[str, Node]) -> str:
    """The text of what is copied into the object from elsewhere."""
    above = next(iter(cookie.values())).parent
    whole = above.parent if above is not None else None
    return " ".join(
        text(c) for c in (whole.named_children if whole is not None else ()) if c.type == "spread_element"
    )


@rule
def age_in_seconds(evidence: Evidence) -> Iterator[Finding]:
    """`maxAge` of Express counts milliseconds: 3600 is under four seconds."""
    for layer in applications(evidence, NodeApplication):
        for module, _, cookie, _ in cookies(layer):
            node = cookie.get("maxAge")
            age = _product(node)
            if node is not None and age is not None and 60 <= age < 60_000 and age % 60 == 0:
                yield Finding(
                    "node-age-in-seconds",
                    f"maxAge counts milliseconds: the cookie lives {age / 1000:g} seconds.",
                    {"session-expired": STRONG, "cookie-not-sent": CLEAR},
                    Where.of(module.code.source(node)),
                    group="cookie-age",
                    stack=HOP,
                    fix="Write the age in milliseconds.",
                    edits=module.code.replaced(node, f"{text(node)} * 1000"),
                )


def _product(node: Node | None) -> int | None:
    """The value of numbers that are multiplied; None for anything else."""
    if node is None:
        return None
    node = bare(node)
    if node.type == "number" and text(node).replace("_", "").isdigit():
        return int(text(node).replace("_", ""))
    if node.type != "binary_expression" or text(node.child_by_field_name("operator")) != "*":
        return None
    left, right = _product(node.child_by_field_name("left")), _product(node.child_by_field_name("right"))
    return left * right if left is not None and right is not None else None
