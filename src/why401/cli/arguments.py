"""The command line taken apart: our options, curl's options, and what is left (URLs, files).

Everything after the word `curl` is curl's. Without that word our options come first and curl's mean the same
as in curl, but for the few names that are ours (`--json`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

#: Our options: whether each takes a value.
OURS: dict[str, bool] = {
    "--json": False,
    "--markdown": False,
    "--sarif": False,
    "--html": True,
    "--offline": False,
    "--live": False,
    "--replay-unsafe": False,
    "--apply": False,
    "--allow-open": False,
    "--reload": True,
    "--send-credentials-to": True,
    "--origin": True,
    "--via": True,
    "--token-url": True,
    "--client-id": True,
    "--client-secret": True,
    "--refresh-token": True,
    "--show-secrets": False,
    "--no-color": False,
    "--width": True,
    "--max-requests": True,
    "--max-failed-logins": True,
    "--all": False,
    "--quiet": False,
}


class Usage(ValueError):
    """The command line is wrong; the message is one sentence."""


@dataclass
class Arguments:
    """What the user typed, sorted. `curl` holds curl's words where a request is to be sent."""

    flags: set[str] = field(default_factory=set)
    values: dict[str, list[str]] = field(default_factory=dict)
    curl: list[str] = field(default_factory=list)
    as_curl: bool = False  # the word `curl` was typed: redirects are followed only with -L
    files: list[str] = field(default_factory=list)

    def value(self, name: str) -> str | None:
        """The last value of an option, or None."""
        return next(reversed(self.values.get(name, [])), None)

    def number(self, name: str, default: int) -> int:
        """A whole number that is not negative; raises Usage for anything else."""
        text = self.value(name)
        if text is None:
            return default
        if not text.isdigit():
            raise Usage(f"{name} takes a whole number, not {text!r}.")
        return int(text)


def parse(words: Sequence[str]) -> Arguments:
    """Sort the words; raises Usage with one sentence for what cannot be understood."""
    found = Arguments()
    urls: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "curl" or re.search(r"[/\\]curl(?:\.exe)?$", word):
            found.as_curl = True
            found.curl += rest
            return found
        name, equals, inline = word.partition("=")
        if name in OURS:
            _ours(found, name, inline if equals else None, rest)
        elif word.startswith("-") and word != "-":
            _curls(found, word, rest)
        elif looks_like_url(word):
            urls.append(word)
        else:
            found.files.append(word)
    if len(urls) > 1:
        raise Usage(f"One URL at a time is asked: {urls[0]} or {urls[1]}?")
    if found.curl and not urls:
        raise Usage(f"{found.curl[0]} belongs to a request, but there is no URL; add the URL that fails.")
    found.curl += urls
    return found


def _ours(found: Arguments, name: str, inline: str | None, rest: list[str]) -> None:
    if not OURS[name]:
        found.flags.add(name)
        return
    if inline is None and not rest:
        raise Usage(f"{name} needs a value.")
    found.values.setdefault(name, []).append(rest.pop(0) if inline is None else inline)


def _curls(found: Arguments, word: str, rest: list[str]) -> None:
    """Take an option of curl's, with its value where it has one."""
    from why401.readers import curl_options

    found.curl.append(word)
    if word.startswith("--"):
        name = curl_options.long_name(word[2:])
        if name is None:
            raise Usage(f"{word} is neither an option of why401 nor of curl; see why401 --help.")
        takes = name in curl_options.VALUED
    else:
        letters = word[1:]
        valued = next((i for i, letter in enumerate(letters) if letter in curl_options.SHORT_VALUED), None)
        takes = valued is not None and valued == len(letters) - 1
        unknown = next((c for c in letters[:valued] if c not in curl_options.SHORT), None)
        if unknown:
            raise Usage(f"-{unknown} is neither an option of why401 nor of curl; see why401 --help.")
    if takes:
        if not rest:
            raise Usage(f"{word} needs a value.")
        found.curl.append(rest.pop(0))


def looks_like_url(word: str) -> bool:
    """Whether a word is a URL, or a host that could be one and is no file here."""
    if re.match(r"(?i)https?://", word):
        return True
    if word == "-" or Path(word).exists() or word.startswith((".", "/", "~")):
        return False
    return bool(
        re.match(
            r"(?i)^(?:localhost|[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}|\d+(?:\.\d+){3}|\[[0-9a-f:]+\])(?::\d+)?(?:[/?]|$)",
            word,
        )
    ) and not re.search(
        r"(?i)\.(?:har|log|txt|json|ya?ml|conf|xml|html?|env|ini|toml|cfg|py|js|ts|java|go|php|rb|cs|sh)$",
        word,
    )
