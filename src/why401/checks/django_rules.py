"""Rules on Django and Django REST framework: settings that leave every credential unread, or ask for too much."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from why401.checks import rule
from why401.checks.fastapi_rules import LOGIN
from why401.checks.flask_rules import random, random_key
from why401.checks.python_edits import applications, body_start, document, inserted, line, replaced
from why401.evidence import Evidence, Source
from why401.findings import HINT, NAMED, Finding, Where
from why401.layers.django_app import Django
from why401.layers.django_rest import chosen, is_rest
from why401.layers.model import Edit
from why401.layers.python_app import Endpoint
from why401.layers.python_values import Class, Thing

#: Keys of REST_FRAMEWORK that decide on authentication (rest_framework/settings.py).
_KEYS = (
    "DEFAULT_AUTHENTICATION_CLASSES",
    "DEFAULT_PERMISSION_CLASSES",
    "UNAUTHENTICATED_USER",
    "UNAUTHENTICATED_TOKEN",
)
#: Keys of SIMPLE_JWT that decide whether a token is read and taken (rest_framework_simplejwt/settings.py).
_JWT_KEYS = (
    "AUTH_HEADER_TYPES",
    "AUTH_HEADER_NAME",
    "SIGNING_KEY",
    "VERIFYING_KEY",
    "ALGORITHM",
    "AUDIENCE",
    "ISSUER",
)
_SESSION = "django.contrib.sessions.middleware.SessionMiddleware"
_USER = "django.contrib.auth.middleware.AuthenticationMiddleware"


def _found(slug: str, says: str, weights: dict[str, float], where: Source, fix: str, **rest: Any) -> Finding:
    # A fault of the settings explains what the views then say: it stands above what they say.
    looks = (
        "wrong-password",
        "wrong-scheme",
        "wrong-header",
        "no-credentials",
        "gateway-stripped-credentials",
    )
    held = dict.fromkeys(looks, -14.0) | {c: w + 10 if w >= NAMED else w for c, w in weights.items()}
    return Finding(slug, says, held, Where.of(where), rest.pop("group", ""), "Django", fix=fix, **rest)


@rule
def key_misspelt(evidence: Evidence) -> Iterator[Finding]:
    """A key of REST_FRAMEWORK or SIMPLE_JWT that is none, and nearly one: it is ignored."""
    for app in applications(evidence, Django):
        assert isinstance(app, Django)
        for setting, keys in (("REST_FRAMEWORK", _KEYS), ("SIMPLE_JWT", _JWT_KEYS)):
            held = app.settings.get(setting)
            for key in held if isinstance(held, dict) else ():
                near = difflib.get_close_matches(str(key), keys, 1, 0.88)
                if key in keys or not near or near[0] in held:
                    continue
                where = app.settings.inner_place(setting, key)
                yield _found(
                    "django-key-misspelt",
                    f"{setting} has no key {key}: it is ignored, and the default of {near[0]} holds.",
                    {"auth-setting-wrong": NAMED, "auth-not-wired": HINT},
                    where,
                    f"Write {near[0]}.",
                    edits=replaced(app, where, str(key), near[0]),
                    group="demanded-scheme",
                )


@rule
def header_name_wrong(evidence: Evidence) -> Iterator[Finding]:
    """SIMPLE_JWT's AUTH_HEADER_NAME is a key of META, and those of fields begin with HTTP_."""
    for app in applications(evidence, Django):
        assert isinstance(app, Django)
        name = app.settings.inner("SIMPLE_JWT", "AUTH_HEADER_NAME")
        if isinstance(name, str) and not name.startswith("HTTP_"):
            where = app.settings.inner_place("SIMPLE_JWT", "AUTH_HEADER_NAME")
            right = "HTTP_" + name.upper().replace("-", "_")
            yield _found(
                "django-jwt-header-name",
                f"AUTH_HEADER_NAME is looked up in request.META, where the field is {right}: no token is ever read.",
                {"auth-setting-wrong": NAMED + 1.0, "wrong-header": -NAMED},
                where,
                f"Write {right}.",
                edits=replaced(app, where, str(name), right)
                if line(app, where).count(str(name)) == 1
                else _last(app, where, str(name), right),
                group="demanded-scheme",
            )


