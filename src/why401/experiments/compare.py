"""The answer to the user's request beside the answer to nobody's: did the credential arrive at all?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.checks.intermediary import ANONYMOUS, FRONTS
from why401.evidence import Exchange
from why401.findings import AGAINST, FAINT, HINT, NAMED, Finding, Where
from why401.protocol import challenges

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


#: The credential was let in and then refused: 403 where nobody gets 401.
_KNOWN = {
    "not-permitted": 10.0,
    "insufficient-scope": HINT,
    "csrf-rejected": FAINT,
    "wrong-password": -10.0,
    "token-expired": -6.0,
    "no-credentials": -12.0,
}
#: nginx answers 403 to a login where it cannot open its password file (ngx_http_auth_basic_module).
_NO_FILE = {
    "password-file-problem": 21.0,
    "not-permitted": FAINT,
    "wrong-password": -10.0,
    "no-credentials": -12.0,
}
#: 403 without a challenge to everybody: it is not about the credential.
_KEPT_OUT = {
    "client-banned": 11.0,
    "edge-protection": HINT,
    "not-permitted": HINT,
    "wrong-password": -12.0,
    "unknown-user": -12.0,
    "token-expired": -8.0,
    "credential-revoked": -10.0,
    "wrong-scheme": -6.0,
}
_ARRIVED = {
    "proxy-stripped-credentials": -12.0,
    "gateway-stripped-credentials": -12.0,
    "auth-not-wired": AGAINST,
    "wrong-header": AGAINST,
    "no-credentials": -12.0,
}
_SERVERS_PAGE = re.compile(r"(?i)<center>nginx|this server could not verify|<title>40[13]")


def beside_nobody(own: Exchange, nobody: Exchange) -> Iterator[Finding]:
    """What follows from the two answers; nothing where they are alike and do not say why."""
    if not own.refused or not nobody.refused:
        return
    where = Where.at(nobody)
    body = (own.response.body or "") if own.response else ""
    if own.status == 403 and nobody.status == 401:
        nginx = "nginx" in _server(own) and _SERVERS_PAGE.search(body) and _scheme(own) == "basic"
        says = "With the credential the server answers 403, without it 401: it read the credential."
        weights = _NO_FILE if nginx else _KNOWN
        yield Finding("known-but-refused", says, {**_ARRIVED, **weights}, where, group="nobody")
    elif _two_layers(own, nobody):
        says = (
            "Without a credential one scheme is asked for, and to that scheme another one is: two layers ask."
        )
        weights = {**_ARRIVED, "auth-layers-collide": NAMED + HINT, "wrong-scheme": AGAINST}
        yield Finding("two-layers-ask", says, weights, where, group="nobody")
    elif not same_answer(own, nobody):
        says = "Without the credential the answer is another one, so the credential does arrive."
        yield Finding("other-than-nobody", says, _ARRIVED, where, group="nobody")
    elif own.status == 403 and not _challenge(own):
        says = "The server answers 403 to everybody, with and without the credential."
        yield Finding("everybody-kept-out", says, _KEPT_OUT, where, group="nobody")
    elif ANONYMOUS.search(body) and not _SERVERS_PAGE.search(body):
        says = "With the credential the server says the same as without: that none was given."
        yield Finding("same-as-nobody", says, {**_LOST, **_front(own)}, where, group="nobody")


def _two_layers(own: Exchange, nobody: Exchange) -> bool:
    """Whether nobody is asked for the very scheme that was sent, and its sender for another."""
    asked, again = (
        {c.scheme.lower() for c in challenges.parse(_challenge(x)).challenges} for x in (nobody, own)
    )
    return bool(again) and _scheme(own) in asked and not asked & again


def _server(exchange: Exchange) -> str:
    return ((exchange.response.fields.get("server") if exchange.response else None) or "").lower()


def _scheme(exchange: Exchange) -> str:
    return (exchange.request.fields.get("authorization") or "").partition(" ")[0].lower()


def _challenge(exchange: Exchange) -> list[str]:
    return exchange.response.fields.all("www-authenticate") if exchange.response else []


def _front(exchange: Exchange) -> dict[str, float]:
    """Where a proxy shows itself before the application, it is the first to be asked about the loss."""
    fields = exchange.response.fields if exchange.response else None
    shown = fields is not None and any(
        re.search(pattern, value, re.I) for name, pattern, _ in FRONTS for value in fields.all(name)
    )
    if shown or "nginx" in _server(exchange):
        return {
            "proxy-stripped-credentials": 16.0,
            "gateway-stripped-credentials": 0.0 if "apache" in _server(exchange) else -6.0,
            "wrong-scheme": -4.0,
            "auth-not-wired": 1.0,
        }
    return {}


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
