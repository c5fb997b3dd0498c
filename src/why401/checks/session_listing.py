"""Cookies as a browser's tools or a cookie jar list them, and paths that a proxy changes under them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from why401.checks import check
from why401.checks.session_view import handed_out, is_session_name
from why401.evidence import Evidence, Text
from why401.findings import CLEAR, FAINT, STRONG, Finding, Where
from why401.prefilter import lazy

_GAP = lazy(r"\s{2,}|\t+|\s*\|\s*")
_HEAD = lazy(r"^[ \t|]*Name(?:[ \t]{2,}|\t|[ \t]*\|)[^\n]*\b(?:Path|Domain)\b[^\n]*$", re.I | re.M)
_NETSCAPE = lazy(
    r"^(?:#HttpOnly_)?(?P<domain>\.?[\w.-]+)\t(?:TRUE|FALSE)\t(?P<path>/\S*)\t(?:TRUE|FALSE)\t\d+\t(?P<name>[^\t\n]+)",
    re.M,
)
_WIDEST = 60  # rows of one listing


@dataclass(frozen=True, slots=True)
class Listed:
    """One row: a cookie's name, and its scope as far as it is listed."""

    name: str
    domain: str
    path: str
    where: Where

    def meets(self, other: Listed) -> bool:
        """Can one request carry both? Then one scope holds the other (RFC 6265bis, 5.8.3)."""
        hosts = (self.domain.lstrip("."), other.domain.lstrip("."))
        near = not all(hosts) or hosts[0].endswith(hosts[1]) or hosts[1].endswith(hosts[0])
        paths = (self.path or "/", other.path or "/")
        return near and (paths[0].startswith(paths[1]) or paths[1].startswith(paths[0]))

    def same_scope(self, other: Listed) -> bool:
        return (self.domain, self.path) == (other.domain, other.path)


def listed(text: Text) -> Iterator[Listed]:
    """The rows of a table under `Name … Path/Domain`, and the lines of a Netscape cookie file."""
    content = text.content[:200_000]
    for head in _HEAD.finditer(content):
        columns = [cell.lower() for cell in _GAP.split(head[0].strip().strip("|").strip())]
        first = text.line_at(head.start())
        for number, line in enumerate(content[head.end() + 1 :].split("\n", _WIDEST)[:_WIDEST], 1):
            cells = _GAP.split(line.strip().strip("|").strip())
            if not line.strip() or len(cells) < 2:
                break
            row = dict(zip(columns, cells, strict=False))
            where = Where.of(text.source.at(first + number))
            yield Listed(row.get("name", ""), row.get("domain", ""), row.get("path", ""), where)
    for match in _NETSCAPE.finditer(content):
        where = Where.of(text.source.at(text.line_at(match.start())))
        yield Listed(match["name"], match["domain"], match["path"], where)


@check
def listed_twice(evidence: Evidence) -> Iterator[Finding]:
    """One session cookie twice in a listing, with two scopes: both are sent, and the stale one may win."""
    for text in evidence.texts:
        rows: dict[str, list[Listed]] = defaultdict(list)
        for row in listed(text):
            other = next((o for o in rows[row.name] if not o.same_scope(row) and o.meets(row)), None)
            if other is not None and is_session_name(row.name):
                says = f"The cookie {row.name} is kept twice, with two Paths or Domains; both are sent."
                weights = {"cookie-corrupted": 21.0, "wrong-password": -8.0}
                yield Finding("cookie-listed-twice", says, weights, row.where, "cookie-odd")
                return
            rows[row.name].append(row)


# -------------------------------------------------------------------------- paths changed by a proxy

_NGINX = lazy(
    r"location\s+(?:=|\^~)?\s*(?P<outer>/[^\s{~]*)\s*\{(?P<body>[^{}]{0,1500}?)"
    r"proxy_pass\s+https?://[^/;\s]+(?P<inner>/[^;\s]*)?;(?P<rest>[^{}]{0,1500})"
)
_APACHE = lazy(
    r"^[ \t]*ProxyPass[ \t]+(?P<outer>/\S*)[ \t]+\"?(?:https?|ajp)://[^/\s\"]+(?P<inner>/[^\s\"]*)?",
    re.I | re.M,
)
_MENDED = lazy(r"proxy_cookie_path|ProxyPassReverseCookiePath|X-Forwarded-Prefix", re.I)
_CONTAINER = lazy(
    r"JSESSIONID|tomcat|jetty|servlet|\.war\b|spring|ASP\.NET|cookie[^\n]{0,40}path|path=/\w", re.I
)


@check
def path_under_a_proxy(evidence: Evidence) -> Iterator[Finding]:
    """The proxy shows the application under another path than it knows, so its cookie's Path does not fit."""
    if evidence.search(_MENDED.pattern):
        return
    paths = {handed.parsed.attributes.get("path", "") for handed in handed_out(evidence)} - {"", "/"}
    for text in evidence.texts:
        for pattern in (_NGINX, _APACHE):
            for match in pattern.finditer(text.content[:200_000]):
                outer, inner = match["outer"].rstrip("/"), (match["inner"] or "").rstrip("/")
                finding = _misfit(outer, inner, match["inner"] is not None, paths, evidence)
                if finding is not None:
                    says, weight = finding
                    where = Where.of(text.source.at(text.line_at(match.start())))
                    weights = {"cookie-not-sent": weight, "cookie-not-stored": FAINT}
                    yield Finding("cookie-path-behind-proxy", says, weights, where, "cookie-path")
                    return


def _misfit(
    outer: str, inner: str, changed: bool, paths: set[str], evidence: Evidence
) -> tuple[str, float] | None:
    if outer == inner or not changed:
        return None
    for path in paths:
        below = (path.rstrip("/") + "/").startswith((inner or "") + "/")
        if below and not (outer + "/").startswith(path.rstrip("/") + "/"):
            says = f"The cookie's Path is {path}, but the proxy shows the application under {outer or '/'}."
            return says, STRONG + 4
    if inner and not outer and not paths and evidence.search(_CONTAINER.pattern):
        says = (
            f"The application lives under {inner}, which its cookie's Path names; the proxy shows it under /."
        )
        return says, CLEAR
    return None
