"""Transcripts: what curl -v, git, wget -d, OkHttp, http.client and the wire logs of Java print of a request."""

from __future__ import annotations

from why401.evidence import Evidence, Source
from why401.readers import http_drafts, http_messages, http_session


def sniff(name: str, text: str) -> bool:  # noqa: ARG001
    """Whether lines bear the marks of a transcript, and no command stands above them."""
    return http_messages.teller(text) == "transcripts"


def read(text: str, source: Source) -> Evidence:
    """The exchanges of the transcript."""
    return http_drafts.evidence(http_session.read(text, source.name), source)
