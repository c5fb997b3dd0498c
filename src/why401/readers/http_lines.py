"""Lines of a text with what tools put before them taken off, and the direction that they told.

curl -v, git, wget -d, http.client, the wire logs of Java clients and OkHttp all print HTTP messages line by line
with a mark of their own. Here each becomes a `Line`: `>` sent, `<` received, `*` a remark of the tool, or ""
for a line that says no direction.
"""

# A table of patterns or samples is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from why401.prefilter import lazy

Direction = Literal["", ">", "<", "*"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its number, what is left of it, which way it went, and the tool whose mark it bore."""

    number: int
    text: str = field(repr=False)
    way: Direction = ""
    tool: str | None = None


_STAMP = r"(?:\[?\d[\d:.,TZ/\-+ ]{5,40}\]?\s+)?"
#: (pattern with the groups `way` and `text`, tool). `way` is looked up in `_WAYS`.
_MARKS: Final = tuple(
    (lazy(pattern), tool)
    for pattern, tool in (
        # git GIT_CURL_VERBOSE / GIT_TRACE_CURL
        (
            rf"^{_STAMP}(?:http\.c:\d+\s+)?(?P<way>=> Send header|<= Recv header|== Info): ?(?P<text>.*)$",
            "git",
        ),
        # curl --trace-ascii: lines of data after a heading
        (r"^(?P<way>==) Info: (?P<text>.*)$", "curl"),
        # Apache HttpClient headers and wire logs, with any logger's prefix
        (r"^.{0,160}?\bhttp-outgoing-\d+ (?P<way>>>|<<) (?P<text>.*)$", "Apache HttpClient"),
        (
            r"^.{0,160}?\b(?:httpclient\.wire\.header|wire|headers)\b.{0,20}? (?P<way>>>|<<) (?P<text>.*)$",
            "Apache HttpClient",
        ),
        # curl -v, with an optional stamp (--trace-time)
        (
            r"^(?:\d\d:\d\d:\d\d\.\d+ )?(?:\[[\d-]+\] )?(?P<way>[<>*])(?: (?P<text>.*)|(?P<blank>)[ \t]*)$",
            "curl",
        ),
    )
)
_WAYS: Final[dict[str, Direction]] = {
    "=> Send header": ">", "<= Recv header": "<", "== Info": "*", "==": "*",
    ">>": ">", "<<": "<", ">": ">", "<": "<", "*": "*",
}  # fmt: skip
_TRACE_HEAD: Final = lazy(r"^(?:\d\d:\d\d:\d\d\.\d+ )?(=>|<=) (Send|Recv) (header|data|SSL data)\b")
_TRACE_LINE: Final = lazy(r"^[0-9a-f]{4,}: (.*)$")
_PYTHON_SEND: Final = lazy(r"^send: (b?(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"))")
_PYTHON_REPLY: Final = lazy(r"^reply: ['\"](.*?)(?:\\r\\n)?['\"]$")
_PYTHON_HEADER: Final = lazy(r"^header: ?(.*)$")
_JAVA_PAIRS: Final = lazy(r"pairs: ((?:\{[^{}\n]{1,4000}\})+)")
_WIRE_QUOTED: Final = lazy(r'^"(.*)"$')
_OKHTTP: Final = lazy(r"^(?P<prefix>.{0,120}?)(?P<way>-->|<--) (?P<text>.*)$")
_OKHTTP_START: Final = lazy(r"(?:[A-Z]{3,10} (?:https?:|/)|\d{3}\b|END\b|HTTP FAILED)")
_START: Final = lazy(r"(?:[A-Z][A-Z-]{2,12} (?:/|\*|https?:)\S* HTTP/\d|HTTP/\d(?:\.\d)? \d{3}\b)")
_WGET: Final = lazy(r"^---(request|response) (begin|end)---$")
_MARKED_REQUEST: Final = lazy(
    r"^(?:\d\d:\d\d:\d\d\.\d+ )?(?:\[[\d-]+\] )?(?:> [A-Z]{3,10} \S+(?: HTTP/|$)|< HTTP/|\* (?:Connected|  Trying|Trying|Host |Server auth))",
    re.M,
)
_ESCAPED: Final = lazy(r"(?m)^&(gt|lt);(?= |$)")
_ANY_MARK: Final = lazy(
    _MARKED_REQUEST.pattern
    + r"|^.{0,120}?(?:--> [A-Z]{3,10} (?:https?:|/)|<-- \d{3}\b)|=> Send header|<= Recv header|^send: b?['\"]|^reply: ['\"]HTTP"
    r"|http-outgoing-\d+ (?:>>|<<)|wire.{0,20} (?:>>|<<) |^---request begin---|\bpairs: \{(?:[A-Z]+ \S+ HTTP/|null: HTTP/)",
    re.M,
)


def marked(text: str) -> bool:
    """Whether some lines bear the mark of a tool that prints what it sends and receives."""
    return bool(_ANY_MARK.search(_unescaped(text)))


def lines(text: str) -> Iterator[Line]:
    """The lines of `text`, each with its number, direction and tool."""
    return _Reader(_unescaped(text)).run()


def _unescaped(text: str) -> str:
    """Marks that a web page's source shows as `&gt;` and `&lt;`; the lines stay the same."""
    return _ESCAPED.sub(lambda m: ">" if m[1] == "gt" else "<", text) if "&gt; " in text else text


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.marked = bool(_MARKED_REQUEST.search(text))  # else "> " and "* " are quotes and bullets
        self.block: Direction = ""  # within a block of --trace-ascii or wget -d
        self.tag = ""  # what a logger puts before each line
        self.tool: str | None = None

    def run(self) -> Iterator[Line]:
        for number, raw in enumerate(self.text.split("\n"), 1):
            yield from self.line(number, raw.rstrip("\r"))

    def line(self, number: int, raw: str) -> Iterator[Line]:
        if (found := _WGET.match(raw)) is not None:
            self.block = (">" if found[1] == "request" else "<") if found[2] == "begin" else ""
            yield Line(number, "", "*", "wget")
        elif (head := _TRACE_HEAD.match(raw)) is not None and not raw.rstrip().endswith(":") and ", " in raw:
            self.block = (">" if head[1] == "=>" else "<") if head[3] != "SSL data" else "*"
        elif self.block and (row := _TRACE_LINE.match(raw)) is not None:
            yield Line(number, row[1], self.block, "curl")
        elif (special := self.special(number, raw)) is not None:
            yield from special
        elif (marked := self.mark(number, raw)) is not None:
            self.block = ""
            yield marked
        elif self.block:
            yield Line(number, raw, self.block, "wget")
        else:
            yield self.logged(number, raw)

    def special(self, number: int, raw: str) -> list[Line] | None:
        """The forms that hold a whole message in one line."""
        if raw.startswith("send: ") and (sent := _PYTHON_SEND.match(raw)):
            return [Line(number, t, ">", "python") for t in _literal(sent[1]).split("\r\n")]
        if raw.startswith("reply: ") and (reply := _PYTHON_REPLY.match(raw)):
            return [Line(number, reply[1], "<", "python")]
        if raw.startswith("header: ") and (item := _PYTHON_HEADER.match(raw)):
            return [Line(number, item[1], "<", "python")]
        if "pairs: {" in raw and (pairs := _JAVA_PAIRS.search(raw)):
            items = [p.removesuffix(": null") for p in pairs[1][1:-1].split("}{")]
            items = [p.removeprefix("null: ") for p in items]
            way: Direction = "<" if items[0].startswith("HTTP/") else ">"
            return [Line(number, t, way, "java") for t in (*items, "")]
        return None

    def mark(self, number: int, raw: str) -> Line | None:
        for pattern, tool in _MARKS:
            if tool == "curl" and not self.marked:
                continue
            if tool == "Apache HttpClient" and not ((">>" in raw) or ("<<" in raw)):
                continue
            if found := pattern.match(raw):
                text = found["text"] or ""
                if tool == "Apache HttpClient":
                    if quoted := _WIRE_QUOTED.match(text):
                        text = quoted[1]
                    text = text.replace("[\\r]", "").replace("[\\n]", "")
                return Line(number, text, _WAYS[found["way"]], tool)
        return None

    def logged(self, number: int, raw: str) -> Line:
        """A line of OkHttp's logging, or of a message behind a logger's prefix; else the line as it is."""
        if (
            ("-->" in raw or "<--" in raw)
            and (found := _OKHTTP.match(raw))
            and _OKHTTP_START.match(found["text"])
        ):
            self.tag = _tag(found["prefix"])
            self.tool = "okhttp"
            way: Direction = ">" if found["way"] == "-->" else "<"
            return Line(number, found["text"], way, "okhttp")
        if self.tag and (at := raw.find(self.tag, 0, 160)) >= 0:
            return Line(number, raw[at + len(self.tag) :].lstrip(" "), "", self.tool)
        if raw[:1].isdigit() or raw[:1] == "[":
            start = _START.search(raw, 0, 200)
            if (
                start
                and start.start() > 0
                and raw[start.start() - 1] in " \t:"
                and _whole(raw[start.start() :])
            ):
                self.tag, self.tool = _tag(raw[: start.start()]), None
                return Line(number, raw[start.start() :])
        return Line(number, raw)


def _whole(text: str) -> bool:
    """Whether a start line reaches to the end of the line, as it does not in an access log."""
    return bool(
        re.fullmatch(r"\S+ \S+ HTTP/\d(?:\.\d)?|HTTP/\d(?:\.\d)? \d{3}(?: [\w' -]{0,60})?", text.rstrip())
    )


def _tag(prefix: str) -> str:
    """The last word of a logger's prefix, by which the lines that follow are known: `[HttpClient]`."""
    words = prefix.split()
    return words[-1] if words and not re.fullmatch(r"[\d:.,TZ/+-]+", words[-1]) else ""


def _literal(text: str) -> str:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError):
        return text
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
