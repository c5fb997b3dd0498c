"""Django: settings over several files, URLs and routers, classes of the view against those of the settings."""

from __future__ import annotations

import pytest

from why401.evidence import Fields, Request
from why401.layers import Document, Tree, django_app
from why401.layers.django_app import Django

FILES = {
    "manage.py": "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings.dev')\n",
    "shop/__init__.py": "",
    "shop/settings/__init__.py": "",
    "shop/settings/base.py": """
SECRET_KEY = "lab-key-of-at-least-thirty-two-bytes"
ROOT_URLCONF = "shop.urls"
INSTALLED_APPS = ["rest_framework"]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "shop.gate.Gate",
]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
}
""",
    "shop/settings/dev.py": "from .base import *\nINSTALLED_APPS += ['rest_framework.authtoken']\n",
    "shop/settings/prod.py": "from .base import *\nSESSION_COOKIE_NAME = 'sid'\n",
    "shop/gate.py": """
from django.http import JsonResponse

class Gate:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path.startswith("/gate/") and request.META.get("HTTP_X_GATE") is None:
            return JsonResponse({"error": "gate"}, status=401)
        return self.get_response(request)
""",
    "shop/views.py": """
from django.http import HttpResponse
from rest_framework.authentication import BasicAuthentication, SessionAuthentication, TokenAuthentication
from rest_framework.decorators import api_view, permission_classes
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.viewsets import ModelViewSet
from rest_framework.views import APIView

class Keyword(TokenAuthentication):
    keyword = "Bearer"

class HasKey(BasePermission):
    def has_permission(self, request, view):
        return request.headers.get("X-Key") == "hush-hush"

class Orders(ModelViewSet):
    pass

class Bearer(APIView):
    authentication_classes = [Keyword]
    def get(self, request): ...

class Sessions(APIView):
    authentication_classes = [SessionAuthentication, BasicAuthentication]
    def get(self, request): ...

class Keyed(APIView):
    permission_classes = [HasKey]
    def get(self, request): ...

@api_view(["GET"])
@permission_classes([AllowAny])
def health(request): ...

def form(request):
    return HttpResponse("ok")
""",
    "shop/urls.py": """
from django.urls import include, path, re_path
from rest_framework.routers import DefaultRouter
from shop import views

router = DefaultRouter()
router.register("orders", views.Orders)
urlpatterns = [
    path("api/", include(router.urls)),
    path("bearer/", views.Bearer.as_view()),
    path("sessions/", views.Sessions.as_view()),
    re_path(r"^keyed/(?P<n>[0-9]+)/$", views.Keyed.as_view()),
    path("health/", views.health),
    path("gate/", views.form),
    path("form/", views.form),
]
""",
}


def app() -> Django:
    tree = Tree(Document(name, text) for name, text in FILES.items())
    (root,) = django_app.roots(tree)
    return django_app.read(tree, root)


def line(file: str, words: str) -> int:
    return next(at for at, one in enumerate(FILES[file].splitlines(), 1) if words in one)


def test_the_settings_that_manage_names_are_read_with_what_they_import() -> None:
    assert app().root.name == "shop/settings/dev.py"
    assert app().settings.listed("INSTALLED_APPS") == ["rest_framework", "rest_framework.authtoken"]
    assert (
        app().settings.inner_place("REST_FRAMEWORK", "DEFAULT_PERMISSION_CLASSES").name
        == "shop/settings/base.py"
    )


@pytest.mark.parametrize(
    ("path", "fields", "status", "file", "words"),
    [
        ("/api/orders/", {}, 401, "shop/settings/base.py", "IsAuthenticated"),
        ("/api/orders/7/", {}, 401, "shop/settings/base.py", "IsAuthenticated"),
        ("/bearer/", {"Authorization": "Token x"}, 401, "shop/settings/base.py", "IsAuthenticated"),
        ("/sessions/", {}, 403, "shop/settings/base.py", "IsAuthenticated"),
        ("/keyed/3/", {}, 401, "shop/views.py", "hush-hush"),
        ("/gate/", {}, 401, "shop/gate.py", "status=401"),
    ],
)
def test_the_line_that_refuses(path: str, fields: dict[str, str], status: int, file: str, words: str) -> None:
    found = app().refusals(Request("GET", f"http://h{path}", Fields.of(fields.items())))
    sure = [r for r in found if r.sure]
    assert [(r.status, r.source.name, r.source.line) for r in sure] == [(status, file, line(file, words))]


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/api/orders/", {"Authorization": "Token x"}),
        ("/bearer/", {"Authorization": "Bearer x"}),
        ("/sessions/", {"Cookie": "sessionid=x"}),
        ("/health/", {}),
        ("/form/", {}),
        ("/gate/", {"X-Gate": "1"}),
    ],
)
def test_what_may_be_let_in_is_not_surely_refused(path: str, fields: dict[str, str]) -> None:
    found = app().refusals(Request("GET", f"http://h{path}", Fields.of(fields.items())))
    assert not [r for r in found if r.sure]


def test_schemes_are_those_of_the_class_in_force() -> None:
    routes = {route.name: [d.value for d in route.all("scheme")] for route in app().routes()}
    assert routes["Orders"] == ["Token"]
    assert routes["Bearer"] == ["Bearer"]
    assert routes["health"] == []


def test_forms_without_a_csrf_token_are_refused() -> None:
    (refusal,) = app().refusals(Request("POST", "http://h/form/"))
    assert (refusal.status, refusal.wants) == (403, ("csrf", "csrftoken"))
    assert refusal.source.line == line("shop/settings/base.py", "CsrfViewMiddleware")
