"""Apache httpd does not pass Authorization on to the program behind it (CGI, FastCGI, mod_wsgi) unless it is told to.

Said only where the request carries the field, or where the code behind asks for it: a program that leaves the login
to httpd is sound without.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from why401.checks import apache_edits as edit
from why401.checks import check, rule
from why401.checks.apache_requests import met
from why401.evidence import Evidence
from why401.findings import AGAINST, NAMED, RULED_OUT, STRONG, Finding, Where
from why401.layers.apache import HOP, Apache, ApacheRoute
from why401.layers.apache_chain import in_force
from why401.layers.apache_files import is_htaccess
from why401.layers.apache_gateway import Gateway, sets
from why401.layers.apache_rewrite import written
from why401.layers.model import Directive, Edit, Layer
from why401.path import routes

#: The program behind → the suffix of the code that may stand there.
_CODE = {"WSGI": (".py", ".wsgi"), "FastCGI": (".php",), "CGI": (".php", ".py", ".pl", ".cgi")}
#: The program behind → the line that passes the field on; the others are told by CGIPassAuth or a variable.
_PASSES = {"WSGI": ("WSGIPassAuthorization On",), "mod_fcgid": ("FcgidPassHeader Authorization",)}
_SECTIONS = ("directory", "directorymatch", "files", "filesmatch", "location", "locationmatch")
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
        carried = "authorization" in one.request.fields
        unknown = not one.request.complete and one.status == 401  # a log line tells no fields
        if not (carried or unknown) or one.status not in (401, 403, None):
            continue
        behind = [inner for inner in one.routes if inner.hop != route.hop and inner.demands]
        if (
            route.gateway is None
            or route.gateway.passes is not None
            or (route.demand("scheme") and not behind)
        ):
            continue
        found = _finding(route, route.gateway, known=bool(behind))
        yield found if carried else replace(found, weights={c: w / 2 for c, w in found.weights.items()})
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
    if ended.has("END") and rule.directive.line < ended.directive.line:
        says = (
            "This rule hands Authorization on, and line "
            f"{ended.directive.line} then leads elsewhere with [END]: the variable is called "
            "REDIRECT_HTTP_AUTHORIZATION there, and the rules do not run again."
        )
        new = edit.written(ended.directive).replace("END]", "L]")
        edits: tuple[Edit, ...] = (
            (edit.instead(ended.directive, new),) if "END]" in edit.written(ended.directive) else ()
        )
        return _Loss(rule.directive, says, "Write [L] for [END], so that the rules run again.", edits)
    says = (
        "This rule would hand Authorization on to the program, and is not reached in the last round: "
        f"line {ended.directive.line} ends it before ([{'END' if ended.has('END') else 'L'}])."
    )
    edits = ()
    up = engine is not None and engine.line < rule.directive.line and not rule.conditions
    if engine is not None and up and edit.written(rule.directive):
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
    switch = "WSGIPassAuthorization" if gateway.kind == "WSGI" else "CGIPassAuth"
    off = in_force(route.chain.handling, switch.lower())
    if off is not None:  # it would pass the field on if it were On
        return _Loss(
            off, f"{says} Here it is switched off.", "Switch it on.", (edit.instead(off, f"{switch} On"),)
        )
    lines = _PASSES.get(gateway.kind) or _by_context(route, by)
    return _Loss(by, says, f"Pass it on: {lines[len(lines) // 2].strip()}", (edit.after(by, *lines),))


def _by_context(route: ApacheRoute, by: Directive) -> tuple[str, ...]:
    """CGIPassAuth may stand only in a directory's context, SetEnvIf anywhere, where its module is loaded."""
    if by.parent is not None and by.parent.name in _SECTIONS and not is_htaccess(by.document):
        return ("CGIPassAuth On",)
    if isinstance(route.layer, Apache) and route.layer.parsed.has("setenvif"):
        return (_SET,)
    return ("<Location />", "    CGIPassAuth On", "</Location>")


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
