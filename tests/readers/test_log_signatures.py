# ruff: noqa: E501  (log lines: one a line, however long)
"""What the messages of logs mean: lines that tell, and like lines that do not."""

from __future__ import annotations

import pytest

from why401.evidence import Evidence, Source, Text
from why401.signatures import match

IIS = "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus sc-win32-status time-taken\n"


def iis(*endings: str) -> str:
    lines = [
        f"2024-05-06 07:08:09 10.0.0.5 GET /app - 443 - 10.0.0.9 curl/8 {ending} 12\n" for ending in endings
    ]
    return IIS + "".join(lines)


def apache(words: str, level: str = "error") -> str:
    return f"[Mon May 06 12:00:00.1 2024] [auth:{level}] [pid 1] [client 10.0.0.1:5] {words}\n"


def found(text: str) -> set[str]:
    return {f.id for f in match(Evidence(texts=(Text(text, Source("x.log"), "log"),)))}


TELLING = {
    "apache-ah01842": apache("AH01842: decrypt session failed, wrong passphrase?"),
    "apache-ah01665": apache("(2)No such file or directory: AH01665: Could not open group file: /g"),
    "iis-log-challenge-not-answered": iis("401 2 5"),
    "iis-log-handshake-stops": iis("401 2 5", "401 1 2148074254"),
    "iis-log-logon-denied": iis("401 2 5", "401 1 2148074254", "401 1 2148074252"),
    "iis-log-disabled": iis("401 1 1331"),
    "iis-log-acl": iis("401 3 5"),
    "iis-log-rate": iis("401 501 0"),
    "haproxy-log-itself": '10.0.1.2:3 [06/Feb/2009:12:14:14.655] in app/<NOSRV> 0/-1/-1/-1/0 401 188 - - PR-- 1/1/0/0/0 0/0 "GET /x HTTP/1.1"\n',
    "haproxy-log-407": '10.0.1.2:3 [06/Feb/2009:12:14:14.655] in app/<NOSRV> 0/-1/-1/-1/0 407 188 - - PR-- 1/1/0/0/0 0/0 "GET /x HTTP/1.1"\n',
    "envoy-log-rbac": '[2020-11-25T21:26:18.409Z] "GET /x HTTP/1.1" 403 - rbac_access_denied_matched_policy[none] - "-" 0 19 3 - "-" "curl" "id" "h" "-"\n',
    "traefik-log-itself": '{"DownstreamStatus":401,"RequestMethod":"GET","RequestPath":"/x","RouterName":"web@docker"}\n',
    "registry-log-user": 'time="2024-05-06T07:08:09Z" level=error msg="error authenticating user \\"ann\\": authentication failure" go.version=go1\n',
    "rails-log-halted": "Filter chain halted as :authenticate_user! rendered or redirected\n",
    "spring-log-entry-point": "DEBUG Http403ForbiddenEntryPoint : Pre-authenticated entry point called. Rejecting access\n",
    "tomcat-log-access-control": "FINE [exec-1] AuthenticatorBase.invoke Failed accessControl() test\n",
    "squid-log-407": "1286536309.432 92 10.0.0.2 TCP_DENIED_REPLY/407 3972 GET http://a/ - HIER_NONE/- text/html\n",
}  # fmt: skip

SOUND = {
    "apache-ah01757": apache("AH01757: generating secret for digest authentication", "notice"),
    "apache-ah02034": apache("AH02034: Initial (No.1) HTTPS request received for child 1 (server a)", "debug"),
    "iis-log-challenge-not-answered": iis("401 2 5", "401 1 1326"),
    "iis-log-handshake-stops": iis("401 2 5", "401 1 2148074254", "200 0 0"),
    "haproxy-log-itself": '10.0.1.2:3 [06/Feb/2009:12:14:14.655] in app/web1 0/0/0/3/3 401 188 - - ---- 1/1/0/0/0 0/0 "GET /x HTTP/1.1"\n',
    "traefik-log-itself": '{"DownstreamStatus":401,"OriginStatus":401,"RequestPath":"/x"}\n',
    "rails-log-halted": "Filter chain halted as :set_locale rendered or redirected\n",
    "registry-log-user": 'level=error msg="error authenticating user"\n',
}  # fmt: skip


@pytest.mark.parametrize(("name", "text"), TELLING.items(), ids=list(TELLING))
def test_a_line_that_tells(name: str, text: str) -> None:
    assert name in found(text)


@pytest.mark.parametrize(("name", "text"), SOUND.items(), ids=list(SOUND))
def test_a_line_that_does_not(name: str, text: str) -> None:
    assert name not in found(text)
