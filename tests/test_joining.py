# ruff: noqa: E501  (log lines: one a line, however long)
"""Log lines and the exchanges that they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from why401.evidence import Evidence, Exchange, Fields, Record, Request, Response, Source
from why401.joining import records_of, refused_requests, settled
from why401.readers import access_logs, app_logs

NOON = datetime(2024, 5, 6, 12, 0, 0, tzinfo=UTC)
AT = Source("x.har")


def exchange(path: str = "/x", at: datetime | None = NOON, number: int = 1, **fields: str) -> Exchange:
    pairs = [(name.replace("_", "-"), value) for name, value in fields.items()]
    request = Request("GET", f"https://a.example{path}", Fields.of(pairs))
    return Exchange(number, request, Response(401), AT, at)


def clf(
    at: datetime, path: str = "/x", status: int = 401, zone: str = "+0000", address: str = "10.0.0.1"
) -> str:
    return f'{address} - - [{at:%d/%b/%Y:%H:%M:%S} {zone}] "GET {path} HTTP/1.1" {status} 5 "-" "curl/8"'


def error(at: datetime, message: str, path: str = "/x", address: str = "10.0.0.1") -> str:
    request = f', server: _, request: "GET {path} HTTP/1.1", host: "a"' if path else ""
    return f"{at:%Y/%m/%d %H:%M:%S} [error] 7#7: *1 {message}, client: {address}{request}"


def of_log(lines: Sequence[str], name: str = "x.log") -> tuple[Record, ...]:
    text, source = "\n".join(lines) + "\n", Source(name)
    return sum((reader.read(text, source).records for reader in (access_logs, app_logs)), ())


def joined(lines: Sequence[str], *exchanges: Exchange) -> list[int | None]:
    """The numbers of the lines that belong to the first exchange."""
    return [r.source.line for r in records_of(Evidence(exchanges, records=of_log(lines)), exchanges[0])]


def test_a_line_joins_by_time_path_and_status() -> None:
    lines = [
        clf(NOON - timedelta(hours=1)),
        clf(NOON + timedelta(seconds=1)),
        clf(NOON, "/other"),
        clf(NOON, status=200),
    ]
    assert joined(lines, exchange()) == [2]


def test_percent_encoding_case_and_query_do_not_matter() -> None:
    assert joined([clf(NOON, "/a%20b?k=1")], exchange("/A b")) == [1]


def test_a_zone_that_is_told_is_kept() -> None:
    local = NOON + timedelta(hours=2)
    assert joined([clf(local, zone="+0200")], exchange()) == [1]
    assert joined([clf(local, zone="+0000")], exchange()) == []


@pytest.mark.parametrize("minutes", [0, 120, -300, 345, 570])
def test_the_zone_of_a_log_in_local_time_is_found(minutes: int) -> None:
    local = NOON + timedelta(minutes=minutes)
    lines = [
        error(local - timedelta(seconds=400), 'user "old": password mismatch'),
        error(local, 'user "ann": password mismatch'),
    ]
    assert joined(lines, exchange()) == [2]


def test_two_offsets_that_do_equally_well_say_nothing() -> None:
    every_hour = [error(NOON + timedelta(hours=n), 'user "ann": password mismatch') for n in range(-3, 4)]
    assert joined(every_hour, exchange()) == []


def test_other_exchanges_decide_the_offset() -> None:
    two = timedelta(hours=2)
    lines = [
        error(NOON, 'user "ann": password mismatch'),
        error(NOON + two, 'user "bob": password mismatch'),
        error(NOON + two + timedelta(seconds=100), 'user "bob": password mismatch', "/y"),
    ]
    assert joined(lines, exchange(), exchange("/y", NOON + timedelta(seconds=100), 2)) == [2]


def test_syslog_without_a_year_takes_that_of_the_exchange() -> None:
    line = 'May  6 12:00:01 web haproxy[9]: 10.0.1.2:33317 [nodate] in a/<NOSRV> 0/-1/-1/-1/0 401 188 - - PR-- 1/1/0/0/0 0/0 "GET /x HTTP/1.1"'
    assert joined([line], exchange()) == [1]


def test_the_date_field_is_the_time_where_nothing_else_is() -> None:
    dated = Exchange(
        1,
        Request("GET", "https://a.example/x"),
        Response(401, fields=Fields.of([("Date", "Mon, 06 May 2024 12:00:00 GMT")])),
        AT,
    )
    assert joined([clf(NOON), clf(NOON + timedelta(minutes=3))], dated) == [1]


def test_without_any_time_only_a_single_request_is_clear() -> None:
    unknown = exchange(at=None)
    assert joined([clf(NOON), clf(NOON, "/other")], unknown) == [1]
    assert joined([clf(NOON), clf(NOON + timedelta(hours=1))], unknown) == []


def test_an_id_that_both_carry_is_enough() -> None:
    name = "7f3c9a10-52d1-4f0e-9c55-0a9b9a5a7c11"
    lines = [f'time="2020-01-01T00:00:00Z" level=error msg="no token" request_id={name}', clf(NOON)]
    assert joined(lines, exchange(X_Request_ID=name)) == [1]
    trace = f"00-{name.replace('-', '')}-00f067aa0ba902b7-01"
    assert joined([lines[0].replace("-", ""), clf(NOON)], exchange(traceparent=trace)) in ([1], [2])


def test_a_line_without_a_path_joins_by_the_address() -> None:
    lines = [
        clf(NOON),
        "[Mon May 06 12:00:00.1 2024] [authn_file:error] [pid 1] [client 10.0.0.1:5] AH01620: Could not open password file: /p",
        "[Mon May 06 12:00:00.1 2024] [authn_file:error] [pid 1] [client 10.9.9.9:5] AH01620: Could not open password file: /p",
    ]
    assert joined(lines, exchange()) == [1, 2]


def test_refusals_of_a_log_are_grouped() -> None:
    lines = [clf(NOON + timedelta(seconds=20 * n), f"/orders/{n + 100}") for n in range(3)]
    lines += [clf(NOON, "/me"), clf(NOON, "/open", 200)]
    first, second = refused_requests(Evidence(records=of_log(lines)))
    assert (first.route, first.status, first.count) == ("/orders/{}", 401, 3)
    assert first.last is not None
    assert first.first is not None
    assert first.last - first.first == timedelta(seconds=40)
    assert (second.route, second.count) == ("/me", 1)


def test_an_error_line_is_a_refusal_by_its_words() -> None:
    lines = [
        error(NOON, 'user "ann": password mismatch'),
        error(NOON, 'open() "/var/www/x" failed (2: No such file or directory)', "/y"),
    ]
    (only,) = refused_requests(Evidence(records=of_log(lines)))
    assert (only.route, only.status, only.hop) == ("/x", None, "nginx")


IIS = "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus sc-win32-status time-taken"


def iis(second: int, user: str, status: str) -> str:
    return f"2024-05-06 07:08:{second:02} 10.0.0.5 GET /app - 443 {user} 10.0.0.9 curl/8 {status} 12"


def test_of_a_handshake_the_last_entry_counts() -> None:
    steps = [IIS, iis(1, "-", "401 2 5"), iis(1, "-", "401 1 2148074254")]
    good = settled(of_log([*steps, iis(2, "CORP\\ann", "200 0 0")]))
    assert [r.status for r in good] == [200]
    (bad,) = refused_requests(Evidence(records=of_log([*steps, iis(2, "-", "401 1 1326")])))
    assert (bad.count, bad.record.message) == (1, "401.1, Windows 1326 (wrong user name or password)")


def test_a_failure_long_after_another_is_one_of_its_own() -> None:
    lines = [clf(NOON), clf(NOON + timedelta(minutes=1), status=200)]
    assert len(settled(of_log(lines))) == 2
