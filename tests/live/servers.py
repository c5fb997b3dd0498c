"""Real servers on loopback: nginx, Apache httpd and an OpenID provider, each in a folder of its own."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

LAB = Path(__file__).parents[1] / "lab"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def needs(program: str) -> str:
    """The path of a program, or a skip with the reason."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server answers at all."""
    for _ in range(200):
        if process.poll() is not None:
            pytest.fail(f"the server ended at once with status {process.returncode}")
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    pytest.fail(f"{url} did not come up")


@contextmanager
def running(command: list[str], url: str, cwd: Path) -> Iterator[str]:
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def nginx(folder: Path, location: str) -> Iterator[str]:
    """nginx with the given directives in `location /`."""
    program, port = needs("nginx"), free_port()
    (folder / "index.html").write_text("protected\n")
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log info; events {{}}\n"
        f"http {{ access_log {folder}/access.log; client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2;\n"
        f"fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;\n"
        f"server {{ listen 127.0.0.1:{port}; root {folder}; location / {{ {location} }} }} }}\n"
    )
    folder.chmod(0o755)
    command = [program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    with running(command, f"http://127.0.0.1:{port}/index.html", folder) as url:
        yield url


@contextmanager
def apache(folder: Path, directives: str) -> Iterator[str]:
    """Apache httpd with the given directives for its document root."""
    program, port = needs("apache2"), free_port()
    root = folder / "www"
    root.mkdir()
    (root / "index.html").write_text("protected\n")
    modules = [
        "mpm_event",
        "authn_core",
        "authn_file",
        "auth_basic",
        "auth_digest",
        "authz_core",
        "authz_user",
        "authz_host",
    ]
    loads = "\n".join(f"LoadModule {m}_module /usr/lib/apache2/modules/mod_{m}.so" for m in modules)
    (folder / "httpd.conf").write_text(
        f"ServerRoot {folder}\nServerName 127.0.0.1\nPidFile {folder}/httpd.pid\nDefaultRuntimeDir {folder}\n"
        f"User www-data\nGroup www-data\n"
        f"Listen 127.0.0.1:{port}\nErrorLog {folder}/error.log\n{loads}\nDocumentRoot {root}\n"
        f"<Directory {root}>\n{directives}\n</Directory>\n"
    )
    for path in (folder, root):
        path.chmod(0o755)
    command = [program, "-X", "-f", str(folder / "httpd.conf")]
    with running(command, f"http://127.0.0.1:{port}/index.html", folder) as url:
        yield url


@contextmanager
def openid_provider(back: str = "") -> Iterator[str]:
    """npm's oidc-provider with a client `shop`, and `monitor` where people come back to `back`; yields the issuer."""
    node = needs("node")
    if not (LAB / "node_modules" / "oidc-provider").is_dir():
        pytest.skip("oidc-provider is not installed; run npm ci in tests/lab")
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    with running(
        [node, "provider.mjs", str(port), *([back] if back else [])],
        f"{issuer}/.well-known/openid-configuration",
        LAB,
    ):
        yield issuer
