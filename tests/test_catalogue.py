"""The catalogue's pages: complete, well formed, and about causes that exist."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from why401 import causes

IDS = sorted(causes.catalogue())
SIDES = {"client", "between", "server", "none"}


@pytest.mark.parametrize("cause_id", IDS)
def test_a_page_is_complete(cause_id: str) -> None:
    cause, page = causes.catalogue()[cause_id], causes.page(cause_id)
    assert cause.id == cause_id
    assert cause.side in SIDES
    assert cause.title
    assert len(cause.title) <= 110
    assert -40 <= cause.prior <= -5
    assert cause.prior_reason
    assert cause.fix
    assert cause.search
    for heading in ("How it shows", "Tell it apart", "Mend it", "References"):
        assert causes.section(page, heading), heading


@pytest.mark.parametrize("cause_id", IDS)
def test_a_page_names_only_causes_that_exist(cause_id: str) -> None:
    apart = causes.section(causes.page(cause_id), "Tell it apart")
    named = set(re.findall(r"\*\*([a-z0-9-]+)\*\*", apart))
    assert named
    assert named <= set(IDS)


@pytest.mark.parametrize("cause_id", IDS)
def test_the_front_matter_has_each_key_once(cause_id: str) -> None:
    text = (files("why401.causes") / f"{cause_id}.md").read_text()
    keys = [line.partition(":")[0] for line in text.split("---\n", 2)[1].splitlines() if line.strip()]
    assert sorted(keys) == sorted(["id", "title", "family", "side", "prior", "prior_reason", "fix", "search"])


def test_an_unknown_page_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        causes.page("no-such-cause")


def test_a_section_ends_at_the_next_heading_of_its_level() -> None:
    text = "intro\n## One\na\n### Sub\nb\n## Two\nc"
    assert causes.section(text, "One") == "a\n### Sub\nb"
    assert causes.section(text, "Sub", 3) == "b"
    assert causes.section(text, "Three") == ""
