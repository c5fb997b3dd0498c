"""The exchanges that a text tells of, in order: messages, transcripts, commands with their output, summaries.

One walk over the lines for all three readers of HTTP in text, since one text mixes the forms: a command, its
transcript, a response pasted below. The state is the exchange being read and the part of it; a line either
begins something (a request, a status, a command, a summary) or continues that part. Linear.
"""

from __future__ import annotations

import re
from typing import Final

from why401.prefilter import lazy
from why401.readers import http_objects, kinds
from why401.readers import http_patterns as p
from why401.readers.curl_find import Found, find
from why401.readers.curl_requests import draft_of
from why401.readers.http_bodies import status_in
from why401.readers.http_continuations import Continuations
from why401.readers.http_drafts import Draft, joined
from why401.readers.http_lines import Line, lines
from why401.readers.http_panels import Panels

LONGEST_LINE: Final = 16_384  # a longer one is a body or a page, not a line of a message


def read(text: str, name: str = "") -> list[Draft]:
    """Every exchange of the text; `name` is that of the input, for one that is a lone body."""
    session = Session(find(text))
    for line in lines(text):
        session.take(line)
    session.close()
    return session.drafts or _objects(text, name) or _lone_body(text, name)


def _objects(text: str, name: str) -> list[Draft]:
    """Requests as objects, but for program text, where they are only meant to be sent."""
    return http_objects.read(text) if kinds.kind_of(name, text)[0] != "code" else []


def lone_body(text: str, name: str) -> bool:
    """Whether the input is, by its name, the body of a response that tells its status."""
    return bool(_lone_body(text, name))


def _lone_body(text: str, name: str) -> list[Draft]:
    """A file that holds only the body of a response, by its name: `response.json`, `output.txt`."""
    base = name.rpartition("/")[2]
    if not re.search(r"(?i)respon|reply|answer|output|result", base) or text.lstrip()[:1] not in "{<":
        return []
    status = status_in(text)
    if status is None:
        return []
    draft = Draft(1, answered=True, status=status, response_complete=False)
    draft.response_body = [text]
    return [draft]


_DIGITS: Final = lazy(r"(?<!\d)[1-5]\d\d(?!\d)")
_ARROW: Final = lazy(r"->|=>|→|➜")


