# ruff: noqa: E501  (a table of patterns: one a line, however long)
"""Prose out of a text: sentences and clauses, each with the offset at which it stands.

Commands, header lines, log lines and code stand between the sentences of a report; they are left out, so that
a rule about words never fires on them. A clause has an *outcome*: it says that something works, that it
fails, or neither. Clauses without an outcome lean on their neighbour ("but in production, behind nginx, it
fails"), and short denials take the opposite of the clause before ("works with curl but not in the app").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from why401.prefilter import lazy

LONGEST_TEXT = 60_000  # characters of prose that are read
LONGEST_SENTENCE = 600

_NOT_PROSE = lazy(
    r"""(?x)
    ^\s*(?: [$%]\s | >\s*(?:[A-Z]+\s/|[\w-]+:\s) | <\s*(?:HTTP|[\w-]+:\s) | [{}\[\]<|@] | // | /\* | at\s[\w.$]+\(
      | (?:curl|wget|http|docker|kubectl|git|npm|sudo|export)\s+-
      | (?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|PROPFIND)\s+\S*/ | HTTP/\d
      | \W{0,2}\d{4}[-/]\d\d[-/]\d\d[T\s] | [A-Z][A-Za-z]*-[A-Za-z-]+:\s | [A-Za-z_.\d-]+\s?=\s?\S
      | (?:import|from|const|let|var|def|class|public|private|return|if|for|use|func)\s.*[;({:]\s*$
      | npm\sERR | \[?(?:INFO|DEBUG|ERROR|WARN(?:ING)?|TRACE|FATAL)\b )
    | [;{}]\s*$ | =>\s*[\[{(]?$
    """
)
_WORD = lazy(r"[A-Za-z']{2,}")
_SENTENCE_END = lazy(r"(?<=[.!?:])[\"')]*\s+(?=[\"'(`*-]*[A-Z0-9`\"])|\n+|(?<=[!?])\s+")
_ABBREVIATED = lazy(r"(?:\b(?:e\.g|i\.e|etc|vs|approx|resp|incl|ver|v|no|cf))\.$", re.I)

_BREAK = lazy(
    r"(?i)\s*(?P<mark>;|,|:(?=\s)|\(|\)|\s[-–—]+\s|\bbut\b|\bwhile\b|\bwhereas\b|\bhowever\b|\byet\b|\balthough\b|\bthough\b"
    r"|\beven though\b|\bexcept\b|\band\b|\bthen\b|\binstead\b(?!\s+of)|\bunless\b|\bbecause\b)\s*"
)
_TURNS = frozenset(
    [
        "but",
        "while",
        "whereas",
        "however",
        "yet",
        "although",
        "though",
        "except",
        ";",
        ":",
        "even",
        "though",
        "unless",
    ]
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, its offset in the text and its clauses in order."""

    text: str
    start: int
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch of a sentence with one outcome: True works, False fails, None says neither."""

    text: str
    works: bool | None
    relieved: bool = False  # it works because a problem is denied ("does not have the problem")


def sentences(text: str) -> Iterator[Sentence]:
    """The sentences of the prose in `text`."""
    prose = _prose(text[:LONGEST_TEXT])
    start = 0
    ends = [match.span() for match in _SENTENCE_END.finditer(prose)] + [(len(prose), len(prose))]
    for stop, after in ends:
        piece = prose[start:stop]
        if _ABBREVIATED.search(piece):
            continue
        if len(_WORD.findall(piece)) >= 2 and len(piece) <= LONGEST_SENTENCE:
            lead = len(piece) - len(piece.lstrip())
            yield Sentence(piece.strip(), start + lead, clauses(piece))
        start = after


def _prose(text: str) -> str:
    """The text at its full length, with lines that are no prose blanked and wrapped lines joined."""
    lines = text.split("\n")
    kept = [line if _is_prose(line) else "\n" * len(line) for line in lines]
    out: list[str] = []
    for line, following in zip(kept, [*kept[1:], ""], strict=True):
        wraps = len(line) > 50 and following[:1].isalpha() and not line.endswith((".", "!", "?", ":"))
        out.append(line + (" " if wraps else "\n"))
    return "".join(out)


def _is_prose(line: str) -> bool:
    if len(line) > 3000 or not line.strip():
        return False
    words = _WORD.findall(line)
    if len(words) < 2 or _NOT_PROSE.search(line):
        return False
    odd = sum(line.count(character) for character in '{}<>;=|\\"[]')
    return odd * 6 <= max(len(line), 36)


def clauses(sentence: str) -> tuple[Clause, ...]:
    """The clauses of a sentence; those without an outcome have been joined to the one they belong to."""
    found: list[Clause] = []
    pending = ""
    turned = False  # the pending words follow a "but": they belong to what comes
    for mark, piece in _pieces(sentence):
        works, relieved = outcome(piece)
        if works is None and found and not pending:
            denied = _denial(piece, found[-1], mark)
            if denied is not None:
                found.append(Clause(f"{mark} {piece}", denied))
                continue
        turned = turned or mark in _TURNS
        if works is None:
            if found and not pending and not turned:
                last = found[-1]
                found[-1] = Clause(f"{last.text} {mark} {piece}", last.works, last.relieved)
            else:
                pending = f"{pending} {piece}".strip()
            continue
        found.append(Clause(f"{pending} {piece}".strip(), works, relieved))
        pending, turned = "", False
    if pending:
        found.append(Clause(pending, None))
    return tuple(found)


def _pieces(sentence: str) -> Iterator[tuple[str, str]]:
    """(the mark before it, the words) for each stretch between marks."""
    mark, start = "", 0
    for match in _BREAK.finditer(sentence):
        if sentence[start : match.start()].strip():
            yield mark, sentence[start : match.start()].strip()
            mark = ""
        word = match["mark"].strip().lower()
        mark = word if word in _TURNS or not mark else mark
        start = match.end()
    if sentence[start:].strip():
        yield mark, sentence[start:].strip()


_DENIAL = lazy(
    r"(?i)^(?:it\s+)?(?:not|never|none)\b|\b(?:not|never|doesn['’]?t|does\s+not|don['’]?t|didn['’]?t|did\s+not|won['’]?t"
    r"|isn['’]?t|can['’]?t|cannot)\W*$"
)
_ONLY = lazy(r"(?i)^(?:only|just|solely)\b")
_ELSE = lazy(r"(?i)^(?:on|in|with|from|via|using|through|for|over)\b")


def _denial(piece: str, before: Clause, mark: str) -> bool | None:
    """The outcome of a clause that has no verb of its own but denies the one before; None if it does not."""
    if before.works is None:
        return None
    if _DENIAL.search(piece):
        return not before.works
    if _ONLY.search(piece):
        return (not before.works) if before.relieved else None
    if mark == "except" and _ELSE.search(piece):
        return not before.works
    return None


# Words for an outcome. A hope, a question or a plan says nothing: "should work", "how does it work".
_IDLE = lazy(
    r"""(?ix)
    \b(?:should|shall|supposed\s+to|expect(?:ed)?\s+(?:it\s+)?to|want(?:ed)?\s+(?:it|this)?\s*to|would\s+(?:like|expect|work|be)|hope|how\s+(?:do|does|can|to)
      |make\s+(?:it|this)\s+work|getting\s+(?:it|this)\s+to\s+work|(?:might|may|could)\s+work|if\s+(?:it|this)\s+works|whether
      |(?:i|we|you|they)(?:['’]ve|['’]m|['’]re|\s+(?:am|are|have|was|were|been))*\s+(?:currently\s+)?work(?:ed|ing)?\s+(?:with|on|at|in|for|as|through)
      |work(?:s|ed|ing)?[-\s]?arounds?|working\s+(?:director|copy|day|tree|group)|work(?:er|load|flow|space|station)s?\b
      |how\s+\w+(?:\s+\w+)?\s+works?|please|works?\s+as\s+(?:designed|intended|expected\s+when)|try\s+to|let\s+me\s+know)\b
    """
)
_RELIEF = lazy(
    r"""(?ix)
    \b(?:never|not|n['’]t|n't|no)\s+(?:\w+\s+){0,2}?(?:fails?|failed|failing|a\s+problem|problems?|errors?|an?\s+issue|issues?|affected|refused|rejected|happen(?:s|ed)?|occurs?|see\s+(?:it|the|any)|(?:get|got|see|have|give)\s+(?:a\s+|any\s+|the\s+)?(?:401|403|error|problem|issue)s?)\b
    | \bno\s+(?:more\s+)?(?:401|403|refusals?|trouble)s?\b | \bwithout\s+(?:any\s+|a\s+|an\s+)?(?:further\s+)?(?:problems?|errors?|issues?|trouble|failures?|hitch|a\s+401)\b
    | \b(?:problem|issue|error|401s?|403s?)\s+(?:is|was|has|have|are)?\s*(?:gone|goes\s+away|went\s+away|disappear(?:s|ed)?|vanish(?:es|ed)?|stop(?:s|ped)?|resolved|solved|fixed)\b
    | \b(?:fixe[sd]|solve[sd]|cure[sd]|resolve[sd])\s+(?:it|this|the\s+(?:problem|issue|error))\b | \b(?:helps|helped)\b
    """
)
_NEVER = r"(?:not|n['’]t|never|no\s+longer|nothing|nobody|no\s+one|none|neither|cannot|can['’]t|stop(?:s|ped)?|quit|cease[sd]?|unable\s+to|refuse[sd]?\s+to|fail(?:s|ed)?\s+to|hardly|without\s+being\s+able\s+to|instead\s+of)"
_GOOD = r"""(?:works?|worked|working|succeeds?|succeeded|success(?:ful(?:ly)?)?|fine|okay|accepted|goes\s+through|go\s+through|went\s+through
    |returns?\s+(?:a\s+)?20\d|returned\s+20\d|gives?\s+(?:a\s+)?20\d|gets?\s+(?:a\s+)?20\d|got\s+(?:a\s+)?20\d|answers?\s+20\d|20[0146](?:\s+ok)?(?![\d.:])
    |(?:can|could|able\s+to)\s+(?:\w+\s+)?(?:log\s?in|sign\s?in|connect|access|download|pull|push|reach|open|read|authenticate|get\s+in|see|call|fetch|use)|can\s+be\s+\w+ed
    |logs\s+(?:me\s+|us\s+)?in|still\s+logs?\s+in|signs\s+in|comes?\s+up|loads?(?!\s*-?balanc)|loaded|opens|passes|gets?\s+in(?:to)?|authenticates|connects|(?:is|are)\s+(?:ok|good|valid|downloaded|accessible|reachable)|downloads|pulls|accepts?|answers\s+(?:correctly|properly)|correct\s+(?:response|answer|data))"""
_WORKS = lazy(rf"(?ix)\b{_GOOD}\b")
_NOT_WORKS = lazy(
    rf"(?ix)\bworks?\s+neither\b|(?:\b|(?<=\w)(?=n['’]t)){_NEVER}\s+(?:\w+\s+){{0,3}}?(?:to\s+)?(?:{_GOOD}|work|load|open|pass|help|make\s+it\s+work|get|log\s+in|sign\s+in|connect|starts?|plays?|responds?|appears?|allowed|authenticate|reach)\b"
)
_FAILS = lazy(
    r"""(?ix)
    \b(?: fail(?:s|ed|ing|ures?)? | affects | broken? | breaks | refus(?:es|ed|al) | reject(?:s|ed) | denied | blocked | banned | unauthori[sz]ed | forbidden | unauthenticated
      | (?:get|gets|got|getting|give[sn]?|gave|return(?:s|ed|ing)?|receive[sd]?|see|throws?|answers?|ends?\s+in|with|is|an?|the|by|a)\s+(?:\w+\s+|a\s+|an\s+|http\s+){0,2}(?:401|403|407)s?
      | 40[137](?:s|\s+(?:unauthorized|forbidden|error|\())? | (?:kicked|thrown|logged|signed|locked)\s+(?:me\s+|us\s+|them\s+)?out | logs\s+(?:me|us|users|them|everyone)\s+out
      | (?:error|problem|issue|it|this|trouble|which|401s|that)\s+(?:all\s+|has\s+|only\s+|first\s+|just\s+)*(?:began|begun|started|starts|begins|appear(?:s|ed)|occurs?|occurred|happens|happened|comes?\s+back|came\s+back|shows?\s+up|arose|arises)
      | (?:is|are|was|were|keeps?|gets?)\s+(?:\w+\s+)?(?:redirected|sent|asked|prompted|dropped|ignored|lost|invalid|rejecting) | asks?\s+(?:me\s+|us\s+)?(?:again\s+)?(?:for\s+)(?:a\s+|the\s+|my\s+)?(?:password|login|credentials) | prompts?\s+again
      | invalid(?:ated)?\s+(?:token|credentials?|session|signature|password) | errors? | not\s+(?:authori[sz]ed|authenticated|allowed|logged) )\b
    """
)


def outcome(clause: str) -> tuple[bool | None, bool]:
    """(True works, False fails or None neither; whether a problem is denied)."""
    if _RELIEF.search(clause) and not re.search(r"(?i)\b(?:not|n['’]t|never)\s+help", clause):
        return True, True
    if _NOT_WORKS.search(clause):
        return False, False
    if _IDLE.search(clause) and not _FAILS.search(clause):
        return None, False
    bad, good = _FAILS.search(clause), _WORKS.search(clause)
    if bad:
        return False, False
    return (True, False) if good else (None, False)
