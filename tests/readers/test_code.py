# ruff: noqa: E501  (a row a case)
"""Client and server code of many languages, and directives of web servers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from why401.evidence import Evidence, Source
from why401.readers import code


def read(name: str, text: str) -> Evidence:
    return code.read(text, Source(name)) if code.sniff(name, text) else Evidence()


@pytest.mark.parametrize(
    ("name", "text", "field", "scheme"),
    [
        ("a.py", 'headers = {"Authorization": f"Token {token}"}', "Authorization", "Token"),
        ("a.py", 'headers={"Authorization": "Bearer " + token}', "Authorization", "Bearer"),
        ("a.py", 'headers["X-Api-Key"] = key', "X-Api-Key", None),
        ("a.js", "axios.defaults.headers.common['Authorization'] = 'Bearer: ' + token", "Authorization", "Bearer:"),
        ("a.js", "fetch(u, { headers: { Authorization: `Bearer ${token}` } })", "Authorization", "Bearer"),
        ("a.js", "xhr.setRequestHeader('Authorization', token)", "Authorization", None),
        ("a.go", 'req.Header.Set("Authorization", fmt.Sprintf("Bearer %s", token))', "Authorization", "Bearer"),
        ("A.java", 'builder.header("Authorization", "Basic " + encoded)', "Authorization", "Basic"),
        ("A.java", "headers.set(HttpHeaders.AUTHORIZATION, \"Bearer \" + t);", "Authorization", "Bearer"),
        ("A.cs", 'new AuthenticationHeaderValue("Bearer", token)', "Authorization", "Bearer"),
        ("a.php", "$h = ['Authorization: Bearer ' . $token];", "Authorization", "Bearer"),
        ("a.php", "'headers' => ['Authorization' => 'Bearer '.$token]", "Authorization", "Bearer"),
        ("a.swift", 'request.setValue("Bearer \\(token)", forHTTPHeaderField: "Authorization")', "Authorization", "Bearer"),
        ("a.dart", "headers: {HttpHeaders.authorizationHeader: 'Bearer $token'}", "Authorization", "Bearer"),
        ("a.py", "requests.get(u, auth=('me', pw))", "Authorization", "Basic"),
        ("a.rb", "req.basic_auth 'me', pw\nreq['Authorization'] = \"Token token=#{t}\"", "Authorization", "Token"),
        ("a.js", "fetch(u, { credentials: 'include' })", "cookies", None),
    ],
)  # fmt: skip
def test_client_code_offers_a_credential(name: str, text: str, field: str, scheme: str | None) -> None:
    assert (field, scheme) in [(o.name, o.scheme) for o in read(name, text).offers]


def test_a_literal_value_is_kept_and_hidden() -> None:
    (offer,) = read("a.py", 'h = {"Authorization": "Bearer made-up-one"}').offers
    assert offer.value is not None
    assert offer.value.reveal() == "made-up-one"
    assert "made-up-one" not in repr(offer)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.py", 'x = request.headers["Authorization"]'),
        ("a.py", '# headers = {"Authorization": "Bearer x"}\nauth_off = 1'),
        ("a.ts", "interface Login { token: string; }"),
        ("a.js", "// axios.defaults.headers.common['Authorization'] = t\nlogin()"),
        ("message.txt", "I send Authorization: Bearer in the header."),
    ],
)
def test_code_that_sends_nothing_offers_nothing(name: str, text: str) -> None:
    assert read(name, text).offers == ()


@pytest.mark.parametrize(
    ("name", "text", "respect", "value"),
    [
        ("a.js", "jwt.verify(t, k, { issuer: 'https://id.example', algorithms: ['RS256'] })", "issuer", "https://id.example"),
        ("a.js", "expressjwt({ secret, algorithms: ['HS256'] })", "algorithm", "HS256"),
        ("a.py", "key = APIKeyHeader(name='X-Key')", "field", "X-Key"),
        ("a.py", "authentication_classes = [TokenAuthentication]", "scheme", "Token"),
        ("A.cs", '.AddJwtBearer(o => { o.Audience = "api1"; })', "audience", "api1"),
        ("A.java", '.antMatchers("/api/**").permitAll() // jwt', "rule", 'permitAll "/api/**"'),
        ("a.rb", "acts_as_token_authentication_handler_for User", "field", "X-User-Token"),
        ("a.js", "const t = req.headers['x-access-token']", "field", "x-access-token"),
        ("a.js", "session({ cookie: { secure: true, sameSite: 'none' } })", "cookie-samesite", "none"),
        (".htaccess", "AuthType Basic\nRequire user ann\n", "rule", "user ann"),
        ("nginx.conf", 'location / { \n auth_basic "Area";\n}', "realm", "Area"),
    ],
)  # fmt: skip
def test_server_code_demands(name: str, text: str, respect: str, value: str) -> None:
    assert (respect, value) in [(d.respect, d.value) for d in read(name, text).demands]


@pytest.mark.parametrize(
    ("name", "text", "what", "field"),
    [
        ("nginx.conf", 'proxy_set_header Authorization "";', "drops", "Authorization"),
        ("nginx.conf", 'proxy_set_header Authorization "Basic eA==";', "overwrites", "Authorization"),
        (
            ".htaccess",
            "RewriteRule .* - [E=HTTP_AUTHORIZATION:%{HTTP:Authorization}]",
            "adds",
            "Authorization",
        ),
        ("apache.conf", "CGIPassAuth On", "adds", "Authorization"),
        ("apache.conf", "RequestHeader unset Authorization", "drops", "Authorization"),
        ("Caddyfile", "header_up -Authorization", "drops", "Authorization"),
    ],
)
def test_directives_change_a_credential(name: str, text: str, what: str, field: str) -> None:
    assert (what, field) in [(c.what, c.name) for c in read(name, text).changes]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("nginx.conf", "proxy_set_header Authorization $http_authorization;"),
        ("nginx.conf", "# proxy_set_header Authorization '';\nauth_basic off;"),
        (".htaccess", "Require all granted"),
    ],
)
def test_harmless_directives_say_nothing(name: str, text: str) -> None:
    evidence = read(name, text)
    assert evidence.changes == ()
    assert evidence.demands == ()


@pytest.mark.parametrize("name", ["a.py", "a.js", "nginx.conf", "message.txt"])
@given(st.text(max_size=300) | st.text(alphabet="\"'`{}()[]=:+$ \nAuthorizationtkBe", max_size=200))
def test_any_text_is_read_without_an_error(name: str, text: str) -> None:
    code.read(text, Source(name))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.js", "fetch(u, { headers: { Authorization: 'Bearer' + token } })"),
        ("a.cs", 'client.DefaultRequestHeaders.Add("Authorization", "Bearer" + token);'),
    ],
)
def test_a_scheme_without_a_blank_is_no_scheme(name: str, text: str) -> None:
    assert {o.scheme for o in read(name, text).offers} == {None}
