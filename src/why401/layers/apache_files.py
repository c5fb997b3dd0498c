"""Which files belong to a configuration of Apache httpd, and where the names in it lead."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath, PurePosixPath
from typing import Final

from why401.layers.tree import Absence, Document, Tree
from why401.prefilter import lazy

#: Where the product keeps its configuration.
USUAL: Final = ("/etc/apache2", "/etc/httpd", "/usr/local/apache2")
#: What /etc/apache2/envvars of Debian sets there.
ENVIRONMENT: Final = {
    "APACHE_RUN_USER": "www-data",
    "APACHE_RUN_GROUP": "www-data",
    "APACHE_PID_FILE": "/var/run/apache2/apache2.pid",
    "APACHE_RUN_DIR": "/var/run/apache2",
    "APACHE_LOCK_DIR": "/var/lock/apache2",
    "APACHE_LOG_DIR": "/var/log/apache2",
}
_EXPORT = lazy(r"(?m)^\s*(?:export\s+)?([A-Z_]\w*)=(\S*)\s*$")
_PART = lazy(
    r"(?im)^[ \t]*(?:<(?:VirtualHost|Directory|DirectoryMatch|Location|LocationMatch|Files|FilesMatch|IfModule|Proxy"
    r"|Limit)\b[^>\n]*>"
    r"|(?:LoadModule|AuthType|AuthUserFile|RewriteEngine|ProxyPass|WSGIScriptAlias|ServerRoot|DocumentRoot|Require|Order"
    r"|Satisfy|SetEnvIf|ScriptAlias|CGIPassAuth|RequestHeader|Listen)[ \t]+\S)"
)
_MAIN = lazy(r"(?im)^[ \t]*(?:ServerRoot|LoadModule|Include(?:Optional)?|Listen)[ \t]+\S")
_SUFFIXES: Final = ("", ".conf", ".htaccess", ".vhost", ".inc", ".load", ".txt")
_NAMES: Final = ("apache2.conf", "httpd.conf")


def roots(tree: Tree) -> Iterable[Document]:
    """The main files; where none was given, each part that no other includes; else the first .htaccess."""
    looks = [d for d in tree.given.values() if _looks(d)]
    main = [d for d in looks if _base(d) in _NAMES and _MAIN.search(d.text)]
    if main:
        return main
    parts = [d for d in looks if not is_htaccess(d)]
    named = {p for d in parts for p in re.findall(r"(?im)^\s*Include(?:Optional)?\s+\"?([^\s\"]+)", d.text)}
    own = [d for d in parts if not any(PurePath(d.name).match(PurePath(pattern).name) for pattern in named)]
    return own or sorted((d for d in looks if is_htaccess(d)), key=lambda d: d.name.count("/"))[:1]


def _base(document: Document) -> str:
    return PurePosixPath(document.name).name.lower()


def is_htaccess(document: Document) -> bool:
    return _base(document) in (".htaccess", "htaccess")


def _looks(document: Document) -> bool:
    base = _base(document)
    if not is_htaccess(document) and PurePosixPath(base).suffix not in _SUFFIXES:
        return False
    if is_htaccess(document):
        return bool(re.search(r"(?m)^\s*[<A-Z]", document.text))
    first = _PART.search(document.text)
    if first is None or "<" in first[0] or base in _NAMES:
        return first is not None
    # "Listen", "Require" and the like stand in other products' files too: a second sign is wanted there
    return _PART.search(document.text, first.end()) is not None


def server_open(
    tree: Tree, root: Document, server_root: str, name: str, stated: str = ""
) -> Document | Absence:
    """A file that a directive names: relative names stand below the ServerRoot.

    `stated` is a ServerRoot that the configuration names, of which the root's folder may be a copy.
    """
    usual = next((place for place in USUAL if root.name.startswith(place + "/")), stated)
    found = tree.open(name, root, base=server_root, usual=usual)
    if isinstance(found, Document):
        return found
    for place in copies(root, server_root, name):
        other = tree.at(place, root)
        if isinstance(other, Document):
            return other
    return found


def copies(root: Document, server_root: str, name: str) -> Iterator[str]:
    """Where a file of the ServerRoot lies in a copy whose main file is in a folder `conf` of it."""
    folder = PurePosixPath(root.name).parent
    relative = name.removeprefix(server_root.rstrip("/") + "/") if server_root else name
    if folder.name == "conf" and not relative.startswith("/"):
        yield str(Path(folder.parent / relative).absolute()) if root.path else str(folder.parent / relative)


def environment(tree: Tree, root: Document) -> dict[str, str]:
    """What envvars beside the main file sets, else what Debian's sets."""
    found = tree.open("envvars", root) if root.name.endswith("apache2.conf") else None
    values = dict(ENVIRONMENT)
    if isinstance(found, Document):
        for match in _EXPORT.finditer(found.text):
            values[match[1]] = match[2].replace("$SUFFIX", "").strip("\"'")
    return values


def server_root(root: Document) -> str:
    """The folder that relative names stand below until a ServerRoot says otherwise."""
    if not root.name.endswith((".conf", ".htaccess")) or "/" not in root.name:
        return ""
    folder = posixpath.dirname(str(Path(root.name).absolute()) if root.path else root.name)
    return posixpath.dirname(folder) if posixpath.basename(folder) == "conf" else folder
