"""Node.js: fields read by a name that never is there, and tokens made otherwise than they are checked.

References: Node.js, `http.IncomingMessage.headers` (names are in lower case); README of jsonwebtoken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from why401.checks import rule
from why401.checks.code_questions import applications
from why401.evidence import Evidence, Fields, Request, Source
from why401.findings import AGAINST, NAMED, STRONG, Finding, Where
from why401.layers.applications import NodeApplication
from why401.layers.js_guards import Verified, verified
from why401.layers.js_modules import Module
from why401.layers.js_values import Constant, Reader, constant, field_of
from why401.layers.model import Edit
from why401.layers.syntax import Call, bare, members, squeezed, string, text, walk

if TYPE_CHECKING:
    from tree_sitter import Node

HOP = "Node.js"
_TOKEN = "aaa.bbb.ccc"
_MISMATCHES = {"audience": "wrong-audience", "issuer": "wrong-issuer", "algorithm": "wrong-algorithm"}


def modules(evidence: Evidence) -> list[Module]:
    """The modules of the applications in question."""
    found = (module for layer in applications(evidence, NodeApplication) for module in layer.modules)
    return list(dict.fromkeys(found))


def _found(
    slug: str, says: str, cause: str, source: Source, fix: str, edits: tuple[Edit, ...] = ()
) -> Finding:
    weights = {cause: NAMED, "wrong-password": AGAINST, "no-credentials": AGAINST}
    return Finding(slug, says, weights, Where.of(source), slug, HOP, fix=fix, edits=edits)


@rule
def field_in_capitals(evidence: Evidence) -> Iterator[Finding]:
    """`req.headers["X-API-Key"]` is always undefined: the names there are in lower case."""
    for module in modules(evidence):
        for node in walk(module.code.root, "member_expression", "subscript_expression"):
            name = field_of(node)
            if name is None or name == name.lower() or _written(node):
                continue
            part = node.child_by_field_name("property") or node.child_by_field_name("index")
            new = (
                name.lower()
                if part is not None and part.type == "property_identifier"
                else f'"{name.lower()}"'
            )
            yield _found(
                "node-field-in-capitals",
                f"`{squeezed(node)}` is always undefined: Node.js keeps the names of fields in lower case.",
                "auth-setting-wrong",
                module.code.source(node),
                f"Write {name.lower()}.",
                module.code.replaced(part, new) if part is not None else (),
            )


def _written(node: Node) -> bool:
    """Whether the expression is given a value here, or the name in lower case is asked as well."""
    above = node.parent
    if above is not None and above.type == "assignment_expression":
        return bool(above.child_by_field_name("left") == node)
    return (
        above is not None and above.type == "binary_expression" and text(above).lower().count(".headers") > 1
    )


@rule
def token_with_remains(evidence: Evidence) -> Iterator[Finding]:
    """What is verified still holds the space after the scheme: `split("Bearer")[1]`."""
    request = Request("GET", "/", Fields.of([("Authorization", f"Bearer {_TOKEN}")]))
    for module in modules(evidence):
        for one in _verifications(module):
            given = Reader(module, request).value(one.token)
            if (
                isinstance(given, str)
                and given != _TOKEN
                and given.strip() == _TOKEN
                and one.token is not None
            ):
                yield _found(
                    "node-token-with-space",
                    "The token that is verified begins with the space that follows the scheme: none ever verifies.",
                    "auth-setting-wrong",
                    one.call.source,
                    "Trim it, or split at the space.",
                    module.code.replaced(one.token, f"{text(one.token)}.trim()"),
                )


def _verifications(module: Module) -> Iterator[Verified]:
    for call in module.code.calls("verify", "jwtVerify", "verifyAsync"):
        if (one := verified(module, call)) is not None:
            yield one


def _signings(module: Module) -> Iterator[tuple[Call, Constant | None, dict[str, Node]]]:
    """Each token that is made: the call, its key and its options."""
    for call in module.code.calls("sign", "signAsync"):
        held = module.package(call.receiver) if call.receiver is not None else module.imports.get(call.name)
        if (held is not None and held.origin == "jsonwebtoken") or call.on in ("jwt", "this.jwtService"):
            options = (
                members(call.args[2]) if len(call.args) > 2 and bare(call.args[2]).type == "object" else {}
            )
            yield call, constant(module, call.args[1]) if len(call.args) > 1 else None, options


@rule
def lifetime_in_milliseconds(evidence: Evidence) -> Iterator[Finding]:
    """`expiresIn: "3600"`: a string without a unit counts milliseconds (README of jsonwebtoken)."""
    for module in modules(evidence):
        for node in walk(module.code.root, "pair"):
            value = string(node.child_by_field_name("value"))
            if (
                text(node.child_by_field_name("key")).strip("\"'") != "expiresIn"
                or value is None
                or not value.isdigit()
            ):
                continue
            place = node.child_by_field_name("value")
            yield _found(
                "node-lifetime-in-milliseconds",
                f'`expiresIn: "{value}"` is {value} milliseconds: a string without a unit counts those.',
                "token-expired",
                module.code.source(node),
                f"Write the number {value} (seconds), or a unit.",
                module.code.replaced(place, value) if place is not None else (),
            )


@rule
def made_otherwise_than_checked(evidence: Evidence) -> Iterator[Finding]:
    """The application signs its tokens with one key, audience or algorithm and asks for another."""
    for layer in applications(evidence, NodeApplication):
        made = [(module, *held) for module in layer.modules for held in _signings(module)]
        checked = [one for module in layer.modules for one in _verifications(module)]
        if len(made) != 1 or len(checked) != 1:
            continue  # of several, each may have its own key: those for access and for renewal
        (home, call, key, options), one = made[0], checked[0]
        if key is not None and one.key is not None and _differ(key, one.key):
            yield _found(
                "node-two-keys",
                f"Tokens are signed with another key (line {call.line} of {home.code.document.name}) than they are "
                "verified with.",
                "bad-signature",
                one.call.source,
                "Sign and verify with the same setting.",
            )
        yield from _options_differ(home, options, one)


def _differ(made: Constant, checked: Constant) -> bool:
    if made.text is not None and checked.text is not None:
        return made.text != checked.text
    return made.name != checked.name and made.name.startswith("env:") and checked.name.startswith("env:")


def _options_differ(home: Module, options: dict[str, Node], one: Verified) -> Iterator[Finding]:
    for name, cause in _MISMATCHES.items():
        wanted = one.option("algorithms" if name == "algorithm" else name)
        held = constant(home, options.get(name)) if name in options else None
        given = (
            held.text
            if held is not None
            else "HS256"
            if name == "algorithm" and name not in options
            else None
        )
        if (
            name not in options
            and name != "algorithm"
            and wanted
            and "payload" not in options
            and not one_claims(home, name)
        ):
            given = ""
        if wanted and given is not None and given not in [value for value, _ in wanted]:
            said = f"the {name} {given}" if given else f"no {name}"
            yield _found(
                f"node-{name}-of-own-tokens",
                f"The application makes its tokens with {said} and asks for {', '.join(v for v, _ in wanted)}.",
                cause,
                wanted[0][1],
                f"Use one {name} on both sides.",
            )


def one_claims(home: Module, name: str) -> bool:
    """Whether the module sets the claim by hand."""
    claim = {"audience": "aud", "issuer": "iss"}[name]
    return bool(re.search(rf"\b{claim}\b", text(home.code.root)))


@rule
def key_made_at_start(evidence: Evidence) -> Iterator[Finding]:
    """A secret that is made at random when the process starts: each restart and each process has another."""
    for module in modules(evidence):
        for node, name in _secrets(module):
            held = module.resolve(node)
            made = squeezed(held.node) if held is not None else squeezed(node)
            if held is None or not re.match(
                r"(?:require\([^)]*\)|\w+\.)*(?:randomBytes|randomUUID|uuidv?4?|nanoid)\(|Math\.random\(",
                made,
            ):
                continue
            yield Finding(
                "node-key-made-at-start",
                f"The {name} is made at random when the process starts: what it signed before no longer holds.",
                {"secret-rotated": STRONG, "session-expired": AGAINST},
                Where.of(held.module.code.source(held.node)),
                "key-made-at-start",
                HOP,
                fix="Keep the secret in a setting that outlives the process.",
            )


def _secrets(module: Module) -> Iterator[tuple[Node, str]]:
    for call in module.code.calls("sign"):
        if len(call.args) > 1 and (held := module.package(call.receiver)) and held.origin == "jsonwebtoken":
            yield call.args[1], "key of the tokens"
    for node in walk(module.code.root, "call_expression"):
        held = module.package(node.child_by_field_name("function"))
        if held is not None and held.origin in ("express-session", "cookie-session"):
            for pair in walk(node, "pair"):
                value = pair.child_by_field_name("value")
                if text(pair.child_by_field_name("key")) == "secret" and value is not None:
                    yield value, "secret of the sessions"
