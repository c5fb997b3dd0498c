"""The pages and the API as one ASGI application."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any
from urllib.parse import quote

from litestar import Litestar, Request, Response, Router
from litestar.config.compression import CompressionConfig
from litestar.config.csrf import CSRFConfig
from litestar.contrib.jinja import JinjaTemplateEngine
from litestar.datastructures import CacheControlHeader, State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.middleware.session.client_side import CookieBackendConfig
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.response import Redirect, Template
from litestar.static_files import create_static_files_router
from litestar.template.config import TemplateConfig

import why401
from why401.monitor.openid import OpenId
from why401.monitor.projects import Unknown
from why401.monitor.store import Store
from why401.monitor.web import (
    alert_pages,
    api,
    api_alerts,
    api_people,
    api_projects,
    filter_pages,
    group_pages,
    health,
    live,
    pages,
    project_pages,
    sign_in,
    words,
)  # fmt: skip
from why401.monitor.web.viewer import viewer_of

_PAGES = (pages, project_pages, group_pages, filter_pages, alert_pages, sign_in, health, live)
_API = (api, api_projects, api_alerts, api_people)
log = logging.getLogger(__name__)
HERE = Path(__file__).parent
#: Nothing inline, nothing from elsewhere: what an event holds can be shown, and never runs.
SECURITY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def application(store: Store, base: str, hub: live.Hub, openid: OpenId | None = None) -> Litestar:
    """`base`: the address by which browsers reach it; with https, cookies are sent over TLS only."""
    secret, secure = store.secret("session"), base.startswith("https:")
    sessions = CookieBackendConfig(
        secret=secret, key="why401", secure=secure, httponly=True, samesite="lax", max_age=14 * 86400
    )
    return Litestar(
        route_handlers=[
            # One router: where the handlers of one path come one by one, Litestar wraps their threads twice.
            Router("/", route_handlers=[handler for module in _PAGES for handler in module.HANDLERS]),
            Router("/api/v1", route_handlers=[h for module in _API for h in module.HANDLERS], tags=["why401"]),
            create_static_files_router(
                "/static", [HERE / "static"], include_in_schema=False, cache_control=CacheControlHeader(max_age=86400)
            ),
        ],
        state=State({"store": store, "hub": hub, "base": base, "openid": openid}),
        dependencies={
            "store": Provide(lambda: store, sync_to_thread=False),
            "viewer": Provide(viewer_of, sync_to_thread=True),
        },
        middleware=[sessions.middleware],
        csrf_config=CSRFConfig(
            secret=secret.hex(), cookie_name="why401-csrf", cookie_secure=secure, cookie_samesite="lax",
            exclude=["^/api/"],
        ),
        template_config=TemplateConfig(
            directory=HERE / "templates", engine=JinjaTemplateEngine, engine_callback=_words
        ),
        compression_config=CompressionConfig("gzip", minimum_size=1000, exclude=["^/live$"]),
        response_headers=SECURITY,
        exception_handlers={HTTPException: _said, Unknown: _unknown, 500: _failed},
        openapi_config=OpenAPIConfig(
            title="why401 monitor", version=why401.__version__, path="/api/v1",
            description="Errors and refused requests, and why they were refused. Send a project's or a user's token as "
            "`Authorization: Bearer …`; a browser's session may read.",
            components=Components(security_schemes={"token": SecurityScheme("http", scheme="bearer")}),
            security=[{"token": []}],
            render_plugins=[],
        ),
        request_max_body_size=1_000_000,
    )  # fmt: skip


def _words(engine: JinjaTemplateEngine) -> None:
    engine.engine.filters.update(words.FILTERS)
    engine.engine.trim_blocks = engine.engine.lstrip_blocks = True


def _said(request: Request[Any, Any, Any], problem: HTTPException) -> Response[Any]:
    """A problem as the asker can read it: JSON for programs, a page for people, the sign-in page for strangers."""
    headers = {**SECURITY, **(problem.headers or {})}
    if _program(request):
        told: dict[str, Any] = {"status": problem.status_code, "detail": problem.detail}
        if problem.extra:
            told["extra"] = problem.extra
        return Response(told, status_code=problem.status_code, headers=headers)
    if problem.status_code == 401:
        if request.headers.get("hx-request"):
            return Response("", status_code=204, headers={"HX-Redirect": "/sign-in"})
        there = request.url.path if request.method == "GET" else "/"
        return Redirect(f"/sign-in?next={quote(there)}", status_code=303)
    return Template(
        "problem.html",
        context={"problem": problem, "viewer": None},
        status_code=problem.status_code,
        headers=headers,
    )


def _unknown(request: Request[Any, Any, Any], problem: Unknown) -> Response[Any]:
    return _said(request, HTTPException(status_code=400, detail=str(problem)))


def _failed(request: Request[Any, Any, Any], problem: Exception) -> Response[Any]:
    log.error("%s %s failed", request.method, request.url.path, exc_info=problem)
    says = "This could not be done; the reason is in the log of the server."
    return Response({"status": 500, "detail": says}, status_code=500, headers=SECURITY)


def _program(request: Request[Any, Any, Any]) -> bool:
    return request.url.path.startswith("/api/") or "text/html" not in request.headers.get(
        "accept", "text/html"
    )
