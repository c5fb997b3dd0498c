"""Checks of credentials that are configured and yet not attached: the key they are filed under differs.

Package managers file a credential under an id, a host or a scope and look it up by that of the repository.
What is filed and what is looked up are extracted here and compared; the formats are small and regular.
"""

# A table of patterns is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from why401.checks import check
from why401.checks.credentials_offers import LOOKED_AT, every, troubled, where
from why401.evidence import Evidence
from why401.findings import Finding, Where
from why401.prefilter import lazy

_NOT_LOADED = 20.0


def _finding(slug: str, says: str, at: Where, weight: float = _NOT_LOADED) -> Finding:
    weights = {"client-config-not-loaded": weight, "wrong-password": -5.0, "no-credentials": 3.0}
    return Finding(slug, says, weights, at, group="not-attached")


def _all(evidence: Evidence) -> str:
    return "\n".join(text.content[:LOOKED_AT] for text in evidence.texts)


_COMMENT = lazy(r"<!--.*?-->", re.S)
_SERVER = lazy(r"<server>(.*?)</server>", re.S)
_ID = lazy(r"<id>\s*([^<]+?)\s*</id>")
_REPOSITORY = lazy(r"<(repository|snapshotRepository|pluginRepository|mirror)>(.*?)</\1>", re.S)


@check
def maven(evidence: Evidence) -> Iterator[Finding]:
    """Maven looks for `<server>` by the id of the repository, or of the mirror that stands for it."""
    texts = [(text, _COMMENT.sub("", text.content[:LOOKED_AT])) for text in evidence.texts]
    servers = {i for _, body in texts for block in _SERVER.findall(body) for i in _ID.findall(block)[:1]}
    repositories = {
        i: kind
        for _, body in texts
        for kind, block in _REPOSITORY.findall(body)
        for i in _ID.findall(block)[:1]
    }
    repositories |= {i: "command" for _, body in texts for i in re.findall(r"-DrepositoryId=(\S+)", body)}
    repositories |= {i: "log" for _, body in texts for i in re.findall(r"from/to ([\w.-]+) \(http", body)}
    at = next((Where.of(t.source) for t, body in texts if "<server>" in body), Where())
    if servers and repositories and not servers & set(repositories):
        says = f"settings.xml holds credentials for {_some(servers)}, and the repository's id is {_some(set(repositories))}."
        yield _finding("maven-id-differs", says, at, 22.0)
    elif servers and (
        mirror := [i for i, kind in repositories.items() if kind == "mirror" and i not in servers]
    ):
        yield _finding(
            "maven-mirror-id",
            f"The mirror {mirror[0]} stands for the repository and has no <server>.",
            at,
            15.0,
        )
    for text, body in texts:
        if re.match(r"\s*(?:<\?xml[^>]*\?>)?\s*<servers>", body) and "settings" in text.source.name.lower():
            says = "The settings.xml begins with <servers>: without the root element <settings> Maven does not read it so."
            yield _finding("maven-no-root", says, Where.of(text.source), 16.0)
    if servers and repositories and servers & set(repositories):
        says = "An id of settings.xml is the id of the repository."
        yield Finding("maven-id-fits", says, {"client-config-not-loaded": -3.0}, at)


def _some(names: set[str]) -> str:
    return ", ".join(sorted(names)[:3])


_NPM_AUTH = lazy(
    r"^\s*(?:npm config set )?[\"']?((?:https?:)?//[^\s:=\"']+(?::\d+)?[^\s:=\"']*):(_authToken|_auth|_password|username)",
    re.M,
)
_NPM_REGISTRY = lazy(
    r"^\s*(?:npm config set )?(?:(@[\w.-]+):)?registry[ =:]+[\"']?(https?://[^\s\"']+)", re.M | re.I
)


