"""What only Traefik gets wrong: dollar signs of labels, names of other providers, what forwardAuth hands on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.checks import check, rule
from why401.checks.layers_changes import document_of
from why401.evidence import Evidence
from why401.findings import AGAINST, CLEAR, HINT, NAMED, STRONG, Finding, Where
from why401.layers import compose
from why401.layers.accounts import Account
from why401.layers.model import Edit, Route
from why401.layers.nodes import Node, written
from why401.layers.traefik import HOP, Traefik
from why401.path import routes, walks
from why401.prefilter import lazy

#: A hash whose dollar signs stand once, or twice.
_SINGLE = lazy(r":\$(?:apr1|1|2[aby]?|5|6)\$(?!\$)")
_DOUBLE = lazy(r":\$\$(?:apr1|1|2[aby]?|5|6)\$\$")


def _layers(evidence: Evidence) -> Iterator[Traefik]:
    """Traefik's layers on the way of the refused requests, or all where there is none."""
    held = {id(route.layer) for route in routes(evidence)}
    for layer in evidence.layers:
        if isinstance(layer, Traefik) and (id(layer) in held or not evidence.exchanges):
            yield layer


@rule
def hash_eaten_by_compose(evidence: Evidence) -> Iterator[Finding]:
    """A hash in a label has single dollar signs: Compose takes `$apr1` for a variable and leaves nothing of it."""
    for layer in _layers(evidence):
        for service, name, value, node in layer.providers.labels:
            if not name.lower().endswith("basicauth.users") or not _SINGLE.search(value):
                continue
            line = written(node)
            mended = compose.doubled(line)
            yield Finding(
                "traefik-hash-eaten-by-compose",
                f"The hash in this label of the service {service.name} has single dollar signs: Docker Compose takes "
                "what follows each for a variable, so Traefik never gets the hash.",
                {"mangled-in-config": NAMED + 6, "wrong-password": AGAINST, "password-file-problem": AGAINST,
                 "unknown-user": AGAINST},
                Where.of(node.source),
                "account",
                HOP,
                fix="Write each $ of the hash twice.",
                edits=(Edit(node.document, node.line, node.line, (mended,)),) if mended != line else (),
            )  # fmt: skip


@rule
def hash_doubled_in_file(evidence: Evidence) -> Iterator[Finding]:
    """A hash in a file has its dollar signs doubled, as only Compose wants them: nobody fits it."""
    seen: set[tuple[str, int | None]] = set()
    for route in routes(evidence):
        for account in _accounts(route):
            place = account.source.name, account.source.line
            text = _line(route, account)
            if place in seen or not _DOUBLE.search(":" + account.stored.reveal()):
                continue
            seen.add(place)
            document = document_of(route, account.source.name)
            sound = document is not None and text and _DOUBLE.search(text)
            yield Finding(
                "traefik-hash-doubled",
                "The dollar signs of this hash stand twice. That is right in a label of Docker Compose; in a file "
                "Traefik takes both, and no password fits.",
                {"mangled-in-config": NAMED + 6, "wrong-password": AGAINST, "password-file-problem": HINT},
                Where.of(account.source),
                "account",
                HOP,
                fix="Write each $ once.",
                edits=(Edit(document, account.source.line or 1, account.source.line or 1, (text.replace("$$", "$"),)),)
                if document is not None and sound
                else (),
            )  # fmt: skip


def _accounts(route: Route) -> list[Account]:
    if not isinstance(route.layer, Traefik):
        return []
    return list(route.layer.accounts(route) or ())


def _line(route: Route, account: Account) -> str:
    document, line = document_of(route, account.source.name), account.source.line or 0
    return document.lines[line - 1].rstrip("\r\n") if document and 0 < line <= len(document.lines) else ""


@rule
def middleware_of_another_provider(evidence: Evidence) -> Iterator[Finding]:
    """A router names a middleware that its provider does not have, while another provider has one of that name."""
    for layer in _layers(evidence):
        for router in layer.providers.routers.values():
            for item, other in layer.misnamed(router):
                yield Finding(
                    "traefik-middleware-of-another-provider",
                    f"The router {router.name} names the middleware {item.value}, which is {other.full}: Traefik does "
                    "not find it and leaves the router out.",
                    {"auth-setting-wrong": STRONG, "wrong-server-answered": HINT, "wrong-password": AGAINST},
                    Where.of(item.source),
                    "router",
                    HOP,
                    fix=f"Name it {other.full}.",
                    edits=_renamed(item, other.full),
                )


def _renamed(item: Node, full: str) -> tuple[Edit, ...]:
    line = written(item)
    found = re.findall(rf"(?<![\w@-]){re.escape(item.value)}(?![\w@-])", line)
    if len(found) != 1:
        return ()
    new = re.sub(rf"(?<![\w@-]){re.escape(item.value)}(?![\w@-])", full, line)
    return (Edit(item.document, item.line, item.line, (new,)),)


@rule
def middleware_unused(evidence: Evidence) -> Iterator[Finding]:
    """A label that begins like a switch is off: the container's routers are not there."""
    for layer in _layers(evidence):
        for service, name, value, node in layer.providers.labels:
            routed = any(n.lower().startswith("traefik.http.routers.") for s, n, _, _ in layer.providers.labels
                         if s is service)  # fmt: skip
            if name.lower() == "traefik.enabled" and routed and value.strip("\"' ").lower() == "true":
                yield Finding(
                    "traefik-switch-misspelt",
                    f"The label traefik.enabled of the service {service.name} is none of Traefik's: it is "
                    "traefik.enable.",
                    {"auth-setting-wrong": CLEAR, "wrong-server-answered": HINT},
                    Where.of(node.source),
                    "router",
                    HOP,
                    fix="Write traefik.enable=true.",
                    edits=(Edit(node.document, node.line, node.line,
                                (written(node).replace("traefik.enabled", "traefik.enable"),)),),
                )  # fmt: skip


@check
def password_taken_away(evidence: Evidence) -> Iterator[Finding]:
    """basicAuth with removeHeader takes Authorization away, and a layer behind asks for it again."""
    for one in walks(evidence):
        for at, route in enumerate(one.routes):
            drop = next((c for c in route.changes if c.what == "drops" and c.name == "Authorization"), None)
            behind = [r for r in one.routes[at + 1 :] if r.hop != HOP and r.demand("scheme")]
            if route.hop != HOP or drop is None or route.demand("scheme") is None or not behind:
                continue
            yield Finding(
                "traefik-removes-password",
                f"Traefik checks the password itself and then removes Authorization (removeHeader); {behind[0].hop} "
                "behind it asks for one and gets none.",
                {"proxy-stripped-credentials": STRONG + 3, "auth-layers-collide": STRONG, "no-credentials": AGAINST},
                Where.of(drop.source),
                "dropped-on-the-way",
                HOP,
                fix="Take removeHeader out, where both check the same password.",
            )  # fmt: skip
            return
