"""What loose notes tell of URLs, names and images: two addresses of one name, two URLs with two answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from why401.checks import check
from why401.evidence import Evidence, Source, Text
from why401.findings import STRONG, Finding, Where
from why401.prefilter import lazy

_ANSWERED = lazy(
    r"(?P<url>https?://[^\s\"'<>|,;)]+|(?<![\w/.])/[\w.-]+/[^\s\"'<>|,;)]*)[`\"')]*"
    r"\s*(?:[-:=>|→–]+\s*)?(?:(?:returns?|gives?|is|answers?|responds?(?: with)?)\s+)?(?P<answer>[2-5]\d\d\b|OK\b)"
)


@check
def two_urls_in_notes(evidence: Evidence) -> Iterator[Finding]:
    """`…/x/api/a - 401` and `…/api/a - OK`: two URLs that are nearly the same, and two answers."""
    from why401.checks.url import relation

    if evidence.refused:
        return  # then the exchanges are compared
    good: set[tuple[str, str]] = set()
    bad: list[tuple[str, str, Source]] = []
    for text in evidence.texts:
        for match in (
            _ANSWERED.finditer(text.content[:100_000]) if text.kind not in ("code", "settings") else ()
        ):
            parts = urlsplit(match["url"])
            if match["answer"] in ("401", "403"):
                bad.append((parts.netloc, parts.path, text.source.at(text.line_at(match.start()))))
            elif match["answer"] in ("200", "201", "204", "OK"):
                good.add((parts.netloc, parts.path))
    for host, path, source in bad:
        for other, other_path in sorted(good):
            how = relation(other_path, path) if host == other else None
            if how:
                says = f"{other_path} is answered well, {path} refused: they differ by {how}."
                weights = {"wrong-url": STRONG, "upgrade-regression": -4.0}
                yield Finding("like-path-works", says, weights, Where.of(source), "url-like")
                return


_LOOKED_UP = lazy(r"\b(nslookup|dig|getent|resolves?(?: to)?|dns|ping|/etc/hosts|a record)\b", re.I)
_ADDRESS = lazy(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")


@check
def two_addresses(evidence: Evidence) -> Iterator[Finding]:
    """A name that leads to an inner address here and to a public one there: another server answers."""
    for text in evidence.texts:
        match = _LOOKED_UP.search(text.content) if text.kind in ("message", "terminal") else None
        if match is None:
            continue
        near = text.content[max(0, match.start() - 200) : match.end() + 400]
        found = {address for address in _ADDRESS.findall(near) if not address.startswith(("127.0.0.5", "0."))}
        kinds = {_inner(address) for address in found}
        if {True, False} <= kinds:
            says = "The name leads to an inner address in one place and to a public one in another."
            weights = {"wrong-server-answered": STRONG + 2, "client-banned": -12.0, "too-many-attempts": -8.0}
            where = Where.of(text.source.at(text.line_at(match.start())))
            yield Finding("two-addresses", says, weights, where, "elsewhere")
            return


def _inner(address: str) -> bool | None:
    try:
        value = ip_address(address)
    except ValueError:
        return None
    documentation = address.startswith(("192.0.2.", "198.51.100.", "203.0.113."))
    return value.is_private and not documentation


_LOGGED_IN = lazy(
    r"\b(?:docker|podman|nerdctl|buildah)\s+login\s+(?:-\S+\s+(?:[^-\s]\S*\s+)?)*"
    r"(?P<host>[\w-]+(?:\.[\w.-]+|:\d+)[\w.:/-]*)"
)
_MOVED = lazy(r"\b(?:docker|podman|nerdctl|buildah)\s+(?:push|pull)\s+(?:-\S+\s+)*(?P<image>[\w./:@-]+)")


@check
def image_without_registry(evidence: Evidence) -> Iterator[Finding]:
    """After a login at a private registry an image is pushed or pulled whose name has no host: Docker Hub is asked."""
    for text in evidence.texts:
        login = _LOGGED_IN.search(text.content)
        if login is None or "docker.io" in login["host"]:
            continue
        for moved in _MOVED.finditer(text.content):
            first, slash, _ = moved["image"].partition("/")
            if (not slash or not re.search(r"[.:]|^localhost$", first)) and _denied(text, moved.end()):
                says = f"The image {moved['image']} names no registry, so Docker Hub is asked and not {login['host']}."
                where = Where.of(text.source.at(text.line_at(moved.start())))
                yield Finding(
                    "image-without-registry", says, {"wrong-url": STRONG + 3, "resource-hidden": -4.0}, where
                )
                return


def _denied(text: Text, start: int) -> bool:
    return bool(
        re.search(r"denied|unauthori[sz]ed|authentication required", text.content[start : start + 600], re.I)
    )
