"""What the tests of rules on applications' code share: linting files given as text, and asking with a request."""

from __future__ import annotations

from why401 import checks, layers
from why401.evidence import Evidence, Exchange, Fields, Request, Response, Source
from why401.findings import CLEAR, Finding
from why401.layers import Document


def linted(**files: str) -> dict[str, Finding]:
    """What lint finds, by id; names of files with `__` for a slash and `_dot_` for a dot."""
    return {f.id: f for f in checks.lint(given(**files)) if max(f.weights.values()) >= CLEAR}


def given(**files: str) -> Evidence:
    names = {name: name.replace("__", "/").replace("_dot_", ".") for name in files}
    evidence = layers.read([Document(names[name], text) for name, text in files.items()])
    assert evidence.layers or evidence.unreadable
    return evidence


def asked(
    evidence: Evidence,
    path: str,
    method: str = "GET",
    status: int = 401,
    body: str = "",
    origin: str = "http://shop.test",
    **fields: str,
) -> dict[str, Finding]:
    """What the checks of layers find for one refused request, by id; fields' names with `_` for a hyphen."""
    held = Fields.of([(name.replace("_", "-"), value) for name, value in fields.items()])
    request = Request(method, f"{origin}{path}", held, body or None)
    whole = evidence + Evidence(
        exchanges=(Exchange(1, request, Response(status), Source("live", live=True)),)
    )
    checks._load(checks.LAYERED)
    return {finding.id: finding for function in checks._CHECKS for finding in function(whole)}


def line_of(text: str, part: str) -> int:
    """The line on which a part of a text stands."""
    return text[: text.index(part)].count("\n") + 1


__all__ = ["asked", "given", "line_of", "linted"]
