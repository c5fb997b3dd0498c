"""Apache httpd does not pass Authorization on to the program behind it (CGI, FastCGI, mod_wsgi) unless it is told to.

Said only where the request carries the field, or where the code behind asks for it: a program that leaves the login
to httpd is sound without.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from why401.checks import apache_edits as edit
from why401.checks import check, rule
from why401.checks.apache_requests import met
from why401.evidence import Evidence
from why401.findings import AGAINST, NAMED, RULED_OUT, STRONG, Finding, Where
from why401.layers.apache import HOP, ApacheRoute
from why401.layers.apache_gateway import Gateway, sets
from why401.layers.apache_rewrite import written
from why401.layers.model import Directive, Edit, Layer
from why401.path import routes

#: The program behind → the suffix of the code that may stand there.
_CODE = {"WSGI": (".py", ".wsgi"), "FastCGI": (".php",), "CGI": (".php", ".py", ".pl", ".cgi")}
_SET = 'SetEnvIf Authorization "(.*)" HTTP_AUTHORIZATION=$1'


@dataclass(frozen=True)
class _Loss:
    """Why the field does not arrive: the guilty directive, a sentence and what mends it."""

    at: Directive
    says: str
    fix: str
    edits: tuple[Edit, ...]


@check
def gateway_strips(evidence: Evidence) -> Iterator[Finding]:
    """The request carries Authorization, and httpd hands it to a program that never sees the field."""
    for one, route in met(evidence):
        if "authorization" not in {f.name.lower() for f in one.request.fields} or one.status not in (
            401,
            403,
            None,
        ):
            continue
        behind = [inner for inner in one.routes if inner.hop != route.hop and inner.demands]
        if (
            route.gateway is None
            or route.gateway.passes is not None
            or (route.demand("scheme") and not behind)
        ):
            continue
        yield _finding(route, route.gateway, known=bool(behind))
        return


@rule
def gateway_strips_what_is_asked(evidence: Evidence) -> Iterator[Finding]:
    """The code behind asks for Authorization, and httpd does not hand it on."""
    if evidence.exchanges or evidence.records:
        return
    asking = [layer for layer in evidence.layers if layer.kind == "application" and _asks(layer)]
    seen: set[int] = set()
    for route in routes(evidence) if asking else ():
        gateway = route.gateway if isinstance(route, ApacheRoute) else None
        if gateway is None or not isinstance(route, ApacheRoute) or gateway.passes is not None:
            continue
        fits = any(layer.root.name.endswith(_CODE.get(gateway.kind, ())) for layer in asking)
        if fits and id(gateway.by) not in seen and not route.demand("scheme"):
            seen.add(id(gateway.by))
            yield _finding(route, gateway, known=True)


def _asks(layer: Layer) -> bool:
    return any(
        demand.respect == "scheme" or (demand.respect == "field" and demand.value.lower() == "authorization")
        for route in layer.routes()
        for demand in route.demands
    )


def _finding(route: ApacheRoute, gateway: Gateway, *, known: bool) -> Finding:
    loss = _ignored(route) or _not_reached(gateway) or _switched_off(route) or _plain(route, gateway)
    return Finding(
        "apache-gateway-strips",
        loss.says,
        {
            "gateway-stripped-credentials": NAMED + 4 if known else NAMED,
            "proxy-stripped-credentials": STRONG / 2,
            "no-credentials": AGAINST,
            "wrong-password": RULED_OUT if known else AGAINST,
            "unknown-user": AGAINST,
        },
        Where.of(loss.at.source, field="Authorization"),
        group="dropped-on-the-way",
        stack=HOP,
        fix=loss.fix,
        edits=loss.edits,
    )


def _ignored(route: ApacheRoute) -> _Loss | None:
    """An .htaccess would hand the field on, and AllowOverride makes httpd ignore it."""
    for ignored in route.chain.ignored:
        rewrites = [rewrite for rewrite in written(ignored.block) if rewrite.sets]
        held = next((d for d in ignored.block.block or () if sets(d)), None)
        if held is None and not rewrites:
            continue
        at = ignored.by or route.chain.sections[-1]
        name = ignored.block.document.name
        wanted = "AuthConfig" if held is not None and held.name == "cgipassauth" else "FileInfo"
        says = f"{name} would hand Authorization on to the program, and httpd ignores it: AllowOverride is None here."
        fix = (
            f"Let .htaccess count: AllowOverride {wanted} (and Options FollowSymLinks for its rewrite rules)."
        )
        return _Loss(
            at, says, fix, (edit.instead(ignored.by, f"AllowOverride {wanted}"),) if ignored.by else ()
        )
    return None


def _not_reached(gateway: Gateway) -> _Loss | None:
    """The rewrite rule that hands the field on stands behind one that ends the round."""
    if gateway.lost is None or gateway.ended is None:
        return None
    rule, ended = gateway.lost, gateway.ended
    section = rule.directive.parent
    engine = section.last("rewriteengine") if section is not None else None
    says = (
        "This rule would hand Authorization on to the program, and is not reached in the last round: "
        f"line {ended.directive.line} ends it before ([L])."
    )
    edits: tuple[Edit, ...] = ()
    if (
        engine is not None
        and engine.line < rule.directive.line
        and not rule.conditions
        and edit.written(rule.directive)
    ):
        edits = (edit.after(engine, edit.written(rule.directive)), edit.instead(rule.directive))
    return _Loss(rule.directive, says, "Move the rule up, right behind RewriteEngine On.", edits)


def _switched_off(route: ApacheRoute) -> _Loss | None:
    """The rewrite rule is there, and no RewriteEngine On before it."""
    for section in reversed(route.chain.sections):
        engine = section.last("rewriteengine")
        if engine is not None and engine.args[:1] and engine.args[0].lower() == "on":
            return None
        for rewrite in written(section):
            if rewrite.sets:
                says = "This rule would hand Authorization on to the program, and the RewriteEngine is not on here."
                new = (
                    edit.instead(engine, "RewriteEngine On")
                    if engine
                    else edit.before(rewrite.directive, "RewriteEngine On")
                )
                return _Loss(rewrite.directive, says, "Switch it on: RewriteEngine On.", (new,))
    return None


def _plain(route: ApacheRoute, gateway: Gateway) -> _Loss:
    """Nothing hands the field on."""
    by = gateway.by
    program = {"WSGI": "mod_wsgi", "FastCGI": "FastCGI (PHP-FPM)"}.get(gateway.kind, gateway.kind)
    says = f"httpd leaves Authorization out of what it hands to {program}, unless it is told to pass it on."
    if by.name.startswith("proxypass") and any(d for d in _switches(route, by)):
        says += " CGIPassAuth in a <Directory> does not hold for what ProxyPass takes."
    section = by.parent
    if gateway.kind == "WSGI":
        return _Loss(
            by, says, "Pass it on: WSGIPassAuthorization On.", (edit.after(by, "WSGIPassAuthorization On"),)
        )
    if gateway.kind == "mod_fcgid":
        return _Loss(
            by,
            says,
            "Pass it on: FcgidPassHeader Authorization.",
            (edit.after(by, "FcgidPassHeader Authorization"),),
        )
    inside = section is not None and section.name in (
        "directory",
        "files",
        "filesmatch",
        "location",
        "directorymatch",
        "locationmatch",
    )
    line = (
        "CGIPassAuth On" if inside or section is None or section.document.name.endswith(".htaccess") else _SET
    )
    return _Loss(by, says, f"Pass it on: {line}", (edit.after(by, line),))


def _switches(route: ApacheRoute, by: Directive) -> Iterator[Directive]:
    """CGIPassAuth in a section that the request does not pass."""
    for place in by.enclosing():
        for directive in place.walk():
            if (
                directive.name == "cgipassauth"
                and sets(directive)
                and directive.parent not in route.chain.sections
            ):
                yield directive
