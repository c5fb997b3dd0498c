"""What only Laravel gets wrong: the guard that is asked, Sanctum's stateful domains, sessions that no browser keeps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from why401.checks import check, rule
from why401.checks.layers_demands import carried
from why401.evidence import Evidence, Request, Source
from why401.findings import AGAINST, CLEAR, HINT, NAMED, STRONG, Finding, Where
from why401.layers.applications import LOGIN_PATH, authorization
from why401.layers.laravel import HOP, Laravel
from why401.layers.laravel_routes import Given, Registered
from why401.layers.model import Edit
from why401.path import Walk, routes, walks

_SANCTUM_TOKEN = r"(?:[A-Za-z0-9_]+_)?\d+\|[A-Za-z0-9]{40,}"
_LOOKALIKES = {"wrong-password": AGAINST, "token-expired": AGAINST, "no-credentials": AGAINST}


def _layers(evidence: Evidence) -> Iterator[Laravel]:
    held = {id(route.layer) for route in routes(evidence)}
    for layer in evidence.layers:
        if isinstance(layer, Laravel) and (id(layer) in held or not evidence.exchanges):
            yield layer


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


def _auth(route: Registered) -> Given | None:
    return next((g for g in route.middleware if g.name.partition(":")[0] == "auth"), None)


def _origin(request: Request) -> str:
    """Host and port of the page that sent the request."""
    said = request.fields.get("origin") or request.fields.get("referer") or ""
    return urlsplit(said).netloc.lower()


def _line(layer: Laravel, key: str, value: str) -> tuple[Edit, ...]:
    """The edit of a variable that stands in `.env`."""
    found = layer.settings.get(key)
    if found is None or found.document is not layer.env or not found.source.line:
        return ()
    text = found.document.lines[found.source.line - 1].rstrip("\r\n")
    return (
        Edit(found.document, found.source.line, found.source.line, (text.partition("=")[0] + "=" + value,)),
    )


@rule
def login_guarded(evidence: Evidence) -> Iterator[Finding]:
    """The route at which one logs in asks for the login itself."""
    for layer in _layers(evidence):
        for route in layer.registered:
            given = _auth(route)
            if (
                given is None
                or not re.search(LOGIN_PATH, route.path)
                or "POST" not in (route.methods or ("POST",))
            ):
                continue
            if re.search(r"(?i)refresh|register$", route.path):
                continue
            yield Finding(
                "laravel-login-guarded",
                f"/{route.path} is where one logs in, and {given.name} asks for the login there already.",
                {"auth-rule-unintended": NAMED, **_LOOKALIKES},
                Where.of(route.call.source),
                "demanded-scheme",
                HOP,
                fix="Register it outside the group, or take the middleware off it with withoutMiddleware().",
                opens="/" + route.path,
            )
            return


@rule
def tokens_without_trait(evidence: Evidence) -> Iterator[Finding]:
    """Sanctum takes a token only for a model that uses HasApiTokens (`Guard::supportsTokens`)."""
    for layer in _layers(evidence):
        asks = any(
            (g := _auth(route)) and layer.driver(g.name.partition(":")[2]) == "sanctum"
            for route in layer.registered
        )
        code = layer.user
        if not asks or code is None or "HasApiTokens" in code.document.text or layer.stateful:
            continue
        line = next(
            (
                n
                for n, text in enumerate(code.document.lines, 1)
                if re.match(r"\s*(?:final )?class User\b", text)
            ),
            1,
        )
        extends = re.search(r"class User extends (\w+)", code.document.text)
        if extends and extends[1] not in ("Authenticatable", "Model"):
            continue
        yield Finding(
            "laravel-model-without-tokens",
            "Sanctum takes a token only for a model with the trait HasApiTokens, and User lacks it: all are refused.",
            {"auth-not-wired": NAMED, **_LOOKALIKES},
            Where.of(Source(code.document.name, line)),
            "model-tokens",
            HOP,
            fix="use Laravel\\Sanctum\\HasApiTokens; in the model.",
        )
        return


@rule
def old_token_driver(evidence: Evidence) -> Iterator[Finding]:
    """`auth:api` with the driver `token` compares the token with a column; Passport's tokens are not looked at."""
    for layer in _layers(evidence):
        text = "".join(
            d.text
            for d in layer.files
            if d.name.endswith(("User.php", "composer.json", "AuthServiceProvider.php"))
        )
        found = layer.settings.get("auth.guards.api.driver")
        if (
            found is None
            or found.text != "token"
            or not re.search(r"Laravel\\+Passport|laravel/passport", text)
        ):
            continue
        yield Finding(
            "laravel-guard-not-passport",
            "The project uses Passport, and the guard api has the driver token: it compares the token with the column "
            "api_token, so Passport's tokens are refused.",
            {"auth-setting-wrong": NAMED, **_LOOKALIKES},
            Where.of(found.source),
            "guard-driver",
            HOP,
            fix="Set 'driver' => 'passport' for the guard api.",
            edits=_respelt(
                found.document.lines[(found.source.line or 1) - 1], found.source, found, "token", "passport"
            ),
        )
        return


