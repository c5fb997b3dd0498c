"""The main job against real servers: nginx and Apache httpd with real Basic and Digest."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.servers import apache, needs, nginx
from why401 import live
from why401.probes.from_curl import ask_of
from why401.report import Report


def diagnose(*words: str) -> Report:
    return live.diagnose(ask_of(words))


def named(report: Report) -> tuple[str | None, bool]:
    first = report.diagnoses[0].causes[0]
    return (first.cause.id if first.cause else None), first.proof is not None


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder that the servers' own users may read; pytest's lies below one that only root may enter."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def htpasswd(tmp_path: Path) -> Path:
    path = tmp_path / "htpasswd"
    subprocess.run(
        [needs("htpasswd"), "-cbm", str(path), "alice", "s3cret-Pw"], check=True, capture_output=True
    )
    path.chmod(0o644)
    return path


@pytest.fixture
def htdigest(tmp_path: Path) -> Path:
    import hashlib

    path = tmp_path / "htdigest"
    digest = hashlib.md5(b"alice:lab:s3cret-Pw").hexdigest()
    path.write_text(f"alice:lab:{digest}\n")
    path.chmod(0o644)
    return path


def test_nginx_basic(tmp_path: Path, htpasswd: Path) -> None:
    with nginx(tmp_path, f'auth_basic "lab"; auth_basic_user_file {htpasswd};') as url:
        assert named(diagnose("-u", "alice:s3cret-Pw", url)) == ("not-an-auth-error", False)
        assert named(diagnose("-u", "alice:s3cret-Pw\n", url)) == ("stray-whitespace", True)
        assert named(diagnose(url)) == ("no-credentials", False)
        assert named(diagnose("-u", "alice:other-Pw1", url)) == ("wrong-password", False)
        assert named(diagnose("-H", "Authorization: Bearer abc.def.ghi12345", url))[0] in (
            "wrong-scheme",
            "auth-layers-collide",
        )
        assert named(diagnose("-H", "Authorization: Basic alice:s3cret-Pw", url)) == ("bad-base64", True)


def test_nginx_log_tells_the_unknown_user(tmp_path: Path, htpasswd: Path) -> None:
    from why401 import readers

    with nginx(tmp_path, f'auth_basic "lab"; auth_basic_user_file {htpasswd};') as url:
        live.diagnose(ask_of(["-u", "bob:s3cret-Pw", url]), limits=live.Limits(requests=1))
        log = readers.read([readers.Input("error.log", (tmp_path / "error.log").read_bytes())])
        report = live.diagnose(ask_of(["-u", "bob:s3cret-Pw", url]), log)
    assert named(report)[0] == "unknown-user"


def test_apache_digest(tmp_path: Path, htdigest: Path) -> None:
    source = f"AuthDigestProvider file\nAuthUserFile {htdigest}"
    directives = f'AuthType Digest\nAuthName "lab"\n{source}\nRequire valid-user'
    with apache(tmp_path, directives) as url:
        assert named(diagnose("--digest", "-u", "alice:s3cret-Pw", url))[0] == "expected-challenge"
        assert named(diagnose("-u", "alice:s3cret-Pw", url)) == ("wrong-scheme", True)
        assert named(diagnose("--digest", "-u", "alice:other-Pw1", url))[0] in (
            "wrong-password",
            "digest-mismatch",
        )


def test_apache_basic(tmp_path: Path, htpasswd: Path) -> None:
    directives = f'AuthType Basic\nAuthName "lab"\nAuthUserFile {htpasswd}\nRequire valid-user'
    with apache(tmp_path, directives) as url:
        assert named(diagnose("-H", "Authorization: Basic Basic YWxpY2U6czNjcmV0LVB3", url)) == (
            "malformed-authorization",
            True,
        )
        assert named(diagnose("-u", "alice:s3cret-Pw", url)) == ("not-an-auth-error", False)
