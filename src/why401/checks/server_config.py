"""Checks of the family `server-config`: what the owner's server demands, and whether it was meant.

They compare addresses (what the server hands out with what the client used), paths (what is protected with
what is public by its nature) and forms (the hash that is stored with the one that can be checked).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from why401.checks import check
from why401.evidence import Evidence, Exchange, Source, Text
from why401.findings import AGAINST, CLEAR, FAINT, HINT, NAMED, STRONG, Finding, Where
from why401.prefilter import lazy
from why401.protocol import challenges

#: Parameters of a challenge that hold an address the client has to fetch (distribution token auth, RFC 9728).
_ADDRESSES: Final = ("realm", "resource_metadata", "authorization_uri", "as_uri")

#: Paths that are public by their nature: they serve to log in, or are fetched by somebody without credentials.
PUBLIC: Final = lazy(
    r"(?i)/(?:log-?in|sign-?_?in|register|sign-?_?up|forgot-?_?password|password/(?:reset|email|new)|reset-password"
    r"|verify-email|activate|confirm(?:ation)?|oauth2?/(?:token|callback|authorize)|callback|healthz?|readyz|livez"
    r"|liveness|readiness|actuator/health|ping|favicon\.ico|robots\.txt|sitemap\.xml|site\.webmanifest"
    r"|manifest\.json|\.well-known/[\w/.-]+|swagger[\w/.-]*|v[23]/api-docs[\w/.-]*|openapi\.json|admin-ajax\.php"
    r"|wp-cron\.php|webhooks?|hooks?)(?:/|$|\?)"
)
_LOGIN: Final = lazy(r"(?i)log-?in|sign-?_?in|/token|/authenticate|/session|callback")
_VISITOR: Final = lazy(
    r"(?i)full authentication is required|unauthenticated|not provided|no (?:auth\w*|token)|missing|authorized users"
    r" only|token (?:is )?required|must be provided|not authenticated|header|need to sign in|Authorization Required"
    r"|could not verify"
)


def _realm_addresses(exchange: Exchange) -> Iterator[tuple[str, str]]:
    values = exchange.response.fields.all("www-authenticate") if exchange.response else []
    for challenge in challenges.parse(values).challenges:
        for name in _ADDRESSES:
            value = challenge.params.get(name, "")
            if re.match(r"https?://", value):
                yield name, value


def _private(host: str) -> bool:
    """A host that only the inside knows: private address, loopback, a name without a dot or of a cluster."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".svc", ".cluster.local", ".lan"))


def _fault(address: str, used: str) -> str | None:
    """What is wrong with an address that the server hands out, compared with the one the client used."""
    given, asked = urlsplit(address), urlsplit(used)
    if (
        not asked.hostname
        or not given.hostname
        or (_private(asked.hostname) and asked.hostname == given.hostname)
    ):
        return None
    if _private(given.hostname) and not _private(asked.hostname):
        return f"an inner address ({given.hostname})"
    if asked.scheme == "https" and given.scheme == "http":
        return "http, while the site is reached by https"
    try:
        ports = given.port, asked.port
    except ValueError:
        return None
    if given.hostname == asked.hostname and ports[0] != ports[1] and given.scheme == asked.scheme:
        return "another port than the one that was asked"
    return None


@check
def inner_address_handed_out(evidence: Evidence) -> Iterator[Finding]:
    """A challenge or redirect names an address that is not the public one: the application does not know it."""
    for exchange in evidence.exchanges:
        used = exchange.request.url or ""
        for name, address in _realm_addresses(exchange):
            fault = _fault(address, used)
            if fault:
                yield Finding(
                    "inner-address-handed-out",
                    f"The challenge's {name} points to {fault}: the application does not know its public address.",
                    {"external-url-wrong": NAMED, "auth-setting-wrong": HINT, "wrong-password": AGAINST},
                    Where.at(exchange, "WWW-Authenticate"),
                    group="exturl-realm",
                )
                return
        to = exchange.response.fields.get("location") if exchange.response else None
        fault = _fault(to, used) if to and re.match(r"https?://", to) else None
        if fault and exchange.request.split.hostname and "port" not in fault:
            yield Finding(
                "redirected-to-inner-address",
                f"The redirect leads to {fault}.",
                {"external-url-wrong": CLEAR, "redirect-dropped-credentials": HINT},
                Where.at(exchange, "Location"),
                group="exturl-realm",
            )
            return


def _refused_paths(evidence: Evidence) -> Iterator[tuple[str, str, str | None, Source]]:
    """Path, method, body and source of each refused request, from exchanges and logs."""
    for exchange in evidence.refused:
        body = exchange.response.body if exchange.response else None
        yield exchange.request.path, exchange.request.method or "GET", body, exchange.source
    for record in evidence.records:
        if record.status in (401, 403) and record.path and not record.user:
            yield record.path, record.method or "GET", None, record.source


#: The words for visitors where they stand apart from the exchange, in a text of their own: the sure ones only.
_SURELY_VISITOR: Final = lazy(
    r"(?i)full authentication is required|\bunauthenticated\b|credentials were not provided|not authenticated|"
    r"authorized users only|need to sign in|no (?:auth\w*|bearer)[ -]?token|token not found|jwt must be provided"
)


