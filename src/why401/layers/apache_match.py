"""Which virtual host, which file and which sections of Apache httpd take a request.

Virtual hosts: the address and port, then ServerName and ServerAlias, else the first one ("Name-based Virtual
Hosts"). Sections, in the order in which they are merged ("Configuration Sections"): `<Directory>` with .htaccess,
shortest path first; `<DirectoryMatch>`; `<Files>`; `<Location>`; of each kind those of the main server before
those of the virtual host. What `ProxyPass` takes meets no `<Directory>` and no `<Files>`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Final

from why401.evidence import Request
from why401.layers.model import Directive
from why401.layers.nginx_match import host_of, path_of, port_of

__all__ = ["host_of", "path_of", "port_of"]

_MAPS: Final = (
    "wsgiscriptalias",
    "wsgiscriptaliasmatch",
    "alias",
    "scriptalias",
    "aliasmatch",
    "scriptaliasmatch",
)
#: Programs that `ScriptAlias` and the like make of a file.
GATEWAYS: Final = {"wsgiscriptalias": "wsgi", "scriptalias": "cgi"}


@dataclass(frozen=True)
class Target:
    """What a URL's path stands for: a file (None where unknown), or an address that the request is passed on to.

    `by` is the directive that says so; `kind` is "file", "wsgi", "cgi" or "proxy".
    """

    kind: str
    value: str | None
    by: Directive | None = None


def listens(top: Directive) -> list[tuple[str, int]]:
    """(address, port) of each `Listen`, or of the virtual hosts where a part of a configuration has none."""
    written = [d.args[0] for d in top.all("listen") if d.args]
    if not written:
        written = [arg for host in top.all("virtualhost") for arg in host.args]
    return [_address(arg) for arg in written]


def _address(written: str) -> tuple[str, int]:
    host, _, port = written.rpartition(":") if not written.isdigit() else ("", "", written)
    if not port.isdigit():
        host, port = written, "80" if port != "*" else "0"
    host = host.strip("[]")
    return "" if host in ("*", "_default_", "0.0.0.0", "::") else host, int(port)


def host_for(top: Directive, request: Request) -> tuple[Directive | None, bool]:
    """The virtual host that takes the request (None for the main server), and whether its name was asked for."""
    port, host = port_of(request), host_of(request)
    heard = {number for _, number in listens(top)}
    known = port is not None and (port in heard or not heard)
    candidates = [v for v in top.all("virtualhost") if _hears(v, port if known else None, request)]
    named = next((v for v in candidates if names(v, host)), None)
    return (named, True) if named is not None else (next(iter(candidates), None), not candidates)


def _hears(virtual: Directive, port: int | None, request: Request) -> bool:
    """Whether one of the addresses of a virtual host fits the request's port (and address, where it is one)."""
    asked = (request.split.hostname or "").strip("[]")
    for address, own in map(_address, virtual.args or ("*",)):
        written = virtual.args[0] if virtual.args else "*"
        any_port = own == 0 or written.endswith(":*") or not re.search(r":\d+$", written)
        if (port is None or any_port or own == port) and (
            not address or address == asked or not _literal(asked)
        ):
            return True
    return False


def _literal(host: str) -> bool:
    return bool(re.fullmatch(r"[\d.]+|[0-9a-f:]*:[0-9a-f:.]*", host))


def names(virtual: Directive, host: str) -> bool:
    """Whether a virtual host has this name, by ServerName or ServerAlias (with * and ?)."""
    for name in virtual.all("servername"):
        written = re.sub(r"^https?://|:\d+$", "", name.args[0].lower()) if name.args else ""
        if written == host:
            return True
    aliases = (arg.lower() for d in virtual.all("serveralias") for arg in d.args)
    return any(fnmatchcase(host, alias.replace("[", "[[]")) for alias in aliases)


def target_for(places: Sequence[Directive], path: str, sections: Iterable[Directive] = ()) -> Target:
    """What the path stands for, by the directives of `places` (the virtual host, then the main server)."""
    for directive in (d for place in places for d in place.all("proxypass", "proxypassmatch")):
        found = _passed(directive, path)
        if found == "!":
            break
        if found:
            return Target("proxy", found, directive)
    for section in sections:
        own = section.last("proxypass", "proxypassmatch")
        if own is not None and own.args and own.args[0] != "!":
            return Target("proxy", own.args[0] + path[len(section.args[0].rstrip("/")) :], own)
    for directive in sorted(
        (d for p in places for d in p.all(*_MAPS)), key=lambda d: not d.name.startswith("wsgi")
    ):
        found = _aliased(directive, path)
        if found:
            kind = GATEWAYS.get(directive.name.removesuffix("match"), "file")
            return Target(kind, found, directive)
    root = next((d for place in places if (d := place.last("documentroot")) and d.args), None)
    if root is None:
        return Target("file", None)
    return Target("file", root.args[0].rstrip("/") + path, root)


