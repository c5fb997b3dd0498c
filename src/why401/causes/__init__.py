"""The catalogue: one Markdown page a cause, which is also its documentation page.

A page opens with flat front matter (`key: value` lines between `---` lines: id, title, family, side, prior,
prior_reason, fix, search), then one paragraph that says what it is, then the sections *How it shows*,
*Tell it apart*, *Mend it* (with a `###` heading for each stack) and *References*. Only the front matter is
read for a diagnosis; `priors` are decibans of prior log-odds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Cause:
    """A catalogue entry. `prior` is in decibans; `side` is client, between, server or none."""

    id: str
    title: str
    family: str
    side: str
    prior: float
    prior_reason: str
    fix: str
    search: str = ""


def _parse(page: str) -> tuple[dict[str, str], str]:
    _, head, body = page.split("---\n", 2)
    pairs = (line.partition(":") for line in head.splitlines() if line.strip())
    return {key.strip(): value.strip() for key, _, value in pairs}, body.strip()


def _cause(head: dict[str, str]) -> Cause:
    values: dict[str, Any] = {name: head.get(name, "") for name in Cause.__slots__}
    return Cause(**values | {"prior": float(head.get("prior", "0"))})


@cache
def catalogue() -> dict[str, Cause]:
    """All causes by id."""
    pages = (page for page in files(__name__).iterdir() if page.name.endswith(".md"))
    found = (_cause(_parse(page.read_text(encoding="utf-8"))[0]) for page in pages)
    return {cause.id: cause for cause in sorted(found, key=lambda cause: cause.id)}


@cache
def page(cause_id: str) -> str:
    """The prose of a page, without its front matter; raises KeyError for an unknown id."""
    path = files(__name__) / f"{cause_id}.md"
    if not path.is_file():
        raise KeyError(cause_id)
    return _parse(path.read_text(encoding="utf-8"))[1]


def section(text: str, heading: str, level: int = 2) -> str:
    """The text below a Markdown heading up to the next heading of the same or a higher level, or ''."""
    lines: list[str] = []
    inside = False
    for line in text.splitlines():
        depth = len(line) - len(line.lstrip("#")) if line.startswith("#") else 0
        if inside and depth and depth <= level:
            break
        if inside:
            lines.append(line)
        elif depth == level and line[level:].strip().lower() == heading.lower():
            inside = True
    return "\n".join(lines).strip()
