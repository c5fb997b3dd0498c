"""Each rule of the family `platform`: evidence that triggers it, and a healthy near-miss that does not."""

from __future__ import annotations

import pytest

from why401 import signatures
from why401.checks import platform, platform_versions
from why401.evidence import Axis, Contrast, Evidence, Exchange, Fields, Request, Response, Source, Text

AT = Source("case")
SETTINGS = Text("hosts: [x]\nusername: shipper\npassword: made-up\n", Source("app.yml"), "settings", "yaml")


def exchange(sent: list[tuple[str, str]], status: int = 401, complete: bool = True) -> Exchange:
    fields = Fields.of([("Host", "search:9200"), ("User-Agent", "shipper/3"), *sent])
    return Exchange(1, Request("GET", "http://search:9200/", fields, complete=complete), Response(status), AT)


@pytest.mark.parametrize(
    ("request_", "text", "fires"),
    [
        (exchange([]), SETTINGS, True),
        (exchange([("Authorization", "Basic YTpi")]), SETTINGS, False),
        (exchange([], complete=False), SETTINGS, False),
        (exchange([], status=200), SETTINGS, False),
        (exchange([]), Text("username: <your_user>\npassword: changeme\n", AT, "settings"), False),
    ],
)
def test_configured_but_not_sent(request_: Exchange, text: Text, fires: bool) -> None:
    found = list(platform.configured_but_not_sent(Evidence((request_,), texts=(text,))))
    assert bool(found) is fires


def test_another_program_gets_in() -> None:
    other = Text(
        "$ curl -s -o /dev/null -w '%{http_code}' -u shipper:made-up search:9200\n200\n", AT, "terminal"
    )
    (found,) = platform.configured_but_not_sent(Evidence((exchange([]),), texts=(SETTINGS, other)))
    assert found.weights["software-bug"] > found.weights["client-config-not-loaded"]


@pytest.mark.parametrize(
    ("axis", "says", "cause"),
    [
        ("change", "with the plugin deactivated it works", "extension-conflict"),
        ("change", "since we restored the database", "database-changed"),
        ("version", "since the upgrade to 2.0", "upgrade-regression"),
        ("client", "works with the plugin of my editor", None),
        ("change", "since Monday", None),
    ],
)
def test_change_named(axis: Axis, says: str, cause: str | None) -> None:
    found = list(platform.change_named(Evidence(contrasts=(Contrast(axis, "", "", AT, says),))))
    assert [cause in f.weights for f in found] == [True] if cause else not found


@pytest.mark.parametrize(
    ("line", "fires"),
    [
        ("#3 /var/www/wp-content/plugins/gate/class-rest.php(12): Gate->rest_check()", True),
        ("PHP Notice: Undefined index in /var/www/wp-content/plugins/gallery/view.php", False),
        ("#3 /var/www/wp-includes/rest-api.php(12): rest_check()", False),
    ],
)
def test_refused_inside_extension(line: str, fires: bool) -> None:
    assert bool(list(platform.refused_inside_extension(Evidence(texts=(Text(line, AT, "log"),))))) is fires


def circumstances(words: str) -> set[str]:
    """The signatures that a sentence of a person sets off."""
    return {finding.id for finding in signatures.match(Evidence(texts=(Text(words, Source("message.txt")),)))}


