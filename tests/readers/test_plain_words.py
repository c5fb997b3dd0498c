"""People's sentences: each pattern with a sentence that draws the contrast and one that does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from why401.evidence import Source
from why401.readers import plain_words


def contrasts(text: str) -> list[tuple[str, str, str]]:
    found = plain_words.read(text, Source("message.txt")).contrasts
    return [(c.axis, c.works.lower(), c.fails.lower()) for c in found]


@pytest.mark.parametrize(
    ("says", "axis", "works", "fails"),
    [
        ("It works with curl but not in the browser.", "client", "curl", "browser"),
        ("Works in Postman, but in my code I get 401.", "client", "postman", "code"),
        ("The web page works, docker login fails.", "client", "web page", "docker login"),
        ("In production I get 401, locally everything works fine.", "host", "locally", "production"),
        ("The deployed site does not have the problem, only the local server.", "host", "deployed", "local"),
        ("GET requests work but POST fails with 401.", "method", "get", "post"),
        ("Sometimes the request returns 401, a retry works.", "frequency", "", "sometimes"),
        ("One in five requests fails.", "frequency", "", "one in five"),
        ("After a restart all users are logged out.", "restart", "", "restart"),
        ("After a restart of the server it works again.", "restart", "restart", ""),
        ("It stopped working after upgrading from 1.2 to 1.3.", "version", "before", "upgrading"),
        ("It worked with 4.x of the plugin and fails with 5.x.", "version", "4.x", "5.x"),
        ("Downgrading to 4.1.2 fixes the problem.", "version", "downgrading", ""),
        ("In an incognito window everything works.", "session", "incognito", ""),
        ("My colleague can log in with his account, I cannot.", "user", "colleague", ""),
        ("Over https it works, with http I get 401.", "scheme", "https", "http"),
        ("If I bypass the load balancer it works.", "layer", "bypass", ""),
        ("Without the Authorization header the same request returns 200.", "credential", "without", ""),
        ("A new token works for about an hour, then every call is refused.", "age", "an hour", "later"),
        ("From another IP address I can connect again.", "network", "another ip", ""),
        ("One replica works; with two replicas users get logged out", "parallel", "one replica", "two replicas"),
        ("Everything is fine except in Safari.", "client", "", "safari"),
        ("Some pages do load, but every call to that path is refused.", "path", "some pages", "every call"),
        ("With the plugin's option enabled it fails; with it disabled it works.", "change", "disabled", "enabled"),
    ],
)  # fmt: skip
def test_a_sentence_draws_its_contrast(says: str, axis: str, works: str, fails: str) -> None:
    assert any(a == axis and works in w and fails in f for a, w, f in contrasts(says)), contrasts(says)


@pytest.mark.parametrize(
    "says",
    [
        "I work with curl and Postman every day. The API needs a token.",
        "The worker uses a randomly generated secret.",
        "How do I make this work with Safari?",
        "It should work with curl too.",
        "I tried with curl and Postman, both give 401.",
        "curl works neither.",
        "This isn't working with Postman.",
        "We use Python 3.11 and Django 4.2. The API returns 401.",
        "It is not intermittent: every single time the call is refused.",
        "There is enough quota in my account.",
        "$ curl -u me:pw https://example.com/works",
        "HTTP/1.1 200 OK",
    ],
)
def test_a_near_miss_draws_none(says: str) -> None:
    assert contrasts(says) == []


def test_a_table_of_results_is_a_contrast_of_its_labels() -> None:
    assert contrasts("6.0-focal    200\n7.0-jammy    401\n8.0-alpine   401\n") == [
        ("version", "6.0-focal", "7.0-jammy")
    ]
    assert contrasts("200\n200\n401\n200\n401\n")[0][0] == "frequency"
    assert contrasts("HTTP/1.1 200 OK\nHTTP/1.1 401 Unauthorized\n") == []


def test_the_line_is_that_of_the_sentence() -> None:
    found = plain_words.read("Hello there.\n\nIt works in Postman.\n", Source("m")).contrasts
    assert [c.source.line for c in found] == [3]


def test_code_and_settings_are_not_prose() -> None:
    assert not plain_words.sniff("app.py", "it works with curl")
    assert plain_words.sniff("message.txt", "it works with curl")


@given(st.text(max_size=400))
def test_any_text_is_read_without_an_error(text: str) -> None:
    plain_words.read(text, Source("any"))
