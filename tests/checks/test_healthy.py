"""`not-an-auth-error`: what is healthy is called so, and what hides a refusal is not."""

from __future__ import annotations

import pytest

from tests.checks.test_rejected import GOOD, found, get
from why401 import flow, readers

NOT_FOUND = "HTTP/1.1 404 Not Found\nServer: x\nContent-Type: text/html\n\n<h1>Not Found</h1>\n"


@pytest.mark.parametrize(
    "files",
    [
        {"a_http": get(answer=GOOD)},
        {"a_http": get(answer=NOT_FOUND)},
        {"t_txt": "$ curl https://a.example.org\ncurl: (6) Could not resolve host: a.example.org"},
        {
            "t_txt": "$ curl https://a.example.org\ncurl: (60) SSL certificate problem: certificate has expired"
        },
        {"t_txt": "$ curl https://a.example.org\ncurl: (7) Failed to connect: Connection refused"},
        {"access_log": '192.0.2.1 - - [02/Feb/2024:11:00:01 +0000] "GET / HTTP/1.1" 502 150 "-" "x"\n'},
    ],
)
def test_healthy(files: dict[str, str]) -> None:
    assert "nothing-refused" in found(**files)
    inputs = [readers.Input(name.replace("_", "."), text.encode()) for name, text in files.items()]
    report = flow.examine(readers.read(inputs))
    assert report.exit_status == 0


@pytest.mark.parametrize(
    "files",
    [
        {"a_http": get()},
        {"a_http": get(answer=GOOD + '\n{"error":{"code":401,"message":"no"}}')},
        {"a_http": get(answer="HTTP/1.1 500 Internal Server Error\nServer: x\n\nupstream said Unauthorized")},
        {
            "a_http": get(
                answer="HTTP/1.1 400 Bad Request\nServer: nginx\n\nNo required SSL certificate was sent"
            )
        },
        {"m_txt": "It does not work."},
        {"m_txt": "I get 401 and cannot say more."},
        {"m_txt": "repository does not exist or may require 'docker login': denied: access denied"},
    ],
)
def test_not_called_healthy(files: dict[str, str]) -> None:
    assert "nothing-refused" not in found(**files)


@pytest.mark.parametrize(
    ("text", "speaks"),
    [
        (
            "urn:ietf:params:acme:error:unauthorized :: Incorrect TXT record found at _acme-challenge.a.org",
            True,
        ),
        (
            "http://a.org/.well-known/acme-challenge/x: 403, urn:ietf:params:acme:error:unauthorized",
            False,
        ),
        ("System.UnauthorizedAccessException: Access to the path 'C:\\data' is denied.", True),
        (
            "AuthenticationException: The remote certificate is invalid according to the validation procedure",
            True,
        ),
        ("Access denied for user 'shop'@'localhost' (using password: YES)", True),
        ("HTTP 401 Unauthorized, then Access denied for user 'shop'@'localhost'", False),
    ],
)
def test_words_of_another_trade(text: str, speaks: bool) -> None:
    assert ("another-trade" in found(e_log=text)) == speaks


@pytest.mark.parametrize(
    "files",
    [
        {"e_txt": "HTTP/1.1 302 Found\nLocation: /home\n", "m_txt": "npm says E401"},
        {"a_http": "POST /login HTTP/1.1\nHost: a.example.org\n\nHTTP/1.1 422 Unprocessable Entity\n\n"},
    ],
)
def test_never_sure_where_a_login_fails(files: dict[str, str]) -> None:
    assert found(**files).get("nothing-refused", {}).get("not-an-auth-error", 0) < 10
