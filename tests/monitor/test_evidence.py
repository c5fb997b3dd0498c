"""What an event tells the diagnosis."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.monitor.running import running, until
from why401.monitor import projects
from why401.monitor.evidence import diagnose, of
from why401.monitor.kept import keep
from why401.monitor.projects import Project
from why401.monitor.store import open_store
from why401.monitor.writing import Groups, Work, write


def token(**claims: Any) -> str:
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256", "kid": "k1"}, claims)]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (*parts, b"s" * 256))


def raised(**variables: Any) -> Any:
    frame = {"function": "charge", "file": "billing.py", "line": 3, "in_app": True, "vars": variables}
    says = "401 Client Error: Unauthorized for url: https://billing.example.com/v1/charges"
    return {"id": "0" * 32, "time": 1_790_000_000.0, "kind": "exception",
            "raised": [{"type": "HTTPError", "message": says, "frames": [frame]}]}  # fmt: skip


def cause(event: Any) -> tuple[str, float]:
    first = json.loads(diagnose(event))["causes"][0]
    return first["id"], first["probability"]


EXPIRED, FRESH = token(exp=1_789_999_000, aud="a"), token(exp=1_790_003_600, aud="a")


def test_an_expired_token_at_hand_where_the_request_was_refused() -> None:
    name, probability = cause(raised(headers=f"{{'Authorization': 'Bearer {EXPIRED}'}}"))
    assert name == "token-expired"
    assert probability < 0.9, "that it was this token that was sent is an inference"


@pytest.mark.parametrize("variables", [{}, {"token": FRESH}, {"a": EXPIRED, "b": FRESH}])
def test_no_token_a_fresh_one_or_several_say_nothing_of_an_end(variables: dict[str, str]) -> None:
    assert cause(raised(**variables))[0] != "token-expired"


def test_a_librarys_locals_are_not_asked() -> None:
    event = raised(token=EXPIRED)
    event["raised"][0]["frames"][0]["in_app"] = False
    assert [
        one.request.fields.items for one in of(event).exchanges if one.request and one.request.fields.items
    ] == []


def test_claims_that_a_reporter_told_stand_in_for_its_token() -> None:
    event: Any = {
        "id": "0" * 32, "time": 1_790_000_000.0, "kind": "refusal",
        "context": {"credential": {"scheme": "bearer", "state": "expired",
                                   "claims": {"alg": "HS256", "exp": 1_789_999_000}}},
        "exchange": {"role": "server", "method": "GET", "url": "https://a.example/x", "status": 401,
                     "complete": True, "answered": [],
                     "fields": [["Authorization", "Bearer ••• #0123456789ab [alg=HS256 exp=1789999000]"]]},
    }  # fmt: skip
    assert cause(event)[0] == "token-expired"
    event["context"]["credential"]["claims"]["exp"] = 1_790_003_600
    assert cause(event)[0] != "token-expired"


def test_what_was_not_diagnosed_when_the_process_ended_is_when_it_starts_again(tmp_path: Path) -> None:
    store = open_store(tmp_path / "data")
    project = projects.add(store, "p", "http://h.example")
    event: Any = {"id": "0" * 32, "kind": "message", "time": time.time(),
                  "message": "401 Unauthorized for url: https://a.example/x"}  # fmt: skip
    work = Work(kept=[keep(event, Project(project["id"], "p", None), b"k" * 32, time.time())])
    with store.write() as connection:
        write(store, Groups(store), connection, work, time.time())
    store.close()
    with running(tmp_path / "data") as one:
        one.projects["p"] = project
        until(lambda: one.api(project, "/groups")[0]["cause"], 30)
