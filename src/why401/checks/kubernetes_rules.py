"""What only Ingresses and their Secrets get wrong: keys and encodings of Secrets, what the snippets hand on."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from why401.checks import check, rule
from why401.checks.layers_changes import document_of
from why401.evidence import Demand, Evidence
from why401.findings import AGAINST, CLEAR, HINT, NAMED, STRONG, Finding, Where
from why401.layers import kube_objects
from why401.layers.kube_objects import Object
from why401.layers.kubernetes import HOP, PREFIX, Ingresses
from why401.layers.model import Edit, Route
from why401.layers.nodes import Node, written
from why401.path import routes, walks


def _asking(evidence: Evidence) -> Iterator[tuple[Ingresses, Object, Object]]:
    """(layer, Ingress, Secret with its users) of each Ingress on the way that asks for a login."""
    met = {d.source for route in routes(evidence) for d in route.all("secret")}
    for layer in evidence.layers:
        if not isinstance(layer, Ingresses):
            continue
        for one in layer.ingresses:
            named, secret = one.annotation(PREFIX + "auth-secret"), None
            if named and named.source in met and one.annotation(PREFIX + "auth-type"):
                secret = layer.secret(one)
            if secret is not None:
                yield layer, one, secret


@rule
def secret_without_auth(evidence: Evidence) -> Iterator[Finding]:
    """The Secret has its users under another key than `auth`: the controller refuses the location."""
    seen: set[int] = set()
    for _, one, secret in _asking(evidence):
        keys = {**secret.node.at("data").pairs, **secret.node.at("stringData").pairs}
        mapped = one.annotation(PREFIX + "auth-secret-type").value == "auth-map"
        if mapped or "auth" in keys or not keys or id(secret) in seen:
            continue
        seen.add(id(secret))
        key = next(iter(keys))
        node = keys[key]
        text = written(node)
        new = re.sub(rf"(['\"]?){re.escape(key)}\1(\s*:)", r"auth\2", text, count=1)
        yield Finding(
            "ingress-secret-without-auth",
            f"ingress-nginx reads the users of {secret.title} from the key auth; it has only {key}.",
            {"password-file-problem": STRONG, "auth-setting-wrong": CLEAR, "wrong-password": AGAINST},
            Where.of(node.source),
            "password-file",
            HOP,
            fix="Name the key auth.",
            edits=(Edit(node.document, node.line, node.line, (new,)),)
            if new != text and len(keys) == 1
            else (),
        )


@rule
def secret_encoded_twice(evidence: Evidence) -> Iterator[Finding]:
    """What `data` holds is base64 once more under its base64: no line of users comes out."""
    seen: set[int] = set()
    for _, _, secret in _asking(evidence):
        found = kube_objects.held(secret, "auth")
        inner = _decoded(found[0]) if found else ""
        if found is None or not inner or id(found[1]) in seen:
            continue
        seen.add(id(found[1]))
        node = found[1]
        text = written(node)
        outer = "".join(node.value.split())
        once = base64.b64encode(inner.encode()).decode()
        plain = secret.node.at("stringData", "auth")
        what = "Write the text itself into stringData." if plain else "Encode it once."
        edits = (Edit(node.document, node.line, node.line, (text.replace(outer, once),)),)
        yield Finding(
            "ingress-secret-encoded-twice",
            f"What {secret.title} holds under auth is base64 once more: nginx finds no user in it.",
            {"mangled-in-config": NAMED, "password-file-problem": CLEAR, "unknown-user": AGAINST},
            Where.of(node.source),
            "account",
            HOP,
            fix=what,
            edits=edits if outer in text and not plain else (),
        )


def _decoded(text: str) -> str:
    """The lines of users that are encoded in a text; "" where there are none."""
    bare = "".join(text.split())
    if ":" in bare or len(bare) < 8:
        return ""
    try:
        found = base64.b64decode(bare, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return found if re.match(r"[^\s:]+:\S", found) else ""


@rule
def doubled_dollars(evidence: Evidence) -> Iterator[Finding]:
    """Hashes in a Secret have doubled dollar signs, as only Compose halves them."""
    seen: set[int] = set()
    for _, _, secret in _asking(evidence):
        found = kube_objects.held(secret, "auth")
        if (
            found is None
            or id(found[1]) in seen
            or not re.search(r":\$\$(?:apr1|1|2[aby]?|5|6)\$\$", found[0])
        ):
            continue
        seen.add(id(found[1]))
        text, node = written(found[1]), found[1]
        edits = (
            (Edit(node.document, node.line, node.line, (text.replace("$$", "$"),)),) if "$$" in text else ()
        )
        yield Finding(
            "ingress-hash-doubled",
            "The dollar signs of this hash stand twice; nothing halves them in a Secret.",
            {"mangled-in-config": NAMED + 6, "wrong-password": AGAINST},
            Where.of(node.source),
            "account",
            HOP,
            fix="Write each $ once.",
            edits=edits,
        )


@check
def snippet_drops(evidence: Evidence) -> Iterator[Finding]:
    """The login at the Ingress takes Authorization away from what stands behind, which asks for it as well."""
    for one in walks(evidence):
        for at, route in enumerate(one.routes):
            drop = next((c for c in route.changes if c.name == "Authorization" and c.what == "drops"), None)
            behind = [r for r in one.routes[at + 1 :] if r.hop != HOP and r.demand("scheme")]
            if route.hop != HOP or drop is None or not behind or route.demand("scheme") is None:
                continue
            yield Finding(
                "ingress-takes-password",
                f"ingress-nginx checks a password itself here and never passes Authorization on; {behind[0].hop} "
                "behind it asks for one.",
                {
                    "auth-layers-collide": STRONG + 3,
                    "proxy-stripped-credentials": STRONG,
                    "no-credentials": AGAINST,
                },
                Where.of(drop.source),
                "dropped-on-the-way",
                HOP,
                fix="Ask for a login in one of the two places only.",
            )
            return


@check
def token_of_login_not_handed_on(evidence: Evidence) -> Iterator[Finding]:
    """A layer behind asks for a token that the login service sets, and auth-response-headers does not name it."""
    for one in walks(evidence):
        for at, route in enumerate(one.routes):
            asked = route.demand("subrequest") if route.hop == HOP else None
            behind = [d for r in one.routes[at + 1 :] if r.hop != HOP for d in r.all("scheme")]
            if (
                asked is None
                or not any(d.value == "Bearer" for d in behind)
                or "authorization" in one.request.fields
            ):
                continue
            named = [c for c in route.changes if c.what == "overwrites" and c.name.lower() == "authorization"]
            if named or one.status not in (401, None):
                continue
            listed = _annotation(route, "auth-response-headers")
            yield Finding(
                "ingress-token-not-handed-on",
                "The login service knows the user, but auth-response-headers does not name Authorization, so the "
                "layer behind gets no token.",
                {"proxy-stripped-credentials": STRONG, "auth-setting-wrong": CLEAR, "no-credentials": HINT},
                Where.of(listed.source if listed else asked.source),
                "dropped-on-the-way",
                HOP,
                fix="Add Authorization to nginx.ingress.kubernetes.io/auth-response-headers.",
                edits=_added(route, listed, asked),
            )
            return


def _annotation(route: Route, name: str) -> Node | None:
    layer = route.layer
    if not isinstance(layer, Ingresses):
        return None
    path = next((p for p in layer.paths if p.node.source == route.source), None)
    held = path.ingress.annotation(PREFIX + name) if path else None
    return held if held else None


def _added(route: Route, listed: Node | None, asked: Demand) -> tuple[Edit, ...]:
    if listed is not None:
        text = written(listed)
        new = text.replace(listed.value, f"{listed.value},Authorization", 1)
        return (Edit(listed.document, listed.line, listed.line, (new,)),) if new != text else ()
    document, line = document_of(route, asked.source.name), asked.source.line or 0
    if document is None or not 0 < line <= len(document.lines):
        return ()
    text = document.lines[line - 1]
    indent = text[: len(text) - len(text.lstrip())]
    if PREFIX not in text:
        return ()
    return (Edit(document, line + 1, line, (f"{indent}{PREFIX}auth-response-headers: Authorization",)),)
