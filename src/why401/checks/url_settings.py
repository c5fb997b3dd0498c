"""The URL that settings give against the one that was asked: lock files, base URLs, doubled slashes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from why401.checks import check
from why401.evidence import Evidence, Setting
from why401.findings import CLEAR, HINT, STRONG, Finding, Where
from why401.prefilter import lazy

_LOCK_FILE = lazy(
    r"(?:^|/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.ya?ml|poetry\.lock|uv\.lock|Pipfile\.lock"
    r"|composer\.lock|Gemfile\.lock|bun\.lock|[\w.-]+\.lock)$",
    re.I,
)
_LOCKED = lazy(
    r"\b(?:resolved|tarball|remote|url|registry|resolution)\b[\"']?\s*[:=]?\s*\(?[\"']?(?:registry\+)?"
    r"https?://(?P<host>[\w.-]+(?::\d+)?)",
    re.I,
)
_REGISTRY_KEY = lazy(
    r"registry|index[._-]?url|npmregistryserver|(?:^|\.)(?:repositories|sources?|mirrors?)\b.*url", re.I
)
_REFUSED_URL = lazy(
    r"(?:\b401\b|unauthori[sz]ed|\b403\b|forbidden)[^\n]{0,120}?https?://(?P<after>[\w.-]+(?::\d+)?)/"
    r"|https?://(?P<before>[\w.-]+(?::\d+)?)/[^\s\"']{0,300}[^\n]{0,60}?(?:\b401\b|unauthori[sz]ed|\b403\b|forbidden)",
    re.I,
)


_PUBLIC = lazy(
    r"(?:^|\.)(?:npmjs\.(?:org|com)|yarnpkg\.com|npmmirror\.com|pypi\.org|pythonhosted\.org|github\.com|crates\.io"
    r"|rubygems\.org|packagist\.org|githubusercontent\.com|jsr\.io|opencollective\.com)$"
)
_DENIED = lazy(r"\bE?401\b|unauthori[sz]ed|incorrect or missing password", re.I)


def _not_locked(evidence: Evidence) -> list[Setting]:
    return [s for s in evidence.settings if not _LOCK_FILE.search(s.source.name)]


def _locked_hosts(evidence: Evidence) -> dict[str, Where]:
    found: dict[str, Where] = {}
    for text in evidence.texts:
        lock = _LOCK_FILE.search(text.source.name) or "lockfileVersion" in text.content[:2000]
        for match in _LOCKED.finditer(text.content[:2_000_000]) if lock else ():
            host = match["host"].lower()
            if host not in found:
                found[host] = Where.of(text.source.at(text.line_at(match.start())))
    return found


def _refused_hosts(evidence: Evidence) -> set[str]:
    hosts = {(x.request.host or "").lower() for x in evidence.refused}
    for text in evidence.texts:
        if text.kind in ("message", "terminal", "log"):
            for match in _REFUSED_URL.finditer(text.content[:100_000]):
                hosts.add((match["after"] or match["before"]).lower())
    return hosts - {""}


@check
def locked_to_another_registry(evidence: Evidence) -> Iterator[Finding]:
    """The lock file names a host that is not the registry of the settings, and that host refuses."""
    locked = _locked_hosts(evidence)
    registries = {
        urlsplit(setting.text).netloc.lower()
        for setting in _not_locked(evidence)
        if _REGISTRY_KEY.search(setting.key) and setting.text.startswith("http")
    } - {""}
    refused = _refused_hosts(evidence)
    for host, where in locked.items():
        if host in refused and registries and host not in registries:
            says = f"The lock file takes packages from {host}; the registry that is set is {sorted(registries)[0]}."
            weights = {"wrong-url": STRONG + 4, "client-config-not-loaded": -3.0, "wrong-password": -6.0}
            yield Finding("lock-other-registry", says, weights, where, "lock")
            return
    private = next((host for host in locked if not _PUBLIC.search(host)), None)
    known = any(private in f"{s.key} {s.text}" for s in _not_locked(evidence)) if private else True
    if private and not known and (not refused or private in refused) and evidence.search(_DENIED.pattern):
        says = f"The lock file takes packages from {private}, for which no registry or token is set."
        weights = {"wrong-url": STRONG, "client-config-not-loaded": HINT, "wrong-password": -14.0}
        yield Finding("lock-private-host", says, weights, locked[private], "lock")
        return
    if locked and refused and not refused & set(locked):
        says = "The host that refuses does not stand in the lock file."
        where = next(iter(locked.values()))
        yield Finding("lock-not-asked", says, {"wrong-url": -12.0}, where, "lock")


# ------------------------------------------------------------------------------------------- base URLs

_URL_KEY = lazy(
    r"url|endpoint|host|server|base|api|remote|uri|address|registry|repository|origin|target|link", re.I
)
_LOGGED = lazy(
    r"(?:(?<![\d.:/-])(?P<early>404|405|401|403)\b[^\n]{0,24}?)?\b(?:GET|POST|PUT|PATCH|DELETE|HEAD|PROPFIND)\s+\"?"
    r"(?P<path>(?:https?://[^/\s\"]+)?/[^\s\"'?]*)(?:[^\n]{0,40}?(?<![\d.:/-])(?P<late>404|405|401|403)\b)?"
)


def _urls(evidence: Evidence) -> Iterator[tuple[Setting, str]]:
    for setting in evidence.settings:
        key = setting.key.rpartition(".")[2]
        if _URL_KEY.search(key) and setting.text.startswith(("http://", "https://")):
            yield setting, setting.text


def _answers(evidence: Evidence) -> dict[str, set[int]]:
    """Of each path, the refusals and not-founds that exchanges, records and loose log lines show."""
    found: dict[str, set[int]] = {}
    for exchange in evidence.exchanges:
        if exchange.status is not None:
            found.setdefault(exchange.request.path.rstrip("/"), set()).add(exchange.status)
    for record in evidence.records:
        if record.status is not None and record.path:
            found.setdefault(urlsplit(record.path).path.rstrip("/"), set()).add(record.status)
    for text in evidence.texts:
        for match in _LOGGED.finditer(text.content[:100_000]) if text.kind in ("log", "terminal") else ():
            status = match["early"] or match["late"]
            if status:
                found.setdefault(urlsplit(match["path"]).path.rstrip("/"), set()).add(int(status))
    return found


@check
def base_url_is_not_found(evidence: Evidence) -> Iterator[Finding]:
    """The path that the settings give is answered 404 beside the refusals: the server has nothing there."""
    answers = _answers(evidence)
    if not any(statuses & {401, 403} for statuses in answers.values()):
        return
    for setting, url in _urls(evidence):
        try:
            path = urlsplit(url).path.rstrip("/")
        except ValueError:
            continue
        if path and answers.get(path, set()) & {404, 405} and not answers[path] & {200, 201, 204, 401, 403}:
            says = f"The URL that is set leads to {path}, where the server has nothing (404 or 405)."
            weights = {"wrong-url": STRONG, "wrong-password": -4.0}
            yield Finding("base-url-not-found", says, weights, Where.of(setting.source), "url-base")
            return


_DOUBLED = lazy(
    r"https?://[\w.-]+(?::\d+)?(?:/[\w.~-]+)*//[\w.~-]+(?!:)"
    r"|\b(?:GET|POST|PUT|PATCH|DELETE|OPTIONS)\s+(?:[1-5]\d\d\s+)?\"?//[\w.~-]+(?!\S*\.\w+[:/])"
)


@check
def doubled_slash(evidence: Evidence) -> Iterator[Finding]:
    """A URL with a doubled slash was asked, for the base URL ends in one: routers redirect or do not match."""
    for text in evidence.texts:
        if text.kind in ("code", "settings"):
            continue
        for match in _DOUBLED.finditer(text.content[:200_000]):
            near = text.content[max(0, match.start() - 300) : match.end() + 400]
            if not re.search(r"(?<![\d.:/-])40[13]\b|unauthori[sz]ed|forbidden", near, re.I):
                continue
            ends = _slash_at_the_end(evidence, match[0])
            says = "The URL that was asked holds a doubled slash" + (
                ": the one in the settings ends in a slash, and the client adds another." if ends else "."
            )
            weights = {
                "wrong-url": STRONG if ends else CLEAR,
                "redirect-dropped-credentials": CLEAR if ends else HINT,
                "software-bug": -4.0 if ends else 0.0,
            }
            where = Where.of(ends.source if ends else text.source.at(text.line_at(match.start())))
            yield Finding("doubled-slash", says, weights, where, "url-form")
            return


def _slash_at_the_end(evidence: Evidence, asked: str) -> Setting | None:
    """The setting whose URL ends in a slash and may have begun the one that was asked."""
    for setting, url in _urls(evidence):
        if url.endswith("/") and (asked.startswith(url) or not asked.startswith("http")):
            return setting
    return None
