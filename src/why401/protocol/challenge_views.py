"""The second view of a challenge: what a given client reads, which need not be what the grammar says.

A client that misreads a challenge is itself a cause of 401s. Each client is a row: which field values it
looks at, how it takes them apart, which schemes it can answer, and its quirks in words. The rows describe
requests 2.34, httpx 0.28, aiohttp 3.14, CPython 3.13, curl 8, current browsers, the JDK, and the MCP
Python SDK of 2026.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from why401.prefilter import lazy

from .challenges import Challenge, parse, unquote

_ANY: frozenset[str] = frozenset()
_BASIC_DIGEST = frozenset({"basic", "digest"})
_WINDOWS = frozenset({"basic", "digest", "negotiate", "ntlm"})
_PAIR = lazy(r'(?<![^\s,=])([^\s,=]++(?: [^\s,=]++)?)\s*+=\s*+("(?:[^"\\]|\\.)*+"|[^\s,]*+)', re.S)
_URLLIB = lazy(r"(?:^|,)[ \t]*+([^ \t,]++)[ \t]++realm=([\"']?)([^\"']*)\2", re.I)


@dataclass(frozen=True, slots=True)
class Seen:
    """A challenge as a client has it."""

    scheme: str
    params: dict[str, str]
    token68: str | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """One client: how it reads challenges, and which schemes it answers (empty: all are passed on)."""

    name: str
    read: Callable[[Sequence[str]], tuple[Seen, ...]]
    answers: frozenset[str]
    quirks: tuple[str, ...] = ()


# ------------------------------------------------------------------------------------- ways of reading


def _seen(challenge: Challenge) -> Seen:
    return Seen(challenge.scheme, dict(challenge.params), challenge.token68)


def _well(values: Sequence[str]) -> tuple[Seen, ...]:
    return tuple(_seen(c) for c in parse(values).challenges)


def _first_challenge(values: Sequence[str]) -> tuple[Seen, ...]:
    return _well(values[:1])[:1]


def _one_a_field(values: Sequence[str]) -> tuple[Seen, ...]:
    """Each field value is one challenge; what follows the first scheme are its parameters."""
    return tuple(seen for value in values if (seen := _merged(value)))


def _merged(value: str, *, scheme: str | None = None, lower: bool = True) -> Seen | None:
    """All parameters of a value under its first scheme: a later one of the same name wins."""
    word, _, rest = value.strip().partition(" ")
    word = scheme or word.rstrip(",")
    if not word:
        return None
    params = {}
    for match in _PAIR.finditer(rest):
        text = match.group(2)
        name = match.group(1).lower() if lower else match.group(1)
        params[name] = unquote(text[1:-1]) if len(text) > 1 and text[0] == text[-1] == '"' else text
    return Seen(word, params)


def _requests(values: Sequence[str]) -> tuple[Seen, ...]:
    """The field values joined; every parameter of every challenge in one dictionary, names as written."""
    joined = ", ".join(values)
    start = joined.lower().find("digest")
    if start < 0:
        return ()
    seen = _merged("Digest " + re.sub(r"(?i)digest ", "", joined, count=1), lower=False)
    return (seen,) if seen else ()


def _httpx(values: Sequence[str]) -> tuple[Seen, ...]:
    """The first field value that begins with Digest."""
    value = next((v for v in values if v.lower().startswith("digest ")), None)
    seen = _merged(value, lower=False) if value is not None else None
    return (seen,) if seen else ()


def _urllib(values: Sequence[str]) -> tuple[Seen, ...]:
    """Basic is seen when realm is its first parameter, Digest when the first field value begins with it."""
    digest = _httpx([v for v in values[:1] if v[:7].lower() == "digest "])
    found = (m for value in values for m in _URLLIB.finditer(value[:4096]))
    return digest + tuple(
        Seen(m.group(1), {"realm": m.group(3)}) for m in found if m.group(1).lower() != "digest"
    )


def _strongest_once(values: Sequence[str]) -> tuple[Seen, ...]:
    """Of several challenges with one scheme only the first counts."""
    first: dict[str, Seen] = {}
    for seen in _well(values):
        first.setdefault(seen.scheme.lower(), seen)
    return tuple(first.values())


def _none(_: Sequence[str]) -> tuple[Seen, ...]:
    return ()


_MCP_FIELDS = ("resource_metadata", "scope", "error", "realm")


def _mcp(values: Sequence[str]) -> tuple[Seen, ...]:
    """`name="value"` wherever it stands: within other names, other values and other challenges."""
    joined = ", ".join(values)
    params = {name: value for name in _MCP_FIELDS if (value := mcp_field(joined, name)) is not None}
    return (Seen("Bearer", params),) if params else ()


def mcp_field(text: str, name: str) -> str | None:
    """The SDK's own regular expression."""
    match = re.search(rf'{re.escape(name)}=(?:"([^"]+)"|([^\s,]+))', text)
    return (match.group(1) or match.group(2)) if match else None


