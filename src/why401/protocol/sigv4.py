"""AWS Signature Version 4: the canonical request, the string to sign and the signature, recomputed.

AWS IAM User Guide, "Create a signed AWS API request". A wrong signature shows nothing of why; the
canonical request does, for AWS answers with its own. Credentials stand in the Authorization field or,
presigned, in the query.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from why401.prefilter import lazy

from .problems import Problem

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
SKEW = timedelta(minutes=15)  # how far a request's date may be off (5 minutes for some services)
LONGEST = 7 * 24 * 3600  # seconds a presigned URL may live
_DATE = lazy(r"\d{8}T\d{6}Z", re.A)
_KEY_ID = lazy(r"A(?:KIA|SIA)[A-Z0-9]{12,124}")


@dataclass(frozen=True, slots=True)
class SigV4:
    """The parts of the credentials, from the field or from the query."""

    key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: str | None
    expires: int | None
    presigned: bool
    session_token: bool
    problems: tuple[Problem, ...] = ()

    @property
    def scope(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether the secret gives the signature; `variant` is empty when all is as it should be."""

    matches: bool
    variant: str
    canonical_request: str
    string_to_sign: str


def parse(params: Mapping[str, str], headers: Mapping[str, str] | None = None) -> SigV4:
    """Take the parameters of the Authorization field (as `credentials.parse` found them)."""
    low = _lower(headers or {})
    stamp = low.get("x-amz-date") or _from_http_date(low.get("date"))
    token = "x-amz-security-token" in low
    return _made({k.lower(): v for k, v in params.items()}, stamp, None, False, token)


def parse_presigned(url: str) -> SigV4 | None:
    """Take the credentials from the query of a presigned URL, or None where there are none."""
    try:
        query = {k.lower(): v for k, v in parse_qsl(urlsplit(url).query, keep_blank_values=True)}
    except ValueError:
        return None
    if "x-amz-signature" not in query and "x-amz-credential" not in query:
        return None
    params = {name: query.get(f"x-amz-{name}", "") for name in ("credential", "signedheaders", "signature")}
    expires = query.get("x-amz-expires", "")
    life = int(expires) if re.fullmatch(r"[0-9]{1,9}", expires) else None
    return _made(params, query.get("x-amz-date"), life, True, "x-amz-security-token" in query)


def _made(
    params: Mapping[str, str], stamp: str | None, expires: int | None, presigned: bool, token: bool
) -> SigV4:
    credential = params.get("credential", "").split("/")
    parts = [*credential, *[""] * 5] if len(credential) < 5 else credential
    # An access key id may hold no slash, but a scope is always the last four parts.
    key_id, date, region, service = (
        ("/".join(parts[:-4]), *parts[-4:-1]) if len(credential) >= 5 else parts[:4]
    )
    names = tuple(n.strip().lower() for n in params.get("signedheaders", "").split(";") if n.strip())
    problems = tuple(Problem(kind, (0, 0), says) for kind, says in _form(params, credential, key_id, token))
    return SigV4(
        key_id,
        date,
        region,
        service,
        names,
        params.get("signature", ""),
        stamp,
        expires,
        presigned,
        token,
        problems,
    )


def _form(
    params: Mapping[str, str], credential: list[str], key_id: str, token: bool
) -> Iterator[tuple[str, str]]:
    for name in ("credential", "signedheaders", "signature"):
        if not params.get(name):
            yield "missing-parameter", f"The credentials lack {name}."
    if params.get("credential") and (len(credential) < 5 or credential[-1] != "aws4_request"):
        yield "bad-scope", "The credential is not KEYID/DATE/REGION/SERVICE/aws4_request."
    signature = params.get("signature", "")
    if signature and not re.fullmatch(r"[0-9a-f]{64}", signature):
        yield "bad-signature-form", "The signature is not 64 hexadecimal digits in lower case."
    if key_id and not _KEY_ID.fullmatch(key_id):
        yield "unusual-key-id", "The access key id does not look like one of AWS (AKIA... or ASIA...)."
    if key_id.startswith("ASIA") and not token:
        yield "no-session-token", "A temporary key (ASIA...) needs X-Amz-Security-Token, and none is sent."


