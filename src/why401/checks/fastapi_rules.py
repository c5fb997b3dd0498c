"""Rules on FastAPI: the order of middleware, and logins that ask for a login.

Starlette runs the middleware that was added last first, so a check of credentials that is added after
CORSMiddleware answers preflights with 401 before it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from why401.checks import rule
from why401.checks.python_edits import applications, moved, statement
from why401.evidence import Evidence, Fields, Request
from why401.findings import NAMED, STRONG, Finding, Where
from why401.layers.fastapi_app import FastApi
from why401.layers.model import Edit
from why401.layers.python_app import Endpoint, Refusal
from why401.layers.python_values import Function, Thing
from why401.prefilter import lazy

LOGIN = lazy(r"(?:^|[/_-])(?:login|log-in|signin|sign-in|token|authenticate|obtain-token|jwt/create)/?$")
PREFLIGHT = (("Origin", "https://app.example"), ("Access-Control-Request-Method", "GET"),
             ("Access-Control-Request-Headers", "authorization"))  # fmt: skip
MOST = 30


def preflight(path: str) -> Request:
    """A preflight as browsers send it (Fetch standard)."""
    return Request("OPTIONS", f"https://api.example{path}", Fields.of(PREFLIGHT))


def concrete(endpoint: Endpoint) -> str:
    """A path that the endpoint takes."""
    return re.sub(r"\{[^}]*\}|<[^>]*>", "1", endpoint.path)


def refused_preflight(app: FastApi) -> tuple[Endpoint, Refusal] | None:
    """The first endpoint whose preflight is surely refused."""
    for endpoint in app.endpoints[:MOST]:
        path = concrete(endpoint)
        for refusal in app.ask(preflight(path), endpoint, path).refusals:
            if refusal.sure:
                return endpoint, refusal
    return None


@rule
def preflight_refused(evidence: Evidence) -> Iterator[Finding]:
    """Middleware that asks for a credential stands outside of CORSMiddleware."""
    for app in applications(evidence, FastApi):
        assert isinstance(app, FastApi)
        passed = app.passed()
        cors = next(
            (use for use in passed if use.args and getattr(use.args[0], "kind", "") == "CORSMiddleware"), None
        )
        if cors is None or passed[0] is cors:
            continue
        found = refused_preflight(app)
        outer = [use for use in passed[: passed.index(cors)] if found and _holds(use, found[1])]
        if found is None or not outer:
            continue
        yield Finding(
            "fastapi-preflight-refused",
            f"Middleware refuses here before CORSMiddleware is asked (it was added earlier, at line "
            f"{cors.source.line}, and the last added runs first): preflights, which carry no credential, get "
            f"{found[1].status}.",
            {"cors-preflight-rejected": NAMED, "no-credentials": -12.0, "wrong-header": -12.0},
            Where.of(found[1].source),
            "answered-here",
            app.hop,
            fix="Add CORSMiddleware after the middleware that asks for a credential.",
            edits=_later(app, cors, outer[0]),
        )


def _holds(use: Thing, refusal: Refusal) -> bool:
    if isinstance(use.target, Function):
        return refusal.guard == use.target.name
    return True


def _later(app: FastApi, cors: Thing, outer: Thing) -> tuple[Edit, ...]:
    """`add_middleware(CORSMiddleware …)` moved behind the middleware that refuses."""
    own, other = statement(app, cors.source), statement(app, outer.source)
    if not isinstance(own, ast.Expr) or other is None or cors.source.name != outer.source.name:
        return ()
    return moved(
        app, own.lineno, own.end_lineno or own.lineno, other.end_lineno or other.lineno, cors.source.name
    )


@rule
def login_asks_for_login(evidence: Evidence) -> Iterator[Finding]:
    """The route at which one logs in is behind a dependency or middleware that asks for a login."""
    for app in applications(evidence, FastApi):
        for endpoint in app.endpoints:
            if not LOGIN.search(endpoint.path) or "POST" not in endpoint.methods:
                continue
            request = Request("POST", f"https://api.example{endpoint.path}", Fields())
            sure = next((r for r in app.ask(request, endpoint, endpoint.path).refusals if r.sure), None)
            if sure is None or _in_view(endpoint, sure):
                continue
            yield Finding(
                "fastapi-login-behind-login",
                f"{endpoint.path}, where one logs in, is refused here without a login.",
                {"auth-rule-unintended": STRONG if sure.wants else NAMED, "no-credentials": -8.0},
                Where.of(sure.source),
                "answered-here",
                app.hop,
                fix="Leave the login route out: put the dependency on the routers that need it.",
            )


def _in_view(endpoint: Endpoint, refusal: Refusal) -> bool:
    """Whether the view itself refuses: it read a login body or field of its own."""
    view = endpoint.view
    if not isinstance(view, Function) or view.module.document.name != refusal.source.name:
        return False
    node = view.inner.node
    return node.lineno <= (refusal.source.line or 0) <= (node.end_lineno or node.lineno)
