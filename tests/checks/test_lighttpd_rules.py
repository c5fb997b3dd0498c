"""Rules on lighttpd: each with a fault that it names by line, and a sound near-miss."""

from __future__ import annotations

import pytest

from tests.checks.code_cases import asked, given, line_of, linted
from why401.diffs import edited

LOGIN = "Basic YWxpY2U6d29uZGVybGFuZA=="  # alice
DIGEST = 'Digest username="alice", realm="Reports", nonce="n", uri="/reports/", response="0"'


def config(
    require: str = "valid-user", path: str = "/reports/", method: str = "basic", backend: str = "htpasswd"
) -> str:
    return (
        'server.modules = ( "mod_auth", "mod_authn_file" )\nserver.document-root = "/srv/www"\nserver.port = 80\n'
        f'auth.backend = "{backend}"\nauth.backend.{backend}.userfile = "/etc/lighttpd/users"\n'
        f'auth.require = (\n    "{path}" => (\n        "method" => "{method}",\n        "realm" => "Reports",\n'
        f'        "require" => "{require}"\n    )\n)\n'
    )


def refused(text: str, path: str = "/reports/", authorization: str = LOGIN) -> dict[str, object]:
    found = asked(given(lighttpd_dot_conf=text), path, Authorization=authorization)
    return {name: finding for name, finding in found.items() if name.startswith("lighttpd-")}


@pytest.mark.parametrize("authorization", [LOGIN, DIGEST])
def test_a_user_who_is_not_required(authorization: str) -> None:
    fault = config("user=bob|user=carol")
    found = asked(given(lighttpd_dot_conf=fault), "/reports/", Authorization=authorization)[
        "lighttpd-user-not-required"
    ]
    assert found.where.line == line_of(fault, "user=bob")
    assert '"user=bob|user=carol|user=alice"' in edited(found.edits[0].document, found.edits)


@pytest.mark.parametrize("require", ["valid-user", "user=alice", "user=bob|user=alice"])
def test_a_user_who_is_required(require: str) -> None:
    assert "lighttpd-user-not-required" not in refused(config(require))


def test_a_prefix_that_covers_more_than_its_folder() -> None:
    fault = config(path="/reports")
    found = asked(given(lighttpd_dot_conf=fault), "/reports-of-others.html")["lighttpd-prefix-too-wide"]
    assert found.where.line == line_of(fault, '"/reports"')
    assert found.opens == "/reports-of-others.html"
    assert '"/reports/" =>' in edited(found.edits[0].document, found.edits)


@pytest.mark.parametrize("path", ["/reports", "/reports/", "/reports/may.html", "/reports?month=5"])
def test_a_prefix_that_covers_what_is_meant(path: str) -> None:
    assert "lighttpd-prefix-too-wide" not in refused(config(path="/reports"), path)
    assert "lighttpd-prefix-too-wide" not in refused(config(path="/reports/"), "/reports/may.html")


def test_digest_with_a_backend_that_cannot() -> None:
    fault = config(method="digest")
    found = linted(lighttpd_dot_conf=fault)["lighttpd-digest-without-backend"]
    assert found.where.line == line_of(fault, '"digest"')
    assert linted(lighttpd_dot_conf=edited(found.edits[0].document, found.edits)) == {}
    assert linted(lighttpd_dot_conf=config(method="digest", backend="htdigest")) == {}