# ---------------------------------------------------------------------------------------------- signing


def canonical_request(
    method: str,
    url: str,
    headers: Mapping[str, str],
    signed_headers: tuple[str, ...],
    payload_hash: str,
    *,
    encode_twice: bool = True,
) -> str:
    """Step 1. S3 encodes the path once, every other service encodes what is on the wire again."""
    parts = urlsplit(url)
    path = parts.path or "/"
    uri = quote(path if encode_twice else unquote(path), safe="/-_.~", errors="replace")
    low = _lower(headers)
    low.setdefault("host", parts.netloc.rpartition("@")[2])
    fields = "".join(f"{name}:{_trimmed(low.get(name, ''))}\n" for name in signed_headers)
    return "\n".join(
        (method.upper(), uri, _query(parts.query), fields, ";".join(signed_headers), payload_hash)
    )


def _query(query: str) -> str:
    pairs = []
    for part in query.split("&") if query else ():
        name, _, value = part.partition("=")
        if unquote(name).lower() != "x-amz-signature":
            pairs.append((_quoted(name), _quoted(value)))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _quoted(text: str) -> str:
    return quote(unquote(text), safe="-_.~", errors="replace")


def string_to_sign(canonical: str, timestamp: str, scope: str) -> str:
    """Step 2."""
    return "\n".join(
        (ALGORITHM, timestamp, scope, hashlib.sha256(canonical.encode("utf-8", "replace")).hexdigest())
    )


