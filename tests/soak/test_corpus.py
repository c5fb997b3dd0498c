"""Every sample of the fuzzer, those that once went wrong among them, goes through its target."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"


@pytest.mark.parametrize("name", TARGETS)
def test_samples(name: str) -> None:
    samples = sorted((CORPUS / name).iterdir())
    assert samples
    for sample in samples:
        TARGETS[name](sample.read_bytes())