def _passed(directive: Directive, path: str) -> str:
    if len(directive.args) < 2:
        return ""
    prefix, target = directive.args[:2]
    if directive.name == "proxypassmatch":
        return "!" if target == "!" and search(prefix, path) else replaced(prefix, target, path)
    if not below(path, prefix):
        return ""
    return target if target == "!" else target + path[len(prefix) :]


def below(path: str, prefix: str) -> bool:
    """Whether a path is a prefix's own or below it, whole segments only."""
    return path == prefix or path.startswith(prefix if prefix.endswith("/") else prefix + "/")


def _aliased(directive: Directive, path: str) -> str:
    args = directive.args
    if len(args) < 2:
        return ""
    prefix, target = args[:2]
    if directive.name.endswith("match"):
        return replaced(prefix, target, path)
    if not below(path, prefix):
        return ""
    return target if directive.name.startswith("wsgi") else target + path[len(prefix) :]


def replaced(pattern: str, target: str, path: str) -> str:
    """`target` with what the groups of `pattern` hold in `path`; "" where the pattern does not fit."""
    try:
        match = re.search(pattern, path)
        return re.sub(r"\$(\d)", lambda n: match[int(n[1])] or "", target) if match else ""
    except (re.error, IndexError):
        return ""


def search(pattern: str, text: str) -> bool:
    """Whether a PCRE of httpd is found; one that Python cannot read fits nothing."""
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return False


def folders(file: str) -> Iterator[str]:
    """The folders from / down to the file, and the file itself, which may be a folder."""
    parts = PurePosixPath(posixpath.normpath(file)).parts
    for count in range(1, len(parts) + 1):
        yield str(PurePosixPath(*parts[:count])) if parts[0] == "/" else "/".join(parts[:count])


def directories(places: Sequence[Directive], folder: str) -> Iterator[Directive]:
    """The `<Directory>` sections for just this folder; `places` begins with the main server here."""
    for section in (d for place in places for d in place.all("directory")):
        written = section.args[0] if section.args else ""
        if written != "~" and _same_folder(folder, written):
            yield section


def _same_folder(folder: str, written: str) -> bool:
    plain = written.rstrip("/") or "/"
    if not re.search(r"[*?\[]", plain):
        return folder == plain
    own, wanted = folder.split("/"), plain.split("/")
    return len(own) == len(wanted) and all(fnmatchcase(o, w) for o, w in zip(own, wanted, strict=True))


def expressions(places: Sequence[Directive], kind: str, text: str) -> Iterator[Directive]:
    """The sections `<XMatch re>` and `<X ~ re>` of a kind ("directory", "files", "location") that fit."""
    for section in (d for place in places for d in place.all(kind, kind + "match")):
        regular = section.args[:1] == ("~",) or section.name.endswith("match")
        if regular and section.args and search(section.args[-1], text):
            yield section


def files(places: Sequence[Directive], name: str) -> Iterator[Directive]:
    """The `<Files>` and `<FilesMatch>` sections for a file's name, in order."""
    matching = {id(section) for section in expressions(places, "files", name)}
    for section in (d for place in places for d in place.all("files", "filesmatch")):
        plain = section.name == "files" and section.args[:1] != ("~",) and section.args
        if id(section) in matching or (plain and fnmatchcase(name, section.args[0])):
            yield section


def locations(places: Sequence[Directive], path: str) -> Iterator[Directive]:
    """The `<Location>` and `<LocationMatch>` sections for a URL's path, in order."""
    matching = {id(section) for section in expressions(places, "location", path)}
    for section in (d for place in places for d in place.all("location", "locationmatch")):
        plain = section.name == "location" and section.args[:1] != ("~",) and section.args
        if id(section) in matching or (plain and _located(path, section.args[0])):
            yield section


def _located(path: str, written: str) -> bool:
    if re.search(r"[*?\[]", written):
        return fnmatchcase(path, written) or fnmatchcase(path, written.rstrip("/") + "/*")
    return below(path, written)


def proxies(places: Sequence[Directive], address: str) -> Iterator[Directive]:
    """The `<Proxy>` sections for the address that a request is passed on to."""
    for section in (d for place in places for d in place.all("proxy", "proxymatch")):
        written = section.args[0] if section.args else ""
        if section.name == "proxymatch" or written == "~":
            fits = search(section.args[-1] if section.args else "", address)
        else:
            fits = written == "*" or fnmatchcase(address, written) or address.startswith(written.rstrip("*"))
        if fits:
            yield section
