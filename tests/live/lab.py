"""A laboratory of broken servers: each case is a site with one fault, a user's command and what is to be named.

The command goes through the real command line; the JSON report, the exit status and what the site received are
compared. Nothing of a case may show a secret, and nobody may be asked more than the budgets allow.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.live.sites import Site
from why401.cli.main import main

MOST_REQUESTS, MOST_FAILED = 12, 2

Start = Callable[[], AbstractContextManager[Site]]


@dataclass(frozen=True)
class Case:
    """`words` may hold {url}, {host}, {port} and what the site lays by; `proved` None says that either will do."""

    name: str
    site: Start
    words: tuple[str, ...]
    causes: tuple[str, ...]
    proved: bool | None = None
    secrets: tuple[str, ...] = ()
    own_requests: int = 1  # of the user's own first try
    own_failed: int = 1
    status: int | None = None  # exit status; None follows from the causes


@dataclass(frozen=True)
class Result:
    """What the command brought."""

    report: dict[str, Any]
    text: str
    status: int

    @property
    def first(self) -> dict[str, Any]:
        cause: dict[str, Any] = self.report["causes"][0]
        return cause


def ask(*words: str) -> Result:
    """Run the command line with --json."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(["--json", *words])
    text = out.getvalue()
    return Result(json.loads(text) if text else {}, text + err.getvalue(), status)


def params(cases: list[Case]) -> pytest.MarkDecorator:
    """The cases as a parametrisation."""
    return pytest.mark.parametrize("case", cases, ids=[case.name for case in cases])


HEALTHY = ("not-an-auth-error", "expected-challenge")


def examine(case: Case, note: Callable[[str, object], None]) -> None:
    """Run a case and compare everything that it promises; `note` keeps the figures for a table."""
    with case.site() as site:
        result = ask(*site.words(case.words))
        asked, failed = site.asked(), site.failed_logins()
    first = result.first
    note("named", first["id"])
    note("expected", "/".join(case.causes))
    note("proved", bool(first.get("proved")))
    note("requests", asked)
    note("failed", failed)
    told = [(c["id"], round(c["probability"], 2)) for c in result.report["causes"][:3]]
    tries = [(e["change"], e["outcome"]) for e in result.report.get("experiments", [])]
    assert first["id"] in case.causes, (told, tries)
    if case.proved is not None:
        assert bool(first.get("proved")) is case.proved, (told, tries)
    wanted = case.status if case.status is not None else (0 if first["id"] in HEALTHY else 1)
    assert result.status == wanted
    assert asked <= MOST_REQUESTS, tries
    assert failed <= MOST_FAILED + case.own_failed, tries
    for secret in case.secrets:
        assert secret not in result.text