@check
def login_refused_as_to_visitor(evidence: Evidence) -> Iterator[Finding]:
    """The login route is called, and the words of the answer are those for somebody who has not logged in."""
    found = evidence.search(_SURELY_VISITOR.pattern, 0)
    called = [
        x for x in evidence.exchanges if x.status in (None, 401, 403) and (x.request.method or "") == "POST"
    ]
    for exchange in called:
        path = exchange.request.path
        if found and PUBLIC.search(path) and _LOGIN.search(path):
            yield Finding(
                "login-refused-as-to-visitor",
                f"{path} is where people log in, and it answers as if they had to be logged in before.",
                {"auth-rule-unintended": STRONG, "no-credentials": AGAINST, "wrong-password": AGAINST},
                Where.of(found[1]),
                group="public-path",
            )
            return


@check
def public_path_refused(evidence: Evidence) -> Iterator[Finding]:
    """A path that is public by its nature is refused as if a login were needed for it."""
    for path, method, body, source in _refused_paths(evidence):
        if not PUBLIC.search(path):
            continue
        login = bool(_LOGIN.search(path))
        # A login that is refused for its password is no fault of a rule: only the words for visitors count.
        if login and not (body and _VISITOR.search(body)):
            continue
        yield Finding(
            "public-path-refused",
            f"{method} {path.split('?')[0]} serves people and programs without a login, and is refused.",
            {
                "auth-rule-unintended": STRONG if login else CLEAR,
                "no-credentials": FAINT,
                "wrong-password": AGAINST,
            },
            Where.of(source),
            group="public-path",
        )
        return


def _guarding(text: Text) -> PurePosixPath | None:
    """The folder that an .htaccess with a password rule guards; None for another text or the root."""
    path = PurePosixPath(text.source.name)
    if path.name != ".htaccess" or not re.search(
        r"(?im)^\s*(?:AuthType|Require\s+(?:valid-user|user|group))", text.content
    ):
        return None
    return path.parent if path.parent.name else None


@check
def folder_rule_hits_more(evidence: Evidence) -> Iterator[Finding]:
    """An .htaccess guards a folder, and a path below it that pages outside call is refused."""
    for text in evidence.texts:
        folder = _guarding(text)
        if folder is None:
            continue
        for path, method, _, source in _refused_paths(evidence):
            if f"/{folder.name}/" not in path:
                continue
            yield Finding(
                "folder-rule-hits-more",
                f"The password rule in {folder.name}/.htaccess also covers {method} {path.split('?')[0]}.",
                {"auth-rule-unintended": NAMED, "no-credentials": AGAINST, "wrong-password": AGAINST},
                Where.of(source),
                group="folder-rule",
                fix=f"Free the file in {folder.name}/.htaccess (`<Files …> Require all granted </Files>`).",
            )
            return


_HASH: Final = lazy(r"(?P<dollars>\$+)(?P<kind>apr1|2[abxy]|5|6|1|y|argon2id?)(?P<next>\$+)")
_LABELS: Final = lazy(r"(?im)^\s*(?:labels|services|environment)\s*:|traefik\.http\.|basicauth\.users")


def _compose(text: Text) -> bool:
    return bool(re.search(r"(?i)compose[^/]*\.ya?ml$", text.source.name) or _LABELS.search(text.content))


@check
def hash_with_wrong_dollars(evidence: Evidence) -> Iterator[Finding]:
    """A hash has doubled dollar signs where nothing halves them, or single ones where Compose expands them."""
    for text in evidence.texts:
        if text.kind not in ("settings", "terminal", "message"):
            continue
        for match in _HASH.finditer(text.content):
            doubled = len(match["dollars"]) > 1 and len(match["next"]) > 1
            compose = _compose(text)
            if doubled == compose or (text.kind != "settings" and not doubled):
                continue
            if not doubled and not compose:
                continue
            line = text.source.at(text.line_at(match.start()))
            says = (
                "The hash has doubled dollar signs, and nothing reads this file that would halve them."
                if doubled
                else "The hash has single dollar signs in a Compose file, which takes them for variables."
            )
            yield Finding(
                "hash-with-wrong-dollars",
                says,
                {
                    "mangled-in-config": NAMED if text.kind == "settings" else CLEAR,
                    "password-file-problem": HINT,
                },
                Where.of(line),
                group="mangled-dollars",
            )
            return


_FILE_LINE: Final = lazy(r"(?m)^(?P<user>[\w.@-]+):(?P<hash>\S*)\s*$")
#: What each product's password file may hold; the products are looked for in the whole evidence.
_READS: Final = (
    (r"(?i)REGISTRY_AUTH|registry:2|distribution registry|Registry Realm", r"\$2[aby]\$", "a bcrypt hash"),
    (r"(?i)\bcaddy\b", r"\$2[aby]\$|\$argon2id\$", "a bcrypt or argon2id hash"),
    (r"(?i)haproxy|userlist", r"\$(?:1|5|6|2[aby])\$", "a hash that crypt(3) knows"),
)


@check
def hash_of_wrong_kind(evidence: Evidence) -> Iterator[Finding]:
    """The password file holds a kind of hash that the server named in the evidence cannot check."""
    for text in evidence.texts:
        if not re.search(r"(?i)passwd|users|auth", text.source.name):
            continue
        lines = [m for m in _FILE_LINE.finditer(text.content) if m["hash"]]
        for product, reads, wants in _READS:
            bad = next((m for m in lines if not re.match(reads, m["hash"])), None)
            if bad is None or not evidence.search(product):
                continue
            yield Finding(
                "hash-of-wrong-kind",
                f"The entry of {bad['user']} is not {wants}, which this server wants.",
                {"password-file-problem": NAMED, "wrong-password": AGAINST},
                Where.of(text.source.at(text.line_at(bad.start()))),
                group="hash-kind",
            )
            return
