"""Authorization values as they are, and as they go wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from why401.protocol.credentials import KINDS, parse
from why401.protocol.placeholders import MEANINGS, placeholder

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJlLXRoYXQtaXMtbm90LXJlYWw"


@pytest.mark.parametrize(
    ("value", "scheme", "rest"),
    [
        ("Bearer mF_9.B5f-4.1JqMx", "Bearer", "mF_9.B5f-4.1JqMx"),
        ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Basic", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        (f"bearer {JWT}", "bearer", JWT),
        (
            "Token 9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b",
            "Token",
            "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b",
        ),
        ("Negotiate YIIKiwYGKwYBBQUCoIIKfzCCCnug", "Negotiate", "YIIKiwYGKwYBBQUCoIIKfzCCCnug"),
        (
            "Bearer ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            "Bearer",
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        ),
        ("Bearer 1/fFAGRNJru1FTz70BzhT3Zg", "Bearer", "1/fFAGRNJru1FTz70BzhT3Zg"),
    ],
)
def test_sound_values_have_no_problem(value: str, scheme: str, rest: str) -> None:
    found = parse(value)
    assert (found.scheme, found.rest, found.token68, found.problems) == (scheme, rest, rest, ())


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("sometokenvalue", "no-scheme"),
        (JWT, "bare-jwt"),
        ("Bearer", "scheme-only"),
        ("Bearer ", "scheme-only"),
        (f"Bearer Bearer {JWT}", "doubled-scheme"),
        ("Basic Bearer abc", "doubled-scheme"),
        ("Bearer bearer abc", "doubled-scheme"),
        (f"Bearer{JWT}", "missing-space"),
        ("BasicQWxhZGRpbjpvcGVuIHNlc2FtZQ==", "missing-space"),
        ("Bearer: abc", "separator-after-scheme"),
        ("Bearer:abc", "separator-after-scheme"),
        ("Bearer=abc", "separator-after-scheme"),
        ("Bearer, abc", "separator-after-scheme"),
        ("Bearer  abc", "several-spaces"),
        ("Bearer\tabc", "several-spaces"),
        ("Authorization: Bearer abc", "field-name-in-value"),
        ('Bearer "abc"', "quoted"),
        ("'Bearer abc'", "quoted"),
        ("Bearer \u201cabc\u201d", "smart-quotes"),
        ("Bearer \u00e2\u0080\u009cabc", "smart-quotes"),
        (" Bearer abc", "leading-whitespace"),
        ("Bearer abc ", "trailing-whitespace"),
        ("Bearer ab cd", "inner-whitespace"),
        ("Bearer abc\n", "line-break"),
        ("Bearer abc\r\n", "line-break"),
        ("Bearer abc\\n", "line-break"),
        ("Bearer ab\x00c", "control-character"),
        ("Bearer abc\u200b", "invisible-character"),
        ("\ufeffBearer abc", "invisible-character"),
        ("Bearer\u00a0abc", "invisible-character"),
        ("\u00ef\u00bb\u00bfBearer abc", "invisible-character"),
        ("Bearer caf\u00e9", "non-ascii"),
        ("Basic dXNlcjpw%3D%3D", "percent-encoded"),
        ("Token token=abc", "token-parameter"),
        ("Basic YTpi, Bearer abc", "two-credentials"),
        ("Bearer undefined", "placeholder"),
        ("Bearer $TOKEN", "placeholder"),
        ("Bearer {{access_token}}", "placeholder"),
        ("Bearer \u2022\u2022\u2022\u2022", "placeholder"),
    ],
)
def test_each_way_to_go_wrong(value: str, kind: str) -> None:
    assert kind in {problem.kind for problem in parse(value).problems}
    assert kind in KINDS


@pytest.mark.parametrize(
    ("value", "kind", "spanned"),
    [
        ("Bearer: abc", "separator-after-scheme", ":"),
        ("Bearer Bearer abc", "doubled-scheme", "Bearer"),
        ('Bearer "abc"', "quoted", '"abc"'),
        ("  Bearer ab cd", "inner-whitespace", " "),
        ("Bearer a%20b", "percent-encoded", "%20"),
        ("Bearer $TOKEN", "placeholder", "$TOKEN"),
    ],
)
def test_spans(value: str, kind: str, spanned: str) -> None:
    problem = next(p for p in parse(value).problems if p.kind == kind)
    assert value[slice(*problem.span)] == spanned


def test_parameters_are_read_leniently() -> None:
    digest = parse('Digest username="a\\"b", uri="/x,y", nc=00000001')
    assert digest.params == {"username": 'a"b', "uri": "/x,y", "nc": "00000001"}
    aws = parse(
        "AWS4-HMAC-SHA256 Credential=K/20150830/us-east-1/iam/aws4_request,SignedHeaders=a;b, Signature=ff"
    )
    assert aws.params["signedheaders"] == "a;b"
    assert not aws.problems


def test_the_case_of_a_scheme_is_a_fact_and_no_problem() -> None:
    assert parse("Bearer abc").canonical_case
    assert not parse("bearer abc").canonical_case
    assert not parse("bearer abc").problems


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        *[(t, "empty-value") for t in ("undefined", "null", "None", "(null)", "NaN", "<nil>")],
        *[
            (t, "unexpanded-variable")
            for t in ("$TOKEN", "${API_KEY}", "$(cat token)", "%TOKEN%", "$env:TOKEN", "$token")
        ],
        *[
            (t, "template")
            for t in ("{{token}}", "{token}", "<token>", "<your-api-key>", "#{token}", "%s", "{0}")
        ],
        *[(t, "expression") for t in ("process.env.TOKEN", "os.environ['TOKEN']")],
        *[(t, "object") for t in ("[object Object]", "[object Promise]", "<app.Token object at 0x7f3a>")],
        *[(t, "repr") for t in ("b'abc'", 'b"abc"')],
        *[(t, "json") for t in ('{"access_token": "x"}', "{'token': 'x'}")],
        *[
            (t, "masked")
            for t in (
                "****",
                "xxxx",
                "\u2022\u2022\u2022\u2022",
                "sk-xxxxxxxx",
                "abcd****wxyz",
                "[REDACTED]",
                "***",
            )
        ],
        *[(t, "truncated") for t in ("eyJhbGciOi...", "\u2026", "...")],
        *[
            (t, "example-text")
            for t in ("YOUR_API_KEY", "your-token-here", "<YOUR_TOKEN>"[1:-1], "yourApiKey", "replace_me")
        ],
        *[(t, "documented-example") for t in ("AKIAIOSFODNN7EXAMPLE",)],
        *[(t, "variable-name") for t in ("API_KEY", "GITHUB_TOKEN", "access_token", "TOKEN")],
        *[
            (t, "file-path")
            for t in ("/run/secrets/token", "~/.token", "@token.txt", "C:\\keys\\token", "./key.pem")
        ],
    ],
)
def test_placeholders(text: str, kind: str) -> None:
    assert placeholder(text) == kind
    assert kind in MEANINGS


@pytest.mark.parametrize(
    "text",
    [
        JWT,
        "",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "glpat-XyZ123abcDEF456ghi78",
        "npm_4Ju3KcvFh7vEtNhU3eAvGJ3fWqZ8Jx1Abcde",
        "xoxb-123456789012-1234567890123-AbCdEfGhIjKl",
        "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b",
        "/9j/4AAQSkZJRgABAQAAAQABAAD",
        "dXNlcjpwYXNzd29yZA==",
        "550e8400-e29b-41d4-a716-446655440000",
        "$2b$12$EixZaYVK1fsbw1ZfbX3OXe",
        "hunter2",
        "correct horse battery staple",
        "P@$$w0rd!",
        "changeme",
        "mysecret",
        "nullable",
        "undefinedxyz",
        "TOKENabc123",
        "sk-proj-abc123DEF456ghi789",
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.",
        "A1b2C3x4",
        "$ecret1",
    ],
)
def test_real_secrets_are_no_placeholders(text: str) -> None:
    assert placeholder(text) is None


@given(st.binary(min_size=12, max_size=60))
def test_random_tokens_are_no_placeholders(octets: bytes) -> None:
    import base64

    if len(set(octets)) > 6:
        assert placeholder(base64.urlsafe_b64encode(octets).decode()) is None
        assert placeholder(octets.hex()) is None


_value = st.text(
    alphabet=st.sampled_from(list("Bearer basic:=,\"' \t\r\n\u00a0\u201c%20$T{}<>.")), max_size=50
)


@given(_value | st.text(max_size=60))
def test_never_raises_and_spans_lie_in_the_value(value: str) -> None:
    for problem in parse(value).problems:
        assert 0 <= problem.span[0] <= problem.span[1] <= len(value)
        assert problem.says
