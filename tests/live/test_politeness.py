"""What the servers received: budgets, one unsafe request, no credential elsewhere, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.live.lab import ask
from tests.live.sites import GOOD, Answer, Received, Site, basic, serve, wants

KEY = "tok-8f3a9c1e5b7d2f40"
BEARER = f"Bearer {KEY}"


def refuses(_: Received) -> Answer:
    return 401, {"WWW-Authenticate": 'Basic realm="lab", Bearer, Digest realm="d", nonce="n"'}, "no"


WORDS = [
    ("-u", "alice:other-Pw1 ", "{url}/Orders//x/"),
    ("-u", "jörg:grün-Pw1\n", "{url}/Orders"),
    ("-H", f"Authorization: Bearer Bearer '{KEY}'", "-b", "sid=a-12345678; sid=b-12345678", "{url}/V1/o?token=x-1"),
    ("-H", f"X-Api-Key: {KEY}", "-H", "Origin: https://app.example", "{url}/o"),
    ("curl", "--anyauth", "-u", "alice:other-Pw1", "{url}/o"),
    ("curl", "--digest", "-u", "alice:other-Pw1", "{url}/o"),
]  # fmt: skip


@pytest.mark.parametrize("words", WORDS, ids=range(len(WORDS)))
@pytest.mark.parametrize("status", [401, 403])
def test_the_budgets_hold_whatever_is_wrong(words: tuple[str, ...], status: int) -> None:
    def handler(request: Received) -> Answer:
        return (
            status,
            {**refuses(request)[1], "Age": "3", "Via": "1.1 x"},
            "missing X-Api-Key, see query parameter 'key'",
        )

    with serve(handler) as site:
        ask(*site.words(words))
    own = 2 if "--digest" in words or "--anyauth" in words else 1
    assert len(site.received) <= 12
    assert site.failed_logins() <= own + 2


def test_smaller_budgets_hold_too() -> None:
    with serve(refuses) as site:
        ask("--max-requests", "3", "--max-failed-logins", "0", "-u", "alice:other-Pw1 ", f"{site.url}/o")
    assert len(site.received) <= 3
    assert site.failed_logins() == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_an_unsafe_request_goes_out_once(method: str) -> None:
    with serve(refuses) as site:
        result = ask("-X", method, "-H", f"Authorization: Token {KEY}", f"{site.url}/o")
    assert [r.method for r in site.received] == [method]
    assert any("--replay-unsafe" in note for note in result.report["notes"])


def test_an_unsafe_request_goes_out_once_after_a_redirect() -> None:
    with serve(lambda r: (307, {"Location": "/b"}, "") if r.path == "/a" else GOOD) as site:
        ask("curl", "-L", "-d", "a=1", f"{site.url}/a")
    assert len(site.received) == 1


def test_a_preflight_is_the_only_other_request_of_an_unsafe_one() -> None:
    with serve(wants(BEARER, "Bearer")) as site:
        ask("-X", "PUT", "-H", "Origin: https://a.example", "-H", f"Authorization: {BEARER}", f"{site.url}/o")
    assert [r.method for r in site.received] == ["PUT", "OPTIONS"]
    assert site.received[1].get("authorization") is None


@contextmanager
def redirecting(to: str) -> Iterator[Site]:
    with serve(lambda _: (302, {"Location": to}, "")) as front:
        yield front


@pytest.mark.parametrize(
    "words",
    [
        ("-H", f"Authorization: {BEARER}"),
        ("-u", "alice:s3cret-Pw"),
        ("-b", "sid=good-1234567"),
        ("-H", f"X-Api-Key: {KEY}"),
        ("--oauth2-bearer", KEY),
    ],
)
def test_no_credential_goes_to_another_origin(words: tuple[str, ...]) -> None:
    with serve(refuses) as other, redirecting(other.url + "/o") as front:
        ask(*words, f"{front.url}/o")
    assert other.received
    for received in other.received:
        held = " ".join(received.fields.values()) + received.path
        assert not any(secret in held for secret in (KEY, "good-1234567", basic("alice", "s3cret-Pw")[6:]))


def test_urls_that_others_name_are_not_asked() -> None:
    with serve(lambda _: GOOD) as other:
        named = (
            f'Bearer realm="{other.url}/token", resource_metadata="{other.url}/meta", error="invalid_token"'
        )
        links = f'{{"url": "{other.url}/o", "jwks_uri": "{other.url}/keys"}}'
        with serve(
            lambda _: (401, {"WWW-Authenticate": named, "Link": f"<{other.url}>; rel=x"}, links)
        ) as site:
            ask("-H", f"Authorization: {BEARER}", f"{site.url}/o")
    assert not other.received


def test_files_send_nothing(tmp_path: object) -> None:
    with serve(lambda _: GOOD) as site:
        path = os.path.join(str(tmp_path), "a.txt")  # noqa: PTH118
        with open(path, "w") as file:  # noqa: PTH123
            file.write(f"$ curl -i -u alice:x {site.url}/o\nHTTP/1.1 401 Unauthorized\n\n")
        ask(path)
    assert not site.received


def test_offline_sends_nothing() -> None:
    with serve(lambda _: GOOD) as site:
        ask("--offline", "-u", "alice:x", f"{site.url}/o")
    assert not site.received


def test_ctrl_c_ends_it_with_what_is_known() -> None:
    def slow(request: Received) -> Answer:
        if request.get("authorization") is None:
            time.sleep(20)
        return 401, {"WWW-Authenticate": "Bearer"}, "no"

    with serve(slow) as site:
        words = ["--json", "-H", f"Authorization: Bearer {KEY}", f"{site.url}/o"]
        process = subprocess.Popen(
            [sys.executable, "-m", "why401.cli.main", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(100):
            time.sleep(0.05)
            if site.received:
                break
        time.sleep(0.4)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert json.loads(out)["status"] == 401
    assert process.returncode == 1
    assert b"Traceback" not in err
    assert KEY.encode() not in out + err


# -- a login anew, at a URL that the user typed


def token_server(request: Received) -> Answer:
    body = request.body.decode()
    if "refresh_token=refresh-1234567" in body or request.get("authorization") == basic("shop", "shop-Pw1"):
        return 200, {"Content-Type": "application/json"}, json.dumps({"access_token": KEY, "expires_in": 60})
    return 400, {"Content-Type": "application/json"}, '{"error": "invalid_grant"}'


LOGINS = [
    ("--refresh-token", "refresh-1234567"),
    ("--client-id", "shop", "--client-secret", "shop-Pw1"),
]


@pytest.mark.parametrize("words", LOGINS)
def test_a_login_anew_proves_that_the_token_was_over(words: tuple[str, ...]) -> None:
    with serve(token_server) as tokens, serve(wants(BEARER, "Bearer")) as site:
        old = ("-H", "Authorization: Bearer tok-old-0123456789")
        result = ask("--token-url", f"{tokens.url}/token", *words, *old, f"{site.url}/o")
    assert result.first["id"] in ("token-expired", "credential-revoked", "session-expired")
    assert result.first["proved"]
    assert len(tokens.received) == 1
    assert len(site.received) + len(tokens.received) <= 12
    for secret in (KEY, "refresh-1234567", "shop-Pw1", "tok-old-0123456789"):
        assert secret not in result.text


def test_a_refresh_token_that_is_refused_is_named() -> None:
    with serve(token_server) as tokens, serve(wants(BEARER, "Bearer")) as site:
        old = ("-H", "Authorization: Bearer tok-old-0123456789")
        words = ("--token-url", f"{tokens.url}/token", "--refresh-token", "refresh-old-1234")
        result = ask(*words, *old, f"{site.url}/o")
    assert result.first["id"] == "refresh-failed"
    assert len(tokens.received) == 1
    assert "refresh-old-1234" not in result.text
