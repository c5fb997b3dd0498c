"""Checks of the value of an Authorization field: what it holds against what the challenge asks for.

Every departure from the grammar is named by `protocol.credentials` and `protocol.basic`; here it is only said
which cause it speaks for. RFC 9110, section 11.6.2; RFC 7617; RFC 6750, section 2.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from why401.checks import check
from why401.checks.credentials_offers import Sent, asked_anywhere, sent
from why401.evidence import Evidence
from why401.findings import AGAINST, CLEAR, FAINT, HINT, STRONG, Finding
from why401.protocol import basic
from why401.protocol.placeholders import placeholder

# Problem of the value → what it speaks for. Weighed for a value that was seen on the wire.
_FORM: dict[str, Mapping[str, float]] = {
    "doubled-scheme": {"malformed-authorization": 22.0},
    "missing-space": {"malformed-authorization": 21.0, "wrong-scheme": FAINT},
    "separator-after-scheme": {"malformed-authorization": 22.0},
    "field-name-in-value": {"malformed-authorization": 20.0},
    "quoted": {"malformed-authorization": 20.0},
    "smart-quotes": {"malformed-authorization": 18.0},
    "percent-encoded": {"malformed-authorization": CLEAR, "malformed-token": HINT},
    "several-spaces": {"malformed-authorization": FAINT, "stray-whitespace": HINT},
    "two-credentials": {
        "credentials-overridden": STRONG,
        "malformed-authorization": CLEAR,
        "auth-layers-collide": HINT,
    },
    "control-character": {"stray-whitespace": STRONG},
    "invisible-character": {"stray-whitespace": 20.0},
    "line-break": {"stray-whitespace": 20.0, "bad-base64": HINT},
    "bare-jwt": {"wrong-scheme": 18.0, "malformed-authorization": HINT},
    "no-scheme": {"wrong-scheme": 13.0, "malformed-authorization": HINT},
    "non-ascii": {"charset-mismatch": HINT, "malformed-authorization": FAINT},
}

# What `protocol.basic` says of the pair → what it speaks for.
_PAIR: dict[str, Mapping[str, float]] = {
    "not-encoded": {"bad-base64": 22.0},
    "not-base64": {"bad-base64": 19.0, "wrong-scheme": HINT},
    "not-text": {"bad-base64": STRONG, "wrong-scheme": HINT},
    "urlsafe-alphabet": {"bad-base64": STRONG},
    "wrapped": {"bad-base64": 20.0},
    "encoded-twice": {"bad-base64": 24.0},
    "no-colon": {"bad-base64": 19.0, "wrong-scheme": HINT},
    "no-padding": {"bad-base64": CLEAR},
    "user-newline": {"stray-whitespace": 22.0},
    "password-newline": {"stray-whitespace": 22.0},
    "user-whitespace": {"stray-whitespace": STRONG},
    "password-whitespace": {"stray-whitespace": STRONG},
    "user-quoted": {"malformed-authorization": STRONG, "mangled-in-config": HINT},
    "password-quoted": {"malformed-authorization": STRONG, "mangled-in-config": HINT},
    "user-percent-encoded": {"unescaped-userinfo": CLEAR},
    "password-percent-encoded": {"unescaped-userinfo": CLEAR},
}

#: Schemes that answer one another's challenge.
_AKIN = (
    {"negotiate", "ntlm", "kerberos"},
    {"bearer", "dpop"},
    {"basic", "xbasic", "x-basic"},
    {"token", "apikey"},
)


def known(one: Sent) -> bool:
    """Is the value what was sent, and not what a person blanked or a shell would still expand?"""
    return (one.refused and not one.redacted and one.seen in ("wire", "single")) or _plain(one)


def _plain(one: Sent) -> bool:
    return one.refused and one.seen == "double" and not one.redacted and "$" not in one.value


@check
def form(evidence: Evidence) -> Iterator[Finding]:
    """The value departs from `auth-scheme SP credentials` (RFC 9110, section 11.4)."""
    for one in sent(evidence):
        if not known(one):
            continue
        problems = {problem.kind: problem for problem in one.parsed.problems}
        for kind, weights in _FORM.items():
            if kind == "line-break" and one.parsed.name == "basic" and "\n" in one.parsed.rest.strip():
                weights = {"bad-base64": HINT, "stray-whitespace": HINT}  # wrapped within, not at the end
            if kind in problems and not (kind == "quoted" and one.seen != "wire"):
                says = f"Authorization: {problems[kind].says}"
                yield Finding(f"authorization-{kind}", says, weights, one.where, group="authorization-form")


@check
def whitespace(evidence: Evidence) -> Iterator[Finding]:
    """White space within or round the token. A trailing blank in a pasted line means little by itself."""
    for one in sent(evidence):
        rest = one.parsed.rest
        halves = rest.split()
        if (
            known(one)
            and len(halves) > 1
            and all(len(half) > 7 and any(c.isdigit() for c in half) for half in halves)
        ):
            weights = {"stray-whitespace": CLEAR, "malformed-authorization": CLEAR, "bad-base64": FAINT}
            yield Finding(
                "authorization-inner-space", "White space stands within the token.", weights, one.where
            )
        if one.exchange is not None and one.value != one.value.strip() and rest.strip():
            says = "White space stands before or after the Authorization value."
            yield Finding("authorization-outer-space", says, {"stray-whitespace": STRONG}, one.where)


@check
def pair(evidence: Evidence) -> Iterator[Finding]:
    """What base64 of a Basic value decodes to (RFC 7617, section 2)."""
    for one in sent(evidence):
        read = one.parsed
        if read.name != "basic" or not read.rest or not known(one) or placeholder(read.rest):
            continue
        pair = basic.decode(read.rest)
        for problem in pair.problems:
            if problem.kind in _PAIR:
                says = f"In the Basic credentials: {problem.says}"
                yield Finding(
                    f"basic-{problem.kind}", says, _PAIR[problem.kind], one.where, group="basic-pair"
                )
        yield from _charset(evidence, one, pair)


def _charset(evidence: Evidence, one: Sent, pair: basic.BasicCredentials) -> Iterator[Finding]:
    if not pair.has("non-ascii") or pair.user is None or pair.has("not-text"):
        return
    wants = any(c.params.get("charset", "").lower() == "utf-8" for c in asked_anywhere(evidence))
    weight = {"utf-8": 12.0}.get(pair.charset or "", 16.0 + (4.0 if wants else 0.0))
    says = f"The Basic credentials have characters outside ASCII, sent as {(pair.charset or '?').upper()}"
    says += ", and the challenge asks for UTF-8." if wants else "; the server may expect another charset."
    weights = {"charset-mismatch": weight, "wrong-password": -2.0}
    yield Finding("basic-non-ascii", says, weights, one.where, group="charset")


@check
def same_but_charset(evidence: Evidence) -> Iterator[Finding]:
    """Two Basic values that are the same text in two charsets: the difference itself."""
    found: dict[tuple[str, str], set[str]] = {}
    for exchange in evidence.exchanges:
        for value in exchange.request.fields.all("authorization"):
            scheme, _, rest = value.partition(" ")
            pair = basic.decode(rest.strip()) if scheme.lower() == "basic" and rest.strip() else None
            if pair and pair.user and pair.password and pair.charset and pair.has("non-ascii"):
                found.setdefault((pair.user, pair.password), set()).add(pair.charset)
    if any(len(charsets) > 1 for charsets in found.values()):
        says = "Two requests carry the same user and password, once as UTF-8 and once as ISO-8859-1."
        yield Finding("basic-two-charsets", says, {"charset-mismatch": 26.0}, group="charset")


@check
def scheme_against_challenge(evidence: Evidence) -> Iterator[Finding]:
    """The offered scheme is none of those that the challenge names (RFC 9110, section 11.6.1)."""
    for one in sent(evidence):
        offered, wanted = one.parsed.name, {challenge.name for challenge in one.asked}
        if (
            one.exchange is None
            or not one.exchange.refused
            or not offered
            or not wanted
            or one.parsed.has("no-scheme")
        ):
            continue
        akin = {offered}.union(*(kin for kin in _AKIN if offered in kin))
        if akin & wanted:
            weights = {"wrong-scheme": -10.0, "challenge-not-answered": -6.0}
            says = f"The scheme {one.parsed.scheme} is one that the challenge asks for."
            yield Finding("scheme-as-asked", says, weights, one.where)
        elif not _token_service(one):
            names = ", ".join(sorted({challenge.scheme for challenge in one.asked}))
            says = f"{one.parsed.scheme} was sent, and the server's challenge asks for {names}."
            yield Finding(
                "scheme-not-asked-for", says, _mismatch(offered, wanted, one), one.where, group="scheme"
            )


def _token_service(one: Sent) -> bool:
    """A registry answers Basic with a Bearer challenge that names its token service: a normal step."""
    return any(c.name == "bearer" and "://" in c.params.get("realm", "") for c in one.asked)


def _mismatch(offered: str, wanted: set[str], one: Sent) -> dict[str, float]:
    if offered in ("basic", "digest") and wanted <= {"basic", "digest", "ntlm", "negotiate"}:
        by_hand = one.exchange is not None and (one.exchange.client or "").lower().startswith(
            ("curl", "wget", "http")
        )
        choice = {"wrong-scheme": 15.0, "challenge-not-answered": 11.0}
        return choice if by_hand else {"wrong-scheme": 12.0, "challenge-not-answered": 14.0}
    return {
        "wrong-scheme": 15.0,
        "auth-layers-collide": 5.0,
        "auth-not-wired": 5.0,
        "wrong-password": AGAINST,
    }


@check
def scheme_by_curl(evidence: Evidence) -> Iterator[Finding]:
    """One user and password, accepted in one scheme and refused in the other."""
    schemes = ({"basic", "digest"}, {"digest", "basic"})
    good = {_scheme(x) for x in evidence.succeeded} & schemes[0]
    bad = {_scheme(x) for x in evidence.refused} & schemes[1]
    texts = "\n".join(text.content for text in evidence.texts)
    if (good and bad and good != bad) or _curl_contrast(texts):
        says = "The same login is accepted in one of Basic and Digest and refused in the other."
        weights = {"challenge-not-answered": 16.0, "wrong-scheme": 14.0, "wrong-password": AGAINST}
        yield Finding("basic-or-digest-only", says, weights, group="scheme")


def _scheme(exchange: object) -> str:
    request = getattr(exchange, "request", None)
    value = request.fields.get("authorization") if request else None
    return (value or "").partition(" ")[0].lower()


def _curl_contrast(texts: str) -> bool:
    """`curl -u` answered 200 and `curl --digest -u` answered 401, or the other way round."""
    results: dict[bool, set[str]] = {True: set(), False: set()}
    parts = texts.split("curl ")[1:]
    for part in parts:
        head, _, answer = part.partition("\n")
        status = answer.lstrip()[:12].split(" ")[1:2] if answer.lstrip().startswith("HTTP/") else []
        if status and (" -u" in " " + head or "--user" in head or "--digest" in head):
            results["--digest" in head or "--anyauth" in head].update(status)
    digest, plain = results[True], results[False]
    return bool((digest & {"200"} and plain & {"401"}) or (digest & {"401"} and plain & {"200"}))


@check
def whole_token_in_basic(evidence: Evidence) -> Iterator[Finding]:
    """`Basic eyJ…`: a token behind the wrong scheme."""
    for one in sent(evidence):
        read = one.parsed
        if known(one) and read.name == "basic" and (who := basic.token_shape(read.rest)):
            says = f"After Basic stands {who}, not base64 of user:password."
            yield Finding("basic-with-token", says, {"wrong-scheme": 20.0, "bad-base64": HINT}, one.where)
