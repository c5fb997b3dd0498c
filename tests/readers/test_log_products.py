# ruff: noqa: E501  (a table of lines: one a line, however long)
"""Lines of products' error and application logs, as their documentation and their sources write them."""

from __future__ import annotations

import base64
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import servers
from why401.evidence import Record, Source
from why401.readers import access_logs, app_logs

UUID = "2a1f3b58-0f3e-4a52-9b59-2f8a1c5d7e90"
LINES = {
    "nginx": ('2024/05/06 07:08:09 [error] 7#7: *7 user "ann" was not found in "/etc/nginx/.htpasswd", client: 10.1.1.1, server: a.example, request: "GET /p HTTP/1.1", host: "a.example"',
        {"hop": "nginx", "user": "ann", "path": "/p", "method": "GET", "address": "10.1.1.1", "level": "error", "message": 'user "ann" was not found in "/etc/nginx/.htpasswd"'}),
    "nginx with upstream": ('2024/05/06 07:08:09 [error] 7#7: *9 auth request unexpected status: 404 while sending to client, client: 2001:db8::1, server: _, request: "GET /x HTTP/2.0", subrequest: "/auth", upstream: "http://127.0.0.1:9/", host: "b"',
        {"hop": "nginx", "address": "2001:db8::1", "path": "/x", "message": "auth request unexpected status: 404 while sending to client"}),
    "apache password": ('[Thu Oct 29 11:10:15.887068 2020] [auth_basic:error] [pid 1:tid 2] [client 10.1.2.3:5] AH01617: user ann: authentication failure for "/x": Password Mismatch, referer: http://r/',
        {"hop": "Apache httpd", "user": "ann", "path": "/x", "address": "10.1.2.3", "level": "error", "message": 'AH01617: user ann: authentication failure for "/x": Password Mismatch'}),
    "apache with an errno": ("[Thu Oct 29 11:10:15.887068 2020] [authn_file:error] [pid 1] (13)Permission denied: [client ::1:5] AH01620: Could not open password file: /etc/p",
        {"hop": "Apache httpd", "address": "::1", "message": "AH01620: Could not open password file: /etc/p", "path": None}),
    "apache denies a file": ("[Thu Oct 29 11:10:15.887068 2020] [authz_core:error] [pid 1] [client 10.1.2.3:5] AH01630: client denied by server configuration: /var/www/x",
        {"hop": "Apache httpd", "path": None}),
    "apache denies a uri": ("[Thu Oct 29 11:10:15.887068 2020] [authz_core:error] [pid 1] [client 10.1.2.3:5] AH01630: client denied by server configuration: uri /status",
        {"hop": "Apache httpd", "path": "/status"}),
    "apache digest": ("[Thu Oct 29 11:10:15.887068 2020] [auth_digest:error] [pid 1] [client 10.1.2.3:5] AH01790: user `bob' in realm `old' not found: /d/",
        {"user": "bob", "path": "/d/"}),
    "apache 2.2": ("[Thu Oct 29 11:10:15 2009] [error] [client 10.1.2.3] user ann not found: /x", {"hop": "Apache httpd", "user": "ann", "path": "/x", "address": "10.1.2.3"}),
    "haproxy itself": ('haproxy[9]: 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in app/<NOSRV> 0/-1/-1/-1/0 401 188 - - PR-- 1/1/0/0/0 0/0 "GET /index.html HTTP/1.1"', {"hop": "HAProxy", "status": 401, "path": "/index.html"}),
    "squid": ("1286536309.432     92 192.168.0.224 TCP_DENIED/407 3972 CONNECT www.example.com:443 - HIER_NONE/- text/html", {"hop": "Squid", "status": 407}),
    "caddy": ('{"level":"error","ts":1646861401.5241,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"127.0.0.1","method":"GET","uri":"/y"},"status":401}', {"hop": "Caddy", "status": 401, "message": "handled request"}),
    "traefik clf": ('10.0.0.1 - - [06/May/2024:07:08:09 +0000] "GET /x HTTP/1.1" 401 17 "-" "-" 12 "web@docker" "-" 0ms', {"hop": "Traefik", "status": 401}),
    "envoy": (f'[2016-04-15T20:17:00.310Z] "POST /api/v1/locations HTTP/2" 401 UAEX 154 0 226 100 "10.0.35.28" "curl/8" "{UUID}" "locations" "-"', {"hop": "Envoy", "status": 401, "agent": "curl/8", "path": "/api/v1/locations"}),
    "istio": (f'[2020-11-25T21:26:18.409Z] "GET /status/418 HTTP/1.1" 403 - rbac_access_denied_matched_policy[none] - "-" 0 19 3 - "-" "curl/7.73.0-DEV" "{UUID}" "httpbin:8000" "-" inbound|80||', {"hop": "Envoy", "status": 403, "agent": "curl/7.73.0-DEV"}),
    "envoy json": ('{"start_time":"2024-05-06T07:08:09.1Z","method":"GET","path":"/x","response_code":401,"response_flags":"UAEX","response_code_details":"ext_authz_denied"}', {"hop": "Envoy", "status": 401, "message": "ext_authz_denied"}),
    "registry": ('time="2024-05-06T07:08:09Z" level=warning msg="error authorizing context: basic authentication challenge for realm \\"Registry Realm\\": invalid authorization credential" go.version=go1.20 http.request.host="r:5000" http.request.method=GET http.request.remoteaddr="172.17.0.1:5000" http.request.uri="/v2/" http.request.useragent="docker/24"',
        {"hop": "Docker registry", "path": "/v2/", "address": "172.17.0.1", "level": "warning"}),
    "kube-apiserver": ('E0506 07:08:09.000001       1 authentication.go:63] "Unable to authenticate the request" err="[invalid bearer token]"', {"hop": "kube-apiserver", "level": "error"}),
    "kube-apiserver http": ('I0506 07:08:09.000001       1 httplog.go:132] "HTTP" verb="GET" URI="/api/v1" latency="1ms" userAgent="curl" audit-ID="a" srcIP="10.0.0.1:5" resp=401', {"hop": "kube-apiserver", "status": 401, "path": "/api/v1", "address": "10.0.0.1"}),
    "oauth2-proxy": (f'10.0.0.1:4242 - {UUID} - ann@example.com [2015/03/19 17:20:19] app.example GET - "/path/" HTTP/1.1 "Mozilla/5.0" 401 12 0.001', {"hop": "oauth2-proxy", "status": 401, "user": "ann@example.com", "path": "/path/"}),
    "oauth2-proxy auth": (f"10.0.0.1:4242 - {UUID} - ann@example.com [2015/03/19 17:20:19] [AuthFailure] Invalid authentication via OAuth2: unauthorized", {"hop": "oauth2-proxy", "user": "ann@example.com"}),
    "php-fpm": ('[06-May-2024 07:08:09] WARNING: [pool www] child 7 said into stderr: "no Authorization"', {"hop": "PHP-FPM", "level": "warning"}),
    "php-fpm access": ('127.0.0.1 -  06/May/2024:07:08:09 +0000 "GET /index.php" 401', {"status": 401, "address": "127.0.0.1", "path": "/index.php"}),
    "tomcat": ("06-May-2024 07:08:09.678 FINE [http-nio-8080-exec-1] org.apache.catalina.authenticator.AuthenticatorBase.invoke Security checking request GET /x", {"hop": "Tomcat", "level": "debug"}),
    "spring": ("2024-05-06 07:08:09.678 DEBUG 1 --- [nio-8080-exec-1] o.s.s.w.a.Http403ForbiddenEntryPoint     : Pre-authenticated entry point called. Rejecting access", {"hop": "Spring", "level": "debug"}),
    "django": ("Unauthorized: /api/me/", {"hop": "Django", "path": "/api/me/", "message": "Unauthorized: /api/me/"}),
    "django csrf": ("WARNING 2024-05-06 07:08:09 log Forbidden (CSRF token missing.): /login/", {"hop": "Django", "path": "/login/", "level": "warning"}),
    "laravel": ("[2024-05-06 07:08:09] production.ERROR: Unauthenticated. ", {"hop": "Laravel", "level": "error"}),
    "asp.net 8": ("info: Microsoft.AspNetCore.Hosting.Diagnostics[2]\n      Request finished HTTP/1.1 GET http://localhost:5000/x - 401 0 - 1.2ms", {"status": 401, "path": "http://localhost:5000/x"}),
    "pino": ('{"level":30,"time":1531171074631,"pid":657,"hostname":"x","req":{"id":1,"method":"GET","url":"/p","remoteAddress":"::1"},"res":{"statusCode":401},"msg":"request completed"}', {"hop": "pino", "status": 401, "level": "info", "path": "/p"}),
}  # fmt: skip


