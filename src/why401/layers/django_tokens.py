"""djangorestframework-simplejwt: what `JWTAuthentication` makes of one request, by the settings `SIMPLE_JWT`.

Source: rest_framework_simplejwt/authentication.py, backends.py, settings.py. Tokens are signed with
`SIGNING_KEY` (by default `SECRET_KEY`); a token with `aud` is checked only where AUDIENCE is set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from why401.evidence import Source
from why401.layers.django_settings import texts
from why401.layers.python_app import Asking, Refusal
from why401.layers.python_scopes import Raised
from why401.layers.python_values import UNKNOWN, Configured, Thing

if TYPE_CHECKING:
    from why401.layers.django_app import Django


def by_json_web_token(app: Django, asking: Asking, place: Source, status: int) -> Any:
    """True for a good token, False where there is none, UNKNOWN where that is open. Raises Refused."""
    settings = app.settings
    name = settings.inner("SIMPLE_JWT", "AUTH_HEADER_NAME", "HTTP_AUTHORIZATION")
    if not isinstance(name, str):
        return UNKNOWN
    if not name.startswith("HTTP_"):
        return False  # no field of a request has this name in META
    value = asking.reading.field(name[5:].replace("_", "-").title())
    if not isinstance(value, str):
        return value if value is UNKNOWN else False
    words = value.split()
    if not words or words[0] not in texts(settings.inner("SIMPLE_JWT", "AUTH_HEADER_TYPES", "Bearer")):
        return False
    if len(words) != 2:
        asking.refuse(Refusal(status, place, True, wants=("form", words[0]), guard="JWTAuthentication"))
    return _decoded(app, asking, words[1], place, status)


def _decoded(app: Django, asking: Asking, token: str, place: Source, status: int) -> Any:
    settings = app.settings
    algorithm = settings.inner("SIMPLE_JWT", "ALGORITHM", "HS256")
    symmetric = isinstance(algorithm, str) and algorithm.startswith("HS")
    key = (
        settings.inner("SIMPLE_JWT", "SIGNING_KEY", settings.get("SECRET_KEY"))
        if symmetric
        else (settings.inner("SIMPLE_JWT", "VERIFYING_KEY"))
    )
    audience = settings.inner("SIMPLE_JWT", "AUDIENCE")
    options = {"verify_aud": audience is not None}
    given = {
        "algorithms": [algorithm],
        "audience": audience,
        "issuer": settings.inner("SIMPLE_JWT", "ISSUER"),
        "leeway": settings.inner("SIMPLE_JWT", "LEEWAY", 0),
        "options": options,
    }
    try:
        found = asking.decoding.call(Thing("jwt.decode"), [token, key], given, place)
    except Raised as raised:
        where = _guilty(app, raised.value.kwargs.get("@why", ""), place)
        asking.refuse(Refusal(status, where, True, exception=raised.value, guard="JWTAuthentication"))
        return False
    claims = found[0] if found else UNKNOWN
    kind = settings.inner("SIMPLE_JWT", "TOKEN_TYPE_CLAIM", "token_type")
    if isinstance(claims, dict) and isinstance(kind, str) and claims.get(kind) != "access":
        wants = ("token type", "access")
        asking.refuse(Refusal(status, place, True, wants=wants, guard="JWTAuthentication"))
    signed = isinstance(key, str) and not isinstance(key, Configured)
    return UNKNOWN if not signed or isinstance(claims, dict) else True


_SETTING = {"audience": "AUDIENCE", "issuer": "ISSUER", "algorithm": "ALGORITHM", "signature": "SIGNING_KEY"}


def _guilty(app: Django, why: str, place: Source) -> Source:
    """The setting that the token does not meet, else where the class was chosen."""
    name = _SETTING.get(why, "")
    if name and app.settings.inner("SIMPLE_JWT", name) is not None:
        return app.settings.inner_place("SIMPLE_JWT", name)
    return app.settings.place("SECRET_KEY") if why == "signature" else place
