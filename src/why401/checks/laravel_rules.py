"""What only Laravel gets wrong: the guard that is asked, Sanctum's stateful domains, sessions that no browser keeps."""

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.checks import rule
from why401.evidence import Evidence, Source
from why401.findings import AGAINST, NAMED, STRONG, Finding, Where
from why401.layers.applications import LOGIN_PATH
from why401.layers.laravel import HOP, Laravel
from why401.layers.laravel_routes import Given, Registered
from why401.layers.model import Edit
from why401.path import routes

LOOKALIKES = {"wrong-password": AGAINST, "token-expired": AGAINST, "no-credentials": AGAINST}


def _layers(evidence: Evidence) -> Iterator[Laravel]:
    held = {id(route.layer) for route in routes(evidence)}
    for layer in evidence.layers:
        if isinstance(layer, Laravel) and (id(layer) in held or not evidence.exchanges):
            yield layer


def guarded_by(route: Registered) -> Given | None:
    return next((g for g in route.middleware if g.name.partition(":")[0] == "auth"), None)


def env_line(layer: Laravel, key: str, value: str) -> tuple[Edit, ...]:
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
            given = guarded_by(route)
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
                {"auth-rule-unintended": NAMED, **LOOKALIKES},
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
            (g := guarded_by(route)) and layer.driver(g.name.partition(":")[2]) == "sanctum"
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
            {"auth-not-wired": NAMED, **LOOKALIKES},
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
            {"auth-setting-wrong": NAMED, **LOOKALIKES},
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
            {"cookie-not-stored": NAMED, "session-expired": AGAINST, **LOOKALIKES},
            Where.of(found.source),
            "session-cookie",
            HOP,
            fix=f"Write {bare}.",
            edits=env_line(layer, "session.domain", bare),
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
            {"auth-not-wired": STRONG + 3, **LOOKALIKES},
            Where.of(place),
            "stateful",
            HOP,
            fix="Call $middleware->statefulApi() in bootstrap/app.php (before Laravel 11: put "
            "EnsureFrontendRequestsAreStateful first into the group api).",
        )
        return
