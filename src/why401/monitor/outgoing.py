"""All that the monitor sends out by itself: notices and uptime checks, in a process of their own.

In that process a name resolves to public addresses only, save for hosts that the operator allows. The address that was
judged is the one that is connected to (`socket.getaddrinfo` serves every library that is used here; libcurl asks before
it opens a socket), so neither a redirect nor a name that resolves otherwise a moment later leads to the inside.
"""

from __future__ import annotations

import os
import socket
import ssl
import time
from collections.abc import Callable, Collection
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from ipaddress import ip_address
from multiprocessing import get_context
from typing import Any
from urllib.parse import urlsplit

TIMEOUT = 15.0


class Forbidden(OSError):
    """The target is not on the public internet, and the operator did not allow it."""


def public(address: str) -> bool:
    """Whether an address is on the public internet (IANA's special-purpose registries)."""
    found = ip_address(address.partition("%")[0])
    inner = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None)
    return found.is_global and not found.is_multicast and (inner is None or inner.is_global)


class Guard:
    """Resolves as the system does, and hands out only what may be connected to."""

    def __init__(self, allowed: Collection[str]) -> None:
        self._allowed = frozenset(host.lower() for host in allowed)
        self._addresses: set[str] = set()  # of hosts that are allowed
        self._resolve: Callable[..., list[Any]] = socket.getaddrinfo

    def install(self) -> None:
        """From now on in this process."""
        from why401.probes import wire

        socket.getaddrinfo = self.getaddrinfo
        wire.guard = self.allows
        for host in self._allowed:
            self._trust(host)

    def _trust(self, host: str) -> None:
        try:
            self._addresses |= {str(found[4][0]) for found in self._resolve(host, None)}
        except OSError:
            return  # it may resolve later

    def getaddrinfo(self, host: Any, *more: Any, **options: Any) -> list[Any]:
        name = host.decode() if isinstance(host, bytes) else str(host or "")
        found = self._resolve(host, *more, **options)
        if name.lower().rstrip(".") in self._allowed:
            self._addresses |= {str(one[4][0]) for one in found}
            return found
        open_ones = [one for one in found if public(str(one[4][0]))]
        if not open_ones:
            raise Forbidden(f"{name} is not on the public internet; allow it with --allow-host {name}.")
        return open_ones

    def allows(self, address: str) -> bool:
        """Whether an address may be connected to; for libcurl, which resolves by itself."""
        return public(address) or address in self._addresses


@dataclass(frozen=True)
class Looked:
    """What an address answered. `state`: up, down, forbidden; `report`: the diagnosis of a refusal, as JSON."""

    state: str
    status: int | None = None
    milliseconds: float = 0.0
    says: str = ""
    expires: float | None = None
    report: str = ""


class Outgoing:
    """The process, made when it is first needed and again when it died."""

    def __init__(self, allowed: Collection[str]) -> None:
        self._allowed = tuple(allowed)
        self._pool: ProcessPoolExecutor | None = None

    def send(self, urls: list[str], title: str, text: str) -> list[str]:
        """Send a notice to Apprise's addresses; a sentence for each that failed."""
        found: list[str] = self._run(_send, urls, title, text)
        return found

    def look(self, url: str) -> Looked:
        found: Looked = self._run(_look, url)
        return found

    def _run(self, function: Callable[..., Any], *given: Any) -> Any:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, get_context("spawn"), _begin, (self._allowed,))
        try:
            return self._pool.submit(function, *given).result(120)
        except Exception:
            self.stop()
            raise

    def stop(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = None


def _begin(allowed: tuple[str, ...]) -> None:
    os.nice(5)
    Guard(allowed).install()


def _send(urls: list[str], title: str, text: str) -> list[str]:
    import apprise

    failed = []
    for url in urls:
        one = apprise.Apprise()
        scheme = url.partition(":")[0]
        if not one.add(url):
            failed.append(f"{scheme}: this is no address that Apprise knows")
        elif not one.notify(body=text, title=title):
            failed.append(f"{scheme}: the notice was not taken")
    return failed


def _look(url: str) -> Looked:
    import requests

    start = time.monotonic()
    try:
        answer = requests.get(url, timeout=TIMEOUT, stream=True, headers={"User-Agent": "why401-monitor"})
        status = answer.status_code
        answer.close()
    except requests.RequestException as problem:
        forbidden = "is not on the public internet" in str(problem)
        says = f"{urlsplit(url).hostname}: {_plain(problem)}"
        return Looked("forbidden" if forbidden else "down", None, _since(start), says)
    took = _since(start)
    report = _diagnosed(url) if status in (401, 403, 407) else ""
    state = "up" if status < 400 else "down"
    return Looked(
        state, status, took, "" if state == "up" else f"It answered {status}.", _expires(url), report
    )


def _since(start: float) -> float:
    return 1000 * (time.monotonic() - start)


def _plain(problem: Exception) -> str:
    """The innermost reason, which is the one that a person understands."""
    inner: BaseException = problem
    while inner.__cause__ or inner.__context__:
        inner = inner.__cause__ or inner.__context__ or inner
    return str(inner)[:300]


def _diagnosed(url: str) -> str:
    import why401

    return why401.render(why401.diagnose(url, max_requests=4, max_failed_logins=0), "json")


def _expires(url: str) -> float | None:
    """When the certificate of an https address ends, in seconds since 1970."""
    split = urlsplit(url)
    if split.scheme != "https" or not split.hostname:
        return None
    try:
        with (
            socket.create_connection((split.hostname, split.port or 443), TIMEOUT) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=split.hostname) as secured,
        ):
            held = secured.getpeercert() or {}
        return float(ssl.cert_time_to_seconds(str(held["notAfter"])))
    except (OSError, KeyError, ValueError):
        return None
