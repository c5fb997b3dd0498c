"""Log files too large to read whole: what speaks of a refusal is searched out, with its line numbers.

The file is searched as bytes, in blocks, on two processors: literals are found about as fast as grep finds them, and
only lines that are kept cost more. Kept are the file's beginning and end, the lines around the moments that
other evidence names, the first lines of each shape, and an even sample of the rest; all in the file's order.
The excerpt is read as any other log is; its `Source` gives each of its lines the number that it has in the file.
"""

from __future__ import annotations

import multiprocessing
import os
import re
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from why401.evidence import Source
from why401.readers import access_logs, app_logs, kinds, log_moments

BIG = 16_000_000  #: bytes; smaller files are read whole
BLOCK = 1 << 20
MOST_LINES = 2_000  #: of the sample
OF_A_SHAPE, MOST_SHAPES = 3, 300
OF_A_BLOCK = 12  #: lines at least that are looked at for each literal
AROUND = 40  #: lines before and after a moment
HEAD, TAIL = 50, 300  #: lines kept as they are at both ends
LONGEST = 8_000
HEAD_BYTES = 65_536

#: What the lines that matter hold: the words of error logs end as these do, whatever their case at the beginning.
WORDS = (b"uth", b"enied", b"orbidden", b"assword", b"oken", b"redential", b"ertificate", b"not found in")
_BEFORE, _AFTER = frozenset(b' "=:/|'), frozenset(b' ",}|\r\n)')
_VARIABLE = rb"\d+|\"[^\"]*\"|/\S*"


@dataclass(frozen=True, slots=True)
class Excerpt(Source):
    """The source of an excerpt: line n of the excerpt is line `lines[n - 1]` of the file."""

    lines: tuple[int, ...] = field(default=(), repr=False)
    told: str = ""  # how much was searched, in a sentence

    def at(self, line: int | None) -> Source:
        """The place in the file of a line of the excerpt."""
        known = line is not None and 0 < line <= len(self.lines)
        return Source(self.name, self.lines[line - 1] if known and line else line, self.live)


@dataclass(frozen=True, slots=True)
class Found:
    """What was searched out: the excerpt, its line numbers, the file's lines, and how often each literal occurs."""

    text: bytes = field(repr=False)
    lines: tuple[int, ...] = field(repr=False)
    total: int
    counts: dict[str, int]

    def source(self, name: str) -> Excerpt:
        """The source by which the readers number what they read of the excerpt."""
        refused = self.counts.get("40x", 0)
        words = max((n for word, n in self.counts.items() if word != "40x"), default=0)
        told = f"{self.total:,} lines were searched; {refused:,} tell a status 401, 403 or 407"
        more = f", and {words:,} hold words that refusals are told by" if words else ""
        return Excerpt(name, lines=self.lines, told=f"{told}{more}.")


