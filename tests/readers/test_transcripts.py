"""What tools print of the requests they send."""

# A table of patterns or samples is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import pytest
from hypothesis import given

from tests.readers.reading import ANYTHING, told
from why401.evidence import Evidence, Source
from why401.readers import curl_commands, transcripts
from why401.secret import Secret


def read(text: str) -> Evidence:
    return told(transcripts, text)


OKHTTP = """D/OkHttp: --> POST https://api.example.com/login http/1.1
D/OkHttp: Content-Type: application/json
D/OkHttp: Authorization: ██
D/OkHttp: 
D/OkHttp: {"user":"ann"}
D/OkHttp: --> END POST (14-byte body)
D/OkHttp: <-- 401 Unauthorized https://api.example.com/login (120ms)
D/OkHttp: www-authenticate: Bearer realm="api"
D/OkHttp: 
D/OkHttp: {"error":"x"}
D/OkHttp: <-- END HTTP (13-byte body)
"""
GIT = """12:00:00.123460 http.c:768              => Send header: GET /a/b.git/info/refs HTTP/2
12:00:00.123461 http.c:768              => Send header: Host: git.example.com
12:00:00.123461 http.c:768              => Send header: Authorization: Basic <redacted>
12:00:00.123464 http.c:768              => Send header:
12:00:00.223464 http.c:768              <= Recv header: HTTP/2 401
12:00:00.223464 http.c:768              <= Recv header: www-authenticate: Basic realm="git"
12:00:00.223464 http.c:768              == Info: Connection #0 left intact
"""
TRACE = """== Info: Connected to h
=> Send header, 83 bytes (0x53)
0000: GET /private HTTP/1.1
0017: Host: h.example.com
002a: Authorization: Basic YTpi
0050: 
<= Recv header, 27 bytes (0x1b)
0000: HTTP/1.1 401 Unauthorized
<= Recv header, 36 bytes (0x24)
0000: WWW-Authenticate: Basic realm="x"
"""
PYTHON = r"""send: b'GET /me HTTP/1.1\r\nHost: h.example.com\r\nAuthorization: Basic YTpi\r\n\r\n'
reply: 'HTTP/1.1 401 Unauthorized\r\n'
header: WWW-Authenticate: Basic realm="x"
"""
APACHE = """10:00:00,123 DEBUG [main] org.apache.http.headers - http-outgoing-0 >> GET /x HTTP/1.1
10:00:00,123 DEBUG [main] org.apache.http.headers - http-outgoing-0 >> Authorization: Basic YTpi
10:00:00,323 DEBUG [main] org.apache.http.headers - http-outgoing-0 << HTTP/1.1 401 Unauthorized
10:00:00,323 DEBUG [main] org.apache.http.headers - http-outgoing-0 << WWW-Authenticate: Basic realm="x"
"""
WIRE = """[DEBUG] wire - http-outgoing-0 >> "GET /x HTTP/1.1[\\r][\\n]"
[DEBUG] wire - http-outgoing-0 >> "Authorization: Basic YTpi[\\r][\\n]"
[DEBUG] wire - http-outgoing-0 >> "[\\r][\\n]"
[DEBUG] wire - http-outgoing-0 << "HTTP/1.1 401 Unauthorized[\\r][\\n]"
[DEBUG] wire - http-outgoing-0 << "WWW-Authenticate: Basic realm="x"[\\r][\\n]"
"""
WGET = """---request begin---
GET /f HTTP/1.1
Host: h.example.com
Authorization: Basic YTpi

---request end---
HTTP request sent, awaiting response...
---response begin---
HTTP/1.1 401 Unauthorized
WWW-Authenticate: Basic realm="x"

---response end---
"""
JAVA = """FINE: sun.net.www.MessageHeader@1b2c pairs: {GET /x HTTP/1.1: null}{Host: h}{Authorization: Basic YTpi}
FINE: sun.net.www.MessageHeader@3c4d pairs: {null: HTTP/1.1 401 Unauthorized}{WWW-Authenticate: Basic realm="x"}
"""
VERBOSE = """* Connected to h.example.com (192.0.2.1) port 443
* Server auth using Basic with user 'a'
> GET /private HTTP/1.1
> Host: h.example.com
> Authorization: Basic YTpi
>
< HTTP/1.1 401 Unauthorized
< WWW-Authenticate: Basic realm="x"
<
{ [12 bytes data]
* Connection #0 to host h.example.com left intact
"""


