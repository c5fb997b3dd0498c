"""How to mend a cause: what the rules know of this very case, then the page's advice for the products at hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from why401 import causes
from why401.diagnosis import Ranked
from why401.diffs import diff
from why401.evidence import Evidence
from why401.findings import Finding
from why401.report import Fix

MOST_BY_STACK = 2
_FENCE = re.compile(r"```[a-z]*\n(.*?)```", re.S)
_NAME = re.compile(r"[A-Za-z][\w.+#]{2,}")
#: Words of headings that name no product.
_COMMON = frozenset(
    "and the for with from your own app application applications api apis client clients server servers browser"
    " browsers code other common security core cloud command line where saved passwords clear just this site's"
    " cookies cache reverse proxy proxies tools settings web login".split()
)


def fixes(item: Ranked, evidence: Evidence, stacks: Sequence[str]) -> tuple[Fix, ...]:
    """The ways to mend it, most exact first; none for "none of these"."""
    if item.cause is None:
        return ()
    exact = exact_fixes(item.findings)
    general = [Fix(item.cause.fix)] if item.cause.fix else []
    return tuple(dict.fromkeys([*exact[:2], *general, *_for_products(item.cause.id, evidence, stacks)]))


def exact_fixes(findings: Iterable[tuple[Finding, float]]) -> tuple[Fix, ...]:
    """What the findings themselves know of mending it, those with a diff first."""
    exact = [
        Fix(f.fix, f.command, diff(f.edits), f.edits, f.opens)
        for f, weight in findings
        if f.fix and weight > 0
    ]
    return tuple(sorted(exact, key=lambda fix: not fix.edits))


def _for_products(cause_id: str, evidence: Evidence, stacks: Sequence[str]) -> list[Fix]:
    """The page's sections on mending this cause in products that a finding, an answer or a text names."""
    advice = causes.section(causes.page(cause_id), "Mend it")
    named = " ".join([*stacks, *(answer.hop for answer in evidence.answers)]).lower()
    said = "\n".join(text.lowered[:20_000] for text in evidence.texts)
    scored = []
    for at, heading in enumerate(re.findall(r"(?m)^### (.+)$", advice)):
        words = [word.lower() for word in _NAME.findall(heading) if word.lower() not in _COMMON]
        told = sum(2 * (word in named) + bool(re.search(rf"\b{re.escape(word)}\b", said)) for word in words)
        if told:
            scored.append((-told, at, heading))
    return [_section(advice, heading) for _, _, heading in sorted(scored)[:MOST_BY_STACK]]


def _section(advice: str, heading: str) -> Fix:
    text = causes.section(advice, heading, 3)
    code = _FENCE.search(text)
    says = " ".join(_FENCE.sub(" ", text).split())
    return Fix(f"{heading}: {says}" if says else heading, code.group(1).strip() if code else "")
