"""What the words resemble: quoted from the vocabulary alone, and silent where there are none."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from why401 import words
from why401.evidence import Evidence, Source, Text
from why401.words import dump, load, resemblance


def findings(text: str) -> dict[str, float]:
    evidence = Evidence(texts=(Text(text, Source("message.txt")),))
    return {cause: w for finding in resemblance(evidence) for cause, w in finding.weights.items()}


def test_words_of_an_upgrade_resemble_an_upgrade() -> None:
    found = findings(
        "Since the upgrade to version 3.0 every request is answered 401; with the old version it worked."
    )
    assert max(found, key=lambda cause: found[cause]) == "upgrade-regression"


def test_nothing_is_said_without_words() -> None:
    assert findings("401") == {}
    assert findings("") == {}


def test_health_is_never_a_matter_of_words() -> None:
    model = load()
    assert model is not None
    assert not {"not-an-auth-error", "expected-challenge"} & set(model.causes)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_only_plain_words_are_quoted(text: str) -> None:
    model = load()
    assert model is not None
    for finding in resemblance(Evidence(texts=(Text(text, Source("t")),))):
        quoted = [part.strip("“”. ") for part in finding.says.partition(": ")[2].split("”, ")]
        assert set(filter(None, quoted)) <= model.plain


def test_a_model_survives_its_bytes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    model = load()
    assert model is not None
    (tmp_path / "words.bin").write_bytes(dump(model))
    monkeypatch.setattr(words, "files", lambda _: tmp_path)
    again = load.__wrapped__()
    assert again == model
