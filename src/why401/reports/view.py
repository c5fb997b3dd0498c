"""What a report may show: the same report with every text through the redactor, before any layout.

Cleaning comes before layout, since a line break in the middle of a secret would hide it from the redactor.
Renderers read a view and nothing else. A `Secret` in a field stays one; `harmless` says what it may show.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from why401.causes import Cause
from why401.diffs import diff
from why401.evidence import Evidence, Exchange
from why401.protocol import basic, jwt
from why401.report import Fix, Report
from why401.secret import Redactor, Secret

MOST_EXCHANGES = 60  #: exchanges shown; a HAR has thousands, and only the refused ones tell
_PLAIN_USER = re.compile(r"[\w.@+-]{1,24}")
BODY_SHOWN = 2_000  #: characters of a body that a report may show


def view(report: Report, redactor: Redactor) -> Report:
    """The report without secrets, and with only the exchanges that it lists."""
    evidence = report.evidence
    texts = tuple(dataclasses.replace(text, content="") for text in evidence.texts)
    small = Evidence(
        exchanges=tuple(_short(x) for x in _listed(report)), texts=texts, unreadable=evidence.unreadable
    )
    trimmed = dataclasses.replace(report, evidence=small, tried=tuple(_short(x) for x in report.tried))
    cleaned: Report = _clean(trimmed, redactor)
    return cleaned


def _listed(report: Report) -> tuple[Exchange, ...]:
    """All exchanges where there are few, else the refused ones."""
    exchanges = report.evidence.exchanges
    return exchanges if len(exchanges) <= MOST_EXCHANGES else report.evidence.refused[:MOST_EXCHANGES]


def _short(exchange: Exchange) -> Exchange:
    response = exchange.response
    if response is None or len(response.body or "") <= BODY_SHOWN:
        return exchange
    cut = dataclasses.replace(response, body=(response.body or "")[:BODY_SHOWN] + "…")
    return dataclasses.replace(exchange, response=cut)


def _diff(fix: Fix, redactor: Redactor) -> str:
    """The diff with as many lines of context as hold no secret, since a masked line would fit no file."""
    for context in (3, 2, 1):
        text = diff(fix.edits, context)
        if all(line[:1] != " " or redactor.clean(line) == line for line in text.splitlines()):
            return str(redactor.clean(text))
    return str(redactor.clean(diff(fix.edits, 0)))


def _clean(value: Any, redactor: Redactor) -> Any:
    if isinstance(value, str):
        return redactor.clean(value)
    if isinstance(value, Secret | Cause):
        return value
    if isinstance(value, tuple):
        return tuple(_clean(item, redactor) for item in value)
    if isinstance(value, Fix) and value.edits:
        return dataclasses.replace(
            value, says=redactor.clean(value.says), diff=_diff(value, redactor), edits=()
        )
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        # Edits hold whole files; a diff shows what of them is to be seen.
        fields = (f.name for f in dataclasses.fields(value))
        parts = {name: () if name == "edits" else _clean(getattr(value, name), redactor) for name in fields}
        return dataclasses.replace(value, **parts)
    return value


def harmless(name: str, value: str | Secret, redactor: Redactor) -> str:
    """What may be shown of a field's value: of a credential its scheme, user and harmless claims, of cookies
    the names; else only the length."""
    if not isinstance(value, Secret):
        return value
    text = value.reveal()
    if redactor.shows:
        return text
    if name.lower() in ("cookie", "set-cookie"):
        return redactor.clean(_cookie(text, all_pairs=name.lower() == "cookie"))
    scheme, space, rest = text.partition(" ")
    if not space or not scheme.isalpha() or len(scheme) > 20:
        return _told(text)
    return f"{scheme} {_user(rest) if scheme.lower() == 'basic' else _told(rest)}"


def _user(token68: str) -> str:
    """Basic credentials as `alice:•••(12)`; a user that may itself be a key is not shown."""
    decoded = basic.decode(token68)
    user, password = decoded.user, decoded.password
    if user is None or password is None or decoded.has("user-is-token") or not _PLAIN_USER.fullmatch(user):
        return str(Secret(token68))
    return f"{user}:{Secret(password)}"


def _told(token: str) -> str:
    """A token as its harmless claims and length; anything else as its length."""
    if not token.startswith("eyJ"):
        return str(Secret(token))
    claims = jwt.harmless_claims(jwt.decode(token.strip()))
    told = ", ".join(f"{name}={value}" for name, value in claims.items())
    return f"{Secret(token)} [{told}]" if told else str(Secret(token))


def _cookie(text: str, *, all_pairs: bool) -> str:
    """A Cookie field with only the names, or a Set-Cookie field with its attributes."""
    first, *rest = text.split(";")
    pairs = (pair.partition("=") for pair in ([first, *rest] if all_pairs else [first]))
    masked = [f"{name}={Secret(value)}" if equals else str(Secret(name)) for name, equals, value in pairs]
    return ";".join(masked if all_pairs else [*masked, *rest])
