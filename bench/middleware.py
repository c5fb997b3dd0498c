"""What the reporting middleware costs a healthy request, beside sentry-sdk's, in one process and interleaved pairs.

    python bench/middleware.py

Prints microseconds of CPU that each adds to a bare ASGI and a bare WSGI application (median of the pairs).
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from typing import Any

ROUNDS, REQUESTS = 41, 500
TO = "http://" + "a" * 32 + "@127.0.0.1:9/1"
SCOPE = {
    "type": "http", "method": "GET", "path": "/orders/17", "scheme": "http", "query_string": b"", "http_version": "1.1",
    "headers": [(b"host", b"shop.example"), (b"authorization", b"Bearer x")], "client": ("127.0.0.1", 1),
    "server": ("a", 80),
}  # fmt: skip
ENVIRON = {"REQUEST_METHOD": "GET", "PATH_INFO": "/orders/17", "SERVER_NAME": "a", "SERVER_PORT": "80",
           "wsgi.url_scheme": "http", "HTTP_HOST": "shop.example", "HTTP_AUTHORIZATION": "Bearer x"}  # fmt: skip


async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
    del scope, receive
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x"})


def wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
    del environ
    start_response("200 OK", [])
    return [b"x"]


def asgi(app: Any) -> Callable[[], float]:
    async def quiet(*_: Any) -> None:
        return None

    async def many() -> float:
        start = time.process_time()
        for _ in range(REQUESTS):
            await app(dict(SCOPE), quiet, quiet)
        return time.process_time() - start

    return lambda: asyncio.run(many())


def wsgi(app: Any) -> Callable[[], float]:
    def many() -> float:
        start = time.process_time()
        for _ in range(REQUESTS):
            list(app(dict(ENVIRON), lambda *_: None))
        return time.process_time() - start

    return many


def added(bare: Callable[[], float], wrapped: Callable[[], float]) -> float:
    """Microseconds a request, by pairs of which each is taken at once."""
    return statistics.median(wrapped() - bare() for _ in range(ROUNDS)) / REQUESTS * 1e6


def main() -> None:
    import sentry_sdk
    from sentry_sdk.integrations.asgi import SentryAsgiMiddleware
    from sentry_sdk.integrations.wsgi import SentryWsgiMiddleware

    from why401.integrations.asgi import Refusals as Asgi
    from why401.integrations.wsgi import Refusals as Wsgi

    sentry_sdk.init(TO, default_integrations=False)
    for name, kind, app, ours, theirs in (
        ("ASGI", asgi, asgi_app, Asgi, SentryAsgiMiddleware), ("WSGI", wsgi, wsgi_app, Wsgi, SentryWsgiMiddleware),
    ):  # fmt: skip
        bare = kind(app)
        mine, peer = added(bare, kind(ours(app, TO))), added(bare, kind(theirs(app)))
        print(
            f"{name}: why401 {mine:.2f} µs, sentry-sdk {peer:.1f} µs a healthy request ({peer / max(mine, 0.01):.0f} ×)"
        )


if __name__ == "__main__":
    main()
