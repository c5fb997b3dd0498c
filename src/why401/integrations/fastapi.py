"""For FastAPI and Starlette: ``report(app, to="http://KEY@host:4010/1")``."""

from __future__ import annotations

import inspect
from typing import Any

from why401.integrations.asgi import RAISED, Refusals


def report(app: Any, to: str) -> None:
    """Report what the application refuses, with the line that raised. Call it after exception handlers were added."""
    from starlette.exceptions import HTTPException

    for kind in {
        HTTPException,
        *(k for k in app.exception_handlers if isinstance(k, type) and issubclass(k, HTTPException)),
    }:
        app.add_exception_handler(kind, _noting(app.exception_handlers.get(kind) or _default()))
    app.add_middleware(Refusals, to=to)


def _default() -> Any:
    """Starlette's own answer to an HTTPException, which it keeps in the class of its middleware."""
    from starlette.exceptions import HTTPException
    from starlette.middleware.exceptions import ExceptionMiddleware

    return ExceptionMiddleware(None)._exception_handlers[HTTPException]  # type: ignore[arg-type]


def _noting(handler: Any) -> Any:

    async def noted(request: Any, problem: Any) -> Any:
        request.scope[RAISED] = problem
        answer = handler(request, problem)
        return await answer if inspect.isawaitable(answer) else answer

    return noted
