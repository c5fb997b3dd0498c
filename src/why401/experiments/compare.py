"""The answer to the user's request beside the answer to nobody's: did the credential arrive at all?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.checks.intermediary import ANONYMOUS
from why401.evidence import Exchange
from why401.findings import AGAINST, FAINT, Finding, Where

#: What would make a server answer to a credential as if there were none.
_LOST = {
    "proxy-stripped-credentials": 5.0,
    "gateway-stripped-credentials": 5.0,
    "wrong-header": 5.0,
    "auth-not-wired": 5.0,
    "wrong-scheme": FAINT,
    "wrong-password": -6.0,
    "token-expired": -5.0,
    "credential-revoked": -6.0,
    "insufficient-scope": -6.0,
}
_VARYING = re.compile(r"[0-9a-f]{8,}|\d+")


def beside_nobody(own: Exchange, nobody: Exchange) -> Iterator[Finding]:
    """What follows from the two answers; nothing where they are alike and do not say why."""
    if not own.refused or not nobody.refused:
        return
    where = Where.at(nobody)
    if not same_answer(own, nobody):
        says = "Without the credential the answer is another one, so the credential does arrive."
        weights = {
            "proxy-stripped-credentials": -12.0,
            "gateway-stripped-credentials": -12.0,
            "auth-not-wired": AGAINST,
            "wrong-header": AGAINST,
            "no-credentials": -12.0,
        }
        yield Finding("other-than-nobody", says, weights, where, group="nobody")
    elif ANONYMOUS.search((own.response.body or "") if own.response else ""):
        says = "With the credential the server says the same as without: that none was given."
        yield Finding("same-as-nobody", says, _LOST, where, group="nobody")


def same_answer(one: Exchange, other: Exchange) -> bool:
    """Whether two answers are the same in status, challenge and words (numbers and nonces aside)."""
    return _gist(one) == _gist(other)


def _gist(exchange: Exchange) -> tuple[object, ...]:
    response = exchange.response
    if response is None:
        return ()
    challenge = [
        _VARYING.sub("#", re.sub(r'nonce="[^"]*"', "", v)) for v in response.fields.all("www-authenticate")
    ]
    return response.status, challenge, _VARYING.sub("#", (response.body or "")[:4000])
