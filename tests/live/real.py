"""Real servers with one fault each, as sites of the laboratory: nginx, Apache httpd and Squid.

What they received is read from their own access logs: method, path, whether a credential came, and the status.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.live.servers import free_port, needs, running
from tests.live.sites import Site

_LOG = '"$request_method" $status "$http_authorization$http_cookie$http_x_api_key$http_proxy_authorization"'


@dataclass
class LoggedSite(Site):
    """A site whose server writes a line `"METHOD" STATUS "CREDENTIALS"` a request."""

    log: Path = Path("access.log")

    def _lines(self) -> list[tuple[str, bool]]:
        time.sleep(0.05)
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        parts = [line.split('"') for line in lines if "PROBE" not in line]
        return [(p[2].strip(), len(p) > 3 and p[3].strip("-") != "") for p in parts if len(p) > 2]

    def asked(self) -> int:
        return len(self._lines())

    def failed_logins(self) -> int:
        return sum(login and status in ("401", "403", "407") for status, login in self._lines())


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that the servers' own users may read."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


def htpasswd(path: Path, user: str = "alice", password: str = "s3cret-Pw") -> Path:
    subprocess.run([needs("htpasswd"), "-cbm", str(path), user, password], check=True, capture_output=True)
    path.chmod(0o644)
    return path


@contextmanager
def nginx(
    servers: str, *, http: str = "", tls: bool = False, names: dict[str, str] | None = None
) -> Iterator[Site]:
    """nginx with these `server` blocks; {port}, {port2}, {port3} and {dir} are filled in."""
    program = needs("nginx")
    with folder() as where:
        (where / "index.html").write_text("protected\n")
        (where / "p").write_text("protected\n")
        htpasswd(where / "htpasswd")
        ports = {name: str(free_port()) for name in ("port", "port2", "port3")}
        text = (
            "daemon off; user root; pid {dir}/nginx.pid; error_log {dir}/error.log info; events {}\n"
            "http { log_format lab '" + _LOG + "'; access_log {dir}/access.log lab; root {dir};\n"
            "client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3;\n"
            "uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5;\n" + http + servers + "}\n"
        )
        fills = {"dir": str(where), **ports, **(names or {})}
        for name, value in fills.items():
            text = text.replace("{" + name + "}", value)
        (where / "nginx.conf").write_text(text)
        command = [program, "-p", str(where), "-e", str(where / "error.log"), "-c", str(where / "nginx.conf")]
        with running(command, _up(int(ports["port"])), where):
            url = f"http{'s' if tls else ''}://127.0.0.1:{ports['port']}"
            (where / "access.log").write_text("")
            yield LoggedSite(url, names={**fills}, log=where / "access.log")


def _up(port: int) -> str:
    return f"http://127.0.0.1:{port}/"


_MODULES = (
    "mpm_prefork authn_core authn_file auth_basic auth_digest authz_core authz_user authz_host authz_groupfile "
    "access_compat alias cgi proxy proxy_http headers log_config dir mime env setenvif rewrite unixd"
)


@contextmanager
def apache(
    directory: str, *, main: str = "", htaccess: str = "", names: dict[str, str] | None = None
) -> Iterator[Site]:
    """Apache httpd with directives for its document root, for the whole server, and an .htaccess file."""
    program = needs("apache2")
    with folder() as where:
        root = where / "www"
        (root / "cgi").mkdir(parents=True)
        (root / "p").write_text("protected\n")
        if htaccess:
            (root / ".htaccess").write_text(htaccess.replace("{dir}", str(where)))
        script = root / "cgi" / "app"
        script.write_text(_CGI)
        for path in (root, root / "cgi", script):
            path.chmod(0o755)
        htpasswd(where / "htpasswd")
        (where / "groups").write_text("staff: bob\n")
        (where / "htdigest").write_text(_htdigest())
        port = free_port()
        available = Path("/usr/lib/apache2/modules")
        loads = "\n".join(
            f"LoadModule {m}_module {available}/mod_{m}.so"
            for m in _MODULES.split()
            if (available / f"mod_{m}.so").exists()
        )
        text = (
            f"ServerRoot {where}\nServerName 127.0.0.1\nTypesConfig /dev/null\n"
            f"PidFile {where}/httpd.pid\nDefaultRuntimeDir {where}\n"
            f"User www-data\nGroup www-data\nListen 127.0.0.1:{port}\nErrorLog {where}/error.log\n{loads}\n"
            'LogFormat "\\"%m\\" %>s \\"%{Authorization}i%{Cookie}i%{X-Api-Key}i\\"" lab\n'
            f"CustomLog {where}/access.log lab\n"
            f"DocumentRoot {root}\n<Directory {root}>\nAllowOverride All\n{directory}\n</Directory>\n"
            f"<Directory {root}/cgi>\nOptions +ExecCGI\nSetHandler cgi-script\n</Directory>\n{main}\n"
        )
        for name, value in {"dir": str(where), "port": str(port), **(names or {})}.items():
            text = text.replace("{" + name + "}", value)
        (where / "httpd.conf").write_text(text)
        with running([program, "-X", "-f", str(where / "httpd.conf")], _up(port), where) as url:
            time.sleep(0.1)
            (where / "access.log").write_text("")
            yield LoggedSite(
                url.rstrip("/"), names={"dir": str(where), **(names or {})}, log=where / "access.log"
            )


_CGI = """#!/bin/sh
if [ "$HTTP_AUTHORIZATION" = "Bearer tok-8f3a9c1e5b7d2f40" ]; then
  printf 'Content-Type: application/json\\r\\n\\r\\n{"orders": []}'
else
  printf 'Status: 401 Unauthorized\\r\\nWWW-Authenticate: Bearer\\r\\nContent-Type: application/json\\r\\n\\r\\n'
  printf '{"detail": "Authentication credentials were not provided."}'
fi
"""


def _htdigest(realm: str = "lab") -> str:
    import hashlib

    digest = hashlib.md5(f"alice:{realm}:s3cret-Pw".encode()).hexdigest()
    return f"alice:{realm}:{digest}\n"


@contextmanager
def squid(target: Site) -> Iterator[Site]:
    """Squid that wants Basic credentials, in front of a site; `{proxy}` is its address."""
    program = needs("squid")
    helper = "/usr/lib/squid/basic_ncsa_auth"
    with folder() as where:
        htpasswd(where / "htpasswd", "alice", "pr0xy-Pw")
        port = free_port()
        (where / "squid.conf").write_text(
            f"http_port 127.0.0.1:{port}\npid_filename {where}/squid.pid\ncache_log {where}/cache.log\n"
            f"access_log none\ncache deny all\ncoredump_dir {where}\nvisible_hostname proxy.example\n"
            f"auth_param basic program {helper} {where}/htpasswd\nauth_param basic realm lab-proxy\n"
            "acl known proxy_auth REQUIRED\nhttp_access allow known\nhttp_access deny all\n"
            f"shutdown_lifetime 0 seconds\ncache_effective_user proxy\npinger_enable off\n"
        )
        command = [program, "-N", "-n", f"lab{port}", "-f", str(where / "squid.conf")]
        with running(command, f"http://127.0.0.1:{port}/", where):
            target.names |= {"proxy": f"http://127.0.0.1:{port}", "proxyhost": f"127.0.0.1:{port}"}
            yield target
