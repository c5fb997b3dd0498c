"""Rules on Laravel: each with a fault that it names by line, and a sound near-miss."""

from __future__ import annotations

import pytest

from tests.checks.code_cases import asked, given, line_of, linted
from why401.diffs import edited
from why401.evidence import Evidence
from why401.findings import Finding

pytest.importorskip("tree_sitter_php", reason="the grammar of PHP is not installed")

HEAD = "<?php\nuse Illuminate\\Support\\Facades\\Route;\n"
ORDERS = HEAD + "Route::get('/orders', 'OrderController@index')->middleware('{}');\n"
AUTH = (
    "<?php\nreturn [\n'defaults' => ['guard' => 'web'],\n'guards' => [\n'web' => ['driver' => 'session'],\n"
    "'api' => ['driver' => '{}'],\n]];\n"
)
APP = (
    "<?php\nreturn Application::configure()\n->withMiddleware(function ($middleware) {{ {} }})\n->create();\n"
)
SANCTUM = "12|" + "a1B2" * 12


def token(value: str) -> str:
    return "Bearer " + value


def found(evidence: Evidence, path: str = "/api/orders", **fields: str) -> dict[str, Finding]:
    return asked(evidence, path, **fields)


def test_login_behind_the_login() -> None:
    fault = (
        HEAD
        + "Route::middleware('auth:sanctum')->group(function () {\nRoute::post('/login', 'A@login');\n});\n"
    )
    assert linted(routes__api_dot_php=fault)["laravel-login-guarded"].where.line == line_of(
        fault, "Route::post"
    )
    sound = fault.replace("'A@login')", "'A@login')->withoutMiddleware('auth:sanctum')")
    assert linted(routes__api_dot_php=sound) == {}
    assert linted(routes__api_dot_php=fault.replace("/login", "/token/refresh")) == {}


def test_model_without_tokens() -> None:
    model = "<?php\nclass User extends Authenticatable\n{{\n    use {};\n}}\n"
    files = {"routes__api_dot_php": ORDERS.format("auth:sanctum"), "bootstrap__app_dot_php": APP.format("")}
    fault = linted(**files, app__Models__User_dot_php=model.format("Notifiable"))
    assert fault["laravel-model-without-tokens"].where.line == 2
    assert linted(**files, app__Models__User_dot_php=model.format("HasApiTokens, Notifiable")) == {}
    files["bootstrap__app_dot_php"] = APP.format("$middleware->statefulApi();")  # by cookie only, perhaps
    assert linted(**files, app__Models__User_dot_php=model.format("Notifiable")) == {}


def test_driver_of_the_guard_api() -> None:
    files = {
        "routes__api_dot_php": ORDERS.format("auth:api"),
        "composer_dot_json": '{"require": {"laravel/passport": "^12"}}',
    }
    fault = linted(**files, config__auth_dot_php=AUTH.format("token"))["laravel-guard-not-passport"]
    assert fault.where.line == 6
    mended = edited(fault.edits[0].document, fault.edits)
    assert linted(**files, config__auth_dot_php=mended) == {}
    files["composer_dot_json"] = "{}"
    assert linted(**files, config__auth_dot_php=AUTH.format("token")) == {}


def test_domain_of_the_session() -> None:
    routes = ORDERS.format("auth:sanctum")
    fault = linted(routes__api_dot_php=routes, _dot_env="APP_URL=x\nSESSION_DOMAIN=localhost:8000\n")[
        "laravel-session-domain"
    ]
    assert (fault.where.line, fault.edits[0].new) == (2, ("SESSION_DOMAIN=localhost",))
    assert linted(routes__api_dot_php=routes, _dot_env="SESSION_DOMAIN=.shop.test\n") == {}


def test_stateful_domains_without_the_middleware() -> None:
    files = {
        "routes__api_dot_php": ORDERS.format("auth:sanctum"),
        "_dot_env": "SANCTUM_STATEFUL_DOMAINS=spa.test\n",
    }
    app = APP.format("")
    assert linted(**files, bootstrap__app_dot_php=app)["laravel-stateful-missing"].where.line == line_of(
        app, "->withM"
    )
    assert linted(**files, bootstrap__app_dot_php=APP.format("$middleware->statefulApi();")) == {}


