"""Settings in XML, whole or as a fragment: the text of each leaf, each attribute, and `<add key= value=>`.

Tags are scanned, not parsed, so a fragment without a root is read, and no entity is ever expanded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.prefilter import lazy
from why401.readers.config_flat import Pair

_COMMENT = lazy(r"<!--.*?(?:-->|$)|<\?.*?\?>|<!DOCTYPE[^>]*>", re.S)
_TAG = lazy(
    r"<(?P<end>/?)(?P<name>[A-Za-z_][\w:.\-]*)(?P<attributes>(?:\s+[\w:.\-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*)\s*(?P<single>/?)>"
    r"(?P<text>[^<]*)"
)
_ATTRIBUTE = lazy(r"([\w:.\-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_CDATA = lazy(r"<!\[CDATA\[(.*?)\]\]>", re.S)
_KEYED = ("key", "name", "Key", "Name", "Include", "id")
_VALUED = ("value", "Value", "connectionString", "Version")


def pairs(text: str, first_line: int = 1) -> Iterator[Pair]:
    """(dotted path of tags, value, line); an element with `key` and `value` attributes is a setting of that key."""
    blank = _COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
    blank = _CDATA.sub(lambda match: match[1].replace("<", " ").replace("&", " "), blank)
    path: list[str] = []
    line, at = first_line, 0
    for tag in _TAG.finditer(blank):
        line, at = line + blank.count("\n", at, tag.start()), tag.start()
        if tag["end"]:
            if tag["name"] in path:
                del path[len(path) - 1 - path[::-1].index(tag["name"]) :]
            continue
        if len(path) > 60:
            return
        path.append(tag["name"])
        yield from _attributes(path, tag["attributes"], line)
        inner = tag["text"].strip()
        if inner and not tag["single"]:
            yield ".".join(path), _entities(inner), line
        if tag["single"]:
            path.pop()


def _attributes(path: list[str], words: str, line: int) -> Iterator[Pair]:
    found = {name: _entities(double or single) for name, double, single in _ATTRIBUTE.findall(words)}
    key = next((found[name] for name in _KEYED if name in found), None)
    value = next((found[name] for name in _VALUED if name in found), None)
    if key is not None and value is not None:
        yield ".".join([*path[:-1], key]), value, line
        return
    for name, text in found.items():
        if not name.startswith("xmlns") and not name.startswith("xsi:"):
            yield ".".join([*path, name]), text, line


def _entities(text: str) -> str:
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&")):
        text = text.replace(entity, character)
    return text
