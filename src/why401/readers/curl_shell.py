"""Words of a command line, as bash, cmd.exe and PowerShell would split them.

One table of quoting rules a shell, one scanner for all three. A word keeps note of what the shell would have
put in its place: `"$TOKEN"` is expanded before the program sees it, so its value is unknown to a reader, while
`'$TOKEN'` is sent as it stands. Linear: each character is looked at a bounded number of times, and a quote
that is never closed ends at `LONGEST`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Shell = Literal["bash", "cmd", "powershell"]

LONGEST: Final = 65_536  # characters of one command

#: Stands before and after what the shell expands, so that later steps can tell; never in real input.
OPEN: Final = "\ue000"
CLOSE: Final = "\ue001"

_ANSI: Final = {
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
}
_EXPANSION: Final = re.compile(
    r"\$\{[^}\n]{1,200}\}|\$\([^()\n]{0,400}(?:\([^()\n]{0,200}\)[^()\n]{0,200})*\)|\$[A-Za-z_]\w{0,80}|\$[0-9@*#?]"
)
_PS_EXPANSION: Final = re.compile(
    r"\$\([^()\n]{0,400}\)|\$\{[^}\n]{1,200}\}|\$(?:env:)?[A-Za-z_][\w.]{0,80}", re.I
)
_CMD_EXPANSION: Final = re.compile(r"%[A-Za-z_]\w{0,80}%")
_ANSI_CODE: Final = re.compile(
    r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})|(.))", re.S
)
_HASHTABLE: Final = re.compile(r"""@\{(?:[^{}"']|"(?:[^"`]|`.|"")*+"|'[^']*+')*+\}""", re.S)
_ARROWS: Final = ("->", "=>", "-->", "==>", "→", "⇒", "➜")


@dataclass(frozen=True, slots=True)
class Rules:
    """How one shell quotes: the escape character outside quotes and inside double quotes, and what ends a
    command."""

    escape: str
    inside: str  # characters that the escape character protects inside double quotes; "" for all
    single: bool  # single quotes quote
    stops: str
    expansion: re.Pattern[str]
    doubled: bool = False  # a doubled quote inside quotes is one quote


RULES: Final[Mapping[Shell, Rules]] = {
    "bash": Rules("\\", '$`"\\\n', True, "|;&<>)`", _EXPANSION),
    "cmd": Rules("^", "", False, "|&<>", _CMD_EXPANSION),
    "powershell": Rules("`", "", True, "|;&<>)", _PS_EXPANSION, doubled=True),
}


@dataclass(slots=True)
class Split:
    """The words of one command, where it ends, and what stood after it on the line."""

    argv: list[str] = field(default_factory=list, repr=False)
    end: int = 0
    closed: bool = True
    rest: str = field(
        default="", repr=False
    )  # from an arrow, a comment or an operator to the end of the line


def guess(text: str) -> Shell:
    """The shell that a command was written for."""
    if re.search(r"\^\s*\n|\^\"|\^%", text):
        return "cmd"
    if re.search(r"`[ \t]*\n", text) or re.match(r"\s*(?:PS [A-Z]:|Invoke-|iwr\b|irm\b)", text, re.I):
        return "powershell"
    return "bash"


def marked(text: str) -> str:
    """`text` of a PowerShell string with what PowerShell would expand between marks."""
    return _PS_EXPANSION.sub(lambda found: OPEN + found.group() + CLOSE, text)


def words(text: str, at: int = 0, shell: Shell = "bash", limit: int = LONGEST) -> Split:
    """Split the command that begins at `at`; stops at the end of the command."""
    return _Scanner(text, at, RULES[shell], shell, limit).run()


class _Scanner:
    def __init__(self, text: str, at: int, rules: Rules, shell: Shell, limit: int) -> None:
        self.text, self.at, self.rules, self.shell = text, at, rules, shell
        self.stop = min(len(text), at + limit)
        self.word: list[str] = []
        self.started = False
        self.out = Split()

    def run(self) -> Split:
        while self.at < self.stop and self.step():
            pass
        self.flush()
        self.out.end = self.at
        if self.at < self.stop and self.text[self.at] != "\n":
            eol = self.text.find("\n", self.at)
            self.out.rest = self.text[self.at : eol if eol >= 0 else len(self.text)]
        return self.out

    def flush(self) -> None:
        if self.started:
            self.out.argv.append("".join(self.word))
        self.word, self.started = [], False

    def add(self, text: str) -> None:
        self.word.append(text)
        self.started = True

    def step(self) -> bool:
        """Take one piece; False at the end of the command."""
        text, at, char = self.text, self.at, self.text[self.at]
        if char in " \t":
            self.flush()
            self.at += 1
        elif char == "\n" or char in self.rules.stops or self.ends_here(char):
            return False
        elif self.shell == "powershell" and text.startswith("@{", at) and not self.started:
            self.hashtable()
        elif char == self.rules.escape:
            self.escaped()
        elif char == '"':
            return self.double()
        elif char == "'" and self.rules.single:
            return self.quoted_single(at + 1)
        elif text.startswith("$'", at) and self.shell == "bash":
            return self.ansi(at + 2)
        elif (found := self.rules.expansion.match(text, at)) and not (self.shell == "cmd" and self.word):
            self.add(OPEN + found.group() + CLOSE)
            self.at = found.end()
        else:
            self.add(char)
            self.at += 1
        return True

    def ends_here(self, char: str) -> bool:
        """A comment or an arrow (`curl … -> 401`) where a word would begin."""
        if self.started:
            return False
        return char == "#" or self.text.startswith(_ARROWS, self.at)

    def hashtable(self) -> None:
        """PowerShell's `@{ … }`, kept whole with its quotes; it has no braces within, or they stand in quotes."""
        found = _HASHTABLE.match(self.text, self.at, self.stop)
        self.add(found.group() if found else "@{")
        self.at = found.end() if found else self.at + 2

    def escaped(self) -> None:
        following = self.text[self.at + 1 : self.at + 2]
        blank = re.compile(r"[ \t]*(?:\n|\Z)").match(self.text, self.at + 1)
        if blank and (following != "" or self.shell == "bash"):
            self.at = blank.end()
            self.flush() if self.shell == "powershell" else None
            return
        if self.shell == "powershell" and following in "ntr":
            following_char = {"n": "\n", "t": "\t", "r": "\r"}[following] if following else ""
            self.add(following_char)
        elif self.shell == "cmd" and following == '"':
            self.at += 1
            self.double(caret=True)
            return
        else:
            self.add(following)
        self.at += 1 + len(following)

    def double(self, caret: bool = False) -> bool:
        """Inside double quotes; `caret` is the form `^"…^"` of "copy as cURL (cmd)"."""
        text, at, rules = self.text, self.at + 1, self.rules
        self.started = True
        while at < self.stop:
            char = text[at]
            if caret and char == "^" and at + 1 < self.stop:
                if text[at + 1] == '"':
                    self.at = at + 2
                    return True
                if text[at + 1] == "\\" and text[at + 2 : at + 4] == '^"':
                    self.word.append('"')
                    at += 4
                else:
                    self.word.append(text[at + 1])
                    at += 2
            elif char == '"' and not caret:
                if rules.doubled and text[at + 1 : at + 2] == '"':
                    self.word.append('"')
                    at += 2
                    continue
                self.at = at + 1
                return True
            elif self.shell == "cmd" and char == "\\" and text[at + 1 : at + 2] in '"\\':
                self.word.append(text[at + 1])
                at += 2
            elif char == rules.escape and self.shell != "cmd" and at + 1 < self.stop:
                at = self.escape_inside(at)
            elif found := rules.expansion.match(text, at):
                self.word.append(OPEN + found.group() + CLOSE)
                at = found.end()
            elif self.shell == "bash" and char == "`" and (end := text.find("`", at + 1, at + 400)) > 0:
                self.word.append(OPEN + text[at : end + 1] + CLOSE)
                at = end + 1
            else:
                self.word.append(char)
                at += 1
        return self.unclosed(at)

    def escape_inside(self, at: int) -> int:
        """The escape character inside double quotes."""
        following = self.text[at + 1]
        if self.shell == "powershell":
            self.word.append({"n": "\n", "t": "\t", "r": "\r"}.get(following, following))
        elif following in self.rules.inside:
            self.word.append("" if following == "\n" else following)
        else:
            self.word.append("\\" + following)
        return at + 2

    def quoted_single(self, start: int) -> bool:
        end = self.text.find("'", start, self.stop)
        if end < 0:
            return self.unclosed(self.stop)
        self.add(self.text[start:end])
        self.at = end + 1
        return True

    def ansi(self, start: int) -> bool:
        """Bash's $'…' with its escapes."""
        at = start
        while at < self.stop and self.text[at] != "'":
            at += 2 if self.text[at] == "\\" else 1
        if at >= self.stop:
            return self.unclosed(self.stop)
        self.add(_ANSI_CODE.sub(_ansi_char, self.text[start:at]))
        self.at = at + 1
        return True

    def unclosed(self, at: int) -> bool:
        self.out.closed = False
        self.at = at
        return False


def _ansi_char(match: re.Match[str]) -> str:
    for group, base in ((1, 16), (2, 16), (3, 16), (4, 8)):
        if match.group(group):
            point = int(match.group(group), base)
            return chr(point) if point < 0x110000 else "\ufffd"
    return _ANSI.get(match.group(5), match.group())
