"""A case brought on stage: its files written below a folder, its servers running, its request as words of curl."""

from __future__ import annotations

import shutil
import sysconfig
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.lab.cases import Case
from tests.lab.kinds import KINDS
from tests.lab.passwords import password_file
from tests.lab.stage import LAB, Served, free_ports, serve

SHARED = LAB / "shared"
_CREDENTIALS = {"authorization", "proxy-authorization", "cookie", "x-api-key"}
_BOGUS = "not-the-right-one"


@dataclass
class Staged:
    """A case whose servers run; `base` holds a folder a server, `log` and `run`."""

    case: Case
    base: Path
    servers: list[Served]
    values: Mapping[str, str]

    def restart(self) -> None:
        for served in reversed(self.servers):
            served.restart()

    def clear_logs(self) -> None:
        for served in self.servers:
            served.clear_logs()

    def evidence(self) -> list[Path]:
        return evidence(self.case, self.base)

    def curl(self, who: str = "legitimate") -> list[str]:
        """The words after `curl` for the request of somebody: "legitimate", "anonymous" or "bogus"."""
        request, words = self.case.request, ["-X", self.case.request.method]
        words = [] if request.method == "GET" else words
        target = self.servers[0]
        if request.proxy_user:
            words += ["-x", target.url]
            target = self.servers[1]
        for option, pair in (("-u", request.user), ("-U", request.proxy_user)):
            if pair and who != "anonymous":
                words += [option, pair if who == "legitimate" else f"{pair.partition(':')[0]}:{_BOGUS}"]
        secret = _CREDENTIALS | {name.lower() for name in request.credentials}
        for name, value in request.headers.items():
            value = fill(value, self.values)
            if name.lower() in secret and who != "legitimate":
                if who == "anonymous":
                    continue
                value = _bogus(value)
            words += ["-H", f"{name}: {value}"]
        return [*words, *request.options, target.url + request.path]

    def line(self) -> int:
        """The number of the guilty line; the text has to stand on just one line of the file."""
        wanted, file = fill(self.case.expect.line, self.values), self.case.expect.file
        lines = (self.base / file).read_text().splitlines()
        found = [number for number, line in enumerate(lines, 1) if wanted in line]
        if len(found) != 1:
            raise ValueError(
                f"{self.case.name}: {wanted!r} stands on {len(found)} lines of {file}, not on one"
            )
        return found[0]


def _bogus(value: str) -> str:
    """The value with another secret: after the scheme, or after the cookie's name."""
    for separator in (" ", "="):
        head, found, _ = value.partition(separator)
        if found:
            return head + separator + _BOGUS
    return _BOGUS


def evidence(case: Case, base: Path) -> list[Path]:
    """What is handed to why401: "config" and "app" are the folders of such servers, other words a server's folder or
    the logs of that name (those that there are)."""
    found: list[Path] = []
    for word in case.evidence:
        found += [base / s.name for s in case.servers if word in (*KINDS[s.kind].roles, s.name)]
        found += [p for p in sorted((base / "log").rglob(word)) if p.stat().st_size]
    return list(dict.fromkeys(found))


@contextmanager
def staged(case: Case, base: Path) -> Iterator[Staged]:
    """Write the case's folders below `base` and run its servers, the innermost first."""
    ports = free_ports(len(case.servers))
    values = write(case, base, ports)
    with ExitStack() as stack:
        running = [
            stack.enter_context(serve(server.kind, base / server.name, port, server.app, base))
            for server, port in reversed(list(zip(case.servers, ports, strict=True)))
        ]
        result = Staged(case, base, running[::-1], values)
        result.clear_logs()
        yield result


def write(case: Case, base: Path, ports: list[int]) -> dict[str, str]:
    """Write the case's files below `base`, placeholders filled; returns what `@TOKEN@` and the like stand for."""
    base.chmod(0o755)
    if not (base / "node_modules").exists():
        (base / "node_modules").symlink_to(
            LAB / "node_modules"
        )  # Node looks for packages in the folders above
    common = {"SITE": sysconfig.get_path("purelib"), "TOKEN": _token(case.token)}
    common |= {f"ADDRESS:{s.name}": f"127.0.0.1:{p}" for s, p in zip(case.servers, ports, strict=True)}
    common |= {f"FOLDER:{s.name}": str(base / s.name) for s in case.servers}
    common |= {f"PORT:{s.name}": str(p) for s, p in zip(case.servers, ports, strict=True)}
    for number, server in enumerate(case.servers):
        folder = base / server.name
        inner = ports[number + 1] if number + 1 < len(ports) else ports[number]
        own = {
            "FOLDER": str(folder),
            "LOG": str(base / "log" / server.name),
            "RUN": str(base / "run" / server.name),
            "PORT": str(ports[number]),
            "UPSTREAM": f"127.0.0.1:{inner}",
        }
        for origin in (SHARED / server.kind, case.folder / server.name):
            _copy(origin, folder, common | own)
    for entry in case.users:
        realm = entry.get("realm", "")
        (base / entry["file"]).write_text(password_file(entry["kind"], entry["passwords"], realm))
    for file, mode in case.modes.items():
        (base / file).chmod(int(mode, 8))
    return common


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with every `@NAME@` of the values filled in; another `@` stays."""
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def _copy(origin: Path, folder: Path, values: Mapping[str, str]) -> None:
    folder.mkdir(exist_ok=True)
    for path in sorted(origin.rglob("*")) if origin.is_dir() else ():
        target = folder / path.relative_to(origin)
        if "__pycache__" in path.parts:
            continue
        if path.is_dir():
            target.mkdir(exist_ok=True)
            continue
        try:
            target.write_text(fill(path.read_text(), values))
        except UnicodeDecodeError:
            shutil.copyfile(path, target)


def _token(said: Mapping[str, Any]) -> str:
    """A JSON Web Token of `claims`, signed with `key`, that ends `lifetime` seconds from now."""
    if not said:
        return ""
    jwt = pytest.importorskip("jwt", reason="PyJWT is not installed")
    claims = {"exp": int(time.time()) + said.get("lifetime", 600), **said.get("claims", {})}
    token: str = jwt.encode(claims, said["key"], said.get("algorithm", "HS256"), said.get("headers"))
    return token
