"""Requests written as objects: `fetch(url, {…})` of "copy as fetch", errors of axios and other clients, and JSON logs.

An object counts when it has `headers` and a `url`, `path` or `method`, at any depth up to six. Objects may be
JSON, Python's notation, or what JavaScript consoles print (names without quotes).
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from why401.evidence import Field
from why401.prefilter import lazy
from why401.readers.http_drafts import Draft

CUE: Final = lazy(r"""['"]?(?:request_?)?headers?['"]?\s{0,4}[:=]\s{0,4}(?:[A-Z]\w{1,30}\s?)?[{\[]""", re.I)
_FETCH: Final = lazy(r"\bfetch\(\s*[\"'`](?P<url>[^\"'`\n]{1,8000})[\"'`]\s*,\s*(?=\{)")
_OPEN: Final = lazy(r"[{}\[\]\"']")
_NAME: Final = lazy(r"(?<=[{,\s])([A-Za-z_$][\w$-]*)\s*:(?=\s)")
_SINGLE: Final = lazy(r"'((?:[^'\\\n]|\\.)*)'")
_LONGEST: Final = 50_000
_MOST: Final = 200  # objects that are looked at in one text

_URL: Final = ("url", "uri", "requestUrl", "request_url", "path", "originalUrl", "endpoint")
_STATUS: Final = ("status", "statusCode", "status_code", "responseStatus", "code")
_HEADERS: Final = ("headers", "requestHeaders", "request_headers", "header")


def read(text: str) -> list[Draft]:
    """The requests of the text that stand as objects."""
    if not CUE.search(text):
        return []
    out: list[Draft] = []
    at = tries = 0
    while (start := text.find("{", at)) >= 0 and tries < _MOST:
        end = _closing(text, start)
        block = text[start:end]
        if end <= start or not CUE.search(block):
            at = max(end, start + 1)
            tries += end <= start
            continue
        tries += 1
        value = _value(block)
        if value is None:
            at = start + 1
            continue
        fetch = next(
            (m for m in _FETCH.finditer(text, max(0, start - 8200), start + 1) if m.end() == start), None
        )
        out += _drafts(value, text.count("\n", 0, start) + 1, fetch["url"] if fetch else None)
        at = end
    return out


def _closing(text: str, start: int) -> int:
    """Where the bracket at `start` closes, or `start` where it does not within `_LONGEST`."""
    depth, at, stop = 0, start, min(len(text), start + _LONGEST)
    while (found := _OPEN.search(text, at, stop)) is not None:
        char, at = found.group(), found.end()
        if char in "{[":
            depth += 1
        elif char in "}]":
            depth -= 1
            if not depth:
                return at
        elif (string := re.compile(rf"(?:[^{char}\\\n]|\\.)*{char}").match(text, at, stop)) is not None:
            at = string.end()
    return start


def _value(block: str) -> Any:
    """The object, in the first notation that fits."""
    try:
        return json.loads(block)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(block)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        pass
    loose = _SINGLE.sub(lambda m: json.dumps(m[1].replace("\\'", "'")), block)
    loose = _NAME.sub(r'"\1":', loose).replace("undefined", "null")
    try:
        return json.loads(re.sub(r",(\s*[}\]])", r"\1", loose))
    except (ValueError, RecursionError):
        return None


def _drafts(value: Any, line: int, url: str | None, depth: int = 0) -> Iterator[Draft]:
    if isinstance(value, dict):
        if _is_request(value) or (url is not None and "headers" in value):
            yield _draft(value, value, line, url)
            return
        request = next((value[k] for k in ("request", "config", "req") if _is_request(value.get(k))), None)
        if request is not None:
            yield _draft(request, value, line, None)
            return
    if depth < 6 and isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _drafts(item, line, None, depth + 1)


def _is_request(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and any(isinstance(value.get(k), dict | list) for k in _HEADERS)
        and (
            any(isinstance(value.get(k), str) for k in _URL)
            or isinstance(value.get("method"), str)
            or "httpMethod" in value
        )
    )


def _draft(request: Mapping[str, Any], whole: Mapping[str, Any], line: int, url: str | None) -> Draft:
    draft = Draft(line, asked=True)
    draft.url = url or next((str(request[k]) for k in _URL if isinstance(request.get(k), str)), None)
    base = request.get("baseURL") or request.get("base_url")
    if isinstance(base, str) and draft.url and "://" not in draft.url:
        draft.url = base.rstrip("/") + "/" + draft.url.lstrip("/")
    if draft.url is None and isinstance(request.get("url"), dict):  # a Postman collection
        draft.url = str(request["url"].get("raw") or "") or None
    draft.method = str(request.get("method") or request.get("httpMethod") or "GET").upper()
    draft.fields = list(_fields(next((request[k] for k in _HEADERS if request.get(k)), {}), line))
    # credentials: "include" sends cookies that the object does not show
    draft.request_complete = request.get("credentials") not in ("include", "same-origin")
    body = request.get("body") or request.get("data")
    if body:
        draft.body = [body if isinstance(body, str) else json.dumps(body, default=str)]
    _answer(draft, request, whole, line)
    return draft


def _answer(draft: Draft, request: Mapping[str, Any], whole: Mapping[str, Any], line: int) -> None:
    response = next((whole[k] for k in ("response", "res") if isinstance(whole.get(k), dict)), None)
    for holder in (response, whole, request):
        status = next((holder[k] for k in _STATUS if _is_status(holder.get(k))), None) if holder else None
        if status is not None:
            draft.answered, draft.status, draft.response_complete = True, int(status), False
            break
    if response is not None:
        draft.answered = True
        draft.response_fields = list(_fields(response.get("headers") or {}, line))
        body = response.get("data") or response.get("body")
        if body:
            draft.response_body = [body if isinstance(body, str) else json.dumps(body, default=str)]


def _is_status(value: object) -> bool:
    return bool(re.fullmatch(r"[1-5]\d\d", str(value)))


def _fields(headers: Any, line: int) -> Iterator[Field]:
    """From an object, or from a list of `{key, value}` as Postman and serverless logs have it."""
    if isinstance(headers, dict):
        pairs = [(k, v) for k, vs in headers.items() for v in (vs if isinstance(vs, list) else [vs])]
    else:
        pairs = (
            [(h.get("key") or h.get("name"), h.get("value")) for h in headers if isinstance(h, dict)]
            if isinstance(headers, list)
            else []
        )
    for name, value in pairs:
        if name and isinstance(value, str | int | float) and not isinstance(value, bool):
            yield Field.of(str(name), str(value), line)
