"""Text that stands where a secret should be: a variable nobody expanded, an example nobody replaced.

A table of shapes, tried in order. A real token must never match, so every shape is anchored at both
ends, and shapes that a person could choose as a password (`changeme`, `mysecret`) are left out.
"""

# A table of shapes is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import re

from why401.prefilter import lazy

# What each slug means, as the end of the sentence "The credential is ...".
MEANINGS: dict[str, str] = {
    "empty-value": "what a program prints for a value that is not there",
    "unexpanded-variable": "a variable that nothing has expanded",
    "template": "a template that nothing has filled in",
    "expression": "a piece of program text instead of its value",
    "object": "an object printed as text instead of the token inside it",
    "repr": "the Python notation of bytes or of a string, not its content",
    "json": "a whole JSON document instead of the token inside it",
    "masked": "masked: a display form was copied, not the secret",
    "truncated": "cut off: a display form was copied, not the secret",
    "example-text": "example text that nobody has replaced",
    "documented-example": "the published example of a manual",
    "variable-name": "the name of the credential instead of its value",
    "file-path": "the path of a file instead of its content",
}

_NAME = r"(?:token|key|secret|password|passwd|pass|pat|jwt|credentials?|auth|cookie|session)"
_SHAPES: tuple[tuple[str, str], ...] = (
    ("empty-value", r"(?i:undefined|null|none|nil|nan|\(null\)|<nil>|<null>|<none>|\(none\)|\(nil\))"),
    ("object", r"\[object \w{1,40}\]|<[\w.]{1,80} object at 0x[0-9a-fA-F]{1,16}>|Promise \{ <pending> \}"),
    ("object", r"<(?:bound method|function|coroutine|built-in method)\b[^>]{0,200}>+|System\.[A-Z]\w{2,60}(?:\[\])?"),
    ("masked", r"SecretStr\('\*{1,40}'\)|(?i:[\[<(]?(?:redacted|filtered|hidden|masked|secret removed)[\])>]?)"),
    ("repr", r"[bu]'[^']*'|b\"[^\"]*\""),
    ("json", r"\{\s*[\"'][^\"']{1,60}[\"']\s*:.*\}"),
    ("expression", r"(?:process\.env|os\.environ|os\.getenv|System\.getenv|import\.meta\.env|ENV\[|getenv\().{1,100}"),
    ("unexpanded-variable", r"\$\{[^{}$]{1,100}\}|\$\([^()]{1,100}\)|`[^`]{1,100}`|\$env:\w{1,60}|%[A-Z][A-Z0-9_]{1,60}%"),
    ("unexpanded-variable", r"\$[A-Z_][A-Z0-9_]{2,60}|\$(?i:\w{0,30}" + _NAME + r")"),
    ("template", r"\{\{.{0,100}\}\}|<%.{0,100}%>|#\{[^{}]{1,100}\}|\{[A-Za-z_][\w .-]{0,60}\}|\{\d?\}|%s|%\(\w{1,60}\)s|:token"),
    ("template", r"<[A-Za-z][\w .:/'-]{0,60}>|\[(?i:your|insert|enter|paste)[\w .'-]{0,60}\]"),
    ("masked", r"[\w.~+/=:@-]{0,60}[\u2022\u25cf\u00b7\u2217\u2588]{2,}[\w.~+/=-]{0,60}"),
    ("masked", r"(?:[A-Za-z]{1,12}[-_])*[\w.]{0,8}\*{3,}[\w.~+/=-]{0,12}|(?:[A-Za-z]{1,12}[-_])*(?:[xX]{4,}|#{4,})"),
    ("truncated", r"[\w.~+/=-]{1,4096}(?:\.{3,}|\u2026)|\.{3,}|\u2026"),
    ("example-text", r"(?i:your|insert|enter|paste|put|replace)[A-Za-z_ -]{0,32}?(?i:" + _NAME + r")(?i:[_ -]?(?:goes)?[_ -]?here|[_ -]value)?"),
    ("example-text", r"(?i:replace[_ -]?me|todo|tbd|fixme|placeholder|lorem ipsum|dummy[_ -]?token|fake[_ -]?token|some[_ -]?token)"),
    ("documented-example", r"AKIAIOSFODNN7EXAMPLE|wJalrXUtnFEMI/K7MDENG[/+]bPxRfiCYEXAMPLEKEY|mF_9\.B5f-4\.1JqM"),
    ("documented-example", r"eyJ[\w-]{10,80}\.eyJ[\w-]{10,200}\.(?:SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c|KMUFsIDTnFmyG3nMiGM6H9FNFUROf3wh7SmqJp-QV30)"),
    ("variable-name", r"(?:[A-Z][A-Z0-9]{0,20}_){1,5}(?:TOKEN|KEY|SECRET|PASSWORD|JWT|PAT)|TOKEN"),
    ("variable-name", r"(?i:access|id|auth|api|bearer|refresh|jwt|session)[_ -]?(?i:token|key)|token|jwt"),
    ("file-path", r"(?:file://|@?(?:~|\.{1,2})?/(?:home|etc|run|var|tmp|Users|root|opt|usr|mnt|secrets?|app|workspace)/|[A-Za-z]:\\|@?~/|@?\.{1,2}/)[^\r\n]{1,300}"),
    ("file-path", r"@?[\w.-]{1,80}\.(?:txt|json|pem|key|jwt|token|env|ya?ml|cfg|ini)"),
)  # fmt: skip
_TABLE = tuple((slug, lazy(shape, re.S)) for slug, shape in _SHAPES)
_LONGEST = 8192


def placeholder(text: str) -> str | None:
    """The kind of placeholder that `text` is (a key of `MEANINGS`), or None for what may be a secret."""
    core = text.strip()
    if not core.startswith(("b'", 'b"', "u'")):
        core = core.strip("\"'\u201c\u201d\u2018\u2019")
    if not core or len(core) > _LONGEST:
        return None
    for slug, shape in _TABLE:
        if shape.fullmatch(core):
            return slug
    return None
