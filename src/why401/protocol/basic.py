"""Basic credentials (RFC 7617): base64(user-id ":" password), and what goes wrong in making them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass

from why401.prefilter import Lazy, lazy

from .problems import Problem

# What a token of a well-known issuer looks like: such a "password" is fine at some servers, but a
# sign of the wrong scheme or the wrong field at others.
TOKEN_SHAPES: tuple[tuple[str, Lazy], ...] = (
    ("a GitHub token", lazy(r"gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}")),
    ("a GitLab token", lazy(r"gl(?:pat|dt|cbt|oas|rt|ptt)-[A-Za-z0-9_.=-]{15,}")),
    ("a PyPI token", lazy(r"pypi-[A-Za-z0-9_-]{16,}")),
    ("an npm token", lazy(r"npm_[A-Za-z0-9]{30,}")),
    ("a Docker token", lazy(r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}")),
    ("a Slack token", lazy(r"xox[abeoprs]-[A-Za-z0-9-]{10,}")),
    ("an Atlassian token", lazy(r"AT[ACBS]TT3?[A-Za-z0-9_=-]{20,}")),
    ("an AWS session key", lazy(r"A(?:KIA|SIA)[A-Z0-9]{16}")),
    ("a Stripe key", lazy(r"[sr]k_(?:live|test)_[A-Za-z0-9]{10,}")),
    ("an OpenAI or Anthropic key", lazy(r"sk-(?:ant-|proj-)?[A-Za-z0-9_-]{20,}")),
    ("a Hugging Face token", lazy(r"hf_[A-Za-z0-9]{20,}")),
    ("a Google API key", lazy(r"AIza[A-Za-z0-9_-]{30,}")),
    ("a Google access token", lazy(r"ya29\.[A-Za-z0-9_-]{20,}")),
    ("a JWT", lazy(r"eyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")),
)
_BASE64 = lazy(r"[A-Za-z0-9+/]*={0,2}")
_EMAIL = lazy(r"[^@\s:]+@[^@\s:]+\.[A-Za-z]{2,}")
_PERCENT = lazy(r"%(?:[2-7][0-9A-Fa-f]|0[AaDd])")
_SPACE = lazy(r"\s+")


@dataclass(frozen=True, slots=True)
class BasicCredentials:
    """What was in the token68; `user` and `password` are None where it could not be read.

    Spans of problems lie in the token68 where the encoding is at fault, else they cover it whole.
    """

    user: str | None
    password: str | None
    charset: str | None
    problems: tuple[Problem, ...] = ()

    def has(self, kind: str) -> bool:
        return any(problem.kind == kind for problem in self.problems)


def encode(user: str, password: str, charset: str = "utf-8") -> str:
    """The token68 for a user and a password (RFC 7617, section 2)."""
    return base64.b64encode(f"{user}:{password}".encode(charset)).decode("ascii")


def token_shape(text: str) -> str | None:
    """Whose token this looks like, or None."""
    return next((who for who, shape in TOKEN_SHAPES if shape.fullmatch(text)), None)


def decode(token68: str) -> BasicCredentials:
    """Read what follows `Basic `."""
    whole = (0, len(token68))
    if ":" in token68:  # a colon is not in the base64 alphabet
        says = "user:password is sent as plain text; Basic wants it in base64."
        user, _, password = token68.partition(":")
        return BasicCredentials(user, password, "utf-8", (Problem("not-encoded", whole, says),))
    text, problems = _mended(token68)
    octets = _octets(text)
    if octets is None:
        says = "What follows Basic is not base64."
        return BasicCredentials(None, None, None, (*problems, Problem("not-base64", whole, says)))
    plain, charset = _text(octets)
    colon = plain.find(":")
    if colon < 0:
        return _without_colon(plain, charset, problems, whole)
    user, password = plain[:colon], plain[colon + 1 :]
    problems += [Problem(kind, whole, says) for kind, says in _oddities(user, password, charset)]
    return BasicCredentials(user, password, charset, tuple(problems))


def _mended(token68: str) -> tuple[str, list[Problem]]:
    """Undo what an encoder may have done beside RFC 4648, section 4."""
    problems: list[Problem] = []
    text = token68.strip()
    if match := _SPACE.search(text):
        says = "The base64 is broken into lines or parts; `base64 -w0` and b64encode do not break it."
        problems.append(Problem("wrapped", match.span(), says))
        text = _SPACE.sub("", text)
    if ("-" in text or "_" in text) and "+" not in text and "/" not in text:
        at = next(i for i, c in enumerate(token68) if c in "-_")
        says = "The base64 uses the URL alphabet (- and _); Basic uses + and /."
        problems.append(Problem("urlsafe-alphabet", (at, at + 1), says))
        text = text.replace("-", "+").replace("_", "/")
    if len(text) % 4 and "=" not in text:
        says = "The base64 lacks its padding (=)."
        problems.append(Problem("no-padding", (len(token68), len(token68)), says))
        text += "=" * (-len(text) % 4)
    return text, problems


def _octets(text: str) -> bytes | None:
    if not _BASE64.fullmatch(text):
        return None
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _text(octets: bytes) -> tuple[str, str]:
    """The charset is never sent: UTF-8 where it fits, else the Latin-1 of old clients."""
    try:
        return octets.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return octets.decode("iso-8859-1"), "iso-8859-1"


def _without_colon(
    plain: str, charset: str, problems: list[Problem], whole: tuple[int, int]
) -> BasicCredentials:
    inner = _octets(plain.strip()) if len(plain.strip()) % 4 == 0 and len(plain) >= 4 else None
    if inner and b":" in inner and _printable(inner):
        user, _, password = _text(inner)[0].partition(":")
        says = "The credentials are base64-encoded twice."
        return BasicCredentials(user, password, charset, (*problems, Problem("encoded-twice", whole, says)))
    if not _printable(plain.encode(charset)):
        says = "What follows Basic can be decoded as base64, but not to text: it is no user:password."
        return BasicCredentials(None, None, None, (*problems, Problem("not-text", whole, says)))
    says = "No colon parts the user from the password."
    return BasicCredentials(plain, None, charset, (*problems, Problem("no-colon", whole, says)))


def _printable(octets: bytes) -> bool:
    text, charset = _text(octets)
    return charset == "utf-8" and all(c.isprintable() or c in "\r\n\t" for c in text)


def _oddities(user: str, password: str, charset: str) -> Iterator[tuple[str, str]]:
    """Facts about a pair that was decoded well: some are faults, some only hints."""
    yield from _oddities_of("user", user)
    yield from _oddities_of("password", password)
    if user[:1] == password[-1:] and user[:1] in ("'", '"'):
        yield ("quoted", "Quotes stand round user:password, and are part of both.")
    if not user:
        yield ("user-empty", "The user is empty.")
    if not password:
        yield ("password-empty", "The password is empty.")
    if _EMAIL.fullmatch(user):
        yield ("user-is-email", "The user is an e-mail address.")
    if not (user + password).isascii():
        yield ("non-ascii", f"The credentials have characters outside ASCII, sent as {charset.upper()}.")
    if user and not password and (who := token_shape(user)):
        yield ("user-is-token", f"The user looks like {who}, and the password is empty.")
    if who := token_shape(password):
        yield ("password-is-token", f"The password looks like {who}.")


def _oddities_of(which: str, text: str) -> Iterator[tuple[str, str]]:
    if text.endswith(("\n", "\r")):
        yield (f"{which}-newline", f"The {which} ends with a line break, as `echo` without -n leaves.")
    elif text != text.strip():
        yield (f"{which}-whitespace", f"White space stands before or after the {which}.")
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        yield (f"{which}-quoted", f"The {which} stands in quotes, which are part of it.")
    if _PERCENT.search(text):
        yield (f"{which}-percent-encoded", f"The {which} looks percent-encoded, as in a URL.")
    if any((ord(c) < 32 and c not in "\r\n\t") or ord(c) == 127 for c in text):
        yield (f"{which}-control-character", f"The {which} has a control character (RFC 7617 forbids them).")
