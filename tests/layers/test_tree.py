"""Where files that a configuration names are looked for; missing, denied and unseen are three things."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from why401.layers.tree import Absence, Document, Tree


def put(folder: Path, name: str, text: str = "x\n") -> Document:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return Document.of(str(path), path.read_bytes(), path)


def test_given_files_come_first_and_a_copy_stands_for_the_usual_folder() -> None:
    root = Document("copy/nginx.conf", "")
    held = Document("copy/conf.d/a.conf", "a")
    tree = Tree([root, held])
    assert tree.open("conf.d/a.conf", root) is held
    assert tree.open("/etc/nginx/conf.d/a.conf", root, usual="/etc/nginx") is held
    assert tree.glob("/etc/nginx/conf.d/*.conf", root, usual="/etc/nginx") == [held]


def test_what_came_through_a_pipe_reads_nothing_of_this_disk() -> None:
    root = Document("standard input", "")
    assert tree_kind(Tree([root]).open("/etc/passwd", root)) == "unseen"
    assert Tree([root]).glob("/etc/*", root) == []


def tree_kind(found: Document | Absence) -> str:
    return found.kind if isinstance(found, Absence) else "found"


def test_missing_only_where_the_folder_is_the_configurations_own(tmp_path: Path) -> None:
    root = put(tmp_path, "nginx/nginx.conf")
    tree = Tree([root])
    assert tree_kind(tree.open("htpasswd", root)) == "missing"
    assert tree_kind(tree.open(str(tmp_path / "nginx" / "htpasswd"), root)) == "missing"
    (tmp_path / "else").mkdir()
    assert tree_kind(tree.open(str(tmp_path / "else" / "htpasswd"), root)) == "unseen"
    assert tree_kind(tree.open("/etc/nginx/htpasswd", root, usual="/etc/nginx")) == "unseen"


def test_a_relative_root_is_relative_to_where_the_user_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "conf/nginx.conf")
    put(tmp_path, "conf/conf.d/a.conf", "a")
    monkeypatch.chdir(tmp_path)
    root = Document.of("conf/nginx.conf", b"", Path("conf/nginx.conf"))
    (found,) = Tree([root]).glob("conf.d/*.conf", root)
    assert (found.name, found.text) == ("conf/conf.d/a.conf", "a")
    assert tree_kind(Tree([root]).open("htpasswd", root)) == "missing"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_denied(tmp_path: Path) -> None:
    root = put(tmp_path, "nginx.conf")
    put(tmp_path, "htpasswd").path.chmod(0)  # type: ignore[union-attr]
    assert tree_kind(Tree([root]).open("htpasswd", root)) == "denied"


def test_bytes_that_are_no_utf8_are_kept() -> None:
    document = Document.of("a.conf", b'auth_basic "B\xfcro";\r\n')
    assert document.text.encode(document.encoding) == b'auth_basic "B\xfcro";\r\n'
