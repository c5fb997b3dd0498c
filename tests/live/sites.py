"""Small sites on loopback for the live tests: a handler decides, and every request is recorded."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = tuple[int, dict[str, str], str]


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
    """A running site: its URL and what it received."""

    url: str
    received: list[Received] = field(default_factory=list)
    answered: list[int] = field(default_factory=list)

    def failed_logins(self) -> int:
        """How many requests with a credential were refused."""
        pairs = zip(self.received, self.answered, strict=True)
        return sum(
            status in (401, 403, 407)
            and any(r.get(n) for n in ("authorization", "x-api-key", "cookie", "authentication"))
            for r, status in pairs
        )


Handler = Callable[[Received], Answer]


@contextmanager
def serve(handler: Handler) -> Iterator[Site]:
    """Run a site until the block ends."""

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
            raw = body.encode()
            self.send_response(status)
            for name, value in fields.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(raw)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = answer

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Http) as server:
        site = Site(f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield site
        finally:
            server.shutdown()


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
