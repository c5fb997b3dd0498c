"""Every product's reader on the lab's own files, whole and damaged: it reads or says why not, and never fails."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from why401 import layers, linting, path
from why401.evidence import Evidence, Exchange, Fields, Request, Response, Source
from why401.layers import Document

CASES = Path(__file__).parents[1] / "lab" / "cases"
SUFFIXES = {".conf", ".cfg", ".py", ".xml", ".yml", ".mjs", ".js", ".htaccess", ".toml", ""}


def files(folder: Path) -> Iterator[Document]:
    for found in sorted(folder.rglob("*")):
        if found.is_file() and found.name != "case.toml" and found.suffix in SUFFIXES:
            text = re.sub(r"@[A-Za-z:]+@", "8001", found.read_text(encoding="utf-8", errors="replace"))
            yield Document(str(found.relative_to(CASES)), text)


def units() -> list[str]:
    return sorted(found.parent.name for found in CASES.glob("*/case.toml"))


def looked_at(documents: list[Document]) -> Evidence:
    """All that the program does with an owner's files, with a refused request at hand."""
    fields = Fields.of([("Host", "x"), ("Authorization", "Basic YWxpY2U6d29uZGVybGFuZA==")])
    refused = [
        Exchange(n, Request("GET", f"http://x{place}", fields), Response(401), Source("live"))
        for n, place in enumerate(("/", "/orders", "/v2/", "/reports/index.html"), 1)
    ]
    found = layers.read(documents)
    linting.lint(found)
    path.walks(found + Evidence(exchanges=tuple(refused)))
    for layer in found.layers:
        for route in layer.routes():
            assert route.source.name
    return found


@pytest.mark.parametrize("name", units())
def test_whole(name: str) -> None:
    found = looked_at(list(files(CASES / name)))
    assert found.layers
    assert not found.unreadable


@pytest.mark.parametrize("name", units())
def test_damaged(name: str) -> None:
    chance = random.Random(name)
    documents = list(files(CASES / name))
    for _ in range(4):
        looked_at([Document(d.name, damaged(d.text, chance)) for d in documents])


def damaged(text: str, chance: random.Random) -> str:
    """The text with a piece taken out, doubled, or replaced by what parsers stumble over."""
    at, length = chance.randrange(len(text) + 1), chance.randrange(1, 60)
    piece = text[at : at + length]
    odd = chance.choice(
        ["", piece * 2, "{", "}", '"', "\\", "<", "\0", "(((", "- ", "\t", "é", "%(", "@", "\n"]
    )
    return text[:at] + odd + text[at + length :]
