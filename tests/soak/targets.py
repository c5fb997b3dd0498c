"""What is fuzzed: functions of bytes that must neither raise nor take long, by name.

An input is text. Its first line is the name of a file where a reader wants one; functions of several
arguments get a line each. A lone surrogate stands for a byte that is no UTF-8, as a JSON escape can make one.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib import import_module
from itertools import chain, repeat
from typing import Any, Final

import why401
from why401 import layers, linting, reports
from why401.evidence import Request, Source
from why401.layers import Document
from why401.protocol import (
    basic,
    bearer,
    caching,
    challenge_views,
    challenges,
    cookies,
    cors,
    credentials,
    digest,
    dpop,
    identifiers,
    jws,
    jwt,
    oauth1,
    placeholders,
    redirects,
    resource_metadata,
    sigv4,
)
from why401.readers import READERS, Input, curl_commands, kinds, read
from why401.secret import Redactor, Secret

NOW: Final = datetime(2026, 1, 2, 10, tzinfo=UTC)
LONGEST: Final = 20_000  #: bytes of one input
PLANTED: Final = "Pl4nted-s3cret-nobody-may-see"
HOLDER: Final = (
    f"GET /x HTTP/1.1\nHost: a.example\nAuthorization: Bearer {PLANTED}\n\nHTTP/1.1 401 Unauthorized\n\n"
)
CLIENTS: Final = ("curl", "chrome", "docker", "requests", "python-requests", "wget")


def text_of(data: bytes) -> str:
    """The text of an input, with what is no UTF-8 as lone surrogates."""
    return data.decode("utf-8", "surrogateescape")


def lines_of(data: bytes, count: int) -> list[str]:
    """`count` lines; the last holds the rest, missing ones are empty."""
    given = text_of(data).split("\n", count - 1)
    return list(chain(given, repeat("", count - len(given))))


def pairs_of(text: str) -> dict[str, str]:
    """Fields, one a line: `name: value`."""
    return {name: value.strip() for name, _, value in (line.partition(":") for line in text.split("\n"))}


def named(data: bytes) -> Input:
    """The input whose name is the first line."""
    name, _, content = data.partition(b"\n")
    return Input(name[:80].decode("utf-8", "replace") or "evidence", content)


def stretched(data: bytes) -> bytes:
    """Every second piece between unit separators again and again, up to the longest input."""
    pieces = data.split(b"\x1f")
    if len(pieces) == 1:
        pieces = [b"", *pieces]
    each = (LONGEST - len(data)) // (len(pieces) // 2)
    return b"".join(
        piece * max(1, each // max(1, len(piece))) if number % 2 else piece
        for number, piece in enumerate(pieces)
    )[:LONGEST]


def reader(name: str) -> Callable[[bytes], None]:
    """The target of one reader: it reads what it recognises."""
    module = import_module(f"why401.readers.{name}")

    def target(data: bytes) -> None:
        given = named(data)
        text = kinds.decode(given.data)
        if module.sniff(given.name, text):
            module.read(text, Source(given.name))

    return target


def fuzz_readers(data: bytes) -> None:
    read([named(data)])


def fuzz_examine(data: bytes) -> None:
    report = why401.examine(read([named(data)]))
    assert report.diagnoses, "no diagnosis"


def fuzz_long(data: bytes) -> None:
    name, _, content = data.partition(b"\n")
    fuzz_examine(name + b"\n" + stretched(content))


def fuzz_reports(data: bytes) -> None:
    """A secret that one input holds in its place is in no report, wherever else it stands."""
    given = named(data.replace(b"{s}", PLANTED.encode()))
    report = why401.examine(read([Input("request.http", HOLDER.encode()), given]))
    check_reports(report)


def fuzz_planted(data: bytes) -> None:
    """A secret in the fields of a request, between any other texts, is in no report."""
    name, before, after = (
        data.replace(b"{s}", b"").split(b"\n", 2) if data.count(b"\n") > 1 else (b"", b"", data)
    )
    whole = before + b"\n\n" + HOLDER.encode() + after
    check_reports(why401.examine(read([named(name + b"\n" + whole)])))


def check_reports(report: why401.Report) -> None:
    """Render in every form; each can be written and is without the secret."""
    texts = [why401.render(report, form) for form in ("json", "markdown", "html", "sarif")]
    json.loads(texts[0])
    json.loads(texts[3])
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        reports.terminal(report, reports.redactor_for(report), width=100, everything=True)
    for text in (*texts, shown.getvalue()):
        text.encode("utf-8")
        assert PLANTED not in text, "a secret in a report"


def fuzz_har_mapping(data: bytes) -> None:
    """What JSON can hold and text cannot: lone surrogates, wrong types, deep nesting."""
    try:
        loaded = json.loads(data)
    except (ValueError, RecursionError):
        return
    if isinstance(loaded, dict):
        check_reports(why401.examine(loaded))


def fuzz_redactor(data: bytes) -> None:
    secret, text = lines_of(data, 2)
    clean = Redactor([Secret(secret)]).clean(text)
    assert len(secret) < 8 or len(secret.split()) != 1 or secret != secret.strip() or secret not in clean


def fuzz_curl(data: bytes) -> None:
    for argv in curl_commands.split(text_of(data)):
        curl_commands.parse(argv)
    curl_commands.find(text_of(data))


def fuzz_challenges(data: bytes) -> None:
    values = text_of(data).split("\n")
    for challenge in challenges.parse(values).challenges:
        challenges.faults(challenge)
        challenges.write(challenge)
        bearer.parse_error(challenge)
    for client in CLIENTS:
        challenge_views.understood_by(client, values)
        challenge_views.misread_by(client, values)
    challenge_views.mcp_field(values[0], "resource_metadata")


def fuzz_credentials(data: bytes) -> None:
    found = credentials.parse(text_of(data))
    digest.parse(found.params)
    sigv4.parse(found.params)
    oauth1.check(found.params, NOW)
    basic.decode(found.token68 or found.rest)


def fuzz_basic(data: bytes) -> None:
    text = text_of(data)
    basic.decode(text)
    basic.token_shape(text)
    placeholders.placeholder(text)
    identifiers.near(*lines_of(data, 2))


def fuzz_digest(data: bytes) -> None:
    challenge, sent, target, password = lines_of(data, 4)
    asked = challenges.parse([challenge]).challenges
    given = digest.parse(credentials.parse(sent).params)
    for one in asked:
        digest.mismatches(one.params, given, target)
        digest.verify(one.params, given, method="GET", user="bob", password=password, candidate_uris=[target])


def fuzz_bearer(data: bytes) -> None:
    bearer.parse_error(data)
    bearer.parse_error(text_of(data))


def fuzz_jwt(data: bytes) -> None:
    text = text_of(data)
    token = jwt.decode(text)
    jwt.state_at(token, NOW)
    jwt.token_type(token)
    jwt.harmless_claims(token)
    jwt.find(text)
    jws.verify(text, "made-up-key-of-some-length-0123456789")
    dpop.check(text, method="GET", url="https://a.example/x", access_token="made-up", now=NOW)


def fuzz_keys(data: bytes) -> None:
    """Key sets, keys and documents of metadata in JSON."""
    token, rest = lines_of(data, 2)
    try:
        loaded = json.loads(rest)
    except (ValueError, RecursionError):
        return
    resource_metadata.check(loaded, resource="https://a.example/x")
    if isinstance(loaded, dict):
        jws.key_for(jwt.decode(token), loaded)
        jws.verify(token, loaded)
        dpop.thumbprint(loaded)


def fuzz_cookies(data: bytes) -> None:
    url, other, rest = lines_of(data, 3)
    jar = cookies.CookieJar(NOW)
    jar.store(url, rest.split("\n"))
    jar.cookies_for(other)
    for cookie in jar.cookies:
        cookies.why_not_sent(cookie, other, same_site=False, now=NOW)
    cookies.parse_date(rest)
    cookies.parse_set_cookie(rest)
    cookies.limits(cookies.parse_cookie(rest).pairs)
    cookies.same_site(url, other)


def fuzz_sigv4(data: bytes) -> None:
    url, value, rest = lines_of(data, 3)
    headers = pairs_of(rest)
    presigned = sigv4.parse_presigned(url)
    for sent in (presigned, sigv4.parse(credentials.parse(value).params, headers)):
        if sent is not None:
            sigv4.check(sent, headers=headers, now=NOW, region="eu-west-1", service="s3")
            sigv4.verify(sent, method="GET", url=url, headers=headers, secret="made-up")


def fuzz_oauth1(data: bytes) -> None:
    url, value, rest = lines_of(data, 3)
    params = credentials.parse(value).params
    oauth1.check(params, NOW)
    oauth1.verify("POST", url, params, rest, form=[*pairs_of(rest).items()])


def fuzz_fields(data: bytes) -> None:
    """Caching and CORS: what the fields of a response say."""
    origin, asked, rest = lines_of(data, 3)
    headers = pairs_of(rest)
    caching.from_cache(caching.facts(headers, now=NOW))
    caching.directives(rest)
    cors.preflight_reasons(asked, headers)
    cors.preflight_problems(
        origin=origin, method=asked, headers=list(headers), credentials=True, status=204, response=headers
    )
    cors.response_problems(origin=origin, credentials=True, response=headers)


def fuzz_urls(data: bytes) -> None:
    first, second = lines_of(data, 2)
    redirects.changes(first, second)
    for client in CLIENTS:
        redirects.dropped(client, first, second, 307)
    resource_metadata.candidates(first)
    resource_metadata.server_candidates(first)


def fuzz_layers(data: bytes) -> None:
    """The first line names the file: what reads it as a server's configuration or an application's code."""
    name, _, content = data.partition(b"\n")
    held = Document.of(name.decode("utf-8", "replace").replace("\0", "") or "nginx.conf", content)
    found = layers.read([held])
    linting.lint(found)
    for layer in found.layers:
        layer.meets(Request("GET", "http://x/orders", complete=False))


TARGETS: Final[Mapping[str, Callable[[bytes], Any]]] = {
    "examine": fuzz_examine,
    "long": fuzz_long,
    "reports": fuzz_reports,
    "planted": fuzz_planted,
    "har_mapping": fuzz_har_mapping,
    "readers": fuzz_readers,
    **{f"reader_{name}": reader(name) for name in READERS},
    "curl": fuzz_curl,
    "redactor": fuzz_redactor,
    "challenges": fuzz_challenges,
    "credentials": fuzz_credentials,
    "basic": fuzz_basic,
    "digest": fuzz_digest,
    "bearer": fuzz_bearer,
    "jwt": fuzz_jwt,
    "keys": fuzz_keys,
    "cookies": fuzz_cookies,
    "sigv4": fuzz_sigv4,
    "oauth1": fuzz_oauth1,
    "fields": fuzz_fields,
    "urls": fuzz_urls,
    "layers": fuzz_layers,
}
