# ruff: noqa: E501  (code, a line each)
"""Rules on Spring Security: each with a fault that it names by line, and a sound near-miss."""

from __future__ import annotations

import pytest

from tests.checks.code_cases import asked, given, line_of, linted
from why401.diffs import edited
from why401.findings import Finding

HEAD = "class Config {\n  @Bean\n  SecurityFilterChain api(HttpSecurity http) throws Exception {\n    http\n"
TAIL = "    return http.build();\n  }\n%s}\n"


def config(*links: str, more: str = "") -> str:
    return HEAD + "".join(f"      {link}\n" for link in links) + (TAIL % more)


def rules(*lines: str) -> str:
    return ".authorizeHttpRequests(auth -> auth\n" + "\n".join(f"        {line}" for line in lines) + ")"


OPEN, CLOSED = '.requestMatchers("/api/public/**").permitAll()', '.requestMatchers("/api/**").authenticated()'
ANY = ".anyRequest().authenticated()"
USER = '  UserDetailsService users() {\n    return of(User.withUsername("a").password("%s").roles("ADMIN").build());\n  }\n'
ENCODER = "  PasswordEncoder encoder() { return new BCryptPasswordEncoder(); }\n"
STATELESS = ".sessionManagement(s -> s.sessionCreationPolicy(SessionCreationPolicy.STATELESS))"
HTTP = ".httpBasic(Customizer.withDefaults());"
TOKENS = ".oauth2ResourceServer(o -> o.jwt(Customizer.withDefaults()));"
MVC = '  void cors(CorsRegistry r) { r.addMapping("/**"); }\n'

FAULTS = [
    ("spring-rule-shadowed", "auth-rule-unintended", config(rules(CLOSED, OPEN, ANY), HTTP), CLOSED),
    ("spring-no-mechanism", "auth-not-wired", config(rules(ANY), STATELESS + ";"), ANY),
    (
        "spring-password-encoder",
        "auth-setting-wrong",
        config(rules(ANY), HTTP, more=USER % "plain-text"),
        "password(",
    ),
    (
        "spring-password-encoder",
        "auth-setting-wrong",
        config(rules(ANY), HTTP, more=USER % "{noop}x" + ENCODER),
        "password(",
    ),
    (
        "spring-role-of-token",
        "insufficient-scope",
        config(rules('.anyRequest().hasRole("ADMIN")'), TOKENS),
        ".hasRole",
    ),
    (
        "spring-authority-prefix",
        "not-permitted",
        config(rules('.anyRequest().hasAuthority("ADMIN")'), HTTP, more=USER % "{noop}x"),
        ".hasAuthority",
    ),
    (
        "spring-stateless-login",
        "auth-setting-wrong",
        config(rules(ANY), STATELESS, ".formLogin(Customizer.withDefaults());"),
        "STATELESS",
    ),
    ("spring-cors-not-in-chain", "cors-preflight-rejected", config(rules(ANY), HTTP, more=MVC), ANY),
]


@pytest.mark.parametrize(
    ("slug", "cause", "text", "line"), FAULTS, ids=[f"{f[0]}-{n}" for n, f in enumerate(FAULTS)]
)
def test_fault(slug: str, cause: str, text: str, line: str) -> None:
    found = linted(src__main__java__Config_dot_java=text)
    assert slug in found
    assert max(found[slug].weights, key=lambda name: found[slug].weights[name]) == cause
    assert found[slug].where.line == line_of(text, line)


