"""Django REST framework: what the authentication and permission classes of a view make of one request.

Order (rest_framework/views.py, `initial`): each authentication class until one answers, then the permissions. A
request that nobody authenticated is refused with 401 where the first class has a challenge
(`authenticate_header`), else with 403: `SessionAuthentication` has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from why401.evidence import Source
from why401.layers.django_settings import texts
from why401.layers.python_app import Asking, Endpoint, Refusal
from why401.layers.python_values import UNKNOWN, Class, Function, Instance, Thing, truth

if TYPE_CHECKING:
    from why401.layers.django_app import Django

_BY_DEFAULT = (
    Thing("rest_framework.authentication.SessionAuthentication"),
    Thing("rest_framework.authentication.BasicAuthentication"),
)
_JWT = ("JWTAuthentication", "JWTStatelessUserAuthentication", "JWTTokenUserAuthentication")
_OPEN = ("AllowAny",)
_SAFE = ("GET", "HEAD", "OPTIONS")
#: Permissions that want a user, and those that want one for changes only.
_USER = ("IsAuthenticated", "IsAdminUser", "DjangoModelPermissions", "DjangoObjectPermissions")
_WRITER = ("IsAuthenticatedOrReadOnly", "DjangoModelPermissionsOrAnonReadOnly")


@dataclass(frozen=True, eq=False)
class Chosen:
    """The classes that are in force for a view, each with the place where it was chosen."""

    classes: tuple[tuple[Any, Source], ...]
    own: bool  # the view's own, not the settings'
    known: bool = True


def is_rest(view: Any) -> bool:
    """Whether a view is one of Django REST framework's."""
    if isinstance(view, Class):
        return any(
            isinstance(c, Thing) and c.package in ("rest_framework", "rest_framework_simplejwt")
            for c in view.line()
        )
    return isinstance(view, Function) and any(getattr(d, "kind", "") == "api_view" for d in view.decorators)


def chosen(app: Django, endpoint: Endpoint, what: str) -> Chosen:
    """The `authentication_classes` or `permission_classes` (`what`) of an endpoint."""
    own = _own(endpoint, what)
    if own is not None:
        value, place = own
        if not isinstance(value, (list, tuple)):
            return Chosen((), own=True, known=False)
        places = getattr(value, "places", None) or [place] * len(value)
        return Chosen(tuple(zip(value, places, strict=False)), own=True)
    key = f"DEFAULT_{what.upper()}"
    value = app.settings.inner("REST_FRAMEWORK", key)
    if value is UNKNOWN or (
        "REST_FRAMEWORK" in app.settings and not isinstance(app.settings.get("REST_FRAMEWORK"), dict)
    ):
        return Chosen((), own=False, known=False)
    if value is None:
        place = app.settings.place("REST_FRAMEWORK") if "REST_FRAMEWORK" in app.settings else endpoint.source
        names = _BY_DEFAULT if what == "authentication_classes" else ()
        return Chosen(tuple((name, place) for name in names), own=False)
    place = app.settings.inner_place("REST_FRAMEWORK", key)
    places = getattr(value, "places", None) or [place] * len(texts(value))
    return Chosen(
        tuple((app.program.named(n), p) for n, p in zip(texts(value), places, strict=False)), own=False
    )


def _own(endpoint: Endpoint, what: str) -> tuple[Any, Source] | None:
    view = endpoint.view
    for by in (*getattr(view, "decorators", ()), *endpoint.guards):
        if isinstance(by, Thing) and by.kind == what and by.args:
            return by.args[0], by.source
        if isinstance(by, Thing) and what in by.kwargs:
            return by.kwargs[what], by.source
    if isinstance(view, Class):
        if view.get(f"get_{what.split('_')[0]}s" if what[0] == "p" else "get_authenticators") is not None:
            return UNKNOWN, view.source
        value = view.get(what)
        if value is not None:
            return value, view.place(what)
    return None


def kinds(cls: Any) -> list[str]:
    """The names of the library's classes that a class is or is made of."""
    line = cls.line() if isinstance(cls, Class) else [cls]
    return [one.kind for one in line if isinstance(one, Thing)]


def challenges(cls: Any) -> bool:
    """Whether an authentication class answers with a challenge, which makes its refusals 401 instead of 403."""
    if isinstance(cls, Class) and cls.get("authenticate_header") is not None:
        return True
    names = kinds(cls)
    return not {"SessionAuthentication", "BaseAuthentication"} & set(names)


def scheme_of(app: Django, cls: Any) -> tuple[str, ...]:
    """The schemes that an authentication class reads; () for those that read no Authorization field."""
    names = kinds(cls)
    if "BasicAuthentication" in names:
        return ("Basic",)
    if "TokenAuthentication" in names:
        keyword = cls.get("keyword") if isinstance(cls, Class) else None
        return (str(keyword) if isinstance(keyword, str) else "Token",)
    if set(_JWT) & set(names):
        if app.settings.inner("SIMPLE_JWT", "AUTH_HEADER_NAME", "HTTP_AUTHORIZATION") != "HTTP_AUTHORIZATION":
            return ()
        return tuple(texts(app.settings.inner("SIMPLE_JWT", "AUTH_HEADER_TYPES", "Bearer")))
    return ("Bearer",) if "OAuth2Authentication" in names else ()


