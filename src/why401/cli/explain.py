"""`why401 explain CAUSE|CODE|HEADER-VALUE`: what it means, from the catalogue and the signatures."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator, Sequence

from why401 import causes
from why401.signatures import signatures

MOST = 8


def main(words: Sequence[str]) -> int:
    """Explain a cause id, an error code, a message or a header value; without a word list all causes."""
    wanted = " ".join(words).strip()
    if not wanted:
        for cause in causes.catalogue().values():
            print(f"{cause.id:32} {cause.title}")
        return 0
    if wanted in causes.catalogue():
        _print_page(wanted)
        return 0
    lines = [*_header(wanted), *_messages(wanted)]
    if lines:
        print("\n".join(lines))
        return 0
    near = difflib.get_close_matches(wanted.lower(), list(causes.catalogue()), 3)
    hint = f" Did you mean {', '.join(near)}?" if near else " `why401 explain` alone lists all causes."
    print(f"why401: nothing is known about {wanted[:60]!r}.{hint}", file=sys.stderr)
    return 2


def _print_page(cause_id: str) -> None:
    cause = causes.catalogue()[cause_id]
    print(f"{cause.title}\n{cause.id} · family {cause.family} · side {cause.side}\n")
    text = causes.page(cause_id)
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(text))
    else:
        print(text)


def _header(wanted: str) -> Iterator[str]:
    """What a challenge or credentials field says, if it is one."""
    from why401.protocol import challenges
    from why401.secret import Redactor

    name, colon, value = wanted.partition(":")
    is_field = colon and name.strip().lower() in ("www-authenticate", "proxy-authenticate")
    parsed = challenges.parse([value.strip() if is_field else wanted])
    known = {scheme.lower() for scheme in challenges.KNOWN_SCHEMES}
    told = [c for c in parsed.challenges if c.scheme.lower() in known and (c.params or is_field)]
    for challenge in told:
        yield f"A challenge of the scheme {challenge.scheme}:"
        yield from (Redactor().clean(f"  {key} = {item}") for key, item in challenge.params.items())
    if told:
        yield from (f"  problem: {problem.says}" for problem in parsed.problems)


def _messages(wanted: str) -> Iterator[str]:
    """The signatures whose literal, id or product names what is wanted."""
    lower = wanted.lower()
    found = [s for s in signatures() if lower in s.id or any(_is_about(text, lower) for text in s.text)]
    for signature in found[:MOST]:
        likely = [
            cause for cause, weight in sorted(signature.weights.items(), key=lambda p: -p[1]) if weight > 0
        ]
        yield f"{signature.by}: {signature.says}"
        yield f"  likely: {', '.join(likely[:3])}  (why401 explain {likely[0] if likely else ''})"


def _is_about(text: str, wanted: str) -> bool:
    """Whether a signature's literal is part of what is asked for (and most of it), or the other way round."""
    return wanted in text or (text in wanted and 2 * len(text) >= len(wanted))
