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
from why401.prefilter import lazy

_PORT = lazy(r"(?:^|:)(\d{1,5})$")
_IP = lazy(r"[\d.]+|[\da-fA-F:]*:[\da-fA-F:.]*")


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
    return re.sub(r":\d+$", "", host).lower().strip("[]").removesuffix(".")


def path_of(request: Request) -> str:
    """The path as nginx compares it: decoded, slashes merged, dots resolved (ngx_http_parse_complex_uri)."""
    written = request.split.path if request.split.scheme else (request.url or "/").partition("#")[0]
    path = "/" + unquote(written.partition("?")[0])
    found: list[str] = []
    parts = path.split("/")
    for part in parts:
        if part == "..":
            found = found[:-1]
        elif part not in ("", "."):
            found.append(part)
    end = "/" if found and parts[-1] in ("", ".", "..") else ""
    return "/" + "/".join(found) + end


def listens(server: Directive) -> list[tuple[str, int | None, bool]]:
    """(address, port, default) of each `listen`, "" for every address; a unix socket has no port."""
    found: list[tuple[str, int | None, bool]] = []
    for directive in server.all("listen"):
        if not directive.args:
            continue
        written = directive.args[0]
        default = "default_server" in directive.args or "default" in directive.args
        port = _PORT.search(written)
        if written.startswith("unix:"):
            found.append((written, None, default))
        else:
            address = (written[: port.start()] if port else written).strip("[]")
            every = address in ("*", "0.0.0.0", "::")
            found.append(("" if every else address, int(port[1]) if port else 80, default))
    return found or [("", 80, False)]


def server_for(servers: Sequence[Directive], request: Request) -> Directive | None:
    """The server block that takes the request, or None where none listens on its port."""
    port, host = port_of(request), host_of(request)
    heard = [(s, *one) for s in servers for one in listens(s)]
    there = [one for one in heard if port is None or one[2] == port]
    if not there and (port in (80, 443) or len({one[2] for one in heard}) == 1):
        there = heard  # asked through a mapped port (a container, a balancer in front)
    address = {"localhost": "127.0.0.1"}.get(request.split.hostname or "", request.split.hostname or "")
    # A listener on the very address takes all of its requests, then those on every address.
    own = [one for one in there if one[1] == address] or [one for one in there if not one[1]]
    there = own if _IP.fullmatch(address) and own else there
    named = [(rank, one[0]) for one in there if (rank := _name_rank(one[0], host)) is not None]
    if named:
        return min(named, key=lambda pair: pair[0])[1]
    default = [one[0] for one in there if one[3]]
    return next(iter(default or [one[0] for one in there]), None)


def _name_rank(server: Directive, host: str) -> tuple[int, int] | None:
    """How well a server's names fit the host: smaller is better; None for no fit."""
    ranks = (_rank(written, host) for d in server.all("server_name") for written in d.args)
    return min((rank for rank in ranks if rank is not None), default=None)


def _rank(written: str, host: str) -> tuple[int, int] | None:
    if written.startswith("~"):
        # An expression with a capital letter in it is compared without regard to case.
        modifier = "~*" if written.lower() != written else "~"
        return (3, 0) if _search(written[1:], host, modifier) else None
    name = written.lower()
    if name == host:
        return (0, 0)
    if name.startswith((".", "*.")):
        domain = name.removeprefix("*")
        fits = host.endswith(domain) or (name[0] == "." and host == domain[1:])
        return (1, -len(domain)) if fits else None
    return (2, -len(name)) if name.endswith(".*") and host.startswith(name[:-1]) else None


def written(location: Directive) -> tuple[str, str]:
    """Modifier and pattern of a location; between the two the blank may be left out (`location =/a`)."""
    args = location.args
    if len(args) != 1:
        return (args[0], args[1]) if args else ("", "")
    modifier = next((m for m in ("=", "^~", "~*", "~") if args[0].startswith(m)), "")
    return modifier, args[0][len(modifier) :]


def location_for(block: Directive, path: str) -> Directive | None:
    """The location in this block (and in nested ones) that takes the path, or None."""
    return _find(block, path)[0]


def _find(block: Directive, path: str) -> tuple[Directive | None, bool]:
    """The location, and whether no regular expression further out may override it (ngx_http_core_find_location)."""
    best: Directive | None = None
    for location in block.all("location"):
        modifier, pattern = written(location)
        if modifier == "=" and pattern == path:
            return location, True
        if modifier in ("", "^~") and pattern[:1] != "@" and path.startswith(pattern):
            best = location if best is None or len(pattern) > len(written(best)[1]) else best
    if best is not None:
        inner, final = _find(best, path)
        if final:
            return inner, True
        if written(best)[0] == "^~":
            return inner or best, False
        found = inner or best
    else:
        found = None
    for location in block.all("location"):
        modifier, pattern = written(location)
        if modifier in ("~", "~*") and _search(pattern, path, modifier):
            return _find(location, path)[0] or location, True
    return found, False


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
