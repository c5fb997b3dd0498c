"""Where a body in a text ends, and the status that a body may tell of itself."""

from __future__ import annotations

import json
import re
from typing import Final

from why401.prefilter import lazy

_STRING: Final = lazy(r'"(?:[^"\\]|\\.)*"')


class Body:
    """Follows a body line by line: a JSON body ends when its brackets close, HTML with its last tag, text at a
    blank line."""

    def __init__(self, length: int | None = None) -> None:
        self.size = 0
        self.done = length == 0
        self.depth = 0
        self.kind = ""
        self.empty = length == 0

    @property
    def open(self) -> bool:
        """Within a body whose end is known and not yet reached."""
        return self.kind in ("{", "<") and not self.done and self.size > 0

    def add(self, text: str) -> None:
        if not self.size:
            first = text.lstrip()[:1]
            self.kind = "{" if first and first in "{[" else "<" if first == "<" else "text"
        self.size += len(text) + 1
        if self.kind == "{":
            bare = _STRING.sub("", text)
            self.depth += bare.count("{") + bare.count("[") - bare.count("}") - bare.count("]")
            self.done = self.depth <= 0 or self.size > 200_000
        elif self.kind == "<":
            self.done = bool(re.search(r"(?i)</(?:html|[\w:]*error|[\w:]*envelope|multistatus)>\s*$", text))

    def at_blank(self) -> bool:
        """Whether a blank line ends the body."""
        if not self.size:
            return self.empty
        return self.kind == "text"


_STATUS_KEYS: Final = (
    "status",
    "statusCode",
    "status_code",
    "httpStatus",
    "http_status",
    "code",
    "errorCode",
)
_SUCCESS_KEYS: Final = ("access_token", "id_token", "token", "jwt", "accessToken")


def status_in(body: str) -> int | None:
    """The status that a JSON body names (`{"data": {"status": 401}}`), 200 for one that grants a token."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        found = re.search(r"['\"]?(?:status|statusCode|code)['\"]?\s*:\s*\"?([1-5]\d\d)\b", body[:4000])
        return int(found[1]) if found else None
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        return None
    for holder in (value, *(value.get(key) for key in ("data", "error", "meta", "errors"))):
        status = _status_of(holder[0] if isinstance(holder, list) and holder else holder)
        if status is not None:
            return status
    words = (
        str(value.get(key, "")).lower().strip(". ") for key in ("message", "error", "detail", "title", "msg")
    )
    if any(word in ("unauthorized", "unauthenticated") for word in words):
        return 401
    return 200 if any(isinstance(value.get(key), str) and value[key] for key in _SUCCESS_KEYS) else None


def _status_of(holder: object) -> int | None:
    if not isinstance(holder, dict):
        return None
    for key in _STATUS_KEYS:
        text = str(holder.get(key, ""))
        if re.fullmatch(r"[2-5]\d\d", text):
            return int(text)
    return None
