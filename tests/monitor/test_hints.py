"""No secret slips through because its text was not tried."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from why401 import secret
from why401.monitor.scrub import HINTS, _hinted

patterns = st.sampled_from([place.pattern for place in secret._PLACES])


@given(patterns.flatmap(st.from_regex))
@settings(max_examples=400, deadline=None)
def test_what_is_found_holds_a_hint(text: str) -> None:
    if any(secret.find(text)):
        assert _hinted([text]) == [text], "HINTS lacks what this pattern needs"


@given(st.sampled_from(HINTS), st.text())
def test_a_hint_is_seen_in_any_case_and_any_company(hint: str, around: str) -> None:
    text = around + hint.upper() + around
    assert _hinted([around, text])[-1:] == [text]
