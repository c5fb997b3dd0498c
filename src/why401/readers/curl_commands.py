"""Commands of curl, HTTPie, wget and PowerShell, with the output that stands below them.

`parse` and `split` are also what the command line uses for `why401 curl …`.
"""

from __future__ import annotations

from why401.evidence import Evidence, Source
from why401.readers import http_drafts, http_messages, http_session
from why401.readers.curl_find import Found, find
from why401.readers.curl_parse import CurlCommand, expanded, parse, plain

__all__ = ["CurlCommand", "Found", "expanded", "find", "parse", "plain", "read", "sniff", "split"]


def split(text: str) -> list[list[str]]:
    """The words of every command line in the text, in the shell each was written for."""
    from why401.readers.curl_shell import guess, words

    out: list[list[str]] = []
    at = 0
    while at < len(text):
        found = words(text, at, guess(text[at : at + 3000]))
        if found.argv:
            out.append(found.argv)
        at = max(found.end, at) + 1
    return out


def sniff(name: str, text: str) -> bool:  # noqa: ARG001
    """Whether a command stands in the text."""
    return http_messages.teller(text) == "curl_commands"


def read(text: str, source: Source) -> Evidence:
    """The exchanges of the commands, and of whatever else stands in the text."""
    return http_drafts.evidence(http_session.read(text, source.name), source)
