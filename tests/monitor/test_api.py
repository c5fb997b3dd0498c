"""The REST API does what the pages do."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.monitor.running import PASSWORD, Running, envelope, why401


@pytest.fixture(scope="module")
def api(monitor: Running) -> Iterator[httpx.Client]:
    why401(
        "user",
        "add",
        "api-owner",
        *monitor.options,
        "--role",
        "owner",
        "--password-stdin",
        given=PASSWORD + "\n",
    )
    token = why401("user", "token", "api-owner", *monitor.options).stdout.strip()
    with httpx.Client(base_url=f"{monitor.base}/api/v1", headers={"Authorization": f"Bearer {token}"}) as one:
        yield one


@pytest.fixture(scope="module")
def made(api: httpx.Client) -> dict[str, Any]:
    answer = api.post("/projects", json={"name": "by the API"})
    assert answer.status_code == 201
    project: dict[str, Any] = answer.json()
    return project


def test_a_project_is_made_and_changed(api: httpx.Client, made: dict[str, Any], monitor: Running) -> None:
    assert envelope(made, {"event_id": uuid.uuid4().hex, "message": "hello"}, monitor.base).status_code == 200
    path = f"/projects/{made['id']}"
    said = {
        "quota": 5,
        "keep_days": 3,
        "blocklist": ["ssn"],
        "apdex": 250,
        "quiet": "22:00-07:00",
        "summary": "daily",
    }
    changed = api.patch(path, json=said).json()
    assert {name: changed[name] for name in said} == said
    assert api.patch(path, json={"quota": 0}).json()["quota"] is None
    assert api.get(path).json()["groups"]["open"] == 1
    assert api.patch(path, json={"quiet": "late"}).status_code == 400
    other = api.post("/projects", json={"name": "another"}).json()
    assert api.patch(f"/projects/{other['id']}", json={"name": "by the API"}).status_code == 400
    assert api.post("/projects", json={"name": "another"}).status_code == 400


def test_keys_and_tokens(api: httpx.Client, made: dict[str, Any], monitor: Running) -> None:
    path = f"/projects/{made['id']}"
    new = api.post(f"{path}/keys").json()
    event = {"event_id": uuid.uuid4().hex, "message": "hello"}
    assert envelope(new, event, monitor.base).status_code == 200
    assert api.delete(f"{path}/keys/{new['key']}").status_code == 204
    assert [key["revoked"] is None for key in api.get(f"{path}/keys").json()] == [True, False]
    assert api.delete(f"{path}/keys/{new['key']}").status_code == 400

    token = api.post(f"{path}/tokens", json={"label": "ci", "role": "viewer"}).json()["token"]
    fields = {"Authorization": f"Bearer {token}"}
    assert api.get(f"{path}/groups", headers=fields).status_code == 200
    assert api.post(f"{path}/keys", headers=fields).status_code == 403
    listed = api.get(f"{path}/tokens")
    assert token not in listed.text
    (identity,) = [one["id"] for one in listed.json() if one["label"] == "ci"]
    assert api.delete(f"{path}/tokens/{identity}").status_code == 204
    assert api.get(f"{path}/groups", headers=fields).status_code == 401


def test_alerts_channels_and_checks(api: httpx.Client, made: dict[str, Any]) -> None:
    path = f"/projects/{made['id']}"
    (alert,) = api.post(f"{path}/alerts", json={"kind": "ratio", "ratio": 0.5}).json()
    assert alert["rule"]["ratio"] == 0.5
    assert api.post(f"{path}/alerts", json={"kind": "unheard of"}).status_code == 400
    channels = api.post(f"{path}/channels", json={"url": "json://user:topsecret@hooks.example/x"})
    assert "topsecret" not in channels.text
    assert api.post(f"{path}/channels", json={"url": "nonsense"}).status_code == 400
    (check,) = api.post(f"{path}/checks", json={"url": "https://example.com/", "every": 60}).json()
    for name, identity in (
        ("alerts", alert["id"]),
        ("channels", channels.json()[0]["id"]),
        ("checks", check["id"]),
    ):
        assert api.delete(f"{path}/{name}/{identity}").status_code == 204
        assert api.delete(f"{path}/{name}/{identity}").status_code == 400
        assert api.get(f"{path}/{name}").json() == []
    assert api.get(f"{path}/told").json() == []


def test_a_group_is_assigned_and_commented_on(
    api: httpx.Client, made: dict[str, Any], monitor: Running
) -> None:
    assert envelope(made, {"event_id": uuid.uuid4().hex, "message": "hello"}, monitor.base).status_code == 200
    path = f"/projects/{made['id']}"
    group = api.get(f"{path}/groups").json()[0]["id"]
    me = next(one["id"] for one in api.get("/users").json() if one["name"] == "api-owner")
    assert api.put(f"{path}/groups/{group}/assignee", json={"to": me}).json()["assignee"] == me
    assert api.put(f"{path}/groups/{group}/assignee", json={"to": 10**6}).status_code == 400
    assert api.put(f"{path}/groups/{group}/assignee", json={"to": None}).json()["assignee"] is None
    (comment,) = api.post(f"{path}/groups/{group}/comments", json={"text": "Look at the gateway."}).json()[
        "comments"
    ]
    assert (comment["by"], comment["text"]) == ("api-owner", "Look at the gateway.")
    token = {"Authorization": f"Bearer {made['api_token']}"}
    assert api.post(f"{path}/groups/{group}/comments", json={"text": "x"}, headers=token).status_code == 403


def test_people(api: httpx.Client) -> None:
    made = api.post("/users", json={"name": "gail", "role": "viewer", "password": PASSWORD}).json()
    assert api.post("/users", json={"name": "gail", "password": PASSWORD}).status_code == 400
    assert api.post("/users", json={"name": "hal", "password": "short"}).status_code == 400
    assert api.delete(f"/users/{made['id']}").status_code == 204
    assert next(one["disabled"] for one in api.get("/users").json() if one["name"] == "gail")
    assert any(row["action"] == "user disabled" for row in api.get("/audit").json())


def test_every_operation_is_described(api: httpx.Client) -> None:
    paths = httpx.get(str(api.base_url).rstrip("/") + "/openapi.json").json()["paths"]
    for wanted in (
        "/projects/{project}/alerts",
        "/projects/{project}/groups/{group}/comments",
        "/teams/{team}",
    ):
        assert f"/api/v1{wanted}" in paths
    assert all(one.get("summary") for path in paths.values() for one in path.values())
