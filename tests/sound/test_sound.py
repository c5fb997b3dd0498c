"""`why401 lint` on configurations that others wrote and that serve well: not one alarm.

`tools/sound-corpus` fetches them (`make test` does); where it has not been run these tests skip.
"""

from __future__ import annotations

from importlib import import_module

import pytest

from tests.sound.corpus import CACHE, Unit, units
from why401 import layers
from why401.cli.main import main

UNITS = list(units())
FETCHED = pytest.mark.skipif(not UNITS, reason=f"no corpus in {CACHE}: run tools/sound-corpus")

each = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)


@FETCHED
@each
def test_unit_is_text(unit: Unit) -> None:
    """What the table names is there, and is what a server could read."""
    texts = [path.read_text("utf-8", "replace") for path in unit.files]
    assert any(text.strip() for text in texts)
    assert not any("\0" in text for text in texts)


@FETCHED
@each
def test_no_alarm(unit: Unit, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["lint", str(unit.path)])
    said = capsys.readouterr()
    if status == 2:
        return  # a product that is not read; how many are is told below
    assert said.out == ""
    assert status == 0


@FETCHED
@pytest.mark.parametrize("module", layers.MODULES)
def test_the_product_is_read(module: str, capsys: pytest.CaptureFixture[str]) -> None:
    """That there is no alarm says nothing where nothing was read. Some units are pieces without any rule."""
    product = import_module(f"why401.layers.{module}").HOP
    own = [unit for unit in UNITS if unit.product == product]
    unread = [unit.name for unit in own if main(["lint", str(unit.path)]) == 2]
    capsys.readouterr()
    assert len(unread) <= len(own) / 2, unread


@FETCHED
def test_the_corpus_is_large_enough() -> None:
    read = [unit for unit in UNITS if main(["lint", str(unit.path)]) != 2]
    assert len(read) >= 100
