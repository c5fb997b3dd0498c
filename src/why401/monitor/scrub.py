"""Secrets leave an event before it is grouped, written or shown.

Two nets, as in `why401.secret`. What stands **in a credential's place** (below a sensitive name, in a field, a cookie,
an address, after "Bearer") is replaced by what may be told of it. Then it is blanked **by value** wherever else it
stands: locals, messages, breadcrumbs, source lines, addresses; percent-encoded or in base64 too. A value of fewer than
8 characters is blanked in its place alone, since elsewhere it may be a word.

Trying every pattern on a whole event costs milliseconds, and nearly none of its texts holds anything. So a text is
tried only if it holds one of `HINTS`, which every match of `why401.secret.find` holds too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from why401.monitor.credential import Told, filtered, sensitive, told
from why401.secret import MASK, Redactor, find, forms

SHORTEST = 8
DEEPEST = 40  #: what lies deeper is cut off
_NUMBERS = (int, float)
#: What every text that `why401.secret.find` matches holds, in lower case.
HINTS = (
    "eyj", "basic", "bearer", "token", "negotiate", "ntlm", "dpop", "apikey", "api-key", "hawk", "sharedkey", "oauth",
    "aws4-hmac", "authorization", "cookie", "://", "-user", "-u", "passw", "pwd", "secret", "sig", "auth", "key",
    "jwt", "code=", "nonce=", "sid=", "x-amz-", "passphrase", "credential", "_pass", "ghp_", "gho_", "ghs_", "ghr_",
    "ghu_", "github_pat_", "glpat-", "npm_", "pypi-", "xox", "sk_", "sk-", "pk_live_", "rk_live_", "akia", "asia",
    "aiza", "ya29.", "dop_v1_", "shpat_", "hvs.", "hf_", "sg.", "dckr_pat_", "atatt", "eaa", "ck_", "cs_", "response=",
)  # fmt: skip
_HINTS = tuple(hint.encode() for hint in HINTS)
_PLACES = Redactor()
MOST_REMEMBERED = 20_000
_NAMES: dict[str, bool] = {}  # whether a name is that of a credential
_HARMLESS: set[str] = set()  # texts in which nothing stands in a credential's place


@dataclass
class Scrubbed:
    """The event without secrets; `told`: of each credential, with the name below which it stood."""

    event: Any
    told: list[tuple[str, Told]]


def scrub(
    event: Any,
    key: bytes,
    now: float,
    block: frozenset[str] = frozenset(),
    allow: frozenset[str] = frozenset(),
) -> Scrubbed:
    """A copy of the event (mappings, lists, texts, numbers) without secrets.

    `key` is that of the fingerprints. What stands below a name of `block` is blanked too; below one of `allow` it is
    kept, unless a credential's shape gives it away. Both hold names in lower case.
    """
    return _Scrubber(key, now, block, allow).scrub(event)


class _Scrubber:
    def __init__(self, key: bytes, now: float, block: frozenset[str], allow: frozenset[str]) -> None:
        self._key, self._now, self._block, self._allow = key, now, block, allow
        self._texts: dict[str, None] = {}
        self._placed: dict[tuple[str, str], Told] = {}  # (name, value)
        self._changed: dict[str, str] = {}
        self._names = {} if block or allow else _NAMES
        self._cut = False  # whether something is to be replaced that is no text

    def scrub(self, event: Any) -> Scrubbed:
        self._gather(event, "", 0)
        self._clean()
        told = [(name, one) for (name, _), one in self._placed.items()]
        if (
            not self._cut
            and not self._changed
            and all(one.masked == v for (_, v), one in self._placed.items())
        ):
            return Scrubbed(event, told)
        return Scrubbed(self._copy(event, "", 0), told)

    def _secret(self, name: str) -> bool:
        found = self._names.get(name)
        if found is None:
            lower = name.lower()
            found = lower in self._block or (sensitive(name) and lower not in self._allow)
            self._names[name] = found
        return found

    def _place(self, name: str, value: str) -> Told:
        found = self._placed.get((name, value))
        if found is None:
            found = self._placed[name, value] = told(name, value, self._key, self._now)
        return found

    def _gather(self, value: Any, under: str, depth: int) -> None:
        """`under`: the sensitive name that this stands below, or "". Texts, which most values are, are taken in the
        loops of what holds them: a call for each would cost more than all else."""
        kind = type(value)
        if (kind is dict or kind is list) and depth > DEEPEST:
            self._cut = True
        elif kind is dict:
            texts, names = self._texts, self._names
            for name, inner in value.items():
                texts[name] = None
                secret = names.get(name)
                below = under or (name if (self._secret(name) if secret is None else secret) else "")
                if type(inner) is str and not below:
                    texts[inner] = None
                else:
                    self._gather(inner, below, depth + 1)
        elif kind is list:
            paired = not under and _is_pair(value) and self._secret(value[0])
            if paired:
                self._gather(value[1], value[0], depth + 1)
                return
            for inner in value:
                if type(inner) is str and not under:
                    self._texts[inner] = None
                else:
                    self._gather(inner, under, depth + 1)
        elif kind is str:
            if under:
                self._place(under, value)
            else:
                self._texts[value] = None
        elif under and kind in _NUMBERS and abs(value) > 999:
            self._cut = True

    def _clean(self) -> None:
        texts = list(self._texts)
        secrets = {part for one in self._placed.values() for part in one.parts}
        fresh = [text for text in texts if text not in _HARMLESS]
        for text in _hinted(fresh):
            found = {part for start, stop in find(text) if not filtered(part := text[start:stop])}
            if found:
                secrets |= found
                self._changed[text] = text
        _remember(text for text in fresh if text not in self._changed)
        joined = "\x1f".join(texts) if secrets else ""
        shapes = [shape for shape in _shapes(secrets) if shape in joined]
        for text in texts if shapes else list(self._changed):
            held = [shape for shape in shapes if shape in text]
            if held or text in self._changed:
                self._changed[text] = _blanked(text, held)

    def _copy(self, value: Any, under: str, depth: int) -> Any:
        kind = type(value)
        if kind is str:
            return self._place(under, value).masked if under else self._changed.get(value, value)
        if kind is bool or value is None:
            return value
        if kind in _NUMBERS:
            return MASK if under and abs(value) > 999 else value
        if depth > DEEPEST:
            return "…"
        if kind is dict:
            return self._copy_of_dict(value, under, depth)
        if kind is list:
            if not under and _is_pair(value) and self._secret(value[0]):
                return [value[0], self._copy(value[1], value[0], depth + 1)]
            return [self._copy(inner, under, depth + 1) for inner in value]
        return str(value)

    def _copy_of_dict(self, value: dict[str, Any], under: str, depth: int) -> dict[str, Any]:
        changed, names, found = self._changed, self._names, {}
        for name, inner in value.items():
            secret = names.get(name)
            below = under or (name if (self._secret(name) if secret is None else secret) else "")
            plain = type(inner) is str and not below
            found[changed.get(name, name)] = (
                changed.get(inner, inner) if plain else self._copy(inner, below, depth + 1)
            )
        return found


def _hinted(texts: list[str]) -> list[str]:
    """The texts that hold a hint."""
    lowered = "\x1f".join(texts).encode("utf-8", "surrogatepass").lower()
    parts = lowered.split(b"\x1f")
    if len(parts) != len(texts):  # one holds the separator itself
        parts = [text.encode("utf-8", "surrogatepass").lower() for text in texts]
    hints = [hint for hint in _HINTS if hint in lowered]
    return [t for t, low in zip(texts, parts, strict=True) if any(hint in low for hint in hints)]


def _remember(texts: Iterable[str]) -> None:
    """Source lines, file names and headings of one application come again with each of its events."""
    if len(_HARMLESS) > MOST_REMEMBERED or len(_NAMES) > MOST_REMEMBERED:
        _HARMLESS.clear()
        _NAMES.clear()
    _HARMLESS.update(text for text in texts if len(text) < 400)


def _is_pair(value: list[Any]) -> bool:
    """A field as [name, value]."""
    return len(value) == 2 and isinstance(value[0], str)


def _shapes(secrets: set[str]) -> list[str]:
    """Every form in which a value may stand elsewhere, longest first."""
    found = {
        shape for one in secrets if len(one) >= SHORTEST for shape in forms(one) if len(shape) >= SHORTEST
    }
    return sorted(found, key=len, reverse=True)


def _blanked(text: str, shapes: list[str]) -> str:
    for shape in shapes:
        text = text.replace(shape, MASK)
    return _PLACES.clean(text)
