"""Lines that continue what was begun: fields, folded values, bodies, what a command printed."""

from __future__ import annotations

import re
from typing import Final

from why401.evidence import Field
from why401.prefilter import lazy
from why401.readers import http_patterns as p
from why401.readers.http_bodies import Body
from why401.readers.http_lines import Line
from why401.readers.http_state import State

_FIELD_NAME: Final = lazy(
    r"(?i)^(?:www-authenticate|proxy-authenticate|authorization|proxy-authorization|cookie|set-cookie|location|server|via|host|"
    r"origin|referer|user-agent|accept|content-type|date|vary|x-[\w-]+|cf-[\w-]+|access-control-[\w-]+)$"
)
#: What an encoder that breaks lines puts on the next: no field, only base64.
_WRAPPED: Final = lazy(r"[A-Za-z0-9+/]{1,76}={0,2}")
_PANEL_NAMES: Final = frozenset({"request url", "request method", "status code", "status", "method", "url"})


class Continuations(State):
    """What a line is that begins nothing."""

    def continues(self, line: Line) -> None:
        draft, text = self.current, line.text
        if draft is None or not self.part:
            return
        if text.startswith("```"):  # the fence of a code block ends whatever stood in it
            self.close()
            self.current, self.pending, self.part = None, None, ""
        elif self.name:
            self.two_lines(line)
        elif not text.strip():
            self.blank()
        elif self.part in ("request", "response"):
            self.field_or_body(line, self.part)
        elif self.part == "summary":
            self.summary_field(line)
        elif self.part == "after":  # a body has ended; prose may follow
            return
        elif self.part == "output":
            self.output(text)
        else:
            self.into_body(text)

    def two_lines(self, line: Line) -> None:
        """The value of a name that stood alone on the line before."""
        name, self.name, draft = self.name, "", self.current
        if draft is None:
            return
        if self.panel and name in _PANEL_NAMES:
            self.panel_value(name, line.text.strip())
        elif name not in ("remote address", "referrer policy"):
            draft.put(Field.of(name, line.text.strip(), line.number), self.side or "either")

    def blank(self) -> None:
        draft = self.current
        first = draft is not None and not draft.fields and not draft.command and draft.client is None
        if self.part == "request" and first and not self.late:
            self.late = True  # as pasted from a page: the fields may stand after a blank line
        elif self.part == "request":
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
        late, self.late = self.late and side == "request", False
        if late and not (found and _FIELD_NAME.match(found["name"])):
            self.part, self.body = "request-body", Body()
            self.into_body(line.text)
        elif found:
            draft.put(Field.of(found["name"], found["value"].strip(), line.number), side)
        elif line.text[:1] in " \t" and fields and line.text.strip()[:1] not in "{[<":
            last = fields[-1]
            fields[-1] = Field.of(last.name, f"{last.text} {line.text.strip()}", last.line)
        elif fields and fields[-1].name.lower() == "authorization" and _WRAPPED.fullmatch(line.text):
            last = fields[-1]
            fields[-1] = Field.of(last.name, f"{last.text}\n{line.text}", last.line)
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
        if draft.code_line is not None and (code := draft.code_line.search(text)):
            self.answer(int(code["status"]), "", complete=False)
            self.part = "output"
            return
        if glued := re.match(r"^(\{.*\}|\[.*\])\s*(?:HTTP(?: status)?:? ?)?([1-5]\d\d)$", stripped):
            self.answer(int(glued[2]), "", complete=False)
            self.opens_body(glued[1])
        elif stripped[:1] in "{[<" and not draft.response_body:
            draft.answered = True
            draft.response_complete = draft.status is not None and draft.response_complete
            self.opens_body(stripped)
