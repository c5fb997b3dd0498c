"""By which program Apache httpd answers, and whether Authorization reaches it.

CGI, FastCGI (mod_proxy_fcgi), SCGI and uwsgi get the fields of the request as variables, and httpd leaves
Authorization out (ap_add_common_vars in server/util_script.c) unless `CGIPassAuth On` stands in a directory's
context, or somebody sets HTTP_AUTHORIZATION: `SetEnvIf`, `RewriteRule … [E=…]`, `ProxyFCGISetEnvIf`. mod_wsgi
leaves it out unless `WSGIPassAuthorization On`. What a proxy passes on by HTTP, and mod_php, keep the field.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from why401.layers.apache_chain import Chain, in_force
from why401.layers.apache_rewrite import Rewrite
from why401.layers.model import Directive
from why401.prefilter import lazy

if TYPE_CHECKING:
    from why401.layers.apache import Apache

_SCHEMES: Final = {"fcgi": "FastCGI", "scgi": "SCGI", "uwsgi": "uwsgi"}
_HANDLERS: Final = {"cgi-script": "CGI", "wsgi-script": "WSGI", "fcgid-script": "mod_fcgid"}
_ADDRESS = lazy(r"^(?:proxy:)?(?:(unix:[^|]+)\|)?(\w+)://([^/]*)(.*)$")
ENVIRONMENT: Final = "HTTP_AUTHORIZATION"


@dataclass(frozen=True)
class Gateway:
    """The program behind: `by` is the directive that leads there, `passes` the one that hands Authorization on
    (None where nothing does); `ended` and `lost` are rewrite rules, where the first keeps the second from it."""

    kind: str
    by: Directive
    passes: Directive | None
    ended: Rewrite | None = None
    lost: Rewrite | None = None


def handler(found: Chain) -> tuple[str, Directive] | None:
    """What handles the resource: an address ("proxy:fcgi://…"), a handler's name or "wsgi" with its directive."""
    target = found.final
    if target.by is not None and target.kind == "proxy":
        return "proxy:" + (target.value or ""), target.by
    if target.by is not None and target.kind in ("wsgi", "cgi"):
        return {"wsgi": "wsgi-script", "cgi": "cgi-script"}[target.kind], target.by
    by = in_force(found.handling, "sethandler")
    if by is not None and by.args and by.args[0].lower() != "none":
        return by.args[0], by
    name = found.resource.rpartition("/")[2]
    for section in reversed(found.handling):
        for directive in reversed(section.all("addhandler")):
            if any(
                re.search(re.escape("." + ext.lstrip(".")) + r"(\.|$)", name) for ext in directive.args[1:]
            ):
                return directive.args[0], directive
    return None


def upstream(layer: Apache, found: Chain) -> str:
    """Where the request goes on to, as `Route.upstream` says it; "" where httpd answers by itself."""
    handled = handler(found)
    if handled is None:
        return ""
    name, by = handled
    if not name.startswith("proxy:"):
        return f"wsgi:{found.final.value}" if _HANDLERS.get(name) == "WSGI" and by.args[1:] else ""
    match = _ADDRESS.match(layer.balanced(name.removeprefix("proxy:")))
    if match is None:
        return ""
    unix, scheme, host, path = match.groups()
    kind = {"fcgi": "fastcgi", "scgi": "scgi", "uwsgi": "uwsgi"}.get(scheme, "")
    if kind:
        return f"{kind}:{unix or host}"
    return unix or f"{scheme}://{host}{path}"


def gateway(layer: Apache, found: Chain) -> Gateway | None:
    """The program behind that gets fields as variables; None for all others."""
    handled = handler(found)
    if handled is None:
        return None
    name, by = handled
    match = _ADDRESS.match(layer.balanced(name.removeprefix("proxy:"))) if name.startswith("proxy:") else None
    kind = _SCHEMES.get(match[2]) if match else _HANDLERS.get(name)
    if kind is None:
        return None
    passes = next(_passing(kind, found), None)
    lost = next((o for o in found.rewritten if o.lost is not None), None)
    return Gateway(kind, by, passes, lost.ended if lost else None, lost.lost if lost else None)


def _passing(kind: str, found: Chain) -> Iterator[Directive]:
    """Each directive that hands Authorization on."""
    switches = {"WSGI": ("cgipassauth", "wsgipassauthorization")}.get(kind, ("cgipassauth",))
    for switch in switches:
        held = in_force(found.handling, switch)
        if held is not None and held.args[:1] and held.args[0].lower() == "on":
            yield held
    for section in found.handling:
        for directive in section.all("setenvif", "setenvifnocase", "proxyfcgisetenvif", "fcgidpassheader"):
            if sets(directive):
                yield directive
    for outcome in found.rewritten:
        if outcome.sets is not None:
            yield outcome.sets.directive


def sets(directive: Directive) -> bool:
    """Whether a directive hands Authorization to the program behind."""
    args = directive.args
    if directive.name == "fcgidpassheader":
        return args[:1] != () and args[0].lower() == "authorization"
    if directive.name == "proxyfcgisetenvif":
        return args[1:2] == (ENVIRONMENT,)
    if directive.name in ("setenvif", "setenvifnocase"):
        reads = args[:1] != () and args[0].strip("^$").lower() == "authorization"
        return reads and any(arg.startswith(ENVIRONMENT + "=") for arg in args[2:])
    return directive.name in ("cgipassauth", "wsgipassauthorization") and [a.lower() for a in args] == ["on"]
