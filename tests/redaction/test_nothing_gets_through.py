# ruff: noqa: E501  one place a line
"""Random secrets in every place where a secret can stand; none of them in any output, log or traceback."""

from __future__ import annotations

import base64
import json
import string
import traceback
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import why401
from why401 import reports
from why401.secret import Redactor, Secret

ALPHABET = string.ascii_letters + string.digits + "-_+/=.!$%&"
SECRETS = st.text(string.ascii_letters + string.digits + "-_", min_size=12, max_size=40).filter(
    lambda text: (
        any(c.isdigit() for c in text)
        and any(c.isalpha() for c in text)
        and text[0].isalnum()
        and text[-1].isalnum()
    )
)
ODD = st.text(ALPHABET, min_size=12, max_size=30).filter(
    lambda text: (
        any(c.isdigit() for c in text)
        and any(c.isalpha() for c in text)
        and text[0].isalnum()
        and text[-1].isalnum()
    )
)


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


#: Where a secret can stand; `{s}` is the secret, `{b}` Basic credentials with it, `{q}` percent-encoded.
PLACES = [
    "GET /x HTTP/1.1\nHost: a.example\nAuthorization: Bearer {s}\n\nHTTP/1.1 401 Unauthorized\n\n",
    "GET /x HTTP/1.1\nHost: a.example\nAuthorization: Bearer: {s}\n\nHTTP/1.1 401 Unauthorized\n\n",
    "GET /x HTTP/1.1\nHost: a.example\nAuthorization: {s}\n\nHTTP/1.1 401 Unauthorized\n\n",
    "GET /x HTTP/1.1\nHost: a.example\nAuthorization: Basic {b}\n\nHTTP/1.1 401 Unauthorized\n\n",
    "GET /x HTTP/1.1\nHost: a.example\nX-API-Key: {s}\n\nHTTP/1.1 403 Forbidden\n\n{{\"message\": \"key {s} is unknown\"}}",
    "GET /x HTTP/1.1\nHost: a.example\nCookie: sid={s}; theme=dark\n\nHTTP/1.1 401 Unauthorized\n\n",
    "GET /x?access_token={q}&a=1 HTTP/1.1\nHost: a.example\n\nHTTP/1.1 401 Unauthorized\n\n",
    "HTTP/1.1 401 Unauthorized\nSet-Cookie: session={s}; Path=/; HttpOnly\n\n",
    "$ curl -i -u 'alice:{s}' https://api.example.com/x\nHTTP/1.1 401 Unauthorized\nWWW-Authenticate: Basic realm=\"a\"\n\n",
    "$ curl -v -H 'Authorization: Bearer {s}' https://api.example.com/x\n< HTTP/1.1 401 Unauthorized\n<\n",
    "$ curl https://alice:{q}@api.example.com/x\n401 Unauthorized",
    "fatal: Authentication failed for 'https://bob:{q}@git.example.com/a.git/'",
    "//registry.example.com/:_authToken={s}\nnpm ERR! code E401\n",
    "DB_PASSWORD={s}\nAPI_KEY={s}\nHTTP 401",
    "password: \"{s}\"\nstatus: 401",
    "<server><id>a</id><username>bob</username><password>{s}</password></server>\n[ERROR] status code: 401",
    "headers = {{'Authorization': 'Bearer {s}'}}\nrequests.get(url, headers=headers)  # 401",
    "app.use(session({{ secret: '{s}', resave: false }}))\n401 Unauthorized",
    "machine api.example.com login bob password {s}\n401",
    "2026-01-02 10:00:00 ERROR login failed token={s} status=401",
    "{{\"access_token\": \"{s}\", \"token_type\": \"bearer\"}}\n401 Unauthorized",
    "requests.exceptions.HTTPError: 401 Client Error: Unauthorized for url: https://a.example/x?api_key={q}",
    "Authorization: Digest username=\"bob\", realm=\"r\", nonce=\"n\", uri=\"/\", response=\"{h}\"\nHTTP/1.1 401 Unauthorized\n",
    "X-Auth-Token: {s}\nHTTP/1.1 401 Unauthorized\n",
    "WWW-Authenticate: Bearer error=\"invalid_token\", error_description=\"token {s} expired\"\nAuthorization: Bearer {s}\nHTTP/1.1 401 x\n",
]  # fmt: skip


def forms(secret: str) -> set[str]:
    """The shapes in which a secret must not turn up."""
    return {secret, quote(secret, safe=""), b64(secret).rstrip("=")[:-1], b64(f"alice:{secret}").rstrip("=")}


def outputs(report: why401.Report, capsys: pytest.CaptureFixture[str]) -> str:
    texts = [why401.render(report, form) for form in ("json", "markdown", "html", "sarif")]
    reports.terminal(report, reports.redactor_for(report), width=100, everything=True)
    reports.terminal(report, reports.redactor_for(report), width=40)
    texts.append(capsys.readouterr().out)
    texts.append(repr(report))
    unwrapped = "".join(texts).replace("\n", "").replace(" ", "")
    return "\n".join(texts) + unwrapped


@pytest.mark.parametrize("place", range(len(PLACES)))
@settings(
    max_examples=2,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(secret=SECRETS)
def test_no_output_shows_it(place: int, secret: str, capsys: pytest.CaptureFixture[str]) -> None:
    hexed = secret.encode().hex().ljust(32, "0")[:32]
    text = PLACES[place].format(s=secret, b=b64(f"alice:{secret}"), q=quote(secret, safe=""), h=hexed)
    shown = outputs(why401.examine(text), capsys)
    for form in forms(secret) | ({hexed} if "{h}" in PLACES[place] else set()):
        assert form not in shown


@settings(max_examples=40, deadline=None)
@given(secret=ODD)
def test_a_known_secret_is_found_in_every_shape(secret: str) -> None:
    redactor = Redactor([Secret(secret)])
    for shape in (
        secret,
        quote(secret, safe=""),
        json.dumps(secret),
        repr(secret),
        b64(secret),
        b64("a:" + secret),
        b64("ab:" + secret),
    ):
        assert secret not in redactor.clean(f"x {shape} y")
        core = shape.strip("'\"")
        assert core not in redactor.clean(f"x {shape} y")


@settings(max_examples=30, deadline=None)
@given(secret=SECRETS)
def test_a_traceback_shows_no_secret(secret: str) -> None:
    held = Secret(secret)
    try:
        {}[held]  # type: ignore[index]
    except KeyError:
        assert secret not in traceback.format_exc()
    assert secret not in f"{held} {held!r} {[held]}"
    with pytest.raises(TypeError):
        __import__("pickle").dumps(held)


@pytest.mark.parametrize(
    "harmless",
    [
        'WWW-Authenticate: Basic realm="Restricted area"',
        'WWW-Authenticate: Bearer error="invalid_token", error_description="The token expired"',
        "Basic credentials were sent, and Bearer is wanted.",
        "The password ends with a line break.",
        "token-expired: The token is over its lifetime.",
        "GET https://api.example.com/v1/projects/42/releases?page=2",
        "wrong-password is ruled out",
        "Set the audience to https://api.example.com/ in the settings.",
    ],
)
def test_what_is_harmless_stays(harmless: str) -> None:
    assert Redactor().clean(harmless) == harmless
