"""Files of keys with which tokens are verified: PEM (RFC 7468) and JWK sets (RFC 7517).

`read` says what a file holds and what is wrong with it; whether it verifies a token is asked of
`key_check.check_token`. Nothing of a key stands in a sentence; a `kid` does, it is public.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from why401.layers.file_problems import FileProblem
from why401.prefilter import lazy
from why401.secret import Secret

_BLOCK = lazy(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", 16)  # 16: re.DOTALL
_BEGIN = lazy(r"-----BEGIN ([A-Z0-9 ]+)-----")
_BARE = lazy(r"\s*MI[A-Za-z0-9+/=\s]{60,}")
_CLASSES = (("RSA", "RSA"), ("EC", "EC"), ("Ed", "OKP"))


@dataclass(frozen=True, slots=True)
class Key:
    """One key. `kind` is public, private, certificate or secret; `family` the kty (RFC 7518, section 6.1)."""

    kind: str
    family: str
    value: Secret | Mapping[str, Any] = field(repr=False)  # a PEM of the public key, or a JWK
    line: int | None = None
    kid: str | None = None
    alg: str | None = None
    use: str | None = None
    curve: str | None = None


@dataclass(frozen=True, slots=True)
class KeyFile:
    """What a file holds; `is_set` for a JWK or a set of them."""

    keys: tuple[Key, ...]
    problems: tuple[FileProblem, ...]
    is_set: bool = False

    def has(self, kind: str) -> bool:
        return any(problem.kind == kind for problem in self.problems)


def read(text: str, now: datetime | None = None) -> KeyFile:
    """Read a key file, whichever it is. Never raises: what cannot be read is a problem."""
    text = text.removeprefix("\ufeff")
    if text.lstrip()[:1] in ("{", "["):
        return _jwks(text)
    return _pem(text, now or datetime.now(UTC))


# ------------------------------------------------------------------------------------------------- PEM


def _pem(text: str, now: datetime) -> KeyFile:
    problems: list[FileProblem] = []
    if "\\n" in text and _BEGIN.search(text):
        says = "The line breaks stand as \\n in the text: the key has to have real ones."
        problems.append(FileProblem("literal-newlines", says, _line(text, text.find("-----BEGIN"))))
        text = text.replace("\\r", "").replace("\\n", "\n")
    if not _BEGIN.search(text):
        bare = bool(_BARE.fullmatch(text))
        says = (
            "The key lacks its -----BEGIN … ----- and -----END … ----- lines."
            if bare
            else "This is no PEM key."
        )
        return KeyFile((), (*problems, FileProblem("no-header" if bare else "not-a-key", says, 1)))
    keys: list[Key] = []
    end = 0
    for block in _BLOCK.finditer(text):
        end = block.end()
        key, more = _block(block.group(1), block.group(2), _line(text, block.start()), now)
        problems += more
        keys += [key] if key else []
    if cut := _BEGIN.search(text, end):
        says = "The key is cut off: its -----END … ----- line is missing or is another's."
        problems.append(FileProblem("cut-off", says, _line(text, cut.start())))
    return KeyFile(tuple(keys), tuple(problems))


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _block(label: str, body: str, line: int, now: datetime) -> tuple[Key | None, list[FileProblem]]:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    problems = []
    if "\n" not in body.strip("\r\n") and " " in body.strip():
        says = "The line breaks of the key became spaces, as an unquoted shell variable makes them."
        problems.append(FileProblem("one-line", says, line))
        body = "\n" + body.strip().replace(" ", "\n") + "\n"
    octets = f"-----BEGIN {label}-----{body}-----END {label}-----\n".encode("utf-8", "replace")
    if "ENCRYPTED" in label or "Proc-Type: 4,ENCRYPTED" in body:
        return None, [
            *problems,
            FileProblem("encrypted", "The private key is encrypted with a passphrase.", line),
        ]
    public: Any
    try:
        if label == "CERTIFICATE":
            certificate = x509.load_pem_x509_certificate(octets)
            problems += _dates(certificate.not_valid_before_utc, certificate.not_valid_after_utc, now, line)
            kind, public = "certificate", certificate.public_key()
        elif label.endswith("PRIVATE KEY"):
            kind, public = "private", serialization.load_pem_private_key(octets, None).public_key()
        elif label.endswith("PUBLIC KEY"):
            kind, public = "public", serialization.load_pem_public_key(octets)
        else:
            says = f"A {label.lower()[:40]} is no key that verifies a token."
            return None, [*problems, FileProblem("wrong-kind", says, line)]
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")
    except Exception:  # cryptography raises a dozen unrelated types for damaged input
        says = f"The {label.lower()[:40]} is damaged: it cannot be decoded."
        return None, [*problems, FileProblem("damaged", says, line)]
    return Key(kind, _family(public), Secret(pem), line, curve=_curve(public)), problems


def _dates(begin: datetime, end: datetime, now: datetime, line: int) -> Iterator[FileProblem]:
    if now > end:
        yield FileProblem("expired", f"The certificate expired on {end:%Y-%m-%d}.", line)
    elif now < begin:
        yield FileProblem("not-yet-valid", f"The certificate is valid only from {begin:%Y-%m-%d}.", line)


def _family(public: Any) -> str:
    name = type(public).__name__  # RSAPublicKey, ECPublicKey, Ed25519PublicKey
    return next((family for start, family in _CLASSES if start in name), "other")


def _curve(public: Any) -> str | None:
    curves = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521", "secp256k1": "secp256k1"}
    return curves.get(str(getattr(getattr(public, "curve", None), "name", "")))


# ------------------------------------------------------------------------------------------------ JWKS


def _jwks(text: str) -> KeyFile:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return KeyFile((), (FileProblem("not-json", "The key set is not JSON.", 1),), True)
    listed = found.get("keys") if isinstance(found, dict) and "keys" in found else [found]
    if not isinstance(listed, list) or not all(isinstance(jwk, dict) and "kty" in jwk for jwk in listed):
        says = "This is no JWK set: an object with a list `keys` of objects with `kty` (RFC 7517, section 5)."
        return KeyFile((), (FileProblem("not-jwks", says, 1),), True)
    keys = tuple(_jwk(jwk) for jwk in listed)
    problems = [] if keys else [FileProblem("empty", "The key set has no key.", 1)]
    kids = [key.kid for key in keys if key.kid is not None]
    if len(set(kids)) < len(kids):
        problems.append(FileProblem("duplicate", "Two keys of the set have the same kid.", None))
    return KeyFile(keys, tuple(problems), True)


def _jwk(jwk: Mapping[str, Any]) -> Key:
    kid, alg, use, curve = (
        v if isinstance(v := jwk.get(n), str) else None for n in ("kid", "alg", "use", "crv")
    )
    family = str(jwk.get("kty"))[:10]
    kind = "secret" if family == "oct" else "private" if "d" in jwk else "public"
    return Key(kind, family, jwk, None, kid, alg, use, curve)
