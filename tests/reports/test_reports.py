"""Each form of the report: complete, valid, and without the secrets that stood in the evidence."""

from __future__ import annotations

import json
from importlib.resources import files

import jsonschema
import pytest

import why401
from tests.live.sites import basic, serve, wants
from why401 import reports

TRANSCRIPT = """\
$ curl -v https://api.example.com/orders -H "Authorization: Bearer: tok-8f3a9c1e5b7d"
> GET /orders HTTP/1.1
> Host: api.example.com
> Authorization: Bearer: tok-8f3a9c1e5b7d
>
< HTTP/1.1 401 Unauthorized
< WWW-Authenticate: Bearer error="invalid_request"
<
"""


@pytest.fixture(scope="module")
def schema() -> object:
    return json.loads((files("why401.reports") / "schema.json").read_text())


@pytest.fixture(scope="module")
def proved() -> why401.Report:
    with serve(wants(basic("alice", "s3cret-Pw"))) as site:
        return why401.diagnose(f"{site.url}/orders", user=("alice", "s3cret-Pw\n"))


@pytest.mark.parametrize(
    "text", [TRANSCRIPT, "hello", "GET / HTTP/1.1\nHost: a.example\n\nHTTP/1.1 200 OK\n\nfine"]
)
def test_the_json_report_follows_its_schema(text: str, schema: object) -> None:
    jsonschema.validate(json.loads(why401.render(why401.examine(text))), schema)  # type: ignore[arg-type]


def test_a_proved_report_follows_the_schema(proved: why401.Report, schema: object) -> None:
    value = json.loads(why401.render(proved))
    jsonschema.validate(value, schema)  # type: ignore[arg-type]
    assert value["causes"][0]["proved"]
    numbers = [exchange["number"] for exchange in value["exchanges"]]
    assert len(set(numbers)) == len(numbers)
    assert set(value["causes"][0]["proof"]["exchanges"]) <= set(numbers)
    assert value["diagnoses"][0]["causes"] == value["causes"]


@pytest.mark.parametrize("form", ["json", "markdown", "html", "sarif"])
def test_every_form_names_the_cause_and_hides_the_password(
    proved: why401.Report, form: reports.Report
) -> None:
    text = why401.render(proved, form)  # type: ignore[arg-type]
    assert "stray-whitespace" in text
    assert "s3cret-Pw" not in text
    assert basic("alice", "s3cret-Pw")[6:] not in text


def test_the_page_is_self_contained(proved: why401.Report) -> None:
    text = why401.render(proved, "html")
    assert "<script" not in text
    assert "src=" not in text
    assert "http-equiv" not in text
    assert "prefers-color-scheme" in text
    assert "@media print" in text


def test_what_a_server_says_cannot_become_markup() -> None:
    challenge = 'WWW-Authenticate: Basic realm="<script>alert(1)</script>"'
    evil = f"HTTP/1.1 401 Unauthorized\n{challenge}\nContent-Type: text/html\n\n<img src=x onerror=alert(1)>"
    page = why401.render(why401.examine(evil), "html")
    assert "<script>alert" not in page
    assert "<img" not in page


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_terminal_report_keeps_to_the_width(
    proved: why401.Report, capsys: pytest.CaptureFixture[str], width: int
) -> None:
    reports.terminal(proved, reports.redactor_for(proved), width=width)
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= max(width, 40)
    assert "\033[" not in text
    assert "Proof" in text


def test_a_terminal_without_unicode_gets_ascii(
    proved: why401.Report, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from why401.reports import terminal_report

    monkeypatch.setattr(terminal_report, "_speaks_unicode", lambda: False)
    reports.terminal(proved, reports.redactor_for(proved))
    assert capsys.readouterr().out.isascii()


def test_show_secrets_shows_them(proved: why401.Report) -> None:
    shown = reports.json(proved, reports.redactor_for(proved, show=True))
    assert basic("alice", "s3cret-Pw")[6:] in shown
