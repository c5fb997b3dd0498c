"""Which events are one thing that happened many times.

An exception is known by the types of its chain and its calls within the application, without line numbers, which
change with every release. A refused request is known by status, host, route, method, scheme and error of the challenge,
and the state of the credential: so 401 and 403, or two hosts, are never one, whatever the exception. A text is known by
itself without numbers and ids. What the client names (`fingerprint`) comes first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from why401.monitor.event import Event, Frame, Raised
from why401.monitor.refusal import Refusal
from why401.prefilter import lazy

MOST_FRAMES = 30
#: Places of code that others wrote, in the languages of the clients.
_FOREIGN = lazy(
    r"(?i)(?:^|[/\\])(?:site-packages|dist-packages|node_modules|vendor|gems|bower_components)[/\\]"
    r"|^/(?:SITE_PACKAGES|GEM_ROOT|NODE_MODULES)/|[/\\]lib[/\\](?:python|ruby)[\d.]*[/\\]|^node:|^internal/|^<(?:frozen|anonymous)"
    r"|^(?:java|javax|jdk|sun|org\.springframework|System|Microsoft)\."
)
_VARIABLE = lazy(
    r"(?i)\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b|\b0x[0-9a-f]+\b|\b[0-9a-f]{16,}\b"
    r"|\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d\S*|(?<![a-z0-9_])[+-]?\d+(?:\.\d+)*(?![a-z_])"
)
_QUOTED = lazy(r"'[^'\n]{1,200}'|\"[^\"\n]{1,200}\"")
_DEFAULT = ("{{ default }}", "{{default}}")


@dataclass(frozen=True)
class Grouped:
    """`key`: equal for like events of a project. `title` and `culprit` are what a person reads first."""

    key: str
    title: str
    culprit: str


def group(event: Event, refusal: Refusal | None, credential: str) -> Grouped:
    """The group of a scrubbed event. `credential`: the state of the credential that it held, "" for none known."""
    parts = list(_own(event, refusal, credential))
    named = event.get("fingerprint")
    if named:
        parts = [part for name in named for part in (parts if name in _DEFAULT else [name])]
    digest = hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return Grouped(digest, _title(event, refusal), _culprit(event, refusal))


def _own(event: Event, refusal: Refusal | None, credential: str) -> Iterator[str]:
    raised = event.get("raised", [])
    yield event["kind"]
    for one in raised[:3]:
        yield one.get("type", "")
    calls = [call for one in raised[:1] for call in _calls(one)]
    yield from calls
    if refusal is not None:
        r = refusal
        yield from (str(r.status), r.host, r.route, r.method, r.scheme, r.error, credential)
    if not calls:
        yield event.get("transaction", "") if event["kind"] == "exception" else ""
        yield "" if refusal is not None else pattern(message_of(event))


def _calls(raised: Raised) -> Iterator[str]:
    frames = raised.get("frames", [])
    own = [frame for frame in frames if in_app(frame)] or frames
    for frame in own[:MOST_FRAMES]:
        yield f"{frame.get('module') or frame.get('file', '')}:{frame.get('function', '')}"


def in_app(frame: Frame) -> bool:
    """Whether a call is of the application's own code."""
    said = frame.get("in_app")
    return said if said is not None else _FOREIGN.search(frame.get("file", "")) is None


def pattern(message: str) -> str:
    """A text without what varies: numbers, ids, times, quoted values."""
    return _QUOTED.sub("‹›", _VARIABLE.sub("‹›", message[:1000]))


def class_of(event: Event) -> str:
    """The type of the outermost exception; for others what stands for it."""
    raised = event.get("raised")
    if raised:
        return raised[0].get("type", "") or "Error"
    return "Refused request" if event["kind"] == "refusal" else "Message"


def message_of(event: Event) -> str:
    raised = event.get("raised")
    return (raised[0].get("message", "") if raised else "") or event.get("message", "")


def _title(event: Event, refusal: Refusal | None) -> str:
    if event["kind"] == "refusal" and refusal is not None:
        where = f"{refusal.host}{refusal.route}" or event.get("transaction", "")
        return " ".join(part for part in (str(refusal.status), refusal.method, where) if part)
    message = message_of(event)
    if event["kind"] == "message":
        return message.splitlines()[0] if message else "(no message)"
    return f"{class_of(event)}: {message.splitlines()[0]}" if message else class_of(event)


def _culprit(event: Event, refusal: Refusal | None) -> str:
    frames = [frame for one in event.get("raised", [])[:1] for frame in one.get("frames", [])]
    frame = next((frame for frame in frames if in_app(frame)), frames[0] if frames else None)
    if frame is not None:
        line = f":{frame['line']}" if "line" in frame else ""
        return f"{frame.get('function', '')} ({frame.get('file', '')}{line})"
    return event.get("transaction", "") or (f"{refusal.host}{refusal.route}" if refusal else "")
