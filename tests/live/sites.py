"""Small sites on loopback for the live tests: a handler decides, and every request is recorded."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

Answer = tuple[int, dict[str, str], str | bytes]

_CREDENTIAL_FIELDS = ("authorization", "x-api-key", "cookie", "authentication", "x-auth-token", "apikey")


@dataclass
class Received:
    """A request as the site saw it."""

    method: str
    path: str
    fields: dict[str, str]
    body: bytes = b""

    def get(self, name: str) -> str | None:
        return self.fields.get(name.lower())


@dataclass
class Site:
    """A running site: its URL, what it received, and names that a user's words may use besides."""

    url: str
    received: list[Received] = field(default_factory=list)
    answered: list[int] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)

    def asked(self) -> int:
        return len(self.received)

    def failed_logins(self) -> int:
        """How many requests with a credential were refused."""
        pairs = zip(self.received, self.answered, strict=True)
        return sum(
            status in (401, 403, 407)
            and (any(r.get(n) for n in _CREDENTIAL_FIELDS) or "key=" in r.path or "token=" in r.path)
            for r, status in pairs
        )

    def words(self, words: Sequence[str]) -> list[str]:
        """A user's words with the site's names filled in."""
        parts = urlsplit(self.url)
        names = {"url": self.url, "host": parts.netloc, "port": str(parts.port or ""), **self.names}
        filled = []
        for word in words:
            for name, value in names.items():
                word = word.replace("{" + name + "}", value)
            filled.append(word)
        return filled


Handler = Callable[[Received], Answer]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away, or TLS that fails, is part of what is tested."""


class _Server6(_Server):
    address_family = socket.AF_INET6


class _ServerUnix(_Server):
    address_family = socket.AF_UNIX

    def server_bind(self) -> None:
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "localhost", 80


@contextmanager
def serve(
    handler: Handler,
    *,
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
    unix: str = "",
    names: dict[str, str] | None = None,
) -> Iterator[Site]:
    """Run a site until the block ends; over TLS, on IPv6 or on a Unix socket where asked."""

    class Http(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            request = Received(
                self.command,
                self.path,
                {k.lower(): v for k, v in self.headers.items()},
                self.rfile.read(length),
            )
            status, fields, body = handler(request)
            site.received.append(request)
            site.answered.append(status)
            raw = body.encode() if isinstance(body, str) else body
            self.send_response_only(status)
            for name, value in {"Date": self.date_time_string(), **fields}.items():
                for one in value.split("\n"):
                    self.send_header(name, one)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(raw)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = answer

        def address_string(self) -> str:
            return "client"

        def log_message(self, *_: object) -> None:
            pass

    kind = _ServerUnix if unix else _Server6 if ":" in host else _Server
    with kind(unix or (host, 0), Http) as server:  # type: ignore[arg-type]
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        shown = f"[{host}]" if ":" in host else host
        site = Site(f"http{'s' if tls else ''}://{shown}:{server.server_port}", names=names or {})
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield site
        finally:
            server.shutdown()


@contextmanager
def answers_raw(data: bytes, *, wait: float = 0.0, reset: bool = False) -> Iterator[Site]:
    """A server that answers every connection with these bytes, after a while, or cuts it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        site = Site(f"http://127.0.0.1:{listener.getsockname()[1]}")

        def run() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client:
                    client.recv(65536)
                    site.received.append(Received("?", "?", {}))
                    site.answered.append(0)
                    time.sleep(wait)
                    if reset:
                        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    else:
                        client.sendall(data)

        threading.Thread(target=run, daemon=True).start()
        yield site


GOOD: Answer = (200, {"Content-Type": "application/json"}, '{"orders": []}')


def basic(user: str, password: str, charset: str = "utf-8") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode(charset)).decode()


def wants(value: str, challenge: str = 'Basic realm="lab"', name: str = "authorization") -> Handler:
    """A site that wants one exact value in one field."""

    def handler(request: Received) -> Answer:
        if request.get(name) == value:
            return GOOD
        fields = {"WWW-Authenticate": challenge} if challenge else {}
        return 401, fields, "Unauthorized"

    return handler
