"""Tokens that stand in a text outside of any request: a pasted JWT, an `access_token` of a JSON answer, a line
of an environment file, a file that holds one token.

They are offers whose place is not known. A token that other readers saw in a request is offered there too; here
it is told only once, at its first place.
"""

# A table of patterns or samples is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import Final

from why401.evidence import Evidence, Offer, Source
from why401.prefilter import lazy
from why401.readers.http_facts import basic_user, known
from why401.secret import Secret

_JWT: Final = lazy(
    r"(?<![A-Za-z0-9_.-])(?P<jwt>eyJ[A-Za-z0-9_-]{8,16384}(?:\.[A-Za-z0-9_-]{0,16384}){0,4})(?P<cut>\.{2,}|…|\[?\.\.\.)?"
)
_NAMED: Final = lazy(
    r"""(?ix)(?P<last>api_?key|jwt|token)["']?[ \t]{0,4}(?:=>|[:=])[ \t]{0,4}["']?(?P<value>[A-Za-z0-9._~+/-]{16,8192}={0,2})"""
)
_SCHEMED: Final = lazy(
    r"(?i)\b(?P<scheme>Bearer|Basic)[ \t]{1,4}(?P<value>[A-Za-z0-9._~+/-]{8,16384}={0,2})(?P<cut>…)?"
)
_LONE: Final = lazy(r"\s*(?P<value>[A-Za-z0-9._~+/=-]{16,16384})\s*")
_CANDIDATE: Final = lazy(r"eyJ|(?i:token|jwt|bearer|basic |api_?key)")
_LONGEST: Final = 4_000_000


def sniff(name: str, text: str) -> bool:
    """Whether a token may stand in the text."""
    return bool(_CANDIDATE.search(text, 0, _LONGEST)) or _is_token_file(name, text)


def read(text: str, source: Source) -> Evidence:
    """Each token once, with what it is called where it stands."""
    seen: set[str] = set()
    offers: list[Offer] = []
    for at, name, scheme, value, provenance in sorted(
        _found(text[:_LONGEST], source.name), key=lambda t: t[0]
    ):
        if value in seen or not known(value):
            continue
        seen.add(value)
        line = source.at((source.line or 1) + text.count("\n", 0, at)) if len(offers) < 500 else source
        user = basic_user(value) if scheme is not None and scheme.lower() == "basic" else None
        offers.append(Offer("unknown", name, scheme, Secret(value), line, None, provenance, user))
    return Evidence(offers=tuple(offers))


Found = tuple[int, str, str | None, str, str]


def _found(text: str, name: str) -> Iterator[Found]:
    if _is_token_file(name, text) and (lone := _LONE.fullmatch(text)):
        yield lone.start("value"), PurePath(name).name, None, lone["value"], "file"
        return
    for match in _SCHEMED.finditer(text):
        value = match["value"]
        if len(value) >= 16 or (match["scheme"].lower() == "basic" and basic_user(value) is not None):
            yield match.start("value"), "", match["scheme"], value, _how("text", value, bool(match["cut"]))
    for match in _NAMED.finditer(text):
        if _tokenlike(match["value"]):
            yield (
                match.start("value"),
                _name(text, match.end("last")),
                None,
                match["value"],
                _how("text", match["value"], False),
            )
    for match in _JWT.finditer(text):
        yield (
            match.start(),
            "",
            None,
            match["jwt"] + (match["cut"] or ""),
            _how("text", match["jwt"], bool(match["cut"])),
        )


def _name(text: str, end: int) -> str:
    """The whole name that ends at `end`: its last word was found."""
    found = re.search(r"[A-Za-z0-9_.-]{1,60}\Z", text[max(0, end - 60) : end])
    return found.group() if found else ""


def _how(where: str, value: str, cut: bool) -> str:
    """Where the token stands, and whether the text shows only its beginning."""
    return f"{where}, cut short" if cut or value.endswith(("..", "…")) else where


def _tokenlike(value: str) -> bool:
    """A URL, a path, a word or a name with dots is no token."""
    if "//" in value or value.startswith(("/", ".")):
        return False
    return bool(re.search(r"\d", value)) and bool(re.search(r"[A-Za-z]", value))


def _is_token_file(name: str, text: str) -> bool:
    return (
        len(text) < 20_000 and bool(re.search(r"(?i)token|jwt|secret", name)) and bool(_LONE.fullmatch(text))
    )
