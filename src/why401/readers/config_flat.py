# ruff: noqa: E501  (patterns: one a line, however long)
"""Settings that stand one on a line: env files, INI, properties, TOML, HCL, shell, PHP and Dockerfiles.

One tolerant reader for all of them, since evidence is often a fragment: a section is a line `[name]`, a block
opens with `name {` and closes with `}`, and a setting is a name, a sign and a value. Each yields (dotted key, value, line).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.prefilter import lazy

Pair = tuple[str, str, int]

_SECTION = lazy(r"^\s*\[{1,2}\s*(?P<name>[^\[\]\n]+?)\s*\]{1,2}\s*(?:[#;].*)?$")
_BLOCK = lazy(r"^\s*(?P<name>[\w.\-\"' ]+?)\s*(?:=\s*)?\{\s*(?:[#/].*)?$")
_SET = lazy(
    r"^\s*(?:export\s+|set\s+(?:-gx\s+)?|setx?\s+|declare\s+-x\s+|ENV\s+|ARG\s+|\$env:|\$Env:|(?:const|let|var|def|final)\s+)?"
    r"(?P<key>(?://)?[@$\w][\w.@:/\-%\[\]\"]*?)\s*(?::=|=|:(?=\s|$)|\+=)\s*(?P<value>.*?)\s*$"
)
_SPACED = lazy(r"^\s*(?:ENV|setx)\s+(?P<key>[A-Z_][A-Z0-9_]*)\s+(?P<value>[^=].*?)\s*$")
_DEFINE = lazy(
    r"""(?ix)\bdefine\s*\(\s*(["'])(?P<key>[\w.]+)\1\s*,\s*(?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^)]+?)\s*\)"""
)
_ARROW = lazy(r"""^\s*["'](?P<key>[\w.\-]+)["']\s*=>\s*(?P<value>.+?),?\s*$""")
_OPENS_ARRAY = lazy(r"^(?:\[|array\s*\()\s*$")
_CONTINUED = lazy(r"\\\s*$")


def unquote(value: str) -> str:
    """The value without the quotes around it, and without a comment after it."""
    value = value.strip()
    for quote in ('"""', "'''", '"', "'"):
        if value.startswith(quote):
            stop = value.find(quote, len(quote))
            while quote == '"' and stop > 0 and value[stop - 1] == "\\":
                stop = value.find(quote, stop + 1)
            if stop > 0 and re.match(r"\s*(?:[,;)]*\s*(?:#.*|//.*|;.*)?)$", value[stop + len(quote) :]):
                return value[len(quote) : stop]
            return value
    return re.split(r"\s+[#;]\s?", value, maxsplit=1)[0].rstrip(" ;")


def pairs(text: str, first_line: int = 1) -> Iterator[Pair]:
    """The settings of a text of lines, each under its section and blocks."""
    section: list[str] = []
    blocks: list[str] = []
    for number, line in enumerate(text.splitlines(), first_line):
        bare = line.strip()
        commented = bare.startswith(("//", "/*", "*", "--")) and not re.match(r"//[\w.-]+\S*:_", bare)
        if not bare or bare[0] in "#;!" or commented:
            continue
        named = _SECTION.match(line)
        if named and "=" not in line:
            section, blocks = [named["name"].strip("\"' ")], []
            continue
        opened = _BLOCK.match(line)
        if opened:
            blocks.append(".".join(re.findall(r"[\w.\-]+", opened["name"])))
            continue
        if re.match(r"^[}\])]+[,;]*$", bare):
            if blocks:
                blocks.pop()
            continue
        yield from _line(line, number, [*section, *blocks], blocks)


def _line(line: str, number: int, above: list[str], blocks: list[str]) -> Iterator[Pair]:
    arrow = _ARROW.match(line)
    if arrow:
        if _OPENS_ARRAY.match(arrow["value"]):
            blocks.append(arrow["key"])
        else:
            yield ".".join([*above, arrow["key"]]), unquote(arrow["value"]), number
        return
    defined = list(_DEFINE.finditer(line))
    for match in defined:
        yield match["key"], unquote(match["value"]), number
    if defined:
        return
    assigned = _SET.match(line) or _SPACED.match(line)
    if assigned and not re.match(r"(?i)^(?:https?|file|if|for|while|return|echo|curl)$", assigned["key"]):
        value = assigned["value"]
        if re.fullmatch(r"[\[{(]", value):
            if value != "(":
                blocks.append(assigned["key"])
            return
        yield ".".join([*above, assigned["key"].strip("\"'")]), unquote(value), number
