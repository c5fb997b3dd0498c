"""`why401 lint` on configurations that others wrote and that serve well: not one alarm.

`tools/sound-corpus` fetches them (`make test` does); where it has not been run these tests skip.
"""

from __future__ import annotations

import pytest

from tests.sound.corpus import CACHE, Unit, units
from why401.cli.main import main

UNITS = list(units())
FETCHED = pytest.mark.skipif(not UNITS, reason=f"no corpus in {CACHE}: run tools/sound-corpus")

#: Products whose configuration lint must be able to read (a new reader adds its product here), and how many of
#: their units at least: some are pieces that say nothing by themselves, such as a list of MIME types.
READ = {"nginx": 0.85}

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
        pytest.skip(f"not read: {said.err.strip()}")
    assert said.out == ""
    assert status == 0


@FETCHED
@pytest.mark.parametrize("product", READ)
def test_the_product_is_read(product: str, capsys: pytest.CaptureFixture[str]) -> None:
    """That there is no alarm says nothing where nothing was read."""
    own = [unit for unit in UNITS if unit.product == product]
    unread = [unit.name for unit in own if main(["lint", str(unit.path)]) == 2]
    capsys.readouterr()
    assert len(unread) <= len(own) * (1 - READ[product]), unread


@FETCHED
def test_the_corpus_is_large_enough() -> None:
    assert len(UNITS) >= 100
