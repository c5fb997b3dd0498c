"""Lab cases: a folder each below `cases/`, with `case.toml` and a folder a server, as README.md beside this says."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab.kinds import KINDS
from tests.lab.stage import LAB

CASES = LAB / "cases"


@dataclass(frozen=True)
class Server:
    kind: str
    name: str
    app: str = ""


@dataclass(frozen=True)
class Request:
    """The legitimate request. `user` is curl's -u, `proxy_user` its -U: then the outermost server is asked as a
    forward proxy for the one behind it. `accepts` are the statuses of success, `refused` those of a refusal."""

    path: str = "/"
    method: str = "GET"
    user: str = ""
    proxy_user: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    credentials: tuple[str, ...] = ()  # further headers that bear the credential
    options: tuple[str, ...] = ()  # further options of curl: "--digest"
    accepts: tuple[int, ...] = (200, 201, 204)
    refused: tuple[int, ...] = (401, 403, 407)


@dataclass(frozen=True)
class Expect:
    """What the diagnosis has to be: `causes`, the first being best; the guilty `file` and the text of its `line`;
    `fix` is "diff" where the report's diff has to mend it."""

    status: int = 401
    causes: tuple[str, ...] = ()
    file: str = ""
    line: str = ""
    proved: bool | None = None
    fix: str = ""


@dataclass(frozen=True)
class Case:
    name: str
    says: str
    servers: tuple[Server, ...]
    request: Request
    expect: Expect
    sound: bool = False
    pending: str = ""  # what why401 does not get right yet: diagnosis and mending may fail
    evidence: tuple[str, ...] = ("config", "error.log", "app")
    users: tuple[Mapping[str, Any], ...] = ()
    modes: Mapping[str, str] = field(default_factory=dict)
    token: Mapping[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return CASES / self.name


def names() -> list[str]:
    """The names of all cases."""
    return sorted(path.parent.name for path in CASES.glob("*/case.toml"))


def load(name: str) -> Case:
    """Read a case; raises ValueError or TypeError for what does not belong there."""
    said = tomllib.loads((CASES / name / "case.toml").read_text())
    servers = tuple(_server(row) for row in said.pop("server", ()))
    if len({server.name for server in servers}) != len(servers) or not servers:
        raise ValueError(f"{name}: every server needs a name of its own, and there has to be one")
    request, expect = Request(**_tuples(said.pop("request", {}))), Expect(**_tuples(said.pop("expect", {})))
    case = Case(name=name, servers=servers, request=request, expect=expect, **_tuples(said))
    if case.sound == bool(case.expect.causes):
        raise ValueError(f"{name}: either sound = true or causes that are expected")
    return case


def _server(row: Mapping[str, str]) -> Server:
    if row["kind"] not in KINDS:
        raise ValueError(f"there is no kind of server {row['kind']!r}; the lab knows {', '.join(KINDS)}")
    return Server(**{"name": row["kind"], **row})


def _tuples(said: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in said.items()}
