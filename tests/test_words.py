"""What the words resemble: quoted from the vocabulary alone, and silent where there are none."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from why401.evidence import Evidence, Source, Text
from why401.words import _model, features, resemblance


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
    assert not {"not-an-auth-error", "expected-challenge"} & set(_model()["causes"])


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_only_the_vocabulary_is_quoted(text: str) -> None:
    known = set(_model()["idf"])
    vocabulary = {word for feature, word in features(text) if feature in known}
    for finding in resemblance(Evidence(texts=(Text(text, Source("t")),))):
        quoted = [part.strip("“”. ") for part in finding.says.partition(": ")[2].split("”, ")]
        assert set(filter(None, quoted)) <= vocabulary
