"""The built wheel in an empty environment: the command works, and all of it is small enough."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LARGEST = 70_000_000  # bytes that a user's environment grows by


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(folder), str(ROOT)],
        capture_output=True,
        text=True,
    )
    if built.returncode:
        pytest.skip(f"no wheel can be built here: {built.stderr.strip().splitlines()[-1:]}")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "env")], check=True)
    (wheel,) = folder.glob("why401-*.whl")
    python = folder / "env/bin/python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "env"


def run(environment: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [str(environment / "bin/why401"), *words]
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)


def test_the_console_script_works(environment: Path) -> None:
    assert run(environment, "--version").stdout.startswith("why401 ")
    demo = run(environment, "demo")
    assert "stray-whitespace" in demo.stdout
    assert "proved" in demo.stdout


def test_pages_signatures_and_templates_are_in_it(environment: Path, tmp_path: Path) -> None:
    assert "audience" in run(environment, "explain", "wrong-audience").stdout
    assert "Apache" in run(environment, "explain", "AH01617").stdout
    (tmp_path / "a.http").write_text("GET / HTTP/1.1\nHost: a.example\n\nHTTP/1.1 401 Unauthorized\n\n")
    page = tmp_path / "a.html"
    run(environment, "--html", str(page), str(tmp_path / "a.http"))
    assert "<h1" in page.read_text()


def test_it_is_small_enough(environment: Path) -> None:
    files = (
        path for path in environment.rglob("site-packages/**/*") if path.is_file() and path.suffix != ".pyc"
    )
    assert sum(path.stat().st_size for path in files) <= LARGEST
