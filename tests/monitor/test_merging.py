"""Groups that people merge and take apart."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from tests.monitor.running import Running, envelope, until


def said(message: str) -> dict[str, Any]:
    return {"event_id": uuid.uuid4().hex, "message": message, "tags": {"region": "eu"}}


def groups(monitor: Running, project: dict[str, Any]) -> dict[str, Any]:
    return {one["title"]: one for one in monitor.api(project, "/groups")}


def test_merged_groups_are_one_and_can_be_taken_apart(monitor: Running) -> None:
    project = monitor.project("merging")
    for message in ("disk full", "disk full", "no space left"):
        envelope(project, said(message), monitor.base)
    held = groups(monitor, project)
    full, space = held["disk full"]["id"], held["no space left"]["id"]
    merged = monitor.api(project, f"/groups/{space}/merge", method="POST", json={"into": full})
    assert (merged["id"], merged["events"]) == (full, 3)
    assert merged["tags"]["region"] == [{"value": "eu", "events": 3}]
    assert list(groups(monitor, project)) == ["disk full"]
    assert len(monitor.api(project, f"/groups/{full}/events")) == 3

    envelope(project, said("no space left"), monitor.base)
    until(lambda: groups(monitor, project)["disk full"]["events"] == 4)

    apart = monitor.api(project, f"/groups/{space}/split", method="POST")
    assert apart["events"] == 0

    def came_apart() -> bool:
        envelope(project, said("no space left"), monitor.base)
        return bool(groups(monitor, project)["no space left"]["events"])

    until(came_apart)


def test_another_status_host_or_project_is_never_merged(monitor: Running) -> None:
    project, other = monitor.project("unmerged"), monitor.project("unmerged-other")
    for status, host in ((401, "a"), (403, "a"), (401, "b")):
        envelope(project, said(f"{status} Client Error for url: https://{host}.example/x"), monitor.base)
    envelope(other, said("401 Client Error for url: https://a.example/x"), monitor.base)
    ids = [one["id"] for one in monitor.api(project, "/groups")] + [monitor.api(other, "/groups")[0]["id"]]
    assert len(set(ids)) == 4
    for one in ids[1:]:
        with pytest.raises(httpx.HTTPStatusError) as refused:
            monitor.api(project, f"/groups/{ids[0]}/merge", method="POST", json={"into": one})
        assert refused.value.response.status_code == 400
    with pytest.raises(httpx.HTTPStatusError):
        monitor.api(project, f"/groups/{ids[0]}/merge", method="POST", json={"into": ids[0]})
