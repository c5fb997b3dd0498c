"""Conditions of HAProxy: `if a !b or { path_beg /x }` (configuration.txt, sections 7.1 and 7.2).

A condition is a list of alternatives, each a list of terms that all have to hold. A criterion that the request
does not decide (variables, tables, files) is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from why401.evidence import Request, Source
from why401.layers.maybe import Maybe, every, opposite, some
from why401.layers.model import Directive


@dataclass(frozen=True)
class Criterion:
    """What is compared with what: `hdr(host) -i -m beg www.` has the fetch `hdr`, its argument and the rest."""

    fetch: str
    argument: str
    flags: tuple[str, ...]
    values: tuple[str, ...]
    source: Source


@dataclass(frozen=True)
class Term:
    negated: bool
    criteria: tuple[Criterion, ...]  # of which one has to hold


Condition = Sequence[Sequence[Term]]
Known = Mapping[str, Sequence[Criterion]]

_PREDEFINED = {
    "TRUE": "always_true", "FALSE": "always_false", "LOCALHOST": "src 127.0.0.1/8 ::1",
    "METH_CONNECT": "method CONNECT", "METH_DELETE": "method DELETE", "METH_GET": "method GET HEAD",
    "METH_HEAD": "method HEAD", "METH_OPTIONS": "method OPTIONS", "METH_POST": "method POST",
    "METH_PUT": "method PUT", "METH_TRACE": "method TRACE", "HTTP_URL_ABS": "url_reg ^[^/:]*://",
    "HTTP_URL_SLASH": "url_beg /", "HTTP": "always_true",
}  # fmt: skip


def acls(sections: Sequence[Directive]) -> dict[str, list[Criterion]]:
    """The named ACLs of sections; several of one name are alternatives."""
    found: dict[str, list[Criterion]] = {}
    for section in sections:
        for line in section.all("acl"):
            if len(line.args) > 1:
                found.setdefault(line.args[0], []).append(_criterion(line.args[1:], line.source))
    return found


def condition(line: Directive, known: Known) -> tuple[str, Condition]:
    """("if" or "unless" or "", the alternatives) of a line; "" for a line without condition."""
    at = next((i for i, word in enumerate(line.args) if word in ("if", "unless")), None)
    if at is None:
        return "", ((),)
    alternatives: list[list[Term]] = [[]]
    rest = list(line.args[at + 1 :])
    while rest:
        word = rest.pop(0)
        if word in ("or", "||"):
            alternatives.append([])
            continue
        negated = word.startswith("!")
        word = word.lstrip("!") or (rest.pop(0) if rest else "")
        if word == "{":
            end = rest.index("}") if "}" in rest else len(rest)
            criteria: Sequence[Criterion] = [_criterion(tuple(rest[:end]), line.source)]
            del rest[: end + 1]
        elif word in known:
            criteria = known[word]
        else:
            criteria = [_criterion(tuple(_PREDEFINED.get(word, "unknown").split()), line.source)]
        alternatives[-1].append(Term(negated, tuple(criteria)))
    return line.args[at], alternatives


def holds(line: Directive, known: Known, request: Request | None) -> Maybe:
    """Whether the line applies to a request."""
    verb, alternatives = condition(line, known)
    said = some(every(_term(term, request) for term in terms) for terms in alternatives)
    return opposite(said) if verb == "unless" else said


def criteria(line: Directive, known: Known) -> Iterator[tuple[Criterion, bool]]:
    """Every criterion of a line's condition, and whether the line applies where it does *not* hold."""
    verb, alternatives = condition(line, known)
    for terms in alternatives:
        for term in terms:
            for criterion in term.criteria:
                yield criterion, term.negated != (verb == "unless")


def _criterion(words: Sequence[str], source: Source) -> Criterion:
    head = words[0] if words else "unknown"
    match = re.match(r"([\w.-]+)(?:\(([^()]*)[^,]*\))?(,.*)?$", head)
    fetch, argument, converted = match.groups() if match else ("unknown", "", "")
    flags: list[str] = []
    rest = list(words[1:])
    while rest and rest[0].startswith("-"):
        flag = rest.pop(0)
        if flag == "--":
            break
        flags.append(flag)
        if flag in ("-m", "-f", "-M", "-u") and rest:
            flags.append(rest.pop(0))
    if converted and converted.lower() != ",lower":
        fetch = "unknown" if fetch != "http_auth" else fetch
    fetch = fetch.removeprefix("req.").replace("fhdr", "hdr")
    return Criterion(fetch, (argument or "").split(",")[0], tuple(flags), tuple(rest), source)


_KINDS: dict[str, Callable[[str, str], bool]] = {
    "str": lambda text, wanted: text == wanted,
    "beg": lambda text, wanted: text.startswith(wanted),
    "end": lambda text, wanted: text.endswith(wanted),
    "sub": lambda text, wanted: wanted in text,
    "dir": lambda text, wanted: f"/{wanted.strip('/')}/" in f"/{text.strip('/')}/",
    "dom": lambda text, wanted: (
        re.search(rf"(?:^|[./:]){re.escape(wanted.strip('.'))}(?:$|[./:])", text) is not None
    ),
    "reg": lambda text, wanted: re.search(wanted, text) is not None,
}


def _term(term: Term, request: Request | None) -> Maybe:
    said = some(_decided(criterion, request) for criterion in term.criteria)
    return opposite(said) if term.negated else said


def _decided(criterion: Criterion, request: Request | None) -> Maybe:
    if criterion.fetch in ("always_true", "always_false"):
        return criterion.fetch == "always_true"
    if request is None or "-f" in criterion.flags or "-M" in criterion.flags:
        return None
    base, _, kind = criterion.fetch.partition("_")
    kind = criterion.flags[criterion.flags.index("-m") + 1] if "-m" in criterion.flags[:-1] else kind or "str"
    texts = _texts(base, criterion.argument, request)
    if texts is None or (kind not in _KINDS and kind != "found"):
        return None
    if kind == "found":
        return bool(texts)
    fold = "-i" in criterion.flags
    try:
        return any(
            _KINDS[kind](text.lower() if fold else text, wanted.lower() if fold else wanted)
            for text in texts
            for wanted in criterion.values
        )
    except re.error:
        return None


def _texts(base: str, argument: str, request: Request) -> list[str] | None:
    """The values of a fetch; None where the request does not tell."""
    if base == "method":
        return [request.method] if request.method else None
    if base == "path":
        return [request.path]
    if base == "url":
        return [request.path + (f"?{request.split.query}" if request.split.query else "")]
    if base == "hdr":
        if argument.lower() == "host":
            return [request.fields.get("host") or request.host or ""]
        found = request.fields.all(argument)
        return found if found or request.complete else None
    return None
