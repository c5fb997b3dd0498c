"""What only Laravel gets wrong for a request: the guard that is asked, stateful domains, cookies that are kept back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from why401.checks import check
from why401.checks.laravel_rules import LOOKALIKES, env_line, guarded_by
from why401.checks.layers_demands import carried
from why401.evidence import Evidence, Request
from why401.findings import AGAINST, CLEAR, HINT, NAMED, STRONG, Finding, Where
from why401.layers.applications import authorization
from why401.layers.laravel import HOP, Laravel
from why401.layers.laravel_routes import Registered
from why401.path import Walk, walks

_SANCTUM_TOKEN = r"(?:[A-Za-z0-9_]+_)?\d+\|[A-Za-z0-9]{40,}"


def _asked(evidence: Evidence) -> Iterator[tuple[Walk, Laravel, Registered]]:
    """(walk, layer, route) of each refused request that comes to a route."""
    for one in walks(evidence):
        for layer in (route.layer for route in one.routes):
            if isinstance(layer, Laravel) and one.status in (401, 403, 419, 302, None):
                method = one.request.method or "GET"
                met = next((r for r in layer.registered if r.fits(method, one.request.path)), None)
                if met is not None:
                    yield one, layer, met
                break


def _origin(request: Request) -> str:
    """Host and port of the page that sent the request."""
    said = request.fields.get("origin") or request.fields.get("referer") or ""
    return urlsplit(said).netloc.lower()


@check
def frontend_not_stateful(evidence: Evidence) -> Iterator[Finding]:
    """The page's host is not among the stateful domains, so its cookie is not looked at."""
    for one, layer, route in _asked(evidence):
        given, origin, domains = guarded_by(route), _origin(one.request), layer.domains
        named = layer.settings.source("sanctum.stateful")
        if (
            given is None
            or not origin
            or not domains
            or named is None
            or authorization(one.request) is not None
        ):
            continue
        if layer.driver(given.name.partition(":")[2]) != "sanctum" or any(_fits(d, origin) for d in domains):
            continue
        yield Finding(
            "laravel-frontend-not-stateful",
            f"The page is at {origin}, not among Sanctum's stateful domains ({', '.join(domains)}): its session's "
            "cookie is not looked at.",
            {"auth-setting-wrong": NAMED, "cookie-not-sent": HINT, "session-expired": AGAINST, **LOOKALIKES},
            Where.of(named),
            "stateful",
            HOP,
            fix=f"Add {origin} to SANCTUM_STATEFUL_DOMAINS (with its port), then php artisan config:clear.",
            edits=env_line(layer, "sanctum.stateful", ",".join([*domains, origin])),
        )
        return


def _fits(domain: str, origin: str) -> bool:
    """As Sanctum compares (`Str::is`): `*` for anything, the port included."""
    pattern = ".*".join(re.escape(part) for part in domain.lower().split("*"))
    return re.fullmatch(pattern, origin) is not None


@check
def guard_reads_no_token(evidence: Evidence) -> Iterator[Finding]:
    """The request has a token, and the guard that is asked reads only the session's cookie."""
    for one, layer, route in _asked(evidence):
        given = guarded_by(route)
        if given is None or carried(one.request) != "bearer":
            continue
        guard = given.name.partition(":")[2]
        if layer.driver(guard) != "session":
            continue
        name = guard or layer.settings.text("auth.defaults.guard")
        sanctum = any(
            layer.driver((guarded_by(r) or given).name.partition(":")[2]) == "sanctum"
            for r in layer.registered
        )
        better = "auth:sanctum" if sanctum or "sanctum" in "".join(layer.settings.values) else "auth:api"
        arg = next((a for a in given.call.args if a.text in (b"'auth'", b'"auth"')), None)
        yield Finding(
            "laravel-guard-reads-no-token",
            f"'{given.name}' asks the guard {name}, which reads the session's cookie: the token is not looked at.",
            {"auth-not-wired": NAMED, "wrong-header": AGAINST, **LOOKALIKES},
            Where.of(given.call.source),
            "guard-driver",
            HOP,
            fix=f"Name the guard that reads tokens: '{better}'.",
            edits=given.call.code.replaced(arg, f"'{better}'") if arg is not None else (),
        )
        return


