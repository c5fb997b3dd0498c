"""The state of the walk over a text: the exchange being read, the part of it, and what both can do."""

from __future__ import annotations

import re

from why401.readers import http_patterns as p
from why401.readers.curl_find import Found
from why401.readers.http_bodies import Body, status_in
from why401.readers.http_drafts import Draft, joined


class State:
    """`part` is "", "request", "request-body", "response" or "response-body"; `side` is where
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
        self.late = False  # a blank line stood between the request line and whatever follows
        self.body = Body()
        self.commands = {item.line: item for item in found}
        self.skip_to = 0

    def start(self, draft: Draft) -> None:
        self.close()
        self.drafts.append(draft)
        self.current = draft
        self.part, self.side, self.panel, self.quoted, self.name = "", "", False, False, ""
        self.late = False

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
            fresh.url = joined(draft.url, location) if moved and location else draft.url
            fresh.request_complete = False
            return fresh
        fresh.fields, fresh.body, fresh.offers = draft.fields, draft.body, draft.offers
        fresh.request_complete = draft.request_complete
        return fresh

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
            self.part = "output" if draft.command else "after"

    def settle_body(self) -> None:
        """A body without a status line may tell the status itself."""
        draft = self.current
        if draft is not None and draft.answered and draft.status is None and draft.response_body:
            draft.status = status_in("\n".join(draft.response_body))

    def close(self) -> None:
        self.settle_body()
