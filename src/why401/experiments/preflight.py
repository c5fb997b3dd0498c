"""The request that a browser sends first: OPTIONS without credentials (Fetch, section 4.8, CORS-preflight fetch)."""

from __future__ import annotations

import dataclasses

from why401.evidence import REFUSALS, Exchange
from why401.experiments.denied import reached
from why401.findings import CLEAR, NAMED, Finding, Where
from why401.probes.ask import Ask

_SIMPLE_METHODS = frozenset({"GET", "HEAD", "POST"})
_SIMPLE_FIELDS = frozenset({"accept", "accept-language", "content-language", "range"})
_SIMPLE_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
#: What a browser sets itself; code cannot, so it is not asked for.
_BROWSERS_OWN = frozenset(
    "host origin referer cookie user-agent connection content-length accept-encoding".split()
)


def preflight_of(ask: Ask) -> Ask | None:
    """The preflight that a browser would send before this request, or None where it would send none."""
    origin = ask.get("origin")
    if not origin or ask.method.upper() == "OPTIONS":
        return None
    names = sorted({name.lower() for name, value in ask.fields if _to_be_asked(name.lower(), value)})
    if ask.user or ask.bearer:
        names = sorted({*names, "authorization"})
    if not names and ask.method.upper() in _SIMPLE_METHODS:
        return None
    fields = [("Origin", origin), ("Access-Control-Request-Method", ask.method.upper())]
    fields += [("Access-Control-Request-Headers", ",".join(names))] if names else []
    kept = [(n, v) for n, v in ask.fields if n.lower() in ("host", "user-agent")]
    bare = dataclasses.replace(ask.anonymous(), method="OPTIONS", body=None, follow=False)
    return dataclasses.replace(bare, fields=(*kept, *fields))


def _to_be_asked(name: str, value: str) -> bool:
    if name == "content-type":
        return not value.lower().startswith(_SIMPLE_TYPES)
    return name not in _SIMPLE_FIELDS | _BROWSERS_OWN and not name.startswith(("sec-", "proxy-"))


def finding(own: Exchange, answer: Exchange) -> Finding:
    """What the answer to the preflight says: a refusal keeps every browser out, whatever the credential."""
    where = Where.at(answer)
    if answer.status not in REFUSALS:
        weights = {"cors-preflight-rejected": -15.0}
        return Finding("preflight-passes", f"The preflight OPTIONS gets {answer.status}.", weights, where)
    says = f"The preflight OPTIONS, which can carry no credential, gets {answer.status}"
    if not reached(own):
        says += ", as the request itself does."
        return Finding("preflight-refused-too", says, {"cors-preflight-rejected": CLEAR}, where)
    says += f", while the request itself gets {own.status}."
    weights = {
        "cors-preflight-rejected": 60.0 + NAMED,
        "not-an-auth-error": -60.0,
        "expected-challenge": -60.0,
    }
    return Finding("preflight-refused", says, weights, where)
