"""What servers the lab knows: a table, a row a program.

In a row's command stand `{program}` (its path), `{folder}` (its configuration or code), `{log}`, `{run}` (process
ids, temporary files), `{port}` and `{app}` (what a case says is to be run). Every program stays in the foreground.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Literal

Role = Literal["config", "app"]


@dataclass(frozen=True)
class Kind:
    """How a server is started.

    `programs`: names, the first that is installed is taken. `roles`: whether its folder is handed to why401 as
    "config", as "app", or with either word. `http` is false where the server speaks no HTTP (FastCGI).
    """

    programs: tuple[str, ...]
    command: tuple[str, ...]
    roles: tuple[Role, ...] = ("config",)
    environment: dict[str, str] = field(default_factory=dict)
    app: str = ""
    needs: str = ""  # a folder below this one without which it cannot run
    http: bool = True
    patience: float = 10.0  # seconds until it has to answer


_PHP_FPM = ("php-fpm8.2", "php-fpm8.3", "php-fpm8.4", "php-fpm")

KINDS: dict[str, Kind] = {
    "nginx": Kind(
        ("nginx",),
        (
            *("{program}", "-p", "{folder}", "-e", "{log}/error.log", "-c", "{folder}/nginx.conf"),
            *("-g", "daemon off; pid {run}/nginx.pid;"),
        ),
    ),
    # Debian's own apache2.conf and envvars say what stands in -C here
    "apache": Kind(
        ("apache2",),
        (
            *("{program}", "-D", "FOREGROUND", "-d", "{folder}", "-f", "{folder}/apache2.conf"),
            *(
                "-C",
                "PidFile {run}/apache2.pid",
                "-C",
                "DefaultRuntimeDir {run}",
                "-C",
                "ServerName 127.0.0.1",
            ),
            *("-C", "User www-data", "-C", "Group www-data"),
        ),
    ),
    "caddy": Kind(
        ("caddy",),
        ("{program}", "run", "--config", "{folder}/Caddyfile", "--adapter", "caddyfile"),
        environment={"HOME": "{run}", "XDG_DATA_HOME": "{run}", "XDG_CONFIG_HOME": "{run}"},
    ),
    "lighttpd": Kind(("lighttpd",), ("{program}", "-D", "-f", "{folder}/lighttpd.conf")),
    "haproxy": Kind(("haproxy",), ("{program}", "-db", "-f", "{folder}/haproxy.cfg")),
    "squid": Kind(("squid",), ("{program}", "-N", "-n", "lab{port}", "-f", "{folder}/squid.conf")),
    # CATALINA_BASE holds conf/server.xml and webapps; what the case leaves out is Debian's
    "tomcat": Kind(
        ("/usr/share/tomcat10/bin/catalina.sh",),
        ("{program}", "run"),
        roles=("config", "app"),
        environment={
            "CATALINA_HOME": "/usr/share/tomcat10",
            "CATALINA_BASE": "{folder}",
            "CATALINA_TMPDIR": "{run}",
            "CATALINA_OPTS": "-Xshare:auto -XX:TieredStopAtLevel=1",
        },
        patience=30.0,
    ),
    "docker-registry": Kind(("docker-registry",), ("{program}", "serve", "{folder}/config.yml")),
    "php-fpm": Kind(
        _PHP_FPM,
        ("{program}", "-F", "-p", "{folder}", "-y", "{folder}/php-fpm.conf", "-c", "{folder}"),
        roles=("config", "app"),
        http=False,
    ),
    "gunicorn": Kind(
        (sys.executable,),
        (
            *("{program}", "-m", "gunicorn", "--chdir", "{folder}", "--bind", "127.0.0.1:{port}"),
            *("--access-logfile", "-", "--no-control-socket", "{app}"),
        ),
        roles=("app",),
        app="app:app",
    ),
    "uvicorn": Kind(
        (sys.executable,),
        ("{program}", "-m", "uvicorn", "--app-dir", "{folder}", "--port", "{port}", "{app}"),
        roles=("app",),
        app="app:app",
    ),
    "node": Kind(
        ("node",),
        ("{program}", "{folder}/{app}"),
        roles=("app",),
        environment={"PORT": "{port}"},
        app="app.mjs",
        needs="node_modules/express",
    ),
}
