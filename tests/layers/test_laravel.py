"""Laravel: which route a request meets, and what its middleware asks for."""

from __future__ import annotations

import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from why401 import layers
from why401.evidence import Fields, Request
from why401.layers import Document
from why401.layers.laravel import Laravel
from why401.layers.model import Route

pytest.importorskip("tree_sitter_php", reason="the grammar of PHP is not installed")

API = """<?php
use Illuminate\\Support\\Facades\\Route;

Route::post('/login', [AuthController::class, 'login']);
Route::middleware(['auth:sanctum', 'abilities:orders:read'])->prefix('v1')->group(function () {
    Route::get('/orders/{id?}', [OrderController::class, 'show'])->withoutMiddleware('abilities:orders:read');
    Route::apiResource('items', ItemController::class);
    Route::group(['prefix' => 'admin', 'middleware' => 'can:admin'], function () {
        Route::delete('users/{user}', 'UserController@destroy');
    });
});
Route::get('/me', fn () => auth()->user())->middleware('auth');
"""
AUTH = """<?php
return [
    'defaults' => ['guard' => env('AUTH_GUARD', 'web')],
    'guards' => [
        'web' => ['driver' => 'session', 'provider' => 'users'],
        'api' => ['driver' => 'passport', 'provider' => 'users'],
    ],
];
"""


def project(**files: str) -> Laravel:
    names = {name: name.replace("__", "/").replace("_dot_", ".") for name in files}
    (found,) = (
        layer
        for layer in layers.read([Document(names[n], text) for n, text in files.items()]).layers
        if isinstance(layer, Laravel)
    )
    return found


def met(layer: Laravel, path: str, method: str = "GET") -> Route | None:
    return next(iter(layer.meets(Request(method, f"http://shop.test{path}", Fields()))), None)


def asked(route: Route | None) -> list[tuple[str, str]]:
    assert route is not None
    return [(demand.respect, demand.value) for demand in route.demands]


def test_groups_prefixes_and_parameters() -> None:
    layer = project(routes__api_dot_php=API, config__auth_dot_php=AUTH)
    guard = [("guard", "sanctum (sanctum)"), ("scheme", "Bearer")]
    assert asked(met(layer, "/api/v1/orders/7")) == guard
    assert asked(met(layer, "/api/v1/orders")) == guard
    assert asked(met(layer, "/api/v1/items/3", "PUT")) == [*guard, ("scope", "orders:read")]
    assert asked(met(layer, "/api/v1/admin/users/1", "DELETE")) == [
        *guard,
        ("scope", "orders:read"),
        ("role", "admin"),
    ]
    assert asked(met(layer, "/api/login", "POST")) == []
    assert met(layer, "/api/login") is None
    assert met(layer, "/login", "POST") is None


def test_the_line_is_that_of_the_middleware() -> None:
    layer = project(routes__api_dot_php=API, config__auth_dot_php=AUTH)
    route = met(layer, "/api/v1/items")
    assert route is not None
    assert (route.source.line, route.demands[0].source.line) == (7, 5)


def test_the_default_guard_reads_the_session() -> None:
    layer = project(routes__api_dot_php=API, config__auth_dot_php=AUTH)
    assert asked(met(layer, "/api/me")) == [("guard", "default (session)"), ("cookie", "laravel_session")]
    env = project(routes__api_dot_php=API, config__auth_dot_php=AUTH, _dot_env="AUTH_GUARD=api\n")
    assert asked(met(env, "/api/me")) == [("guard", "default (passport)"), ("scheme", "Bearer")]


def test_settings_come_from_the_environment() -> None:
    sanctum = "<?php return ['stateful' => explode(',', env('SANCTUM_STATEFUL_DOMAINS', sprintf('%s', 'localhost')))];"
    layer = project(
        routes__api_dot_php=API,
        config__sanctum_dot_php=sanctum,
        _dot_env="A=1\nSANCTUM_STATEFUL_DOMAINS=a.test\n",
    )
    found = layer.settings.get("sanctum.stateful")
    assert found is not None
    assert (layer.domains, found.source.name, found.source.line) == (["a.test"], ".env", 2)


def test_another_prefix_of_the_api() -> None:
    kernel = "<?php Application::configure()->withRouting(api: 'routes/api.php', apiPrefix: 'rest');"
    layer = project(routes__api_dot_php=API, bootstrap__app_dot_php=kernel)
    assert met(layer, "/rest/login", "POST") is not None
    assert not layer.stateful


_WORDS = st.sampled_from(
    ["<?php ", "Route::get(", "'/a/{b}'", "->middleware(", "['auth', 'can:x']", ")", "->group(function () {", "}", ");",
     ",", "Route::prefix('v')", "'auth:sanctum'", "return ['guards' => ['api' => ", "];", "env('X', ", "\n"]
)  # fmt: skip


@over(
    st.lists(_WORDS, max_size=40), st.sampled_from(["routes/api.php", "config/auth.php", "bootstrap/app.php"])
)
def test_nothing_breaks_it(words: list[str], name: str) -> None:
    documents = [Document("routes/web.php", "<?php Route::get('/x', 'C@x');"), Document(name, "".join(words))]
    for layer in layers.read(documents).layers:
        layer.routes()
        layer.meets(Request("GET", "http://shop.test/api/a/1", Fields()))