@check
def npm(evidence: Evidence) -> Iterator[Finding]:
    """npm sends a token only to a registry whose address begins with the key that it is filed under."""
    for text in evidence.texts:
        filed = [key.rstrip("/") + "/" for key, _ in _NPM_AUTH.findall(text.content, 0, LOOKED_AT)]
        registries = [url for _, url in _NPM_REGISTRY.findall(text.content, 0, LOOKED_AT)]
        at = Where.of(text.source)
        if wrong := [key for key in filed if key.startswith("http")]:
            yield _finding(
                "npm-key-with-scheme", f"The key {wrong[0]} must begin with //, without https:.", at, 22.0
            )
        keys = [key for key in filed if key.startswith("//")]
        for url in registries:
            bare = re.sub(r"^https?:", "", url).rstrip("/") + "/"
            if keys and not any(bare.startswith(key) for key in keys) and not wrong:
                says = f"The token is filed under {keys[0]}, and the registry is {bare}."
                yield _finding("npm-registry-differs", says, at, 18.0)
                break
        if re.search(r"^\s*@[\w.-]+:_(?:auth|authToken|password)\s*=", text.content, re.M):
            yield _finding(
                "npm-scope-auth",
                "npm files credentials under a registry's address, not under a scope.",
                at,
                20.0,
            )
        bare_auth = re.search(r"^\s*_auth(?:Token)?\s*=", text.content, re.M)
        if bare_auth and registries and not any("registry.npmjs.org" in url for url in registries):
            says = "_auth without a registry before it is not sent to another registry since npm 7 or 9."
            yield _finding("npm-auth-unscoped", says, at, 17.0)
    body = _all(evidence)
    if (
        re.search(r"yarnrc\.yml|yarn (?:berry|[234]\.)|YN00", body)
        and re.search(r"\.npmrc", body)
        and "npmAuthToken" not in body
    ):
        found = where(evidence, r"yarnrc|yarn|YN00")
        yield _finding(
            "yarn-ignores-npmrc", "Yarn 2 and later do not read .npmrc.", found[1] if found else Where(), 16.0
        )


_SBT = lazy(r"(?:Direct)?Credentials\(\s*\"([^\"]*)\"\s*,\s*\"([^\"]*)\"\s*,\s*\"[^\"]*\"")


@check
def sbt(evidence: Evidence) -> Iterator[Finding]:
    """sbt and Coursier compare realm and host; the host is a bare name, without scheme, port or path."""
    for match, at in every(evidence, _SBT.pattern):
        realm, host = match.group(1), match.group(2)
        if "/" in host or ":" in host:
            says = "The host of the credentials is an address; sbt compares it with the bare host name."
            yield _finding("sbt-host-is-url", says, at, 22.0)
        elif "://" in realm or re.fullmatch(r"[\w-]+(?:\.[\w-]+)+", realm):
            yield _finding(
                "sbt-realm-is-host",
                "The realm of the credentials is an address, not the server's realm.",
                at,
                17.0,
            )
    found = where(evidence, r"Unable to find credentials for \[([^\]]*?) ?@ ([^\]]+)\]")
    if found:
        says = f"sbt found no credentials for the realm {found[0].group(1).strip() or '(empty)'!r} at {found[0].group(2)}."
        yield _finding("sbt-no-credentials-for", says, found[1], 24.0)
    for match, at in every(evidence, r"^\s*host\s*=\s*(\S+)"):
        if "/" in match.group(1) and "realm" in _all(evidence):
            yield _finding(
                "sbt-host-is-url",
                "The host in the credentials file is an address, not a host name.",
                at,
                18.0,
            )


@check
def nuget(evidence: Evidence) -> Iterator[Finding]:
    """NuGet finds credentials by the element named as the source's key (blanks written _x0020_)."""
    body = _all(evidence)
    block = re.search(r"<packageSourceCredentials>(.*?)</packageSourceCredentials>", body, re.S)
    keys = {
        _plain(k)
        for s in re.findall(r"<packageSources>(.*?)</packageSources>", body, re.S)
        for k in re.findall(r"key=\"([^\"]+)\"", s)
    }
    if not block or not keys:
        return
    names = {_plain(name) for name in re.findall(r"<([A-Za-z_][\w.-]*)>", block.group(1))}
    if names and not names & keys:
        found = where(evidence, r"<packageSourceCredentials>")
        says = f"The credentials are filed under {_some(names)}, and the source is called {_some(keys)}."
        yield _finding("nuget-source-differs", says, found[1] if found else Where(), 21.0)


def _plain(name: str) -> str:
    return name.replace("_x0020_", " ").lower()


