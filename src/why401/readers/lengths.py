"""Long texts made shorter before they are searched, so that no text costs more than a few seconds.

Hundreds of expressions are asked of each text. Many of them take the square of the length of one run of blanks
or of one endless word, and what they look for never needs either. A text of megabytes is mostly the same line
again and again: of each shape of line the first ones are kept, and rather those that speak of authentication.
Of a line that is left out a mark stays, so that line numbers hold.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

MOST_BLANKS: Final = 400  #: white space on end; a table's columns and a page's gaps are far less
MOST_SIGNS: Final = 1_000  #: that are neither letters nor digits, on end
LONGEST_WORD: Final = 16_384  #: of a token's characters: twice what servers take as one field
MOST_ALIKE: Final = 500  #: of one character on end
LONG_TEXT: Final = 200_000  #: characters; a longer text is condensed
HEAD: Final = 60_000  #: characters of a long text that are kept as they are, where its lines are short
LONGEST_LINE: Final = 8_000  #: characters of one line of a long text
OF_ONE_SHAPE: Final = 4
LEFT_OUT: Final = "etc"  #: a word, since runs of empty lines or of signs are dear as well

_BLANKS: Final = re.compile(rf"(?<!\s)\s{{{MOST_BLANKS},}}")
_SIGNS: Final = re.compile(rf"(?<!\W)\W{{{MOST_SIGNS},}}")
_WORD: Final = re.compile(rf"(?<![\w.+/=-])[\w.+/=-]{{{LONGEST_WORD},}}+")
_ALIKE: Final = re.compile(rf"([^\s])(?<!\1\1)\1{{{MOST_ALIKE},}}+")
_DIGITS: Final = re.compile(r"\d+")
_DOCUMENT: Final = re.compile(r"\s{0,99}(?:\[\s{0,99}[\[{]|\{\s{0,99}\n|<[?!\w])")
_CUE: Final = re.compile(
    r"(?i)40[137]|auth|denied|token|passw|login|credential|forbidden|expired|signature|cookie|session|x509|tls|ssl"
)


def calm(text: str) -> str:
    """The text with its longest runs of blanks, of signs, of one character and of a word's characters cut.

    Lines are counted from one place further up after a run of hundreds of empty lines.
    """
    if len(text) < MOST_BLANKS:
        return text
    text = _BLANKS.sub(lambda run: run.group()[:MOST_BLANKS], text)
    text = _SIGNS.sub(lambda run: run.group()[:MOST_SIGNS], text)
    text = _ALIKE.sub(lambda run: run.group()[:MOST_ALIKE], text)
    return _WORD.sub(lambda word: word.group()[: LONGEST_WORD // 2], text)


def document(text: str) -> bool:
    """Whether the text is one JSON or XML document: it is parsed whole, and its lines are no messages."""
    return _DOCUMENT.match(text) is not None


def condensed(text: str) -> str:
    """A text of at most some 200,000 characters (and its line ends) that holds what is worth searching."""
    if len(text) <= LONG_TEXT:
        return text
    seen: Counter[str] = Counter()
    kept: list[str] = []
    size = 0
    for line in text.split("\n"):
        line = _shortened(line)
        shape = _DIGITS.sub("0", line[:300])
        seen[shape] += 1
        room = HEAD if not _CUE.search(line) else LONG_TEXT
        wanted = seen[shape] <= OF_ONE_SHAPE and size + len(line) <= room
        kept.append(line if wanted or not line else LEFT_OUT)
        size += len(kept[-1])
    return "\n".join(kept)


def _shortened(line: str) -> str:
    """The beginning of a long line, and what stands around the first words of authentication after it."""
    if len(line) <= LONGEST_LINE:
        return line
    at = LONGEST_LINE // 2
    parts = [line[:at]]
    while sum(map(len, parts)) < LONGEST_LINE and (cue := _CUE.search(line, at)):
        parts.append(line[max(at, cue.start() - 300) : cue.end() + 300])
        at = cue.end() + 300
    return " … ".join(parts)