def test_frontend_that_is_not_stateful() -> None:
    evidence = given(
        routes__api_dot_php=ORDERS.format("auth:sanctum"),
        _dot_env="SANCTUM_STATEFUL_DOMAINS=localhost:3000,*.spa.test\n",
    )
    fault = found(evidence, Origin="http://localhost:5173", Cookie="laravel_session=x")[
        "laravel-frontend-not-stateful"
    ]
    assert fault.edits[0].new == ("SANCTUM_STATEFUL_DOMAINS=localhost:3000,*.spa.test,localhost:5173",)
    for origin in ("http://localhost:3000", "https://a.spa.test"):
        assert "laravel-frontend-not-stateful" not in found(
            evidence, Origin=origin, Cookie="laravel_session=x"
        )


def test_guard_that_reads_no_token() -> None:
    routes = ORDERS.format("auth")
    evidence = given(routes__api_dot_php=routes, config__auth_dot_php=AUTH.format("passport"))
    fault = found(evidence, Authorization=token("abc"))["laravel-guard-reads-no-token"]
    assert fault.where.line == 3
    mended = edited(fault.edits[0].document, fault.edits)
    assert "middleware('auth:api')" in mended
    sound = given(routes__api_dot_php=mended, config__auth_dot_php=AUTH.format("passport"))
    assert "laravel-guard-reads-no-token" not in found(sound, Authorization=token("abc"))
    assert "laravel-guard-reads-no-token" not in found(evidence, Cookie="laravel_session=x")


def test_token_of_another_guard() -> None:
    evidence = given(
        routes__api_dot_php=ORDERS.format("auth:api"), config__auth_dot_php=AUTH.format("passport")
    )
    assert "laravel-token-of-another-guard" in found(evidence, Authorization=token(SANCTUM))
    assert "laravel-token-of-another-guard" not in found(
        evidence, Authorization=token("eyJhbGciOiJSUzI1NiJ9.e30.x")
    )
    sanctum = given(routes__api_dot_php=ORDERS.format("auth:sanctum"))
    assert "laravel-token-of-another-guard" not in found(sanctum, Authorization=token(SANCTUM))


@pytest.mark.parametrize(
    ("env", "origin", "id"),
    [
        ("SESSION_SECURE_COOKIE=true", "", "laravel-session-cookie-secure"),
        ("SESSION_DOMAIN=other.test", "", "laravel-session-cookie-domain"),
        ("SESSION_SAME_SITE=lax", "http://spa.example", "laravel-session-cookie-same-site"),
        (
            "SESSION_SECURE_COOKIE=false\nSESSION_DOMAIN=.shop.test\nSESSION_SAME_SITE=lax",
            "http://www.shop.test",
            "",
        ),
        ("SESSION_SAME_SITE=none", "http://spa.example", ""),
    ],
)
def test_cookie_of_the_session(env: str, origin: str, id: str) -> None:
    evidence = given(routes__api_dot_php=ORDERS.format("auth:sanctum"), _dot_env=env + "\n")
    ids = {
        one for one in found(evidence, **({"Origin": origin} if origin else {})) if "session-cookie" in one
    }
    assert ids == ({id} if id else set())


def test_tokens_end() -> None:
    sanctum = "<?php\nreturn [\n'expiration' => {},\n];\n"
    files = {"routes__api_dot_php": ORDERS.format("auth:sanctum")}
    fault = found(given(**files, config__sanctum_dot_php=sanctum.format(60)), Authorization=token(SANCTUM))
    assert fault["laravel-tokens-end"].where.line == 3
    sound = found(
        given(**files, config__sanctum_dot_php=sanctum.format("null")), Authorization=token(SANCTUM)
    )
    assert "laravel-tokens-end" not in sound
