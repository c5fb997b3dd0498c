"""Each rule of the family `platform`: evidence that triggers it, and a healthy near-miss that does not."""

from __future__ import annotations

import pytest

from why401.checks import platform
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