def _respelt(text: str, source: Source, found: object, old: str, new: str) -> tuple[Edit, ...]:
    document = getattr(found, "document", None)
    changed = re.sub(rf"(['\"]){old}\1", rf"\g<1>{new}\g<1>", text.rstrip("\r\n"))
    return (Edit(document, source.line, source.line, (changed,)),) if document and source.line else ()


@rule
def session_domain_is_none(evidence: Evidence) -> Iterator[Finding]:
    """A cookie's domain is a host name: with a scheme or a port no browser keeps the cookie (RFC 6265, 5.2.3)."""
    for layer in _layers(evidence):
        found = layer.settings.get("session.domain")
        if found is None or not re.search(r"://|:\d+$|/", found.text):
            continue
        bare = re.sub(r"^\w+://|[:/].*$", "", found.text)
        yield Finding(
            "laravel-session-domain",
            f"The session's domain is {found.text}: that is no domain, so no browser keeps the cookie.",
            {"cookie-not-stored": NAMED, "session-expired": AGAINST, **_LOOKALIKES},
            Where.of(found.source),
            "session-cookie",
            HOP,
            fix=f"Write {bare}.",
            edits=_line(layer, "session.domain", bare),
        )
        return


@rule
def stateful_not_switched_on(evidence: Evidence) -> Iterator[Finding]:
    """Stateful domains are set, and the middleware that gives their requests a session is not there."""
    for layer in _layers(evidence):
        found = layer.settings.get("sanctum.stateful")
        in_env = found is not None and found.document is layer.env
        if found is None or not in_env or layer.stateful or layer.kernel is None:
            continue
        calls = layer.kernel.calls("withMiddleware")
        place = calls[0].source if calls else Source(layer.kernel.document.name, 1)
        yield Finding(
            "laravel-stateful-missing",
            "SANCTUM_STATEFUL_DOMAINS names a frontend, and API routes have no session: its middleware is not switched "
            "on, so a login by cookie is not seen there.",
            {"auth-not-wired": STRONG + 3, **_LOOKALIKES},
            Where.of(place),
            "stateful",
            HOP,
            fix="Call $middleware->statefulApi() in bootstrap/app.php (before Laravel 11: put "
            "EnsureFrontendRequestsAreStateful first into the group api).",
        )
        return


@check
def frontend_not_stateful(evidence: Evidence) -> Iterator[Finding]:
    """The page's host is not among the stateful domains, so its cookie is not looked at."""
    for one, layer, route in _asked(evidence):
        given, origin, domains = _auth(route), _origin(one.request), layer.domains
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
            {"auth-setting-wrong": NAMED, "cookie-not-sent": HINT, "session-expired": AGAINST, **_LOOKALIKES},
            Where.of(named),
            "stateful",
            HOP,
            fix=f"Add {origin} to SANCTUM_STATEFUL_DOMAINS (with its port), then php artisan config:clear.",
            edits=_line(layer, "sanctum.stateful", ",".join([*domains, origin])),
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
        given = _auth(route)
        if given is None or carried(one.request) != "bearer":
            continue
        guard = given.name.partition(":")[2]
        if layer.driver(guard) != "session":
            continue
        name = guard or layer.settings.text("auth.defaults.guard")
        sanctum = any(
            layer.driver((_auth(r) or given).name.partition(":")[2]) == "sanctum" for r in layer.registered
        )
        better = "auth:sanctum" if sanctum or "sanctum" in "".join(layer.settings.values) else "auth:api"
        arg = next((a for a in given.call.args if a.text in (b"'auth'", b'"auth"')), None)
        yield Finding(
            "laravel-guard-reads-no-token",
            f"'{given.name}' asks the guard {name}, which reads the session's cookie: the token is not looked at.",
            {"auth-not-wired": NAMED, "wrong-header": AGAINST, **_LOOKALIKES},
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
        given, sent = _auth(route), authorization(one.request)
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
        found, given = layer.settings.get("sanctum.expiration"), _auth(route)
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