class Rest:
    """One request in a view of Django REST framework."""

    def __init__(self, app: Django, asking: Asking, endpoint: Endpoint) -> None:
        self.app, self.asking, self.endpoint = app, asking, endpoint
        self.authentication = chosen(app, endpoint, "authentication_classes")
        self.permission = chosen(app, endpoint, "permission_classes")
        first = self.authentication.classes[0][0] if self.authentication.classes else None
        self.status = 401 if first is not None and challenges(first) else 403

    def run(self) -> None:
        """Authenticate, then ask the permissions. Raises Refused."""
        user = self._user() if self.authentication.known else UNKNOWN
        if not self.permission.known:
            return
        for cls, place in self.permission.classes:
            self._permit(cls, place, user)

    def _user(self) -> Any:
        """False where nobody authenticates the request, True where one does, UNKNOWN where that is open."""
        for cls, place in self.authentication.classes:
            found = self._by(cls, place)
            if found is not False:
                return found
        return False

    def _by(self, cls: Any, place: Source) -> Any:
        from why401.layers.django_tokens import by_json_web_token

        names = kinds(cls)
        if isinstance(cls, Class) and isinstance(cls.get("authenticate"), Function):
            return self._custom(cls)
        if "SessionAuthentication" in names:
            return UNKNOWN if self.asking.reading.session else False
        if set(_JWT) & set(names):
            return by_json_web_token(self.app, self.asking, place, self.status)
        schemes = scheme_of(self.app, cls)
        if not schemes:
            return UNKNOWN
        value = self.asking.reading.field("Authorization")
        if not isinstance(value, str):
            return value if value is UNKNOWN else False
        words = value.split()
        if not words or words[0].lower() != schemes[0].lower():
            return False
        if len(words) != 2:
            self.asking.refuse(
                Refusal(self.status, place, True, wants=("form", schemes[0]), guard="authentication")
            )
        return UNKNOWN

    def _custom(self, cls: Class) -> Any:
        method = cls.get("authenticate")
        bound = Function(method.node, method.module, method.scope, Instance(cls, cls.source))
        flows = self.asking.run(bound, (Thing("@django"),))
        values = [truth(flow.value) if flow.kind == "returns" else False for flow in flows]
        return False if values and not any(value is not False for value in values) else UNKNOWN

    def _permit(self, cls: Any, place: Source, user: Any) -> None:
        kind = getattr(cls, "kind", "")
        safe = self.asking.reading.request.method in _SAFE
        if kind in _OPEN or (kind in _WRITER and safe):
            return
        if kind in (*_USER, *_WRITER):
            if user is not True:
                self._nobody(place, sure=user is False)
        elif isinstance(cls, Class) and isinstance(cls.get("has_permission"), Function):
            self._ask(cls, user)

    def _ask(self, cls: Class, user: Any) -> None:
        method = cls.get("has_permission")
        bound = Function(method.node, method.module, method.scope, Instance(cls, cls.source))
        for flow in self.asking.run(bound, (Thing("@django"), Thing("@view"))):
            held = truth(flow.value) if flow.kind == "returns" else False
            if held is not True:
                status = self.status if user is False else 403
                sure = flow.sure and held is False
                self.asking.refuse(
                    Refusal(
                        status,
                        flow.source,
                        sure,
                        flow.because,
                        tuple(self.asking.reading.reads),
                        guard=cls.name,
                    )
                )

    def _nobody(self, place: Source, *, sure: bool) -> None:
        """Nobody authenticated the request: what would have been wanted, by each class."""
        reads = tuple(self.asking.reading.reads)
        offered = self.asking.reading.request.fields.get("Authorization")
        for cls, chosen_at in self.authentication.classes:
            for scheme in scheme_of(self.app, cls):
                where = chosen_at if isinstance(offered, str) else place
                self._want(
                    Refusal(
                        self.status, where, False, (), reads, wants=("scheme", scheme), guard="permission"
                    )
                )
            if not scheme_of(self.app, cls) and "Session" in getattr(cls, "kind", ""):
                name = self.app.settings.session_cookie
                self._want(
                    Refusal(self.status, place, False, (), reads, wants=("cookie", name), guard="permission")
                )
        if sure:
            self.asking.refuse(
                Refusal(self.status, place, True, (), reads, wants=("user", "valid-user"), guard="permission")
            )
        else:
            self._want(
                Refusal(
                    self.status, place, False, (), reads, wants=("user", "valid-user"), guard="permission"
                )
            )

    def _want(self, refusal: Refusal) -> None:
        self.asking.refusals.append(refusal)
