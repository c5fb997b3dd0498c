"""How to mend a cause: what the rules know of this very case, then the page's advice for the stack at hand."""

from __future__ import annotations

import re
from collections.abc import Sequence

from why401 import causes
from why401.diagnosis import Ranked
from why401.prefilter import lazy
from why401.report import Fix

_FENCE = lazy(r"```[a-z]*\n(.*?)```", re.S)


def fixes(item: Ranked, stacks: Sequence[str]) -> tuple[Fix, ...]:
    """The ways to mend it, most exact first; none for "none of these"."""
    if item.cause is None:
        return ()
    exact = [Fix(f.fix, f.command) for f, weight in item.findings if f.fix and weight > 0]
    general = [Fix(item.cause.fix)] if item.cause.fix else []
    by_stack = [fix for stack in dict.fromkeys(stacks) if (fix := _for_stack(item.cause.id, stack))]
    return tuple(dict.fromkeys([*exact[:2], *general, *by_stack[:2]]))


def _for_stack(cause_id: str, stack: str) -> Fix | None:
    """The page's section on mending this cause in this product, if it has one."""
    advice = causes.section(causes.page(cause_id), "Mend it")
    for heading in re.findall(r"(?m)^### (.+)$", advice):
        if stack.lower() in heading.lower():
            text = causes.section(advice, heading, 3)
            code = _FENCE.search(text)
            says = " ".join(_FENCE.sub(" ", text).split())
            return Fix(f"{heading}: {says}" if says else heading, code.group(1).strip() if code else "")
    return None
