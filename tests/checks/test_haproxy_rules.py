"""Rules on HAProxy: each with a fault that it names by line, and a sound near-miss."""

from __future__ import annotations

import pytest

from tests.checks.code_cases import asked, given, line_of, linted
from why401.diffs import edited
from why401.layers.haproxy import HAProxy

LOGIN = "Basic YWxpY2U6d29uZGVybGFuZA=="
HEAD = """global
    maxconn 100
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
userlist staff
    user alice insecure-password wonderland
"""
DROP = "    http-request del-header Authorization"
ASK = "    http-request auth realm shop unless { http_auth(staff) }"


def config(*lines: str) -> str:
    return (
        HEAD
        + "\n".join(("frontend web", "    bind :80", *lines, "    default_backend app"))
        + ("\nbackend app\n    server one 127.0.0.1:8000\n")
    )


def test_field_dropped_before_it_is_read() -> None:
    fault = config(DROP, ASK)
    found = linted(haproxy_dot_cfg=fault)["haproxy-dropped-before-login"]
    assert found.where.line == line_of(fault, DROP)
    mended = edited(found.edits[0].document, found.edits)
    assert mended.index(ASK) < mended.index(DROP)
    assert linted(haproxy_dot_cfg=mended) == {}


def test_field_dropped_in_the_frontend_and_read_in_the_backend() -> None:
    fault = config(DROP) + ASK + "\n"
    assert linted(haproxy_dot_cfg=fault)["haproxy-dropped-before-login"].where.line == line_of(fault, DROP)
    sound = config(ASK) + DROP + "\n"  # the application has no use for the login
    assert linted(haproxy_dot_cfg=sound) == {}


def test_field_dropped_under_a_condition() -> None:
    assert linted(haproxy_dot_cfg=config(DROP + " if { path_beg /open }", ASK)) == {}
    assert linted(haproxy_dot_cfg=config("    http-request del-header X-Authorization", ASK)) == {}


def test_refused_without_a_challenge() -> None:
    deny = "    http-request deny deny_status 401 unless { http_auth(staff) }"
    fault = config(deny)
    found = asked(given(haproxy_dot_cfg=fault), "/")["haproxy-denied-without-challenge"]
    assert found.where.line == line_of(fault, deny)
    assert "    http-request auth unless { http_auth(staff) }" in edited(found.edits[0].document, found.edits)
    slug = "haproxy-denied-without-challenge"
    assert slug not in asked(given(haproxy_dot_cfg=fault), "/", Authorization=LOGIN)
    assert slug not in asked(given(haproxy_dot_cfg=config(ASK)), "/")
    assert slug not in asked(given(haproxy_dot_cfg=fault), "/", status=403)


def test_refused_by_a_rate() -> None:
    table = (
        "    stick-table type ip size 10k expire 30s store http_req_rate(10s)\n    http-request track-sc0 src"
    )
    deny = "    http-request deny deny_status 403 if { sc_http_req_rate(0) gt 20 }"
    fault = config(table, deny)
    found = asked(given(haproxy_dot_cfg=fault), "/", status=403)["haproxy-refused-by-rate"]
    assert found.where.line == line_of(fault, deny)
    sound = given(haproxy_dot_cfg=config(table, deny.replace("403", "429")))
    assert "haproxy-refused-by-rate" not in asked(sound, "/", status=403)
    assert "haproxy-refused-by-rate" not in asked(given(haproxy_dot_cfg=config(table)), "/", status=403)


@pytest.mark.parametrize("written", ['"wonder#land"', r"wonder\ land", r"wonder\#land", '"won"derland'])
@pytest.mark.parametrize("comment", ["", " # since June", "#june"])
def test_passwords_with_marks_and_comments(written: str, comment: str) -> None:
    text = config(ASK).replace("wonderland", written + comment)
    (layer,) = given(haproxy_dot_cfg=text).layers
    assert isinstance(layer, HAProxy)
    (account,) = layer.accounts(layer.routes()[0]) or ()
    assert account.stored.reveal() == written.replace('"', "").replace("\\", "")
