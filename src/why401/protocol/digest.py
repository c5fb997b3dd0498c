"""Digest (RFC 7616, with RFC 2617 and RFC 2069): the response recomputed, so that a mismatch can be proved.

    response = H( H(A1) ":" nonce ":" nc ":" cnonce ":" qop ":" H(A2) )     with qop
    response = H( H(A1) ":" nonce ":" H(A2) )                              without (RFC 2069)
    A1 = user ":" realm ":" password            or, -sess, H(that) ":" nonce ":" cnonce
    A2 = method ":" uri                         or, auth-int, method ":" uri ":" H(body)

Nothing here guesses passwords: `verify` tries other *readings* of the one that is given (its charset,
a stray newline), other URIs and other algorithms, and says which one the client used.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from .problems import Problem

# algorithm in lower case -> name in hashlib
ALGORITHMS: dict[str, str] = {"md5": "md5", "sha-256": "sha256", "sha-512-256": "sha512_256", "sha": "sha1"}
_SESS = "-sess"
_NEEDED = ("username", "realm", "nonce", "uri", "response")
_QUOTED_ONLY_WRONG = ("undefined", "null", "none", "nil", "[object object]")


@dataclass(frozen=True, slots=True)
class DigestCredentials:
    """The parameters of a Digest Authorization field (RFC 7616, section 3.4)."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str
    qop: str
    nc: str
    cnonce: str
    opaque: str | None
    userhash: bool
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether the response could be recomputed; `variant` says with what, empty when as it should be."""

    matches: bool
    variant: tuple[str, ...] = ()
    tried: int = 0

    @property
    def says(self) -> str:
        if not self.matches:
            return f"None of {self.tried} readings of the credentials gives the response that was sent."
        if not self.variant:
            return "The response that was sent is right for this user and password."
        return "The response that was sent was computed with " + " and ".join(self.variant) + "."


def supported(algorithm: str) -> bool:
    """Can this Python compute the algorithm? SHA-512/256 depends on its OpenSSL."""
    name = ALGORITHMS.get(algorithm.lower().removesuffix(_SESS))
    return name is not None and name in hashlib.algorithms_available


def parse(params: Mapping[str, str]) -> DigestCredentials:
    """Take the parameters that `credentials.parse` found."""
    username = params.get("username") or unquote(params.get("username*", "").partition("''")[2])
    return DigestCredentials(
        username=username,
        realm=params.get("realm", ""),
        nonce=params.get("nonce", ""),
        uri=params.get("uri", ""),
        response=params.get("response", ""),
        algorithm=params.get("algorithm", "MD5"),
        qop=params.get("qop", ""),
        nc=params.get("nc", ""),
        cnonce=params.get("cnonce", ""),
        opaque=params.get("opaque"),
        userhash=params.get("userhash", "").lower() == "true",
        problems=tuple(_problems(params)),
    )


def _problems(params: Mapping[str, str]) -> Iterator[Problem]:
    def problem(kind: str, says: str) -> Problem:
        return Problem(kind, (0, 0), says)

    for name in _NEEDED:
        if name not in params and not (name == "username" and "username*" in params):
            yield problem("missing-parameter", f"The Digest credentials lack {name} (RFC 7616, section 3.4).")
    for name, value in params.items():
        if value.lower() in _QUOTED_ONLY_WRONG:
            yield problem(
                "undefined-value", f"{name} is {value!r}: a program printed a value it did not have."
            )
    if params.get("qop"):
        for name in ("nc", "cnonce"):
            if not params.get(name):
                yield problem("missing-with-qop", f"{name} must be sent when qop is (RFC 7616, section 3.4).")
    nc = params.get("nc", "")
    if nc and (len(nc) != 8 or set(nc.lower()) - set("0123456789abcdef")):
        yield problem("bad-nc", "nc is not eight hexadecimal digits.")
    if "algorithm" in params and params["algorithm"].lower().removesuffix(_SESS) not in ALGORITHMS:
        yield problem("unknown-algorithm", f"The algorithm {params['algorithm']} is in no RFC.")


def _hash(algorithm: str, data: bytes) -> str:
    name = ALGORITHMS.get(algorithm.lower().removesuffix(_SESS), "")
    return hashlib.new(name, data, usedforsecurity=False).hexdigest()


def user_hash(user: str, realm: str, algorithm: str = "SHA-256") -> str:
    """The username to send where userhash=true (RFC 7616, section 3.4.4)."""
    return _hash(algorithm, f"{user}:{realm}".encode("utf-8", "replace"))


def response(
    *,
    user: str,
    password: str | bytes,
    realm: str,
    nonce: str,
    uri: str,
    method: str,
    algorithm: str = "MD5",
    qop: str = "",
    nc: str = "",
    cnonce: str = "",
    body: bytes = b"",
    ha1: str | None = None,
) -> str | None:
    """The response parameter (RFC 7616, section 3.4.1), or None for an algorithm we cannot compute.

    `ha1`, as kept in an htdigest file, takes the place of user and password.
    """
    if not supported(algorithm):
        return None
    secret = password if isinstance(password, bytes) else password.encode("utf-8", "replace")
    if ha1 is None:
        ha1 = _hash(algorithm, f"{user}:{realm}:".encode("utf-8", "replace") + secret)
    if algorithm.lower().endswith(_SESS):
        ha1 = _hash(algorithm, f"{ha1}:{nonce}:{cnonce}".encode("utf-8", "replace"))
    a2 = f"{method}:{uri}"
    if qop.lower() == "auth-int":
        a2 += ":" + _hash(algorithm, body)
    middle = f"{nc}:{cnonce}:{qop}:" if qop else ""
    whole = f"{ha1}:{nonce}:{middle}{_hash(algorithm, a2.encode('utf-8', 'replace'))}"
    return _hash(algorithm, whole.encode("utf-8", "replace"))


def verify(
    challenge: Mapping[str, str],
    credentials: DigestCredentials,
    *,
    method: str,
    user: str,
    password: str,
    candidate_uris: Sequence[str] = (),
    body: bytes = b"",
) -> Verification:
    """Recompute the response; where it differs, look for the one or two readings that explain it."""
    tried = 0
    sent = credentials.response.lower()
    for variant, computed in _variants(challenge, credentials, method, user, password, candidate_uris, body):
        tried += 1
        if computed is not None and hmac.compare_digest(computed.encode(), sent.encode("utf-8", "replace")):
            return Verification(True, variant, tried)
    return Verification(False, (), tried)


def _variants(
    challenge: Mapping[str, str],
    sent: DigestCredentials,
    method: str,
    user: str,
    password: str,
    uris: Sequence[str],
    body: bytes,
) -> Iterator[tuple[tuple[str, ...], str | None]]:
    """As it should be first, then with one thing changed, then with two."""
    axes: tuple[tuple[tuple[str, dict[str, str | bytes]], ...], ...] = (
        tuple((f"the URI {uri}", {"uri": uri}) for uri in uris if uri != sent.uri),
        tuple(_passwords(password)),
        tuple(_algorithms(challenge, sent)),
        tuple(_users(user, sent)),
        tuple((f"the method {other}", {"method": other}) for other in ("GET", "POST") if other != method),
        (("qop left out of it", {"qop": ""}),) if sent.qop else (),
        tuple(
            (f"the challenge's {name}", {name: challenge[name]})
            for name in ("realm", "nonce")
            if name in challenge and challenge[name] != getattr(sent, name)
        ),
        (("an empty body", {"body": b""}),) if body and sent.qop.lower() == "auth-int" else (),
    )
    base: dict[str, str | bytes] = {
        "user": user,
        "password": password,
        "realm": sent.realm,
        "nonce": sent.nonce,
        "uri": sent.uri,
        "method": method,
        "algorithm": sent.algorithm,
        "qop": sent.qop,
        "nc": sent.nc,
        "cnonce": sent.cnonce,
        "body": body,
    }
    yield (), response(**base)  # type: ignore[arg-type]
    flat = [(axis, says, change) for axis, changes in enumerate(axes) for says, change in changes]
    for _, says, change in flat:
        yield (says,), response(**{**base, **change})  # type: ignore[arg-type]
    for axis, says, change in flat:
        for other_axis, also, second in flat:
            if axis < other_axis:
                yield (says, also), response(**{**base, **change, **second})  # type: ignore[arg-type]


def _passwords(password: str) -> Iterator[tuple[str, dict[str, str | bytes]]]:
    """The same password as another program may have read it."""
    for charset in ("iso-8859-1", "windows-1252"):
        octets = password.encode(charset, "ignore")
        if not password.isascii() and octets != password.encode("utf-8", "replace"):
            yield f"the password as {charset.upper()}", {"password": octets}
    yield "a line break after the password", {"password": password + "\n"}
    if password != password.strip():
        yield "the password without the white space round it", {"password": password.strip()}
    yield "an empty password", {"password": ""}


def _algorithms(
    challenge: Mapping[str, str], sent: DigestCredentials
) -> Iterator[tuple[str, dict[str, str | bytes]]]:
    for base in ("MD5", "SHA-256", "SHA-512-256"):
        for name in (base, base + _SESS):
            if name.lower() != sent.algorithm.lower() and supported(name):
                asked = (
                    " (as the challenge asks)"
                    if challenge.get("algorithm", "MD5").lower() == name.lower()
                    else ""
                )
                yield f"the algorithm {name}{asked}", {"algorithm": name}


def _users(user: str, sent: DigestCredentials) -> Iterator[tuple[str, dict[str, str | bytes]]]:
    if sent.username and sent.username != user and not sent.userhash:
        yield "the username as sent", {"user": sent.username}
    if user != user.lower():
        yield "the username in lower case", {"user": user.lower()}


def mismatches(
    challenge: Mapping[str, str], credentials: DigestCredentials, request_target: str
) -> tuple[Problem, ...]:
    """Where the credentials do not answer this challenge, or not for this request."""
    return tuple(
        Problem(kind, (0, 0), says) for kind, says in _mismatches(challenge, credentials, request_target)
    )


def _mismatches(
    challenge: Mapping[str, str], sent: DigestCredentials, target: str
) -> Iterator[tuple[str, str]]:
    if challenge.get("realm", "") != sent.realm:
        yield "realm", "The realm in the credentials is not that of the challenge."
    if challenge.get("nonce", "") != sent.nonce:
        yield (
            "nonce",
            "The nonce is not that of the challenge: it is old or of another node.",
        )
    if challenge.get("opaque") != sent.opaque:
        yield "opaque", "opaque is not returned as the challenge gave it."
    asked = challenge.get("algorithm", "MD5")
    if asked.lower() != sent.algorithm.lower():
        yield "algorithm", f"The challenge asks for {asked}, the credentials use {sent.algorithm}."
    offered = [q.strip().lower() for q in challenge.get("qop", "").split(",") if q.strip()]
    if sent.qop and not offered:
        yield "qop-not-offered", "The credentials name a qop, but the challenge offers none."
    elif sent.qop and sent.qop.lower() not in offered:
        yield "qop", f"The challenge offers qop {', '.join(offered)}, the credentials use {sent.qop}."
    elif offered and not sent.qop:
        yield "qop-missing", "The challenge offers a qop, the credentials name none (RFC 2069 style)."
    if sent.userhash and challenge.get("userhash", "").lower() != "true":
        yield "userhash", "The username is hashed, but the challenge does not offer userhash."
    if target and sent.uri != target:
        yield "uri", "uri " + _uri_difference(sent.uri, target)


def _uri_difference(uri: str, target: str) -> str:
    if uri.partition("?")[0] == target.partition("?")[0]:
        return "has another query than the request target."
    if uri.partition("://")[2].partition("/")[2] == target.lstrip("/"):
        return "is absolute, the request target is a path."
    if target.endswith(uri) or uri.endswith(target):
        return "has another prefix than the request target: something between has rewritten the path."
    return "is not the request target."
