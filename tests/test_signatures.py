"""The signatures: well formed, unique, and each expression fit for use."""

from __future__ import annotations

import re
from collections import Counter

from why401 import causes
from why401.evidence import Evidence, Source, Text
from why401.signatures import match, signatures


def found(text: str, kind: str = "message") -> set[str]:
    evidence = Evidence(texts=(Text(text, Source("t"), kind),))  # type: ignore[arg-type]
    return {finding.id for finding in match(evidence)}


def test_ids_are_unique() -> None:
    counted = Counter(signature.id for signature in signatures())
    assert [name for name, number in counted.items() if number > 1] == []


def test_every_signature_speaks_of_causes_that_exist() -> None:
    known = set(causes.catalogue())
    assert [s.id for s in signatures() if not set(s.weights) <= known or not s.weights] == []


def test_every_signature_says_a_sentence_and_who_prints_it() -> None:
    assert [s.id for s in signatures() if not s.says or not s.by] == []


def test_every_expression_compiles_and_every_literal_is_one() -> None:
    kinds = {"message", "terminal", "log", "code", "settings", "body"}
    for signature in signatures():
        for pattern in (signature.regex, signature.unless, *signature.all, *signature.none):
            re.compile(pattern)
        assert all(len(text) >= 2 or signature.regex for text in signature.text), signature.id
        assert set(signature.kinds) <= kinds, signature.id


def test_named_groups_of_a_sentence_are_in_its_expression() -> None:
    for signature in signatures():
        wanted = set(re.findall(r"\{([a-z_]+)\}", signature.says))
        assert wanted <= set(re.compile(signature.regex).groupindex), signature.id


def test_a_message_is_found_whatever_its_case_and_a_healthy_text_is_not() -> None:
    assert found('AH01617: USER alice: authentication failure for "/": Password Mismatch', "log")
    assert not found("The build finished in 12 s without errors.\nAll 30 tests passed.")
