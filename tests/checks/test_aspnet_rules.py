# ruff: noqa: E501  (code, a line each)
"""Rules on ASP.NET Core: each with a fault that it names by line, and a sound near-miss."""

from __future__ import annotations

import json

import pytest

from tests.checks.code_cases import asked, given, line_of, linted
from why401.diffs import edited

pytest.importorskip("tree_sitter_c_sharp", reason="the grammar of C# is not installed")

BEARER = "builder.Services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme)"
GOOD = """.AddJwtBearer(options => {
    options.TokenValidationParameters = new TokenValidationParameters {
        ValidIssuer = builder.Configuration["Jwt:Issuer"],
        ValidAudience = "shop",
        IssuerSigningKey = new SymmetricSecurityKey(Encoding.UTF8.GetBytes(builder.Configuration["Jwt:Key"]!))
    };
});"""
NO_ISSUER = GOOD.replace('        ValidIssuer = builder.Configuration["Jwt:Issuer"],\n', "")
NO_AUDIENCE = GOOD.replace('        ValidAudience = "shop",\n', "")
SETTINGS = '{\n  "Jwt": {\n    "Issuer": "https://id.test",\n    "Key": "%s"\n  }\n}\n'
LONG, SHORT = "k" * 40, "short"
RIGHT = ("app.UseAuthentication();", "app.UseAuthorization();")
ORDERS = 'app.MapGet("/orders", () => "x").RequireAuthorization();'
LOGIN = 'app.MapPost("/login", () => "x")'
CONTROLLER = """[Authorize]
[Route("api/[controller]")]
public class AuthController : ControllerBase
{
    [HttpPost("login")]%s
    public IActionResult Login() => Ok();
}
"""


def program(*lines: str) -> str:
    return "\n".join(["var builder = WebApplication.CreateBuilder(args);", *lines, "app.Run();"])


def startup(*lines: str) -> str:
    body = "\n".join(f"        {line}" for line in lines)
    return f'class Startup {{\n    void A(IServiceCollection s) {{ s.AddAuthentication("Bearer"); }}\n    void Configure(IApplicationBuilder app)\n    {{\n{body}\n    }}\n}}\n'


FAULTS = [
    ("aspnet-authorization-first", "auth-not-wired", program(BEARER + GOOD, *reversed(RIGHT), ORDERS), "app.UseAuthorization"),
    ("aspnet-authentication-not-used", "auth-not-wired", startup("app.UseRouting();", "app.UseAuthorization();"), "app.UseAuthorization"),
    ("aspnet-identity-takes-default", "auth-not-wired", program("builder.Services.AddIdentity<User, Role>();", BEARER + GOOD, *RIGHT), "AddAuthentication("),
    ("aspnet-no-valid-issuer", "auth-setting-wrong", program(BEARER + NO_ISSUER, *RIGHT), "new TokenValidationParameters"),
    ("aspnet-no-valid-audience", "auth-setting-wrong", program(BEARER + NO_AUDIENCE, *RIGHT), "new TokenValidationParameters"),
    ("aspnet-login-guarded", "auth-rule-unintended", program(BEARER + GOOD, *RIGHT, LOGIN + ".RequireAuthorization();"), ".RequireAuthorization"),
    ("aspnet-none-without-secure", "cookie-not-stored", program("builder.Services.AddAuthentication().AddCookie(o => { o.Cookie.SameSite = SameSiteMode.None;", "o.Cookie.SecurePolicy = CookieSecurePolicy.None; });"), "SameSiteMode.None"),
]  # fmt: skip