@check
def token_of_another_guard(evidence: Evidence) -> Iterator[Finding]:
    """A token of Sanctum is `ID|characters`, that of Passport and jwt-auth a JWT."""
    for one, layer, route in _asked(evidence):
        given, sent = guarded_by(route), authorization(one.request)
        driver = layer.driver(given.name.partition(":")[2]) if given else ""
        if given is None or sent is None or sent[0] != "bearer":
            continue
        own = (
            "sanctum" if re.fullmatch(_SANCTUM_TOKEN, sent[1]) else "jwt" if sent[1].startswith("eyJ") else ""
        )
        wanted = {"sanctum": "sanctum", "passport": "jwt", "jwt": "jwt"}.get(driver, "")
        if not own or not wanted or own == wanted:
            continue
        made = {"sanctum": "Sanctum", "jwt": "Passport or jwt-auth"}
        yield Finding(
            "laravel-token-of-another-guard",
            f"The token has the form of {made[own]}, and {given.name} knows those of {made[wanted]}.",
            {
                "wrong-token-type": STRONG,
                "auth-setting-wrong": STRONG,
                "wrong-password": AGAINST,
                "token-expired": AGAINST,
            },
            Where.of(given.call.source),
            "guard-driver",
            HOP,
            fix="Name the guard that issues the tokens in the route's auth middleware.",
        )
        return


@check
def session_cookie_kept_back(evidence: Evidence) -> Iterator[Finding]:
    """The session's cookie is bound to https, to another host, or to pages of the same site."""
    for one, layer, _ in _asked(evidence):
        host = (one.request.split.hostname or "").lower()
        settings = layer.settings
        domain = settings.text("session.domain").lstrip(".").lower()
        origin = _origin(one.request).partition(":")[0]
        cases = (
            ("session.secure", settings.on("session.secure") and one.request.split.scheme == "http",
             "is marked Secure, and this is plain http", {"cookie-not-stored": STRONG, "https-required": CLEAR}),
            ("session.domain", bool(domain and host) and host != domain and not host.endswith("." + domain),
             f"is for {domain}, and the host here is {host}", {"cookie-not-stored": NAMED}),
            ("session.same_site", settings.text("session.same_site") in ("lax", "strict") and bool(origin and host)
             and _site(origin) != _site(host) and bool(settings.source("session.same_site")),
             f"is sent to pages of the same site only, and the page is at {origin}", {"cookie-not-sent": STRONG}),
        )  # fmt: skip
        for key, holds, says, weights in cases:
            place = settings.source(key)
            if holds and place is not None and authorization(one.request) is None:
                yield Finding(
                    "laravel-session-cookie-" + key.rpartition(".")[2].replace("_", "-"),
                    f"The session's cookie {says}: no browser sends it.",
                    {**weights, "session-expired": AGAINST, "wrong-password": AGAINST},
                    Where.of(place),
                    "session-cookie",
                    HOP,
                )
                return


def _site(host: str) -> str:
    """The last two labels: near enough to the registrable domain for what developers run."""
    return ".".join(host.split(".")[-2:])


@check
def tokens_end(evidence: Evidence) -> Iterator[Finding]:
    """Sanctum's tokens end after `expiration` minutes."""
    for one, layer, route in _asked(evidence):
        found, given = layer.settings.get("sanctum.expiration"), guarded_by(route)
        if found is None or not found.text.isdecimal() or given is None or carried(one.request) != "bearer":
            continue
        if layer.driver(given.name.partition(":")[2]) == "sanctum":
            yield Finding(
                "laravel-tokens-end",
                f"Sanctum's tokens end {found.text} minutes after they were made.",
                {"token-expired": HINT},
                Where.of(found.source),
                "token-lifetime",
                HOP,
            )
            return