def _last(app: Django, where: Source, old: str, new: str) -> tuple[Edit, ...]:
    return replaced(app, where, f'"{old}"', f'"{new}"') or replaced(app, where, f"'{old}'", f"'{new}'")


@rule
def middleware_missing(evidence: Evidence) -> Iterator[Finding]:
    """Sessions authenticate, and the middleware that finds their user is missing or stands too early."""
    for app in applications(evidence, Django):
        assert isinstance(app, Django)
        names = app.settings.listed("MIDDLEWARE")
        if names is None or not all(isinstance(name, str) for name in names) or _SESSION not in names:
            continue
        held = app.settings.get("MIDDLEWARE")
        places = getattr(held, "places", [app.settings.place("MIDDLEWARE")] * len(names))
        session = places[names.index(_SESSION)]
        if _USER not in names:
            if not _sessions_used(app) or any(name.endswith("AuthenticationMiddleware") for name in names):
                continue
            yield _found(
                "django-no-authentication-middleware",
                "MIDDLEWARE has sessions and no AuthenticationMiddleware: no request has a user.",
                {"auth-not-wired": NAMED},
                session,
                "Add AuthenticationMiddleware after SessionMiddleware.",
                edits=_after(app, session, f'"{_USER}",'),
                group="answered-here",
            )
        elif names.index(_USER) < names.index(_SESSION):
            where = places[names.index(_USER)]
            yield _found(
                "django-middleware-order",
                "AuthenticationMiddleware stands before SessionMiddleware, whose session it needs.",
                {"auth-not-wired": NAMED},
                where,
                "Put SessionMiddleware before it.",
                edits=_reordered(app, where, session),
                group="answered-here",
            )


def _sessions_used(app: Django) -> bool:
    for endpoint in app.endpoints:
        if is_rest(endpoint.view):
            classes = chosen(app, endpoint, "authentication_classes").classes
            if any(getattr(cls, "kind", "") == "SessionAuthentication" for cls, _ in classes):
                return True
    return False


def _after(app: Django, where: Source, new: str) -> tuple[Edit, ...]:
    held, text = document(app, where.name), line(app, where)
    if held is None or not where.line or not text.rstrip().endswith(","):
        return ()
    indent = text[: len(text) - len(text.lstrip())]
    return (Edit(held, where.line + 1, where.line, (indent + new,)),)


def _reordered(app: Django, early: Source, late: Source) -> tuple[Edit, ...]:
    held = document(app, early.name)
    if held is None or not early.line or not late.line or early.name != late.name or early.line == late.line:
        return ()
    return (
        Edit(held, early.line, early.line, (line(app, late), line(app, early))),
        Edit(held, late.line, late.line, ()),
    )


@rule
def token_app_missing(evidence: Evidence) -> Iterator[Finding]:
    """TokenAuthentication looks into a table that only its application makes."""
    for app in applications(evidence, Django):
        assert isinstance(app, Django)
        installed = app.settings.listed("INSTALLED_APPS")
        if not installed or "rest_framework.authtoken" in installed or "rest_framework" not in installed:
            continue
        for endpoint in app.endpoints:
            found = chosen(app, endpoint, "authentication_classes") if is_rest(endpoint.view) else None
            for cls, place in found.classes if found else ():
                if isinstance(cls, Thing) and cls.name == "rest_framework.authentication.TokenAuthentication":
                    held = app.settings.get("INSTALLED_APPS")
                    where = (
                        held.places[installed.index("rest_framework")] if hasattr(held, "places") else place
                    )
                    yield _found(
                        "django-no-authtoken",
                        "TokenAuthentication needs 'rest_framework.authtoken' in INSTALLED_APPS, and it is not there.",
                        {"auth-not-wired": NAMED},
                        where,
                        "Add 'rest_framework.authtoken' and run `manage.py migrate`.",
                        edits=_after(app, where, '"rest_framework.authtoken",'),
                    )
                    return


