# ruff: noqa: E501  (configurations, a line each)
"""`why401 lint` as a user runs it, and logs that are given beside a URL."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from why401.cli.logs import Tails
from why401.cli.main import main
from why401.readers import Input

CONF = 'http {\nserver {\nlisten 80;\nauth_basic "a";\nauth_basic_user_file %s;\n}\n}\n'
KEY = "k-5f1c09d2aa"


def put(folder: Path, file: str, password: str = "alice:{PLAIN}wonderland-9\n") -> Path:
    (folder / "nginx.conf").write_text(CONF % file)
    (folder / "htpasswd").write_text(password)
    return folder / "nginx.conf"


def test_one_line_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    conf = put(tmp_path, "htpasswdd")
    assert main(["lint", "--diff", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert said.startswith(f"{conf}:5: The password file ")
    assert "[password-file-problem]" in said
    assert "+auth_basic_user_file htpasswd;" in said


def test_sound(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path, "htpasswd")
    assert main(["lint", str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""


def test_json_and_sarif(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    conf = put(tmp_path, "htpasswdd")
    main(["schema"])
    schema = json.loads(capsys.readouterr().out)
    assert main(["lint", "--json", str(conf)]) == 1
    report = json.loads(capsys.readouterr().out)
    jsonschema.validate(report, schema)
    assert report["causes"][0]["findings"][0]["where"]["line"] == 5
    main(["lint", "--sarif", str(conf)])
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == (str(conf), 5)


@pytest.mark.parametrize("words", [[], ["--nope"], ["no/such/file"]])
def test_wrong_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", *words]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_nothing_that_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("nothing\n")
    assert main(["lint", str(tmp_path)]) == 2
    assert "no configuration" in capsys.readouterr().err


@given(
    st.text(alphabet='{};"\n\\ab $#<>:/()[]=', max_size=60),
    st.sampled_from(
        [
            "nginx.conf",
            "httpd.conf",
            "a.py",
            "Caddyfile",
            "haproxy.cfg",
            "docker-compose.yml",
            "web.xml",
            "app.js",
            "A.java",
        ]
    ),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_gives_no_traceback(tmp_path: Path, text: str, name: str) -> None:
    (tmp_path / name).write_text(text)
    assert main(["lint", str(tmp_path / name)]) in (0, 1, 2)


SECRETS = [
    (
        "nginx.conf",
        f'http {{\nserver {{\nlisten 80;\nproxy_set_header X-Api-Key "{KEY}";\nlocation / {{\nproxy_pass http://u;\nproxy_set_header Host h;\n}}\n}}\n}}\n',
    ),
    (
        "nginx.conf",
        f'http {{\nserver {{\nlisten 80;\nproxy_set_header Authorization "Bearer {KEY}";\nlocation / {{\nproxy_pass http://u;\nproxy_set_header Host h;\n}}\n}}\n}}\n',
    ),
]


@pytest.mark.parametrize(("name", "text"), SECRETS)
@pytest.mark.parametrize("form", ["--diff", "--json", "--sarif", "--markdown"])
def test_no_secret_of_a_configuration_is_shown(
    tmp_path: Path, name: str, text: str, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_text(text)
    assert main(["lint", form, str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert KEY not in said.out + said.err


def test_no_stored_password_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path, "htpasswd", "alice:$$apr1$$4fJx0sQ1$$Zc6e8Dg0QKbEYCQDUhhEj1\n")
    for form in ("--diff", "--json"):
        assert main(["lint", form, str(tmp_path)]) == 1
        assert "Zc6e8Dg0QKbEYCQDUhhEj1" not in capsys.readouterr().out


def log(path: Path) -> Input:
    return Input(str(path), path.read_bytes(), path)


LINE = '2026/01/02 03:04:05 [error] 1#1: *1 user "{}" was not found in "/h", client: 1.1.1.1\n'


def test_only_lines_after_the_request_count(tmp_path: Path) -> None:
    path = tmp_path / "error.log"
    path.write_text(LINE.format("old") * 3)
    tails = Tails([log(path), Input("nginx.conf", b"http {}")])
    assert [item.name for item in tails.others] == ["nginx.conf"]
    with path.open("a") as file:
        file.write(LINE.format("new"))
    (text,) = tails.read().texts
    assert "old" not in text.content
    assert text.source.line == 4


def test_a_log_that_did_not_grow_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "error.log"
    path.write_text(LINE.format("old"))
    assert "old" in Tails([log(path)]).read().texts[0].content


def test_a_log_that_was_rotated_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "error.log"
    path.write_text(LINE.format("old") * 5)
    tails = Tails([log(path)])
    path.write_text(LINE.format("new"))
    assert "old" in tails.read().texts[0].content
    gone = Tails([replace(log(path), path=tmp_path / "gone")])
    assert gone.read().texts


def test_a_field_that_nginx_drops_before_an_application_that_asks_for_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = 'events {}\nhttp {\nserver {\nlisten 80;\nlocation / {\nproxy_set_header Authorization "";\nproxy_pass http://app:8000;\n}}}\n'
    (tmp_path / "docker-compose.yml").write_text(
        "services:\n  web:\n    image: nginx\n  app:\n    build: app\n"
    )
    (tmp_path / "nginx.conf").write_text(text)
    (tmp_path / "app.py").write_text(
        "from flask import Flask\nfrom flask_httpauth import HTTPBasicAuth\napp = Flask(__name__)\nauth = HTTPBasicAuth()\n"
        '@auth.verify_password\ndef check(u, p):\n    return u\n@app.route("/x")\n@auth.login_required\ndef x():\n    return "ok"\n'
    )
    assert main(["lint", str(tmp_path)]) == 1
    assert f"{tmp_path / 'nginx.conf'}:6: nginx takes Authorization out" in capsys.readouterr().out


def test_a_configuration_through_a_pipe(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for text, status in ((CONF % "users", 0), ("", 2), ("hello\n", 2)):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        assert main(["lint", "-"]) == status
        assert ("standard input: " in capsys.readouterr().err) == (status == 2)


def test_a_binary_file_is_called_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.dat").write_bytes(b"\0\1\2" * 50)
    assert main(["lint", str(tmp_path / "x.dat")]) == 2
    assert "is binary, not text" in capsys.readouterr().err


def test_names_in_sarif_are_uris(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a b").mkdir()
    conf = put(tmp_path / "a b", "htpasswdd")
    main(["lint", "--sarif", str(conf)])
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    uri = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == str(conf).replace(" ", "%20")
