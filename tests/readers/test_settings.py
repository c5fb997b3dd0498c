# ruff: noqa: E501  (a row a case)
"""Settings of many formats, whole and in part, and what they demand and offer."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from why401.evidence import Evidence, Source
from why401.readers import client_config, settings


def read(name: str, text: str) -> Evidence:
    assert settings.sniff(name, text)
    return settings.read(text, Source(name))


def table(name: str, text: str) -> dict[str, str]:
    return {setting.key: setting.text for setting in read(name, text).settings}


@pytest.mark.parametrize(
    ("name", "text", "key", "value"),
    [
        (".env", "# a comment\nexport API_TOKEN='abc def'  # why\n", "API_TOKEN", "abc def"),
        ("application.properties", "quarkus.oidc.client-id=backend\n", "quarkus.oidc.client-id", "backend"),
        ("grafana.ini", "[auth.proxy]\nheader_name = X-WEBAUTH-USER\n", "auth.proxy.header_name", "X-WEBAUTH-USER"),
        ("app.toml", '[jwt]\naudience = "api"\n', "jwt.audience", "api"),
        ("a.yml", "a:\n  b:\n    - c: 1\n    - c: 2\n", "a.b.1.c", "2"),
        ("a.yaml", "a: {{ x }}\nb:\n  c: 'two'\n", "b.c", "two"),
        ("compose.yml", "services:\n  w:\n    environment:\n      - SECRET_NAME=x$$y\n", "services.w.environment.SECRET_NAME", "x$$y"),
        ("d.yaml", "spec:\n  env:\n    - name: TOKEN\n      value: abc\n", "spec.env.TOKEN", "abc"),
        ("appsettings.json", '"AzureAd": { // the tenant\n  "ClientId": "7d1c",\n},\n', "AzureAd.ClientId", "7d1c"),
        ("a.json", '{"a": [{"b": 1}, {"b": 2}]}', "a.1.b", "2"),
        ("web.config", '<appSettings><add key="Mode" value="live" /></appSettings>', "appSettings.Mode", "live"),
        ("settings.xml", "<server>\n<id>r</id><!-- <id>x</id> -->\n</server>", "server.id", "r"),
        ("wp-config.php", "define( 'WP_HOME', 'http://x.example' );", "WP_HOME", "http://x.example"),
        ("auth.php", "return [\n 'guards' => [\n  'api' => [\n   'driver' => 'token',\n  ],\n ],\n];", "guards.api.driver", "token"),
        ("main.tf", 'provider "x" {\n  auth_token = "abc"\n}\n', "provider.x.auth_token", "abc"),
        ("message.txt", "I set it so:\n```yaml\nhttp:\n  api_password: 'a'\n```\nand it fails.", "http.api_password", "a"),
        ("shell.txt", '$ docker run -e "AUTH_REALM=My Realm" -e B_C=d registry', "AUTH_REALM", "My Realm"),
    ],
)  # fmt: skip
def test_a_setting_is_read(name: str, text: str, key: str, value: str) -> None:
    assert table(name, text)[key] == value


def test_the_data_of_a_secret_is_decoded() -> None:
    coded = base64.b64encode(b"madeup-token\n").decode()
    text = f"apiVersion: v1\nkind: Secret\ndata:\n  token: {coded}\n"
    assert table("secret.yaml", text)["data.token"] == "madeup-token\n"


def test_a_line_is_where_the_setting_stands() -> None:
    found = read("a.yml", "a:\n  b: 1\n---\nc:\n  d: 2\n").settings
    assert [(s.key, s.source.line) for s in found] == [("a.b", 2), ("c.d", 5)]


def test_what_is_a_credential_is_hidden() -> None:
    for setting in read(".env", "DB_PASSWORD=hunter-two\nNAME=x\n").settings:
        assert ("hunter" in repr(setting)) is False


@pytest.mark.parametrize(
    ("name", "text", "respect", "value"),
    [
        ("application.yml", "spring:\n  security:\n    oauth2:\n      resourceserver:\n        jwt:\n          issuer-uri: https://id.example/\n", "issuer", "https://id.example/"),
        ("appsettings.json", '{"Jwt": {"ValidAudience": "api://x"}}', "audience", "api://x"),
        (".env", "COOKIE_DOMAIN=192.0.2.1\n", "cookie-domain", "192.0.2.1"),
        ("grafana.ini", "[auth.proxy]\nheader_name = X-USER\n", "field", "X-USER"),
        (".env", "SESSION_SECURE_COOKIE=true\n", "cookie-secure", "true"),
        ("c.yml", "http:\n  ip_ban_enabled: true\n", "attempts", "true"),
        ("settings.py", "AXES_FAILURE_LIMIT = 3\n", "attempts", "3"),
    ],
)  # fmt: skip
def test_a_well_known_key_is_a_demand(name: str, text: str, respect: str, value: str) -> None:
    assert (respect, value) in [(d.respect, d.value) for d in read(name, text).demands]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pom.xml", "<dependency><scope>test</scope></dependency>"),
        ("a.json", '{"options": {"ValidateAudience": "false"}}'),
        ("a.json", '{"port": 1, "name": "issue tracker"}'),
    ],
)
def test_a_near_miss_is_no_demand(name: str, text: str) -> None:
    assert read(name, text).demands == ()


def test_an_answer_is_no_settings() -> None:
    assert not settings.sniff("response.json", '{"code": "rest_forbidden", "message": "no"}')
    assert not settings.sniff("x.json", '{"error": {"code": 401}}')


@pytest.mark.parametrize(
    ("name", "text", "scheme", "user", "value"),
    [
        (".npmrc", "//npm.example.com/:_authToken=npm_madeup\n", "Bearer", None, "npm_madeup"),
        ("config.json", '{"auths": {"r.example.com": {"auth": "bWU6bWFkZXVw"}}}', "Basic", "me", "bWU6bWFkZXVw"),
        (".pypirc", "[pypi]\nusername = me\npassword = madeup-one\n", None, "me", "madeup-one"),
        ("settings.xml", "<servers><server><id>r</id>\n<username>me</username>\n<password>madeup</password></server></servers>", None, "me", "madeup"),
        ("pip.conf", "[global]\nindex-url = https://me:madeup@pypi.example.com/simple\n", "Basic", "me", "madeup"),
        ("t.yml", "headers:\n  Authorization: Token madeup\n", "Token", None, "madeup"),
    ],
)  # fmt: skip
def test_settings_offer_credentials(
    name: str, text: str, scheme: str | None, user: str | None, value: str
) -> None:
    found = [(o.scheme, o.user, o.value.reveal() if o.value else "") for o in read(name, text).offers]
    assert (scheme, user, value) in found


@pytest.mark.parametrize(
    ("text", "user"),
    [
        ("machine api.example.com login me password madeup", "me"),
        ('credentials += Credentials("Realm", "repo.example.com", "me", "madeup")', "me"),
        ("https://me:madeup@git.example.com\n", "me"),
        ("credentials {\n  username = 'me'\n  password = 'madeup'\n}", "me"),
    ],
)
def test_files_of_clients_offer_credentials(text: str, user: str) -> None:
    assert client_config.sniff("x", text)
    (offer,) = client_config.read(text, Source("x")).offers
    assert offer.user == user
    assert offer.value is not None
    assert offer.value.reveal() == "madeup"


@pytest.mark.parametrize("name", ["a.yml", "a.json", "a.xml", ".env", "a.php", "message.txt", "x.tf"])
@given(st.text(max_size=300) | st.text(alphabet="{}[]<>/=\"':- \nab,#|&*", max_size=200))
def test_any_text_is_read_without_an_error(name: str, text: str) -> None:
    settings.read(text, Source(name))
    client_config.read(text, Source(name))


def test_an_assignment_of_a_program_is_no_setting() -> None:
    text = 'client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);\n'
    found = settings.read(text, Source("A.cs"))
    assert found.settings == ()
    assert found.changes == ()
