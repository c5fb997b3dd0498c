"""HAR 1.2, as browsers, proxies and API clients export it (http://www.softwareishard.com/blog/har-12-spec/).

Entries are decoded one at a time from the text, so that a large file costs the memory of its exchanges and not
of its bodies, and a file that breaks off still gives the entries before the break. Chrome leaves out
Authorization, Cookie and Set-Cookie unless asked to export them ("with sensitive data"), so where none stands in the
whole file the fields are unknown, not absent.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from why401.evidence import (
    Answer,
    Demand,
    Evidence,
    Exchange,
    Field,
    Fields,
    Offer,
    Request,
    Response,
    Source,
    Text,
    Unreadable,
)
from why401.prefilter import lazy
from why401.readers.http_facts import facts

_ENTRIES: Final = lazy(r'"entries"\s*:\s*\[')
_LOG: Final = lazy(r'"log"\s*:\s*\{')
_CREATOR: Final = lazy(r'"creator"\s*:\s*\{[^{}]{0,400}?"name"\s*:\s*"([^"]{0,80})"')
_GAP: Final = lazy(r"[\s,]*")
_SENSITIVE: Final = frozenset({"authorization", "cookie", "set-cookie"})
_WORTH: Final = lazy(r"(?i)token|login|auth|session|csrf|sign_?in")

LONGEST_BODY: Final = 20_000  # of a refused or failed exchange, or a login; other bodies are dropped

#: Keys in which browsers tell why a request or cookie was held back; each is kept as words to search.
_REASONS: Final = (
    "_error",
    "_failureText",
    "_blockedReason",
    "_blocked_reason",
    "_blocked",
    "_errorText",
    "_corsErrorStatus",
)


def sniff(name: str, text: str) -> bool:
    """Whether this is a HAR file, by its name or its beginning."""
    head = text[:4000].lstrip()
    if not head.startswith("{"):
        return False
    return name.lower().endswith(".har") or bool(_LOG.search(head) and '"entries"' in text)


def read(text: str, source: Source) -> Evidence:
    """The exchanges of the file, in the order in which they began."""
    start = _ENTRIES.search(text)
    if start is None:
        says = (
            f"{source.name} has no list of entries, so it is no HAR; export it again from the network panel."
        )
        return Evidence(unreadable=(Unreadable(says, source),))
    creator = _CREATOR.search(text, 0, start.start()) or _CREATOR.search(
        text, max(start.end(), len(text) - 4000)
    )
    reader = _Reader(text, source, creator[1] if creator else "")
    reader.run(start.end())
    return reader.evidence()


class _Reader:
    def __init__(self, text: str, source: Source, creator: str) -> None:
        self.text, self.source, self.creator = text, source, creator
        self.exchanges: list[Exchange] = []
        self.texts: list[Text] = []
        self.unreadable: list[Unreadable] = []

    def run(self, at: int) -> None:
        """Decode entry after entry."""
        decoder = json.JSONDecoder()
        line, counted, number = 1, 0, 0
        while True:
            gap = _GAP.match(self.text, at)
            at = gap.end() if gap else at
            if self.text[at : at + 1] == "]":
                return
            line += self.text.count("\n", counted, at)
            counted = at
            try:
                entry, at = decoder.raw_decode(self.text, at)
            except (ValueError, RecursionError):
                self.broken(line, number)
                return
            number += 1
            try:
                self.entry(entry, line)
            except (AttributeError, KeyError, TypeError, ValueError):
                says = f"{self.source.name}: entry {number} is not as HAR 1.2 has it and was passed over."
                self.unreadable.append(Unreadable(says, self.source.at(line)))

    def broken(self, line: int, number: int) -> None:
        """The file ends, or is no JSON any more, within an entry."""
        says = (
            f"{self.source.name} breaks off in line {line}, after {number} whole entries; those were read. "
            "Export it again for the rest."
        )
        self.unreadable.append(Unreadable(says, self.source.at(line)))

    def entry(self, entry: Mapping[str, Any], line: int) -> None:
        asked, answered = entry["request"], entry.get("response") or {}
        status = _int(answered.get("status"))
        keep = status is None or status >= 400 or bool(_WORTH.search(str(asked.get("url", ""))))
        source = self.source.at(line)
        self.exchanges.append(
            Exchange(
                len(self.exchanges) + 1,
                _request(asked),
                _response(answered, status, keep) if status else None,
                source,
                time=_time(entry.get("startedDateTime")),
                client=_client(self.creator),
            )
        )
        words = [*_reasons(entry), *_reasons(answered), *_blocked_cookies(entry), *_blocked_cookies(answered)]
        if words:
            path = str(asked.get("url", "")).partition("?")[0]
            self.texts.append(Text(f"{asked.get('method', '')} {path}: {'; '.join(words)}", source, "log"))

    def evidence(self) -> Evidence:
        """All of it, with fields that the export left out marked as unknown."""
        exchanges = self.exchanges
        if _client(self.creator) == "browser" and not any(map(_bears_secrets, exchanges)):
            exchanges = [_incomplete(x) for x in exchanges]
        offers: list[Offer] = []
        demands: list[Demand] = []
        answers: list[Answer] = []
        for exchange in exchanges:
            said = facts(exchange)
            offers += said.offers
            demands += said.demands
            answers += said.answers
        return Evidence(
            exchanges=tuple(exchanges),
            texts=tuple(self.texts),
            offers=tuple(offers),
            demands=tuple(demands),
            answers=tuple(answers),
            unreadable=tuple(self.unreadable),
        )


def _request(asked: Mapping[str, Any]) -> Request:
    post = asked.get("postData") or {}
    body = post.get("text") or "&".join(
        f"{p.get('name', '')}={p.get('value', '')}" for p in post.get("params") or () if isinstance(p, dict)
    )
    fields = list(_fields(asked))
    names = {f.name.lower() for f in fields}
    if "cookie" not in names and asked.get("cookies"):
        pairs = "; ".join(
            f"{c.get('name')}={c.get('value')}" for c in asked["cookies"] if isinstance(c, dict)
        )
        fields.append(Field.of("Cookie", pairs))
    version = str(asked.get("httpVersion") or "").lower().removeprefix("http/") or None
    return Request(
        str(asked.get("method") or "").upper() or None,
        str(asked.get("url") or "") or None,
        Fields(tuple(fields)),
        str(body)[:LONGEST_BODY] or None,
        version,
        # browsers list no fields at all for a request that they took from a cache or never sent
        complete=bool(fields),
    )


def _response(answered: Mapping[str, Any], status: int, keep: bool) -> Response:
    fields = list(_fields(answered))
    moved = answered.get("redirectURL")
    if moved and all(f.name.lower() != "location" for f in fields):
        fields.append(Field.of("Location", str(moved)))
    body = _content(answered.get("content") or {}) if keep else None
    reason = str(answered.get("statusText") or "")
    return Response(status, reason, Fields(tuple(fields)), body, None, complete=bool(fields))


def _fields(message: Mapping[str, Any]) -> Iterator[Field]:
    for item in message.get("headers") or ():
        if isinstance(item, dict) and item.get("name"):
            yield Field.of(str(item["name"]), str(item.get("value") or ""))


def _content(content: Mapping[str, Any]) -> str | None:
    body = str(content.get("text") or "")
    if content.get("encoding") == "base64" and body:
        try:
            octets = base64.b64decode(body[: LONGEST_BODY * 2 // 4 * 4])
        except (binascii.Error, ValueError):
            return None
        if b"\0" in octets[:1000]:
            return None
        body = octets.decode("utf-8", "replace")
    return body[:LONGEST_BODY] or None


def _reasons(entry: Mapping[str, Any]) -> Iterator[str]:
    for key in _REASONS:
        value = entry.get(key)
        if isinstance(value, str | dict) and value:
            yield value if isinstance(value, str) else json.dumps(value)[:400]


def _blocked_cookies(entry: Mapping[str, Any]) -> Iterator[str]:
    """Cookies that Chrome did not store or send, with its reason; never their values."""
    for key in ("blockedCookies", "_blockedCookies", "_blockedResponseCookies"):
        for item in entry.get(key) or ():
            if isinstance(item, dict):
                reasons = (
                    item.get("blockedReasons") or item.get("reason") or item.get("_blockedReasons") or ""
                )
                cookie = item.get("cookie") if isinstance(item.get("cookie"), dict) else item
                yield f"blocked cookie {(cookie or {}).get('name', '')}: {reasons}"


def _client(creator: str) -> str | None:
    if re.match(r"(?i)webinspector|firefox|webkit|browser", creator):
        return "browser"
    return creator or None


def _bears_secrets(exchange: Exchange) -> bool:
    messages = (exchange.request, exchange.response)
    return any(f.name.lower() in _SENSITIVE for m in messages if m is not None for f in m.fields)


def _incomplete(exchange: Exchange) -> Exchange:
    response = exchange.response
    return replace(
        exchange,
        request=replace(exchange.request, complete=False),
        response=replace(response, complete=False) if response is not None else None,
    )


def _int(value: object) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None


def _time(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
