"""A password file that the server's own user may not read."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

import pytest

from why401.checks import layers_access
from why401.cli.main import main

NOBODY = pwd.getpwnam("nobody")
NGINX = """user nobody;
events {}
http { server { listen 8080; location / { auth_basic x; auth_basic_user_file %s; } } }
"""
APACHE = """ServerRoot %s
Listen 8080
User nobody
Group #65534
<Location />
    AuthType Basic
    AuthName x
    AuthUserFile %s
    Require valid-user
</Location>
"""


@pytest.fixture
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A password file in a folder of its own, below folders that anybody may pass."""
    whole, base = os.stat, str(tmp_path)

    def stat(path: object, **rest: object) -> os.stat_result:
        found = whole(path, **rest)  # type: ignore[call-overload]
        if str(path) in base:  # the test's own folders are private
            return os.stat_result((found.st_mode | 0o755, *found[1:]))
        return found  # type: ignore[no-any-return]

    monkeypatch.setattr("why401.layers.file_access.os.stat", stat)
    folder = tmp_path / "home"
    folder.mkdir()
    folder.chmod(0o755)
    file = folder / "users"
    file.write_text("ann:$apr1$abcdefgh$5LyeC7Lk4eXjq9pTTcaQh/\n")
    file.chmod(0o644)
    yield file
    folder.chmod(0o755)


def lint(file: Path, server: str, capsys: pytest.CaptureFixture[str]) -> str:
    folder = file.parent.parent
    name, text = (
        ("nginx.conf", NGINX % file) if server == "nginx" else ("httpd.conf", APACHE % (folder, file))
    )
    (folder / name).write_text(text)
    main(["lint", str(folder / name)])
    return capsys.readouterr().out


@pytest.mark.skipif(NOBODY.pw_uid == os.getuid(), reason="the tests run as the server's user themselves")
@pytest.mark.parametrize("server", ["nginx", "apache"])
def test_a_folder_that_the_user_may_not_pass(
    users: Path, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    users.parent.chmod(0o700)
    said = lint(users, server, capsys)
    assert f"who may not pass the folder {users.parent} to the password file {users}" in said
    assert f":{3 if server == 'nginx' else 8}: " in said
    assert "[password-file-problem]" in said


@pytest.mark.parametrize("server", ["nginx", "apache"])
def test_a_file_that_the_user_may_not_read(
    users: Path, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    users.chmod(0o600)
    assert f"who may not read the password file {users}" in lint(users, server, capsys)


@pytest.mark.parametrize("server", ["nginx", "apache"])
def test_a_file_that_the_user_may_read(users: Path, server: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert lint(users, server, capsys) == ""


def test_a_user_that_this_machine_does_not_have(users: Path, capsys: pytest.CaptureFixture[str]) -> None:
    users.chmod(0o600)
    (users.parent.parent / "x.conf").write_text(
        (NGINX % users).replace("user nobody", "user nobody-of-this-name")
    )
    main(["lint", str(users.parent.parent / "x.conf")])
    assert "may not" not in capsys.readouterr().out
    assert layers_access._known("nobody-of-this-name", "") is None