def records(text: str) -> tuple[Record, ...]:
    """What both readers make of a log."""
    source = Source("x.log")
    return sum((r.read(text, source).records for r in (access_logs, app_logs) if r.sniff("x.log", text)), ())


@pytest.mark.parametrize(("line", "expected"), LINES.values(), ids=list(LINES))
def test_a_line_of_a_product(line: str, expected: dict[str, object]) -> None:
    found = records(line + "\n")
    telling = [r for r in found if r.status is not None] or list(found)
    assert {name: getattr(telling[0], name) for name in expected} == expected


def test_the_message_of_asp_net_stands_on_the_second_line() -> None:
    (record,) = records(
        "info: Microsoft.AspNetCore.Authentication.JwtBearer.JwtBearerHandler[1]\n      Failed to validate the token.\n"
    )
    assert (record.hop, record.level) == ("ASP.NET Core", "info")
    assert record.message.endswith("Failed to validate the token.")


def test_requests_of_rails_that_run_side_by_side_are_kept_apart() -> None:
    one, two = f"[{UUID}]", f"[{UUID[::-1]}]"
    text = (
        f'{one} Started GET "/a" for 10.0.0.1 at 2024-05-06 07:08:09 +0000\n'
        f'{two} Started POST "/b" for 10.0.0.2 at 2024-05-06 07:08:09 +0000\n'
        f"{one} Filter chain halted as :authenticate_user! rendered or redirected\n"
        f"{one} Completed 401 Unauthorized in 1ms\n"
        f"{two} Completed 200 OK in 5ms\n"
    )
    found = {r.path: r for r in records(text) if r.status}
    assert (found["/a"].status, found["/a"].message) == (
        401,
        "Filter chain halted as :authenticate_user! rendered or redirected",
    )
    assert (found["/b"].status, found["/b"].address) == (200, "10.0.0.2")