@pytest.mark.parametrize("text", [TRACE, PYTHON, APACHE, WIRE, WGET, JAVA, VERBOSE])
def test_one_request_and_its_refusal(text: str) -> None:
    evidence = read(text)
    (exchange,) = evidence.exchanges
    assert (exchange.request.method, exchange.status) == ("GET", 401)
    assert [(o.scheme, o.user, o.value) for o in evidence.offers] == [("Basic", "a", Secret("YTpi"))]
    assert ("realm", "x") in [(d.respect, d.value) for d in evidence.demands]


@pytest.mark.parametrize(("text", "scheme"), [(OKHTTP, None), (GIT, "Basic")])
def test_redacted_is_present_but_unknown(text: str, scheme: str | None) -> None:
    (offer,) = read(text).offers
    assert (offer.scheme, offer.value) == (scheme, None)


def test_okhttp_bodies() -> None:
    (exchange,) = read(OKHTTP).exchanges
    assert exchange.request.body == '{"user":"ann"}'
    assert exchange.response is not None
    assert exchange.response.body == '{"error":"x"}'


def test_okhttp_with_a_logger_of_its_own() -> None:
    text = (
        "2018-10-04 21:44:39 2781 [HttpClient] --> PROPFIND https://h.example.com/dav/ h2\n"
        "2018-10-04 21:44:40 2781 [HttpClient] <-- 401 https://h.example.com/dav/ (212ms)\n"
        '2018-10-04 21:44:40 2781 [HttpClient] www-authenticate: Basic realm="x"\n'
    )
    (exchange,) = read(text).exchanges
    assert (exchange.request.method, exchange.status) == ("PROPFIND", 401)
    assert not exchange.request.complete


def test_redirect_to_another_host() -> None:
    text = (
        "$ curl -vL -u a:b http://h.example.com/x\n> GET /x HTTP/1.1\n> Host: h.example.com\n> Authorization: Basic YTpi\n>\n"
        "< HTTP/1.1 301 Moved\n< Location: https://i.example.com/x\n<\n* Issue another request to this URL: 'https://i.example.com/x'\n"
        "> GET /x HTTP/1.1\n> Host: i.example.com\n>\n< HTTP/1.1 401 Unauthorized\n<\n"
    )
    evidence = told(curl_commands, text)
    assert [x.request.url for x in evidence.exchanges] == [
        "http://h.example.com/x",
        "https://i.example.com/x",
    ]
    assert [o.exchange for o in evidence.offers] == [1]  # the credentials were dropped on the way
    assert evidence.exchanges[1].request.complete


def test_proxy_tunnel_and_request_are_two() -> None:
    text = (
        "$ curl -v -x http://p:3128 https://h/x\n> CONNECT h:443 HTTP/1.1\n> Host: h:443\n>\n"
        '< HTTP/1.1 407 Proxy Authentication Required\n< Proxy-Authenticate: Basic realm="p"\n<\n'
    )
    evidence = told(curl_commands, text)
    assert [(x.request.method, x.status) for x in evidence.exchanges] == [("CONNECT", 407), ("GET", None)]
    assert evidence.demands[0].hop == "proxy"


def test_quotes_and_bullets_are_no_transcript() -> None:
    assert not read("> I get 401 here\n> GET works\n* one\n* two\nHost: nothing\n").exchanges


def test_secrets_are_in_no_repr() -> None:
    assert "YTpi" not in repr([read(t) for t in (TRACE, PYTHON, APACHE, WIRE, WGET, JAVA, VERBOSE)])


@given(ANYTHING)
def test_never_raises(text: str) -> None:
    transcripts.sniff("x", text)
    transcripts.read(text, Source("x"))


@pytest.mark.parametrize(
    "piece",
    [
        "> GET / HTTP/1.1\n",
        "< HTTP/1.1 401 x\n",
        "--> GET http://h/ h2\n",
        "=> Send header: ",
        "send: b'",
        "pairs: {a: b}",
    ],
)
def test_long_repeated_input_does_not_hang(piece: str) -> None:
    read(piece * (200_000 // len(piece)))


def test_marks_escaped_by_a_web_page() -> None:
    text = VERBOSE.replace("> ", "&gt; ").replace("< ", "&lt; ")
    assert [x.status for x in read(text).exchanges] == [401]