@dataclass(slots=True)
class _Part:
    """What one worker brings back; line numbers count from 0 at its beginning."""

    kept: list[tuple[int, bytes]] = field(default_factory=list)
    must: list[tuple[int, bytes]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    total: int = 0


def is_big_log(path: Path) -> bool:
    """Whether a file is too large to read whole and holds log lines."""
    try:
        if path.stat().st_size <= BIG:
            return False
        with path.open("rb") as file:
            return _statuses(file.read(HEAD_BYTES)) is not None
    except OSError:
        return False


def _statuses(head: bytes) -> bool | None:
    """Whether (nearly) every line tells a status; None for what is no log."""
    if kinds.unreadable(head):
        return None
    text = kinds.decode(head).rpartition("\n")[0]
    total = sum(1 for line in text.split("\n") if line.strip())
    told = len(access_logs.read(text, Source("")).records)
    other = len(app_logs.read(text, Source("")).records)
    if total < 5 or told + other < total * 0.2:
        return None
    return told > 0.8 * total


def search(path: Path, moments: Sequence[datetime] = ()) -> Found:
    """Search a large log; `moments` are times (with zones) whose neighbourhood is kept. Raises OSError."""
    size = path.stat().st_size
    with path.open("rb") as file:
        statuses = bool(_statuses(file.read(HEAD_BYTES)))
    near = log_moments.places(path, size, moments)
    middle = size // 2
    ranges = [(0, middle), (middle, size)]
    parts = _run([(path, low, high, statuses, near, size) for low, high in ranges])
    return _joined(parts)


def _run(tasks: Sequence[tuple[Path, int, int, bool, list[int], int]]) -> list[_Part]:
    """The parts, side by side where processes can be forked cheaply."""
    forks = "fork" in multiprocessing.get_all_start_methods() and (os.cpu_count() or 1) > 1
    if not forks or multiprocessing.current_process().daemon or tasks[-1][2] < 4 * BIG:
        return [_search(*task) for task in tasks]
    with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
        second = pool.submit(_search, *tasks[1])
        first = _search(*tasks[0])
        return [first, second.result()]


def _search(path: Path, low: int, high: int, statuses: bool, near: list[int], size: int) -> _Part:
    """Search the lines that begin in [low, high)."""
    part, shapes = _Part(), Counter[bytes]()
    code, variable = re.compile(rb"40[137]"), re.compile(_VARIABLE)
    most = max(OF_A_BLOCK, 2 * MOST_LINES * BLOCK // size)
    with path.open("rb") as file:
        at = low
        if low:
            file.seek(low - 1)
            at += len(file.readline()) - 1
        file.seek(at)
        while at < high:
            block = file.read(min(BLOCK, high - at))
            if not block.endswith(b"\n"):
                block += file.readline()
            if not block:
                break
            starts = _hits(block, code, () if statuses else WORDS, most, part.counts)
            must = _ends(block, at, size, near)
            for number, line, wanted in _numbered(block, starts, must):
                shape = variable.sub(b"", line[:400])
                shapes[shape] += 1
                rare = len(shapes) <= MOST_SHAPES and shapes[shape] <= OF_A_SHAPE
                (part.must if wanted or rare else part.kept).append((part.total + number, line))
            if len(part.kept) > 4 * MOST_LINES:
                part.kept = part.kept[::2]
            part.total += block.count(b"\n") + (not block.endswith(b"\n"))
            at += len(block)
    return part


def _hits(
    block: bytes, code: re.Pattern[bytes], words: Sequence[bytes], most: int, counts: Counter[str]
) -> set[int]:
    """Where lines of a block begin that hold a status or a word: all are counted, the first of each are kept."""
    starts: set[int] = set()
    seen = 0
    for match in code.finditer(block):
        begin, end = match.span()
        if block[begin - 1] in _BEFORE and (end == len(block) or block[end] in _AFTER):
            seen += 1
            if seen <= most:
                starts.add(block.rfind(b"\n", 0, begin) + 1)
    counts["40x"] += seen
    for word in words:
        at = -1
        for _ in range(most):
            at = block.find(word, at + 1)
            if at < 0:
                break
            starts.add(block.rfind(b"\n", 0, at) + 1)
            counts[word.decode()] += 1
            at = block.find(b"\n", at)
            if at < 0:
                break
        if at >= 0:
            counts[word.decode()] += block.count(word, at)
    return starts


def _ends(block: bytes, at: int, size: int, near: list[int]) -> list[tuple[int, int]]:
    """The spans of a block that are kept as they are: the file's two ends, and around the places of moments."""
    found = []
    if at == 0:
        found.append((0, _forward(block, 0, HEAD)))
    if at + len(block) >= size:
        found.append((_back(block, len(block), TAIL), len(block)))
    for place in near:
        if at <= place < at + len(block):
            found.append((_back(block, place - at, AROUND), _forward(block, place - at, AROUND)))
    return found


def _forward(block: bytes, at: int, count: int) -> int:
    for _ in range(count):
        at = block.find(b"\n", at) + 1
        if not at:
            return len(block)
    return at


def _back(block: bytes, at: int, count: int) -> int:
    for _ in range(count + 1):
        at = block.rfind(b"\n", 0, at)
        if at < 0:
            return 0
    return at + 1


def _numbered(
    block: bytes, starts: set[int], spans: Sequence[tuple[int, int]]
) -> list[tuple[int, bytes, bool]]:
    """The lines that begin at `starts`, and all lines of `spans` (marked), with their numbers in the block."""
    whole: set[int] = set()
    for low, high in spans:
        while low < high:
            whole.add(low)
            low = block.find(b"\n", low) + 1 or high
    found, number, at = [], 0, 0
    for start in sorted(starts | whole):
        number += block.count(b"\n", at, start)
        at = start
        end = block.find(b"\n", start)
        line = block[start : end if end >= 0 else len(block)][:LONGEST].replace(b"\0", b"")
        found.append((number, line, start in whole))
    return found


def _joined(parts: Sequence[_Part]) -> Found:
    must: list[tuple[int, bytes]] = []
    kept: list[tuple[int, bytes]] = []
    counts: Counter[str] = Counter()
    total = 0
    for part in parts:
        must += [(total + number, line) for number, line in part.must]
        kept += [(total + number, line) for number, line in part.kept]
        counts += part.counts
        total += part.total
    step = max(1, -(-len(kept) // MOST_LINES))
    lines = sorted(set(must + kept[::step] + kept[-OF_A_BLOCK:]))
    text = b"".join(line + b"\n" for _, line in lines)
    return Found(text, tuple(number + 1 for number, _ in lines), total, dict(counts))
