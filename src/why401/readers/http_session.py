"""The exchanges that a text tells of, in order: messages, transcripts, commands with their output, summaries.

One walk over the lines for all three readers of HTTP in text, since one text mixes the forms: a command, its
transcript, a response pasted below. The state is the exchange being read and the part of it; a line either
begins something (a request, a status, a command, a summary) or continues that part. Linear.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urljoin

from why401.evidence import Field
from why401.readers import http_patterns as p
from why401.readers.curl_find import Found, find
from why401.readers.curl_requests import draft_of
from why401.readers.http_bodies import Body, status_in
from why401.readers.http_drafts import Draft
from why401.readers.http_lines import Line, lines

LONGEST_LINE: Final = 16_384  # a longer one is a body or a page, not a line of a message


def read(text: str, name: str = "") -> list[Draft]:
    """Every exchange of the text; `name` is that of the input, for one that is a lone body."""
    session = Session(find(text))
    for line in lines(text):
        session.take(line)
    session.close()
    return session.drafts or _lone_body(text, name)


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


class Session:
    """The walk: `part` is "", "request", "request-body", "response" or "response-body"; `side` is where
    fields go while a section or a summary is open."""

    def __init__(self, found: list[Found]) -> None:
        self.drafts: list[Draft] = []
        self.current: Draft | None = None
        self.pending: Draft | None = None  # a command or panel whose request on the wire was not seen yet
        self.part = ""
        self.side = ""
        self.panel = False
        self.quoted = False  # values stand in quotes, as in Postman's console
        self.name = ""  # a field name whose value is on the next line
        self.body = Body()
        self.commands = {item.line: item for item in found}
        self.skip_to = 0

    # -- one line

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
        elif line.way:
            return False
        elif self.in_prose_body(text):
            return False
        elif self.part in ("request", "response") and not self.panel and p.FIELD.match(text):
            return False  # the fields of an open message are no summaries
        else:
            return self.panel_line(line) or self.prompt(text) or self.summary(line) or self.loose(line)
        return True

    def in_prose_body(self, text: str) -> bool:
        """Within a JSON or HTML body nothing begins but a message."""
        return self.part == "response-body" and self.body.open and not p.PROMPT.match(text)

    # -- beginnings

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

    def start(self, draft: Draft) -> None:
        self.close()
        self.drafts.append(draft)
        self.current = draft
        self.part, self.side, self.panel, self.quoted, self.name = "", "", False, False, ""

    def request(self, line: Line, method: str, url: str, version: str | None) -> None:
        """A request line. The first on the wire after a command is that command's request."""
        pending = self.pending
        base = self.base()
        if pending is not None and not pending.answered and method != "CONNECT":
            self.close()
            self.current, self.pending = pending, None
            pending.fields = [] if pending.command else pending.fields
            pending.offers = [] if pending.command else pending.offers
            pending.request_complete = True
            pending.method, pending.version = method, version
            pending.url = urljoin(pending.url or "", url) if url.startswith("/") and pending.url else url
        else:
            full = _joined(base, url) if line.way else url
            draft = Draft(line.number, method, full, version, asked=True, client=line.tool)
            self.start(draft)
            draft.request_complete = version is not None
            if method == "CONNECT" and pending is not None and self.drafts[-2:-1] == [pending]:
                self.drafts[-2:] = [draft, pending]
        self.part, self.side, self.panel = "request", "", False

    def base(self) -> str | None:
        """The URL that a relative target on the wire belongs to."""
        last = next((d for d in reversed(self.drafts[-3:]) if d.url and "://" in d.url), None)
        return last.url if last is not None else None

    def response(self, line: Line, status: int, reason: str, version: str | None) -> None:
        self.answer(status, reason, complete=True, line=line.number, wire=bool(line.way))
        assert self.current is not None
        self.current.response_version = version.partition("/")[2] if version else None
        self.part, self.side, self.panel = "response", "", False

    def answer(
        self, status: int | None, reason: str, *, complete: bool, line: int = 0, wire: bool = False
    ) -> None:
        """The status goes to the open request, or to a new exchange where that has one already."""
        self.settle_body()
        draft = self.current
        interim = draft is not None and draft.status is not None and draft.status < 200 and draft.answered
        if draft is None or (draft.answered and not interim and draft.status is not None):
            draft = self.again(draft, line) if draft is not None and draft.command else Draft(line or 1)
            self.start(draft)
        if interim or (draft.answered and draft.status is None):
            draft.response_fields = [] if interim else draft.response_fields
        draft.answered, draft.status, draft.reason = True, status, reason.strip()
        draft.response_complete = complete
        if draft is self.pending and not (wire and draft.method == "CONNECT"):
            self.pending = None

    def again(self, draft: Draft, line: int) -> Draft:
        """Another response to one command: a redirect followed, a challenge answered, or the next of a loop."""
        location = next((f.text for f in draft.response_fields if f.name.lower() == "location"), None)
        moved = draft.status is not None and 300 <= draft.status < 400 and location
        challenged = draft.status in (401, 407) and bool(draft.response_fields)
        fresh = Draft(
            line or draft.line, draft.method, draft.url, asked=True, client=draft.client, command=True
        )
        fresh.provenances = draft.provenances
        if moved or challenged:
            fresh.url = urljoin(draft.url or "", location) if moved and location else draft.url
            fresh.request_complete = False
            return fresh
        fresh.fields, fresh.body, fresh.offers = draft.fields, draft.body, draft.offers
        fresh.request_complete = draft.request_complete
        return fresh

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
        if len(text) > 4000 or p.SERVER_LOG.search(text) and "://" not in text:
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

    # -- panels and sections

    def panel_line(self, line: Line) -> bool:
        text = line.text
        if section := p.SECTION.match(text):
            return self.section(section["what"].lower())
        found = p.PANEL_KEY.match(text)
        if found is None:
            return False
        key, value = found["key"].lower(), found["value"]
        if key in ("request url", "request uri") or (key == "url" and value and value.startswith("http")):
            return self.panel_url(line, value)
        if not self.panel:
            return False
        if value is None:
            self.name = key
            return True
        self.panel_value(key, value.strip())
        return True

    def panel_url(self, line: Line, value: str | None) -> bool:
        draft = Draft(line.number, None, (value or "").strip() or None, asked=True, client="browser")
        self.start(draft)
        self.pending, self.panel, self.part = draft, True, "summary"
        draft.request_complete = False
        self.name = "" if value else "request url"
        self.side = ""
        return True

    def panel_value(self, key: str, value: str) -> None:
        draft = self.current
        if draft is None:
            return
        if key in ("request url", "request uri", "url"):
            draft.url = value
        elif key in ("request method", "method"):
            draft.method = value.upper()
        elif key in ("status code", "status") and (found := re.match(r"(\d{3})\s*(.*)", value)):
            draft.answered, draft.status, draft.reason = True, int(found[1]), found[2].strip()
            draft.response_complete = False

    def section(self, what: str) -> bool:
        """`Request headers:` and the like; outside a summary or panel a mere heading of prose."""
        if self.current is None or (self.part not in ("summary", "output") and not self.panel):
            return False
        self.settle_body()
        asks = "request" in what or what in ("form data", "query string parameters")
        body = any(word in what for word in ("body", "payload", "form data"))
        self.name = ""
        if what in ("general", "query string parameters", "request cookies", "response cookies"):
            self.side = ""
        elif body:
            self.part = "request-body" if asks else "response-body"
            self.body = Body()
        elif what in ("request", "response") and not self.panel:
            self.side = what
        else:
            self.side = "request" if asks else "response" if "response" in what else "either"
            self.part = "summary"
            if asks and self.current is not None:
                self.current.request_complete = self.panel and "request headers" in what
        return True

    # -- continuations

    def continues(self, line: Line) -> None:
        draft, text = self.current, line.text
        if draft is None or not self.part:
            return
        if self.name:
            self.two_lines(line)
        elif not text.strip():
            self.blank()
        elif self.part in ("request", "response"):
            self.field_or_body(line, self.part)
        elif self.part == "summary":
            self.summary_field(line)
        elif self.part == "output":
            self.output(text)
        else:
            self.into_body(text)

    def two_lines(self, line: Line) -> None:
        """The value of a name that stood alone on the line before."""
        name, self.name, draft = self.name, "", self.current
        if draft is None:
            return
        if self.panel and name in ("request url", "request method", "status code", "status", "method"):
            self.panel_value(name, line.text.strip())
        elif name not in _PANEL_NAMES:
            draft.put(Field.of(name, line.text.strip(), line.number), self.side or "either")

    def blank(self) -> None:
        if self.part == "request":
            self.part = "request-body"
            self.body = Body()
        elif self.part == "response":
            self.part = "response-body"
            self.body = Body(self.length())
        elif self.part in ("request-body", "response-body") and self.body.at_blank():
            self.settle_body()
            self.part = "output" if self.current is not None and self.current.command else ""
        elif self.part == "summary" and not self.panel and self.side == "either":
            pass

    def length(self) -> int | None:
        fields = self.current.response_fields if self.current is not None else []
        text = next((f.text for f in fields if f.name.lower() == "content-length"), "")
        return int(text) if text.isdigit() and len(text) < 10 else None

    def field_or_body(self, line: Line, side: str) -> None:
        draft = self.current
        assert draft is not None
        fields = draft.fields if side == "request" else draft.response_fields
        found = p.FIELD.match(line.text)
        if found and not (line.text[:1] in " \t" and fields and _folds(line.text, fields)):
            draft.put(Field.of(found["name"], found["value"].strip(), line.number), side)
        elif line.text[:1] in " \t" and fields and line.text.strip()[:1] not in "{[<":
            last = fields[-1]
            fields[-1] = Field.of(last.name, f"{last.text} {line.text.strip()}", last.line)
        elif line.text.strip()[:1] in "{[<" or (side == "response" and line.way == "<"):
            self.part = f"{side}-body"
            self.body = Body(None if side == "request" else self.length())
            self.into_body(line.text)
        else:
            self.part = "output" if draft.command else ""

    def summary_field(self, line: Line) -> None:
        draft, text = self.current, line.text
        assert draft is not None
        found = p.FIELD.match(text)
        indented = text[:1] in " \t"
        if found and (
            self.panel or indented or self.side in ("request", "response") or _FIELD_NAME.match(found["name"])
        ):
            value = found["value"].strip()
            if not value and self.panel:
                self.name = found["name"]
                return
            if len(value) > 1 and value[0] == value[-1] == '"' and not self.panel:
                value = value[1:-1].replace('\\"', '"')
            if self.side or not self.panel:
                draft.put(Field.of(found["name"], value, line.number), self.side or "either")
        elif text.strip()[:1] in "{[<":
            draft.answered = True
            draft.response_complete = False
            self.opens_body(text)
        elif self.panel and self.side and re.fullmatch(r"\s*:?[A-Za-z][A-Za-z0-9-]{1,60}\s*", text):
            self.name = text.strip()
        elif not indented and not self.panel:
            self.part = ""

    def output(self, text: str) -> None:
        """What a command printed besides messages: a body without a status, or a body with one glued on."""
        draft = self.current
        assert draft is not None
        stripped = text.strip()
        if glued := re.match(r"^(\{.*\}|\[.*\])\s*(?:HTTP(?: status)?:? ?)?([1-5]\d\d)$", stripped):
            self.answer(int(glued[2]), "", complete=False)
            self.opens_body(glued[1])
        elif stripped[:1] in "{[<" and not draft.response_body:
            draft.answered = True
            draft.response_complete = draft.status is not None and draft.response_complete
            self.opens_body(stripped)

    # -- bodies

    def opens_body(self, text: str | None) -> None:
        if text:
            self.part = "response-body"
            self.body = Body()
            self.into_body(text)

    def into_body(self, text: str) -> None:
        draft = self.current
        if draft is None:
            return
        if (
            self.part == "request-body"
            and not self.body.size
            and text.strip()[:1] not in '{[<"'
            and "=" not in text
        ):
            self.part = ""  # prose after a request
            return
        if self.part == "response-body" and not self.body.size and p.PROMPT.match(text):
            return
        self.body.add(text)
        (draft.body if self.part == "request-body" else draft.response_body).append(text)
        if self.body.done:
            self.settle_body()
            self.part = (
                "output" if draft.command else "after" if self.part == "response-body" else "request-body"
            )

    def settle_body(self) -> None:
        """A body without a status line may tell the status itself."""
        draft = self.current
        if draft is not None and draft.answered and draft.status is None and draft.response_body:
            draft.status = status_in("\n".join(draft.response_body))

    def close(self) -> None:
        self.settle_body()


_DIGITS: Final = re.compile(r"(?<!\d)[1-5]\d\d(?!\d)")
_ARROW: Final = re.compile(r"->|=>|→|➜")
_FIELD_NAME: Final = re.compile(
    r"(?i)^(?:www-authenticate|proxy-authenticate|authorization|proxy-authorization|cookie|set-cookie|location|server|via|host|"
    r"origin|referer|user-agent|accept|content-type|date|vary|x-[\w-]+|cf-[\w-]+|access-control-[\w-]+)$"
)
_PANEL_NAMES: Final = frozenset(
    "request url,request method,status code,remote address,referrer policy,status,method,url".split(",")
)


def _folds(text: str, fields: list[Field]) -> bool:
    """An indented line after a field that is not itself indented continues it, unless all are indented."""
    return False if p.FIELD.match(text) and fields else True


def _joined(base: str | None, url: str) -> str:
    return urljoin(base, url) if base and url.startswith("/") else url
