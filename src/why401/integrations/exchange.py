"""A refused request as an event: the exchange, and the line of code that refused."""

from __future__ import annotations

import linecache
import sys
import sysconfig
import time
import uuid
from collections.abc import Callable, Iterable
from itertools import islice
from types import FrameType, TracebackType
from typing import Any, Literal

from why401.monitor.event import Event, Frame

MOST_FRAMES = 30
_LIBRARIES = tuple(
    {path for name in ("stdlib", "purelib", "platlib") if (path := sysconfig.get_paths().get(name))}
)


def refused(
    role: Literal["client", "server"], method: str, url: str, status: int, fields: list[list[str]],
    answered: list[list[str]], *, route: str = "", raised: BaseException | None = None,
    where: Frame | None = None, client: str = "",
) -> Event:  # fmt: skip
    """The event; with its secrets still in it. `where`: the code that refused or asked, where nothing was raised."""
    event: Event = {
        "id": uuid.uuid4().hex, "time": time.time(), "kind": "refusal", "level": "warning", "language": "python",
        "sdk": "why401.integrations",
        "exchange": {"role": role, "method": method, "url": url, "status": status, "fields": fields,
                     "answered": answered, "complete": True},
    }  # fmt: skip
    if route:
        event["exchange"]["route"] = route
        event["transaction"] = route
    if raised is not None:
        frames = _frames(raised.__traceback__)
        event["raised"] = [{"type": type(raised).__qualname__, "message": str(raised)[:1000], "frames": frames,
                            "handled": True}]  # fmt: skip
        where = next((frame for frame in frames if frame.get("in_app")), where)
    if where is not None:
        event["context"] = {"where": f"{where['file']}:{where['line']} in {where['function']}"}
    if client:
        event["user"] = {"ip_address": shortened(client)}
    return event


def shortened(address: str) -> str:
    """A client's address without its last part: enough to tell networks apart, not people."""
    if ":" in address:
        return ":".join(address.split(":")[:3]) + "::"
    return address.rpartition(".")[0] + ".0" if address.count(".") == 3 else address


def _frames(traceback: TracebackType | None) -> list[Frame]:
    """Innermost first."""
    held: list[Frame] = []
    while traceback is not None:
        held.append(_frame(traceback.tb_frame, traceback.tb_lineno))
        traceback = traceback.tb_next
    return held[::-1][:MOST_FRAMES]


def _frame(frame: FrameType, line: int) -> Frame:
    file = frame.f_code.co_filename
    lines = {
        n: linecache.getline(file, n, frame.f_globals).rstrip("\n") for n in range(max(1, line - 2), line + 3)
    }
    return {
        "file": file, "function": frame.f_code.co_qualname if sys.version_info >= (3, 11) else frame.f_code.co_name,
        "line": line, "in_app": ours(file), "source": {str(n): text for n, text in lines.items() if text},
    }  # fmt: skip


def ours(file: str) -> bool:
    """Whether a file is the application's, not a library's."""
    return (
        not file.startswith((*_LIBRARIES, "<"))
        and "site-packages" not in file
        and __package__.replace(".", "/") not in file
    )


def of_function(function: Any) -> Frame | None:
    """Where a view stands, for answers that were returned and not raised."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    function = getattr(function, "view_class", None) or function  # Django's class-based views
    code = getattr(function, "__code__", None)
    if code is not None:
        return {
            "file": code.co_filename,
            "function": function.__qualname__,
            "line": code.co_firstlineno,
            "in_app": True,
        }
    module = sys.modules.get(getattr(function, "__module__", ""))
    name = getattr(function, "__qualname__", "")
    return (
        {"file": getattr(module, "__file__", "") or "", "function": name, "line": 1, "in_app": True}
        if name
        else None
    )


def caller() -> Frame | None:
    """The application's line that sent a request: the innermost one that is no library's."""
    frame: FrameType | None = sys._getframe(1)
    for _ in range(100):
        if frame is None:
            return None
        if ours(frame.f_code.co_filename):
            return _frame(frame, frame.f_lineno)
        frame = frame.f_back
    return None


def safely(describe: Callable[..., None]) -> Callable[..., None]:
    """A hook that never raises into the application."""

    def hook(*given: Any, **named: Any) -> None:
        try:
            describe(*given, **named)
        except Exception:
            return  # a report is never worth a request

    return hook


def first(pairs: Iterable[list[str]], name: str) -> str:
    return next(islice((value for held, value in pairs if held.lower() == name), 1), "")