def test_the_substatus_of_iis_is_the_message() -> None:
    text = (
        "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus sc-win32-status time-taken\n"
        "2024-05-06 07:08:09 10.0.0.5 GET /app - 443 - 10.0.0.9 curl/8 401 1 1326 12\n"
        "2024-05-06 07:08:10 10.0.0.5 GET /app - 443 ann 10.0.0.9 curl/8 200 0 0 14\n"
    )
    refused, good = records(text)
    assert (refused.hop, refused.message) == ("IIS", "401.1, Windows 1326 (wrong user name or password)")
    assert good.message == ""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the servers' own users may read; pytest's lies below one that only root may enter."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def ask(url: str, *, user: str = "") -> None:
    request = urllib.request.Request(url)
    if user:
        request.add_header("Authorization", "Basic " + base64.b64encode(user.encode()).decode())
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=5)
    assert caught.value.code == 401


def test_the_logs_of_a_real_nginx(folder: Path) -> None:
    (folder / "pw").write_text("ann:{PLAIN}right\n")
    with servers.nginx(folder, f"auth_basic a; auth_basic_user_file {folder}/pw;") as url:
        ask(url, user="ann:wrong")
        ask(url, user="bob:any")
    told = [r for r in records((folder / "error.log").read_text()) if r.path == "/index.html"]
    assert [(r.hop, r.user, r.method, r.address) for r in told[-2:]] == [
        ("nginx", "ann", "GET", "127.0.0.1"),
        ("nginx", "bob", "GET", "127.0.0.1"),
    ]
    assert told[-2].message == 'user "ann": password mismatch'
    access = [r for r in records((folder / "access.log").read_text()) if r.user == "bob"]
    assert [(r.status, r.path) for r in access] == [(401, "/index.html")]


def test_the_log_of_a_real_apache(folder: Path) -> None:
    (folder / "pw").write_text("ann:{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=\n")
    (folder / "pw").chmod(0o644)
    directives = f"AuthType Basic\nAuthName a\nAuthUserFile {folder}/pw\nRequire user zoe"
    with servers.apache(folder, directives) as url:
        ask(url, user="ann:wrong")
        ask(url, user="bob:any")
        ask(url, user="ann:myPassword")
    found = [r for r in records((folder / "error.log").read_text()) if r.message.startswith("AH016")]
    codes = {r.message[:7]: (r.hop, r.user, r.path, r.address, r.level) for r in found}
    who = ("/index.html", "127.0.0.1", "error")
    assert codes["AH01617"] == ("Apache httpd", "ann", *who)
    assert codes["AH01618"] == ("Apache httpd", "bob", *who)
    assert codes["AH01631"] == ("Apache httpd", "ann", *who)
