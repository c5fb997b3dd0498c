"""Protected resource metadata (RFC 9728): where it lies, and whether it is about this resource."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from .identifiers import near
from .problems import Problem

_WELL_KNOWN = "/.well-known/oauth-protected-resource"
_SERVER = "/.well-known/oauth-authorization-server"
_OPENID = "/.well-known/openid-configuration"


def url_for(resource: str) -> str:
    """Where the metadata of a resource lies: the well-known part stands before the path (section 3.1)."""
    return _inserted(resource, _WELL_KNOWN)


def candidates(resource: str) -> tuple[str, ...]:
    """Where a client looks that was told no `resource_metadata`: at the path, then at the root (MCP)."""
    at_root = _inserted(_origin(resource), _WELL_KNOWN)
    return tuple(dict.fromkeys((url_for(resource), at_root)))


def server_candidates(issuer: str) -> tuple[str, ...]:
    """Where the metadata of an issuer may lie (RFC 8414, section 3.1; OpenID Discovery, section 4)."""
    appended = issuer.rstrip("/") + _OPENID
    return tuple(dict.fromkeys((_inserted(issuer, _SERVER), _inserted(issuer, _OPENID), appended)))


def check(document: object, *, resource: str, fetched_from: str | None = None) -> tuple[Problem, ...]:
    """What is wrong with a metadata document (sections 2 and 3.3)."""
    if not isinstance(document, Mapping):
        return (Problem("not-object", (0, 0), "The metadata is no JSON object."),)
    return tuple(Problem(kind, (0, 0), says) for kind, says in _check(document, resource, fetched_from))


def _inserted(url: str, well_known: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    path = parts.path if parts.path != "/" else ""
    return urlunsplit((parts.scheme, parts.netloc, well_known + path, parts.query, ""))


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return urlunsplit((parts.scheme, parts.netloc, "", "", ""))


def _check(document: Mapping[str, Any], resource: str, fetched_from: str | None) -> Iterator[tuple[str, str]]:
    named = document.get("resource")
    if not isinstance(named, str):
        yield "resource-missing", "The metadata names no resource (RFC 9728, section 2)."
    elif named.rstrip("/") != resource.rstrip("/") and not _covers(named, resource):
        how = near(named, resource)
        yield "resource", f"The metadata is about another resource{f' ({how} differs)' if how else ''}."
    if isinstance(named, str) and fetched_from is not None and fetched_from not in candidates(named):
        yield "place", "The metadata does not lie where that of its resource must (RFC 9728, section 3.3)."
    servers = document.get("authorization_servers")
    if not servers:
        yield (
            "no-authorization-servers",
            "The metadata names no authorization server, so a client cannot go on.",
        )
    elif not isinstance(servers, list) or not all(isinstance(s, str) for s in servers):
        yield "authorization-servers", "authorization_servers is not a list of URLs."
    elif any(not s.startswith("https://") and "//localhost" not in s and "//127." not in s for s in servers):
        yield "server-not-https", "An authorization server is not named with https."
    methods = document.get("bearer_methods_supported")
    if isinstance(methods, list) and "header" not in methods:
        yield "no-header-method", "The resource does not take tokens in the Authorization field."


def _covers(named: str, resource: str) -> bool:
    """A resource covers the URLs below it."""
    return resource.startswith(named.rstrip("/") + "/") or resource.startswith(named.rstrip("/") + "?")