def signature(secret: str, scope: str, text: str) -> str:
    """Steps 3 and 4: a key for this day, region and service, and the signature with it."""
    key = b"AWS4" + secret.encode("utf-8", "replace")
    for part in scope.split("/"):
        key = hmac.new(key, part.encode("utf-8", "replace"), hashlib.sha256).digest()
    return hmac.new(key, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def verify(
    sent: SigV4, *, method: str, url: str, headers: Mapping[str, str], secret: str, body: bytes = b""
) -> Verification:
    """Recompute the signature; where it differs, try what clients and proxies commonly do."""
    first: Verification | None = None
    stamp = sent.timestamp or ""
    for variant, change in _variants(sent, url, headers, secret, body):
        try:
            canonical = canonical_request(
                method,
                change.get("url", url),
                {**_lower(headers), **({"host": change["host"]} if "host" in change else {})},
                sent.signed_headers,
                change["payload"],
                encode_twice=change["twice"] == "yes",
            )
        except ValueError:
            continue
        text = string_to_sign(canonical, stamp, sent.scope)
        made = signature(change["secret"], sent.scope, text)
        matches = hmac.compare_digest(made.encode(), sent.signature.encode("utf-8", "replace"))
        first = first or Verification(False, "", canonical, text)
        if matches:
            return Verification(True, variant, canonical, text)
    return first or Verification(False, "", "", "")


def _variants(
    sent: SigV4, url: str, headers: Mapping[str, str], secret: str, body: bytes
) -> Iterator[tuple[str, dict[str, str]]]:
    s3 = sent.service == "s3"
    hashed = hashlib.sha256(body).hexdigest()
    empty = hashlib.sha256(b"").hexdigest()
    declared = _lower(headers).get("x-amz-content-sha256")
    payload = declared or (UNSIGNED if sent.presigned and s3 else hashed)
    base = {"payload": payload, "secret": secret, "twice": "no" if s3 else "yes"}
    yield "", base
    yield "the path encoded " + ("twice" if s3 else "once"), {**base, "twice": "yes" if s3 else "no"}
    for name, other in (("the body's hash", hashed), ("an empty body", empty), (UNSIGNED, UNSIGNED)):
        if other != payload:
            yield f"{name} as payload", {**base, "payload": other}
    if secret != secret.strip():
        yield "the secret without the white space round it", {**base, "secret": secret.strip()}
    if "%" in secret:
        yield "the secret percent-decoded", {**base, "secret": unquote(secret)}
    if " " in secret:
        yield "the secret with + for its spaces", {**base, "secret": secret.replace(" ", "+")}
    if "+" in url:
        yield "plus signs in the URL read as spaces", {**base, "url": url.replace("+", "%20")}
    for host in _hosts(url, headers):
        yield f"the host {host}", {**base, "host": host}


def _hosts(url: str, headers: Mapping[str, str]) -> Iterator[str]:
    """The other ways the same host may be written, and the one a proxy may have put there."""
    low = _lower(headers)
    try:
        netloc = urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return
    sent = low.get("host", netloc)
    name = sent.rpartition(":")[0] if re.search(r":\d+\Z", sent) else sent
    for host in dict.fromkeys((netloc, name, f"{name}:443", f"{name}:80", low.get("x-forwarded-host", ""))):
        if host and host != sent:
            yield host


# ---------------------------------------------------------------------------------------------- checking


def check(
    sent: SigV4,
    *,
    headers: Mapping[str, str],
    now: datetime | None = None,
    region: str | None = None,
    service: str | None = None,
) -> tuple[Problem, ...]:
    """What can be seen to be wrong without the secret."""
    found = [*_headers(sent, _lower(headers)), *_times(sent, now)]
    for name, wanted, got in (("region", region, sent.region), ("service", service, sent.service)):
        if wanted is not None and got != wanted:
            found.append((f"wrong-{name}", f"The request is signed for the {name} {got}, not for {wanted}."))
    return (*sent.problems, *(Problem(kind, (0, 0), says) for kind, says in found))


def _headers(sent: SigV4, low: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if "host" not in sent.signed_headers and ":authority" not in sent.signed_headers:
        yield "host-not-signed", "host is not among the signed headers."
    if list(sent.signed_headers) != sorted(sent.signed_headers):
        yield "unsorted", "The signed headers are not in alphabetical order."
    for name in sent.signed_headers:
        if name not in low and name != "host":
            yield "signed-header-missing", f"{name} was signed, but is not in the request."
    for name in low:
        if name.startswith("x-amz-") and name not in sent.signed_headers and not sent.presigned:
            yield "amz-header-not-signed", f"{name} is in the request, but was not signed."


def _times(sent: SigV4, now: datetime | None) -> Iterator[tuple[str, str]]:
    if not sent.timestamp:
        yield "no-date", "The request has no X-Amz-Date."
        return
    if not _DATE.fullmatch(sent.timestamp):
        yield "bad-date", "X-Amz-Date is not written YYYYMMDDTHHMMSSZ."
        return
    if sent.date and not sent.timestamp.startswith(sent.date):
        yield "scope-date", "The date in the credential's scope is not that of X-Amz-Date."
    if sent.presigned and sent.expires is not None and sent.expires > LONGEST:
        yield "expires-too-long", "A presigned URL may live seven days at most."
    try:
        made = datetime.strptime(sent.timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        yield "bad-date", "X-Amz-Date is no date."
        return
    if now is not None:
        yield from _age(sent, int((now - made).total_seconds()))


def _age(sent: SigV4, age: int) -> Iterator[tuple[str, str]]:
    if sent.presigned and sent.expires is not None and age > sent.expires:
        yield "presign-expired", f"The presigned URL expired {age - sent.expires} seconds ago."
    elif not sent.presigned and age > SKEW.total_seconds():
        yield "date-skew", f"X-Amz-Date is {age} seconds behind the clock; 15 minutes are allowed."
    if age < -SKEW.total_seconds():
        yield "date-skew", f"X-Amz-Date is {-age} seconds ahead of the clock; 15 minutes are allowed."


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _trimmed(value: str) -> str:
    return " ".join(value.split())


def _from_http_date(text: str | None) -> str | None:
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(text).strftime("%Y%m%dT%H%M%SZ") if text else None
    except (ValueError, TypeError, OverflowError):
        return None
