"""Panels of browsers and clients, and the sections of written-out requests.

Chrome's network panel, copied, gives `Request URL: …`, `Status Code: …` and sections of fields, in newer versions with
the name on one line and the value on the next.
"""

from __future__ import annotations

from why401.readers import http_patterns as p
from why401.readers.http_bodies import Body
from why401.readers.http_drafts import Draft
from why401.readers.http_lines import Line
from why401.readers.http_state import State


class Panels(State):
    """The lines of panels and the headings of sections."""

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