_TABLE = (
    Reader(
        "requests",
        _requests,
        frozenset({"digest"}),
        (
            "the parameters of all challenges are merged, and the last of a name wins",
            "parameter names are compared with their case",
            "Basic is sent without being asked; only HTTPDigestAuth reads a challenge",
        ),
    ),
    Reader(
        "httpx",
        _httpx,
        frozenset({"digest"}),
        (
            "only a field value that begins with Digest is read",
            "parameter names are compared with their case",
            "a bare scheme later in the same value raises ValueError",
            "qop=auth-int is not done",
        ),
    ),
    Reader(
        "aiohttp",
        _first_challenge,
        frozenset({"digest"}),
        ("only the first field value is read, and of it only the first challenge",),
    ),
    Reader(
        "urllib",
        _urllib,
        _BASIC_DIGEST,
        (
            "Basic is seen only when realm is its first parameter",
            "a scheme it does not know raises ValueError",
            "of Digest only the first field value is read",
        ),
    ),
    Reader(
        "curl",
        _strongest_once,
        frozenset({*_WINDOWS, "bearer"}),
        (
            "of several Digest challenges the first is taken",
            "the strongest scheme that was allowed is answered",
        ),
    ),
    Reader(
        "chromium",
        _one_a_field,
        _WINDOWS,
        ("each field value counts as one challenge: a second one in it is lost",),
    ),
    Reader("firefox", _well, _WINDOWS, ("older versions read one challenge a field value",)),
    Reader(
        "java",
        _strongest_once,
        frozenset({*_WINDOWS, "kerberos"}),
        (
            "HttpURLConnection cannot answer a challenge to a streamed body",
            "Basic to a proxy is off for https (jdk.http.auth.tunneling.disabledSchemes)",
        ),
    ),
    Reader(
        "mcp",
        _mcp,
        frozenset({"bearer"}),
        (
            "parameters are searched for by name: within other names, other values and other challenges",
            "an empty value, an escape, white space round = or a capital in the name is not understood",
        ),
    ),
    Reader("go", _none, _ANY, ("net/http answers no challenge: the program has to",)),
    Reader("node", _none, _ANY, ("fetch, undici and axios answer no challenge: the program has to",)),
)
READERS: dict[str, Reader] = {reader.name: reader for reader in _TABLE}
_ALIASES = {
    "chrome": "chromium",
    "edge": "chromium",
    "browser": "chromium",
    "python-requests": "requests",
    "python-httpx": "httpx",
    "python-urllib": "urllib",
    "fetch": "node",
    "undici": "node",
    "axios": "node",
    "httpurlconnection": "java",
    "net/http": "go",
    "httpie": "requests",
    "git": "curl",
}


def reader_named(client: str) -> Reader | None:
    low = client.lower()
    return READERS.get(_ALIASES.get(low, low))


def understood_by(client: str, field_values: Sequence[str]) -> tuple[Seen, ...]:
    """What this client has of the challenges, before it asks which it can answer. Unknown clients read well."""
    reader = reader_named(client)
    return reader.read(field_values) if reader else _well(field_values)


def usable_by(client: str, field_values: Sequence[str]) -> tuple[Seen, ...]:
    """The challenges that this client has understood and can answer."""
    reader = reader_named(client)
    if reader is None:
        return _well(field_values)
    return tuple(seen for seen in reader.read(field_values) if seen.scheme.lower() in reader.answers)


def misread_by(client: str, field_values: Sequence[str]) -> tuple[str, ...]:
    """Where this client's reading of a scheme it can answer differs from the grammar's."""
    reader = reader_named(client)
    if reader is None:
        return ()
    read = {seen.scheme.lower(): seen for seen in reversed(usable_by(client, field_values))}
    out = []
    done = set()
    for true in parse(field_values).challenges:
        if true.name not in reader.answers or true.name in done:
            continue
        done.add(true.name)
        out += _differences(reader.name, true, read.get(true.name))
    return tuple(out)


def _differences(client: str, true: Challenge, seen: Seen | None) -> list[str]:
    if seen is None:
        return [f"{client} does not see the {true.scheme} challenge."]
    if client == "urllib" and true.name == "basic":  # its reader gives the realm only
        return (
            [] if seen.params.get("realm") == true.params.get("realm") else [f"{client} reads another realm."]
        )
    out = []
    for name, value in true.params.items():
        if name not in seen.params:
            if client != "mcp" or name in _MCP_FIELDS:
                out.append(f"{client} does not see {name} of the {true.scheme} challenge.")
        elif seen.params[name] != value:
            out.append(f"{client} reads another {name} than the {true.scheme} challenge has.")
    return out
