"""A file of cookies as curl keeps it (Netscape's format): which of them go to a URL, and why the others do not."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class JarCookie:
    """One line of the file; `end` is 0 for a cookie of the session."""

    domain: str
    below: bool  # hosts below the domain get it too
    path: str
    secure: bool
    end: int
    name: str
    value: str = field(repr=False)


def jar_cookies(text: str) -> list[JarCookie]:
    """The cookies of a file; lines of another form are passed over, as curl does."""
    found = []
    for line in text.splitlines():
        cells = line.removeprefix("#HttpOnly_").split("\t")
        if len(cells) < 7 or cells[0].startswith("#"):
            continue
        domain, below, path, secure, end, name, value = cells[:7]
        until = int(end) if end.isdigit() else 0
        found.append(JarCookie(domain, below == "TRUE", path, secure == "TRUE", until, name, value))
    return found


def why_kept(cookie: JarCookie, url: str) -> str:
    """Why a cookie does not go to `url` (RFC 6265bis, section 5.8.3), or "" where it does."""
    parts = urlsplit(url)
    host, path, domain = parts.hostname or "", parts.path or "/", cookie.domain.lstrip(".")
    below = (cookie.below or cookie.domain.startswith(".")) and host.endswith("." + domain)
    if host != domain and not below:
        return f"it is for the host {domain}, not {host}"
    if not _within(path, cookie.path):
        return f"it is for the path {cookie.path}, not {path}"
    if cookie.secure and parts.scheme != "https" and host != "localhost":
        return "it is for https only (Secure), and the URL is http"
    if cookie.end and cookie.end < time.time():
        return f"it ended on {time.strftime('%Y-%m-%d', time.gmtime(cookie.end))}"
    return ""


def _within(path: str, allowed: str) -> bool:
    """Path matching (RFC 6265bis, section 5.1.4): whole segments."""
    return path == allowed or path.startswith(allowed if allowed.endswith("/") else allowed + "/")
