"""Raw HTTP messages, summaries of requests and panels of browsers, anywhere in a text.

A text that also holds commands or transcripts is told as a whole by the reader of those, so that the order
of the exchanges is that of the text and none is told twice; see `teller`.
"""

from __future__ import annotations

from why401.evidence import Evidence, Source
from why401.readers import curl_find, http_drafts, http_lines, http_objects, http_patterns, http_session


def teller(text: str) -> str:
    """Which reader tells the exchanges of this text: the one of commands, of transcripts, or of messages."""
    if curl_find.START.search(text):
        return "curl_commands"
    return "transcripts" if http_lines.marked(text) else "http_messages"


def sniff(name: str, text: str) -> bool:
    """Whether there are messages, and no commands or marks of a transcript round them."""
    if teller(text) != "http_messages":
        return False
    if http_patterns.START.search(text) or http_objects.CUE.search(text):
        return True
    return http_session.lone_body(text, name)


def read(text: str, source: Source) -> Evidence:
    """The exchanges of the text with what they say."""
    return http_drafts.evidence(http_session.read(text, source.name), source)