SOUND = [
    config(rules(OPEN, CLOSED, ANY), HTTP),
    config(rules(CLOSED, '.requestMatchers("/docs/**").permitAll()', ANY), HTTP),
    config(rules('.requestMatchers(HttpMethod.POST, "/api/**").authenticated()', OPEN, ANY), HTTP),
    config(rules(ANY), STATELESS, ".addFilterBefore(filter, UsernamePasswordAuthenticationFilter.class);"),
    config(rules(ANY), HTTP, more=USER % "{noop}x"),
    config(rules(ANY), HTTP, more=USER % "$2a$10$abc" + ENCODER),
    config(rules('.anyRequest().hasAuthority("SCOPE_read")'), TOKENS),
    config(rules('.anyRequest().hasRole("ADMIN")'), HTTP, more=USER % "{noop}x"),
    config(rules(ANY), STATELESS, HTTP),
    config(rules(ANY), ".cors(Customizer.withDefaults())", HTTP, more=MVC),
    config(rules(".anyRequest().denyAll()") + ";"),
]


@pytest.mark.parametrize("text", SOUND)
def test_sound(text: str) -> None:
    assert linted(src__main__java__Config_dot_java=text) == {}


def mended(finding: Finding) -> str:
    return edited(finding.edits[0].document, finding.edits)


def test_the_mend_of_a_shadowed_rule_is_sound() -> None:
    found = linted(Config_dot_java=config(rules(CLOSED, OPEN, ANY), HTTP))["spring-rule-shadowed"]
    assert linted(Config_dot_java=mended(found)) == {}
    assert found.opens == "/api/public/**"


def test_context_path() -> None:
    text = config(rules('.requestMatchers("/shop/public/**").permitAll()', ANY), HTTP)
    settings = "server:\n  servlet:\n    context-path: /shop\n"
    found = linted(src__main__java__C_dot_java=text, src__main__resources__application_dot_yml=settings)
    assert set(found) == {"spring-matcher-with-context-path"}
    assert '"/public/**"' in mended(found["spring-matcher-with-context-path"])
    assert linted(src__main__java__C_dot_java=text) == {}


def test_kotlin() -> None:
    text = """@Bean
fun chain(http: HttpSecurity): SecurityFilterChain {
    http {
        authorizeHttpRequests {
            authorize("/api/**", authenticated)
            authorize("/api/public/**", permitAll)
            authorize(anyRequest, authenticated)
        }
        httpBasic { }
    }
    return http.build()
}
"""
    assert linted(Config_dot_kt=text)["spring-rule-shadowed"].where.line == 5


def test_csrf_refuses_a_post_without_token() -> None:
    chain = given(Config_dot_java=config(rules(ANY), HTTP))
    basic = "Basic YTpi"
    assert "spring-csrf-token-missing" in asked(chain, "/orders", "POST", 403, Authorization=basic)
    assert "spring-csrf-token-missing" not in asked(chain, "/orders", "GET", 401, Authorization=basic)
    off = given(Config_dot_java=config(rules(ANY), ".csrf(csrf -> csrf.disable())", HTTP))
    assert "spring-csrf-token-missing" not in asked(off, "/orders", "POST", 401, Authorization=basic)
    tokens = given(Config_dot_java=config(rules(ANY), TOKENS))
    assert "spring-csrf-token-missing" not in asked(
        tokens, "/orders", "POST", 401, Authorization="Bearer a.b.c"
    )


def test_an_open_path_refuses_a_bad_credential() -> None:
    chain = given(Config_dot_java=config(rules(OPEN, ANY), TOKENS))
    found = asked(chain, "/api/public/x", Authorization="Bearer a.b.c")["spring-refused-though-open"]
    assert max(found.weights, key=lambda name: found.weights[name]) == "needless-credential-rejected"
    assert "spring-error-page-protected" in asked(chain, "/api/public/x")


def test_a_token_for_another_issuer() -> None:
    token = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwOi8vYSJ9.x"
    settings = "spring.security.oauth2.resourceserver.jwt.issuer-uri=https://a\n"
    chain = given(
        src__main__java__C_dot_java=config(rules(ANY), TOKENS),
        src__main__resources__application_dot_properties=settings,
    )
    found = asked(chain, "/orders", Authorization=f"Bearer {token}")["wrong-issuer-by-application"]
    assert (found.where.source, found.where.line) == ("src/main/resources/application.properties", 1)
