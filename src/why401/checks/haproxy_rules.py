"""What only HAProxy gets wrong: the order of its rules, and refusals that leave the client without a challenge."""

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.checks import check, rule
from why401.evidence import Demand, Evidence, Source
from why401.findings import AGAINST, CLEAR, HINT, NAMED, STRONG, Finding, Where
from why401.layers.haproxy import HOP, HAProxy
from why401.layers.model import Directive, Edit, Route
from why401.path import routes, walks


def _line(layer: HAProxy, source: Source) -> Directive | None:
    """The statement at a place."""
    for section in layer.sections:
        for line in section.block or ():
            if line.source == source:
                return line
    return None


@rule
def dropped_before_login(evidence: Evidence) -> Iterator[Finding]:
    """`del-header Authorization` stands before the rule that reads it: no password can ever be right."""
    seen: set[Source] = set()
    for route in routes(evidence):
        scheme = route.demand("scheme")
        if not isinstance(route.layer, HAProxy) or scheme is None:
            continue
        for change in route.changes:
            if change.name.lower() != "authorization" or change.what == "adds" or change.source in seen:
                continue
            first, then = _line(route.layer, change.source), _line(route.layer, scheme.source)
            if first and then and _before(first, then) and not {"if", "unless"} & set(first.args):
                seen.add(change.source)
                yield Finding(
                    "haproxy-dropped-before-login",
                    f"HAProxy drops Authorization here, before the rule of line {then.line} reads it: rules apply in "
                    "the order in which they stand.",
                    {"proxy-stripped-credentials": NAMED + 6, "wrong-password": AGAINST, "no-credentials": AGAINST},
                    Where.of(change.source, field="Authorization"),
                    "dropped-on-the-way",
                    HOP,
                    fix="Move the line below the rule that asks for the login.",
                    edits=_moved(first, then),
                )  # fmt: skip


def _before(first: Directive, then: Directive) -> bool:
    if first.parent is then.parent:
        return first.line < then.line
    return first.parent is not None and first.parent.name == "frontend"


def _moved(first: Directive, then: Directive) -> tuple[Edit, ...]:
    if first.document is not then.document:
        return ()
    text = first.document.lines[first.line - 1].rstrip("\r\n")
    return (
        Edit(first.document, first.line, first.line, ()),
        Edit(first.document, then.line + 1, then.line, (text,)),
    )


@check
def denied_without_challenge(evidence: Evidence) -> Iterator[Finding]:
    """`deny unless { http_auth(…) }` refuses without WWW-Authenticate, so clients that wait for it send nothing."""
    for one in walks(evidence):
        for route in one.routes:
            scheme = route.demand("scheme")
            answer = next((a for a in route.answers if scheme and a.source == scheme.source), None)
            if scheme is None or answer is None or not isinstance(route.layer, HAProxy):
                continue
            if "authorization" in one.request.fields or one.status not in (answer.status, None):
                continue
            yield Finding(
                "haproxy-denied-without-challenge",
                f"HAProxy reads a Basic login here, but refuses with {answer.status} and without WWW-Authenticate: a "
                "browser, and any client that waits to be asked, never sends its password.",
                {"missing-challenge": STRONG + 4, "no-credentials": CLEAR},
                Where.of(answer.source),
                "demanded-scheme",
                HOP,
                fix="Ask for the login with `http-request auth` instead of `deny`.",
                edits=_asking(route.layer, scheme),
            )
            return


def _asking(layer: HAProxy, scheme: Demand) -> tuple[Edit, ...]:
    line = _line(layer, scheme.source)
    if line is None or line.args[:1] != ("deny",):
        return ()
    text = line.document.lines[line.line - 1].rstrip("\r\n")
    new = re.sub(r"\bdeny(?:\s+deny_status\s+\d+)?", "auth", text, count=1)
    return (Edit(line.document, line.line, line.line, (new,)),)


@check
def refused_by_rate(evidence: Evidence) -> Iterator[Finding]:
    """A rule that counts requests or failures answers with the status that was seen."""
    for one in walks(evidence):
        for route in one.routes:
            rate = route.demand("rate") if isinstance(route.layer, HAProxy) else None
            if rate is not None and str(one.status) == rate.value:
                certain = _always(route, rate)
                yield Finding(
                    "haproxy-refused-by-rate",
                    f"HAProxy answers {rate.value} here to a client that asks too often.",
                    {"too-many-attempts": STRONG if certain else CLEAR, "client-banned": HINT},
                    Where.of(rate.source),
                    "answered-here",
                    HOP,
                    fix="Wait until the entry of the stick-table expires, or raise the limit.",
                )
                return


def _always(route: Route, rate: Demand) -> bool:
    return all(a.source == rate.source for a in route.answers) and route.demand("scheme") is None
