"""What sort of text an input is, by its name and by what stands in it."""

from __future__ import annotations

import re
from pathlib import PurePath

from why401.evidence import TextKind
from why401.prefilter import lazy

_BY_NAME: tuple[tuple[str, TextKind, str | None], ...] = (
    (r"\.log$|(^|/)(access|error)[._-]?log|catalina\.out$|syslog$", "log", None),
    (r"(^|/)\.htaccess$|(^|/)(apache2?|httpd|vhost)[^/]*\.conf$", "settings", "apache"),
    (r"(^|/)nginx[^/]*\.conf$|\.subdomain\.conf$", "settings", "nginx"),
    (r"(^|/)Caddyfile", "settings", "caddy"),
    (r"(^|/)haproxy[^/]*\.cfg$", "settings", "haproxy"),
    (r"\.ya?ml$", "settings", "yaml"),
    (r"\.env($|\.)|(^|/)\.env|\.properties$", "settings", "env"),
    (r"\.toml$", "settings", "toml"),
    (r"\.(ini|cfg|conf|cnf)$|(^|/)\.(pypirc|netrc|npmrc|gitconfig)$", "settings", "ini"),
    (r"\.(xml|config|csproj)$", "settings", "xml"),
    (r"\.json5?$", "settings", "json"),
    (r"\.tf$|\.hcl$", "settings", "hcl"),
    (r"\.py$", "code", "python"),
    (r"\.(js|jsx|mjs|cjs|vue|svelte)$", "code", "javascript"),
    (r"\.tsx?$", "code", "typescript"),
    (r"\.java$", "code", "java"),
    (r"\.kts?$", "code", "kotlin"),
    (r"\.(gradle|groovy)$", "code", "groovy"),
    (r"\.scala$|\.sbt$", "code", "scala"),
    (r"\.cs$", "code", "csharp"),
    (r"\.go$", "code", "go"),
    (r"\.php$", "code", "php"),
    (r"\.rb$", "code", "ruby"),
    (r"\.rs$", "code", "rust"),
    (r"\.swift$", "code", "swift"),
    (r"\.dart$", "code", "dart"),
    (r"\.ps1$", "code", "powershell"),
    (r"\.(ba|z)?sh$", "code", "shell"),
    (r"\.(pl|pm)$", "code", "perl"),
    (r"\.mm?$", "code", "objc"),
    (r"\.(pas|dpr)$", "code", "pascal"),
    (r"\.(vb|vbs|bas|cls)$", "code", "basic"),
    (r"\.(cc|cpp|cxx|c|h|hpp)$", "code", "c"),
    (r"\.(lua|exs?|erl|hs|elm|clj[sc]?|el|scm|rkt|r|jl|fs|nim|cr|zig|ahk|au3)$", "code", None),
    (r"(^|/)Dockerfile", "settings", "dockerfile"),
    (r"\.html?$", "body", "html"),
)

_PROMPT = lazy(r"^\s*(?:\$|>|#|%|PS [A-Z]:\\[^>]*>|[\w.-]+@[\w.-]+[:~][^$#]*[$#])\s+\S", re.M)
_STAMPS = lazy(
    r"^\W{0,2}(?:\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d|\d+\.\d+\.\d+\.\d+ .*\[)",
    re.M,
)


def kind_of(name: str, text: str) -> tuple[TextKind, str | None]:
    """The kind of a text and its language, where the name or the content tells; else a message."""
    for pattern, kind, language in _BY_NAME:
        if re.search(pattern, PurePath(name).as_posix(), re.I):
            return kind, language
    head = text[:20000]
    if head.lstrip()[:1] in "{[" or head.lstrip()[:1] == "<":
        return "body", None
    if len(_STAMPS.findall(head)) >= 3:
        return "log", None
    if _PROMPT.search(head):
        return "terminal", None
    return "message", None


def unreadable(data: bytes) -> str | None:
    """Why these bytes are no text to search, in one sentence without the name; None for a text."""
    if not data.strip():
        return "is empty; give a file with a request, a response, a log or an error message in it."
    if b"\0" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "is binary, not text; export it as text, HAR or a log and give that."
    return None


def decode(data: bytes) -> str:
    """The text of an input: UTF-8 or UTF-16 by its mark, else Latin-1, so that no byte is lost."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", "replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("latin-1")
    return text.replace("\r\n", "\n")
