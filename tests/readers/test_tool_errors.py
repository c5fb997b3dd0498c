# ruff: noqa: E501  (lines of tools, as they print them)
"""The lines in which tools say that they were refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from why401.evidence import Exchange, Source
from why401.readers import tool_errors

LINES = [
    ("npm error 401 Unauthorized - GET https://npm.example.com/@acme%2fwidgets - unauthenticated", "npm", 401, "GET", "https://npm.example.com/@acme%2fwidgets"),
    ("npm ERR! code E403", "npm", 403, None, None),
    ('error An unexpected error occurred: "https://npm.example.com/x.tgz: Request failed \\"401 Unauthorized\\"".', "yarn", 401, None, "https://npm.example.com/x.tgz"),
    ("requests.exceptions.HTTPError: 401 Client Error: Unauthorized for url: https://api.example.com/v1/me", "python-requests", 401, None, "https://api.example.com/v1/me"),
    ("fatal: Authentication failed for 'https://git.example.com/me/repo.git/'", "git", 401, None, "https://git.example.com/me/repo.git/"),
    ("fatal: unable to access 'https://git.example.com/r.git/': The requested URL returned error: 403", "git", 403, None, "https://git.example.com/r.git/"),
    ("error: You must be logged in to the server (Unauthorized)", "kubectl", 401, None, None),
    ("Error response from daemon: Get https://r.example.com/v2/: unauthorized: authentication required", "docker", 401, None, "https://r.example.com/v2/"),
    ("Error response from daemon: login attempt to https://r.example.com/v2/ failed with status: 401 Unauthorized", "docker", 401, None, "https://r.example.com/v2/"),
    ("[ERROR] Could not transfer artifact a:b:jar:1 from/to nexus (https://n.example.com/repo): status code: 401, reason phrase: Unauthorized (401)", "maven", 401, None, "https://n.example.com/repo"),
    ("> Could not GET 'https://m.example.com/a.pom'. Received status code 401 from server: Unauthorized", "gradle", 401, None, None),
    ("curl: (22) The requested URL returned error: 401", "curl", 401, None, None),
    ("GET https://app.example.com/api/me 401 (Unauthorized)   main.js:1", "browser", 401, "GET", "https://app.example.com/api/me"),
    ("AxiosError: Request failed with status code 401", "axios", 401, None, None),
    ("System.Net.Http.HttpRequestException: Response status code does not indicate success: 401 (Unauthorized).", "dotnet", 401, None, None),
    ("java.io.IOException: Server returned HTTP response code: 401 for URL: https://x.example.com/y", "java", 401, None, "https://x.example.com/y"),
    ("Client error: `POST https://login.example.com/token` resulted in a `401 Unauthorized` response:", "guzzle", 401, "POST", "https://login.example.com/token"),
    ("httpx.HTTPStatusError: Client error '401 Unauthorized' for url 'https://a.example.com/x'", "httpx", 401, None, "https://a.example.com/x"),
    ("urllib.error.HTTPError: HTTP Error 401: Unauthorized", "urllib", 401, None, None),
    ("http://10.2.4.7:8080/e DOWN server returned HTTP status 401 Unauthorized", "prometheus", 401, None, None),
]  # fmt: skip


def exchanges(text: str) -> tuple[Exchange, ...]:
    return tool_errors.read(text, Source("x.log")).exchanges if tool_errors.sniff("x.log", text) else ()


@pytest.mark.parametrize(("line", "client", "status", "method", "url"), LINES)
def test_a_line_is_an_exchange(
    line: str, client: str, status: int, method: str | None, url: str | None
) -> None:
    (found,) = exchanges("building\n" + line + "\ndone\n")
    assert (found.client, found.status, found.source.line) == (client, status, 2)
    assert method is None or found.request.method == method
    assert url is None or found.request.url == url
    assert not found.request.complete


@pytest.mark.parametrize(
    "text",
    [
        "The page 401k explains pensions.",
        "added 401 packages in 3s",
        "requests.exceptions.HTTPError: 404 Client Error: Not Found for url: https://a.example.com",
        "HTTP/1.1 401 Unauthorized",
        "Listening on port 4010",
    ],
)
def test_a_near_miss_is_none(text: str) -> None:
    assert exchanges(text) == ()


def test_the_same_line_counts_once() -> None:
    assert len(exchanges("curl: (22) The requested URL returned error: 401\n" * 5)) == 1


@given(
    st.text(max_size=300)
    | st.sampled_from([line for line, *_ in LINES]).flatmap(
        lambda s: st.integers(0, len(s)).map(lambda n: s[:n])
    )
)
def test_any_text_is_read_without_an_error(text: str) -> None:
    tool_errors.read(text, Source("any"))
