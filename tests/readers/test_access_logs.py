# ruff: noqa: E501  (a table of patterns: one a line, however long)
"""Access log lines of many servers, as their documentation or their own output shows them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from why401.evidence import Record, Source
from why401.readers import access_logs, log_times

LINES = [
    ("combined", '203.0.113.80 - - [28/May/2018:09:21:51 +0300] "POST /wp-admin/admin-ajax.php HTTP/1.1" 401 381 "https://www.example.com/contact/" "Mozilla/5.0 (X11)"', 401, "POST", "/wp-admin/admin-ajax.php", "203.0.113.80", None),
    ("common with user", '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326', 200, "GET", "/apache_pb.gif", "127.0.0.1", "frank"),
    ("uvicorn", 'INFO:     127.0.0.1:54321 - "GET /items/ HTTP/1.1" 401 Unauthorized', 401, "GET", "/items/", "127.0.0.1", None),
    ("werkzeug", '127.0.0.1 - - [05/Mar/2024 10:11:12] "GET /api HTTP/1.1" 401 -', 401, "GET", "/api", "127.0.0.1", None),
    ("runserver", '[05/Mar/2024 10:11:12] "POST /api/token/ HTTP/1.1" 401 63', 401, "POST", "/api/token/", None, None),
    ("haproxy", 'haproxy[14389]: 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 401 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"', 401, "GET", "/index.html", "10.0.1.2", None),
    ("squid", "1286536309.432     92 192.168.0.224 TCP_DENIED/407 3972 CONNECT www.example.com:443 - HIER_NONE/- text/html", 407, "CONNECT", "www.example.com:443", "192.168.0.224", None),
    ("gin", '[GIN] 2020/01/02 - 12:00:00 | 401 |     120.1µs |  127.0.0.1 | GET      "/api/me"', 401, "GET", "/api/me", "127.0.0.1", None),
    ("morgan dev", "GET /api/users 401 5.123 ms - 25", 401, "GET", "/api/users", None, None),
    ("traefik json", '{"ClientHost":"10.0.0.1","ClientUsername":"-","DownstreamStatus":401,"RequestMethod":"GET","RequestPath":"/x","StartUTC":"2024-01-02T03:04:05Z"}', 401, "GET", "/x", "10.0.0.1", None),
    ("caddy json", '{"level":"error","ts":1646861401.5241,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"127.0.0.1","method":"GET","uri":"/y","headers":{"User-Agent":["curl/7.82.0"]}},"user_id":"","status":401}', 401, "GET", "/y", "127.0.0.1", None),
    ("logfmt", "INF http request method=POST path=/x status=200 ip=10.1.1.1", 200, "POST", "/x", "10.1.1.1", None),
    ("grafana", 'logger=context userId=0 orgId=0 uname= t=2023-01-02T10:00:00.1Z level=info msg="Request Completed" method=GET path=/api/search status=401 remote_addr=192.0.2.1', 401, "GET", "/api/search", "192.0.2.1", None),
    ("kubernetes audit", '{"kind":"Event","verb":"list","requestURI":"/api/v1/pods","user":{"username":"system:anonymous"},"sourceIPs":["10.0.0.9"],"responseStatus":{"code":401},"requestReceivedTimestamp":"2024-01-02T03:04:05.123456Z"}', 401, "LIST", "/api/v1/pods", "10.0.0.9", "system:anonymous"),
    ("alb", 'https 2018-07-02T22:23:00.186641Z app/my-lb/50dc 192.0.2.7:2817 10.0.0.1:80 0.086 0.048 0.037 401 401 0 57 "GET https://www.example.com:443/ HTTP/1.1" "curl/7.46.0" - -', 401, "GET", "https://www.example.com:443/", "192.0.2.7", None),
    ("behind a logger", '16-06-18 03:55:48 INFO (WSGI-server) [homeassistant.components.http] 10.17.17.106 - - [18/Jun/2016 03:55:48] "GET /api/stream HTTP/1.1" 401 475 0.000621', 401, "GET", "/api/stream", "10.17.17.106", None),
]  # fmt: skip


def records(text: str) -> tuple[Record, ...]:
    assert access_logs.sniff("x.log", text)
    return access_logs.read(text, Source("x.log")).records


@pytest.mark.parametrize(
    ("line", "expected"), [(line, rest) for _, line, *rest in LINES], ids=[c[0] for c in LINES]
)
def test_a_line_is_a_record(line: str, expected: list[object]) -> None:
    (record,) = records("something else\n" + line + "\n")
    assert [record.status, record.method, record.path, record.address, record.user] == expected
    assert record.source.line == 2


def test_columns_are_named_by_the_fields_line() -> None:
    text = (
        "#Software: Microsoft Internet Information Services 10.0\n"
        "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus sc-win32-status time-taken\n"
        "2024-05-06 07:08:09 10.0.0.5 GET /app - 443 - 10.0.0.9 Mozilla/5.0+(Windows) 401 2 5 12\n"
        "2024-05-06 07:08:10 10.0.0.5 GET /app - 443 CORP\\ann 10.0.0.9 Mozilla/5.0+(Windows) 200 0 0 14\n"
    )
    first, second = records(text)
    assert (first.status, first.user, second.status, second.user) == (401, None, 200, "CORP\\ann")
    assert first.time is not None
    assert first.time.hour == 7
    assert first.text.endswith("401 2 5 12")


def test_two_lines_of_rails_are_one_record() -> None:
    text = (
        'Started GET "/api/v1/me" for 127.0.0.1 at 2020-01-02 03:04:05 +0000\n'
        "Processing by MeController#show as JSON\n"
        "Completed 401 Unauthorized in 5ms\n"
    )
    (record,) = records(text)
    assert (record.status, record.method, record.path, record.address) == (
        401,
        "GET",
        "/api/v1/me",
        "127.0.0.1",
    )


@pytest.mark.parametrize(
    "text",
    [
        "The server answers 401 when I GET the page.",
        "HTTP/1.1 401 Unauthorized\nServer: nginx",
        "port = 8080\nname = x",
    ],
)
def test_other_texts_hold_no_record(text: str) -> None:
    assert access_logs.read(text, Source("x")).records == ()


def test_times_of_many_forms_are_the_same_instant() -> None:
    forms = [
        "2024-03-05T10:11:12Z", "05/Mar/2024:12:11:12 +0200", "Tue Mar 05 10:11:12.000001 2024",
        "2024/03/05 10:11:12", "05 Mar 2024 10:11:12 GMT", "1709633472.000",
    ]  # fmt: skip
    assert {
        log_times.find(form).strftime("%F %T") if form.endswith(("Z", "T", "4", "2")) else ""
        for form in forms
    }  # type: ignore[union-attr]
    stamps = {round(found.timestamp()) for form in forms if (found := log_times.find(form))}
    assert stamps == {1709633472}


@given(
    st.text(max_size=300)
    | st.sampled_from([case[1] for case in LINES]).flatmap(
        lambda s: st.integers(0, len(s)).map(lambda n: s[:n])
    )
)
def test_any_text_is_read_without_an_error(text: str) -> None:
    access_logs.read(text, Source("any"))