# A credential filed under a host, and what is asked for. Each pattern has the host as its group.
_FILED = (
    r"helm repo add\s+(?:--?\S+\s+)*\S+\s+https?://([\w.-]+(?::\d+)?)",
    r"^\s*machine\s+(\S+)",
    r"\"(?:https?://)?([\w.-]+(?::\d+)?)(?:/v[12]/?)?\"\s*:\s*\{\s*(?:\"username\"|\"auth\"|\"password\"|\"identitytoken\")",
    r"\bdocker login\s+(?:-\S+\s+\S+\s+)*([\w-]+\.[\w.-]+(?::\d+)?)",
    r"credentials\s+\"([\w.-]+)\"\s*\{",
    r"\"http-basic\"\s*:\s*\{\s*\"([\w.-]+)\"",
    r"http-basic\.([\w.-]+\.\w+)",
    r"\bhelm registry login\s+(?:-\S+\s+\S+\s+)*([\w-]+\.[\w.-]+(?::\d+)?)",
)
_ASKED = (
    r"(?:Get|Head|GET|HEAD|POST|PUT|fetching|fetch|from|for url:?|url:|unable to access|HEAD request to|download)\s+[\"'`]?https?://([\w.-]+(?::\d+)?)",
    r"(?:pull|push|image:|FROM|Pulling|failed to pull(?: image)?)\s+[\"']?([\w-]+\.[\w.-]+(?::\d+)?)/",
    r"\"repositories\"[\s\S]{0,200}?\"url\"\s*:\s*\"https?://([\w.-]+)",
    r"source\s*=\s*\"([\w-]+\.[\w.-]+)/[\w-]+/[\w-]+/",
)


#: Names under which docker does not look for the login to its own hub.
_NOT_THE_HUB = r"\"(?:docker\.io|hub\.docker\.com|registry-1\.docker\.io|https://hub\.docker\.com[^\"]*|docker)\"\s*:\s*\{"


@check
def docker_hub_key(evidence: Evidence) -> Iterator[Finding]:
    """docker files the login to its hub under `https://index.docker.io/v1/` and under nothing else."""
    texts = [(text.content, Where.of(text.source)) for text in evidence.texts]
    for match, at in every(evidence, r"dockerconfigjson:\s*[\"']?([A-Za-z0-9+/=]{20,})"):
        try:
            texts.append((base64.b64decode(match.group(1), validate=True).decode("utf-8", "replace"), at))
        except ValueError:
            yield Finding(
                "pull-secret-not-base64", ".dockerconfigjson is not base64.", {"bad-base64": 20.0}, at
            )
    for content, at in texts:
        if (
            re.search(r"\"auths\"", content)
            and re.search(_NOT_THE_HUB, content)
            and "index.docker.io" not in content
        ):
            yield _finding(
                "docker-hub-key", "The hub's login is looked up under https://index.docker.io/v1/.", at, 14.0
            )
            return


@check
def host_differs(evidence: Evidence) -> Iterator[Finding]:
    """The host under which credentials are kept is not the one that is asked."""
    if not troubled(evidence):
        return
    kept: dict[str, Where] = {}
    for pattern in _FILED:
        kept |= {match.group(1).lower(): at for match, at in every(evidence, pattern)}
    wanted = {match.group(1).lower() for pattern in _ASKED for match, _ in every(evidence, pattern)}
    wanted |= {x.request.host.lower() for x in evidence.refused if x.request.host}
    wanted = {host for host in wanted if "." in host or ":" in host}
    if kept and wanted and not {_bare(h) for h in kept} & {_bare(h) for h in wanted}:
        says = f"Credentials are kept for {_some(set(kept))}, and {_some(wanted)} refuses."
        alike = any(_bare(a).split(".")[-2:] == _bare(b).split(".")[-2:] for a in kept for b in wanted)
        yield _finding("host-differs", says, next(iter(kept.values())), 14.0 if alike else 9.0)
    elif (
        any(a != b and a.split(":")[0] == b.split(":")[0] for a in kept for b in wanted)
        and not set(kept) & wanted
    ):
        says = "Credentials are kept for the host with another port than the one that refuses."
        yield _finding("host-port-differs", says, next(iter(kept.values())), 13.0)


def _bare(host: str) -> str:
    known = {
        "index.docker.io": "docker.io",
        "registry-1.docker.io": "docker.io",
        "registry.hub.docker.com": "docker.io",
        "hub.docker.com": "docker.io",
    }
    host = re.sub(r":\d+$", "", host)
    return known.get(host, host)
