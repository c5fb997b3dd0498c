"""Cookies that a browser or a jar lists, and Paths that a proxy changes under them."""

from __future__ import annotations

import pytest

from why401 import checks
from why401.evidence import Evidence, Source, Text

TABLE = "Name      Path      Value\n{}\n\nlogged out at once, 401"
JAR = "# Netscape HTTP Cookie File\n{}"
NGINX = "location {} {{\n  proxy_pass http://tomcat:8080{};\n{}}}"


def found(*texts: str) -> set[str]:
    evidence = Evidence(texts=tuple(Text(text, Source(f"text-{n}")) for n, text in enumerate(texts)))
    return {finding.id for finding in checks.run(evidence)}


@pytest.mark.parametrize(
    ("rule", "bad", "good"),
    [
        (
            "cookie-listed-twice",
            TABLE.format("sessionid   /app/api   aaa\nsessionid   /app   bbb"),
            TABLE.format("sessionid   /one   aaa\nsessionid   /two   bbb"),
        ),
        (
            "cookie-listed-twice",
            TABLE.format("sessionid   /app/api   aaa\nsessionid   /app   bbb"),
            TABLE.format("theme   /app/api   aaa\ntheme   /app   bbb"),
        ),
        (
            "cookie-listed-twice",
            JAR.format(
                ".a.example\tTRUE\t/\tFALSE\t0\tsid\tx\n#HttpOnly_www.a.example\tFALSE\t/\tFALSE\t0\tsid\ty"
            ),
            JAR.format("b.example\tFALSE\t/\tFALSE\t0\tsid\tx\nwww.a.example\tFALSE\t/\tFALSE\t0\tsid\ty"),
        ),
        (
            "cookie-path-behind-proxy",
            NGINX.format("/", "/shop/", "") + "\nJSESSIONID is set, then 401",
            NGINX.format("/", "/shop/", "  proxy_cookie_path /shop/ /;\n") + "\nJSESSIONID is set, then 401",
        ),
        (
            "cookie-path-behind-proxy",
            NGINX.format("/public/", "/", "") + "\nSet-Cookie: sessionid=x; Path=/inner\n401",
            NGINX.format("/inner/", "/", "") + "\nSet-Cookie: sessionid=x; Path=/inner\n401",
        ),
    ],
)
def test_listing(rule: str, bad: str, good: str) -> None:
    assert rule in found(bad)
    assert rule not in found(good)