@pytest.mark.parametrize(
    ("id_", "said", "near_miss"),
    [
        (
            "ext-deactivate",
            "With every plugin deactivated the REST API works.",
            "Without the app password it works.",
        ),
        (
            "ext-since-install",
            "Since I installed the extension it is 401.",
            "Since I installed the update it is 401.",
        ),
        ("up-began", "It began with the upgrade to 2.1.", "I updated the password, since then 401."),
        ("up-downgrade", "Downgrading to 1.4 fixes it.", "The downgrade page is refused."),
        ("up-since-product", "401 since Magento 2.4.6.", "401 since 10.0.0.5 is used."),
        ("db-migrated", "We restored the database last night.", "I copied the token from the page."),
        ("db-migrated", "Moved the site to a new host.", "git clone https://git.example.com/shop.git"),
        ("db-crashed", "Table './a/b' is marked as crashed", "The table shows 401."),
        ("bug-words", "This is a known issue, fixed in 1.2.", "I fixed the path in the file."),
        ("bug-paging", "GET /a?page=1 200\nGET /a?page=2 401", "GET /a?page=1 401\nGET /b 200"),
        ("old-password-works", "The old password still works.", "The first one works, the second fails."),
        ("simple-password-works", "A simple password works.", "A simple GET works."),
        (
            "direct-works-said",
            "Directly on port 8080 it works, behind nginx not.",
            "Calling it directly with curl works.",
        ),
        ("everybody-fails", "Nobody can log in since Monday.", "One user cannot log in."),
        (
            "mangled-compose-warning",
            'The "apr1" variable is not set. Defaulting to a blank string, hash',
            "apr1 is a hash",
        ),
        ("disabled-words", "The REST API is disabled.", "The account is disabled."),
        ("layer-joined", "Authorization: Basic YTpi, Bearer x.y.z", "Authorization: Basic YTpi"),
        (
            "registry-htpasswd-nb",
            "htpasswd -nb a b > auth; registry:2",
            "htpasswd -Bnb a b > auth; registry:2",
        ),
        (
            "exturl-metadata-local",
            'https://a.example.com resource_metadata="http://localhost:3/x"',
            "localhost",
        ),
    ],
)
def test_circumstances(id_: str, said: str, near_miss: str) -> None:
    assert id_ in circumstances(said)
    assert id_ not in circumstances(near_miss)


@pytest.mark.parametrize(
    ("words", "fires"),
    [
        ("2.3.1: fine. 2.4.0: 401 for every call.", True),
        ("1.8 works, 1.9 -> 401", True),
        ("4.x cameras ok. 5.x: one is gone.", True),
        ("1.8 works, 1.9 works", False),
        ("https://a.example/v1.0/x - OK\nhttps://a.example/v2.0/x - 401", False),
        ("10.0.0.7 works, 10.0.0.8 -> 401", False),
    ],
)
def test_versions_apart(words: str, fires: bool) -> None:
    found = list(platform_versions.versions_apart(Evidence(texts=(Text(words, AT),))))
    assert bool(found) is fires


@pytest.mark.parametrize(
    ("words", "fires"),
    [
        ("It was fine through 8.2, now 8.4 is installed.", True),
        ("We updated from 3.1 last night.", True),
        ("Updated to the latest release, then 401.", True),
        ("The token was updated this morning.", False),
        ("It works on port 8080.", False),
    ],
)
def test_upgrade_told(words: str, fires: bool) -> None:
    found = list(platform_versions.upgrade_told(Evidence(texts=(Text(words, AT),))))
    assert bool(found) is fires


@pytest.mark.parametrize(("second", "fires"), [("401", True), ("200", False)])
def test_same_command_other_version(second: str, fires: bool) -> None:
    text = Text(f"fetcher 2.1.0\n200\nfetcher 2.2.0\n{second}\n", AT, "terminal")
    found = list(platform_versions.same_command_other_version(Evidence(texts=(text,))))
    assert bool(found) is fires


@pytest.mark.parametrize(("new", "fires"), [("5.0.1", True), ("4.1.0", False)])
def test_version_raised_in_diff(new: str, fires: bool) -> None:
    text = Text(f"-http-client==4.1.0\n+http-client=={new}\n", AT)
    found = list(platform_versions.version_raised_in_diff(Evidence(texts=(text,))))
    assert bool(found) is fires


@pytest.mark.parametrize(("good", "fires"), [([("WWW-Authenticate", 'Basic realm="x"')], True), ([], False)])
def test_challenge_on_the_wrong_answer(good: list[tuple[str, str]], fires: bool) -> None:
    url = "http://dev:9696/api"
    well = Exchange(1, Request("GET", url), Response(200, "", Fields.of(good)), AT)
    ill = Exchange(2, Request("GET", url), Response(401), AT)
    found = list(platform.challenge_on_the_wrong_answer(Evidence((well, ill))))
    assert bool(found) is fires
