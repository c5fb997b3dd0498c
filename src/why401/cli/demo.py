"""`why401 demo`: a broken site on loopback, and its diagnosis; nothing leaves this machine.

The fault is one of the commonest: the password was read from a file, with the line end that `echo` put there.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USER, PASSWORD = "demo", "correct horse battery staple"


class _Site(BaseHTTPRequestHandler):
    """A page behind Basic authentication."""

    def do_GET(self) -> None:
        wanted = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        good = self.headers.get("Authorization") == wanted
        body = b"the protected page\n" if good else b"401 Authorization Required\n"
        self.send_response(200 if good else 401)
        if not good:
            self.send_header("WWW-Authenticate", 'Basic realm="demo"')
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: the report is what is shown."""


def main(words: Sequence[str]) -> int:
    """Start the site, diagnose it as `why401 curl …` would, and stop it; returns 0 when the cause was proved."""
    from why401.cli.diagnose import main as diagnose

    with ThreadingHTTPServer(("127.0.0.1", 0), _Site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/private"
        print(
            f'A broken site is up. A script sends: curl -u "{USER}:$(password file, with its line end)" {url}\n'
        )
        status = diagnose([*words, "curl", "-u", f"{USER}:{PASSWORD}\n", url])
        server.shutdown()
    return 0 if status == 1 else 1
