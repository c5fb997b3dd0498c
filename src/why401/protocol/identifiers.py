"""Issuers and audiences are compared character by character: name the difference that looks like none."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

_PORTS = {"http": 80, "https": 443}


def near(a: str, b: str) -> str | None:
    """How two identifiers differ that mean the same thing to a person; None when equal or unlike.

    One of: whitespace, case, trailing-slash, scheme, port, host, path, version, query, api-prefix,
    percent-encoding, no-scheme.
    """
    if a == b or not a or not b:
        return None
    for kind, same in _SIMPLE:
        if same(a) == same(b):
            return kind
    if _bare(a) == _bare(b) and _bare(a) not in (a.strip().rstrip("/").lower(), ""):
        return "api-prefix"
    if _bare(a) == _bare(b) and _bare(b) != b.strip().rstrip("/").lower():
        return "api-prefix"
    return _urls(a, b)


_SIMPLE = (
    ("whitespace", lambda text: text.strip()),
    ("trailing-slash", lambda text: text.strip().rstrip("/")),
    ("case", lambda text: text.strip().rstrip("/").lower()),
    ("percent-encoding", lambda text: unquote(text.strip())),
)


def _bare(text: str) -> str:
    """A client id without Entra's `api://` and without `/.default`."""
    return (
        text.strip().removeprefix("api://").removeprefix("spn:").removesuffix("/.default").rstrip("/").lower()
    )


def _urls(a: str, b: str) -> str | None:
    try:
        one, two = urlsplit(a.strip()), urlsplit(b.strip())
        ports = one.port or _PORTS.get(one.scheme), two.port or _PORTS.get(two.scheme)
    except ValueError:
        return None
    if bool(one.scheme and one.netloc) != bool(two.scheme and two.netloc):
        return "no-scheme" if _schemeless(a) == _schemeless(b) else None
    if not one.netloc:
        return None
    paths = one.path.rstrip("/"), two.path.rstrip("/")
    if one.hostname != two.hostname:
        return "host" if paths[0] == paths[1] and _related(one.hostname, two.hostname) else None
    if paths[0] != paths[1]:
        return _paths(*paths)
    if one.scheme != two.scheme:
        return "scheme"
    return "port" if ports[0] != ports[1] else "query"


def _schemeless(text: str) -> str:
    return text.strip().partition("://")[2].rstrip("/") or text.strip().rstrip("/")


def _related(one: str | None, two: str | None) -> bool:
    """Do two hosts share a word beside their suffix: sts.windows.net and login.microsoftonline.com do not."""
    words = [set((host or "").split(".")[:-1]) - {"www"} for host in (one, two)]
    return bool(words[0] & words[1])


def _paths(one: str, two: str) -> str:
    parts = [[p for p in path.split("/") if p] for path in (one, two)]
    versions = [[p for p in some if not _version(p)] for some in parts]
    return "version" if versions[0] == versions[1] else "path"


def _version(part: str) -> bool:
    return part[:1] in "vV" and part[1:].replace(".", "").isdigit()
