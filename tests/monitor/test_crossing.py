"""Whoever may not see a project does not see it, however they ask."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.monitor.running import PASSWORD, Running, envelope, why401
from why401.monitor import schema
from why401.monitor.store import open_store


@pytest.fixture(scope="module")
def two(monitor: Running) -> tuple[dict[str, Any], dict[str, Any], str, str]:
    """(mine, theirs, their event's id, their group's id)."""
    mine, theirs = monitor.project("mine"), monitor.project("theirs")
    event = {"event_id": uuid.uuid4().hex, "message": "their secret failure"}
    assert envelope(theirs, event, monitor.base).status_code == 200
    (found,) = monitor.events(theirs)
    return mine, theirs, found["id"], found["group"]


PATHS = ("", "/events", "/events/{event}", "/groups", "/groups/{group}", "/groups/{group}/events")


@pytest.mark.parametrize("path", PATHS[1:])
@pytest.mark.parametrize("which", ["theirs", "mine"])
def test_a_token_of_one_project_opens_no_other(monitor: Running, two: Any, path: str, which: str) -> None:
    mine, theirs, event, group = two
    address = theirs if which == "theirs" else mine  # their ids under my own project are not found either
    where = f"{monitor.base}/api/v1/projects/{address['id']}{path.format(event=event, group=group)}"
    answer = httpx.get(where, headers={"Authorization": f"Bearer {mine['api_token']}"})
    assert "their secret failure" not in answer.text
    assert answer.status_code == 404 or (which == "mine" and answer.json() == [])
    changed = httpx.patch(
        where, headers={"Authorization": f"Bearer {mine['api_token']}"}, json={"state": "ignored"}
    )
    assert changed.status_code in (404, 405)


@pytest.mark.parametrize("path", ["/", "/projects/1", "/projects/1/routes", "/projects/1/settings", "/people", "/audit",
                                  "/turned-away", "/live", "/parts/projects", "/projects/1/groups/1"])  # fmt: skip
def test_no_page_without_sign_in(monitor: Running, path: str) -> None:
    page = httpx.get(monitor.base + path, headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["location"].partition("?")[0]) == (303, "/sign-in")
    assert httpx.get(monitor.base + path, headers={"Accept": "application/json"}).status_code == 401


def test_pages_take_the_token_too(monitor: Running, two: Any) -> None:
    mine, theirs, _, _ = two
    fields = {"Authorization": f"Bearer {mine['api_token']}", "Accept": "text/html"}
    assert httpx.get(f"{monitor.base}/projects/{mine['id']}", headers=fields).status_code == 200
    assert httpx.get(f"{monitor.base}/projects/{theirs['id']}", headers=fields).status_code == 404


@pytest.mark.parametrize("path", ["/people", "/audit", "/turned-away", "/api/v1/users", "/api/v1/teams",
                                  "/api/v1/audit", "/api/v1/turned-away"])  # fmt: skip
def test_a_projects_token_governs_nothing_beyond_it(monitor: Running, two: Any, path: str) -> None:
    mine = two[0]
    fields = {"Authorization": f"Bearer {mine['api_token']}"}
    assert httpx.get(monitor.base + path, headers=fields).status_code == 403
    user = {"name": "mallory", "role": "owner", "password": PASSWORD}
    for where, said in (("users", user), ("projects", {"name": "more"}), ("teams", {"name": "t"})):
        assert httpx.post(f"{monitor.base}/api/v1/{where}", headers=fields, json=said).status_code == 403
    given = httpx.patch(f"{monitor.base}/api/v1/projects/{mine['id']}", headers=fields, json={"team": 1})
    assert given.status_code == 403


MINE = (
    "",
    "/routes",
    "/traffic",
    "/keys",
    "/tokens",
    "/alerts",
    "/channels",
    "/checks",
    "/told",
    "/filters",
)


@pytest.mark.parametrize("path", MINE)
def test_every_list_of_a_project_is_its_own(monitor: Running, two: Any, path: str) -> None:
    mine, theirs, _, _ = two
    fields = {"Authorization": f"Bearer {mine['api_token']}"}
    assert httpx.get(f"{monitor.base}/api/v1/projects/{mine['id']}{path}", headers=fields).status_code == 200
    assert (
        httpx.get(f"{monitor.base}/api/v1/projects/{theirs['id']}{path}", headers=fields).status_code == 404
    )
    for body in (
        {"name": "x"},
        {"label": "x"},
        {"kind": "new"},
        {"url": "json://h.example"},
        {"do": "drop", "name": "x"},
    ):
        there = f"{monitor.base}/api/v1/projects/{theirs['id']}{path}"
        assert httpx.post(there, headers=fields, json=body).status_code in (400, 404, 405)
        assert httpx.patch(there, headers=fields, json=body).status_code in (400, 404, 405)


def test_a_teams_project_is_seen_by_its_members_alone(monitor: Running, two: Any) -> None:
    theirs = two[1]
    with signed_in(monitor, "tess", "owner") as owner, signed_in(monitor, "mia", "member") as member:
        token = why401("user", "token", "tess", *monitor.options).stdout.strip()
        fields = {"Authorization": f"Bearer {token}"}
        api = httpx.Client(base_url=f"{monitor.base}/api/v1", headers=fields)
        (team,) = api.post("/teams", json={"name": "payments"}).json()
        mia = next(one["id"] for one in api.get("/users").json() if one["name"] == "mia")
        page = f"/projects/{theirs['id']}"
        assert member.get(page).status_code == 200, "a project of no team is everybody's"
        assert api.patch(page, json={"team": team["id"]}).json()["team"] == team["id"]
        assert member.get(page).status_code == 404
        assert owner.get(page).status_code == 200
        assert api.delete(f"/teams/{team['id']}").status_code == 400, "it has a project"
        api.put(f"/teams/{team['id']}/people/{mia}")
        assert member.get(page).status_code == 200
        form = {"act": "leave", "team": team["id"], "user": mia, "_csrf_token": owner.cookies["why401-csrf"]}
        assert owner.post("/teams", data=form).status_code == 303
        assert member.get(page).status_code == 404
        assert api.patch(page, json={"team": 0}).json()["team"] is None
        assert api.delete(f"/teams/{team['id']}").status_code == 204


def test_a_users_token_may_what_the_user_may_now(monitor: Running) -> None:
    with signed_in(monitor, "dora", "admin"):
        token = why401("user", "token", "dora", *monitor.options).stdout.strip()
        fields = {"Authorization": f"Bearer {token}"}
        assert httpx.get(f"{monitor.base}/api/v1/users", headers=fields).status_code == 200
        store = open_store(monitor.data, monitor.database)
        with store.write() as connection:
            connection.execute(
                schema.users.update().where(schema.users.c.name == "dora").values(role="viewer")
            )
        assert httpx.get(f"{monitor.base}/api/v1/users", headers=fields).status_code == 403


def test_a_wrong_token_is_challenged_as_rfc_6750_says(monitor: Running) -> None:
    answer = httpx.get(f"{monitor.base}/api/v1/projects", headers={"Authorization": "Bearer w401_wrong"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="why401", error="invalid_token"'


@contextmanager
def signed_in(monitor: Running, name: str, role: str) -> Iterator[httpx.Client]:
    why401("user", "add", name, *monitor.options, "--role", role, "--password-stdin", given=PASSWORD + "\n")
    with httpx.Client(base_url=monitor.base, headers={"Accept": "text/html"}) as client:
        client.get("/sign-in")
        form = {"name": name, "password": PASSWORD, "_csrf_token": client.cookies["why401-csrf"]}
        assert client.post("/sign-in", data=form).status_code == 303
        yield client


def test_forms_need_the_token_against_forgery(monitor: Running, two: Any) -> None:
    mine = two[0]
    with signed_in(monitor, "erin", "owner") as client:
        path = f"/projects/{mine['id']}/keys"
        assert client.post(path).status_code == 403
        assert client.post(path, data={"_csrf_token": client.cookies["why401-csrf"]}).status_code == 303
        session = httpx.patch(
            f"{monitor.base}/api/v1/projects/{mine['id']}/groups/1", json={"state": "ignored"},
            cookies={"why401": client.cookies["why401"]},
        )  # fmt: skip
        assert session.status_code == 401, (
            "a session alone changes nothing by the API, which asks for no form's token"
        )


@pytest.mark.parametrize("path", ["/people", "/audit", "/turned-away"])
def test_a_viewer_sees_no_page_of_those_who_run_it(monitor: Running, path: str) -> None:
    with signed_in(monitor, f"viewer{path[1:]}", "viewer") as client:
        assert client.get(path).status_code == 403


def test_a_wrong_password_and_an_unknown_name_are_told_alike(monitor: Running) -> None:
    why401("user", "add", "frank", *monitor.options, "--password-stdin", given=PASSWORD + "\n")
    pages = []
    for name in ("frank", "nobody-at-all"):
        with httpx.Client(base_url=monitor.base, headers={"Accept": "text/html"}) as client:
            client.get("/sign-in")
            form = {"name": name, "password": "wrong password", "_csrf_token": client.cookies["why401-csrf"]}
            answer = client.post("/sign-in", data=form)
            pages.append((answer.status_code, "do not fit" in answer.text))
    assert pages == [(401, True), (401, True)]


@pytest.mark.parametrize("there", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_signing_in_leads_to_no_other_site(monitor: Running, there: str) -> None:
    page = httpx.get(f"{monitor.base}/sign-in", params={"next": there})
    assert 'name="next" value="/"' in page.text