@rule
def nobody_authenticates(evidence: Evidence) -> Iterator[Finding]:
    """A view has no authentication class and wants a user."""
    for app in applications(evidence, Django):
        assert isinstance(app, Django)
        for endpoint in app.endpoints:
            if not is_rest(endpoint.view):
                continue
            authentication = chosen(app, endpoint, "authentication_classes")
            permission = chosen(app, endpoint, "permission_classes")
            wanted = next(
                (
                    p
                    for c, p in permission.classes
                    if getattr(c, "kind", "") in ("IsAuthenticated", "IsAdminUser")
                ),
                None,
            )
            if not authentication.known or authentication.classes or wanted is None or not authentication.own:
                continue
            where = (
                endpoint.view.place("authentication_classes")
                if isinstance(endpoint.view, Class)
                else endpoint.source
            )
            default = app.settings.inner("REST_FRAMEWORK", "DEFAULT_AUTHENTICATION_CLASSES")
            held = document(app, where.name)
            removable = isinstance(endpoint.view, Class) and default and held and where.line
            yield _found(
                "django-nobody-authenticates",
                f"{endpoint.name} has no authentication class, so nobody is ever authenticated, and it wants a user.",
                {"auth-not-wired": NAMED + 1.0, "not-permitted": -12.0},
                where,
                "Take the empty list out, so that the settings' classes hold.",
                edits=(Edit(held, where.line, where.line, ()),) if removable and held and where.line else (),
                group="answered-here",
            )


@rule
def login_asks_for_login(evidence: Evidence) -> Iterator[Finding]:
    """The settings' permission holds for the view at which one logs in too."""
    for app in applications(evidence, Django):
        assert isinstance(app, Django)
        for endpoint in app.endpoints:
            if isinstance(endpoint.view, Class) and is_rest(endpoint.view) and LOGIN.search(endpoint.path):
                yield from _closed_login(app, endpoint)


def _closed_login(app: Django, endpoint: Endpoint) -> Iterator[Finding]:
    permission = chosen(app, endpoint, "permission_classes")
    cls = endpoint.view
    if (
        permission.own
        or not permission.known
        or not isinstance(cls.get("post"), object)
        or cls.get("post") is None
    ):
        return
    if not any(getattr(c, "kind", "") in ("IsAuthenticated", "IsAdminUser") for c, _ in permission.classes):
        return
    first = Source(cls.module.document.name, body_start(cls.node))
    yield _found(
        "django-login-behind-login",
        f"{endpoint.name} is where one logs in, and the settings' permission asks for a user there already.",
        {"auth-rule-unintended": NAMED, "no-credentials": -12.0},
        permission.classes[0][1],
        "Give the view no permission classes of the settings: anybody may log in.",
        edits=inserted(app, first, "permission_classes = []", ""),
        opens=endpoint.path,
        group="answered-here",
    )


@rule
def keys_and_cookies(evidence: Evidence) -> Iterator[Finding]:
    """A key made at each start; a cookie that no browser keeps."""
    for app in applications(evidence, Django):
        assert isinstance(app, Django)
        if random(app.settings.get("SECRET_KEY")):
            yield random_key(app, app.settings.place("SECRET_KEY"))
        for name in ("SESSION_COOKIE", "CSRF_COOKIE"):
            none = app.settings.get(f"{name}_SAMESITE")
            if none == "None" and app.settings.get(f"{name}_SECURE", False) is False:
                where = app.settings.place(f"{name}_SAMESITE")
                yield _found(
                    "django-samesite-none",
                    f"{name}_SAMESITE is None without {name}_SECURE: browsers do not keep such a cookie.",
                    {"cookie-not-stored": NAMED},
                    where,
                    f"Set {name}_SECURE = True (the site has to be https).",
                    edits=inserted(app, where, f"{name}_SECURE = True"),
                )
