"""Edits as diffs: what `patch` makes of the diff is what the edits say."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.live.servers import needs
from why401.diffs import diff, edited
from why401.layers.model import Edit
from why401.layers.tree import Document

LINES = st.lists(
    st.sampled_from(["a", "b", "  auth_basic x;", "}", "", "# \x0c \x85 \u2028", "c\r"]), max_size=8
)
NAMES = ("conf/x.conf", "my conf/a  b.conf", "./conf/x.conf")


@st.composite
def edits(draw: st.DrawFn) -> tuple[Document, list[Edit]]:
    lines = draw(LINES)
    text = "\n".join(lines) + draw(st.sampled_from(["\n", ""]))
    document = Document(draw(st.sampled_from(NAMES)), text)
    count = len(document.lines)
    first = draw(st.integers(1, count + 1))
    last = draw(st.integers(first - 1, count))
    new = tuple(draw(st.lists(st.sampled_from(["new", "  line;"]), max_size=2)))
    return document, [Edit(document, first, last, new)]


@given(edits(), st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_patch_makes_what_the_edits_say(given_: tuple[Document, list[Edit]], context: int) -> None:
    document, wanted = given_
    text = diff(wanted, context)
    after = edited(document, wanted)
    assert bool(text) == (after != document.text)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, document.name)
        path.parent.mkdir()
        path.write_bytes(document.text.encode())
        if text and document.text:
            command = [needs("patch"), "-p1", "-d", folder, "--fuzz=0", "-s"]
            subprocess.run(command, input=text.encode(), check=True)
            left = path.read_bytes().decode() if path.exists() else ""
            assert left == after


def test_line_ends_stay_what_they_are() -> None:
    document = Document("a.conf", "one\r\ntwo\r\nthree\r\n")
    assert edited(document, [Edit(document, 2, 2, ("2",))]) == "one\r\n2\r\nthree\r\n"


def test_several_edits_of_one_file_do_not_move_each_other() -> None:
    document = Document("a.conf", "1\n2\n3\n4\n")
    wanted = [Edit(document, 1, 1, ("a", "b")), Edit(document, 3, 2, ("before 3",)), Edit(document, 4, 4, ())]
    assert edited(document, wanted) == "a\nb\n2\nbefore 3\n3\n"


def test_characters_that_only_python_takes_for_line_ends() -> None:
    document = Document("a.conf", "# page\x0cfeed\nold\n")
    assert edited(document, [Edit(document, 2, 2, ("new",))]) == "# page\x0cfeed\nnew\n"