@pytest.mark.parametrize(("slug", "cause", "text", "line"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_fault(slug: str, cause: str, text: str, line: str) -> None:
    found = linted(Program_dot_cs=text)
    assert slug in found
    assert max(found[slug].weights, key=lambda name: found[slug].weights[name]) == cause
    assert found[slug].where.line == line_of(text, line)


SOUND = [
    program(BEARER + GOOD, *RIGHT, ORDERS),
    program(BEARER + GOOD, ORDERS),  # WebApplication adds both by itself
    startup("app.UseRouting();", *RIGHT),
    program("builder.Services.AddIdentity<User, Role>();", "builder.Services.AddAuthentication(o => { o.DefaultAuthenticateScheme = \"Bearer\"; })" + GOOD, *RIGHT),
    program(BEARER + NO_ISSUER.replace("ValidAudience", "ValidateIssuer = false, ValidAudience"), *RIGHT),
    program(BEARER + '.AddJwtBearer(o => { o.Authority = "https://id.test"; o.Audience = "shop"; });', *RIGHT),
    program(BEARER + GOOD, *RIGHT, LOGIN + ";", ORDERS),
    program("builder.Services.AddAuthentication().AddCookie(o => { o.Cookie.SameSite = SameSiteMode.None; o.Cookie.SecurePolicy = CookieSecurePolicy.Always; });"),
]  # fmt: skip


@pytest.mark.parametrize("text", SOUND)
def test_sound(text: str) -> None:
    assert linted(Program_dot_cs=text, appsettings_dot_json=SETTINGS % LONG) == {}


def test_order_mended() -> None:
    finding = linted(Program_dot_cs=FAULTS[0][2])["aspnet-authorization-first"]
    assert linted(Program_dot_cs=edited(finding.edits[0].document, finding.edits)) == {}


def test_key_in_settings() -> None:
    text = program(BEARER + GOOD, *RIGHT)
    found = linted(Program_dot_cs=text, appsettings_dot_json=SETTINGS % SHORT)["aspnet-key-too-short"]
    assert (found.where.source, found.where.line) == ("appsettings.json", 4)
    assert SHORT not in found.says
    override = json.dumps({"Jwt": {"Key": LONG}})
    assert (
        linted(
            Program_dot_cs=text,
            appsettings_dot_json=SETTINGS % SHORT,
            appsettings_dot_Production_dot_json=override,
        )
        == {}
    )


def test_login_of_a_controller() -> None:
    text = program(BEARER + GOOD, *RIGHT, "app.MapControllers();")
    found = linted(Program_dot_cs=text, Controllers__Auth_dot_cs=CONTROLLER % "")["aspnet-login-guarded"]
    assert (found.where.source, found.where.line, found.opens) == (
        "Controllers/Auth.cs",
        1,
        "/api/Auth/login",
    )
    after = edited(found.edits[0].document, found.edits)
    assert linted(Program_dot_cs=text, Controllers__Auth_dot_cs=after) == {}
    assert linted(Program_dot_cs=text, Controllers__Auth_dot_cs=CONTROLLER % "\n    [AllowAnonymous]") == {}


def test_what_a_request_meets() -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lkLnRlc3QiLCJhdWQiOiJvdGhlciJ9.x"
    files = {
        "Program_dot_cs": program(BEARER + GOOD, *RIGHT, ORDERS),
        "appsettings_dot_json": SETTINGS % LONG,
    }
    found = asked(given(**files), "/orders", Authorization=f"Bearer {token}")
    assert found["signature-by-application"].proves == "bad-signature"
    unsigned = given(
        Program_dot_cs=files["Program_dot_cs"], appsettings_dot_json='{"Jwt": {"Issuer": "https://id.test"}}'
    )
    assert asked(unsigned, "/orders", Authorization=f"Bearer {token}")[
        "wrong-audience-by-application"
    ].where.line == line_of(files["Program_dot_cs"], "ValidAudience")
    assert (
        "wrong-scheme"
        in asked(given(**files), "/orders", Authorization="Basic YTpi")["asked-for-another-scheme"].weights
    )
    assert not given(**files).layers[0].meets(asked_for("/open"))


def asked_for(path: str):  # type: ignore[no-untyped-def]
    from why401.evidence import Request

    return Request("GET", path)


def test_bearer_where_cookies_are_read() -> None:
    text = program("builder.Services.AddAuthentication().AddCookie();", *RIGHT, ORDERS)
    assert "aspnet-cookies-alone" in asked(
        given(Program_dot_cs=text), "/orders", Authorization="Bearer a.b.c"
    )
    assert "aspnet-cookies-alone" not in asked(given(Program_dot_cs=text), "/orders", Cookie="a=b")
