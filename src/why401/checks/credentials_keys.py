"""Keys in fields of their own and in the query: a value that is none."""

from __future__ import annotations

from collections.abc import Iterator

from why401.checks import check
from why401.checks.credentials_offers import AUTHORIZATION
from why401.evidence import Evidence
from why401.findings import Finding, Where
from why401.protocol.placeholders import MEANINGS, placeholder

#: Kinds of placeholder that no service gives out as a key, and how much they say.
_KINDS = {
    "empty-value": 20.0,
    "object": 22.0,
    "unexpanded-variable": 20.0,
    "template": 20.0,
    "example-text": 20.0,
    "file-path": 12.0,
}


@check
def placeholder_in_key_field(evidence: Evidence) -> Iterator[Finding]:
    """A key field or a parameter of a request that was refused holds what is no value."""
    numbers = {exchange.number for exchange in evidence.refused}
    for offer in evidence.offers:
        scheme_field = offer.name.lower() in AUTHORIZATION
        if offer.exchange not in numbers or offer.place not in ("field", "query") or scheme_field:
            continue
        kind = placeholder(offer.value.reveal()) if offer.value is not None else None
        if kind in _KINDS:
            says = f"The value of {offer.name} is {MEANINGS[kind]}."
            weights = {"placeholder-credential": _KINDS[kind], "wrong-password": -6.0}
            at = Where.of(offer.source, field=offer.name)
            yield Finding(f"key-is-{kind}", says, weights, at, group="placeholder")
            return
