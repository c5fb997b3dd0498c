"""AWS signatures against the vectors of AWS's own documentation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from why401.protocol import credentials
from why401.protocol.sigv4 import SigV4, check, parse, parse_presigned, verify

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
S3_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
IAM_URL = "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08"
IAM_HEADERS = {
    "Host": "iam.amazonaws.com",
    "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
    "X-Amz-Date": "20150830T123600Z",
}
IAM = (
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
    "SignedHeaders=content-type;host;x-amz-date, "
    "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
)
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
S3_HEADERS = {
    "Host": "examplebucket.s3.amazonaws.com",
    "Range": "bytes=0-9",
    "x-amz-content-sha256": EMPTY,
    "x-amz-date": "20130524T000000Z",
}
S3 = (
    "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
    "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
    "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
)
PRESIGNED = (
    "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
    "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
    "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
    "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
)


def sent(value: str = IAM, headers: dict[str, str] | None = None) -> SigV4:
    return parse(credentials.parse(value).params, IAM_HEADERS if headers is None else headers)


def test_iam_vector() -> None:
    found = verify(sent(), method="GET", url=IAM_URL, headers=IAM_HEADERS, secret=SECRET)
    assert (found.matches, found.variant) == (True, "")
    assert found.canonical_request.endswith(EMPTY)
    assert found.string_to_sign.endswith("f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59")


def test_s3_vectors() -> None:
    url = "https://examplebucket.s3.amazonaws.com/test.txt"
    found = verify(sent(S3, S3_HEADERS), method="GET", url=url, headers=S3_HEADERS, secret=S3_SECRET)
    assert (found.matches, found.variant) == (True, "")
    presigned = parse_presigned(PRESIGNED)
    assert presigned is not None
    host = {"host": "examplebucket.s3.amazonaws.com"}
    assert verify(presigned, method="GET", url=PRESIGNED, headers=host, secret=S3_SECRET).matches


@pytest.mark.parametrize(
    ("url", "headers", "secret", "variant"),
    [
        (IAM_URL, {"Host": "10.0.0.7:8080", "X-Forwarded-Host": "iam.amazonaws.com"}, SECRET, "the host iam"),
        (IAM_URL, {"Host": "iam.amazonaws.com:443"}, SECRET, "the host iam.amazonaws.com"),
        (IAM_URL, {}, SECRET + "\n", "white space"),
        (IAM_URL, {}, SECRET.replace("+", " "), "+ for its spaces"),
        (IAM_URL, {}, SECRET.replace("+", "%2B"), "percent-decoded"),
    ],
)
def test_variants(url: str, headers: dict[str, str], secret: str, variant: str) -> None:
    found = verify(sent(), method="GET", url=url, headers={**IAM_HEADERS, **headers}, secret=secret)
    assert found.matches
    assert variant in found.variant


def test_a_wrong_secret_or_changed_request_does_not_verify() -> None:
    assert not verify(sent(), method="GET", url=IAM_URL, headers=IAM_HEADERS, secret="x").matches
    assert not verify(sent(), method="POST", url=IAM_URL, headers=IAM_HEADERS, secret=SECRET).matches
    assert not verify(sent(), method="GET", url=IAM_URL + "&x=1", headers=IAM_HEADERS, secret=SECRET).matches


NOW = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "headers", "late", "kind"),
    [
        (IAM.replace("content-type;host", "content-type"), {}, 0, "host-not-signed"),
        (IAM.replace("content-type;host", "host;content-type"), {}, 0, "unsorted"),
        (IAM.replace("host;", "host;x-foo;"), {}, 0, "signed-header-missing"),
        (IAM, {"X-Amz-Target": "x"}, 0, "amz-header-not-signed"),
        (IAM, {}, 16, "date-skew"),
        (IAM, {}, -16, "date-skew"),
        (IAM, {"X-Amz-Date": "20150831T000000Z"}, 0, "scope-date"),
        (IAM, {"X-Amz-Date": "yesterday"}, 0, "bad-date"),
        (IAM, {"X-Amz-Date": ""}, 0, "no-date"),
        (IAM.replace("/us-east-1/", "/eu-west-1/"), {}, 0, "wrong-region"),
        (IAM.replace("/iam/", "/sts/"), {}, 0, "wrong-service"),
        (IAM.replace("/aws4_request", ""), {}, 0, "bad-scope"),
        (IAM.replace("AKIDEXAMPLE", "ASIAQWERTYUIOPASDFGH"), {}, 0, "no-session-token"),
        (IAM[:-3], {}, 0, "bad-signature-form"),
        ("AWS4-HMAC-SHA256 Credential=x", {}, 0, "missing-parameter"),
    ],
)
def test_checks(value: str, headers: dict[str, str], late: int, kind: str) -> None:
    fields = {**IAM_HEADERS, **headers}
    now = NOW + timedelta(minutes=late)
    found = check(sent(value, fields), headers=fields, now=now, region="us-east-1", service="iam")
    assert kind in {problem.kind for problem in found}


def test_a_sound_request_has_no_problem() -> None:
    good = IAM.replace("AKIDEXAMPLE", "AKIAIOSFODNN7EXAMPLE")
    assert check(sent(good), headers=IAM_HEADERS, now=NOW, region="us-east-1", service="iam") == ()


def test_presigned_times() -> None:
    presigned = parse_presigned(PRESIGNED)
    assert presigned is not None
    made = datetime(2013, 5, 24, tzinfo=UTC)
    assert check(presigned, headers={}, now=made + timedelta(hours=23)) == ()
    assert [p.kind for p in check(presigned, headers={}, now=made + timedelta(hours=25))] == [
        "presign-expired"
    ]
    long = parse_presigned(PRESIGNED.replace("86400", "9999999"))
    assert long is not None
    assert [p.kind for p in check(long, headers={}, now=made)] == ["expires-too-long"]
    assert parse_presigned("https://a.example/?x=1") is None


_names = st.sampled_from(["credential", "signedheaders", "signature", "x"])


@given(
    st.dictionaries(_names, st.text(max_size=30)),
    st.dictionaries(st.text(max_size=9), st.text(max_size=20)),
    st.text(),
)
def test_never_raises(params: dict[str, str], headers: dict[str, str], url: str) -> None:
    found = parse(params, headers)
    check(found, headers=headers, now=NOW)
    parse_presigned(url)
    parse_presigned("https://a.example/?X-Amz-Signature=" + url)
