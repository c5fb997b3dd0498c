"""Values of shell variables, as far as the same text shows them: set to a literal, or printed by `echo`."""

# ruff: noqa: E501 (a pattern is read whole)

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from why401.prefilter import lazy
from why401.readers.curl_shell import CLOSE, OPEN

_SET: Final = lazy(
    r"""(?mx)^[ \t]{0,8}(?:[$%>]\s)?\s?(?:export[ ]|set[ ]|declare[ ]|\$env:|\$)?(?P<name>[A-Za-z_]\w{0,60})[ ]?=[ ]?
    (?:"(?P<double>[^"$`\n]{1,8000})"|'(?P<single>[^'\n]{1,8000})'|(?P<bare>[^\s"'$`;&|()<>]{1,8000}))[ \t]*(?:$|;|&&)"""
)
_PRINTED: Final = lazy(
    r"(?m)^.{0,80}?[$%>]\s?echo (?:-n )?\"?\$\{?(?P<name>[A-Za-z_]\w{0,60})\}?\"?[ \t]*\n(?P<value>[^\s]{1,8000})[ \t]*$"
)
_MARKED: Final = lazy(f"{OPEN}\\$(?:env:|\\{{)?([A-Za-z_]\\w*)\\}}?{CLOSE}")


def values(text: str) -> dict[str, str]:
    """The variables whose value stands in the text; of two values for one name neither is taken."""
    found: dict[str, str] = {}
    unsure: set[str] = set()
    pairs = [(m["name"], m["double"] or m["single"] or m["bare"] or "") for m in _SET.finditer(text)]
    pairs += [(m["name"], m["value"]) for m in _PRINTED.finditer(text)]
    for name, value in pairs:
        if found.setdefault(name, value) != value:
            unsure.add(name)
    return {name: value for name, value in found.items() if name not in unsure}


def put_in(word: str, known: Mapping[str, str]) -> str:
    """The word with the variables whose value is known in place of their marks."""
    if OPEN not in word:
        return word
    return _MARKED.sub(lambda m: known.get(m[1], m.group()), word)
