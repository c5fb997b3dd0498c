"""Checks of what settings say of a credential: one name with two values, a value that is more than the value.

Files, the shell and the code may each set the same name; which of them wins is the program's own order.
"""

# A table of patterns is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.checks import check
from why401.checks.credentials_offers import LOOKED_AT, troubled
from why401.evidence import Evidence
from why401.findings import CLEAR, HINT, Finding, Where
from why401.prefilter import lazy

_NAMED_SECRET = lazy(
    r"(?:\bexport[ \t]+|\$env:|\bset(?:x)?[ \t]+|^[ \t]*|[{,;][ \t]*)[\"']?(?P<name>[A-Z][A-Z0-9_]*_(?:KEY|TOKEN|SECRET|PASSWORD|PAT|PASS))[\"']?"
    r"[ \t]*(?:=|:(?=[ \t]))[ \t]*[\"']?(?P<value>(?!\$|\{|<|%|\*)[^\s\"',;}]{6,})",
    re.M,
)
_SAMPLE = lazy(r"example|sample|template|dist|default", re.I)


@check
def one_name_two_values(evidence: Evidence) -> Iterator[Finding]:
    """One variable has two values, in two files or in the shell and a file: a program takes one and not the other."""
    held: dict[str, dict[str, Where]] = {}
    for text in evidence.texts:
        if text.kind == "log" or _SAMPLE.search(text.source.name):
            continue
        for match in _NAMED_SECRET.finditer(text.content, 0, LOOKED_AT):
            at = Where.of(text.source.at(text.line_at(match.start("name"))), field=match.group("name"))
            held.setdefault(match.group("name"), {}).setdefault(match.group("value"), at)
    for name, values in held.items():
        places = {(at.source, at.line) for at in values.values()}
        if len(values) > 1 and len({source for source, _ in places}) > 1 and troubled(evidence):
            says = f"{name} has one value in one place and another in another; only one of them is used."
            weights = {
                "credentials-overridden": 20.0,
                "stored-credential-stale": HINT,
                "wrong-password": -6.0,
            }
            yield Finding("one-name-two-values", says, weights, list(values.values())[-1], group="override")
            return


_WHOLE_FIELD = lazy(r"(?:[A-Za-z]+-)*(?:Api-?Key|Key|Token|Authorization|Auth|Secret):\s+\S{6,}", re.I)


@check
def field_in_value(evidence: Evidence) -> Iterator[Finding]:
    """A setting for a key holds a whole header line: the name goes out as part of the key."""
    for setting in evidence.settings:
        last = setting.key.rpartition(".")[2]
        if re.search(r"(?i)token|key$|secret|password|credential", last) and _WHOLE_FIELD.fullmatch(
            setting.text
        ):
            says = f"{last} holds a header's name and value; the tool wants the value alone."
            weights = {"malformed-authorization": 17.0, "wrong-header": CLEAR, "wrong-password": -4.0}
            yield Finding(
                "field-in-value", says, weights, Where.of(setting.source, field=last), group="place"
            )
            return


_IN_CODE = lazy(
    r"[.\w]*?(?P<name>api_?key|access_?token|auth_?token|token|secret_?key|client_?secret|password)[\"']?\]?[ \t]*[=:][ \t]*[\"'](?P<value>[^\"'\s]{6,})[\"']",
    re.I,
)
_UNTOUCHED = lazy(
    r"(?:your|insert|enter|put|add|paste|replace)[_ -].*|.*[_-]here|change[_-]?me.*|x{6,}|<.*>|(?:my|some)[_-](?:api[_-]?)?(?:key|token|secret)",
    re.I,
)


@check
def example_beside_code(evidence: Evidence) -> Iterator[Finding]:
    """The code sets the key, and a file that the program reads too still holds the example's text for it."""
    code = {
        _bare(match.group("name")): match.group("value")
        for text in evidence.texts
        if text.kind == "code"
        for match in _IN_CODE.finditer(text.content, 0, LOOKED_AT)
    }
    for setting in evidence.settings:
        name = _bare(setting.key.rpartition(".")[2])
        if not _UNTOUCHED.fullmatch(setting.text) or not re.search(r"key|token|secret|password", name):
            continue
        if troubled(evidence) and not _SAMPLE.search(setting.source.name):
            real = name in code and not _UNTOUCHED.fullmatch(code[name])
            if not real:
                continue  # what is a server's own setting is not what a client sends
            says = f"{setting.key.rpartition('.')[2]} holds example text in {setting.source.name}, and the code sets another value."
            weights = {"credentials-overridden": 17.0, "placeholder-credential": 14.0}
            at = Where.of(setting.source)
            yield Finding("example-beside-code", says, weights, at, group="example-in-settings")
            return


def _bare(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())