class Session(Panels, Continuations):
    """The walk itself: what begins with a line, and else what it continues."""

    def take(self, line: Line) -> None:
        if line.number < self.skip_to:
            return
        if command := self.commands.get(line.number):
            self.command(command)
            return
        if line.way == "*" or (not line.way and p.NOISE.match(line.text)):
            return
        if len(line.text) > LONGEST_LINE or not self.begins(line):
            self.continues(line)

    def begins(self, line: Line) -> bool:
        """Whether the line begins a message or is a summary of one."""
        text = line.text
        if not text or text.isspace():
            return False
        if line.tool == "okhttp" and line.way:
            return self.okhttp(line)
        if line.way != "<" and (found := p.REQUEST_LINE.match(text)):
            self.request(line, found["method"], found["url"], found["version"])
        elif line.way != ">" and (found := p.STATUS_LINE.match(text)):
            self.response(line, int(found["status"]), found["reason"] or "", found["version"])
            self.opens_body(found["body"])
        elif line.way or self.in_prose_body(text):
            return False
        elif self.part in ("request", "response") and not self.panel and p.FIELD.match(text):
            return False  # the fields of an open message are no summaries
        else:
            return self.panel_line(line) or self.prompt(text) or self.summary(line) or self.loose(line)
        return True

    def in_prose_body(self, text: str) -> bool:
        """Within a JSON or HTML body nothing begins but a message."""
        return self.part == "response-body" and self.body.open and not p.PROMPT.match(text)

    def command(self, found: Found) -> None:
        self.skip_to = found.end_line + 1
        draft = draft_of(found)
        self.start(draft)
        self.pending = draft
        self.part = "output"
        status = found.told
        if status is not None:
            self.answer(status, "", complete=False)
            self.part = "output"
            self.opens_body(found.told_body)

    def request(self, line: Line, method: str, url: str, version: str | None) -> None:
        """A request line. The first on the wire after a command is that command's request."""
        pending = self.pending
        base = self.base()
        if pending is not None and not pending.answered and method != "CONNECT":
            self.close()
            self.current, self.pending = pending, None
            pending.fields = [] if pending.command else pending.fields
            pending.body = [] if pending.command else pending.body
            pending.offers = [] if pending.command else pending.offers
            pending.request_complete = True
            pending.method, pending.version = method, version
            pending.url = joined(pending.url, url) if url.startswith("/") and pending.url else url
        else:
            full = _joined(base, url) if line.way else url
            draft = Draft(line.number, method, full, version, asked=True, client=line.tool)
            draft.joined = full != url
            self.start(draft)
            draft.request_complete = version is not None
            if method == "CONNECT" and pending is not None and self.drafts[-2:-1] == [pending]:
                self.drafts[-2:] = [draft, pending]
        self.part, self.side, self.panel = "request", "", False

    def base(self) -> str | None:
        """The URL that a relative target on the wire belongs to."""
        last = next((d for d in reversed(self.drafts[-3:]) if d.url and "://" in d.url), None)
        if last is None:
            return None
        moved = next((f.text for f in last.response_fields if f.name.lower() == "location"), "")
        return joined(last.url, moved)

    def response(self, line: Line, status: int, reason: str, version: str | None) -> None:
        self.answer(status, reason, complete=True, line=line.number, wire=bool(line.way))
        assert self.current is not None
        self.current.response_version = version.partition("/")[2] if version else None
        self.part, self.side, self.panel = "response", "", False

    def okhttp(self, line: Line) -> bool:
        text = line.text
        if text.startswith(("END", "HTTP FAILED")):
            self.part = ""
            return True
        if line.way == ">" and (found := p.OKHTTP_REQUEST.match(text)):
            self.start(
                Draft(
                    line.number, found["method"], found["url"], found["version"], asked=True, client="okhttp"
                )
            )
            assert self.current is not None
            self.current.request_complete = False  # the logging may hide fields or be at its basic level
            self.part = "request"
        elif line.way == "<" and (found := p.OKHTTP_STATUS.match(text)):
            self.pick(found["url"])
            self.answer(int(found["status"]), found["reason"] or "", complete=True, line=line.number)
            if self.current is not None and self.current.url is None:
                self.current.url = found["url"]
            self.part = "response"
        else:
            return False
        return True

    def pick(self, url: str | None) -> None:
        """Responses of parallel requests name their URL."""
        for draft in reversed(self.drafts[-50:]):
            if url is not None and draft.url == url and not draft.answered:
                self.close()
                self.current = draft
                return

    def summary(self, line: Line) -> bool:
        text = line.text
        if len(text) > 4000 or (p.SERVER_LOG.search(text) and "://" not in text):
            return False
        if not any(c in text for c in "/") or not _DIGITS.search(text):
            return self.status_only(line)
        for pattern in p.SUMMARIES:
            if (found := pattern.search(text)) and not (
                p.STAMPED.match(text)
                and found["url"].startswith("/")
                and "base" not in found.groupdict()
                and not _ARROW.search(text)
            ):
                self.summarised(line, found)
                return True
        return self.status_only(line)

    def summarised(self, line: Line, found: re.Match[str]) -> None:
        groups = found.groupdict()
        url = (groups.get("base") or "") + found["url"]
        draft = Draft(line.number, groups.get("method"), url, asked=True, request_complete=False)
        self.start(draft)
        draft.status, draft.answered, draft.response_complete = int(found["status"]), True, False
        rest = (groups.get("rest") or "").strip()
        reason = re.match(r"[-:(\s]*([A-Z][A-Za-z' -]{2,40})(?=[)\s{`'\"]|$)", rest)
        draft.reason = reason[1].strip() if reason else ""
        self.part, self.side = "summary", "either"
        start = rest.find("{")
        self.opens_body(rest[start:] if start >= 0 else None)

    def status_only(self, line: Line) -> bool:
        """A status alone on a line: the answer to what is open, or an answer that stands alone."""
        text = line.text
        if len(text) > 400:
            return False
        draft = self.current
        waits = draft is not None and (draft.command or not draft.answered) and self.part != ""
        if waits and p.CODES.match(text):
            for code in _DIGITS.findall(text):
                self.answer(int(code), "", complete=False, line=line.number)
                self.part = "output"
            return True
        if waits and draft is not None and draft.code_line is not None and draft.code_line.search(text):
            return False  # the output of the command tells
        found = p.STATUS_ONLY.match(text)
        if found is None or (not waits and not re.match(r"(?i)http", found["lead"] or "")):
            return False
        if draft is not None and draft.answered and draft.status == int(found["status"]):
            return False  # the body says it once more: "401 Unauthorized"
        if not waits and not (found["reason"] or self.part == ""):
            return False
        self.answer(int(found["status"]), found["reason"] or "", complete=False, line=line.number)
        self.part, self.side = "summary" if self.part != "output" else "output", "either"
        self.opens_body(found["body"])
        return True

    def loose(self, line: Line) -> bool:
        found = p.LOOSE_REQUEST.match(line.text)
        if found is None or self.part == "response-body":
            return False
        self.start(Draft(line.number, found["method"], found["url"], asked=True, request_complete=False))
        self.part, self.side = "summary", "either"
        return True

    def prompt(self, text: str) -> bool:
        """A prompt with another command ends the output before it."""
        if not p.PROMPT.match(text):
            return False
        self.close()
        self.current, self.pending, self.part = None, None, ""
        return True


def _joined(base: str | None, url: str) -> str:
    return joined(base, url) if base and url.startswith("/") else url
