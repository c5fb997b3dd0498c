"""Which site and which directives of a Caddyfile apply to a request (caddyserver.com/docs/caddyfile/matchers)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from urllib.parse import unquote

from why401.evidence import Request
from why401.layers.maybe import Maybe, every, opposite, some
from why401.layers.model import Directive

PRIVATE = ("192.168.0.0/16", "172.16.0.0/12", "10.0.0.0/8", "127.0.0.1/8", "fd00::/8", "::1")


def addresses(site: Directive) -> list[tuple[str, str, int | None]]:
    """(scheme, host, port) of each address of a site, "" and None where unsaid."""
    found = []
    for written in (part for arg in site.args for part in arg.split(",") if part):
        match = re.match(r"(?:(https?)://)?(\[[^\]]*\]|[^:/]*)(?::(\d+))?", written)
        scheme, host, port = match.groups() if match else ("", written, None)
        found.append((scheme or "", host or "", int(port) if port else None))
    return found


def ports(address: tuple[str, str, int | None]) -> set[int]:
    scheme, _, port = address
    return {port} if port else {"http": {80}, "https": {443}}.get(scheme, {80, 443})


def site_for(sites: Sequence[Directive], request: Request) -> Directive | None:
    """The site that takes the request: the port, then the longest host that fits, then one without a host."""
    parts = request.split
    try:
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        port = None
    host = re.sub(r":\d+$", "", request.fields.get("host") or parts.netloc.rpartition("@")[2]).lower()
    best: tuple[int, Directive] | None = None
    for site in sites:
        for address in addresses(site) or [("", "", None)]:
            if port is not None and port not in ports(address):
                continue
            rank = _host_rank(address[1].lower(), host)
            if rank is not None and (best is None or rank > best[0]):
                best = rank, site
    if best is None and len(sites) == 1 and port in (80, 443, None):
        return sites[0]
    return best[1] if best else None


def _host_rank(wanted: str, host: str) -> int | None:
    if wanted in ("", "*"):
        return 0
    if wanted == host:
        return 1000
    if "*" not in wanted:
        return None
    fits = len(wanted.split(".")) == len(host.split(".")) and fnmatchcase(host, wanted)
    return len(wanted) if fits else None


def split_matcher(directive: Directive) -> tuple[str, tuple[str, ...]]:
    """The matcher of a directive ("" for none) and its other arguments."""
    if directive.args and (directive.args[0].startswith(("/", "@")) or directive.args[0] == "*"):
        return directive.args[0], directive.args[1:]
    return "", directive.args


def fits(directive: Directive, request: Request | None, path: str) -> Maybe:
    """Whether the directive's matcher takes the request, whose path may have lost a prefix by now."""
    matcher, _ = split_matcher(directive)
    if matcher in ("", "*"):
        return True
    if request is None:
        return None
    if matcher.startswith("/"):
        return path_fits(matcher, path)
    definition = named(directive, matcher)
    return _definition(definition, request, path) if definition is not None else None


def named(directive: Directive, name: str) -> Directive | None:
    """The definition of a named matcher in the blocks around."""
    for block in directive.enclosing():
        found = block.first(name)
        if found is not None and found is not directive:
            return found
    return None


def parts_of(definition: Directive) -> list[Directive]:
    """The single matchers of a definition, whether it is one line or a block."""
    found = list(definition.block or ())
    if definition.args:
        head = definition.args[0]
        inner = Directive(
            head, definition.args[1:], definition.document, definition.line, definition, definition.block
        )
        found = [inner]
    return found


def _definition(definition: Directive, request: Request, path: str) -> Maybe:
    groups: dict[str, list[Maybe]] = {}
    for part in parts_of(definition):
        groups.setdefault(part.name, []).append(_part(part, request, path))
    return every(every(g) if name in ("not", "header") else some(g) for name, g in groups.items())


def _part(part: Directive, request: Request, path: str) -> Maybe:
    if part.name == "not":
        return opposite(_definition(part, request, path))
    if part.name == "path":
        return some(path_fits(pattern, path) for pattern in part.args)
    if part.name == "method":
        return request.method.upper() in {a.upper() for a in part.args} if request.method else None
    if part.name == "host":
        host = re.sub(r":\d+$", "", request.fields.get("host") or request.host or "").lower()
        return some(_host_rank(a.lower(), host) is not None for a in part.args)
    if part.name == "path_regexp" and part.args:
        try:
            return re.search(part.args[-1], path) is not None
        except re.error:
            return None
    if part.name == "header" and part.args:
        return _header(part.args, request)
    return None


def _header(args: Sequence[str], request: Request) -> Maybe:
    name, wanted = args[0], args[1] if len(args) > 1 else "*"
    held = request.fields.all(name.lstrip("!"))
    if not held and not request.complete:
        return None
    if name.startswith("!"):
        return not held
    return any(fnmatchcase(value, wanted) for value in held)


def path_fits(pattern: str, path: str) -> bool:
    """Whether a path fits: exact, or with `*` at an end or within, whatever the case."""
    return fnmatchcase(unquote(path).lower(), re.sub(r"\[", "[[]", pattern.lower()))
