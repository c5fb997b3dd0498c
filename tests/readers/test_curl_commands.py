"""Commands of curl and its like, in any shell, with their output."""

# A table of patterns or samples is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import base64

import pytest
from hypothesis import given

from tests.readers.reading import ANYTHING, told
from why401.evidence import Evidence, Source
from why401.readers import curl_commands, curl_find
from why401.readers.curl_commands import parse, split
from why401.secret import Secret


def read(text: str) -> Evidence:
    return told(curl_commands, text)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("curl -H 'A: b c' http://h", ["curl", "-H", "A: b c", "http://h"]),
        (r"curl -H $'A: it\'s\t\x41' http://h", ["curl", "-H", "A: it's\tA", "http://h"]),
        ('curl -d "{\\"a\\":1}" http://h', ["curl", "-d", '{"a":1}', "http://h"]),
        ("curl \\\n  -u a:b \\\n  http://h", ["curl", "-u", "a:b", "http://h"]),
        ("curl -u a:b! http://h | jq .", ["curl", "-u", "a:b!", "http://h"]),
        ("curl 'it'\"'\"'s'", ["curl", "it's"]),
        ('curl ^"http://h/?a=1^&b=2^" ^\n  -H ^"A: b^"', ["curl", "http://h/?a=1&b=2", "-H", "A: b"]),
        ('curl.exe `\n  -H "A: `"b`"" http://h', ["curl.exe", "-H", 'A: "b"', "http://h"]),
    ],
)
def test_split(line: str, words: list[str]) -> None:
    assert split(line)[0] == words


@pytest.mark.parametrize(
    ("argv", "attribute", "value"),
    [
        ("-sSfLu a:b http://h", "user", Secret("a:b")),
        ("-XPUT http://h", "method", "PUT"),
        ("-d a=1 -d b=2 http://h", "body", "a=1&b=2"),
        ("-d a=1 http://h", "method", "POST"),
        ("-G -d a=1 http://h/x?b=2", "urls", ("http://h/x?b=2&a=1",)),
        ("-G -d a=1 http://h", "method", "GET"),
        ("-I http://h", "method", "HEAD"),
        ("-T file http://h", "method", "PUT"),
        ("--json {} http://h", "method", "POST"),
        ("--digest -u a:b http://h", "auth", "digest"),
        ("--anyauth -u a:b http://h", "auth", "anyauth"),
        ("--oauth2-bearer tok http://h", "auth", "bearer"),
        ("h.example.com", "urls", ("http://h.example.com",)),
        ("--url http://h --insecure", "insecure", True),
        ("-k --no-insecure http://h", "insecure", False),
        ("-x http://u:p@proxy:3128 http://h", "proxy_user", Secret("u:p")),
        ("-b a=1 http://h", "cookies", Secret("a=1")),
        ("-b jar.txt http://h", "cookie_files", ("jar.txt",)),
        ("--data-urlencode q=a&b http://h", "body", "q=a%26b"),
        ("-u a:b http://c:d@h", "user", Secret("a:b")),
        ("http://c:d%40@h", "user", Secret("c:d@")),
        ("-n http://h", "netrc", True),
        ("--http1.1 http://h", "http_version", "1.1"),
        ("--location-trusted http://h", "location_trusted", True),
        ("-m 5 http://h", "max_time", 5.0),
        ("http://h --next http://i", "urls", ("http://h",)),
        ("http://h --next http://i", "several", True),
        ("--nonsense http://h", "unknown", ("--nonsense",)),
        ("http://h -H", "missing", ("header",)),
        ("-q --resolve h:443:127.0.0.1 http://h", "resolve", ("h:443:127.0.0.1",)),
    ],
)
def test_parse(argv: str, attribute: str, value: object) -> None:
    assert getattr(parse(argv.split()), attribute) == value


def test_fields_as_curl_sends_them() -> None:
    fields = parse(
        ["-u", "ann:pw", "-A", "me", "-d", "{}", "-H", "X-A: b", "-H", "Content-Type: text/x", "http://h"]
    ).fields
    assert fields.get("authorization") == "Basic " + base64.b64encode(b"ann:pw").decode()
    assert (fields.get("user-agent"), fields.get("content-type")) == ("me", "text/x")
    assert parse(["-u", "a:b", "-H", "Authorization: Bearer x", "http://h"]).fields.all("authorization") == [
        "Bearer x"
    ]
    assert "authorization" not in parse(["-u", "a:b", "--digest", "http://h"]).fields
    assert parse(["-H", "Accept:", "http://h"]).removed == {"accept"}


def test_command_with_its_output() -> None:
    evidence = read(
        '$ curl -i -u ann:pw http://h/x\nHTTP/1.1 401 Unauthorized\nServer: nginx\nWWW-Authenticate: Basic realm="x"\n\nno\n'
    )
    (exchange,) = evidence.exchanges
    assert (exchange.request.url, exchange.status, exchange.client) == ("http://h/x", 401, "curl")
    (offer,) = evidence.offers
    assert (offer.provenance, offer.user, offer.scheme) == ("-u", "ann", "Basic")
    assert evidence.answers[0].hop == "nginx"


