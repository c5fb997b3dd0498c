# ruff: noqa: E501  (patterns: one a line, however long)
"""Reader of settings: env files, YAML, JSON, TOML, XML, INI, properties, HCL, PHP and shell, whole or in part.

Each setting has its dotted key and its line; one whose name says that it is a credential is a `Secret`. From
the settings follow what they demand (`config_demands`) and what they offer (`config_offers`). A message may hold settings
between its sentences: only lines that can hardly be anything else are taken from there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from why401.evidence import Evidence, Setting, Source
from why401.prefilter import lazy
from why401.readers import (
    config_demands,
    config_flat,
    config_json,
    config_offers,
    config_xml,
    config_yaml,
    kinds,
)
from why401.readers.config_flat import Pair
from why401.secret import SENSITIVE_NAME, Secret

MOST = 20_000  # settings of one input
LARGEST = 600_000  # characters of one input

_FENCE = lazy(r"(?ms)^[ \t]*```[ \t]*(?P<language>\w*)[^\n]*\n(?P<body>.*?)^[ \t]*```")
_LOOSE = lazy(
    r"""(?x)^\s*(?: (?:export\s+|set\s+|ENV\s+|\$env:|-e\s+)?[A-Z][A-Z0-9]*_[A-Z0-9_]*\s*=\s*\S
      | export\s+\w+=\S | define\s*\( | [a-z][\w-]*(?:\.[\w-]+)+\s*=\s*\S | //[\w.-]+\S*/?:_\w+\s*= )"""
)
#: `client.Headers.Authorization = new …`: an assignment of a program, which looks like a property.
_STATEMENT = lazy(
    r"^\s*[A-Za-z_][\w-]*(?:\.[\w-]+)+\s*=\s*(?:new\s|await\s|[\w.$]+\(|[$@f]*[\"'`][^\n]*[\"'`)]\s*;\s*$)"
)
_OPTION = lazy(
    r"""(?x)\s(?:-e|--env)[\s=]+(?P<quote>["'])?(?P<key>[A-Z][A-Z0-9_]+)=(?(quote)(?P<whole>.*?)(?P=quote)|(?:["'](?P<part>[^"']*)["']|(?P<bare>\S*)))"""
)
_CUE = lazy(r"(?m)[=:]\s?\S|<\w+|=>")
_YAML_LINE = lazy(r"(?m)^\s*(?:-\s+)?[\w.\-/\"']+:(?:\s|$)")
_FLAT_LINE = lazy(r"(?m)^\s*(?:export\s+|set\s+)?[\w.\-:/@$]+\s*=")


def sniff(name: str, text: str) -> bool:
    """Whether the input is settings by its name, or holds lines that look like some."""
    kind, _ = kinds.kind_of(name, text)
    if kind == "body" or _is_answer(name, text):
        return False
    if kind == "settings":
        return True
    return kind not in ("log",) and bool(_CUE.search(text[:LARGEST]))


def _is_answer(name: str, text: str) -> bool:
    """Whether a JSON text is the answer of a server or a key set, not settings."""
    if text.lstrip()[:1] not in ("{", "["):
        return False
    head = text[:3000]
    return bool(
        re.search(r"(?i)(?:^|/)[^/]*(?:response|answer|output|error|result|jwks|request|body)[^/]*$", name)
        or re.search(
            r'(?s)^\s*\{(?:[^{}]|\{[^{}]*\})*?"(?:message|errors?|detail|error_description|title|kty)"\s*:',
            head,
        )
    )


def read(text: str, source: Source) -> Evidence:
    """The settings, with what they demand and offer."""
    found: list[Setting] = []
    for key, value, line in _pairs(text[:LARGEST], source):
        found.append(setting(key, value, source.at(line)))
        if len(found) >= MOST:
            break
    return Evidence(
        settings=tuple(found),
        offers=tuple(config_offers.offers(found)),
        demands=tuple(config_demands.demands(found)),
        changes=tuple(config_demands.changes(found)),
    )


def setting(key: str, value: str, source: Source) -> Setting:
    """A setting, its value hidden where the key says that it is a credential."""
    last = key.rpartition(".")[2]
    hidden = (SENSITIVE_NAME.search(last) and not re.fullmatch(r"(?i)code|keys?", last)) or re.search(
        r"://[^/\s:@]*:[^@\s/]+@", value
    )
    return Setting(key, Secret(value) if hidden else value, source)


_READERS = {
    "yaml": config_yaml.pairs, "json": config_json.pairs, "xml": config_xml.pairs, "env": config_flat.pairs,
    "ini": config_flat.pairs, "toml": config_flat.pairs, "hcl": config_flat.pairs, "dockerfile": config_flat.pairs,
    "php": config_flat.pairs, "groovy": config_flat.pairs, "shell": config_flat.pairs, "powershell": config_flat.pairs,
    "properties": config_flat.pairs, "yml": config_yaml.pairs, "sh": config_flat.pairs, "bash": config_flat.pairs,
    "jsonc": config_json.pairs, "html": config_xml.pairs, "dotenv": config_flat.pairs, "conf": config_flat.pairs,
}  # fmt: skip
#: Server configurations are directives, which readers of their own take apart.
_DIRECTIVES = frozenset({"apache", "nginx", "caddy", "haproxy"})


def _pairs(text: str, source: Source) -> Iterable[Pair]:
    first = source.line or 1
    kind, language = kinds.kind_of(source.name, text)
    if language in _DIRECTIVES:
        return ()
    if kind in ("settings", "body") or language == "php":
        return _READERS[_shape(text, language)](text, first)
    if kind == "code":
        return _loose(text, first)
    return _mixed(text, first)


def _shape(text: str, language: str | None) -> str:
    """The format by its name, unless the text plainly is another."""
    head = text.lstrip()[:1]
    if language in ("ini", "env", "json", None, "html") or language not in _READERS:
        if head in "{[" and re.match(r"\s*(?:\{|\[\s*[\[{\"\]])", text) and ":" in text:
            return "json"
        if head == "<":
            return "xml"
    if language == "json" or re.match(r'\s*"[^"\n]+"\s*:', text):
        return "json"
    if language in _READERS:
        return str(language)
    return "yaml" if len(_YAML_LINE.findall(text)) > len(_FLAT_LINE.findall(text)) else "ini"


def _loose(text: str, first: int) -> Iterator[Pair]:
    """Settings on lines that can hardly be anything else, and options `-e NAME=value` of container tools."""
    for number, line in enumerate(text.splitlines(), first):
        if len(line) < 2000 and _LOOSE.match(line) and not _STATEMENT.match(line):
            yield from config_flat.pairs(
                line.replace("-e ", "", 1) if line.lstrip().startswith("-e ") else line, number
            )
        elif " -e " in line:
            for match in _OPTION.finditer(line):
                yield (
                    match["key"],
                    next(v for v in match.group("whole", "part", "bare") if v is not None),
                    number,
                )


def _mixed(text: str, first: int) -> Iterator[Pair]:
    """Settings in a message or terminal session: fenced blocks, whole files that say no name, loose lines."""
    seen = False
    for fence in _FENCE.finditer(text):
        at = first + text.count("\n", 0, fence.start("body"))
        body = fence["body"]
        shape = _shape(body, fence["language"].lower() or None) if _looks_set(body) else ""
        if shape:
            seen = True
            yield from _READERS[shape](body, at)
    rest = _FENCE.sub(lambda match: "\n" * match.group().count("\n"), text)
    if not seen and _looks_set(rest):
        yield from _READERS[_shape(rest, None)](rest, first)
    else:
        yield from _loose(rest, first)


def _looks_set(text: str) -> bool:
    """Whether most lines of a text are settings, so that it is read as a file of them."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines or re.search(r"(?m)^(?:HTTP/\d|\$ |[A-Z]+ /\S* HTTP)|^\s*[<>*] ", text):
        return False
    if re.match(r"\s*[<{]", text) and re.search(r"[>}]\s*$", text):
        return True
    fit = sum(
        bool(
            _YAML_LINE.match(line) or _FLAT_LINE.match(line) or re.match(r"\s*(?:-\s|\[|</?\w|[\]})])", line)
        )
        for line in lines
    )
    fields = sum(bool(re.match(r"[A-Z][A-Za-z]*(?:-[A-Z][A-Za-z]*)*: ", line)) for line in lines)
    return fit >= 0.8 * len(lines) and fields < 0.5 * len(lines)
