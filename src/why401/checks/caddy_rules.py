"""What only Caddy gets wrong: directives that never run by its order, and logins decided elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from why401.checks import check, rule
from why401.evidence import Evidence
from why401.findings import AGAINST, CLEAR, HINT, STRONG, Finding, Where
from why401.layers.caddy import HOP, Caddy
from why401.layers.caddy_match import split_matcher
from why401.layers.model import Directive, Edit
from why401.path import routes, walks

_HANDLERS = ("reverse_proxy", "php_fastcgi", "file_server")


@rule
def shadowed_by_respond(evidence: Evidence) -> Iterator[Finding]:
    """`respond 401` without a matcher beside `reverse_proxy`: by Caddy's order it answers every request."""
    at_hand = {a.source for route in routes(evidence) if route.hop == HOP for a in route.answers}
    for layer in evidence.layers:
        if not isinstance(layer, Caddy):
            continue
        for respond in layer.all("respond"):
            block = respond.parent
            if block is None or block.name == "route" or respond.source not in at_hand or layer.order():
                continue
            matcher, args = split_matcher(respond)
            status = next((a for a in args if a in ("401", "403")), "")
            never = block.all(*_HANDLERS)
            if matcher in ("", "*") and status and never:
                yield Finding(
                    "caddy-shadowed-by-respond",
                    f"Caddy applies respond before {never[0].name}, whatever their order in the file: it answers "
                    f"{status} to every request, and {never[0].name} in line {never[0].line} is never reached.",
                    {
                        "auth-rule-unintended": STRONG + 4,
                        "wrong-password": AGAINST,
                        "no-credentials": AGAINST,
                    },
                    Where.of(respond.source),
                    "answered-here",
                    HOP,
                    fix="Put both into `route { … }`, which keeps the order as written.",
                    edits=_routed(respond, never),
                )


def _routed(respond: Directive, never: list[Directive]) -> tuple[Edit, ...]:
    """`route { … }` round the handlers and the line, where nothing else stands between them."""
    block = respond.parent.block if respond.parent else None
    if not block or respond.block is not None or any(d.document is not respond.document for d in never):
        return ()
    first = min(block.index(d) for d in never)
    between = block[first : block.index(respond) + 1]
    if not between or any(d.name not in (*_HANDLERS, "respond") for d in between):
        return ()
    text = respond.document.lines[between[0].line - 1]
    indent = text[: len(text) - len(text.lstrip())]
    return (
        Edit(respond.document, between[0].line, between[0].line - 1, (f"{indent}route {{",)),
        Edit(respond.document, respond.line + 1, respond.line, (f"{indent}}}",)),
    )


@check
def forward_auth_decides(evidence: Evidence) -> Iterator[Finding]:
    """A login service decides on this request; Caddy passes on whatever it says but 2xx."""
    for one in walks(evidence):
        for route in one.routes:
            demand = route.demand("subrequest") if route.hop == HOP else None
            if demand is None or one.status not in (401, 403, None):
                continue
            yield Finding(
                "caddy-forward-auth-decides",
                f"Caddy asks {demand.value} whether the request may pass (forward_auth), and passes on its refusal.",
                {"auth-subrequest-rejected": STRONG if not route.answers else CLEAR, "no-credentials": HINT},
                Where.of(demand.source),
                "subrequest",
                HOP,
            )
            return