@pytest.mark.parametrize(
    ("text", "statuses"),
    [
        ("$ for i in 1 2 3; do curl -so /dev/null -w '%{http_code}\\n' http://h/x; done\n401\n401\n200\n", [401, 401, 200]),
        ("$ for i in 1 2 3; do curl -so /dev/null -w '%{http_code} ' http://h/x; done\n401 401 200\n", [401, 401, 200]),
        ("$ curl -w 'code=%{http_code} t=%{time_total}' http://h/x\ncode=401 t=0.1\n", [401]),
        ('$ curl -s http://h/x\n{"message":"no","status":401}\n', [401]),
        ('$ curl -s -w "%{http_code}" http://h/x\n{"message":"no"}403\n', [403]),
        ("$ curl -f http://h/x\ncurl: (22) The requested URL returned error: 401\n", [401]),
        ("curl -u a:b http://h/x   -> 401 Unauthorized\ncurl http://h/y  # 200\n", [401, 200]),
        ("$ curl -iL http://h/x\nHTTP/1.1 302 Found\nLocation: /y\n\nHTTP/1.1 401 Unauthorized\n\n", [302, 401]),
        ("$ curl -sI http://h/x | head -1\nHTTP/1.1 401 Unauthorized\n$ ls\n401\n", [401]),
    ],
)  # fmt: skip
def test_outcomes(text: str, statuses: list[int]) -> None:
    assert [x.status for x in read(text).exchanges] == statuses


def test_redirect_is_followed_in_the_evidence() -> None:
    text = "$ curl -iL http://h/x\nHTTP/1.1 302 Found\nLocation: https://i/y\n\nHTTP/1.1 401 Unauthorized\n\n"
    assert [x.request.url for x in read(text).exchanges] == ["http://h/x", "https://i/y"]


def test_what_the_shell_puts_in_is_unknown_and_what_it_does_not_is_kept() -> None:
    evidence = read('curl -H "Authorization: Bearer $TOKEN" http://h/x\n')
    assert not evidence.exchanges[0].request.complete
    assert (evidence.offers[0].scheme, evidence.offers[0].value) == ("Bearer", None)
    single = read("curl -H 'Authorization: Bearer $TOKEN' http://h/x\n")
    assert single.offers[0].value == Secret("$TOKEN")


def test_digest_is_offered_though_not_sent_at_once() -> None:
    evidence = read("curl --digest -u ann:pw http://h/x\n")
    assert "authorization" not in evidence.exchanges[0].request.fields
    assert [(o.scheme, o.user) for o in evidence.offers] == [("Digest", "ann")]


@pytest.mark.parametrize(
    ("text", "method", "url", "field", "value"),
    [
        ("http -a ann:pw POST h.example.com/x a=1\n", "POST", "http://h.example.com/x", "authorization", "Basic YW5uOnB3"),
        ("$ https PUT h.example.com/x X-Key:made-up\n", "PUT", "https://h.example.com/x", "x-key", "made-up"),
        ("http :8000/x\n", "GET", "http://localhost:8000/x", "host", None),
        ("wget --header='X-Key: made-up' https://h.example.com/x\n", "GET", "https://h.example.com/x", "x-key", "made-up"),
        ("PS C:\\> Invoke-RestMethod -Uri 'https://h/x' -Method Post -Headers @{ 'X-Key' = \"made-up\"; A='b' }\n", "POST", "https://h/x", "x-key", "made-up"),
    ],
)  # fmt: skip
def test_other_tools(text: str, method: str, url: str, field: str, value: str | None) -> None:
    request = read(text).exchanges[0].request
    assert (request.method, request.url, request.fields.get(field)) == (method, url, value)


def test_wget_waits_for_the_challenge() -> None:
    evidence = read("wget --user=ann --password=pw https://h.example.com/x\n")
    assert "authorization" not in evidence.exchanges[0].request.fields
    assert evidence.offers[0].user == "ann"


@pytest.mark.parametrize(
    "text",
    [
        "curl works fine, the browser does not.\n",
        "curl 7.83.1 (x86_64) libcurl/7.83.1\n",
        "Use curl or http to test.\n",
        "libcurl: -u is set\n",
    ],
)
def test_a_name_alone_is_no_command(text: str) -> None:
    assert not read(text).exchanges


def test_secrets_are_in_no_repr() -> None:
    text = "$ curl -u ann:made-up-pw -H 'X-Api-Key: made-up-key' -x http://u:made-up@p -d '{\"password\":\"made-up-2\"}' http://c:made-up-3@h/x\n"
    assert "made-up" not in repr(read(text))
    assert "made-up" not in repr(curl_commands.find(text)[0].command)


@given(ANYTHING)
def test_never_raises(text: str) -> None:
    curl_commands.sniff("x", text)
    curl_commands.read(text, Source("x"))
    split(text)


@given(ANYTHING)
def test_parse_never_raises(text: str) -> None:
    parse(text.split())
    parse(["curl", "-H", text, "-u", text, "-b", text, "--data-urlencode", text, "-x", text, text])


@pytest.mark.parametrize(
    "piece",
    [
        "curl -H 'a ",
        'curl "$( ',
        "$(",
        "curl http://h/ ",
        "curl -u a:b \\\n",
        "irm -Headers @{ ",
        "curl.exe `\n",
        "^",
    ],
)
def test_long_repeated_input_does_not_hang(piece: str) -> None:
    read(piece * (200_000 // len(piece)))


def test_variables_whose_value_stands_in_the_text() -> None:
    text = '$ export TOKEN=made-up-1\n$ curl -H "Authorization: Bearer $TOKEN" http://h/x\n'
    assert read(text).offers[0].value == Secret("made-up-1")
    text = (
        '$ T=$(curl -s http://h/t)\n$ echo $T\nmade-up-2\n$ curl -H "Authorization: Bearer ${T}" http://h/x\n'
    )
    assert read(text).offers[-1].value == Secret("made-up-2")
    twice = 'T=one\nT=two\ncurl -H "Authorization: Bearer $T" http://h/x\n'
    assert read(twice).offers[0].value is None


def test_a_command_that_a_program_prints_is_not_run() -> None:
    text = 'print(f\'curl "https://h.example.com/x" -H "Authorization: {value}"\')\n'
    assert curl_find.find(text) == []
    assert len(curl_find.find(text.replace("print(f'", "$ "))) == 1
