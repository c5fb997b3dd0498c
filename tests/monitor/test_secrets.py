"""Nothing that stood in a credential's place reaches the disk, wherever in the event it stands again."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.monitor.running import envelope, running, until
from why401.monitor.scrub import scrub

SECRETS = st.text(
    st.sampled_from("abcdefghijkmnpqrstuvwxyzABCDEFGH23456789-_"), min_size=12, max_size=40
).map("Zq9".__add__)
PLACES: tuple[tuple[str, Any], ...] = (
    ("exchange", lambda s: {"fields": [["Authorization", f"Bearer {s}"]]}),
    ("exchange", lambda s: {"fields": [["Cookie", f"session={s}; theme=dark"]]}),
    ("exchange", lambda s: {"url": f"https://user:{s}@api.example.com/"}),
    ("exchange", lambda s: {"url": f"https://api.example.com/?access_token={s}"}),
    ("exchange", lambda s: {"fields": [["X-Api-Key", s]]}),
    ("params", lambda s: {"password": s}),
    ("session", lambda s: {"client_secret": s}),
    ("context", lambda s: {"headers": {"Proxy-Authorization": f"Basic {s}"}}),
)  # fmt: skip
ECHOES: tuple[Any, ...] = (
    lambda s: {"message": f"could not use {s} here"},
    lambda s: {"raised": [{"type": "Error", "message": f"bad: {s}", "frames": [
        {"function": "f", "vars": {"anything": s, "deep": [{"er": s}]}, "source": {"3": f"x = '{s}'"}}]}]},
    lambda s: {"breadcrumbs": [{"message": f"sent {s}", "data": {"k": s}}]},
    lambda s: {"tags": {"note": s}},
    lambda s: {"user": {"note": s}},
)  # fmt: skip


@given(secret=SECRETS, place=st.sampled_from(PLACES), echoes=st.lists(st.sampled_from(ECHOES), max_size=3))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_value_seen_in_a_credentials_place_is_blanked_everywhere(
    secret: str, place: Any, echoes: list[Any]
) -> None:
    event: dict[str, Any] = {"id": "0" * 32, "kind": "exception", "time": 1.0}
    for echo in echoes:
        event |= echo(secret)
    event[place[0]] = place[1](secret)
    assert secret not in json.dumps(scrub(event, b"k" * 32, 1.0).event)  # type: ignore[arg-type]


def test_no_secret_is_in_any_file_of_the_data_folder(tmp_path: Path) -> None:
    secret = "Zq9-planted-" + uuid.uuid4().hex
    event = {
        "event_id": uuid.uuid4().hex,
        "exception": {"values": [{"type": "E", "value": f"401 Unauthorized {secret}", "stacktrace": {"frames": [
            {"function": "f", "filename": "a.py", "lineno": 1, "vars": {"x": secret},
             "context_line": f"g('{secret}')"}]}}]},
        "request": {"url": f"https://h.example/?token={secret}", "headers": {"Authorization": f"Bearer {secret}"},
                    "cookies": f"sid={secret}", "data": {"password": secret}},
        "extra": {"dump": f"Authorization: Bearer {secret}"}, "tags": {"t": secret}, "user": {"id": secret},
    }  # fmt: skip
    with running(tmp_path / "data") as one:
        project = one.project("secrets")
        assert envelope(project, event, one.base).status_code == 200
        until(lambda: one.api(project, "/groups")[0]["cause"] is not None or True)
        whole = json.dumps(one.api(project, f"/events/{one.events(project)[0]['id']}"))
        assert secret not in whole
        assert "•••" in json.loads(whole)["event"]["exchange"]["url"] + whole
        assert one.stop() == 0
        files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
        assert files
        for path in files:
            assert secret.encode() not in path.read_bytes(), path.name
    import sqlite3

    with sqlite3.connect(tmp_path / "data" / "why401.sqlite3") as database:
        for (body,) in database.execute("SELECT body FROM events"):
            assert secret.encode() not in zstandard.ZstdDecompressor().decompress(body)
