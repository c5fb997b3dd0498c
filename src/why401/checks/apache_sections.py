"""Which sections of Apache httpd took a request that nobody meant for them: the first virtual host, a later section."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from why401.checks import apache_edits as edit
from why401.checks import check
from why401.checks.apache_requests import accepts, met
from why401.checks.layers_demands import carried
from why401.evidence import Evidence, Request
from why401.findings import AGAINST, CLEAR, NAMED, PROVED, RULED_OUT, STRONG, Finding, Where
from why401.layers import apache_match as match
from why401.layers.apache import HOP, Apache, ApacheRoute
from why401.layers.model import Directive, Edit

_RELAXING = (
    "require",
    "requireany",
    "requireall",
    "satisfy",
    "allow",
    "authuserfile",
    "authtype",
)

#: What the credentials are said to lack counts for nothing where they fit the rules that were meant.
_VOID = -60.0
#: A rule for just this folder says that all may pass: nothing is wrong with what the request carries.
_CONTRADICTED = {
    "auth-rule-unintended": NAMED + 12,
    "no-credentials": AGAINST,
    "wrong-scheme": _VOID,
    "auth-layers-collide": _VOID,
}


@check
def taken_by_the_first_host(evidence: Evidence) -> Iterator[Finding]:
    """No virtual host has the name that is asked for, so the first one took the request, with its own rules."""
    for one, route in met(evidence):
        host, taken = match.host_of(one.request), route.chain.virtual
        if (
            route.by_name
            or taken is None
            or not host
            or host == "localhost"
            or host.replace(".", "").isdigit()
        ):
            continue
        if not (route.demand("user") or route.answers) or not isinstance(route.layer, Apache):
            continue
        near, fits = _near(route.layer, one.request, taken, host)
        at = near.last("serveralias", "servername") if near is not None else None
        first = route.layer.name_of(taken)
        says = f"No virtual host has the name {host}, so the first one ({first}) takes the request."
        if near is not None:
            says = f"{says[:-1]}; {route.layer.name_of(near)} lacks this name."
        if fits:
            says += " The password file there accepts the user and password of this request."
        yield Finding(
            "apache-first-host-took-it",
            says,
            _proved("wrong-server-answered")
            if fits
            else {"wrong-server-answered": NAMED + 8 if near else STRONG},
            Where.of((at or near or taken).source),
            group="apache-virtual-host",
            stack=HOP,
            fix=f"Add the name to the virtual host that is meant: ServerAlias {host}",
            edits=(edit.after(at, f"ServerAlias {host}"),) if at is not None else (),
            proves="wrong-server-answered" if fits else "",
        )
        return


def _proved(cause: str) -> dict[str, float]:
    """The credentials fit where they were meant for: nothing is wrong with them."""
    return {
        cause: PROVED + 8,
        "unknown-user": _VOID,
        "wrong-password": _VOID,
        "password-file-problem": RULED_OUT,
    }


def _near(layer: Apache, request: Request, taken: Directive, host: str) -> tuple[Directive | None, bool]:
    """The virtual host that is meant: one whose password file accepts the request's credentials (then True), or
    whose name is nearly the one asked for."""
    others = [virtual for virtual in layer.top.all("virtualhost") if virtual is not taken]
    for virtual in others:
        demand = layer.route(virtual, match.path_of(request), request.method, host).demand("password-file")
        if demand is not None and accepts(layer.open(demand.value), request):
            return virtual, True
    named: dict[str, Directive] = {}
    for virtual in others:
        for directive in virtual.all("servername", "serveralias"):
            named |= {arg.lower(): virtual for arg in directive.args}
    for name, virtual in named.items():
        if host.removeprefix("www.") == name.removeprefix("www."):
            return virtual, False
    close = difflib.get_close_matches(host, named, n=1, cutoff=0.85)
    return (named[close[0]] if close else None), False


@check
def htaccess_ignored(evidence: Evidence) -> Iterator[Finding]:
    """An .htaccess on the way says who may pass, and AllowOverride None makes httpd ignore it."""
    for one, route in met(evidence):
        if not route.facts.users and not route.answers:
            continue
        for ignored in route.chain.ignored:
            held = ignored.block.all(*_RELAXING)
            if not held or one.status not in (401, 403, None):
                continue
            opens = any(
                [a.lower() for a in d.args] in (["all", "granted"], ["any"], ["from", "all"]) for d in held
            )
            by = ignored.by
            file = ignored.block.last("authuserfile")
            fits = file is not None and bool(file.args) and route.layer is not None
            fits = fits and file is not None and accepts(route.layer.open(file.args[0]), one.request)  # type: ignore[union-attr]
            cause = "auth-rule-unintended" if opens else "auth-setting-wrong"
            yield Finding(
                "apache-htaccess-ignored",
                f"{ignored.block.document.name} says who may pass here, and AllowOverride "
                f"{'None' if by else 'is not set, so httpd'} leaves it out; what stands above it is in force.",
                _proved(cause) if fits else {cause: NAMED, "no-credentials": AGAINST},
                Where.of(by.source if by is not None else route.source),
                group="apache-htaccess",
                stack=HOP,
                fix="Let .htaccess say it: AllowOverride AuthConfig.",
                edits=(edit.instead(by, "AllowOverride AuthConfig Limit"),) if by is not None else (),
                opens=route.chain.path if opens else "",
                proves=cause if fits else "",
            )
            return


@check
def location_overrides(evidence: Evidence) -> Iterator[Finding]:
    """A `<Directory>` or .htaccess lets everybody in, and a `<Location>`, which is merged later, asks for a login."""
    for one, route in met(evidence):
        line = next(iter(route.facts.users), None)
        section = _outermost(line, route) if line is not None else None
        if line is None or section is None or not section.name.startswith("location") or one.status != 401:
            continue
        wider = len(section.args[-1]) if section.args else 0
        for inner in route.chain.sections:
            folder = route.layer.folder_of(inner) if isinstance(route.layer, Apache) else None
            granted = inner.last("require")
            if folder is None or granted is None or [a.lower() for a in granted.args] != ["all", "granted"]:
                continue
            path = _path_of(route, folder)
            if len(path) <= max(wider, 1) or carried(one.request) in {
                d.value.lower() for d in route.all("scheme")
            }:
                continue
            yield Finding(
                "apache-location-overrides",
                f"{granted.document.name}:{granted.line} lets everybody in, and {route.name} asks for a login: "
                "<Location> is merged after <Directory> and .htaccess, so it wins.",
                _CONTRADICTED,
                Where.of(line.source),
                group="apache-section-order",
                stack=HOP,
                fix=f"Let everybody in by a <Location {path}> behind it, or ask for the login in a <Directory>.",
                edits=_opened(section, path),
                opens=path,
            )
            return


def _outermost(line: Directive, route: ApacheRoute) -> Directive | None:
    return next((at for at in line.enclosing() if at in route.chain.sections), None)


def _path_of(route: ApacheRoute, folder: str) -> str:
    """The URL path of a folder of the server, as far as it is part of the path that was asked."""
    file, path = route.chain.target.value or "", route.chain.path
    root = file.removesuffix(path).rstrip("/") if file.endswith(path) else ""
    inside = folder.rstrip("/").removeprefix(root) if root and folder.startswith(root) else ""
    return f"{inside}/" if inside.startswith("/") else ""


def _opened(section: Directive, path: str) -> tuple[Edit, ...]:
    lines = section.document.lines
    end = next(
        (n for n in range(section.line, len(lines)) if lines[n].strip().lower().startswith("</location")),
        None,
    )
    if end is None:
        return ()
    new = (f"<Location {path}>", "    Require all granted", "</Location>")
    return (Edit(section.document, end + 2, end + 1, tuple(edit.indent(section) + line for line in new)),)


@check
def nothing_granted(evidence: Evidence) -> Iterator[Finding]:
    """`Require all denied` is what is left in force: no section lets anybody into this folder."""
    for one, route in met(evidence):
        rule, target = route.facts.rule, route.chain.target
        if rule is None or not rule.shut or one.status not in (403, None):
            continue
        line = next(rule.leaves())
        section = _outermost(line, route)
        if section is None or section.name.startswith("files"):
            continue
        root = section.name == "directory" and section.args[:1] == ("/",)
        yield Finding(
            "apache-nothing-granted",
            f"`Require all denied` of {route.name} is in force"
            + (": no section lets anybody into this folder." if root else "."),
            {
                "auth-rule-unintended": NAMED + 8 if root else NAMED,
                "not-permitted": RULED_OUT if root else CLEAR,
                "wrong-password": AGAINST,
            },
            Where.of(line.source),
            group="answered-here",
            stack=HOP,
            fix="Say who may pass: a <Directory> for the folder with its own Require.",
            edits=_granted(target.by, line, root=root),
            opens=route.chain.path,
        )
        return


def _granted(by: Directive | None, line: Directive, *, root: bool) -> tuple[Edit, ...]:
    if not root:
        return (edit.instead(line, "Require all granted"),)
    if by is None or by.name != "documentroot":
        return ()
    folder = by.args[0]
    return (edit.after(by, f"<Directory {folder}>", "    Require all granted", "</Directory>"),)
