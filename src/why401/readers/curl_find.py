"""Commands that send a request, wherever they stand in a text: at a prompt, in a script, in prose.

A name alone is no command ("curl works"): an option or a URL has to follow it.
"""

# A table of patterns or samples is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Final

from why401.prefilter import lazy
from why401.readers import curl_others
from why401.readers.curl_parse import CurlCommand, parse
from why401.readers.curl_shell import Shell, guess, words
from why401.readers.curl_variables import put_in, values

_UNCLOSED: Final = 5  # commands with a quote that never closes, before only single lines are read

START: Final = lazy(
    r"""(?xm)
    (?:^|(?<=[\s`'"(|;&=:>]))
    (?P<tool>
        (?:[~.\w/-]{0,100}/)?curl(?:\.exe)?(?=[ \t]+(?:-|\\|\^|`[ \t]*$|["'$^<]*(?:https?:|\$|\{|localhost\b|\d+\.\d+\.\d+\.\d+|
            [\w-]+(?:\.[\w-]+)*\.[a-z]{2,}(?=[/:?\s"']|$)|[\w.-]+:\d+|[\w.-]+/)))
      | https?(?=[ \t]+(?:(?:-{1,2}[A-Za-z]|GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)\b|:\d{2,5}/|:/|https?://|localhost[:/]|
            [\w.-]+\.[a-z]{2,}[/:?]\S*))
      | wget(?=[ \t]+(?:-|["']?https?:))
      | (?:Invoke-RestMethod|Invoke-WebRequest|irm|iwr)(?=[ \t]+[-"'$h])
    )
    """
)
#: Program text that prints a command: it is a text there, and the command is run nowhere.
_PRINTS: Final = lazy(
    r"(?:\bprint(?:f|ln!?)?|\bconsole\.\w+|\blog(?:ger|ging)?\.\w+|\bputs|\bWriteLine|\bSprintf|\bfmt\.\w+)\s*[( ]\s*"
    r"(?:[frbu$@]{0,2}[\"'`])[^\"'`\n]{0,80}$",
    re.I,
)
_TOLD: Final = lazy(
    r"^(?:->|=>|-->|==>|→|⇒|➜|#\s*(?:->|=>|→)?)\s*(?:HTTP(?:/\d(?:\.\d)?)?\s+|status(?: code)?:?\s*|returns?\s+|gives\s+)?"
    r"(?P<status>[1-5]\d\d)\b(?P<rest>.*)$"
)


@dataclass(frozen=True, slots=True)
class Found:
    """A command in a text: its lines (from 1), what it asks for, and what its line says of the outcome."""

    line: int
    end_line: int
    command: CurlCommand
    shell: Shell
    rest: str = field(default="", repr=False)
    substitution: bool = False  # within $(…): its output is not shown

    @property
    def told(self) -> int | None:
        found = _TOLD.match(self.rest.strip())
        return int(found["status"]) if found else None

    @property
    def told_body(self) -> str | None:
        found = _TOLD.match(self.rest.strip())
        start = found["rest"].find("{") if found else -1
        return found["rest"][start:] if found and start >= 0 else None


def find(text: str) -> list[Found]:
    """Every command of the text, in order; of two on one line the first counts."""
    starts = [match.start() for match in re.finditer("^", text, re.M)] if START.search(text) else []
    known = values(text) if starts and "$" in text else {}
    out: list[Found] = []
    at = unclosed = 0
    while starts and (match := START.search(text, at)) is not None:
        line = bisect_right(starts, match.start())
        if _PRINTS.search(text[starts[line - 1] : match.start()]):
            at = match.end()
            continue
        shell = guess(text[match.start() : match.start() + 3000])
        split = words(text, match.start(), shell)
        if not split.closed:
            unclosed += 1
            end = text.find("\n", match.start())
            split = words(text[match.start() : end if end >= 0 else len(text)], 0, shell)
            split.end += match.start()
        at = max(split.end, match.end())
        if unclosed > _UNCLOSED * 20:
            break
        argv = [put_in(word, known) for word in split.argv]
        command = _parse(match["tool"].rpartition("/")[2].lower(), argv)
        end_line = bisect_right(starts, max(match.start(), split.end))
        if command is None or not command.urls or (out and out[-1].end_line >= line):
            continue
        inside = text[max(0, match.start() - 2) : match.start()] == "$("
        out.append(Found(line, end_line, command, shell, split.rest, inside))
    return out


def _parse(tool: str, argv: list[str]) -> CurlCommand | None:
    if tool.startswith("curl"):
        return parse(argv)
    if tool in ("http", "https"):
        return curl_others.httpie(argv)
    if tool == "wget":
        return curl_others.wget(argv)
    return curl_others.powershell(argv)
