"""Which server and location of nginx take a request.

Servers: the port, then exact name, the longest wildcard at the front, at the end, then the first regular
expression, then the default server (ngx_http_core_module, "server_name"). Locations: exact, then the longest
prefix, which a matching regular expression overrides unless the prefix was written with `^~` ("location").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import unquote

from why401.evidence import Request
from why401.layers.model import Directive


def port_of(request: Request) -> int | None:
    """The port that the request goes to, by its URL; None where unknown."""
    parts = request.split
    try:
        return parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None


def host_of(request: Request) -> str:
    """The host by which servers are chosen: the Host field where sent, else the URL's; without port."""
    host = request.fields.get("host") or request.split.netloc.rpartition("@")[2]
    return re.sub(r":\d+$", "", host).lower().strip("[]")


def path_of(request: Request) -> str:
    """The path as nginx compares it: decoded, slashes merged."""
    path = unquote((request.split.path or request.url or "/").split("?")[0]) or "/"
    return re.sub(r"/{2,}", "/", path if path.startswith("/") else "/" + path)


def listens(server: Directive) -> list[tuple[str, int | None, bool]]:
    """(address, port, default) of each `listen`; a unix socket has no port."""
    found: list[tuple[str, int | None, bool]] = []
    for directive in server.all("listen"):
        if not directive.args:
            continue
        written = directive.args[0]
        default = "default_server" in directive.args or "default" in directive.args
        if written.startswith("unix:"):
            found.append((written, None, default))
        elif written.isdigit():
            found.append(("", int(written), default))
        else:
            address, _, port = (
                written.rpartition(":") if re.search(r":\d+$", written) else (written, "", "80")
            )
            found.append((address.strip("[]").replace("*", ""), int(port), default))
    return found or [("", 80, False)]


def server_for(servers: Sequence[Directive], request: Request) -> Directive | None:
    """The server block that takes the request, or None where none listens on its port."""
    port, host = port_of(request), host_of(request)
    there = [s for s in servers if port is None or any(p == port for _, p, _ in listens(s))]
    if not there and (port in (80, 443) or len({p for s in servers for _, p, _ in listens(s)}) == 1):
        there = list(servers)  # asked through a mapped port (a container, a balancer in front)
    named = [(rank, server) for server in there if (rank := _name_rank(server, host)) is not None]
    if named:
        return min(named, key=lambda pair: pair[0])[1]
    default = [s for s in there if any(d for _, _, d in listens(s))]
    return next(iter(default or there), None)


def _name_rank(server: Directive, host: str) -> tuple[int, int] | None:
    """How well a server's names fit the host: smaller is better; None for no fit."""
    best: tuple[int, int] | None = None
    for written in (arg.lower() for d in server.all("server_name") for arg in d.args):
        rank: tuple[int, int] | None = None
        if written == host:
            rank = (0, 0)
        elif written.startswith("."):
            rank = (
                (1, -len(written))
                if (host + ".").startswith(written[1:] + ".") or host.endswith(written)
                else None
            )
        elif written.startswith("*.") and host.endswith(written[1:]):
            rank = (1, -len(written))
        elif written.endswith(".*") and host.startswith(written[:-1]):
            rank = (2, -len(written))
        elif written.startswith("~") and _search(written[1:], host):
            rank = (3, 0)
        if rank is not None and (best is None or rank < best):
            best = rank
    return best


def location_for(block: Directive, path: str) -> Directive | None:
    """The location in this block (and in nested ones) that takes the path, or None."""
    found, exact, firm = _prefix(block, path)
    if exact or firm:
        return _nested(found, path)
    inner = _nested(found, path)
    if inner is not None and inner is not found and _is_regex(inner):
        return inner
    for location in block.all("location"):
        if _is_regex(location) and _search(location.args[1], path, location.args[0]):
            return _nested(location, path)
    return inner


def _nested(location: Directive | None, path: str) -> Directive | None:
    if location is None:
        return None
    return location_for(location, path) or location


def _prefix(block: Directive, path: str) -> tuple[Directive | None, bool, bool]:
    best: Directive | None = None
    for location in block.all("location"):
        args = location.args
        if args[:1] == ("=",) and args[1:2] == (path,):
            return location, True, False
        if (len(args) == 1 and not args[0].startswith("@")) or args[:1] == ("^~",):
            best = _longer(best, location) if path.startswith(args[-1]) else best
    return best, False, bool(best and best.args[0] == "^~")


def _longer(one: Directive | None, other: Directive) -> Directive:
    return one if one is not None and len(one.args[-1]) >= len(other.args[-1]) else other


def _is_regex(location: Directive) -> bool:
    return len(location.args) == 2 and location.args[0] in ("~", "~*")


def _search(pattern: str, text: str, modifier: str = "~") -> bool:
    """Whether a PCRE of nginx is found; one that Python cannot read fits nothing."""
    python = re.sub(r"\(\?<(?=[A-Za-z])", "(?P<", pattern)
    try:
        return re.search(python, text, re.I if modifier == "~*" else 0) is not None
    except re.error:
        return False


def locations(blocks: Iterable[Directive]) -> list[Directive]:
    """All locations of the blocks, nested ones after their parents."""
    return [d for block in blocks for d in block.walk() if d.name == "location"]
